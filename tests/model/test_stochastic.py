"""Whether a model draws noise, and what depends on it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from i2i.datasets.info import DatasetInfo
from i2i.errors import I2IError
from i2i.images.spec import ImageSpec
from i2i.model.model import Model
from i2i.model.stochastic import is_stochastic
from i2i.recipe import parse_recipe
from i2i.translation.options import TranslationOptions
from tests.conftest import tiny
from tests.stochastic import InTheMiddle, made


def model_of(generator: nn.Module, **sections: Any) -> Model:
    return Model(
        generator.eval(),
        parse_recipe(tiny(**sections)),
        DatasetInfo(ImageSpec(), ImageSpec()),
        path=Path("model.safetensors"),
        step=0,
        sha256="0" * 64,
        device=torch.device("cpu"),
    )


def test_a_model_is_stochastic_if_it_draws_anything_with_its_recipe() -> None:
    off = {"dropout": False}
    assert is_stochastic(model_of(nn.Dropout(0.5)))
    assert not is_stochastic(model_of(nn.Dropout(0.5), test=off))
    assert is_stochastic(model_of(made(InTheMiddle), test=off))
    assert not is_stochastic(model_of(nn.Identity()))


def test_samples_are_refused_only_where_they_would_be_equal() -> None:
    two = TranslationOptions(samples=2)
    two.check(model_of(made(InTheMiddle), test={"dropout": False}))
    with pytest.raises(I2IError, match=r"all 2 samples would be equal: the model draws no noise$"):
        two.check(model_of(nn.Identity()))
    with pytest.raises(I2IError, match=r"test\.dropout = false"):
        two.check(model_of(nn.Dropout(0.5), test={"dropout": False}))
