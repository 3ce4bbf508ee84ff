"""From images to the features that distances between sets of images are taken in."""

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
"""Which tool's resize and scale comes before Inception."""

BATCH = 16
"""Images the networks take at a time."""


class Extractor(ABC):
    """A network that turns images into features, with what has to happen to images before.

    Attributes:
        name: Of the network and its preprocessing, as labels have it.
        settings: All that features depend on.
    """

    name: str
    settings: Mapping[str, Any]

    @abstractmethod
    def prepare(self, images: Tensor) -> Tensor:
        """What the network takes, from float images `(N, 3, H, W)` in [0, 255]."""

    @abstractmethod
    def network(self) -> nn.Module:
        """The network, from prepared images to features `(N, d)`."""

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Features `(N, d)` in float32 on the CPU, computed where the images are.

        Args:
            images: `(N, 1 or 3, H, W)` whole numbers; 16 bits are rounded to 8 first.

        Raises:
            DataError: If images have other channels.
        """
        network = on_device(self.network(), images.device)
        parts = [
            network(self.prepare(_colour(part)).to(torch.float32)).cpu()
            for part in torch.split(images, BATCH)
        ]
        return torch.cat(parts)


class InceptionExtractor(Extractor):
    """The 2048 features that FID and KID are defined with.

    Args:
        preset: `clean` resizes as clean-fid does: Pillow's bicubic, with antialiasing, in float32.
            `tf1` resizes as torch-fidelity and TensorFlow 1 do, bilinearly from the corner.
            `pytorch-fid` resizes bilinearly between the pixels' centres, without antialiasing.

    Raises:
        WeightsError: If the weights can't be had.
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
        """`(N, 3, 299, 299)` in about [−1, 1]."""
        middle, half = self._range
        return self._resize(images).sub_(middle).div_(half)

    def network(self) -> nn.Module:
        """Inception up to its features; in memory from its first use on."""
        return _inception()


class TimmExtractor(Extractor):
    """The pooled features of one of timm's classifiers.

    Images are resized whole, with antialiasing, to the size the model was evaluated at in its
    published configuration, and normalised with its mean and standard deviation.

    Args:
        model: A name that timm has pretrained weights for, such as `resnet50.a1_in1k`.

    Raises:
        ValueError: If timm doesn't know the model.
        WeightsError: If the weights can't be had.
    """

    def __init__(self, model: str) -> None:
        from timm import is_model, list_models
        from timm.data.config import resolve_model_data_config

        from i2i.weights import used
        from i2i.weights.timm import timm_model

        if not is_model(model):
            raise ValueError(
                f"timm has no model {model!r}; it has {', '.join(list_models()[:3])}, …: see "
                "timm.list_pretrained()"
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
        """Images of the model's size, normalised."""
        resized = _antialiased(images, self._size, self._mode)
        return (resized - self._mean.to(images.device)) / self._std.to(images.device)

    def network(self) -> nn.Module:
        """The model without its classifier."""
        return self._network


@cache
def inception_extractor(preset: Preset) -> InceptionExtractor:
    """The extractor of a preset; there is one of each in a process."""
    return InceptionExtractor(preset)


@cache
def timm_extractor(model: str) -> TimmExtractor:
    """The extractor of a timm model; there is one of each in a process."""
    return TimmExtractor(model)


@cache
def _inception() -> Inception:
    return Inception(load("inception").tensors)


def _colour(images: Tensor) -> Tensor:
    """Float `(N, 3, H, W)` of whole numbers in [0, 255]."""
    if images.shape[1] not in (1, 3):
        raise DataError(
            [
                f"features are taken of gray or RGB images, not of {images.shape[1]} channels: "
                "measure these with l1, l2, psnr or ssim"
            ]
        )
    floats = images.to(torch.float32)
    if images.dtype == torch.uint16:
        floats = floats.div_(257).round_()
    return floats.expand(-1, 3, -1, -1)


def _antialiased(images: Tensor, size: tuple[int, int], mode: str = "bicubic") -> Tensor:
    # Pillow sums in double precision; in float32 pixels would differ by up to 0.006 of 255.
    wide = images if images.device.type == "mps" else images.double()
    resized = F.interpolate(wide, size, mode=mode, align_corners=False, antialias=True)
    return resized.to(images.dtype)


def _clean(images: Tensor) -> Tensor:
    """As clean-fid: Pillow's bicubic on float32 channels, cut to [0, 255]."""
    return _antialiased(images, (SIDE, SIDE)).clamp_(0, 255)


def _half_pixel(images: Tensor) -> Tensor:
    """As pytorch-fid: bilinear between pixel centres, without antialiasing."""
    return F.interpolate(images, (SIDE, SIDE), mode="bilinear", align_corners=False)


def _from_corner(images: Tensor) -> Tensor:
    """As TensorFlow 1 and torch-fidelity: bilinear, the first pixels' corners coinciding."""
    return _lerp(_lerp(images, 3), 2)


def _lerp(images: Tensor, dim: int) -> Tensor:
    side = images.shape[dim]
    # TensorFlow computes positions in float32, and so must anybody who wants its pixels.
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
