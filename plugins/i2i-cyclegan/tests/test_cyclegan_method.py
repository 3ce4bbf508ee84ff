"""A step of the method: its losses and its moves, against the same written out by hand."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import i2i
from i2i.errors import RecipeError
from i2i.recipe.assemble import assemble_dataset, assemble_losses, assemble_method
from i2i.training.engine import Engine
from i2i.training.trainer import Trainer

Recipes = Callable[..., i2i.Recipe]


def trainer(recipe: i2i.Recipe) -> Trainer:
    method = assemble_method(recipe, (3, 3), assemble_losses(recipe))
    return Trainer(recipe, Engine("cpu"), method, steps_per_epoch=10)


EPS = 1e-2
"""Adam's. Less would enlarge the rounding errors of biases before a norm, which have no effect."""


def batch(n: int = 1, seed: int = 0) -> i2i.Batch:
    images = torch.rand(2, n, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    names = tuple(map(str, range(n)))
    return i2i.Batch(images[0], images[1], names, names)


def by_hand(method: i2i.Method, images: i2i.Batch) -> dict[str, float]:
    """One step of CycleGAN in plain torch; returns its losses."""
    g, f, d_target, d_input = method.networks.values()
    adam_g, adam_d = (
        torch.optim.Adam([*a.parameters(), *b.parameters()], 2e-4, (0.5, 0.999), eps=EPS)
        for a, b in ((g, f), (d_target, d_input))
    )
    x, y = images.input, images.target
    fake_y, fake_x = g(x), f(y)

    def judged(logits: torch.Tensor, label: float) -> torch.Tensor:
        return F.mse_loss(logits, torch.full_like(logits, label))

    terms = {
        "gan.target": judged(d_target(fake_y), 1),
        "gan.input": judged(d_input(fake_x), 1),
        "cycle.input": 10 * F.l1_loss(f(fake_y), x),
        "cycle.target": 10 * F.l1_loss(g(fake_x), y),
        "identity.target": 5 * F.l1_loss(g(y), y),
        "identity.input": 5 * F.l1_loss(f(x), x),
    }
    sum(terms.values(), torch.zeros(())).backward()
    adam_g.step()
    adam_d.zero_grad()
    for name, network, real, fake in (
        ("target", d_target, y, fake_y),
        ("input", d_input, x, fake_x),
    ):
        loss = 0.5 * (judged(network(real), 1) + judged(network(fake.detach()), 0))
        terms[f"discriminator.{name}"] = loss
        loss.backward()
    adam_d.step()
    return {name: term.item() for name, term in terms.items()}


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_a_step_is_the_one_written_out_by_hand(tiny_recipe: Recipes, n: int, norm: str) -> None:
    networks = {
        "generator": {"norm": norm},
        "discriminator": {"norm": "batch" if norm == "batch" else "plain_instance"},
        "optimizer": {"eps": EPS},
    }
    ours, plain = trainer(tiny_recipe(**networks)), trainer(tiny_recipe(**networks))
    losses = ours.update(batch(n), lambda _: "")
    assert losses == pytest.approx(by_hand(plain.method, batch(n)), abs=1e-6)
    for name, network in ours.method.networks.items():
        expected = dict(plain.method.networks[name].named_parameters())
        for key, weight in network.named_parameters():
            torch.testing.assert_close(weight, expected[key], rtol=0, atol=2e-6)


def test_discriminators_also_see_earlier_outputs(tiny_recipe: Recipes) -> None:
    training = trainer(tiny_recipe(method={"pool_size": 1}))
    for step in range(8):
        training.update(batch(seed=step), lambda _: "")
    state = training.method.state_dict()
    assert state["target.seen"] == 8
    assert len(state["target.images"]) == 1


def test_parts_of_a_batch_give_the_gradients_of_the_whole(tiny_recipe: Recipes) -> None:
    outcomes = []
    for parts in (1, 2):
        training = trainer(tiny_recipe(train={"batch_size": 4, "accumulate": parts}))
        losses = [training.update(batch(4, seed=step), lambda _: "") for step in range(3)]
        outcomes.append(losses[-1])
    assert outcomes[0] == pytest.approx(outcomes[1], rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"losses": [{"type": "cgan"}]}, "one adversarial loss without a condition"),
        ({"losses": [{"type": "gan"}, {"type": "l1"}]}, "not gan, l1"),
        ({"method": {"cycle_weight": 0.0}}, "method.cycle_weight: must be above 0"),
        ({"data": {"paired": True}}, "set data.paired = false"),
        ({"optimizer": {"critic": {"lr": 1e-3}}}, "Known: generator, discriminator"),
    ],
)
def test_what_does_not_fit_is_told(
    tiny_recipe: Recipes, changes: dict[str, Any], words: str
) -> None:
    def assembled() -> None:
        recipe = tiny_recipe(**changes)
        assemble_dataset(recipe)
        assemble_method(recipe, (3, 3), assemble_losses(recipe))

    with pytest.raises(RecipeError, match=words):
        assembled()


def test_images_of_other_channels_have_no_identity_loss(tiny_recipe: Recipes) -> None:
    recipe = tiny_recipe()
    with pytest.raises(RecipeError, match=r"equal channels, not 1 and 3.*identity_weight = 0"):
        assemble_method(recipe, (1, 3), assemble_losses(recipe))
    without = tiny_recipe(method={"identity_weight": 0.0})
    method = assemble_method(without, (1, 3), assemble_losses(without))
    assert method.networks["inverse"](torch.rand(1, 3, 32, 32)).shape == (1, 1, 32, 32)


def test_a_player_has_a_learning_rate_of_its_own(tiny_recipe: Recipes) -> None:
    training = trainer(tiny_recipe(optimizer={"discriminator": {"lr": 1e-3}}))
    training.update(batch(), lambda _: "")
    rates = {name: o.param_groups[0]["lr"] for name, o in training.optimizers.items()}
    assert rates == pytest.approx({"generator": 2e-4, "discriminator": 1e-3})
