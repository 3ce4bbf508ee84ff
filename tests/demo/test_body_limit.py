"""Requests beyond the limit, announced and not."""

import asyncio
from collections.abc import Iterator

import pytest

pytest.importorskip("starlette", reason="needs the extra demo")

from starlette.types import Message, Receive, Scope, Send

from i2i.demo.limits import BodyLimit


async def _reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


async def _answers_first(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await _reads_all(scope, receive, send)


def asked(parts: list[bytes], headers: list[tuple[bytes, bytes]]) -> tuple[int, str]:
    sent: list[Message] = []
    rest: Iterator[bytes] = iter(parts)

    async def receive() -> Message:
        return {"type": "http.request", "body": next(rest), "more_body": rest.__length_hint__() > 0}

    async def send(message: Message) -> None:
        sent.append(message)

    app = BodyLimit(_reads_all, limit=1_000_000)
    asyncio.run(app({"type": "http", "headers": headers}, receive, send))
    return sent[0]["status"], sent[1]["body"].decode()


def test_an_answer_that_has_begun_is_broken_off_and_not_begun_again() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": bytes(600_000), "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    app = BodyLimit(_answers_first, limit=1_000_000)
    asyncio.run(app({"type": "http", "headers": []}, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start"]


def test_a_body_up_to_the_limit_passes() -> None:
    assert asked([bytes(600_000), bytes(400_000)], []) == (200, "1000000")


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"1000001")]])
def test_a_body_beyond_it_is_refused_with_a_sentence(headers: list[tuple[bytes, bytes]]) -> None:
    status, text = asked([bytes(600_000), bytes(400_001)], headers)
    assert status == 413
    assert text == "That is too large: at most 1 MB are allowed here."
