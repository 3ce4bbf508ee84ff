"""The segmentation network, and its file format."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from i2i.errors import CheckpointError, WeightsError
from i2i.generators.timm_unet import TimmUNet
from i2i.segmentation.palette import Labels
from i2i.system.cache import cache_dir
from i2i.system.failures import explained
from i2i.system.files import with_home
from i2i.system.tensor_file import check_fits, read_tensors, write_tensors

FORMAT = "i2i-segmenter"


class Segmenter(nn.Module):
    """A segmentation network for photos: a U-Net with a timm encoder.

    Args:
        labels: The classes and their colours in label maps.
        size: Height and width of the photos.
        channels: Channels of the photos.
        encoder: A name from `timm.list_models()`.
        base_channels: Channels of the decoder at full resolution.
        pretrained: Whether to load pretrained weights into the encoder.

    Attributes:
        notes: Facts about the training, such as the data and the weights; stored in the file.

    Raises:
        ValueError: If the encoder is unknown or doesn't support photos of this size.
        WeightsError: If the encoder's weights are unavailable.
    """

    def __init__(
        self,
        labels: Labels,
        size: tuple[int, int],
        *,
        channels: int = 3,
        encoder: str,
        base_channels: int,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        self.labels = labels
        self.size = size
        self.channels = channels
        self.encoder = encoder
        self.base_channels = base_channels
        self.notes: dict[str, Any] = {}
        self.unet = TimmUNet(
            channels,
            len(labels.names),
            size,
            encoder=encoder,
            pretrained=pretrained,
            base_channels=base_channels,
            dropout=0.0,
        )
        # Convolutions on CPUs take half the time with this memory layout.
        self.to(memory_format=torch.channels_last)

    @property
    def size_divisor(self) -> int:
        """Height and width of photos must be multiples of this number."""
        return int(self.unet.encoder.feature_info.reduction()[-1])  # type: ignore[operator, union-attr]

    def forward(self, photos: Tensor) -> Tensor:
        """Compute logits `(N, K, H, W)` of photos `(N, C, H, W)` in [−1, 1], for K classes."""
        return self.unet.raw(photos.contiguous(memory_format=torch.channels_last))

    @torch.inference_mode()
    def classes(self, photos: Tensor) -> Tensor:
        """Return the most likely class of each pixel.

        Args:
            photos: `(N, C, H, W)` in [−1, 1].

        Returns:
            `(N, H, W)` class indices.
        """
        return self(photos).argmax(dim=1)  # type: ignore[no-any-return]


def kept_at(name: str) -> Path:
    """Return the path of the segmenter with this name; the file may not exist."""
    return cache_dir() / "segmenters" / f"{name}.safetensors"


def find_segmenter(named: str) -> Path:
    """Return the file of a segmenter.

    Args:
        named: A file, or the name that it got in `i2i segmenter train`.

    Raises:
        WeightsError: If there is no such file.
    """
    path = with_home(named)
    if path.is_file():
        return path
    if path.suffix or len(path.parts) != 1:
        raise WeightsError(
            f"{named}: there is no such file; create it with "
            f"'i2i segmenter train DATASET --out {named}'"
        )
    if not kept_at(named).is_file():
        raise WeightsError(
            f"there is no segmenter '{named}' in {kept_at(named).parent}: train it with "
            f"'i2i segmenter train DATASET --name {named}', where DATASET is a recipe or the name "
            "of a data set"
        )
    return kept_at(named)


def save_segmenter(segmenter: Segmenter, path: Path) -> None:
    """Write a segmenter and all that is needed to use it; an existing file is replaced.

    Raises:
        CheckpointError: If it can't be written.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in segmenter.state_dict().items()
    }
    about = {
        "classes": segmenter.labels.names,
        "palette": segmenter.labels.palette,
        "size": segmenter.size,
        "channels": segmenter.channels,
        "encoder": segmenter.encoder,
        "base_channels": segmenter.base_channels,
        "notes": segmenter.notes,
    }
    text = json.dumps(about)
    metadata = {"format": FORMAT, "segmenter": text, "sha256": _digest(text, tensors)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tensors(path, tensors, metadata)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path}: the segmenter can't be written: {explained(error, path)}"
        ) from error


def is_segmenter(path: Path) -> bool:
    """Whether a file is a segmenter, damaged or not."""
    try:
        return read_tensors(path)[1].get("format") == FORMAT
    except CheckpointError:
        return False


def load_segmenter(path: Path) -> Segmenter:
    """Load a segmenter in evaluation mode; needs no pretrained weights.

    Raises:
        CheckpointError: If the file is damaged or is not a segmenter.
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path}: is not an i2i segmenter; 'i2i segmenter train' creates one")
    text = metadata.get("segmenter", "")
    if metadata.get("sha256") != _digest(text, tensors):
        raise CheckpointError(
            f"{path}: is damaged: its SHA-256 differs from the one stored in it; train it again"
        )
    try:
        about = json.loads(text)
        # A stranger's file may ask for a network of any size.
        with torch.device("meta"):
            check_fits(path, tensors, _built(about).state_dict())
        segmenter = _built(about)
        segmenter.load_state_dict(tensors)
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path}: this version of i2i or of timm can't rebuild the segmenter: {reason}"
        ) from error
    return segmenter.eval()


def _built(about: Mapping[str, Any]) -> Segmenter:
    palette = about["palette"]
    labels = Labels(
        tuple(about["classes"]),
        None if palette is None else tuple((red, green, blue) for red, green, blue in palette),
    )
    height, width = about["size"]
    segmenter = Segmenter(
        labels,
        (height, width),
        channels=about["channels"],
        encoder=about["encoder"],
        base_channels=about["base_channels"],
    )
    segmenter.notes = dict(about["notes"])
    return segmenter


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    whole = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        whole.update(f"\0{name} {tensor.dtype} {list(tensor.shape)}\0".encode())
        whole.update(tensor.numpy().tobytes())
    return whole.hexdigest()
