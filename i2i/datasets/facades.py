"""The CMP facades with the splits of the pix2pix paper: 400 train, 100 val and 106 test pairs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from i2i.datasets.dataset import Dataset, Pair, Split
from i2i.datasets.facades_archive import ARCHIVE, fetched
from i2i.datasets.folders import Folders
from i2i.datasets.synthetic import CLASSES, Synthetic
from i2i.errors import DataError


class Facades(Dataset):
    """Label maps and photos of facades, 256 x 256 each.

    CMP Facade Database: R. Tyleček and R. Šára, "Spatial Pattern Templates for Recognition of
    Objects with Regular Structure", GCPR 2013; in the form of Isola et al. 2017.

    Args:
        root: A folder with `train`, `val` and `test` from the official archive. Without it, the
            archive is downloaded once, verified by the SHA-256 of its contents and stored in the
            user's cache.
        direction: Which image is the input: the label map or the photo.
        fallback: What to do if the archive can't be downloaded: `error`, or continue with
            `synthetic` images. The console, environment.json and the report then show a notice.
        url: The address of the archive, a .tar.gz.

    Raises:
        DataError: If the data is unavailable and there is no fallback.
    """

    credit = (
        "CMP Facade Database (R. Tyleček and R. Šára, GCPR 2013), in the form of Isola et al., "
        "CVPR 2017; for research"
    )
    palette = CLASSES
    example_options: ClassVar[Mapping[str, Any]] = {"url": "file:///none", "fallback": "synthetic"}

    def __init__(
        self,
        root: Path | None = None,
        *,
        direction: Literal["label_to_photo", "photo_to_label"] = "label_to_photo",
        fallback: Literal["error", "synthetic"] = "error",
        url: str = ARCHIVE,
    ) -> None:
        self.labels_side = "input" if direction == "label_to_photo" else "target"
        self._data: Dataset
        try:
            folder = root if root is not None else fetched(url)
        except OSError as error:
            reason = f"{url} can't be fetched: {error}"
            if fallback == "error":
                raise DataError(
                    [
                        f"facades: {reason}. Set data.root to a folder with the data, or "
                        'data.fallback to "synthetic" to continue with procedural images'
                    ]
                ) from error
            self._data = Synthetic(direction=direction)
            self.credit = self._data.credit
            self.notice = (
                "SYNTHETIC stand-in: these are procedural images, not the CMP facades, and "
                f"results say nothing about the CMP facades ({reason})"
            )
        else:
            side: Literal["left", "right"] = "right" if direction == "label_to_photo" else "left"
            self._data = Folders(folder, side_by_side=True, input_side=side)
            self.input_half = side
            self.remarks = self._data.remarks

    def pairs(self, split: Split) -> list[Pair]:
        """The pairs of a split; see `Dataset.pairs`."""
        return self._data.pairs(split)
