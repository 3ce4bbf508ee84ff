"""Answers to PyTorch's random functions at test time, with the noise of the image."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import resolve_name

from i2i.errors import I2IError
from i2i.model.noise import Noise

Answer = Callable[..., Tensor]
"""Called with the noise and the arguments of a random function; returns what the function would."""

Draw = Callable[[Noise, Sequence[int], torch.device, torch.dtype], Tensor]
"""`Noise.uniform` or `Noise.normal`."""


def answer_to(func: Callable[..., Any]) -> Answer | None:
    """Find what to call instead of a random function that is not dropout.

    Args:
        func: Any function of PyTorch.

    Returns:
        A function with the arguments of `func` after the noise. It raises an `I2IError` in one line
        if the noise of an image can't answer them. None if `func` draws nothing.
    """
    return _ANSWERS.get(func)


def named(func: Callable[..., Any], error: I2IError) -> I2IError:
    """Put the name of the function that failed before an error's message."""
    return I2IError(*error.after(f"{resolve_name(func)} "))


def _new(
    draw: Draw,
    noise: Noise,
    *size: Any,
    dtype: torch.dtype | None = None,
    device: torch.device | str | int | None = None,
    **options: Any,
) -> Tensor:
    """`torch.rand` and `torch.randn`."""
    shape = options.pop("size", size)
    if len(shape) == 1 and isinstance(shape[0], Sequence):
        shape = shape[0]
    device = torch.get_default_device() if device is None else torch.device(device)
    return _given(draw(noise, shape, device, dtype or torch.get_default_dtype()), **options)


def _like(
    draw: Draw,
    noise: Noise,
    input: Tensor,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | int | None = None,
    **options: Any,
) -> Tensor:
    """`torch.rand_like` and `torch.randn_like`."""
    device = input.device if device is None else torch.device(device)
    return _given(draw(noise, input.shape, device, dtype or input.dtype), **options)


def _normal(
    noise: Noise,
    mean: Tensor | float,
    std: Tensor | float = 1.0,
    size: Sequence[int] | None = None,
    **options: Any,
) -> Tensor:
    """`torch.normal`."""
    if size is not None:
        return _new(_scaled(mean, std), noise, *size, **options)
    like = torch.as_tensor(mean + std)
    return _given(_scaled(mean, std)(noise, like.shape, like.device, like.dtype), **options)


def _scaled(mean: Tensor | float, std: Tensor | float) -> Draw:
    def draw(
        noise: Noise, shape: Sequence[int], device: torch.device, dtype: torch.dtype
    ) -> Tensor:
        return noise.normal(shape, device, dtype) * std + mean

    return draw


def _bernoulli(noise: Noise, input: Tensor, p: float | None = None, **options: Any) -> Tensor:
    """`torch.bernoulli` and `Tensor.bernoulli`."""
    return _given(_coins(noise, input, input if p is None else p), **options)


def _normal_(noise: Noise, tensor: Tensor, mean: float = 0, std: float = 1, **_: Any) -> Tensor:
    """`Tensor.normal_`."""
    return tensor.copy_(noise.normal(tensor.shape, tensor.device, tensor.dtype) * std + mean)


def _uniform_(noise: Noise, tensor: Tensor, *bounds: float, **options: Any) -> Tensor:
    """`Tensor.uniform_`, whose argument `from` can't be a parameter in Python."""
    low = bounds[0] if bounds else options.get("from", 0)
    high = bounds[1] if len(bounds) > 1 else options.get("to", 1)
    drawn = noise.uniform(tensor.shape, tensor.device, tensor.dtype)
    return tensor.copy_(drawn * (high - low) + low)


def _bernoulli_(noise: Noise, tensor: Tensor, p: Tensor | float = 0.5, **_: Any) -> Tensor:
    """`Tensor.bernoulli_`."""
    return tensor.copy_(_coins(noise, tensor, p))


def _coins(noise: Noise, like: Tensor, p: Tensor | float) -> Tensor:
    """Ones with probability p and zeros, of a tensor's shape and type."""
    return (noise.uniform(like.shape, like.device, torch.float32) < p).to(like.dtype)


def _given(
    values: Tensor, *, out: Tensor | None = None, requires_grad: bool = False, **_: Any
) -> Tensor:
    """Return values as the options of a random function ask; its `generator` has no effect."""
    if out is not None:
        values = out.resize_(values.shape).copy_(values)
    return values.requires_grad_() if requires_grad else values


def _refused(noise: Noise, *_: Any, **__: Any) -> Tensor:
    raise I2IError(
        "can't be answered with the noise of each image at test time: draw one value per image, "
        "(N, ...), with torch.rand or torch.randn"
    )


def _rrelu(func: Answer, noise: Noise, *args: Any, **kwargs: Any) -> Tensor:
    training = kwargs.get("training", args[3] if len(args) > 3 else False)
    return _refused(noise) if training else func(*args, **kwargs)


def _attention_layer(noise: Noise, *args: Any, **kwargs: Any) -> Any:
    """Refuse `F.multi_head_attention_forward` if it would draw dropout inside."""
    dropout = kwargs["dropout_p"] if "dropout_p" in kwargs else args[10]
    if dropout > 0 and kwargs.get("training", True):
        return _refused(noise)
    return F.multi_head_attention_forward(*args, **kwargs)


_ANSWERS: dict[Callable[..., Any], Answer] = {
    torch.rand: partial(_new, Noise.uniform),
    torch.randn: partial(_new, Noise.normal),
    torch.rand_like: partial(_like, Noise.uniform),
    torch.randn_like: partial(_like, Noise.normal),
    torch.normal: _normal,
    torch.bernoulli: _bernoulli,
    Tensor.bernoulli: _bernoulli,
    Tensor.bernoulli_: _bernoulli_,
    Tensor.normal_: _normal_,
    Tensor.uniform_: _uniform_,
    **dict.fromkeys(
        (
            torch.randint,
            torch.randint_like,
            torch.randperm,
            torch.multinomial,
            torch.poisson,
            torch.binomial,
            torch.native_dropout,
            torch.dropout_,
            torch.feature_dropout_,
            torch.alpha_dropout_,
            torch.feature_alpha_dropout_,
            torch._standard_gamma,
            torch._sample_dirichlet,
            Tensor.multinomial,
            Tensor.random_,
            Tensor.exponential_,
            Tensor.cauchy_,
            Tensor.geometric_,
            Tensor.log_normal_,
            nn.init.normal_,
            nn.init.uniform_,
            nn.init.kaiming_uniform_,
            F.gumbel_softmax,
            F.fractional_max_pool2d,
            F.fractional_max_pool2d_with_indices,
            F.fractional_max_pool3d,
            F.fractional_max_pool3d_with_indices,
        ),
        _refused,
    ),
    F.multi_head_attention_forward: _attention_layer,
    **{func: partial(_rrelu, func) for func in (F.rrelu, torch.rrelu, torch.rrelu_)},
}
