"""Work done in threads before its results are asked for."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(
    function: Callable[[Item], Result], items: Iterable[Item], *, count: int, workers: int = 2
) -> Iterator[Result]:
    """The function's results in the items' order, computed in threads.

    Args:
        function: What is done with each item.
        items: Taken in the caller's thread, as far as results are computed.
        count: How many results are computed, or being computed, before the first is asked for.
        workers: Threads.

    Raises:
        Whatever the function or the items raise; what has not begun by then is given up.
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
