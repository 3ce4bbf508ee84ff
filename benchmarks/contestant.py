"""Contestants in processes of their own that take turns.

Turns are short, so that all have the same share of whatever else the machine does. Each has its own
process, because what one sets for its process, such as how memory is kept, would help the others.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

REST = 0.02
"""Seconds between turns: for a while the threads of the one before still look for work."""

Turns = Callable[..., Iterator[float]]
"""What is measured: every `next` is a turn, and gives the seconds that it waited for data."""


class Contestant:
    """A process that takes a turn when it is told to; a context that ends it.

    Args:
        turns: A function of a module.
        arguments: For the function; they are pickled.
    """

    def __init__(self, turns: Turns, *arguments: Any) -> None:
        context = get_context("spawn")
        self._connection, its = context.Pipe()
        self._process = context.Process(target=_serve, args=(its, turns, arguments))
        self._process.start()
        its.close()

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
        """Have it take a turn: the seconds it took, and those of them that it waited for data."""
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
    """What `Contestant.turn` gives, of each in every round; in every round another one begins.

    Args:
        contestants: Each one's function and arguments.
        rounds: How often each is measured.
        dropped: Rounds before that, which don't count.
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
    """Take turns until the other end is closed."""
    iterator = turns(*arguments)
    with suppress(EOFError):
        while True:
            connection.recv()
            began = time.perf_counter()
            waited = next(iterator)
            connection.send((time.perf_counter() - began, waited))
