"""A method that breaks the contract is refused in a line that names it, before the first step."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2i.batch import Batch
from i2i.errors import I2IError
from i2i.methods.method import Method, Terms, WeightedLosses
from i2i.methods.networks import NetworkFactory
from i2i.plugins.manager import registry
from i2i.plugins.registry import Entry
from i2i.recipe import Recipe
from i2i.recipe.inspection import inspect
from i2i.runs.run import run

Recipes = Callable[..., Recipe]


class Regression(Method):
    """One generator, trained with the recipe's losses."""

    def __init__(self, networks: NetworkFactory, losses: WeightedLosses) -> None:
        self.networks = {"generator": networks.generator()}
        self.players: Mapping[str, tuple[str, ...]] = {"generator": ("generator",)}
        self.rounds: tuple[tuple[str, ...], ...] = (("generator",),)
        self.recipe_losses = losses

    def play(self, batch: Batch) -> Tensor:
        output: Tensor = self.networks["generator"](batch.input)
        return output

    def losses(self, movers: tuple[str, ...], batch: Batch, played: Any) -> dict[str, Terms]:
        return {
            "generator": {
                label: weight * loss(played, batch.target)
                for label, (loss, weight) in self.recipe_losses.items()
            }
        }


class Spare(Regression):
    def __init__(self, networks: NetworkFactory, losses: WeightedLosses) -> None:
        super().__init__(networks, losses)
        self.networks["spare"] = networks.build("spare", lambda: nn.Conv2d(3, 3, 1))


class Shared(Regression):
    def __init__(self, networks: NetworkFactory, losses: WeightedLosses) -> None:
        super().__init__(networks, losses)
        self.players = {"one": ("generator",), "two": ("generator",)}
        self.rounds = (("one",), ("two",))


class Absent(Regression):
    def __init__(self, networks: NetworkFactory, losses: WeightedLosses) -> None:
        super().__init__(networks, losses)
        self.players = {"generator": ("generator", "encoder")}


class Twice(Regression):
    def __init__(self, networks: NetworkFactory, losses: WeightedLosses) -> None:
        super().__init__(networks, losses)
        self.rounds = (("generator", "generator"),)


class Idle(Regression):
    def __init__(self, networks: NetworkFactory, losses: WeightedLosses) -> None:
        super().__init__(networks, losses)
        self.rounds = ()


class Stranger(Regression):
    def __init__(self, networks: NetworkFactory, losses: WeightedLosses) -> None:
        super().__init__(networks, losses)
        self.rounds = (("generator",), ("critic",))


class Modelless(Regression):
    models: Mapping[str, Any] = {"other": "forward"}


class BadName(Regression):
    models: Mapping[str, Any] = {"generator": "forward", "../out": "backward"}


class Silent(Regression):
    def losses(self, movers: tuple[str, ...], batch: Batch, played: Any) -> dict[str, Terms]:
        return {"generator": {}}


class Map(Regression):
    def losses(self, movers: tuple[str, ...], batch: Batch, played: Any) -> dict[str, Terms]:
        return {"generator": {"l1": (played - batch.target).abs()}}


class Listed(Regression):
    def state_dict(self) -> dict[str, Any]:
        return {"pool": [1, 2, 3]}


class Unknown(Regression):
    def __init__(self, networks: NetworkFactory, losses: WeightedLosses) -> None:
        super().__init__(networks, losses)
        networks.discriminator("discriminator", loss="perceptual")


@pytest.fixture
def of(monkeypatch: pytest.MonkeyPatch, tiny_recipe: Recipes) -> Callable[..., Recipe]:
    """A recipe with a method, registered by a plugin of the name i2i-broken."""

    def recipe(method: type[Method], **sections: Any) -> Recipe:
        entry = Entry("method", "broken", method, "", "i2i-broken")
        monkeypatch.setitem(registry().entries["method"], "broken", entry)
        return tiny_recipe(method={"type": "broken"}, losses=[{"type": "l1"}], **sections)

    return recipe


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (Spare, "the network 'spare' belongs to no player"),
        (Shared, "the network 'generator' belongs to 2 players"),
        (Absent, "players name the network 'encoder', which isn't in networks"),
        (Twice, "a round names the player 'generator' 2 times"),
        (Idle, "the player 'generator' is in no round"),
        (Stranger, "rounds name the player 'critic', which isn't in players"),
        (Modelless, "models must have 'generator': 'forward'"),
        (BadName, "the model '../out' names files"),
        (Silent, "has no terms for the player 'generator'"),
        (Map, r"the term 'l1' of 'generator' must be a scalar tensor, not shape \(2, 3, 32, 32\)"),
        (Listed, r"must have plain tensors by name; 'pool' is \[1, 2, 3\]"),
        (Unknown, "no loss has the label 'perceptual'"),
    ],
)
def test_a_broken_method_is_refused_before_the_first_step(
    of: Callable[..., Recipe], tmp_path: Path, method: type[Method], words: str
) -> None:
    recipe = of(method)
    for use in (lambda: inspect(recipe), lambda: run(recipe, out=tmp_path / "run", quiet=True)):
        with pytest.raises(I2IError, match=words) as raised:
            use()
        assert "method 'broken'" in str(raised.value)
    assert not (tmp_path / "run" / "checkpoints").exists()


class Plain:
    """A class that isn't derived from `Method`."""


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Plain, "method 'broken' of i2i-broken: is no subclass of i2i.Method"),
        ("nowhere.at_all:Method", "method 'broken' of i2i-broken can't be loaded"),
    ],
)
def test_what_is_no_method_at_all_is_told(
    monkeypatch: pytest.MonkeyPatch, tiny_recipe: Recipes, target: type | str, words: str
) -> None:
    entry = Entry("method", "broken", target, "", "i2i-broken")
    monkeypatch.setitem(registry().entries["method"], "broken", entry)
    with pytest.raises(I2IError, match=words):
        inspect(tiny_recipe(method={"type": "broken"}))


def test_a_method_that_can_t_be_loaded_hides_no_other_mistake(
    monkeypatch: pytest.MonkeyPatch, tiny_recipe: Recipes
) -> None:
    entry = Entry("method", "broken", "nowhere.at_all:Method", "", "i2i-broken")
    monkeypatch.setitem(registry().entries["method"], "broken", entry)
    with pytest.raises(I2IError) as raised:
        tiny_recipe(method={"type": "broken"}, train={"batch_size": -1})
    assert "method.type: method 'broken'" in str(raised.value)
    assert "train.batch_size" in str(raised.value)


def test_a_small_method_trains(of: Callable[..., Recipe], tmp_path: Path) -> None:
    done = run(of(Regression), out=tmp_path / "run", quiet=True)
    assert done.status == 0


def test_networks_have_weights_of_their_own_names(tiny_recipe: Recipes) -> None:
    from i2i.recipe.networks import RecipeNetworks

    networks = RecipeNetworks(tiny_recipe(), 3, 3)
    first = networks.build("a", lambda: nn.Linear(4, 4)).weight
    networks.generator()
    again = networks.build("a", lambda: nn.Linear(4, 4)).weight
    other = networks.build("b", lambda: nn.Linear(4, 4)).weight
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
