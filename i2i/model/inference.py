"""Batch norm and dropout of a generator at test time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from i2i.model.noise import Noise, noise_keys

if TYPE_CHECKING:
    from i2i.recipe import Recipe

Statistics = Literal["per_image", "running"]

Norm = Callable[[Tensor, Tensor | None, Tensor | None, float], Tensor]
"""A replacement for batch norm, called with a map `(N, C, H, W)`, scale, bias and epsilon."""


@dataclass(frozen=True)
class TestSettings:
    """Settings of a generator at test time: `[test]` and `seed` of its recipe, and the sample.

    Args:
        statistics: Statistics of batch norm. `per_image`: the mean and variance of each image,
            which equal the paper's batch statistics at batch size 1. `running`: the averages over
            the training. Maps of one pixel have no variance and always use the running averages.
        dropout: Whether dropout stays on. The noise of an image depends on the image, `seed` and
            `sample` only, so its translation is the same in any batch and any folder.
        seed: The seed of the run.
        sample: Number of the sample (one of the possible translations), from 0.
    """

    __test__ = False

    statistics: Statistics = "per_image"
    dropout: bool = True
    seed: int = 0
    sample: int = 0

    @classmethod
    def of(cls, recipe: "Recipe", sample: int = 0) -> Self:
        """The settings of a recipe, for one sample."""
        return cls(recipe.test.statistics, recipe.test.dropout, recipe.seed, sample)


class TestTime(nn.Module):
    """A network that applies a generator with test-time settings; it can be exported.

    Args:
        generator: Any network. All of its batch norms and dropouts (`F.dropout`, `F.dropout2d`)
            are intercepted, wherever they are.
        settings: The test-time settings.
    """

    __test__ = False

    def __init__(self, generator: nn.Module, settings: TestSettings) -> None:
        super().__init__()
        self.generator = generator
        self.settings = settings
        self.norm = image_norm if settings.statistics == "per_image" else None

    def forward(self, images: Tensor) -> Tensor:
        """Translate `(N, C, H, W)` in [−1, 1] to `(N, C, H, W)`, each image as if it were alone."""
        noise = None
        if self.settings.dropout:
            height, width = images.shape[2:]
            keys = noise_keys(images, self.settings.seed, self.settings.sample)
            noise = Noise(keys, (height, width))
        with intercepted(self.norm, noise):
            output: Tensor = self.generator(images)
            return output


def translate(generator: nn.Module, images: Tensor, settings: TestSettings) -> Tensor:
    """Translate a batch, each image as if it were alone.

    Args:
        generator: Any network; its training or eval mode is restored afterwards.
        images: `(N, C, H, W)` in [−1, 1].
        settings: The test-time settings.

    Returns:
        The generator's output `(N, C, H, W)` in [−1, 1].
    """
    modes = [(module, module.training) for module in generator.modules()]
    network = TestTime(generator, settings)
    network.eval()
    try:
        with torch.inference_mode():
            output: Tensor = network(images)
            return output
    finally:
        for module, training in modes:
            module.training = training


def image_norm(features: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """Batch norm with the mean and variance of each image."""
    return F.instance_norm(features, weight=weight, bias=bias, eps=eps)


class intercepted(TorchFunctionMode):
    """A context that replaces batch norm and dropout in every network that runs in it.

    Args:
        norm: The replacement for batch norm; None leaves it unchanged (in eval mode, it uses the
            running statistics).
        noise: Decides which values dropout keeps; None leaves it unchanged (in eval mode, it is
            off).
    """

    def __init__(self, norm: Norm | None, noise: Noise | None) -> None:
        super().__init__()
        self.norm = norm
        self.noise = noise

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if self.norm is not None and func is F.batch_norm:
            return _normed(self.norm, *args, **kwargs)
        if self.noise is not None and func in (F.dropout, F.dropout2d):
            return _drop(self.noise, func is F.dropout2d, *args, **kwargs)
        return func(*args, **kwargs)


def _normed(
    norm: Norm,
    features: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if prod(features.shape[2:]) == 1 and running_mean is not None:
        # A single pixel has no variance.
        return F.batch_norm(features, running_mean, running_var, weight, bias, eps=eps)
    return norm(features, weight, bias, eps)


def _drop(
    noise: Noise,
    whole_channels: bool,
    features: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor:
    if p in (0, 1):
        return features * (1 - p)
    kept = noise.keep(features, p, whole_channels)
    return features * kept.to(features.dtype).div(1 - p)
