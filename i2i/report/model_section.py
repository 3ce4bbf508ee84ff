"""What the report of a run shows of one model."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from i2i.evaluation.document import read_run_document
from i2i.evaluation.results import number
from i2i.evaluation.samples import SampleFolder
from i2i.evaluation.split import OUTPUT
from i2i.images.sheets import gallery, sheet
from i2i.images.types import Size
from i2i.report.html import file_uri, png_uri
from i2i.report.moments import samples_over_time
from i2i.run_folder import RunFolder


@dataclass(frozen=True)
class ModelSection:
    """What the report shows of one model.

    Args:
        title: The name of the model, in parentheses; empty if it is the only one.
        evaluation: The results of its evaluation; None if there are none.
        columns: The columns of `sheet`.
        sheet: Test images as a data URI; None if there are none.
        moments: The columns of `samples`.
        samples: Samples of the training as a data URI; None if there are none.
    """

    title: str
    evaluation: dict[str, Any] | None
    columns: list[str]
    sheet: str | None
    moments: list[str]
    samples: str | None

    def copied(self, text: str) -> str:
        """The metric's value with the input as the output, or a dash if there is none."""
        copies = (self.evaluation or {}).get("input_as_output") or {}
        if self.evaluation is None or text not in copies:
            return "–"
        words = self.evaluation["details"][text].get("input_as_output_not_finite", "")
        return number({"value": copies[text], "not_finite": words})


def model_sections(run: RunFolder, crop_size: Size) -> Iterator[ModelSection]:
    """Yield the section of each model of a run, the default one first.

    Args:
        run: The run.
        crop_size: The recipe's `augment.crop`, as `(height, width)`.
    """
    names = ["generator", *run.other_models()]
    for name in names:
        folder = run.of(name)
        tested = SampleFolder(folder.evaluation / "samples")
        columns = tested.shown(OUTPUT)
        rows = tested.rows(columns)
        moments, samples = samples_over_time(folder.samples, crop_size)
        yield ModelSection(
            f" ({name})" if len(names) > 1 else "",
            _evaluation(folder),
            columns,
            png_uri(gallery(rows)) if rows else file_uri(_old_sheet(folder)),
            moments,
            png_uri(sheet(samples)) if samples else None,
        )


def _evaluation(folder: RunFolder) -> dict[str, Any] | None:
    try:
        return read_run_document(folder.evaluation / "metrics.json")
    except FileNotFoundError:
        return None


def _old_sheet(folder: RunFolder) -> Path:
    """The sheet of test pairs that version 0.1 stored instead of samples."""
    return folder.evaluation / "sheet.png"
