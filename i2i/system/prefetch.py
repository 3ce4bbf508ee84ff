"""Computes results in threads before they are needed."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(
    function: Callable[[Item], Result], items: Iterable[Item], *, count: int, workers: int = 2
) -> Iterator[Result]:
    """Call the function on each item in threads, and yield the results in the items' order.

    Args:
        function: Called with one item.
        items: Read in the caller's thread, and only as far ahead as `count` allows.
        count: Number of items that are submitted before the first result is yielded.
        workers: Number of threads.

    Raises:
        Anything that the function or the items raise; work that has not started is cancelled.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
