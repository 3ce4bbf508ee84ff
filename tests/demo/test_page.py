"""The page's own functions, called as Gradio calls them, with what no browser sends."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("gradio", reason="needs the extra demo")

import gradio as gr

from i2i.demo.app import build, launch
from i2i.errors import I2IError
from i2i.model.model import Model

Models = Callable[..., Model]


def function(page: Any, event: str) -> Any:
    return next(each for each in page.fns.values() if event in [name for _, name in each.targets])


@pytest.mark.parametrize("data", [None, {}, [], "index", 0, {"index": None}, {"index": True}])
def test_an_event_without_a_place_is_answered_with_a_message(model_of: Models, data: Any) -> None:
    chosen = function(build(model_of()), "chosen").fn
    value, message = chosen(gr.EventData(None, data))
    assert value == gr.skip()
    assert message == '<p role="alert">there is no such example</p>'


@pytest.mark.parametrize(
    ("event", "inputs"),
    [
        ("click", ["", "abc"]),
        ("click", ["", 99]),
        ("click", ["", None]),
        ("upload", ["abc"]),
        ("upload", [{"name": "x"}]),
        ("upload", [3]),
    ],
)
def test_values_that_gradio_can_t_take_are_told_without_a_traceback(
    model_of: Models, event: str, inputs: list[Any]
) -> None:
    page = build(model_of())
    with pytest.raises(gr.Error) as raised:
        asyncio.run(page.preprocess_data(function(page, event), inputs, None))
    assert raised.value.message == "the request is not valid: load the page again"
    assert not raised.value.print_exception


def test_a_taken_port_is_told_in_a_short_line(model_of: Models) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(I2IError) as raised:
            launch(model_of(), port=port)
    assert str(raised.value) == f"port {port} can't be listened on; --port 0 takes a free one"
