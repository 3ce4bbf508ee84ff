"""The base class of training methods."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from i2i.batch import Batch
from i2i.datasets.dataset import Direction

Terms = dict[str, Tensor]
"""Losses of one player by name: weighted scalars, whose sum the player minimises."""

WeightedLosses = Mapping[str, tuple[nn.Module, float]]
"""Losses and their weights, by the label of the loss."""


class Method(ABC):
    """A training method: which networks there are, what each sees and which loss each minimises.

    A player is a network, or a group of networks, with its own optimizer. In every step the
    trainer goes through the rounds in order. In each round it calls `losses`, computes the
    gradients of all players of the round, and then updates them together.

    The constructor may have the parameters `networks` (`i2i.NetworkFactory`), `losses` (the
    recipe's losses and their weights, by label) and `seed` (the recipe's seed), which the run
    provides; all others are keys of `[method]`.

    After the construction, the trainer replaces every network in `networks` by a wrapped one: on
    the device, compiled, and with gradients averaged over the processes. So a method must look its
    networks up there whenever it calls them, and call them as functions.

    Attributes:
        networks: All networks by name; each belongs to exactly one player.
        players: The names of each player's networks, by the name of the player.
        rounds: The players of each round, in the order of the rounds.
        models: The networks that are saved as models and used for translation, and what each
            translates. `generator` is the default model and translates inputs to targets.
        paired: Whether the method needs pairs. If not, it gets inputs and targets that have
            nothing to do with each other.
        defaults: The method's own defaults, by section and key of a recipe, such as
            `{"discriminator": {"norm": "instance"}}`. Those of a component count if the recipe
            names no other type of it.
    """

    networks: dict[str, nn.Module]
    players: Mapping[str, tuple[str, ...]]
    rounds: tuple[tuple[str, ...], ...]
    models: Mapping[str, Direction] = {"generator": "forward"}
    paired: ClassVar[bool] = True
    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @abstractmethod
    def play(self, batch: Batch) -> Any:
        """Compute what the rounds of a step share, such as the generator's output.

        It is computed once for all rounds, with its autograd graph; only one round may compute
        gradients through it. With `train.accumulate`, it is computed again for a round that does,
        with the same random numbers.

        Returns:
            Tensors, in tuples, lists or dicts; only the method itself reads them.
        """

    @abstractmethod
    def losses(self, movers: tuple[str, ...], batch: Batch, played: Any) -> dict[str, Terms]:
        """The losses of each player of a round.

        Args:
            movers: The players of the round; one of `rounds`. The parameters of all other players
                are frozen during the call.
            batch: The images.
            played: The result of `play` for the batch.

        Returns:
            For every player of the round, its losses by name.
        """

    def state_dict(self) -> dict[str, Tensor]:
        """What the method has to remember beside its networks, such as a pool of images.

        It is stored in checkpoints by the first process, so it must be the same in all processes.
        """
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ValueError: If it doesn't fit.
        """
        if state:
            raise ValueError(f"the method has no state, but {', '.join(state)} was saved")


def trained_parameters(method: Method) -> dict[str, list[nn.Parameter]]:
    """The parameters of each player, without frozen ones (`requires_grad` is False)."""
    return {
        player: [
            parameter
            for name in names
            for parameter in method.networks[name].parameters()
            if parameter.requires_grad
        ]
        for player, names in method.players.items()
    }
