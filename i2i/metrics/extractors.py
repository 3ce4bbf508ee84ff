"""Networks that compute the features for distances between sets of images."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from i2i.errors import DataError
from i2i.metrics.devices import on_device
from i2i.metrics.inception import SIDE, Inception
from i2i.weights import load

Preset = Literal["clean", "tf1", "pytorch-fid"]
"""The tool whose resizing and scaling of images is used before Inception."""

BATCH = 16
"""Images per forward pass."""


class Extractor(ABC):
    """A network that computes features of images, with its preprocessing.

    Attributes:
        name: The name of network and preprocessing in the labels of metrics.
        settings: Everything that the features depend on, except the images.
    """

    name: str
    settings: Mapping[str, Any]

    @abstractmethod
    def prepare(self, images: Tensor) -> Tensor:
        """Preprocess float images `(N, 3, H, W)` in [0, 255] for the network."""

    @abstractmethod
    def network(self) -> nn.Module:
        """Return the network; it maps prepared images to features `(N, d)`."""

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Compute features `(N, d)` on the device of the images, and return float32 on the CPU.

        Args:
            images: `(N, 1 or 3, H, W)` uint8 or uint16; 16 bits are rounded to 8 first.

        Raises:
            DataError: If images have neither 1 nor 3 channels.
        """
        network = on_device(self.network(), images.device)
        parts = [
            network(self.prepare(_to_rgb(part)).to(torch.float32)).cpu()
            for part in torch.split(images, BATCH)
        ]
        return torch.cat(parts)


class InceptionExtractor(Extractor):
    """The 2048 Inception features that define FID and KID.

    Args:
        preset: How images are resized. `clean`: as clean-fid, Pillow's bicubic with antialiasing
            in float32. `tf1`: as torch-fidelity and TensorFlow 1, bilinear with the corners of the
            first pixels aligned. `pytorch-fid`: bilinear between pixel centres, without
            antialiasing.

    Raises:
        WeightsError: If the weights are unavailable.
    """

    def __init__(self, preset: Preset) -> None:
        self._resize, resize_words = _RESIZES[preset]
        self._range = (127.5, 127.5) if preset == "pytorch-fid" else (128.0, 128.0)
        self.name = preset
        self.settings = {
            "network": "Inception of 2015-12-05",
            "weights_sha256": load("inception").sha256,
            "preset": preset,
            "resize": resize_words,
            "dtype": "float32",
        }

    def prepare(self, images: Tensor) -> Tensor:
        """Resize and scale to `(N, 3, 299, 299)` in about [−1, 1]."""
        middle, half = self._range
        return self._resize(images).sub_(middle).div_(half)

    def network(self) -> nn.Module:
        """Return Inception up to its features; the first call loads it."""
        return _inception()


class TimmExtractor(Extractor):
    """The pooled features of a timm classifier.

    Images are resized without cropping, with antialiasing, to the input size in the model's
    published configuration, and normalised with the mean and standard deviation given there.

    Args:
        model: The name of a timm model with pretrained weights, such as `resnet50.a1_in1k`.

    Raises:
        ValueError: If timm has no such model.
        WeightsError: If the weights are unavailable.
    """

    def __init__(self, model: str) -> None:
        from timm import is_model, list_models
        from timm.data.config import resolve_model_data_config

        from i2i.weights import used
        from i2i.weights.timm import timm_model

        if not is_model(model):
            raise ValueError(
                f"timm has no model {model!r}; it has {', '.join(list_models()[:3])}, …; "
                "timm.list_pretrained() lists all"
            )
        network: Any = timm_model(model, pretrained=True, num_classes=0)
        self._network: nn.Module = network.eval().requires_grad_(False)
        data = resolve_model_data_config(network)  # type: ignore[no-untyped-call]
        self._size: tuple[int, int] = data["input_size"][-2:]
        self._mean, self._std = (
            torch.tensor(data[key]).reshape(3, 1, 1) * 255 for key in ("mean", "std")
        )
        tag = network.pretrained_cfg.get("tag")
        self.name = f"timm:{model}" if "." in model or not tag else f"timm:{model}.{tag}"
        self.settings = {
            "network": self.name,
            "weights_sha256": used()[model]["sha256"],
            "resize": f"{data['interpolation']}, antialiased, to {self._size[0]}x{self._size[1]}",
            "mean": list(data["mean"]),
            "std": list(data["std"]),
            "dtype": "float32",
        }
        self._mode = "bilinear" if data["interpolation"] == "bilinear" else "bicubic"

    def prepare(self, images: Tensor) -> Tensor:
        """Resize to the model's input size and normalise."""
        resized = _antialiased(images, self._size, self._mode)
        return (resized - self._mean.to(images.device)) / self._std.to(images.device)

    def network(self) -> nn.Module:
        """Return the model without its classifier."""
        return self._network


