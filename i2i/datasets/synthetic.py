"""Procedural facades: seeded label maps in the twelve CMP classes, and their rendered images."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from i2i.datasets.dataset import SPLITS, Dataset, Pair, Split
from i2i.images.types import Array, Size
from i2i.randomness import Stream, rng

CLASSES = {
    "background": (0, 0, 222),
    "facade": (0, 48, 255),
    "window": (0, 128, 255),
    "door": (0, 208, 255),
    "cornice": (32, 255, 224),
    "sill": (112, 255, 144),
    "balcony": (192, 255, 64),
    "blind": (255, 240, 0),
    "deco": (255, 160, 0),
    "molding": (255, 80, 0),
    "pillar": (255, 0, 0),
    "shop": (172, 0, 0),
}
"""The twelve classes, with their colours as measured in the label maps of the CMP facades."""

_Box = tuple[float, float, float, float]
"""Top, left, bottom and right, as fractions of the height and width."""

_INDEX = {name: i for i, name in enumerate(CLASSES)}
_PALETTE = np.array(list(CLASSES.values()), np.uint8)
_VERSION = 2

_WALLS = np.array(
    [(188, 168, 140), (201, 190, 172), (172, 120, 98), (214, 200, 160), (150, 150, 148)]
)
_DOORS = np.array([(92, 60, 40), (54, 66, 58), (96, 34, 32), (60, 62, 72)])
_BLINDS = np.array([(86, 110, 96), (120, 84, 62), (206, 206, 200), (74, 84, 108)])


class Synthetic(Dataset):
    """Procedural facades of any size, without files; a seed gives the same images on all machines.

    The label maps show floors, bays, windows with sills, blinds and balconies, doors, shops,
    cornices and pillars in the CMP label colours. The images are rendered from the maps, with
    shaded glass, lit and shadowed edges, and a random colour and grain for the wall. Use this data
    for tests and first tries only: results on it say nothing about photos.

    Args:
        train: Number of training pairs.
        val: Number of validation pairs.
        test: Number of test pairs.
        seed: The seed of the buildings.
        direction: Which image is the input: the label map or the photo.
    """

    credit = "Procedural pictures made by i2i, free of rights"
    palette = CLASSES

    example_options: ClassVar[Mapping[str, Any]] = {"train": 6, "val": 3, "test": 3}

    def __init__(
        self,
        *,
        train: Annotated[int, Ge(0)] = 400,
        val: Annotated[int, Ge(0)] = 100,
        test: Annotated[int, Ge(0)] = 106,
        seed: Annotated[int, Ge(0)] = 0,
        direction: Literal["label_to_photo", "photo_to_label"] = "label_to_photo",
    ) -> None:
        self.counts: dict[Split, int] = {"train": train, "val": val, "test": test}
        self.seed = seed
        self.direction = direction
        self.labels_side = "input" if direction == "label_to_photo" else "target"

    def pairs(self, split: Split) -> list[Pair]:
        """The pairs of a split; see `Dataset.pairs`."""
        return [
            Pair(f"{i:05d}", partial(self._draw, split, i), partial(self._digest, split, i))
            for i in range(self.counts[split])
        ]

    def _digest(self, split: Split, index: int) -> bytes:
        what = f"synthetic {_VERSION} {self.seed} {split} {index} {self.direction}"
        return hashlib.sha256(what.encode()).digest()

    def _draw(self, split: Split, index: int, size: Size) -> tuple[Array, Array]:
        random = rng(Stream.SYNTHETIC, self.seed, SPLITS.index(split), index)
        canvas = _Canvas(size)
        _building(canvas, random)
        label, photo = _PALETTE[canvas.labels], _rendered(canvas, random)
        return (label, photo) if self.direction == "label_to_photo" else (photo, label)


@dataclass
class _Canvas:
    """A label map while it is drawn; positions are fractions of the height and width."""

    size: Size
    labels: NDArray[np.uint8] = field(init=False)
    depth: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.labels = np.zeros(self.size, np.uint8)
        self.depth = np.zeros(self.size)

    def box(
        self, name: str, top: float, left: float, bottom: float, right: float, relief: float = 0.0
    ) -> None:
        """Fill a rectangle; `relief` is its height above the wall, for shadows."""
        height, width = self.size
        rows = slice(round(top * height), max(round(bottom * height), round(top * height) + 1))
        columns = slice(round(left * width), max(round(right * width), round(left * width) + 1))
        self.labels[rows, columns] = _INDEX[name]
        self.depth[rows, columns] = relief


def _building(canvas: _Canvas, random: np.random.Generator) -> None:
    """Draw a building with regular bays and floors."""
    top, left, right = (
        random.uniform(0.02, 0.14),
        random.uniform(0, 0.08),
        1 - random.uniform(0, 0.08),
    )
    ground = 1 - random.uniform(0.17, 0.24)
    bays = int(random.integers(3, 7))
    canvas.box("facade", top, left, 1.0, right)
    canvas.box("cornice", top, left, top + random.uniform(0.025, 0.05), right, 2.0)
    if random.random() < 0.5:
        canvas.box("molding", ground - 0.02, left, ground, right, 1.0)
    _floors(canvas, random, (top + 0.06, left, ground, right), bays)
    if random.random() < 0.35:
        for x in np.linspace(left, right - 0.024, bays + 1):
            canvas.box("pillar", top + 0.05, x, ground - 0.02, x + 0.024, 1.5)
    _ground_floor(canvas, random, (ground, left, 1.0, right), bays)


def _floors(canvas: _Canvas, random: np.random.Generator, area: _Box, bays: int) -> None:
    """Draw rows of windows, with the sills, blinds, balconies and decoration of this building."""
    top, left, bottom, right = area
    floors = int(random.integers(3, 6))
    has_sill, has_blind, has_balcony, has_deco = random.random(4) < (0.7, 0.4, 0.4, 0.5)
    floor, bay = (bottom - 0.01 - top) / floors, (right - left) / bays
    height, width = floor * random.uniform(0.5, 0.68), bay * random.uniform(0.38, 0.6)
    with_balcony = random.random(floors) < 0.5
    with_blind = random.random((floors, bays)) < 0.5
    for f, b in np.ndindex(floors, bays):
        y = top + f * floor + (floor - height) / 2
        x = left + b * bay + (bay - width) / 2
        if has_deco:
            canvas.box("deco", y - 0.022, x - 0.008, y, x + width + 0.008, 1.0)
        canvas.box("window", y, x, y + height, x + width, -1.5)
        if has_blind and with_blind[f, b]:
            canvas.box("blind", y, x, y + height * random.uniform(0.3, 0.7), x + width, -0.5)
        if has_sill:
            canvas.box("sill", y + height, x - 0.01, y + height + 0.014, x + width + 0.01, 1.5)
        if has_balcony and with_balcony[f]:
            canvas.box("balcony", y + height * 0.62, x - 0.02, y + height, x + width + 0.02, 2.5)


def _ground_floor(canvas: _Canvas, random: np.random.Generator, area: _Box, bays: int) -> None:
    """Draw a door, with shops or windows beside it."""
    top, left, bottom, right = area
    bay = (right - left) / bays
    door, has_shops = int(random.integers(bays)), random.random() < 0.5
    for b in range(bays):
        x = left + b * bay
        if b == door:
            canvas.box("door", top + 0.03, x + bay * 0.25, bottom, x + bay * 0.75, -1.0)
        elif has_shops:
            canvas.box("shop", top + 0.025, x + bay * 0.08, bottom - 0.04, x + bay * 0.92, -1.0)
        else:
            canvas.box("window", top + 0.05, x + bay * 0.28, bottom - 0.07, x + bay * 0.72, -1.5)


def _rendered(canvas: _Canvas, random: np.random.Generator) -> Array:
    """Render the label map: material colours, light from the upper left, grain."""
    height, width = canvas.size
    y = np.linspace(0, 1, height)[:, None, None]
    x = np.linspace(0, 1, width)[None, :, None]
    wall = _WALLS[random.integers(len(_WALLS))] * random.uniform(0.85, 1.1)
    trim = np.minimum(wall * random.uniform(1.1, 1.3) + 12, 245)
    courses = 0.97 + 0.03 * (np.sin(y * random.uniform(150, 260)) > -0.6)
    glass = np.array([64, 78, 92]) * (1.35 - 0.6 * y + 0.25 * np.sin(8 * x + 5 * y))
    sky = np.array([150, 182, 214]) * (1.12 - 0.5 * y) + 20 * random.random()
    railing = np.array([46, 46, 50]) + 70 * (np.sin(x * 260) > 0.35)
    slats = _BLINDS[random.integers(len(_BLINDS))] * (0.85 + 0.15 * np.sin(y * 420))
    shop = np.array([88, 84, 78]) + np.array([90, 72, 40]) * (0.5 + 0.5 * np.sin(17 * x) * y)
    materials = {
        "background": sky,
        "facade": wall * courses,
        "window": glass,
        "door": _DOORS[random.integers(len(_DOORS))] * (0.9 + 0.2 * (np.sin(x * 90) > 0)),
        "cornice": trim,
        "sill": trim * 0.96,
        "balcony": railing,
        "blind": slats,
        "deco": trim * 0.98,
        "molding": trim * 0.94,
        "pillar": trim * 0.9,
        "shop": shop,
    }
    picture = np.zeros((height, width, 3))
    for name, material in materials.items():
        mask = canvas.labels == _INDEX[name]
        picture[mask] = np.broadcast_to(material, picture.shape)[mask]
    picture *= _light(canvas)[..., None]
    picture *= 1.06 - 0.18 * y + 0.08 * (x - 0.5) * random.choice([-1, 1])
    picture += random.normal(0, 3.5, (height, width, 1))
    rendered: Array = np.rint(picture.clip(0, 255)).astype(np.uint8)
    return rendered


def _light(canvas: _Canvas) -> NDArray[np.float64]:
    """The light of each pixel: edges towards the upper left are lit, raised parts cast shadows."""
    depth = canvas.depth
    light = np.ones(canvas.size)
    reach = max(1, round(canvas.size[0] / 110))
    for step in range(1, reach + 1):
        above = np.roll(depth, (step, step), (0, 1))
        above[:step], above[:, :step] = depth[:step], depth[:, :step]
        light -= 0.22 / reach * np.clip(above - depth, 0, 2)
        light += 0.09 / reach * np.clip(depth - above, 0, 2)
    lit: NDArray[np.float64] = light.clip(0.35, 1.25)
    return lit
