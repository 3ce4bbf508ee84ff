"""Writes outputs to files, with the bit depth, alpha, colour profile and resolution of inputs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2i.images import Picture, holds_alpha, lossless_suffix, pixels, write_picture
from i2i.images.pixels import Depth
from i2i.images.sheets import as_rgb
from i2i.images.types import Array
from i2i.system.files import replacing
from i2i.translation.options import Format

_SUFFIX = {"png": ".png", "tiff": ".tif", "jpg": ".jpg"}


def suffix_of(file: Path, format: Format, channels: int) -> str:
    """The suffix of the output file.

    Args:
        file: The input.
        format: The requested format.
        channels: Number of channels of the output.
    """
    if format != "auto":
        return _SUFFIX[format]
    match file.suffix.lower():
        case ".tif" | ".tiff":
            return ".tif"
        case ".npy":
            return ".npy"
    return lossless_suffix(channels)


def write_output(path: Path, outputs: Sequence[Array], of: Picture, *, side_by_side: bool) -> None:
    """Write an output, or a row of input and outputs, without ever leaving a partial file.

    Alpha is kept if the format and the channels allow it, but not in a row.

    Args:
        path: The file to write; its suffix is the format.
        outputs: Arrays `(H, W, C)` of the same dtype; more than one only for a row.
        of: The decoded input.
        side_by_side: Whether to write a row, as RGB, with the input on the left.

    Raises:
        OSError: If the file can't be written.
        ValueError: If the format can't store the output.
    """
    array = outputs[0]
    depth: Depth = 8 if array.dtype == np.uint8 else 16
    if side_by_side:
        array = np.hstack([as_rgb(i) for i in (pixels.to_depth(of.pixels, depth), *outputs)])
    alpha = None
    if of.alpha is not None and not side_by_side and holds_alpha(path.suffix, array.shape[2]):
        alpha = pixels.to_depth(of.alpha, depth)
    path.parent.mkdir(parents=True, exist_ok=True)
    # No sync: waiting for the disk takes longer than writing, and there may be thousands of files.
    # Files lost in a power cut can be translated again.
    with replacing(path, sync=False) as unfinished:
        write_picture(unfinished, array, alpha=alpha, profile=of.profile, dpi=of.dpi)
