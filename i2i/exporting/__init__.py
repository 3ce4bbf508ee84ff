"""Export of trained models to ONNX or torch.export files, which run without i2i."""

from i2i.exporting.onnx_export import OPSET, export_onnx
from i2i.exporting.report import Exported, Quantised
from i2i.exporting.torch_export import export_torch

__all__ = ["OPSET", "Exported", "Quantised", "export_onnx", "export_torch"]
