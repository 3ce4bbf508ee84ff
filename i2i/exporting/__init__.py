"""A trained model in a file that needs no i2i: ONNX, or torch.export's."""

from i2i.exporting.onnx_export import OPSET, export_onnx
from i2i.exporting.report import Exported, Quantised
from i2i.exporting.torch_export import export_torch

__all__ = ["OPSET", "Exported", "Quantised", "export_onnx", "export_torch"]
