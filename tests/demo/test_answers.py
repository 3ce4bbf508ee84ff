"""What the page is answered, whatever it asks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from i2i.demo.answers import Answers, problem
from i2i.demo.examples import Example
from i2i.demo.surface import Surface, data_url
from i2i.errors import DataError, I2IError
from i2i.model.model import Model
from tests.conftest import picture
from tests.stochastic import AtInput, made

Models = Callable[..., Model]


def answers_of(model: Model, **options: int) -> Answers:
    surface = Surface(model)
    example = Example("first", picture(3, surface.size))
    return Answers(model, surface, [example], options.get("max_upload", 10_000))


def test_an_empty_canvas_is_answered_with_a_hint(model_of: Models) -> None:
    answers = answers_of(model_of())
    for nothing in ("", None):
        assert "Draw something" in answers.translate(nothing)
        assert "<img" not in answers.translate(nothing)


def test_samples_differ_where_the_model_draws_noise(model_of: Models) -> None:
    drawing = data_url(picture(1, (512, 512)))
    noisy = answers_of(model_of(generator=nn.Dropout(0.5), test={"dropout": True}))
    images = [
        part.partition('"')[0] for part in noisy.translate(drawing, 2).split('<img src="')[1:]
    ]
    assert len(set(images)) == 2
    assert noisy.translate(drawing, 2) == noisy.translate(drawing, 2)
    assert noisy.translate(drawing, 99).count("<img") == 4
    exact = answers_of(model_of(generator=nn.Dropout(0.5), test={"dropout": False}))
    assert exact.translate(drawing, 4).count("<img") == 1
    assert answers_of(model_of()).translate(drawing, 4).count("<img") == 1
    drawing_noise = answers_of(model_of(generator=made(AtInput), test={"dropout": False}))
    assert drawing_noise.translate(drawing, 4).count("<img") == 4


def test_an_upload_is_removed_whether_it_can_be_read_or_not(
    model_of: Models, tmp_path: Path
) -> None:
    answers = answers_of(model_of())
    good, bad, large = (tmp_path / name for name in ("good.png", "bad.png", "large.png"))
    Image.new("RGB", (8, 8)).save(good)
    bad.write_bytes(b"nothing")
    large.write_bytes(bytes(20_000))
    assert answers.open(good).startswith("data:image/png")
    with pytest.raises(DataError, match=r"bad.png: is not an image"):
        answers.open(bad)
    with pytest.raises(DataError, match=r"large.png: has 0.02 MB; the largest .* has 0.01 MB"):
        answers.open(large)
    assert list(tmp_path.glob("*.png")) == []


def test_only_examples_that_there_are_can_be_chosen(model_of: Models) -> None:
    answers = answers_of(model_of())
    chosen = answers.surface.read_drawing(answers.choose(0))
    np.testing.assert_array_equal(chosen, answers.examples[0].canvas)
    for index in (1, -1, "0", None, True, False, 0.0, [0], {}):
        with pytest.raises(I2IError, match="no such example"):
            answers.choose(index)


def test_what_no_page_sends_is_answered_with_a_sentence(model_of: Models, tmp_path: Path) -> None:
    answers = answers_of(model_of(generator=nn.Dropout(0.5)))
    drawing = data_url(picture(1, (512, 512)))
    for other in (5, True, False, 0, [], {}, ["data:"], b"data:"):
        with pytest.raises(DataError, match="drawing is no PNG"):
            answers.translate(other)
    for samples in ("abc", "2", None, True, [2]):
        with pytest.raises(DataError, match="samples is no number"):
            answers.translate(drawing, samples)
    assert answers.translate(drawing, float("inf")).count("<img") == 4
    assert answers.translate(drawing, float("nan")).count("<img") == 1
    for file in (None, 3, [], "", str(tmp_path), tmp_path / "gone.png"):
        with pytest.raises(DataError, match="no such picture"):
            answers.open(file)


def test_a_message_shows_a_file_s_name_and_runs_nothing_in_it() -> None:
    assert "<img" not in problem(DataError(["<img src=x onerror=alert(1)>.png: is bad"]))
