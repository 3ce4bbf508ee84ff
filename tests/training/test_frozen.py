"""Parameters that a network freezes when it is built stay as they are, and trouble nobody."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from i2i.errors import RecipeError
from i2i.generators.unet import UNet
from i2i.model.inference import TestSettings, translate
from i2i.plugins.manager import registry
from i2i.plugins.registry import Entry
from i2i.recipe import Recipe
from tests.training.test_trainer import batch, no_files, trainer

Recipes = Callable[..., Recipe]
GAME = [{"type": "cgan"}, {"type": "l1", "weight": 100.0}]


class HalfFrozen(UNet):
    """A U-Net whose encoder, say a pretrained one, isn't trained; nor are its statistics."""

    def __init__(self, in_channels: int, out_channels: int, image_size: tuple[int, int]) -> None:
        super().__init__(in_channels, out_channels, image_size, depth=3, base_channels=4)
        self.encoder.requires_grad_(False)
        self.encoder.eval()


class AllFrozen(HalfFrozen):
    """Nothing of it is trained."""

    def __init__(self, in_channels: int, out_channels: int, image_size: tuple[int, int]) -> None:
        super().__init__(in_channels, out_channels, image_size)
        self.requires_grad_(False)


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in (("half_frozen", HalfFrozen), ("all_frozen", AllFrozen)):
        entry = Entry("generator", name, kind, "", "tests")
        monkeypatch.setitem(registry().entries["generator"], name, entry)


def values(module: nn.Module) -> list[torch.Tensor]:
    return [tensor.clone() for tensor in module.state_dict().values()]


@pytest.mark.parametrize("losses", [GAME, [{"type": "l1"}]], ids=["cgan and l1", "l1 alone"])
@pytest.mark.parametrize("changes", [{}, {"train": {"ema": 0.9, "accumulate": 2, "batch_size": 4}}])
def test_frozen_parameters_never_change_and_the_others_are_trained(
    tiny_recipe: Recipes, losses: list[dict[str, Any]], changes: dict[str, Any]
) -> None:
    training = trainer(tiny_recipe(generator={"type": "half_frozen"}, losses=losses, **changes))
    generator = training.models.trained["generator"]
    assert isinstance(generator, HalfFrozen)
    encoder, decoder = values(generator.encoder), values(generator.decoder)
    for step in range(4):
        training.update(batch(seed=step), no_files)
        translate(training.model, batch().input, TestSettings())
    assert all(map(torch.equal, encoder, values(generator.encoder)))
    assert not any(map(torch.equal, decoder, values(generator.decoder)))
    assert not any(p.requires_grad for p in generator.encoder.parameters())
    assert all(p.requires_grad for p in generator.decoder.parameters())


def test_a_frozen_discriminator_layer_stays_as_it_is(tiny_recipe: Recipes) -> None:
    training = trainer(
        tiny_recipe(),
        frozen=lambda networks: next(networks["discriminator.cgan"].parameters()),
    )
    discriminator = training.method.networks["discriminator.cgan"]
    first, *others = values(discriminator)
    for step in range(3):
        training.update(batch(seed=step), no_files)
    assert torch.equal(first, values(discriminator)[0])
    assert not all(map(torch.equal, others, values(discriminator)[1:]))


def test_a_network_with_nothing_to_train_is_refused(tiny_recipe: Recipes) -> None:
    with pytest.raises(RecipeError, match="generator: has no parameters to train"):
        trainer(tiny_recipe(generator={"type": "all_frozen"}))


def test_using_a_network_leaves_each_module_in_its_own_mode(tiny_recipe: Recipes) -> None:
    generator = HalfFrozen(3, 3, (32, 32))
    before = [module.training for module in generator.modules()]
    assert True in before
    assert False in before
    translate(generator, batch().input, TestSettings())
    assert [module.training for module in generator.modules()] == before
