"""Contestants in separate processes that take turns.

Turns are short, so that other load on the machine affects all contestants equally. Each has its own
process, because settings of a process, such as malloc's, would also affect the others.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

REST = 0.02
"""Seconds between turns: threads of the previous contestant stay active for a short time."""

Turns = Callable[..., Iterator[float]]
"""What is measured: each `next` is a turn and returns the seconds that it waited for data."""


class Contestant:
    """A process that takes turns on request; leaving the context ends it.

    Args:
        turns: A function at the top level of a module, so that it can be pickled.
        arguments: Arguments of the function; they are pickled, too.
    """

    def __init__(self, turns: Turns, *arguments: Any) -> None:
        context = get_context("spawn")
        self._connection, other_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(other_end, turns, arguments))
        self._process.start()
        other_end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._process.join()

    def turn(self) -> tuple[float, float]:
        """Take a turn; return its seconds, and how many of them it waited for data."""
        time.sleep(REST)
        try:
            self._connection.send(None)
            taken: tuple[float, float] = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join()
            raise SystemExit(f"a contestant ended: {self._process.exitcode}") from error
        return taken


def in_turn(
    contestants: Mapping[str, tuple[Turns, Sequence[Any]]], rounds: int, dropped: int
) -> dict[str, list[tuple[float, float]]]:
    """Measure contestants in rounds; each round begins with another one.

    Args:
        contestants: The function and the arguments of each contestant, by name.
        rounds: Number of measured rounds.
        dropped: Number of rounds before them that don't count.

    Returns:
        By name, the results of `Contestant.turn` in the measured rounds.
    """
    names = list(contestants)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(Contestant(turns, *arguments))
            for name, (turns, arguments) in contestants.items()
        }
        for turn in range(dropped + rounds):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                taken[name].append(running[name].turn())
    return {name: values[dropped:] for name, values in taken.items()}


def _serve(connection: Connection, turns: Turns, arguments: Sequence[Any]) -> None:
    """Take a turn for each message, until the other end closes the connection."""
    iterator = turns(*arguments)
    with suppress(EOFError):
        while True:
            connection.recv()
            began = time.perf_counter()
            waited = next(iterator)
            connection.send((time.perf_counter() - began, waited))
