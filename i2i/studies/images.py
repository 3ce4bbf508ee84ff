"""The images stored beside a study's records: some test pairs, and each run's outputs for them.

A pair's images are `pairs-HASH/input/NAME.png` and `pairs-HASH/target/NAME.png`. HASH is computed
from the content of all pairs, so runs on the same pairs share one folder. A run's outputs are
`RUN/NAME.png`.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from i2i.evaluation.samples import INPUT, TARGET, SampleFolder
from i2i.evaluation.split import OUTPUT
from i2i.images import read
from i2i.images.sheets import cells, spread
from i2i.images.types import Array
from i2i.run_folder import RunFolder
from i2i.system.files import safe_join, write_whole

ROWS = 6
"""Number of test pairs whose images are stored."""

Images = Mapping[str, Any]
"""A record's `images`: the pairs' `names`, and the folders `pairs` and `outputs`."""


def keep_images(record: Path, run: RunFolder) -> dict[str, Any]:
    """Copy some samples of a run's evaluation beside its record and return its `images`."""
    samples = SampleFolder(run.evaluation / "samples")
    every = samples.names
    names = [every[i] for i in spread(len(every), ROWS)]
    pairs = {
        f"{side}/{name}.png": samples.file(side, name).read_bytes()
        for side in (INPUT, TARGET)
        for name in names
    }
    digest = hashlib.sha256(b"".join(pairs.values())).hexdigest()[:12]
    outputs = {f"{name}.png": samples.file(OUTPUT, name).read_bytes() for name in names}
    _write(record.parent / f"pairs-{digest}", pairs)
    _write(record.with_suffix(""), outputs)
    return {"names": names, "pairs": f"pairs-{digest}", "outputs": record.stem}


def read_outputs(folder: Path, images: Images) -> list[Array]:
    """Read a run's outputs, one per pair.

    Args:
        folder: The folder of the records.
        images: The record's `images`.

    Raises:
        DataError: If an image can't be read.
    """
    if "size" in images:
        return [row[0] for row in _from_sheet(folder, images, "outputs")]
    outputs = safe_join(folder, images["outputs"])
    return [read(safe_join(outputs, f"{name}.png"), "rgb") for name in images["names"]]


def read_pairs(folder: Path, images: Images) -> list[list[Array]]:
    """Read the input and target of each pair; see `read_outputs`."""
    if "size" in images:
        return _from_sheet(folder, images, "pairs")
    pairs = SampleFolder(safe_join(folder, images["pairs"]))
    return [
        [read(pairs.file(side, name), "rgb") for side in (INPUT, TARGET)]
        for name in images["names"]
    ]


def copy_images(folder: Path, images: Images, record: Path) -> dict[str, Any]:
    """Copy the images of a record beside another record.

    Args:
        folder: The folder of the first record.
        images: The first record's `images`.
        record: The file of the other record.

    Returns:
        The other record's `images`.

    Raises:
        OSError: If the images can't be copied.
    """
    own = {**images, "outputs": record.with_suffix(".png" if "size" in images else "").name}
    for part in ("pairs", "outputs"):
        source, target = safe_join(folder, images[part]), record.with_name(own[part])
        files = [source] if source.is_file() else sorted(source.rglob("*.png"))
        if not files:
            raise OSError(f"{source}: has no images")
        for file in files:
            _write(target, {file.relative_to(source).as_posix(): file.read_bytes()})
    return own


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content)


def _from_sheet(folder: Path, images: Images, part: str) -> list[list[Array]]:
    """Read the images of a record of version 0.1, which stored them on sheets."""
    height, width = images["size"]
    return cells(read(safe_join(folder, images[part]), "rgb"), height, width)
