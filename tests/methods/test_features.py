"""Pix2Pix with a discriminator of several scales and losses on its features."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from i2i.batch import Batch
from i2i.errors import RecipeError
from i2i.methods.pix2pix import Pix2Pix
from i2i.model.file import read_model
from i2i.recipe import Recipe
from i2i.recipe.assemble import assemble_losses, assemble_method
from i2i.recipe.inspection import inspect
from i2i.runs.run import run
from i2i.training.checkpoint import newest
from i2i.training.engine import Engine
from i2i.training.trainer import Trainer

Recipes = Callable[..., Recipe]

SCALES = {"type": "multiscale", "receptive_field": 34, "base_channels": 4}
HD: dict[str, Any] = {
    "generator": {"type": "unet", "depth": 3, "base_channels": 4, "norm": "instance", "dropout": 0},
    "discriminator": SCALES,
    "losses": [
        {"type": "cgan", "objective": "lsgan", "scales": "sum"},
        {"type": "feature_matching", "weight": 40.0},
    ],
}
ORDERS = pytest.mark.parametrize("order", ["after", "before"])


def in_order(order: str, **sections: Any) -> dict[str, Any]:
    return {**HD, "method": {"type": "pix2pix", "adversarial_gradient": order}, **sections}


def trainer(recipe: Recipe) -> Trainer:
    method = assemble_method(recipe, (3, 3), assemble_losses(recipe))
    return Trainer(recipe, Engine("cpu", recipe.train.precision), method, steps_per_epoch=10)


def batch(n: int = 4, seed: int = 0) -> Batch:
    images = torch.rand(2, n, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return Batch(images[0], images[1], tuple(map(str, range(n))))


def no_files(batch: Batch) -> str:
    return ", ".join(batch.names)


@ORDERS
def test_the_losses_are_pix2pixhds(tiny_recipe: Recipes, order: str) -> None:
    method = trainer(tiny_recipe(**in_order(order))).method
    assert isinstance(method, Pix2Pix)
    pairs = batch()
    discriminator = method.networks["discriminator.cgan"]
    output = method.play(pairs)
    terms: dict[str, Tensor] = {}
    for movers in method.rounds:
        for own in method.losses(movers, pairs, output).values():
            terms |= own
    fake = discriminator(torch.cat([pairs.input, output], 1))
    real = discriminator(torch.cat([pairs.input, pairs.target], 1))
    squares = zip((own[-1] for own in fake), (own[-1] for own in real), strict=True)
    of_discriminator = sum(0.5 * (f.square().mean() + (r - 1).square().mean()) for f, r in squares)
    of_generator = sum((own[-1] - 1).square().mean() for own in fake)
    matching = sum(
        10 * 4 / (2 + 1) / 2 * (ours[j] - theirs[j].detach()).abs().mean()
        for ours, theirs in zip(fake, real, strict=True)
        for j in range(3)
    )
    assert isinstance(matching, Tensor)
    torch.testing.assert_close(terms["discriminator.cgan"], of_discriminator)
    torch.testing.assert_close(terms["cgan"], of_generator)
    torch.testing.assert_close(terms["feature_matching"], matching)
    weights = list(method.networks["generator"].parameters())
    for ours, theirs in zip(
        torch.autograd.grad(terms["feature_matching"], weights, retain_graph=True),
        torch.autograd.grad(matching, weights),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("order", "matching", "passes"),
    [("before", True, 2), ("before", False, 2), ("after", False, 3), ("after", True, 4)],
)
def test_features_need_no_pass_of_their_own_or_one_of_the_targets(
    tiny_recipe: Recipes, order: str, matching: bool, passes: int
) -> None:
    losses = HD["losses"] if matching else HD["losses"][:1]
    training = trainer(tiny_recipe(**in_order(order, losses=losses)))
    seen: list[int] = []
    first = training.method.networks["discriminator.cgan"].get_submodule("networks.0.0")
    first.register_forward_hook(lambda _, shown, __: seen.append(len(shown[0])))
    training.update(batch(4), no_files)
    assert sum(seen) == passes * 4


@ORDERS
def test_parts_change_nothing_but_the_memory(tiny_recipe: Recipes, order: str) -> None:
    outcomes = []
    for parts in (1, 2):
        training = trainer(
            tiny_recipe(**in_order(order, train={"accumulate": parts, "batch_size": 4}))
        )
        losses = [training.update(batch(seed=step), no_files) for step in range(3)]
        outcomes.append((training.model.state_dict(), losses[-1]))
    for name, tensor in outcomes[0][0].items():
        torch.testing.assert_close(tensor, outcomes[1][0][name], rtol=0, atol=2e-6)
    assert outcomes[0][1] == pytest.approx(outcomes[1][1], rel=1e-4)


@ORDERS
def test_it_trains_in_half_precision(tiny_recipe: Recipes, order: str) -> None:
    whole, half = (
        trainer(tiny_recipe(**in_order(order, train={"precision": precision})))
        for precision in (32, "bf16-mixed")
    )
    assert half.update(batch(), no_files) == pytest.approx(
        whole.update(batch(), no_files), rel=0.03
    )


def test_each_loss_on_features_looks_into_the_discriminator_that_it_names(
    tiny_recipe: Recipes,
) -> None:
    losses = [
        {"type": "cgan"},
        {"type": "gan", "discriminator": {**SCALES, "scales": 1}},
        {"type": "feature_matching", "adversarial": "gan"},
        {"type": "feature_matching", "adversarial": "cgan"},
    ]
    method = trainer(tiny_recipe(**HD | {"losses": losses})).method
    pairs = batch()
    terms = method.losses(("generator",), pairs, method.play(pairs))["generator"]
    assert list(terms) == ["cgan", "feature_matching_2", "gan", "feature_matching"]
    assert terms["feature_matching"] != terms["feature_matching_2"]


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        (
            {"losses": [{"type": "l1"}, {"type": "feature_matching"}]},
            "method 'pix2pix': the loss 'feature_matching' compares features of a discriminator: "
            "add an adversarial loss, such as 'cgan'",
        ),
        (
            {"losses": [{"type": "cgan"}, {"type": "gan"}, {"type": "feature_matching"}]},
            "set its key adversarial to one of 'cgan', 'gan'",
        ),
        (
            {"losses": [{"type": "gan"}, {"type": "feature_matching", "adversarial": "cgan"}]},
            "names the adversarial loss 'cgan', but there is only 'gan'",
        ),
        (
            {"discriminator": {"type": "patch", "receptive_field": 16}},
            "the loss FeatureMatching compares features of a discriminator, which gives only "
            'logits: set discriminator.type to one that gives features, such as "multiscale", or',
        ),
        (
            {"discriminator": {**SCALES, "scales": 3}},
            "discriminator 'multiscale': scale 3 of 3 judges 8x8 pixels of images of 32x32",
        ),
    ],
)
def test_what_can_t_work_is_told_in_a_line_by_the_check_and_before_the_first_step(
    tiny_recipe: Recipes, tmp_path: Path, sections: dict[str, Any], line: str
) -> None:
    recipe = tiny_recipe(**HD | sections)
    for attempt in (lambda: inspect(recipe), lambda: run(recipe, out=tmp_path / "r", quiet=True)):
        with pytest.raises(RecipeError) as caught:
            attempt()
        (told,) = caught.value.problems
        assert line in told
    assert not (tmp_path / "r" / "checkpoints").exists()


def test_the_check_shows_the_logits_of_every_scale(tiny_recipe: Recipes) -> None:
    lines = inspect(tiny_recipe(**HD))
    (line,) = [line for line in lines if line.split()[0] == "discriminator.cgan"]
    assert line.endswith("6x32x32 -> 1x11x11, 1x7x7")
    assert any("1 cgan + 40 feature_matching" in line for line in lines)


def weights(folder: Path) -> dict[str, Tensor]:
    found, _ = newest(folder / "checkpoints")
    assert found is not None
    assert found.step == 4
    return read_model(found.path / "model.safetensors")[0]


def test_a_resumed_run_gives_the_same_bits(tiny_recipe: Recipes, tmp_path: Path) -> None:
    quick = {"validation": {"every": 0}, "log": {"samples_every": 0}}
    for name, stops in (("whole", [4]), ("resumed", [2, 4])):
        for steps in stops:
            recipe = tiny_recipe(**HD, **quick, train={"max_steps": steps})
            run(recipe, out=tmp_path / name, resume=steps > stops[0], quiet=True)
    whole, resumed = weights(tmp_path / "whole"), weights(tmp_path / "resumed")
    assert all(torch.equal(tensor, resumed[name]) for name, tensor in whole.items())
