"""Export with torch.export: one file that PyTorch runs without the model's Python code."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import torch
from torch.export import ExportedProgram

from i2i.exporting.checking import check
from i2i.exporting.describe import KEY, description
from i2i.exporting.program import quiet, trace
from i2i.exporting.report import Exported
from i2i.exporting.samples import samples
from i2i.model.inference import TestSettings
from i2i.model.model import Model
from i2i.system.output_file import arriving, check_free


def export_torch(
    model: Model,
    path: Path | str,
    settings: TestSettings | None = None,
    *,
    images: Sequence[Path | str] = (),
    overwrite: bool = False,
) -> Exported:
    """Write a model as a file for `torch.export.load`, load it and compare it with the model.

    Args:
        model: The model.
        path: The `.pt2` file.
        settings: Test-time statistics and noise; the recipe's by default.
        images: Images for the comparison, see `samples`.
        overwrite: Whether an existing file may be replaced.

    Returns:
        What was written, and how much it differs from PyTorch.

    Raises:
        I2IError: If the model can't be exported, or the export differs from the model by more than
            `TOLERANCE`; no file is written then.
    """
    path = Path(path)
    check_free(path, overwrite=overwrite)
    real = samples(model, images)
    traced = trace(model, ExportedProgram.module, settings or model.settings())
    sizes = traced.sizes(model.recipe.augment.crop)
    with arriving(path) as unfinished:
        about = {f"{KEY}.json": description(model, traced)}
        with quiet():
            content = BytesIO()  # torch ends the whole process if it fails to write a file
            torch.export.save(traced.program, content, extra_files=about)
            unfinished.write_bytes(content.getbuffer())
            graph = torch.export.load(unfinished).module()
        difference = check(graph, traced.network, real.inputs, sizes)
        size = unfinished.stat().st_size
    return Exported(
        path,
        size,
        difference,
        real.source,
        tuple(sizes),
        traced.fixed,
        instead=real.instead,
    )