@cache
def inception_extractor(preset: Preset) -> InceptionExtractor:
    """Return the extractor of a preset; one instance of each is shared in a process."""
    return InceptionExtractor(preset)


@cache
def timm_extractor(model: str) -> TimmExtractor:
    """Return the extractor of a timm model; one instance of each is shared in a process."""
    return TimmExtractor(model)


@cache
def _inception() -> Inception:
    return Inception(load("inception").tensors)


def _to_rgb(images: Tensor) -> Tensor:
    """Convert gray or RGB images to float `(N, 3, H, W)` with integer values in [0, 255]."""
    if images.shape[1] not in (1, 3):
        raise DataError(
            [
                f"images have {images.shape[1]} channels, but this metric needs gray or RGB: "
                "use l1, l2, psnr or ssim instead"
            ]
        )
    floats = images.to(torch.float32)
    if images.dtype == torch.uint16:
        floats = floats.div_(257).round_()
    return floats.expand(-1, 3, -1, -1)


def _antialiased(images: Tensor, size: tuple[int, int], mode: str = "bicubic") -> Tensor:
    # Pillow sums in float64; with float32 sums, pixels would differ by up to 0.006 of 255.
    precise = images if images.device.type == "mps" else images.double()
    resized = F.interpolate(precise, size, mode=mode, align_corners=False, antialias=True)
    return resized.to(images.dtype)


def _clean(images: Tensor) -> Tensor:
    """Resize as clean-fid: Pillow's bicubic on float32 channels, clipped to [0, 255]."""
    return _antialiased(images, (SIDE, SIDE)).clamp_(0, 255)


def _half_pixel(images: Tensor) -> Tensor:
    """Resize as pytorch-fid: bilinear between pixel centres, without antialiasing."""
    return F.interpolate(images, (SIDE, SIDE), mode="bilinear", align_corners=False)


def _from_corner(images: Tensor) -> Tensor:
    """Resize as TensorFlow 1 and torch-fidelity: bilinear, first pixels' corners aligned."""
    return _lerp(_lerp(images, 3), 2)


def _lerp(images: Tensor, dim: int) -> Tensor:
    side = images.shape[dim]
    # TensorFlow computes positions in float32; other precisions give other pixels.
    position = torch.arange(SIDE, dtype=torch.float32, device=images.device)
    position *= torch.tensor(side / SIDE, dtype=torch.float32)
    low = position.long()
    high = (low + 1).clamp_max(side - 1)
    fraction = (position - low).reshape([-1 if d == dim else 1 for d in range(4)])
    start = images.index_select(dim, low)
    return start + (images.index_select(dim, high) - start) * fraction


_RESIZES: dict[Preset, tuple[Callable[[Tensor], Tensor], str]] = {
    "clean": (_clean, f"bicubic with antialiasing in float32, as Pillow, to {SIDE}x{SIDE}"),
    "tf1": (_from_corner, f"bilinear from the corner, as TensorFlow 1, to {SIDE}x{SIDE}"),
    "pytorch-fid": (_half_pixel, f"bilinear between pixel centres, to {SIDE}x{SIDE}"),
}
