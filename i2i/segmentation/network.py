"""The segmentation network, and the one file that it is kept in."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from i2i.errors import CheckpointError, WeightsError
from i2i.generators.timm_unet import TimmUNet
from i2i.segmentation.palette import Labels
from i2i.system.cache import cache_dir
from i2i.system.files import replacing

FORMAT = "i2i-segmenter"


class Segmenter(nn.Module):
    """Each pixel's class in a photo: a U-Net on an encoder of timm.

    Args:
        labels: The classes, and what their label maps look like.
        size: Height and width of the photos it is made for.
        channels: Channels of the photos.
        encoder: A name from `timm.list_models()`.
        base_channels: Channels of the decoder at full size.
        pretrained: Whether the encoder begins with its pretrained weights.

    Attributes:
        notes: What is to be known about its training; kept in its file.

    Raises:
        ValueError: If the encoder is unknown or can't take photos of that size.
        WeightsError: If the encoder's weights can't be had.
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
        # Convolutions on CPUs take half the time in this order.
        self.to(memory_format=torch.channels_last)

    @property
    def size_divisor(self) -> int:
        """What height and width of photos must be multiples of."""
        return int(self.unet.encoder.feature_info.reduction()[-1])  # type: ignore[operator, union-attr]

    def forward(self, photos: Tensor) -> Tensor:
        """Logits `(N, K, H, W)` of photos `(N, C, H, W)` in [−1, 1]."""
        return self.unet.raw(photos.contiguous(memory_format=torch.channels_last))

    @torch.inference_mode()
    def classes(self, photos: Tensor) -> Tensor:
        """The likeliest class of each pixel.

        Args:
            photos: `(N, C, H, W)` in [−1, 1].

        Returns:
            `(N, H, W)` indices.
        """
        return self(photos).argmax(dim=1)  # type: ignore[no-any-return]


def kept_at(name: str) -> Path:
    """Where the segmenter of that name is kept; it need not be there."""
    return cache_dir() / "segmenters" / f"{name}.safetensors"


def find_segmenter(named: str) -> Path:
    """The file of a segmenter.

    Args:
        named: A file, or the name that `i2i segmenter train` has kept it under.

    Raises:
        WeightsError: If there is none.
    """
    path = Path(named)
    if path.is_file():
        return path
    if path.suffix or len(path.parts) != 1:
        raise WeightsError(
            f"{named}: there is no such file; 'i2i segmenter train DATASET --out {named}' makes it"
        )
    if not kept_at(named).is_file():
        raise WeightsError(
            f"there is no segmenter '{named}' in {kept_at(named).parent}: train it once with "
            f"'i2i segmenter train DATASET --name {named}', where DATASET is a recipe or the name "
            "of a data set"
        )
    return kept_at(named)


def save_segmenter(segmenter: Segmenter, path: Path) -> None:
    """Write a segmenter with all that is needed to use it; a file that is there is replaced.

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
        with replacing(path) as unfinished:
            save_file(tensors, unfinished, metadata)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: the segmenter can't be written: {error}") from error


def load_segmenter(path: Path) -> Segmenter:
    """Read a segmenter, ready to be used; pretrained weights aren't looked for.

    Raises:
        CheckpointError: If the file is damaged or is no segmenter's.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: can't be read as safetensors: {error}") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: is no segmenter of i2i's; 'i2i segmenter train' makes such files"
        )
    text = metadata.get("segmenter", "")
    if metadata.get("sha256") != _digest(text, tensors):
        raise CheckpointError(f"{path}: is damaged: its SHA-256 isn't the one written in it")
    try:
        segmenter = _built(json.loads(text))
        segmenter.load_state_dict(tensors)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
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
