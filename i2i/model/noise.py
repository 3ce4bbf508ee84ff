"""Test-time noise as a function of place: which values a dropout keeps, in whole numbers only.

Dropout at test time is the paper's only noise (Isola et al. 2017, section 3.1). Here it is no
stream that is drawn from but a hash: of the image's content, the seed, the layer, the channel and
the place. So an image's noise is the same on every device and runtime, in any batch, and in every
tile that the place is in. All arithmetic is on whole numbers modulo a prime, which PyTorch and ONNX
agree on to the last bit.
"""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from i2i.randomness import Stream, derived_seed

PRIME = 2**31 - 1
"""A Mersenne prime: products of two residues fit into 64 bits."""

_CONSTANTS = (0x3C6EF372, 0x5BE0CD19, 0x1F83D9AB)
"""What the rounds of `_mixed` add; the values have no meaning."""

_ROW = 2**16
"""More columns than a map has."""

_LEVELS = 32767.5
"""Half of the largest 16-bit number: contents differ by 16-bit levels, not by floats' last bit."""


@dataclass
class Noise:
    """Where dropouts of a network keep values, for one batch and one run through the network.

    Args:
        keys: `(N,)` residues; what an image's noise begins with, see `noise_keys`.
        origin: Top and left of the batch in the whole image, in pixels.
        size: Height and width of the batch, in pixels.
        layer: How many dropouts the network has called.
    """

    keys: Tensor
    size: tuple[int, int]
    origin: tuple[int, int] = (0, 0)
    layer: int = field(default=0)

    def at(self, origin: tuple[int, int], size: tuple[int, int]) -> "Noise":
        """The same noise for a part of the image, from the first layer on."""
        return replace(self, origin=origin, size=size, layer=0)

    def keep(self, values: Tensor, p: float, whole_channels: bool) -> Tensor:
        """Which values the next dropout keeps.

        Args:
            values: The map `(N, C, H, W)` that is dropped from, or `(N, C)`.
            p: The share that is dropped.
            whole_channels: Whether a channel is kept or dropped as a whole.

        Returns:
            Bool, of the map's shape or one that broadcasts to it.
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
        """Numbers of a map's rows or columns, counted in the map of the whole image."""
        first = 0
        if self.origin[side]:
            first = round(self.origin[side] * cells / self.size[side])
        return torch.arange(cells, device=device) + first


def noise_keys(images: Tensor, seed: int, sample: int) -> Tensor:
    """What the noise of each image begins with: a hash of content, seed and sample.

    Args:
        images: `(N, C, H, W)` in [−1, 1]; smaller differences than a 16-bit level don't count.
        seed: The run's.
        sample: Which of the many possible translations.

    Returns:
        `(N,)` residues modulo `PRIME`.
    """
    return keys_of_content(content_of_rows(images), seed, sample)


def content_of_rows(images: Tensor, first: int = 0) -> Tensor:
    """A sum over some rows of images; those of all rows together are the images' content.

    Args:
        images: Rows `(N, C, h, W)` in [−1, 1].
        first: The first row's number in the whole image.

    Returns:
        `(N, C)` residues.
    """
    levels = ((images.float() + 1) * _LEVELS).round().to(torch.int64)
    # Sums of 2**16 products below 2**40 stay below 2**63; after each of them comes a remainder.
    columns = _weights(levels, 3) % 2**24
    rows = _weights(levels, 2, first)
    return ((levels * columns).sum(3) % PRIME * rows % PRIME).sum(2) % PRIME


def keys_of_content(content: Tensor, seed: int, sample: int) -> Tensor:
    """What `noise_keys` gives, of the sum of all rows' content."""
    sums = (content % PRIME * _weights(content, 1) % PRIME).sum(1) % PRIME
    return _mixed(sums + derived_seed(Stream.TEST_NOISE, seed, sample) % PRIME)


def _weights(numbers: Tensor, dimension: int, first: int = 0) -> Tensor:
    places = torch.arange(numbers.shape[dimension], device=numbers.device) + first
    return _mixed(places + dimension * _ROW)


def _mixed(numbers: Tensor) -> Tensor:
    """A permutation of the residues: rounds of a constant added and a fifth power taken.

    After MiMC (Albrecht et al. 2016, section 2.1), whose power of 3 permutes other fields.
    """
    for constant in _CONSTANTS:
        base = (numbers + constant) % PRIME
        square = base * base % PRIME
        numbers = square * square % PRIME * base % PRIME
    return numbers
