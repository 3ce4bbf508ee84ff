"""Whether an image file is compressed with loss, told from its content alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from i2i.images.compression import is_lossy

NOISE = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("format", "options", "lossy"),
    [
        ("JPEG", {}, True),
        ("JPEG", {"quality": 100, "subsampling": 0}, True),
        ("MPO", {}, True),
        ("AVIF", {}, True),
        ("WEBP", {"quality": 100}, True),
        ("WEBP", {"quality": 80, "icc_profile": b"p" * 301}, True),
        ("WEBP", {"lossless": True}, False),
        ("WEBP", {"lossless": True, "icc_profile": b"VP8 " * 100}, False),
        ("JPEG2000", {"irreversible": True}, True),
        ("JPEG2000", {"irreversible": True, "no_jp2": True}, True),
        ("JPEG2000", {}, False),
        ("TIFF", {"compression": "jpeg"}, True),
        ("TIFF", {"compression": "tiff_lzw"}, False),
        ("TIFF", {}, False),
        ("PNG", {}, False),
        ("BMP", {}, False),
        ("PPM", {}, False),
    ],
)
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_the_content_tells_and_not_the_suffix(
    format: str, options: dict[str, Any], lossy: bool, suffix: str, tmp_path: Path
) -> None:
    file = tmp_path / f"x.{suffix}"
    Image.fromarray(NOISE).save(file, format, **options)
    assert is_lossy(file) is lossy
    with Image.open(file) as image:
        assert np.array_equal(np.asarray(image), NOISE) is not lossy


@pytest.mark.parametrize(
    "content", [b"", b"II*\0 no pages", b"RIFF\x08\0\0\0WEBPVP8", b"\xff\x4f\xff\x51", b"GIF89a"]
)
def test_what_is_damaged_is_not_lossy(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(content)
    assert not is_lossy(tmp_path / "x.png")
