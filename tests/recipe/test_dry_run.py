"""What can be told of a training before anything is allocated for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import nn

from i2i.cli import program
from i2i.errors import RecipeError
from i2i.recipe import parse_recipe
from i2i.recipe.assemble import assemble_losses
from i2i.recipe.dry_run import dry_run
from i2i.recipe.inspection import inspect
from i2i.runs.run import run
from tests.conftest import tiny

ENCODER = {"type": "timm_unet", "encoder": "resnet18", "base_channels": 4}
"""At 32 x 32, its innermost map has one pixel."""


def refused(**sections: Any) -> str:
    with pytest.raises(RecipeError) as caught:
        inspect(parse_recipe(tiny(**sections)))
    (line,) = caught.value.problems
    return line


def test_the_memory_is_that_of_weights_gradients_moments_and_a_batch() -> None:
    recipe = parse_recipe(tiny(losses=[{"type": "l1"}], train={"batch_size": 5}))
    found = dry_run(recipe, (3, 3), assemble_losses(recipe))
    assert found is not None
    numbers = sum(p.numel() for p in found.networks["generator"].parameters())
    assert found.memory == 4 * (4 * numbers + 5 * 6 * 32 * 32)


@pytest.mark.parametrize(
    "sections",
    [
        {"generator": {"base_channels": 3_000_000}},
        {"generator": {"type": "encoder_decoder", "depth": 3, "base_channels": 70_000_000}},
        {"generator": {**ENCODER, "base_channels": 2_000_000}},
        {"discriminator": {"type": "pixel", "base_channels": 2_000_000}},
        {"losses": [{"type": "gan", "discriminator": {"type": "pixel", "base_channels": 10**6}}]},
        {"augment": {"crop_size": 2**20, "load_size": 2**20}},
        {"train": {"batch_size": 10**9}},
    ],
)
def test_what_no_machine_can_hold_is_told_as_memory(sections: dict[str, Any]) -> None:
    line = refused(**sections)
    assert "training needs at least" in line
    assert "more than 1.0 TiB" in line


@pytest.mark.parametrize(
    ("sections", "what"),
    [
        ({"generator": {"base_channels": 2**62}}, "generator: "),
        ({"discriminator": {"base_channels": 2**40}}, "discriminator.cgan: "),
        ({"augment": {"crop_size": 2**40, "load_size": 2**40}}, "a batch: "),
        ({"train": {"batch_size": 2**62}}, "a batch: "),
    ],
)
def test_what_can_t_even_be_counted_is_told(sections: dict[str, Any], what: str) -> None:
    assert refused(**sections).startswith(f"{what}needs more than 8 EiB of memory")


def test_a_run_that_doesn_t_fit_this_machine_ends_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("i2i.runs.run.memory_of", lambda device: 10_000)
    with pytest.raises(RecipeError, match=r"training needs at least 1\d\d\.\d KiB .* than 9.8 KiB"):
        run(parse_recipe(tiny()), out=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("train", "pairs"), [({"batch_size": 1}, 2), ({"batch_size": 3, "accumulate": 3}, 6)]
)
@pytest.mark.parametrize(
    ("augment", "keys", "help"),
    [
        ({}, "augment.crop_size and augment.load_size", {"crop_size": 64, "load_size": 64}),
        ({"load_size": 70}, "augment.crop_size", {"crop_size": 64, "load_size": 70}),
    ],
)
def test_a_norm_of_one_value_a_channel_is_told_with_what_helps(
    train: dict[str, int], pairs: int, augment: dict[str, int], keys: str, help: dict[str, int]
) -> None:
    line = refused(generator=ENCODER, train=train, augment=augment)
    assert "a norm gets a single value per channel" in line
    assert line.endswith(f"set train.batch_size to {pairs} or {keys} to 64")
    inspect(parse_recipe(tiny(generator=ENCODER, train={**train, "batch_size": pairs})))
    inspect(parse_recipe(tiny(generator=ENCODER, train=train, augment=help)))


def test_check_exits_with_2_and_a_run_ends_before_its_first_step(
    write_recipe: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = write_recipe(generator=ENCODER, train={"batch_size": 1})
    for command in (["check", recipe], ["run", recipe, "--out", tmp_path / "run"]):
        called = CliRunner().invoke(program, [str(part) for part in command])
        assert isinstance(called.exception, RecipeError)
        assert called.exception.exit_code == 2
    assert not (tmp_path / "run").exists()


class NeedsValues(nn.Module):
    """A loss that can't be computed on the meta device."""

    def forward(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (output - target).abs().mean() * float(target.detach().max().item())


def test_a_component_that_needs_values_is_not_refused() -> None:
    recipe = parse_recipe(tiny(losses=[{"type": "l1"}]))
    assert dry_run(recipe, (3, 3), {"l1": NeedsValues()}) is None
