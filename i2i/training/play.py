"""What a method computes once in a step, for a batch that is computed in several parts."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from torch import Tensor

from i2i.batch import Batch
from i2i.methods.method import Method


class Play:
    """Calls `Method.play` for the parts of a batch, without keeping their autograd graphs.

    All graphs together would use the memory that `train.accumulate` is meant to save. So a part is
    played again in a round whose players need gradients through it. In all other rounds, its first
    result is used, which no update has changed since.

    Args:
        method: The method.
    """

    def __init__(self, method: Method) -> None:
        self._method = method
        self._graphless: set[tuple[str, ...]] = set()

    def part(
        self,
        players: tuple[str, ...],
        part: Batch,
        earlier: Any,
        frozen: AbstractContextManager[None],
    ) -> Any:
        """Play a part of the batch for a round.

        Args:
            players: The players of the round.
            part: The images.
            earlier: The result of an earlier round, without graphs; None if there is none.
            frozen: A context in which the other players are frozen.
        """
        if earlier is not None and players in self._graphless:
            return earlier
        with frozen:
            played = self._method.play(part)
        if any(tensor.requires_grad for tensor in _tensors(played)):
            return played
        self._graphless.add(players)
        return played if earlier is None else earlier


def detached(played: Any) -> Any:
    """The same tensors, in the same tuples, lists and dicts, without autograd graphs."""
    match played:
        case Tensor():
            return played.detach()
        case dict():
            return {key: detached(value) for key, value in played.items()}
        case list():
            return [detached(value) for value in played]
        case tuple() if hasattr(played, "_make"):  # a NamedTuple
            return played._make(map(detached, played))
        case tuple():
            return tuple(map(detached, played))
    return played


def _tensors(played: Any) -> Iterator[Tensor]:
    match played:
        case Tensor():
            yield played
        case dict():
            yield from (tensor for value in played.values() for tensor in _tensors(value))
        case list() | tuple():
            yield from (tensor for value in played for tensor in _tensors(value))
