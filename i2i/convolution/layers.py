"""Layers in the place of torch's, and what goes backwards through them.

On a CPU their products are those of `products`. Elsewhere (on other devices, in other number
formats, in graphs that are exported, in second derivatives) these layers are torch's own.

Maps and weights are channels-last in memory: patches are then copied in long runs, and no product
needs a transposed copy. A network whose weights aren't laid out so is computed by torch.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.jit._trace import is_tracing

from i2i.convolution.patches import Window
from i2i.convolution.products import convolve, convolve_transposed, weight_gradient

MANY_WEIGHTS = 2**18
MUCH_WORK = 2**27
"""With fewer weights and fewer multiplications than these, most of the time goes into the calls, of
which torch's own layers make fewer."""


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d`, faster on a CPU."""

    def forward(self, input: Tensor) -> Tensor:
        """Maps `(N, in_channels, H, W)` as `torch.nn.Conv2d` does."""
        return _computed(self, input) if _faster(self, input) else super().forward(input)


class ConvTranspose2d(nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d`, faster on a CPU."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Maps `(N, in_channels, H, W)` as `torch.nn.ConvTranspose2d` does."""
        if output_size is not None or any(self.output_padding) or not _faster(self, input):
            return super().forward(input, output_size)
        return _computed(self, input)


def _faster(layer: nn.Conv2d | nn.ConvTranspose2d, input: Tensor) -> bool:
    """Whether these layers can compute this, and it is worth the while."""
    weights, pixels = layer.weight.numel(), input.numel() // layer.in_channels
    return (
        (weights >= MANY_WEIGHTS or weights * pixels >= MUCH_WORK)
        and input.device.type == "cpu"
        and input.dtype == layer.weight.dtype == torch.float32
        and {type(input), type(layer.weight)} <= {Tensor, nn.Parameter}
        and input.ndim == 4
        and input.numel() > 0
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
        and min(_sides(layer, input)) > 0
    )


def _window(layer: nn.Conv2d | nn.ConvTranspose2d) -> Window:
    return Window(layer.kernel_size[0], layer.stride[0], int(layer.padding[0]))


def _sides(layer: nn.Conv2d | nn.ConvTranspose2d, input: Tensor) -> tuple[int, int]:
    """Height and width of the output."""
    window = _window(layer)
    side = window.reach if isinstance(layer, nn.ConvTranspose2d) else window.positions
    height, width = input.shape[2:]
    return side(height), side(width)


def _computed(layer: nn.Conv2d | nn.ConvTranspose2d, input: Tensor) -> Tensor:
    input, weight = input.contiguous(memory_format=torch.channels_last), layer.weight
    shape = torch.Size((len(input), layer.out_channels, *_sides(layer, input)))
    geometry = shape, _window(layer), isinstance(layer, nn.ConvTranspose2d)
    through = None
    if torch.is_grad_enabled() and weight.requires_grad:
        through = _ThroughWeight.apply(_Aside(input), weight, *geometry)
    output: Tensor = _Convolution.apply(input, _Aside(weight), through, *geometry)
    return output if layer.bias is None else output.add_(layer.bias[:, None, None])


class _Aside(NamedTuple):
    """A tensor whose first derivative isn't for the node that is handed it."""

    tensor: Tensor


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
        weight: _Aside,
        through: Tensor | None,
        shape: torch.Size,
        window: Window,
        transposed: bool,
    ) -> Tensor:
        ctx.save_for_backward(weight.tensor)
        ctx.shape, ctx.window, ctx.transposed = input.shape, window, transposed
        return _forward(input, weight.tensor, shape, window, transposed)

    @staticmethod
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
        input: _Aside,
        weight: Tensor,
        shape: torch.Size,
        window: Window,
        transposed: bool,
    ) -> Tensor:
        ctx.save_for_backward(input.tensor)
        ctx.window, ctx.transposed = window, transposed
        return weight.new_empty(()).expand(shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (input,) = ctx.saved_tensors
        pair = (gradient, input) if ctx.transposed else (input, gradient)
        return None, weight_gradient(pair[0], pair[1], ctx.window), None, None, None


def _forward(
    input: Tensor, weight: Tensor, shape: torch.Size, window: Window, transposed: bool
) -> Tensor:
    if transposed:
        return convolve_transposed(input, weight, shape, window)
    return convolve(input, weight, window)
