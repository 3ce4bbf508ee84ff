"""ONNX graphs: made from a traced model, described, written and run."""

from pathlib import Path

import onnx
import onnxruntime
import torch
from torch import Tensor
from torch.export import ExportedProgram

from i2i.errors import I2IError
from i2i.exporting.describe import KEY
from i2i.exporting.program import INPUT, OUTPUT, HopelessError, quiet
from i2i.system.version import __version__

MOST = 2**31
"""Bytes that a file of ONNX's stays below: it is one message of protobuf's."""


def describe(proto: onnx.ModelProto, sentence: str, description: str) -> None:
    """Say in a model what it is: in a sentence, and in JSON in its metadata."""
    proto.producer_name, proto.producer_version = "i2i", __version__
    proto.doc_string = proto.graph.doc_string = sentence
    onnx.helper.set_model_props(proto, {KEY: description})


class Session:
    """A model as a function, run by onnxruntime on the CPU.

    Args:
        model: The model, or its file.

    Raises:
        I2IError: If onnxruntime can't run it, here or when it is called.
    """

    def __init__(self, model: onnx.ModelProto | Path) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = torch.get_num_threads()
        source = model if isinstance(model, Path) else model.SerializeToString()
        try:
            self._session = onnxruntime.InferenceSession(
                source, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's have no base of their own
            raise _not_run(error) from error

    def __call__(self, images: Tensor) -> Tensor:
        """Translate `(N, C, H, W)` in [−1, 1] to the same."""
        try:
            return torch.from_numpy(self._session.run([OUTPUT], {INPUT: images.numpy()})[0])
        except Exception as error:
            raise _not_run(error) from error


class Graph(Session):
    """A traced model as ONNX, and as a function.

    Args:
        program: The traced model.
        opset: The operator set.

    Attributes:
        proto: The model, of the lowest file format that its operators need.

    Raises:
        I2IError: If it can't be said in ONNX, or not with these operators.
    """

    def __init__(self, program: ExportedProgram, opset: int) -> None:
        self.proto = _from_program(program, opset)
        super().__init__(self.proto)


def _from_program(program: ExportedProgram, opset: int) -> onnx.ModelProto:
    weights = sum(tensor.nbytes for tensor in program.state_dict.values())
    if weights >= MOST:
        raise HopelessError(
            f"{weights / 1e9:.1f} GB of weights don't fit into a file of ONNX's (2 GB)"
        )
    try:
        with quiet(), torch.no_grad():
            made = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=opset,
                input_names=[INPUT],
                output_names=[OUTPUT],
                verbose=False,
            )
            assert made is not None
            proto: onnx.ModelProto = made.model_proto
    except Exception as error:  # the exporter's own kinds wrap whatever went wrong in it
        cause = error.__cause__ or error
        reason = str(cause).strip().partition("\n")[0]
        raise I2IError(f"ONNX can't say what the generator does: {reason}") from error
    found = next(each.version for each in proto.opset_import if not each.domain)
    if found != opset:
        raise HopelessError(
            f"this model can't be written with operator set {opset}: it is made with {found}, of "
            "which onnx makes older ones as far as it can convert all operators, and newer ones "
            f"up to {onnx.defs.onnx_opset_version()}: --opset {found}"
        )
    proto.ir_version = onnx.helper.find_min_ir_version_for(
        list(proto.opset_import), ignore_unknown=True
    )
    _strip(proto)
    return proto


def _not_run(error: Exception) -> I2IError:
    return I2IError(f"onnxruntime can't run the exported model: {str(error).partition(chr(10))[0]}")


def _strip(proto: onnx.ModelProto) -> None:
    """Take out the exporter's notes: they hold paths of this machine and outweigh the graph."""
    graph = proto.graph
    del proto.metadata_props[:], graph.metadata_props[:], graph.value_info[:]
    for each in (*graph.node, *graph.input, *graph.output, *graph.initializer):
        del each.metadata_props[:]
        each.doc_string = ""
