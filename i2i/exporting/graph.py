"""ONNX graphs: conversion from a traced model, metadata, and execution by onnxruntime."""

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
"""The size limit of an ONNX file in bytes (exclusive): the file is one protobuf message."""


def describe(proto: onnx.ModelProto, sentence: str, description: str) -> None:
    """Store the description in a model: the sentence as doc string, the JSON in the metadata."""
    proto.producer_name, proto.producer_version = "i2i", __version__
    proto.doc_string = proto.graph.doc_string = sentence
    onnx.helper.set_model_props(proto, {KEY: description})


class Session:
    """A model as a function, run by onnxruntime on the CPU.

    Args:
        model: The model, or its file.

    Raises:
        I2IError: If onnxruntime can't load the model, or, in a call, can't run it.
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
        except Exception as error:  # onnxruntime's errors have no common base class
            raise _not_run(error) from error

    def __call__(self, images: Tensor) -> Tensor:
        """Translate images `(N, C, H, W)` in [−1, 1] to outputs of the same range and layout."""
        try:
            return torch.from_numpy(self._session.run([OUTPUT], {INPUT: images.numpy()})[0])
        except Exception as error:
            raise _not_run(error) from error


class Graph(Session):
    """A traced model converted to ONNX, which can be called.

    Args:
        program: The traced model.
        opset: The operator set.

    Attributes:
        proto: The ONNX model, with the lowest IR version that its operators allow.

    Raises:
        I2IError: If the model can't be converted to ONNX, or not with this operator set.
    """

    def __init__(self, program: ExportedProgram, opset: int) -> None:
        self.proto = _from_program(program, opset)
        super().__init__(self.proto)


def _from_program(program: ExportedProgram, opset: int) -> onnx.ModelProto:
    weights = sum(tensor.nbytes for tensor in program.state_dict.values())
    if weights >= MOST:
        raise HopelessError(
            f"{weights / 1e9:.1f} GB of weights don't fit into an ONNX file (at most 2 GB)"
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
    except Exception as error:  # the exporter wraps the original error, of any type
        cause = error.__cause__ or error
        reason = str(cause).strip().partition("\n")[0]
        raise I2IError(f"the generator can't be converted to ONNX: {reason}") from error
    found = next(each.version for each in proto.opset_import if not each.domain)
    if found != opset:
        raise HopelessError(
            f"this model can't be written with operator set {opset}: PyTorch exports it with "
            f"{found}, and onnx can't convert all its operators to {opset} (the newest set is "
            f"{onnx.defs.onnx_opset_version()}); use --opset {found}"
        )
    proto.ir_version = onnx.helper.find_min_ir_version_for(
        list(proto.opset_import), ignore_unknown=True
    )
    _strip(proto)
    return proto


def _not_run(error: Exception) -> I2IError:
    return I2IError(f"onnxruntime can't run the exported model: {str(error).partition(chr(10))[0]}")


def _strip(proto: onnx.ModelProto) -> None:
    """Remove the exporter's notes: they contain paths of this machine and outweigh the graph."""
    graph = proto.graph
    del proto.metadata_props[:], graph.metadata_props[:], graph.value_info[:]
    for each in (*graph.node, *graph.input, *graph.output, *graph.initializer):
        del each.metadata_props[:]
        each.doc_string = ""
