"""Convolutions with square kernels, computed on a CPU by whichever way is faster there.

A convolution is a matrix product of its weights with the patches of its input, laid out as rows
(im2col: Chellapilla et al. 2006, section 2.1). oneDNN, which torch calls on a CPU, does without
that layout and wins where maps are large; but it reorders all the weights at every call, which
takes most of the time where maps are small, and is slow at the weights' gradient everywhere. So
each product is taken the way that measured faster, see docs/performance.md. Elsewhere (on other
devices, in other number formats, in graphs that are exported) these layers are torch's own.

Maps and weights are channels-last in memory: patches are then copied in long runs, and no product
needs a transposed copy. A network whose weights aren't laid out so is computed by torch.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.jit._trace import is_tracing
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

PATCH_VALUES = 2**22
"""Values of the patches laid out at once, unless one image has more: 16 MiB, which caches hold."""

MANY_WEIGHTS = 2**18
MUCH_WORK = 2**27
"""With fewer weights and fewer multiplications than these, most of the time goes into the calls, of
which torch's own layers make fewer."""

FEW_CHANNELS = 8
"""Fewer channels than these leave oneDNN's vectors mostly empty, and matrices too thin."""


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d`, faster on a CPU."""

    def forward(self, input: Tensor) -> Tensor:
        """Maps `(N, in_channels, H, W)` as `torch.nn.Conv2d` does."""
        if not _faster(self, input):
            return super().forward(input)
        return _apply(input, self, _window(self), transposed=False)


class ConvTranspose2d(nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d`, faster on a CPU."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Maps `(N, in_channels, H, W)` as `torch.nn.ConvTranspose2d` does."""
        if output_size is not None or any(self.output_padding) or not _faster(self, input):
            return super().forward(input, output_size)
        return _apply(input, self, _window(self), transposed=True)


class Window(NamedTuple):
    """What a kernel sees at each position.

    Args:
        kernel: Its side in pixels.
        stride: Pixels from one position to the next.
        padding: Zeros around the map.
    """

    kernel: int
    stride: int
    padding: int

    def positions(self, side: int) -> int:
        """How many positions there are along a side of so many pixels."""
        return (side + 2 * self.padding - self.kernel) // self.stride + 1

    def reach(self, positions: int) -> int:
        """How many pixels a side with so many positions has at least."""
        return (positions - 1) * self.stride + self.kernel - 2 * self.padding


def _window(layer: nn.Conv2d | nn.ConvTranspose2d) -> Window:
    return Window(layer.kernel_size[0], layer.stride[0], int(layer.padding[0]))


def _faster(layer: nn.Conv2d | nn.ConvTranspose2d, input: Tensor) -> bool:
    """Whether these layers can compute this, and it is worth the while."""
    weights, pixels = layer.weight.numel(), input.numel() // layer.in_channels
    return (
        (weights >= MANY_WEIGHTS or weights * pixels >= MUCH_WORK)
        and input.device.type == "cpu"
        and input.dtype == layer.weight.dtype == torch.float32
        and input.ndim == 4
        and layer.weight.is_contiguous(memory_format=torch.channels_last)
        and layer.groups == 1
        and set(layer.dilation) == {1}
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
        and all(len(set(pair)) == 1 for pair in (layer.kernel_size, layer.stride, layer.padding))
        and layer.kernel_size[0] % layer.stride[0] == 0
        and not torch.is_autocast_enabled("cpu")
        and not is_tracing()  # type: ignore[no-untyped-call]
        and not torch.compiler.is_compiling()
    )


def _apply(
    input: Tensor, layer: nn.Conv2d | nn.ConvTranspose2d, window: Window, *, transposed: bool
) -> Tensor:
    input = input.contiguous(memory_format=torch.channels_last)
    weight = layer.weight
    sides = input.shape[2:]
    height, width = map(window.reach if transposed else window.positions, sides)
    shape = torch.Size((len(input), weight.shape[1 if transposed else 0], height, width))
    through = None
    if torch.is_grad_enabled() and weight.requires_grad:
        through = _ThroughWeight.apply(input.detach(), weight, shape, window, transposed)
    output: Tensor = _Convolution.apply(input, weight.detach(), through, shape, window, transposed)
    return output if layer.bias is None else output + layer.bias[:, None, None]


