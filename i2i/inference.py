"""How a trained generator is used: test-time statistics, and dropout as the noise."""

from collections.abc import Callable, Iterable
from typing import Any, Literal
from zlib import crc32

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from i2i.randomness import Stream, derived_seed

Statistics = Literal["per_image", "running"]


def translate(
    generator: nn.Module,
    images: Tensor,
    *,
    statistics: Statistics = "per_image",
    dropout: bool = True,
    seed: int = 0,
    draw: int = 0,
) -> Tensor:
    """The generator's output for a batch, each image as if it were alone.

    Args:
        generator: Any network; its batch norms and dropouts are found wherever they are.
        images: `(N, C, H, W)` in [−1, 1].
        statistics: What batch norm uses: `per_image`, the image's own mean and variance, which is
            what the paper's batch statistics are at batch size 1; or `running`, the training's.
            Maps of one pixel, which have no variance, take the running ones either way.
        dropout: Whether dropout stays on. An image's noise depends on the image, `seed` and `draw`
            alone, so that neither its neighbours nor its place in a folder change its translation.
        seed: The run's.
        draw: Which of the many possible translations.

    Returns:
        `(N, C, H, W)` in [−1, 1], as the generator gives it.
    """
    was_training = generator.training
    generator.eval()
    noise = _noise(images, seed, draw) if dropout else None
    try:
        with torch.inference_mode(), _TestTime(statistics == "per_image", noise):
            output: Tensor = generator(images)
            return output
    finally:
        generator.train(was_training)


def _noise(images: Tensor, seed: int, draw: int) -> list[torch.Generator]:
    """A source of noise for each image, on the CPU so that every device draws the same."""
    contents = images.detach().float().cpu().contiguous().numpy()
    return [
        torch.Generator().manual_seed(
            derived_seed(Stream.TEST_NOISE, seed, draw, crc32(content.tobytes()))
        )
        for content in contents
    ]


class _TestTime(TorchFunctionMode):
    """Changes what batch norm and dropout do in every network that runs below it."""

    def __init__(self, per_image: bool, noise: list[torch.Generator] | None) -> None:
        super().__init__()
        self.per_image = per_image
        self.noise = noise

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if self.per_image and func is F.batch_norm:
            return _per_image_norm(*args, **kwargs)
        if self.noise is not None and func in _DROPPED:
            return _drop(self.noise, _DROPPED[func], *args, **kwargs)
        return func(*args, **kwargs)


_DROPPED = {F.dropout: 1, F.dropout2d: 2}
"""Dropouts, and the first dimension of `(N, C, H, W)` from which on they decide for all at once."""


def _per_image_norm(
    images: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if images.shape[2:].numel() == 1 and running_mean is not None:
        # One pixel has no statistics of its own.
        return F.batch_norm(images, running_mean, running_var, weight, bias, eps=eps)
    return F.instance_norm(images, weight=weight, bias=bias, eps=eps)


def _drop(
    noise: list[torch.Generator],
    kind: int,
    images: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor:
    if p == 0:
        return images
    shape = images.shape[1:] if kind == 1 else (images.shape[1], 1, 1)
    kept = torch.stack([torch.rand(shape, generator=source) >= p for source in noise])
    return images * kept.to(images.device, images.dtype).div_(1 - p)
