"""Pairs from your own folders: side by side in one image, or in two folders matched by name."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
from annotated_types import Ge, Interval

from i2i.datasets.dataset import SPLITS, Dataset, Pair, Single, Split
from i2i.datasets.folder_options import check_options, check_values
from i2i.datasets.layout import SIDES
from i2i.datasets.matching import Files, Matched, match
from i2i.datasets.sides import is_deeper, with_channels, with_palette
from i2i.datasets.splitting import split_of
from i2i.errors import DataError
from i2i.images import Mode, header, resize
from i2i.images.needs import advising
from i2i.images.pixels import Depth, FloatRange
from i2i.images.spec import ImageSpec
from i2i.images.types import Array, Size
from i2i.system.hashing import file_sha256

T = TypeVar("T")

Fraction = Annotated[float, Interval(ge=0, lt=1)]

_CHANNELS = {"rgb": 3, "gray": 1}


class Folders(Dataset):
    """Pairs of images from your own folders.

    There are two layouts. Side by side, one file contains both images of a pair as its halves.
    Otherwise the images of a pair are two files with the same name in two folders; the suffix may
    differ. These folders are recognised by the names `A` and `B`, `input` and `target`, `source`
    and `target` or `in` and `out`, or are named by `input_dir` and `target_dir`.

    Pairs are split by folders with the names `train` or `training`; `val`, `valid`, `validation` or
    `dev`; and `test` or `testing`. They may be above or inside the folders of inputs and targets,
    or be one with them, as in `trainA` and `trainB`. Without any such folder, pairs are split by a
    seeded hash of their names. Upper and lower case are the same in all these names.

    Subfolders are searched, except those of runs, studies and translations. Links must not lead
    out of `root`.

    Args:
        root: The folder with all the images.
        input_dir: Folder of the inputs inside `root`; without it, the folders' names decide.
        target_dir: Folder of the targets inside `root`.
        side_by_side: Whether pairs are side by side; without it, the folders' names decide.
        input_side: Which half of a side-by-side image is the input.
        input_mode: How inputs are read: `rgb`, `gray`, `labels` (class indices, converted to one
            channel per class), or `channels` (all channels of the file, any number).
        target_mode: How targets are read.
        input_classes: The number of classes, for `labels`.
        target_classes: The number of classes, for `labels`.
        depth: Bits per channel, 8 or 16.
        background: The colour behind transparent pixels.
        float_range: The values of black and white in the files, of any type. Between files of 8
            bits and their deeper partners, it holds only for the deeper ones.
        input_float_range: The same for inputs alone.
        target_float_range: The same for targets alone.
        val_fraction: Fraction of the pairs for validation, if there are no split folders.
        test_fraction: Fraction of the pairs for testing, if there are no split folders.
        split_seed: The seed of the hash; another seed gives another split.
        paired: The recipe's `data.paired`.

    Raises:
        DataError: If folders are missing, their names have several meanings, or options don't fit
            together.
    """

    def __init__(
        self,
        root: Path,
        *,
        input_dir: str | None = None,
        target_dir: str | None = None,
        side_by_side: bool | None = None,
        input_side: Literal["left", "right"] = "left",
        input_mode: Mode = "rgb",
        target_mode: Mode = "rgb",
        input_classes: Annotated[int, Interval(ge=2, le=256)] | None = None,
        target_classes: Annotated[int, Interval(ge=2, le=256)] | None = None,
        depth: Depth = 8,
        background: str = "white",
        float_range: FloatRange | None = None,
        input_float_range: FloatRange | None = None,
        target_float_range: FloatRange | None = None,
        val_fraction: Fraction = 0.1,
        test_fraction: Fraction = 0.1,
        split_seed: Annotated[int, Ge(0)] = 0,
        paired: bool | None = None,
    ) -> None:
        check_options(
            root,
            (input_dir, target_dir),
            side_by_side,
            (input_mode, target_mode),
            (input_classes, target_classes),
        )
        check_values(
            background,
            float_range=float_range,
            input_float_range=input_float_range,
            target_float_range=target_float_range,
        )
        self.root = root
        ranges = (input_float_range, target_float_range)
        modes, classes = (input_mode, target_mode), (input_classes, target_classes)
        inputs, targets = (
            ImageSpec(n or _CHANNELS.get(mode, 0), mode, depth, background, own or float_range, n)
            for mode, n, own in zip(modes, classes, ranges, strict=True)
        )
        self.specs: tuple[ImageSpec, ImageSpec] = inputs, targets
        self.dtype = np.uint8 if depth == 8 else np.uint16
        dirs = (input_dir, target_dir) if input_dir and target_dir else None
        found = match(root, dirs, side_by_side, paired)
        self.input_half = None if found.layout.two_folders else input_side
        self.remarks = (found.layout.describe(input_side, found.singles), *found.left_out)
        part = partial(split_of, seed=split_seed, val=val_fraction, test=test_fraction)
        self._matched = _divided(found.pairs, part)
        self._singles = [
            _divided({split: sides[i] for split, sides in found.singles.items()}, part)
            for i in range(2)
        ]
        self.paired = not any(side["train"] for side in self._singles)
        self._check_files(found)
        every = [files for split in SPLITS for _, files in sorted(self._matched[split].items())]
        self._files = [files[0] for files in every], [files[-1] for files in every]
        for files, side in zip(self._files, self._singles, strict=True):
            files += [file for split in SPLITS for _, file in sorted(side[split].items())]
        inputs, targets = map(with_channels, self.specs, self._files, (root, root))
        self.specs = inputs, targets
        # How files are read, for the digests; in version 0.1's text, so that its runs resume.
        self._options = repr((self.specs, self.input_half)).replace("ImageSpec(", "Side(")
        self.specs = self._as_found(ranges)
        self.input_channels, self.target_channels = (spec.channels for spec in self.specs)

    def pairs(self, split: Split) -> list[Pair]:
        """The pairs of a split, ordered by name; see `Dataset.pairs`."""
        return [
            Pair(
                name,
                partial(self._load, files),
                partial(_digest, files, self._options),
                files,
            )
            for name, files in sorted(self._matched[split].items())
        ]

    def singles(self, split: Split) -> tuple[list[Single], list[Single]]:
        """The unpaired inputs and targets of a split, ordered by name; see `Dataset.singles`."""
        inputs, targets = (
            [
                Single(
                    name,
                    partial(_load_single, self.specs[i], side, file),
                    partial(_digest, (file,), f"{self._options} {side}"),
                    (file,),
                )
                for name, file in sorted(self._singles[i][split].items())
            ]
            for i, side in enumerate(SIDES)
        )
        return inputs, targets

    def _check_files(self, found: Matched) -> None:
        """Raise a DataError with the problems found and those of sizes, if there are any."""
        problems = found.problems
        every = [files for split in self._matched.values() for files in split.values()]
        for files in every:
            problems += self._size_problems(files)
        if not problems and not every and not found.singles:
            problems = [f"{self.root}: there are no images in it", *self.remarks[1:]]
        if problems:
            raise DataError(problems)

    def _size_problems(self, files: Files) -> Iterable[str]:
        """Problems with the sizes in file headers; `decode` reports unreadable files."""
        try:
            sizes = [
                header(file, spec.mode).size for file, spec in zip(files, self.specs, strict=False)
            ]
        except DataError as error:
            return [p for p in error.problems if "frames or pages" in p]
        if len(files) == 1 and sizes[0][1] % 2:
            return [f"{files[0]}: is {sizes[0][1]} pixels wide; side by side needs an even width"]
        if len(set(sizes)) > 1:
            (h0, w0), (h1, w1) = sizes
            return [f"{files[0]}: is {h0}x{w0}, but its partner {files[1]} is {h1}x{w1}"]
        return []

    def _as_found(self, ranges: tuple[FloatRange | None, ...]) -> tuple[ImageSpec, ImageSpec]:
        """The specs with palettes; a shared range doesn't hold for 8 bits beside a deeper side."""
        deep = [is_deeper(*side) for side in zip(self.specs, self._files, strict=True)]
        specs = [
            replace(spec, float_range=own) if max(deep) and not is_deep else spec
            for spec, own, is_deep in zip(self.specs, ranges, deep, strict=True)
        ]
        inputs, targets = map(with_palette, specs, self._files)
        return inputs, targets

    def _load(self, files: Files, size: Size) -> tuple[Array, Array]:
        inputs, targets = self.specs
        if len(files) == 2:
            images = _read(inputs, "input", files[0]), _read(targets, "target", files[1])
        else:
            whole = [_read(inputs, "input", files[0])]
            whole.append(whole[0] if inputs == targets else _read(targets, "target", files[0]))
            half = whole[0].shape[1] // 2
            left, right = slice(0, half), slice(half, None)
            if self.input_half == "right":
                left, right = right, left
            images = whole[0][:, left], whole[1][:, right]
        return (
            _resized(images[0], size, inputs, files[0]),
            _resized(images[1], size, targets, files[-1]),
        )


