"""The base class of training methods."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from i2i.batch import Batch

Terms = dict[str, Tensor]
"""Losses of one player by name: weighted scalars, whose sum the player minimises."""


class Method(ABC):
    """A training method: which networks there are, what each sees and which loss each minimises.

    A player is a network, or a group of networks, with its own optimizer. In every step the
    trainer goes through the rounds in order. In each round it calls `losses`, computes the
    gradients of all players of the round, and then updates them together.

    Attributes:
        networks: All networks by name. `generator` is the model that is saved and used.
        players: The names of each player's networks, by the name of the player.
        rounds: The players of each round, in the order of the rounds.
    """

    networks: dict[str, nn.Module]
    players: Mapping[str, tuple[str, ...]]
    rounds: tuple[tuple[str, ...], ...]

    @abstractmethod
    def translate(self, batch: Batch) -> Tensor:
        """The generator's output for a batch, `(N, C, H, W)` in [−1, 1]."""

    @abstractmethod
    def losses(self, movers: tuple[str, ...], batch: Batch, output: Tensor) -> dict[str, Terms]:
        """The losses of each player of a round.

        Args:
            movers: The players of the round; one of `rounds`.
            batch: The pairs.
            output: The result of `translate` for the batch. If `generator` is one of `movers`, it
                has its autograd graph.

        Returns:
            For every player of the round, its losses by name.
        """


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
