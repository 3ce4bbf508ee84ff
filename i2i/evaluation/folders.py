"""Computes metrics between the images of two folders."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from i2i.errors import DataError
from i2i.evaluation.collection import MetricCollection
from i2i.evaluation.reading import AS_COLOUR, Reading
from i2i.evaluation.results import described
from i2i.images import header
from i2i.images.compression import is_lossy
from i2i.images.kinds import left_out
from i2i.images.listing import by_name, images_below
from i2i.images.types import Array
from i2i.metrics.metric import Role
from i2i.system.console import track
from i2i.system.hashing import file_sha256, text_sha256
from i2i.system.prefetch import prefetch

AHEAD = 32
"""Maximum number of images decoded in advance."""

WORKERS = 2

BATCH = 16


@dataclass
class Folder:
    """The images of a folder.

    Args:
        path: The folder; subfolders are searched too.
        files: The files by their path relative to the folder, without suffix, sorted by this path.
        bad: Files that can't be read, by the same path, with the reason.
        left_out: A line for each kind of files that i2i does not read.
    """

    path: Path
    files: dict[str, Path]
    bad: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def good(self) -> list[Path]:
        """The files except those that could not be read so far."""
        return [file for name, file in self.files.items() if name not in self.bad]


def evaluate_folders(
    outputs: Path,
    targets: Path,
    *,
    metrics: Sequence[str],
    inputs: Path | None = None,
    on_bad: Literal["error", "skip"] = "error",
    mixed_formats: bool = False,
    reading: Reading = AS_COLOUR,
    device: torch.device | None = None,
) -> dict[str, Any]:
    """Compare the images in one folder with the images in another.

    Metrics that compare pair by pair match files by name, without the suffix. Other metrics compare
    the folders as sets. Images are read as 8-bit RGB: transparent pixels over white, EXIF
    orientation applied, 16 bits rounded to 8. `reading` changes this.

    Args:
        outputs: The folder of translations to evaluate.
        targets: The folder of targets.
        metrics: Metrics as recipes name them.
        inputs: The folder of inputs, for metrics that need them.
        on_bad: Whether an image that can't be read is an error or is skipped and reported.
        mixed_formats: Whether to allow images that are compressed with loss, such as JPEG, among
            or against lossless ones. Compression changes the values of metrics.
        reading: How all images are read.
        device: Where to compute; the CPU by default.

    Returns:
        The document for `metrics.json`.

    Raises:
        DataError: If images can't be read, have no partner or differ from their partner in size
            (the error lists all of them); if a folder is empty; or if formats are mixed.
    """
    device = device or torch.device("cpu")
    folders: dict[Role, Folder] = {
        "output": _listed(outputs, on_bad),
        "target": _listed(targets, on_bad),
    }
    if inputs is not None:
        folders["input"] = _listed(inputs, on_bad)
    if not mixed_formats:
        _check_formats(folders["output"], folders["target"])
    contents = _digests(folders["target"])
    settings = [f"{key}={value}" for key, value in reading.settings().items()]
    content = text_sha256("\n".join([*contents.values(), *settings]))
    collection = MetricCollection(metrics, content, device)
    if collection.paired:
        _check_partners(folders, reading)
        _feed(folders, collection.update_pairs, on_bad, reading, device)
    if collection.sets:
        outputs_alone: dict[Role, Folder] = {"output": folders["output"]}
        _feed(
            outputs_alone, lambda i: collection.update_outputs(i["output"]), on_bad, reading, device
        )
    if collection.targets_needed:
        targets_alone: dict[Role, Folder] = {"target": folders["target"]}
        _feed(
            targets_alone, lambda i: collection.update_targets(i["target"]), on_bad, reading, device
        )
    bad = [why for folder in folders.values() for why in folder.bad.values()]
    if bad and on_bad == "error":
        raise DataError(list(dict.fromkeys(bad)))
    readable = [digest for name, digest in contents.items() if name not in folders["target"].bad]
    compared = {
        "targets": text_sha256("\n".join(readable)),
        "size": _sizes(folders["output"].good + folders["target"].good),
        "images": {f"{role}s": len(folder.good) for role, folder in folders.items()},
        **reading.settings(),
    }
    return {
        "outputs": str(outputs),
        "targets": str(targets),
        "images": len(folders["output"].good),
        "skipped": {str(folder.path): folder.bad for folder in folders.values() if folder.bad},
        "left_out": [line for folder in folders.values() for line in folder.left_out],
        **described(collection.results(keep=not folders["target"].bad), compared),
    }


def _listed(folder: Path, on_bad: Literal["error", "skip"]) -> Folder:
    """List the images in a folder.

    Raises:
        DataError: If there are no images, if two images differ only in their suffix, or if links
            can't be followed and are not skipped.
    """
    if not folder.is_dir():
        raise DataError([f"{folder}: there is no such folder"])
    found = images_below(folder)
    files, problems = by_name(found.files)
    unread = left_out({str(file): kind for file, kind in found.unread.items()})
    if on_bad == "error":
        problems += found.problems.values()
    if not files:
        problems.append(
            f"{folder}: contains no images; metrics of pairs need at least 1 image in each folder, "
            "distances between sets (fid, kid) at least 2"
        )
        problems += unread
    if problems:
        raise DataError(problems)
    bad = {file.relative_to(folder).as_posix(): why for file, why in found.problems.items()}
    return Folder(folder, files, bad, unread)


def _check_formats(outputs: Folder, targets: Folder) -> None:
    """Raise a DataError if some images are compressed with loss and others are not.

    If both folders have a mix, each pair must have two images of one kind.
    """
    ours, theirs = _lossy(outputs), _lossy(targets)
    if ours == theirs or len({*ours.values(), *theirs.values()}) < 2:
        return
    counts = " and ".join(
        f"{sum(found.values()):,} of {len(found):,} images in {folder.path}"
        for folder, found in ((outputs, ours), (targets, theirs))
    )
    raise DataError(
        [
            f"{counts} are compressed with loss (JPEG, or lossy WebP, AVIF and others), which "
            "changes metrics: save all in one format, or allow this with --mixed-formats"
        ]
    )


def _lossy(folder: Folder) -> dict[str, bool]:
    """Whether each image is compressed with loss; unreadable files are reported when read."""
    found = {}
    for name, file in folder.files.items():
        with suppress(DataError, OSError):
            header(file)
            found[name] = is_lossy(file)
    return found


def _check_partners(folders: dict[Role, Folder], reading: Reading) -> None:
    """Raise a DataError that lists images without a partner, or pairs that differ in shape."""
    problems = [
        f"{file}: has no partner in {other.path}"
        for one in folders.values()
        for other in folders.values()
        for name, file in one.files.items()
        if name not in other.files
    ]
    if len(folders) > 1 and not problems:
        for name in folders["output"].files:
            problems += _shape_problems([f.files[name] for f in folders.values()], reading)
    if problems:
        raise DataError(problems)


def _shape_problems(files: list[Path], reading: Reading) -> list[str]:
    """List differences by the file headers; a damaged file is reported when it is read."""
    try:
        shapes = [reading.shape(file) for file in files]
    except DataError:
        return []
    return [
        f"{files[0]}: is {shapes[0]}, but its partner {file} is {shape}"
        for file, shape in zip(files[1:], shapes[1:], strict=True)
        if shape != shapes[0]
    ]


def _digests(folder: Folder) -> dict[str, str]:
    """Compute the SHA-256 of each file."""
    found = {}
    for name, file in folder.files.items():
        try:
            found[name] = file_sha256(file)
        except OSError as error:
            raise DataError([f"{file}: {error.strerror}"]) from error
    return found


def _sizes(files: list[Path]) -> list[str]:
    return sorted({"{}x{}".format(*header(file).size) for file in files})


def _feed(
    folders: dict[Role, Folder],
    update: Callable[[dict[Role, Tensor]], None],
    on_bad: Literal["error", "skip"],
    reading: Reading,
    device: torch.device,
) -> None:
    """Call `update` with the images of the folders, batch by batch."""
    what = " and ".join(f"{role}s" for role in folders)
    with track(f"measuring {what}", max(len(f.files) for f in folders.values())) as advance:
        for batch in _batches(folders, on_bad, reading):
            update({role: images.to(device) for role, images in batch.items()})
            advance(len(next(iter(batch.values()))))


def _batches(
    folders: dict[Role, Folder], on_bad: Literal["error", "skip"], reading: Reading
) -> Iterator[dict[Role, Tensor]]:
    """Yield batches `(N, C, H, W)` uint8 of images that have the same name in all folders.

    All images of a batch have one size. An image that can't be read is recorded in its folder's
    `bad`. With `on_bad="error"` no batch follows such an image, but the remaining files are still
    read, so that the error can list all bad files.
    """
    names = list(next(iter(folders.values())).files)

    def decoded(name: str) -> dict[Role, Array] | None:
        images: dict[Role, Array] = {}
        for role, folder in folders.items():
            try:
                images[role] = reading.read(folder.files[name])
            except DataError as error:
                folder.bad[name] = "; ".join(error.problems)
        return images if len(images) == len(folders) else None

    good = (
        images
        for images in prefetch(decoded, names, count=AHEAD, workers=WORKERS)
        if images is not None
    )
    for _, alike in groupby(good, key=lambda images: next(iter(images.values())).shape):
        while batch := list(islice(alike, BATCH)):
            if on_bad == "skip" or not any(folder.bad for folder in folders.values()):
                yield {role: _stacked([images[role] for images in batch]) for role in folders}


def _stacked(images: list[Array]) -> Tensor:
    return torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2))
