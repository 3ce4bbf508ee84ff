"""Folders that i2i itself wrote, whose images are no data to train on."""

from pathlib import Path

from i2i.run_folder import RunFolder


class Written:
    """Tells the folders below a data set that i2i wrote, and remembers them.

    Args:
        root: The folder of the data set. If it is also the folder of a run, the run's own parts are
            left out.

    Attributes:
        found: The folders that were left out.
    """

    def __init__(self, root: Path) -> None:
        run = RunFolder(root)
        parts = (run.samples, run.checkpoints, run.evaluation, run.tensorboard)
        self._own = set(parts) if _is_run(root) else set()
        self.found: set[Path] = set()

    def __call__(self, path: Path) -> bool:
        """Whether a path is such a folder."""
        is_it = path.is_dir() and (
            path in self._own or _is_run(path) or _is_study(path) or _is_translation(path)
        )
        if is_it:
            self.found.add(path)
        return is_it


def _is_run(folder: Path) -> bool:
    run = RunFolder(folder)
    return run.recipe.is_file() and (
        run.environment.is_file() or run.metrics.is_file() or run.checkpoints.is_dir()
    )


def _is_study(folder: Path) -> bool:
    return (folder / "records").is_dir() and any(
        (folder / name).is_file() for name in ("study.json", ".lock")
    )


def _is_translation(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("translation.json", ".translation.journal"))
