"""Read files with flipped, cut and repeated bytes, within limits of memory.

    python -m tests.images.damage FOLDER SEED COUNT

Prints one line for every file that is neither read nor refused in a line, and the counts.
"""

import io
import random
import resource
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from i2i.errors import DataError
from i2i.images import SUFFIXES, header, read, read_picture

MEMORY = 3 * 2**30
"""Bytes of address space of the process."""

MODES = ("rgb", "gray", "labels", "channels")


def originals() -> dict[str, bytes]:
    """A small valid file of each kind that can be written, by a name with its suffix."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
    deep = rng.integers(0, 65536, (20, 24, 3), dtype=np.uint16)
    pictures = {
        mode: Image.fromarray(rgb).convert(mode)
        for mode in ("RGB", "L", "P", "1", "CMYK", "RGBA", "LA")
    }
    pictures["I;16"] = Image.fromarray(deep[..., 0])
    files: dict[str, bytes] = {}
    suffixes = {form: suffix for suffix, form in Image.registered_extensions().items()}
    for form in sorted(Image.SAVE):
        if suffixes.get(form) not in SUFFIXES:
            continue
        for mode, picture in pictures.items():
            with suppress(Exception):  # not every format has every mode
                files[f"{form}-{mode}{suffixes[form]}"] = _saved(picture, form)
    first, *others = (Image.fromarray(rgb // n) for n in (1, 2, 3))
    for form in ("GIF", "PNG", "WEBP", "TIFF", "MPO", "AVIF"):
        with suppress(Exception):
            content = _saved(first, form, save_all=True, append_images=others)
            files[f"{form}-frames{suffixes[form]}"] = content
    for packing in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "tiff_deflate"):
        files[f"TIFF-{packing}.tif"] = _saved(first, "TIFF", compression=packing)
    files["TIFF-group4.tif"] = _saved(pictures["1"], "TIFF", compression="group4")
    files["JPEG-progressive.jpg"] = _saved(
        first, "JPEG", progressive=True, exif=_exif(), dpi=(9, 9)
    )
    files["PNG-tagged.png"] = _saved(first, "PNG", exif=_exif(), icc_profile=bytes(200))
    files["WEBP-lossless.webp"] = _saved(first, "WEBP", lossless=True, exif=_exif())
    for name, samples, options in (
        ("deep", deep, {"photometric": "rgb", "compression": "zlib", "predictor": True}),
        ("floats", deep[..., 0].astype(np.float32), {}),
        ("signed", deep[..., 0].astype(np.int16), {"byteorder": ">", "compression": "zlib"}),
        ("wide", deep[..., 0].astype(np.uint32), {"tile": (16, 16)}),
        ("bands", rng.integers(0, 256, (20, 24, 6), dtype=np.uint8), {"planarconfig": "contig"}),
        ("big", rgb, {"photometric": "rgb", "bigtiff": True}),
    ):
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, samples, **options)
        files[f"TIFF-{name}.tif"] = buffer.getvalue()
    for dtype in (np.uint8, ">u2", np.float64, np.bool_):
        buffer = io.BytesIO()
        np.save(buffer, rgb.astype(dtype))
        files[f"npy-{np.dtype(dtype).name}.npy"] = buffer.getvalue()
    return files


def _saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[274], exif[305] = 6, "a camera"
    exif.get_ifd(34853)[1] = "N"
    return exif


def damaged(content: bytes, random: random.Random) -> bytes:
    """Flip bits, set bytes, repeat, remove and cut; mostly near the beginning."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 6)):
        near = random.choice((len(changed), min(len(changed), 200)))
        place = random.randrange(near) if near else 0
        part = slice(place, place + random.randint(1, 16))
        match random.randrange(6):
            case 0 | 1 if changed:
                changed[place] ^= 1 << random.randrange(8)
            case 2 if changed:
                changed[place] = random.choice((0, 1, 127, 128, 255))
            case 3:
                changed[part] = random.choice((b"\0", b"\xff")) * len(changed[part])
            case 4:
                changed[part] = changed[part] * random.randint(0, 3)
            case 5:
                del changed[random.randrange(len(changed) + 1) :]
    return bytes(changed)


def wrong(path: Path, random: random.Random) -> Iterator[str]:
    """What is wrong with how a file is read or refused."""
    mode: Any = random.choice(MODES)
    for what, reading in (
        ("header", lambda: header(path, mode)),
        ("read", lambda: read(path, mode, depth=random.choice((8, 16)))),
        ("picture", lambda: read_picture(path, mode, float_range=(0, 1000))),
    ):
        try:
            reading()
        except DataError as error:
            (problem,) = error.problems
            if str(path) not in problem or len(problem.splitlines()) > 1 or len(problem) > 600:
                yield f"{what} in {mode}: {problem}"
            if isinstance(error.__cause__, MemoryError):
                yield f"{what} in {mode}: asks for too much memory: {problem}"
        except Exception as error:
            yield f"{what} in {mode}: {type(error).__name__}: {error}"


def main(folder: Path, seed: int, count: int) -> None:
    """Read damaged files and print what is wrong."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    chance, files, read_at_all = random.Random(seed), originals(), 0
    names = sorted(files)
    for number in range(count):
        name = names[number % len(names)]
        path = folder / f"{number}-{name}"
        path.write_bytes(damaged(files[name], chance))
        problems = list(wrong(path, chance))
        with suppress(DataError):
            read(path, "channels", float_range=(0, 1))
            read_at_all += 1
        for problem in problems:
            print(f"{path.name} (seed {seed}): {problem}", flush=True)  # noqa: T201
        if not problems:
            path.unlink()
    print(f"{count} files of {len(names)} kinds, {read_at_all} read")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
