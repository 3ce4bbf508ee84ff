"""Noise at test time: a hash decides what a generator draws and which values dropout keeps.

Noise at test time is not drawn from a random generator. It is a hash of the image's content, the
seed, the layer, the channel and the position. So the noise of an image is the same on every device
and runtime, in any batch, and in all tiles that contain a position. The hash is computed with
integers modulo a prime, for which PyTorch and ONNX agree to the last bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log2, pi, prod

import torch
from torch import Tensor

from i2i.errors import I2IError
from i2i.randomness import Stream, derived_seed

PRIME = 2**31 - 1
"""A Mersenne prime: products of two residues fit into 64 bits."""

_CONSTANTS = (0x3C6EF372, 0x5BE0CD19, 0x1F83D9AB)
"""Constants that the rounds of `_mixed` add; their values are arbitrary."""

_SECOND = 0x510E527F
"""A constant that gives a second number for the same place; its value is arbitrary."""

_ROW = 2**16
"""A number larger than the number of columns of any map."""

_LEVELS = 32767.5
"""Half of the largest 16-bit number. Contents are compared in 16-bit levels, so that the last bits
of floats do not matter."""


@dataclass
class Noise:
    """The random numbers of one batch in one pass through the network.

    The first dimension of every shape to draw is the batch, the second one the channel, and all
    others are positions. `(N, C, H, W)` is a map that covers the batch's images from edge to edge:
    overlapping tiles of an image draw the same numbers where they overlap, to the nearest cell.
    Other shapes, and draws of `(N, C, 1, 1)`, are the same in all tiles.

    Args:
        keys: Computes the residues `(N,)`, one per image, see `noise_keys`. It is called only if
            something is drawn, at every draw.
        size: Height and width of the batch, in pixels.
        origin: Top and left of the batch in the whole image, in pixels.
        layer: Number of draws and dropouts so far.
    """

    keys: Callable[[], Tensor]
    size: tuple[int, int]
    origin: tuple[int, int] = (0, 0)
    layer: int = 0

    def at(self, origin: tuple[int, int], size: tuple[int, int]) -> "Noise":
        """The same noise for a tile of the image, starting at the first layer."""
        return replace(self, origin=origin, size=size, layer=0)

    @property
    def drawn(self) -> bool:
        """Whether anything was drawn."""
        return self.layer > 0

    def keep(self, values: Tensor, p: float, whole_channels: bool) -> Tensor:
        """Compute which values the next dropout keeps.

        Args:
            values: The input of the dropout, `(N, ...)`.
            p: The fraction of values to drop.
            whole_channels: Whether to keep or drop whole channels.

        Returns:
            Booleans of the shape of the values, or of a shape that broadcasts to it.

        Raises:
            I2IError: If the first dimension is not the batch.
        """
        residues = self._residues(values.shape, values.device, whole_channels, cells=True)
        return residues >= round(p * PRIME)

    def uniform(self, shape: Sequence[int], device: torch.device, dtype: torch.dtype) -> Tensor:
        """Draw uniform numbers in [0, 1), with at most 24 bits.

        Args:
            shape: `(N, ...)`.
            device: The device of the numbers.
            dtype: The floating-point type of the numbers.

        Raises:
            I2IError: If the first dimension is not the batch, or the type is not a floating-point
                one.
        """
        _check_floating(dtype)
        # As many bits as the type has: rounding could give 1.
        unused = 2 ** (31 - min(24, 1 - round(log2(torch.finfo(dtype).eps))))
        residues = self._residues(shape, device)
        return ((residues - residues.remainder(unused)).float() * 2.0**-31).to(dtype)

    def normal(self, shape: Sequence[int], device: torch.device, dtype: torch.dtype) -> Tensor:
        """Draw standard normal numbers, in float32, between −6.6 and 6.6.

        After Box and Muller (1958): of two uniform numbers, one decides the distance from zero, the
        other the direction.

        Args:
            shape: `(N, ...)`.
            device: The device of the numbers.
            dtype: The floating-point type that the numbers are converted to.

        Raises:
            I2IError: As for `uniform`.
        """
        _check_floating(dtype)
        first = self._residues(shape, device)
        second = _mixed(first + _SECOND)
        distance = ((first + 1).float() * 2.0**-31).log().mul(-2).sqrt()
        return (distance * (second.float() * (2 * pi * 2.0**-31)).cos()).to(dtype)

    def _residues(
        self,
        shape: Sequence[int],
        device: torch.device,
        whole_channels: bool = False,
        *,
        cells: bool = False,
    ) -> Tensor:
        """Hash the images, the next layer and all places of a shape `(N, ...)`.

        Args:
            shape: The shape.
            device: The device of the result.
            whole_channels: Whether all positions of a channel have the same residue.
            cells: Whether `(N, C, 1, 1)` is a map of a single cell per tile. Otherwise, it belongs
                to the whole image: all its tiles have the same residues.
        """
        keys = self.keys()
        if keys.device != device:
            keys = keys.to(device)
        if len(shape) == 0 or shape[0] != keys.shape[0]:
            raise I2IError(
                f"can't draw {tuple(shape)} for a batch of {keys.shape[0]} at test time: draw one "
                "value per image, (N, ...)"
            )
        self.layer += 1
        channels = torch.arange(shape[1] if len(shape) > 1 else 1, device=device)
        keys = _mixed(_mixed((keys + self.layer) % PRIME)[:, None] + channels)
        if len(shape) == 1:
            return keys[:, 0]
        keys = keys.reshape(*keys.shape, *[1] * (len(shape) - 2))
        if whole_channels or len(shape) == 2:
            return keys
        if len(shape) == 4:
            rows = self._places(0, shape[2], device, cells)
            columns = self._places(1, shape[3], device, cells)
            return _mixed(keys + (rows[:, None] * _ROW + columns) % PRIME)
        places = torch.arange(prod(shape[2:]), device=device).reshape(*shape[2:])
        return _mixed(keys + places)

    def _places(self, side: int, length: int, device: torch.device, cells: bool) -> Tensor:
        """Indices of a map's rows (side 0) or columns (side 1) in the map of the whole image."""
        first = 0
        if self.origin[side] and (cells or length > 1):
            first = round(self.origin[side] * length / self.size[side])
        return torch.arange(length, device=device) + first


def _check_floating(dtype: torch.dtype) -> None:
    if not dtype.is_floating_point:
        raise I2IError(f"can't draw numbers of {dtype} at test time: draw floats")


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
