"""Export to ONNX."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from i2i.errors import I2IError
from i2i.exporting.checking import check
from i2i.exporting.describe import description, sentence
from i2i.exporting.program import trace
from i2i.exporting.report import Exported
from i2i.exporting.samples import samples
from i2i.model.inference import TestSettings
from i2i.model.model import Model
from i2i.system.output_file import arriving, check_free

OPSET = 18
"""The oldest operator set that torch's exporter writes directly.

More runtimes read older operator sets. This one and its file format (IR version 8) belong to onnx
1.13, of December 2022; onnxruntime reads them from 1.14 on. For still older sets, onnx's converter
converts the model, but it doesn't support all operators."""


def export_onnx(
    model: Model,
    path: Path | str,
    settings: TestSettings | None = None,
    *,
    opset: int = OPSET,
    int8: bool = False,
    images: Sequence[Path | str] = (),
    overwrite: bool = False,
) -> Exported:
    """Write a model as ONNX, run it with onnxruntime and compare it with PyTorch.

    Args:
        model: The model.
        path: The `.onnx` file, which will contain everything.
        settings: Test-time statistics and noise; the recipe's by default.
        opset: The ONNX operator set.
        int8: Whether convolutions compute in 8-bit integers (dynamic quantisation: the ranges of
            activations are computed for each batch). The loss is measured.
        images: Images for the comparison, see `samples`.
        overwrite: Whether an existing file may be replaced.

    Returns:
        What was written, and how much it differs from PyTorch.

    Raises:
        I2IError: If ONNX isn't installed, the model can't be exported, or the export differs from
            PyTorch by more than `TOLERANCE`; no file is written then.
    """
    absent = [name for name in ("onnx", "onnxruntime", "onnxscript") if find_spec(name) is None]
    if absent:
        raise I2IError(f"exporting to ONNX needs {' and '.join(absent)}: pip install 'i2i[export]'")
    import onnx

    from i2i.exporting import graph
    from i2i.exporting.quantising import quantise

    path = Path(path)
    check_free(path, overwrite=overwrite)
    real = samples(model, images)
    traced = trace(model, lambda program: graph.Graph(program, opset), settings or model.settings())
    sizes = traced.sizes(model.recipe.augment.crop)
    proto = traced.exported.proto
    graph.describe(proto, sentence(model, traced), description(model, traced, int8=int8))
    with arriving(path) as unfinished:
        onnx.save(proto, unfinished)
        difference = check(graph.Session(unfinished), traced.network, real.inputs, sizes)
        quantised = quantise(proto, unfinished, real) if int8 else None
        size = unfinished.stat().st_size
    return Exported(
        path,
        size,
        difference,
        real.source,
        tuple(sizes),
        traced.fixed,
        quantised=quantised,
        instead=real.instead,
    )
