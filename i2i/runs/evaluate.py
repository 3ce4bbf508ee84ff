"""Evaluation of a run, or of a folder of images against another (`i2i eval`)."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from torch import nn

from i2i.errors import CheckpointError, DataError, I2IError, RecipeError
from i2i.evaluation.folders import evaluate_folders
from i2i.evaluation.reading import AS_COLOUR, Reading
from i2i.evaluation.results import write_document
from i2i.evaluation.split import evaluate_split
from i2i.model.model import Model
from i2i.recipe import load_run_recipe, metric_problems
from i2i.recipe.assemble import assemble_dataset
from i2i.run_folder import RunFolder
from i2i.runs.data import decode_split
from i2i.runs.holding import holding
from i2i.runs.loading import load
from i2i.runs.unpaired import SETS
from i2i.system.devices import choose_device
from i2i.system.failures import explained
from i2i.system.files import scratch
from i2i.training import checkpoint as checkpoints


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Args:
        document: The content of `metrics.json`; see `docs/metrics.md`.
        path: The file that was written; None if the folder of images is not writable.
        asked: The requested metrics.
        passed_over: Why better checkpoints of the run were skipped.
    """

    document: dict[str, Any]
    path: Path | None
    asked: tuple[str, ...]
    passed_over: tuple[str, ...] = ()

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
    reading: Reading = AS_COLOUR,
    model: str = "generator",
    device: str = "auto",
) -> Evaluation:
    """Measure a run, or the images of a folder against those of another.

    For a run, the test split is translated with the settings of the run's recipe and compared with
    the targets; the images and results are written to the run's `evaluation/` and report. For a
    folder, the results are written to its `metrics.json`, if the folder is writable.

    Args:
        target: A run's folder, or a folder of images.
        metrics: Metrics as in recipes, such as `fid` or `fid:preset=tf1`. By default those of the
            run's recipe, or `fid` and `kid` for folders.
        against: For a folder: the folder to compare it with.
        inputs: For a folder: the folder of inputs, for metrics that need them.
        out: For a run: also write the results to this file; a run that can't be written to stays
            as it is. For a folder: write them to this file instead of `metrics.json`.
        on_bad: For folders: images that can't be read raise an error, or are skipped and counted.
        mixed_formats: For folders: allow images that are compressed with loss, such as JPEG, to be
            compared with lossless ones.
        reading: For folders: how images are read.
        model: For a run: the name of the model to measure, if the run has several.
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
        if against is not None or inputs is not None or reading != AS_COLOUR:
            raise I2IError(
                f"{target} is a run: its outputs are always compared with its targets, read as its "
                "recipe says. To compare images, give the folder "
                f"{RunFolder(target).evaluation / 'images'}"
            )
        return _evaluate_run(RunFolder(target), model, metrics, out, device)
    if model != "generator":
        raise I2IError(f"{target} is no run, so it has no model '{model}' (--model)")
    if not target.is_dir():
        raise I2IError(f"{target}: there is no such run or folder")
    if against is None:
        raise I2IError(
            f"{target} is a folder of images (it has no recipe.toml): give the folder to compare "
            "it with, --against FOLDER"
        )
    asked = tuple(metrics) or SETS
    document = evaluate_folders(
        target,
        Path(against),
        metrics=asked,
        inputs=Path(inputs) if inputs is not None else None,
        on_bad=on_bad,
        mixed_formats=mixed_formats,
        reading=reading,
        device=choose_device(device),
    )
    if out is not None:
        with _written(out):
            write_document(document, out)
        return Evaluation(document, out, asked)
    path = target / "metrics.json"
    try:
        write_document(document, path)
    except OSError:
        return Evaluation(document, None, asked)
    return Evaluation(document, path, asked)


def newest_run(runs: Path = Path("runs")) -> Path:
    """The run with the most recent checkpoint in a folder of runs.

    Raises:
        I2IError: If there is no run with a checkpoint.
    """
    saved = {}
    for folder in runs.iterdir() if runs.is_dir() else ():
        steps = checkpoints.saved(RunFolder(folder).checkpoints)
        manifests = [path for step in steps if (path := step / checkpoints.MANIFEST).is_file()]
        if manifests:
            saved[max(path.stat().st_mtime for path in manifests)] = folder
    if not saved:
        raise I2IError(
            f"there is no trained run under {runs}: train one (i2i run RECIPE), or name a run or a "
            "folder of images"
        )
    return saved[max(saved)]


def _evaluate_run(
    run: RunFolder, model: str, metrics: Sequence[str], out: Path | None, device: str
) -> Evaluation:
    if out is not None and not os.access(run.path, os.W_OK):
        with _written(out), scratch(out) as folder:
            evaluation = _measured(run, model, metrics, folder, device)
            write_document(evaluation.document, out)
            return replace(evaluation, path=out)
    with holding(run):
        evaluation = _measured(run, model, metrics, run.of(model).evaluation, device)
        # Imported here: matplotlib takes half a second to import, and folders need no report.
        from i2i.report import write_report

        write_report(run)
    if out is None:
        return evaluation
    with _written(out):
        write_document(evaluation.document, out)
    return replace(evaluation, path=out)


def _measured(
    run: RunFolder, name: str, metrics: Sequence[str], folder: Path, device: str
) -> Evaluation:
    """Translate and measure the test split of a run, and write images and results to a folder."""
    recipe = load_run_recipe(run.recipe)
    model = load(run.path, model=name, device=device)
    if model.recipe.generator != recipe.generator:
        raise CheckpointError(
            f"{model.path}: is of another architecture than [generator] in {run.recipe}"
        )
    try:
        dataset = assemble_dataset(recipe)
        images = decode_split(recipe, dataset, "test", recipe.augment.crop)
    except DataError as error:
        keys = any("data." in problem for problem in error.problems)
        where = [f"{run.recipe}: has the keys of data; change them there"] if keys else []
        raise DataError([*error.problems, *where]) from error
    if not len(images):
        raise DataError([f"{run.path}: its data has no test split to translate"])
    asked = tuple(metrics) or recipe.eval.metrics
    document = evaluate_split(
        model.generator,
        images.towards("backward" if model.data.backward else "forward"),
        recipe,
        model.device,
        folder,
        metrics=asked,
        split="test",
        step=model.step,
        back=_way_back(model, device),
    )
    return Evaluation(document, folder / "metrics.json", asked, model.passed_over)


def _way_back(model: Model, device: str) -> nn.Module | None:
    """The first model beside this one in the other direction; None if there is none."""
    checkpoint, own = model.path.parent, checkpoints.model_name(model.path)
    for name in checkpoints.models_in(checkpoint):
        if name != own:
            other = load(checkpoint, model=name, device=device)
            if other.data.backward != model.data.backward:
                return other.generator
    return None


@contextmanager
def _written(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise I2IError(f"{out}: can't be written: {explained(error)}") from error
