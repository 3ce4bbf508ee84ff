"""What `i2i eval` does: a run or a folder of images, measured."""

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
"""What is measured of folders where nobody says: what needs no pairs."""


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Args:
        document: What `metrics.json` holds; see `docs/metrics.md`.
        path: That file; None if it couldn't be written into the folder of images.
        asked: The metrics that were asked for.
    """

    document: dict[str, Any]
    path: Path | None
    asked: tuple[str, ...]

    @property
    def metrics(self) -> dict[str, float | None]:
        """Values by the text that asked for each; None for what is unavailable."""
        return {text: self.document["metrics"][text] for text in self.asked}

    @property
    def unavailable(self) -> dict[str, str]:
        """Why metrics that were asked for have no value."""
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
    """Measure a run, or images in a folder against those in another.

    A run's test split is translated as its own recipe says and compared with its targets; what is
    found goes into the run's `evaluation/metrics.json` and report. For a folder, `metrics.json` is
    written into it, if that can be.

    Args:
        target: A run's folder, or a folder of images.
        metrics: As recipes name them, such as `fid` or `fid:preset=tf1`; by default those of the
            run's recipe, and `fid` and `kid` for folders.
        against: The folder that a folder is compared with.
        inputs: For folders: what outputs were made from, for metrics that see it.
        out: Another file than `metrics.json` in the folder.
        on_bad: Whether images that can't be read are an error or left out and counted.
        mixed_formats: Whether JPEG files may be compared with lossless ones.
        device: `auto`, or a device of torch's.

    Raises:
        I2IError: One of its kinds, for whatever a user can mend. A metric that is unavailable
            raises nothing here: its value is None and its details say why.
    """
    target = Path(target)
    found = [str(p) for text in metrics for p in metric_problems(text, "--metric")]
    if found:
        raise RecipeError(found)
    if RunFolder(target).recipe.is_file():
        if against is not None or inputs is not None:
            raise I2IError(
                f"{target} is a run, whose outputs are compared with its own targets; to compare "
                f"images, name the folder {RunFolder(target).evaluation / 'images'}"
            )
        return _evaluate_run(RunFolder(target), metrics, out, device)
    if not target.is_dir():
        raise I2IError(f"{target}: there is no such run or folder")
    if against is None:
        raise I2IError(
            f"{target} is a folder of images (it has no recipe.toml): say what to compare them "
            "with, --against FOLDER"
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
    """The run in a folder of runs whose newest checkpoint is the newest.

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
    # The page's plots are half a second to import, which folders do without.
    from i2i.report import write_report

    write_report(folder)
    path = folder.evaluation / "metrics.json"
    if out is not None:
        write_document(document, out)
        path = out
    return Evaluation(document, path, asked)
