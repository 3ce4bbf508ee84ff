"""The outputs' colours against the targets': whether they come as often."""

from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from i2i.errors import DataError
from i2i.metrics.bootstrap import significant, times_drawn
from i2i.metrics.metric import Metric

BIN_WIDTH = 2


class Axis(NamedTuple):
    """One axis of L*a*b*: where its bins begin and end."""

    low: int
    high: int

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return (self.high - self.low) // BIN_WIDTH


AXES = {"L": Axis(0, 100), "a": Axis(-111, 111), "b": Axis(-111, 111)}

BINS = [axis.bins for axis in AXES.values()]

RGB_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
"""IEC 61966-2-1:1999, sRGB. Its rows' sums are the white point, D65."""


class LabHistogram(Metric):
    """Intersection of the outputs' and the targets' colour histograms in L*a*b*, from 0 to 1.

    After Figure 7 of Isola et al. 2017 (section 4.2, Colorfulness): the marginal distributions of
    all the outputs' pixels in L, a and b against those of all the targets' pixels. The intersection
    of two normalised histograms (Swain and Ballard 1991) is the sum of their bins' minima: 1 where
    they are equal, 0 where they share no bin. The value is the mean over L, a and b, whose own
    intersections are in `details`, with the histograms themselves.

    The paper gives an intersection for each axis, on Cityscapes, and leaves open the bins, the
    white point and how images weigh. Here bins are 2 units wide, L in 50 from 0 to 100, a and b in
    111 from −111 to 111, so that gray lies in the middle of a bin and not on an edge; what is
    beyond counts in the last bin, but no colour of sRGB is. Every pixel weighs the same. The
    mean of the three is ours, too, so compare the paper's numbers axis by axis, and only as to
    order: its data and bins are others.
    """

    higher_is_better = True

    def __init__(self) -> None:
        self._outputs, self._targets = (torch.zeros(0, sum(BINS), dtype=torch.int64),) * 2

    def update(self, *images: Tensor) -> None:
        """Add outputs and targets: both uint8 (or uint16) sRGB `(N, 3, H, W)`.

        Raises:
            DataError: If images have other channels.
        """
        for role, batch in zip(("outputs", "targets"), images, strict=True):
            if batch.shape[1] != 3:
                raise DataError(
                    [
                        f"lab_histogram is taken of RGB images, and the {role} have "
                        f"{batch.shape[1]} channels instead of 3"
                    ]
                )
        output, target = (_counts(lab(batch)) for batch in images)
        self._outputs = torch.cat([self._outputs, output])
        self._targets = torch.cat([self._targets, target])

    def merge(self, other: Self) -> None:
        """Add what another one has gathered, as if it had come after one's own."""
        self._outputs = torch.cat([self._outputs, other._outputs])
        self._targets = torch.cat([self._targets, other._targets])

    def compute(self) -> float:
        """The mean of the three intersections.

        Raises:
            DataError: If there were no images.
        """
        if not len(self._outputs):
            raise DataError(["lab_histogram: needs at least 1 image"])
        return self._intersections().mean().item()

    def bootstrap(self, indices: Tensor) -> Tensor:
        """The value `(B,)` on bootstrap samples `(B, n)`, outputs and targets drawn together."""
        times = times_drawn(indices, len(self._outputs))
        outputs, targets = (times @ counts.double() for counts in (self._outputs, self._targets))
        return _intersections(outputs, targets).mean(dim=1)

    def details(self) -> Mapping[str, Any]:
        """The intersections in `L`, `a` and `b`, and the `histograms`.

        These are the shares of all pixels in equal bins over the axes' `ranges`, of `outputs` and
        of `targets`.
        """
        if not len(self._outputs):
            return {"pairs": 0}
        return {
            "pairs": len(self._outputs),
            **dict(zip(AXES, self._intersections().tolist(), strict=True)),
            "histograms": {
                "ranges": {name: list(axis) for name, axis in AXES.items()},
                "outputs": _shares(self._outputs),
                "targets": _shares(self._targets),
            },
        }

    def settings(self) -> Mapping[str, Any]:
        """The colour space, and the bins of every axis."""
        return {
            "space": "CIE 1976 L*a*b* of sRGB",
            "white": "D65",
            "dtype": "float32",
            "bins": {
                name: f"{axis.bins} from {axis.low} to {axis.high}" for name, axis in AXES.items()
            },
        }

    def _intersections(self) -> Tensor:
        return _intersections(self._outputs.sum(dim=0), self._targets.sum(dim=0))


def lab(images: Tensor) -> Tensor:
    """Colours in CIE 1976 L*a*b* under D65 (CIE 15:2004, section 8.2.1).

    Args:
        images: uint8 or uint16 sRGB `(N, 3, H, W)`.

    Returns:
        float32 `(N, 3, H, W)`: L from 0 to 100, a and b around 0, which is gray.
    """
    matrix = torch.tensor(RGB_TO_XYZ, dtype=torch.float64)
    relative_to_white = (matrix / matrix.sum(dim=1, keepdim=True)).float().to(images.device)
    light = _light(images.dtype).to(images.device)[images.long()]
    xyz = torch.einsum("ij,njhw->nihw", relative_to_white, light)
    edge = 6 / 29
    f = torch.where(xyz > edge**3, xyz.pow(1 / 3), xyz / (3 * edge**2) + 4 / 29)
    x, y, z = f.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


@cache
def _light(dtype: torch.dtype) -> Tensor:
    """The light that each value of sRGB stands for, from 0 to 1: IEC 61966-2-1:1999."""
    top = torch.iinfo(dtype).max
    value = torch.arange(top + 1, dtype=torch.float64) / top
    bent = ((value + 0.055) / 1.055) ** 2.4
    return torch.where(value <= 0.04045, value / 12.92, bent).float()


def _counts(colours: Tensor) -> Tensor:
    """How many pixels of each image are in each bin: `(N, bins of L, a and b)` on the CPU."""
    n, places = len(colours), sum(BINS)
    row = torch.arange(n, device=colours.device).reshape(n, 1, 1) * places
    found = []
    for i, (axis, start) in enumerate(zip(AXES.values(), accumulate([0, *BINS]), strict=False)):
        place = ((colours[:, i] - axis.low) / BIN_WIDTH).long().clamp_(0, axis.bins - 1)
        found.append((place + (row + start)).flatten())
    return torch.bincount(torch.cat(found), minlength=n * places).reshape(n, places).cpu()


def _intersections(outputs: Tensor, targets: Tensor) -> Tensor:
    """The intersections `(…, 3)` in L, a and b of counts `(…, bins)`."""
    pairs = zip(torch.split(outputs, BINS, -1), torch.split(targets, BINS, -1), strict=True)
    return torch.stack(
        [torch.minimum(_normalised(one), _normalised(other)).sum(-1) for one, other in pairs], -1
    )


def _normalised(counts: Tensor) -> Tensor:
    return counts.double() / counts.sum(-1, keepdim=True)


def _shares(counts: Tensor) -> dict[str, list[float]]:
    """The histogram of all images along each axis."""
    parts = torch.split(counts.sum(dim=0), BINS)
    return {name: significant(_normalised(part), 6) for name, part in zip(AXES, parts, strict=True)}
