"""Who may ask the page for something, and what browsers are told about it."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio", reason="needs the extra demo")

from starlette.testclient import TestClient

from i2i.demo.app import build
from i2i.demo.application import application
from i2i.demo.guard import Hosts
from i2i.demo.serving import listen
from i2i.model.model import Model

Models = Callable[..., Model]


@contextmanager
def served(model: Model, uploads: Path, *names: str, host: str = "127.0.0.1") -> Iterator[Any]:
    with listen(host, 0) as listening:
        app = application(build(model), Hosts(listening, names), uploads)
        with TestClient(app, base_url="http://127.0.0.1") as client:
            yield client


@pytest.fixture
def client(model_of: Models, tmp_path: Path) -> Iterator[Any]:
    with served(model_of(), tmp_path / "uploads", "demo.example") as client:
        yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:7860", 200),
        ("localhost", 200),
        ("LOCALHOST.:80", 200),
        ("app.localhost:7860", 200),
        ("[::1]:7860", 200),
        ("demo.example:443", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:7860", 403),
        ("localhost.evil.example", 403),
        ("192.168.1.7", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
def test_only_requests_to_the_page_s_own_names_are_answered(
    client: Any, host: str, status: int
) -> None:
    for path in ("/", "/config", "/gradio_api/info"):
        assert client.get(path, headers={"host": host}).status_code == status
    joined = client.post("/gradio_api/queue/join", headers={"host": host}, json={})
    assert (joined.status_code == 403) == (status == 403)


@pytest.mark.parametrize(
    ("origin", "refused"),
    [
        ("http://127.0.0.1:7860", False),
        ("https://demo.example", False),
        ("http://127.0.0.1:3000", True),
        ("http://evil.example", True),
        ("https://127.0.0.1:7860.evil.example", True),
        ("null", True),
        ("http://[", True),
    ],
)
def test_pages_of_other_sites_are_refused_and_not_named_in_any_header(
    client: Any, origin: str, refused: bool
) -> None:
    headers = {"host": "127.0.0.1:7860", "origin": origin}
    for answer in (
        client.get("/config", headers=headers),
        client.post("/gradio_api/queue/join", headers=headers, json={}),
        client.options(
            "/gradio_api/queue/join", headers={**headers, "access-control-request-method": "POST"}
        ),
    ):
        assert (answer.status_code == 403) == refused
        if refused:
            assert "access-control-allow-origin" not in answer.headers


def test_a_page_on_all_addresses_answers_to_each_and_to_the_machine_s_name(
    model_of: Models, tmp_path: Path
) -> None:
    with served(model_of(), tmp_path, host="0.0.0.0") as client:
        for host in ("192.168.1.7:7860", "[2001:db8::1]:7860", socket.gethostname(), "localhost"):
            assert client.get("/", headers={"host": host}).status_code == 200
        assert client.get("/", headers={"host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/nowhere", "/gradio_api/upload"])
def test_every_answer_has_security_headers(client: Any, path: str) -> None:
    for headers in ({}, {"host": "evil.example"}):
        answer = client.get(path, headers=headers).headers
        assert answer["x-content-type-options"] == "nosniff"
        assert answer["x-frame-options"] == "SAMEORIGIN"
        assert "default-src 'self';" in answer["content-security-policy"]
        assert "frame-ancestors 'self'" in answer["content-security-policy"]


def test_a_space_may_be_shown_by_hugging_face(
    model_of: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "somebody/something")
    with served(model_of(), tmp_path) as client:
        answer = client.get("/", headers={"host": "somebody-something.hf.space"})
    assert answer.status_code == 200
    assert "x-frame-options" not in answer.headers
    ancestors = answer.headers["content-security-policy"].partition("frame-ancestors ")[2]
    assert "https://huggingface.co" in ancestors
    assert answer.headers["x-content-type-options"] == "nosniff"
