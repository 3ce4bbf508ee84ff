"""Compares how frequent each colour is in the outputs and in the targets."""

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
    """The range of the histogram on one axis of L*a*b*."""

    low: int
    high: int

    @property
    def bins(self) -> int:
        """Number of bins."""
        return (self.high - self.low) // BIN_WIDTH


AXES = {"L": Axis(0, 100), "a": Axis(-111, 111), "b": Axis(-111, 111)}

BINS = [axis.bins for axis in AXES.values()]

RGB_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
"""sRGB to XYZ, IEC 61966-2-1:1999. The sums of the rows are the white point, D65."""


class LabHistogram(Metric):
    """Overlap of output and target colour histograms in L*a*b*, from 0 to 1.

    After Figure 7 of Isola et al. 2017 (section 4.2, Colorfulness): compares the marginal
    distributions of L, a and b over the pixels of all outputs with those of all targets. The
    overlap is the intersection of two normalised histograms (Swain and Ballard 1991), the sum over
    bins of the smaller of the two shares: 1 if the histograms are equal, 0 if they share no bin.
    The value is the mean of the intersections in L, a and b. `details` has the three intersections
    and the histograms.

    The paper reports an intersection for each axis, on Cityscapes. It does not specify the bins,
    the white point or the weight of each image. Here all bins are 2 units wide: 50 bins for L from
    0 to 100, and 111 bins each for a and b from −111 to 111. With these ranges gray is in the
    middle of a bin and not on an edge. Values outside a range count in its first or last bin, but
    no sRGB colour is outside. Every pixel has the same weight. The mean of the three axes is not in
    the paper. Compare the paper's numbers axis by axis, and only their order, because the paper
    uses other data and may use other bins.
    """

    higher_is_better = True

    def __init__(self) -> None:
        self._outputs, self._targets = (torch.zeros(0, sum(BINS), dtype=torch.int64),) * 2

    def update(self, *images: Tensor) -> None:
        """Add a batch of outputs and targets, both uint8 or uint16 sRGB `(N, 3, H, W)`.

        Raises:
            DataError: If images don't have 3 channels.
        """
        for role, batch in zip(("outputs", "targets"), images, strict=True):
            if batch.shape[1] != 3:
                raise DataError(
                    [
                        f"lab_histogram needs RGB images, but the {role} have "
                        f"{batch.shape[1]} channels instead of 3"
                    ]
                )
        output, target = (_counts(lab(batch)) for batch in images)
        self._outputs = torch.cat([self._outputs, output])
        self._targets = torch.cat([self._targets, target])

    def merge(self, other: Self) -> None:
        """Add the images of another metric, as if they came after this metric's images."""
        self._outputs = torch.cat([self._outputs, other._outputs])
        self._targets = torch.cat([self._targets, other._targets])

    def compute(self) -> float:
        """Return the mean of the three intersections.

        Raises:
            DataError: If there were no images.
        """
        if not len(self._outputs):
            raise DataError(["lab_histogram: needs at least 1 image"])
        return self._intersections().mean().item()

    def bootstrap(self, indices: Tensor) -> Tensor:
        """Compute the values `(B,)` on bootstrap samples `(B, n)` of pairs."""
        times = times_drawn(indices, len(self._outputs))
        outputs, targets = (times @ counts.double() for counts in (self._outputs, self._targets))
        return _intersections(outputs, targets).mean(dim=1)

    def details(self) -> Mapping[str, Any]:
        """Return the intersections in `L`, `a` and `b`, and the `histograms`.

        `histograms` has the `ranges` of the axes, and the share of all pixels in each bin for
        `outputs` and `targets`. All bins of an axis have the same width.
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
        """Return the colour space and the bins of each axis."""
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
    """Convert sRGB to CIE 1976 L*a*b* with white point D65 (CIE 15:2004, section 8.2.1).

    Args:
        images: uint8 or uint16 sRGB `(N, 3, H, W)`.

    Returns:
        float32 `(N, 3, H, W)`: L from 0 to 100; a and b are 0 for gray.
    """
    matrix = torch.tensor(RGB_TO_XYZ, dtype=torch.float64)
    relative_to_white = (matrix / matrix.sum(dim=1, keepdim=True)).float().to(images.device)
    light = _linear_light(images.dtype).to(images.device)[images.long()]
    xyz = torch.einsum("ij,njhw->nihw", relative_to_white, light)
    edge = 6 / 29
    f = torch.where(xyz > edge**3, xyz.pow(1 / 3), xyz / (3 * edge**2) + 4 / 29)
    x, y, z = f.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


@cache
def _linear_light(dtype: torch.dtype) -> Tensor:
    """Linear light, 0 to 1, of each sRGB value: IEC 61966-2-1:1999."""
    top = torch.iinfo(dtype).max
    value = torch.arange(top + 1, dtype=torch.float64) / top
    bent = ((value + 0.055) / 1.055) ** 2.4
    return torch.where(value <= 0.04045, value / 12.92, bent).float()


def _counts(colours: Tensor) -> Tensor:
    """Count the pixels of each image in each bin: `(N, bins of L, a and b)` on the CPU."""
    n, places = len(colours), sum(BINS)
    row = torch.arange(n, device=colours.device).reshape(n, 1, 1) * places
    found = []
    for i, (axis, start) in enumerate(zip(AXES.values(), accumulate([0, *BINS]), strict=False)):
        place = ((colours[:, i] - axis.low) / BIN_WIDTH).long().clamp_(0, axis.bins - 1)
        found.append((place + (row + start)).flatten())
    return torch.bincount(torch.cat(found), minlength=n * places).reshape(n, places).cpu()


def _intersections(outputs: Tensor, targets: Tensor) -> Tensor:
    """Compute the intersections `(…, 3)` in L, a and b from counts `(…, bins)`."""
    pairs = zip(torch.split(outputs, BINS, -1), torch.split(targets, BINS, -1), strict=True)
    return torch.stack(
        [torch.minimum(_normalised(one), _normalised(other)).sum(-1) for one, other in pairs], -1
    )


def _normalised(counts: Tensor) -> Tensor:
    return counts.double() / counts.sum(-1, keepdim=True)


def _shares(counts: Tensor) -> dict[str, list[float]]:
    """Compute the histogram over all images for each axis."""
    parts = torch.split(counts.sum(dim=0), BINS)
    return {name: significant(_normalised(part), 6) for name, part in zip(AXES, parts, strict=True)}
