"""Dynamic int8 quantisation of an exported model, and measurement of its loss."""

from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from i2i.exporting import graph
from i2i.exporting.checking import Run
from i2i.exporting.program import quiet
from i2i.exporting.report import Quantised
from i2i.exporting.samples import Samples


def quantise(proto: onnx.ModelProto, path: Path, samples: Samples) -> Quantised:
    """Replace a model's file by its quantised version, and measure the loss.

    Weights of convolutions and matrix products become uint8, because onnxruntime has only uint8
    convolutions. Transposed convolutions are not quantised.

    Args:
        proto: The model.
        path: Its file.
        samples: Images to measure on. They are run one at a time, because activation ranges
            depend on the batch.

    Raises:
        I2IError: If onnxruntime can't run the result.
    """
    run, float_bytes = graph.Session(path), path.stat().st_size
    before = _outputs(run, samples)
    with quiet():
        quantize_dynamic(
            proto,
            path,
            op_types_to_quantize=["Conv", "MatMul", "Gemm"],
            weight_type=QuantType.QUInt8,
        )
    after = _outputs(graph.Session(path), samples)
    targets = samples.targets
    return Quantised(
        float_bytes,
        _l1(after, before),
        None if targets is None else _l1(after, targets),
        None if targets is None else _l1(before, targets),
    )


def _outputs(run: Run, samples: Samples) -> torch.Tensor:
    return torch.cat([run(image[None]) for image in samples.inputs])


def _l1(outputs: torch.Tensor, others: torch.Tensor) -> float:
    """Return the mean absolute difference, on the scale of values from 0 to 1."""
    return float((outputs - others).abs().mean() / 2)