def _divided(
    found: Mapping[Split | None, Mapping[str, T]], part: Callable[[str], Split]
) -> dict[Split, dict[str, T]]:
    """Files by split and name; `part` divides those that are not split yet."""
    divided: dict[Split, dict[str, T]] = {split: {} for split in SPLITS}
    for split, named in found.items():
        for name, files in named.items():
            divided[split or part(name)][name] = files
    return divided


def _load_single(spec: ImageSpec, side: str, file: Path, size: Size) -> Array:
    return _resized(_read(spec, side, file), size, spec, file)


def _read(spec: ImageSpec, side: str, file: Path) -> Array:
    black_and_white = "set data.float_range = [black, white]"
    with advising(float_range=black_and_white, mode=f'set data.{side}_mode = "channels"'):
        return spec.read(file)


def _resized(image: Array, size: Size, spec: ImageSpec, path: Path) -> Array:
    return spec.spread(resize(image, size, labels=spec.mode == "labels"), path)


def _digest(files: Files, options: str) -> bytes:
    """The SHA-256 of files and of the options for reading them."""
    whole = hashlib.sha256(options.encode())
    for file in files:
        try:
            whole.update(bytes.fromhex(file_sha256(file)))
        except OSError as error:
            raise DataError([f"{file}: {error.strerror}"]) from error
    return whole.digest()
