"""Convolutions with square kernels, computed on a CPU by whichever way is faster there.

`layers` holds the layers and what goes backwards through them, `products` the rule, `patches` and
`winograd` the ways that aren't torch's own.
"""

from i2i.convolution.layers import Conv2d, ConvTranspose2d

__all__ = ["Conv2d", "ConvTranspose2d"]
