"""Dropout noise at test time: a hash decides which values dropout keeps.

Dropout at test time is the paper's only noise (Isola et al. 2017, section 3.1). Here it is not
drawn from a random generator. It is a hash of the image's content, the seed, the layer, the channel
and the position. So the noise of an image is the same on every device and runtime, in any batch,
and in all tiles that contain a position. All arithmetic is on integers modulo a prime, for which
PyTorch and ONNX agree to the last bit.
"""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from i2i.randomness import Stream, derived_seed

PRIME = 2**31 - 1
"""A Mersenne prime: products of two residues fit into 64 bits."""

_CONSTANTS = (0x3C6EF372, 0x5BE0CD19, 0x1F83D9AB)
"""Constants that the rounds of `_mixed` add; their values are arbitrary."""

_ROW = 2**16
"""A number larger than the number of columns of any map."""

_LEVELS = 32767.5
"""Half of the largest 16-bit number. Contents are compared in 16-bit levels, so that the last bits
of floats do not matter."""


@dataclass
class Noise:
    """Decides which values dropout keeps, for one batch and one pass through the network.

    Args:
        keys: `(N,)` residues, one per image, see `noise_keys`.
        size: Height and width of the batch, in pixels.
        origin: Top and left of the batch in the whole image, in pixels.
        layer: Number of dropout calls so far.
    """

    keys: Tensor
    size: tuple[int, int]
    origin: tuple[int, int] = (0, 0)
    layer: int = field(default=0)

    def at(self, origin: tuple[int, int], size: tuple[int, int]) -> "Noise":
        """The same noise for a tile of the image, starting at the first layer."""
        return replace(self, origin=origin, size=size, layer=0)

    def keep(self, values: Tensor, p: float, whole_channels: bool) -> Tensor:
        """Compute which values the next dropout keeps.

        Args:
            values: The input of the dropout, a map `(N, C, H, W)` or `(N, C)`.
            p: The fraction of values to drop.
            whole_channels: Whether to keep or drop whole channels.

        Returns:
            Booleans of the shape of the map, or of a shape that broadcasts to it.
        """
        self.layer += 1
        device = values.device
        channels = torch.arange(values.shape[1], device=device)
        keys = _mixed(_mixed((self.keys + self.layer) % PRIME)[:, None] + channels)
        if not whole_channels and values.ndim == 4:
            rows = self._places(0, values.shape[2], device)
            columns = self._places(1, values.shape[3], device)
            places = (rows[:, None] * _ROW + columns) % PRIME
            keys = _mixed(keys[:, :, None, None] + places)
        keys = keys.reshape(*keys.shape, *[1] * (values.ndim - keys.ndim))
        return keys >= round(p * PRIME)

    def _places(self, side: int, cells: int, device: torch.device) -> Tensor:
        """Indices of a map's rows (side 0) or columns (side 1) in the map of the whole image."""
        first = 0
        if self.origin[side]:
            first = round(self.origin[side] * cells / self.size[side])
        return torch.arange(cells, device=device) + first


def noise_keys(images: Tensor, seed: int, sample: int) -> Tensor:
    """Compute the key of each image's noise: a hash of its content, the seed and the sample.

    Args:
        images: `(N, C, H, W)` in [−1, 1]; differences below a 16-bit level are ignored.
        seed: The seed of the run.
        sample: Number of the sample (one of the possible translations).

    Returns:
        `(N,)` residues modulo `PRIME`.
    """
    return keys_of_content(content_of_rows(images), seed, sample)


def content_of_rows(images: Tensor, first: int = 0) -> Tensor:
    """Compute a weighted sum over rows of images; the sum over all rows is the image's content.

    Args:
        images: Rows `(N, C, h, W)` in [−1, 1].
        first: Index of the first row in the whole image.

    Returns:
        `(N, C)` residues.
    """
    levels = ((images.float() + 1) * _LEVELS).round().to(torch.int64)
    # Each sum has at most 2**16 products below 2**40, so it stays below 2**63. Then comes a modulo.
    columns = _weights(levels, 3) % 2**24
    rows = _weights(levels, 2, first)
    return ((levels * columns).sum(3) % PRIME * rows % PRIME).sum(2) % PRIME


def keys_of_content(content: Tensor, seed: int, sample: int) -> Tensor:
    """Compute the keys of `noise_keys` from the content sums of all rows, `(N, C)`."""
    sums = (content % PRIME * _weights(content, 1) % PRIME).sum(1) % PRIME
    return _mixed(sums + derived_seed(Stream.TEST_NOISE, seed, sample) % PRIME)


def _weights(numbers: Tensor, dimension: int, first: int = 0) -> Tensor:
    places = torch.arange(numbers.shape[dimension], device=numbers.device) + first
    return _mixed(places + dimension * _ROW)


def _mixed(numbers: Tensor) -> Tensor:
    """Permute the residues: in each round, add a constant and raise to the fifth power.

    After MiMC (Albrecht et al. 2016, section 2.1). MiMC uses the third power, which is not a
    permutation modulo this prime.
    """
    for constant in _CONSTANTS:
        base = (numbers + constant) % PRIME
        square = base * base % PRIME
        numbers = square * square % PRIME * base % PRIME
    return numbers