class _Convolution(Function):
    """The output; backwards, the gradient of the input.

    The weights' gradient is another node's, which is handed the output's gradient through an input
    of the output's shape. Were it this node's, it would be computed wherever the input's is: also
    where a generator's gradient passes a discriminator.
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        weight: Tensor,
        through: Tensor | None,
        shape: torch.Size,
        window: Window,
        transposed: bool,
    ) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.shape, ctx.window, ctx.transposed = input.shape, window, transposed
        return _forward(input, weight, shape, window, transposed)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        through = gradient if ctx.needs_input_grad[2] else None
        of_input = None
        if ctx.needs_input_grad[0]:
            of_input = _forward(gradient, weight, ctx.shape, ctx.window, not ctx.transposed)
        return of_input, None, through, None, None, None


class _ThroughWeight(Function):
    """Nothing of the output's shape; backwards, the gradient of the weights."""

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        weight: Tensor,
        shape: torch.Size,
        window: Window,
        transposed: bool,
    ) -> Tensor:
        ctx.save_for_backward(input)
        ctx.window, ctx.transposed = window, transposed
        return input.new_empty(()).expand(shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (input,) = ctx.saved_tensors
        pair = (gradient, input) if ctx.transposed else (input, gradient)
        return None, weight_gradient(pair[0], pair[1], ctx.window), None, None, None


def _forward(
    input: Tensor, weight: Tensor, shape: torch.Size, window: Window, transposed: bool
) -> Tensor:
    if transposed:
        return spread(input, weight, shape, window)
    return convolve(input, weight, window)


def convolve(image: Tensor, weight: Tensor, window: Window) -> Tensor:
    """A convolution.

    Args:
        image: `(N, C, H, W)`.
        weight: `(D, C, kernel, kernel)`.
        window: The kernel's.

    Returns:
        `(N, D, h, w)`.
    """
    n, _, height, width = image.shape
    h, w = window.positions(height), window.positions(width)
    if n * h * w > len(weight):
        return F.conv2d(image, weight, None, window.stride, window.padding)
    result = torch.empty((n, len(weight), h, w), memory_format=torch.channels_last)
    torch.mm(_patches(image, window), _matrix(weight).t(), out=_rows(result))
    return result


def spread(values: Tensor, weight: Tensor, shape: torch.Size, window: Window) -> Tensor:
    """A transposed convolution: the gradient of `convolve` for its image.

    Args:
        values: `(N, D, h, w)`.
        weight: `(D, C, kernel, kernel)`.
        shape: Of the result: `(N, C, H, W)`.
        window: The kernel's.
    """
    n, channels, *sides = shape
    _, _, h, w = values.shape
    overlaps = window.kernel // window.stride
    if overlaps > 2 or (n * h * w > len(weight) and channels >= FEW_CHANNELS):
        beyond = [side - window.reach(p) for side, p in zip(sides, (h, w), strict=True)]
        return F.conv_transpose2d(
            values, weight, None, window.stride, window.padding, output_padding=beyond
        )
    return _sum_of_patches(_rows(values) @ _matrix(weight), (h, w), shape, window)


def weight_gradient(image: Tensor, values: Tensor, window: Window) -> Tensor:
    """The gradient of `convolve` for its weights.

    Args:
        image: `(N, C, H, W)`, what was convolved.
        values: `(N, D, h, w)`, the gradient of the result.
        window: The kernel's.

    Returns:
        `(D, C, kernel, kernel)`.
    """
    channels, depth, k = image.shape[1], values.shape[1], window.kernel
    if min(channels, depth) < FEW_CHANNELS:
        shape = (depth, channels, k, k)
        few: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
            image, shape, values, window.stride, window.padding
        )
        return few
    patch_values = channels * k * k * values[0, 0].numel()
    at_once = max(1, PATCH_VALUES // patch_values)
    total: Tensor | None = None
    for some, theirs in zip(torch.split(image, at_once), torch.split(values, at_once), strict=True):
        left, right = _rows(theirs).t(), _patches(some, window)
        total = left @ right if total is None else total.addmm_(left, right)
    assert total is not None
    return total.view(depth, k, k, channels).permute(0, 3, 1, 2)


def _rows(maps: Tensor) -> Tensor:
    """`(N, C, H, W)` as `(N · H · W, C)`, without a copy."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


def _matrix(weight: Tensor) -> Tensor:
    """`(D, C, kernel, kernel)` as `(D, kernel · kernel · C)`, without a copy."""
    return weight.permute(0, 2, 3, 1).flatten(1)


def _patches(image: Tensor, window: Window) -> Tensor:
    """What the window sees, `(N · h · w, kernel · kernel · C)`."""
    n, channels, height, width = image.shape
    h, w = window.positions(height), window.positions(width)
    k, s = window.kernel, window.stride
    by_n, by_c, by_y, by_x = (padded := F.pad(image, [window.padding] * 4)).stride()
    windows = padded.as_strided(
        (n, h, w, k, k, channels), (by_n, s * by_y, s * by_x, by_y, by_x, by_c)
    )
    return windows.reshape(n * h * w, k * k * channels)


def _sum_of_patches(
    patches: Tensor, positions: tuple[int, int], shape: torch.Size, window: Window
) -> Tensor:
    """Patches `(N · h · w, kernel · kernel · C)` added up where they overlap.

    A patch is a few tiles of stride x stride pixels to each side; what is added at once is the same
    tile of all patches.
    """
    n, channels, height, width = shape
    (h, w), s, p = positions, window.stride, window.padding
    tiles = window.kernel // s
    parts = patches.view(n, h, w, tiles, s, tiles, s * channels)
    tall, wide = (max(q + tiles - 1, -(-(side + p) // s)) for q, side in ((h, height), (w, width)))
    total = patches.new_zeros(n, tall, s, wide, s * channels)
    for i in range(tiles):
        for j in range(tiles):
            total[:, i : i + h, :, j : j + w] += parts[:, :, :, i, :, j].transpose(2, 3)
    pixels = total.view(n, tall * s, wide * s, channels)[:, p : p + height, p : p + width]
    return pixels.permute(0, 3, 1, 2).clone(memory_format=torch.channels_last)
