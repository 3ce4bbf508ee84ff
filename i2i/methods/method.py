"""What the training loop asks of a method."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from i2i.batch import Batch

Terms = dict[str, Tensor]
"""A player's losses by name, each a weighted scalar; their sum is minimised."""


class Method(ABC):
    """A game that networks play: which network sees what, and what each player minimises.

    Attributes:
        networks: Every network by name; the one called `generator` is the model that is kept.
        players: The names of each player's networks, by the player's name. A player has an
            optimizer of its own.
        rounds: In what order players move in one step. Players of one round move together: all
            their gradients are computed before any of them is updated.
    """

    networks: dict[str, nn.Module]
    players: Mapping[str, tuple[str, ...]]
    rounds: tuple[tuple[str, ...], ...]

    @abstractmethod
    def translate(self, batch: Batch) -> Tensor:
        """The generator's output for a batch, `(N, C, H, W)` in [−1, 1]."""

    @abstractmethod
    def losses(self, movers: tuple[str, ...], batch: Batch, output: Tensor) -> dict[str, Terms]:
        """The terms of each player of a round.

        Args:
            movers: The round, one of `rounds`.
            batch: The pairs.
            output: What `translate` gave for them, with its graph if the generator moves.
        """


def trained_parameters(method: Method) -> dict[str, list[nn.Parameter]]:
    """The parameters of each player that are trained: networks may have frozen ones."""
    return {
        player: [
            parameter
            for name in names
            for parameter in method.networks[name].parameters()
            if parameter.requires_grad
        ]
        for player, names in method.players.items()
    }
