"""What lies in the run of a model file. The data that the run's recipe names is never opened."""

from pathlib import Path

from i2i.evaluation.samples import INPUT, TARGET
from i2i.images.sheets import spread
from i2i.run_folder import RunFolder
from i2i.training.checkpoint import model_name


def run_of(model: Path) -> RunFolder | None:
    """The run that contains the model file as a checkpoint; None for a file outside runs."""
    checkpoints = model.resolve().parent.parent
    run = RunFolder(checkpoints.parent)
    return run if checkpoints == run.checkpoints and run.recipe.is_file() else None


def samples_of(model: Path, count: int) -> list[tuple[Path, Path | None]]:
    """Up to `count` images of the test split that the model's run wrote as samples.

    Returns:
        Files of inputs and of their targets (None without pairs), 8-bit RGB. None of them is a link
        to a file elsewhere: a run may come from a stranger. Empty if the model is in no run, or its
        run has no samples.
    """
    run = run_of(model)
    if run is None:
        return []
    samples = run.of(model_name(model)).evaluation / "samples"
    paired = (samples / TARGET).is_dir()
    pairs = [
        (file, samples / TARGET / file.relative_to(samples / INPUT) if paired else None)
        for file in sorted((samples / INPUT).rglob("*.png"))
    ]
    own = [pair for pair in pairs if all(is_in(run.path, file) for file in pair if file)]
    return [own[i] for i in spread(len(own), count)]


def is_in(folder: Path, file: Path) -> bool:
    """Whether there is such a file in the folder, and not only a link to one elsewhere."""
    return file.is_file() and file.resolve().is_relative_to(folder.resolve())
