"""One run of a study in a process of its own: `python -m i2i.studies.job RUN`.

It goes on with the run in the folder RUN, whose recipe is there. Its standard input is a pipe that
nothing is ever written to: when the study that started it is gone, however that came about, the
pipe ends, and the run saves and stops as on SIGTERM.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from i2i.errors import I2IError
from i2i.recipe import load_run_recipe
from i2i.run_folder import RunFolder
from i2i.system.files import try_lock

GRACE = 120.0
"""Seconds that a run has for saving once nobody waits for it any more."""


def main(path: Path) -> int:
    """Go on with a run; its exit status."""
    threading.Thread(target=_end_with_the_study, daemon=True).start()
    with _alone_in(path):
        from i2i.runs.run import run
        from i2i.system.devices import choose_device
        from i2i.system.memory import keep_freed_memory

        try:
            recipe = load_run_recipe(RunFolder(path).recipe)
            keep_freed_memory(choose_device(recipe.train.device))
            return run(recipe, out=path, resume=True).status
        except I2IError as error:
            sys.stderr.write(f"Error: {error}\n")
            return error.exit_code


def _end_with_the_study() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(128 + signal.SIGTERM)


@contextmanager
def _alone_in(path: Path) -> Iterator[None]:
    """Wait until the run of a study that was killed has saved and let go of the folder."""
    with (path / ".lock").open("wb") as lock:
        while try_lock(lock.fileno()) is False:
            time.sleep(0.2)
        yield


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
