"""Write images to files, without loss where the format allows it."""

from pathlib import Path

import numpy as np
from PIL import Image

from i2i.images import arrays
from i2i.images import pixels as arithmetic
from i2i.images.content import Dpi
from i2i.images.png import png_bytes
from i2i.images.types import Array
from i2i.system.files import replacing

_COLOUR_SPACES = {1: b"GRAY", 3: b"RGB "}
"""Colour space in bytes 16 to 20 of an ICC profile, by channels (ICC.1:2010, 7.2.6)."""

_JPEG_QUALITY = 95


def write_picture(
    path: Path,
    pixels: Array,
    *,
    alpha: Array | None = None,
    profile: bytes | None = None,
    dpi: Dpi | None = None,
) -> None:
    """Write an image in the format of the path's suffix; replace an existing file.

    | suffix | channels | depth | also stored |
    |---|---|---|---|
    | .png | 1 or 3 | 8, 16 | alpha, profile, dpi |
    | .tif, .tiff | any number | 8, 16 | alpha, profile, dpi |
    | .jpg, .jpeg | 1 or 3 | 8; 16 is rounded to 8 | profile, dpi as integers |
    | .npy | any number | 8, 16 | nothing |

    Args:
        path: The file to write; its folder must exist.
        pixels: `(H, W, C)` in uint8 or uint16. A PNG of uint8 pixels without alpha, profile and dpi
            has the bytes of `png_bytes(pixels)`.
        alpha: `(H, W, 1)` of the same type, 0 where transparent.
        profile: An ICC profile. It is dropped if its colour space does not match 1 (grey) or 3
            (RGB) channels.
        dpi: Horizontal and vertical dots per inch. They are dropped unless both are 1 to 65535.

    Raises:
        ValueError: If the suffix is unsupported, or its format can't store these pixels or alpha.
        OSError: If the file can't be written.
    """
    _check(pixels, alpha)
    suffix, channels = path.suffix.lower(), pixels.shape[2]
    if profile is not None and not _is_profile(profile, channels):
        profile = None
    if dpi is not None and not all(1 <= value <= 65535 for value in dpi):
        dpi = None
    samples = pixels if alpha is None else np.concatenate([pixels, alpha], axis=2)
    if suffix == arrays.SUFFIX:
        with path.open("wb") as file:
            np.save(file, pixels)
    elif suffix in (".tif", ".tiff"):
        _write_tiff(path, samples, alpha is not None, profile, dpi)
    elif suffix not in (".png", ".jpg", ".jpeg"):
        raise ValueError(f'images are written as .png, .tif, .jpg or .npy, not "{suffix}"')
    elif channels not in _COLOUR_SPACES:
        raise ValueError(
            f"{suffix} holds 1 or 3 channels, not {channels}; write a {lossless_suffix(channels)}"
        )
    elif suffix == ".png":
        path.write_bytes(png_bytes(samples, profile=profile, dpi=dpi))
    elif alpha is not None:
        raise ValueError(f"{suffix} holds no alpha; write a .png, or omit the alpha")
    else:
        _write_jpeg(path, arithmetic.to_depth(pixels, 8), profile, dpi)


def lossless_suffix(channels: int) -> str:
    """The suffix for lossless storage of this many channels: .png if possible, else .tif."""
    return ".png" if channels in _COLOUR_SPACES else ".tif"


def holds_alpha(suffix: str, channels: int) -> bool:
    """Whether a format stores alpha in addition to this many channels."""
    return suffix.lower() in (".png", ".tif", ".tiff") and channels in _COLOUR_SPACES


def save_image(array: Array, path: Path) -> Path:
    """Write an image `(H, W, C)` without loss, whole or not at all, and create missing folders.

    Args:
        array: uint8 with 1 or 3 channels and uint16 with 1 channel are written as PNG, all others
            as .npy.
        path: The file to write, without suffix.

    Returns:
        The path of the file, with its suffix.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = array.shape[2]
    held = channels == 1 or (channels == 3 and array.dtype == np.uint8)
    path = path.with_name(f"{path.name}{'.png' if held else arrays.SUFFIX}")
    with replacing(path, sync=False) as unfinished:
        if held:
            unfinished.write_bytes(png_bytes(array))
        else:
            np.save(unfinished, array)
    return path


def _is_profile(profile: bytes, channels: int) -> bool:
    """Whether the header is that of an ICC profile for this many channels."""
    return profile[36:40] == b"acsp" and profile[16:20] == _COLOUR_SPACES.get(channels)


def _check(pixels: Array, alpha: Array | None) -> None:
    if pixels.ndim != 3 or pixels.size == 0 or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"images must be (height, width, channels) in uint8 or uint16, not {pixels.shape} in "
            f"{pixels.dtype}"
        )
    if alpha is not None and (alpha.shape, alpha.dtype) != ((*pixels.shape[:2], 1), pixels.dtype):
        raise ValueError(
            f"alpha is {alpha.shape} in {alpha.dtype}, which doesn't go with {pixels.shape} in "
            f"{pixels.dtype}"
        )


def _write_tiff(
    path: Path, samples: Array, alpha: bool, profile: bytes | None, dpi: Dpi | None
) -> None:
    from tifffile import imwrite

    channels = samples.shape[2] - alpha
    extra = channels - (3 if channels == 3 else 1)
    imwrite(
        path,
        samples[..., 0] if samples.shape[2] == 1 else samples,
        photometric="rgb" if channels == 3 else "minisblack",
        planarconfig=None if samples.shape[2] == 1 else "contig",
        extrasamples=["unspecified"] * extra + ["unassalpha"] * alpha,
        compression="zlib",
        predictor=True,
        iccprofile=profile,
        resolution=dpi,
        resolutionunit="none" if dpi is None else "inch",
        metadata=None,
        software=False,
    )


def _write_jpeg(path: Path, pixels: Array, profile: bytes | None, dpi: Dpi | None) -> None:
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(
        path,
        "JPEG",
        quality=_JPEG_QUALITY,
        subsampling=0,  # 4:4:4
        icc_profile=profile,
        dpi=dpi or (0, 0),
    )
