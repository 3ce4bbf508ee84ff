"""Evaluation of a run, or of a folder of images against another (`i2i eval`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from i2i.datasets.decoded import decode
from i2i.errors import DataError, I2IError, RecipeError
from i2i.evaluation.folders import evaluate_folders
from i2i.evaluation.results import write_document
from i2i.evaluation.split import evaluate_split
from i2i.model.file import load_model
from i2i.recipe import load_run_recipe, metric_problems
from i2i.recipe.assemble import assemble_dataset, assemble_generator
from i2i.run_folder import RunFolder
from i2i.system.devices import choose_device
from i2i.training import checkpoint as checkpoints

FOLDER_METRICS = ("fid", "kid")
"""Default metrics for folders: those that need no pairs."""


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Args:
        document: The content of `metrics.json`; see `docs/metrics.md`.
        path: The file that was written; None if the folder of images is not writable.
        asked: The requested metrics.
    """

    document: dict[str, Any]
    path: Path | None
    asked: tuple[str, ...]

    @property
    def metrics(self) -> dict[str, float | None]:
        """Values by requested metric, such as `fid:preset=tf1`; None for unavailable ones."""
        return {text: self.document["metrics"][text] for text in self.asked}

    @property
    def unavailable(self) -> dict[str, str]:
        """Reasons by metric, for the requested metrics that have no value."""
        details = {text: self.document["details"][text] for text in self.asked}
        return {t: each["unavailable"] for t, each in details.items() if "unavailable" in each}


def evaluate(
    target: Path | str,
    metrics: Sequence[str] = (),
    *,
    against: Path | str | None = None,
    inputs: Path | str | None = None,
    out: Path | None = None,
    on_bad: Literal["error", "skip"] = "error",
    mixed_formats: bool = False,
    device: str = "auto",
) -> Evaluation:
    """Measure a run, or the images of a folder against those of another.

    For a run, the test split is translated with the settings of the run's recipe and compared with
    the targets; the results are written to the run's `evaluation/metrics.json` and report. For a
    folder, they are written to its `metrics.json`, if the folder is writable.

    Args:
        target: A run's folder, or a folder of images.
        metrics: Metrics as in recipes, such as `fid` or `fid:preset=tf1`. By default those of the
            run's recipe, or `fid` and `kid` for folders.
        against: For a folder: the folder to compare it with.
        inputs: For a folder: the folder of inputs, for metrics that need them.
        out: Write the results to this file instead of `metrics.json`.
        on_bad: For folders: images that can't be read raise an error, or are skipped and counted.
        mixed_formats: For folders: allow JPEG files to be compared with lossless ones.
        device: `auto`, or a torch device.

    Raises:
        I2IError: A subclass of it, for every error that the user can fix. An unavailable metric
            raises nothing: its value is None, and its details have the reason.
    """
    target = Path(target)
    found = [str(p) for text in metrics for p in metric_problems(text, "--metric")]
    if found:
        raise RecipeError(found)
    if RunFolder(target).recipe.is_file():
        if against is not None or inputs is not None:
            raise I2IError(
                f"{target} is a run: its outputs are always compared with its targets. To compare "
                f"images, give the folder {RunFolder(target).evaluation / 'images'}"
            )
        return _evaluate_run(RunFolder(target), metrics, out, device)
    if not target.is_dir():
        raise I2IError(f"{target}: there is no such run or folder")
    if against is None:
        raise I2IError(
            f"{target} is a folder of images (it has no recipe.toml): give the folder to compare "
            "it with, --against FOLDER"
        )
    asked = tuple(metrics) or FOLDER_METRICS
    document = evaluate_folders(
        target,
        Path(against),
        metrics=asked,
        inputs=Path(inputs) if inputs is not None else None,
        on_bad=on_bad,
        mixed_formats=mixed_formats,
        device=choose_device(device),
    )
    written = out or target / "metrics.json"
    path: Path | None = written
    try:
        write_document(document, written)
    except OSError as error:
        if out is not None:
            raise I2IError(f"{out}: can't be written: {error.strerror}") from error
        path = None
    return Evaluation(document, path, asked)


def newest_run(runs: Path = Path("runs")) -> Path:
    """The run with the most recent checkpoint in a folder of runs.

    Raises:
        I2IError: If there is no run with a checkpoint.
    """
    saved = {
        max(file.stat().st_mtime for file in manifests): folder
        for folder in (runs.iterdir() if runs.is_dir() else ())
        if (manifests := list(folder.glob(f"checkpoints/step-*/{checkpoints.MANIFEST}")))
    }
    if not saved:
        raise I2IError(
            f"there is no trained run under {runs}: train one (i2i run RECIPE), or name a run or a "
            "folder of images"
        )
    return saved[max(saved)]


def _evaluate_run(
    folder: RunFolder, metrics: Sequence[str], out: Path | None, device_name: str
) -> Evaluation:
    recipe = load_run_recipe(folder.recipe)
    checkpoint, _ = checkpoints.to_use(folder.checkpoints, recipe.eval.weights)
    dataset = assemble_dataset(recipe)
    pairs = decode(dataset, "test", recipe.augment.crop, on_bad=recipe.data.on_bad)
    if not pairs.names:
        raise DataError([f"{folder.path}: its data has no test split to translate"])
    device = choose_device(device_name)
    generator = assemble_generator(
        recipe, dataset.input_channels, dataset.target_channels, trained=True
    )
    load_model(checkpoint.path / checkpoints.MODEL, generator)
    asked = tuple(metrics) or recipe.eval.metrics
    document = evaluate_split(
        generator.to(device).eval(),
        pairs,
        recipe,
        device,
        folder.evaluation,
        metrics=asked,
        split="test",
        step=checkpoint.step,
    )
    # Imported here: matplotlib takes half a second to import, and folders need no report.
    from i2i.report import write_report

    write_report(folder)
    path = folder.evaluation / "metrics.json"
    if out is not None:
        write_document(document, out)
        path = out
    return Evaluation(document, path, asked)
