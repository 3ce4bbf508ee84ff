"""One run of a study in a process of its own: `python -m i2i.studies.job RUN [--overwrite]`.

It starts or resumes the run in the folder RUN, which contains the study's recipe for it in a file
of its own, or replaces a run of another recipe. Its standard input is a pipe from the study's
process, which never writes to it. When that process ends for any reason, the pipe closes, and the
run saves and stops as on SIGTERM.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from i2i.errors import I2IError
from i2i.recipe import load_run_recipe
from i2i.run_folder import RunFolder

GRACE = 120.0
"""Seconds that a run has for saving after the study's process has ended."""


RECIPE = ".recipe.toml"
"""The study's recipe for a run; `recipe.toml` may still be that of the run to replace."""


def main(path: Path, *, overwrite: bool) -> int:
    """Start, resume or replace a run and return its exit status."""
    threading.Thread(target=_end_with_the_study, daemon=True).start()
    from i2i.runs.run import run
    from i2i.system.devices import choose_device
    from i2i.system.memory import keep_freed_memory

    try:
        recipe = load_run_recipe(path / RECIPE)
        keep_freed_memory(choose_device(recipe.train.device))
        resume = RunFolder(path).recipe.exists() and not overwrite
        # If an earlier study was killed, its process may still be saving this run: wait.
        return run(recipe, out=path, resume=resume, overwrite=overwrite, wait=True).status
    except I2IError as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_code


def _end_with_the_study() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), overwrite="--overwrite" in sys.argv[2:]))
