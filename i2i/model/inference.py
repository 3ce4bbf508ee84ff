"""How a trained generator is used: test-time statistics, and dropout as the noise."""

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
"""What stands in for batch norm: of a map `(N, C, H, W)`, the scale, the bias and epsilon."""


@dataclass(frozen=True)
class TestSettings:
    """How a trained generator is used; `[test]` and `seed` of its recipe, and which sample.

    Args:
        statistics: What batch norm uses: `per_image`, the image's own mean and variance, which is
            what the paper's batch statistics are at batch size 1; or `running`, the training's.
            Maps of one pixel, which have no variance, take the running ones either way.
        dropout: Whether dropout stays on. An image's noise depends on the image, `seed` and
            `sample` alone, so that neither its neighbours nor its place in a folder change its
            translation.
        seed: The run's.
        sample: Which of the many possible translations, from 0.
    """

    __test__ = False

    statistics: Statistics = "per_image"
    dropout: bool = True
    seed: int = 0
    sample: int = 0

    @classmethod
    def of(cls, recipe: "Recipe", sample: int = 0) -> Self:
        """The settings that a recipe asks for."""
        return cls(recipe.test.statistics, recipe.test.dropout, recipe.seed, sample)


class TestTime(nn.Module):
    """A generator as it is used, as a network of its own, which can be exported.

    Args:
        generator: Any network; its batch norms, and its dropouts of values and of channels
            (`F.dropout`, `F.dropout2d`), are found wherever they are.
        settings: How it is used.
    """

    __test__ = False

    def __init__(self, generator: nn.Module, settings: TestSettings) -> None:
        super().__init__()
        self.generator = generator
        self.settings = settings
        self.norm = image_norm if settings.statistics == "per_image" else None

    def forward(self, images: Tensor) -> Tensor:
        """Translates `(N, C, H, W)` in [−1, 1] to the same, each image as if it were alone."""
        noise = None
        if self.settings.dropout:
            height, width = images.shape[2:]
            keys = noise_keys(images, self.settings.seed, self.settings.sample)
            noise = Noise(keys, (height, width))
        with intercepted(self.norm, noise):
            output: Tensor = self.generator(images)
            return output


def translate(generator: nn.Module, images: Tensor, settings: TestSettings) -> Tensor:
    """The generator's output for a batch, each image as if it were alone.

    Args:
        generator: Any network; it is left as it was.
        images: `(N, C, H, W)` in [−1, 1].
        settings: How the generator is used.

    Returns:
        `(N, C, H, W)` in [−1, 1], as the generator gives it.
    """
    modes = [(module, module.training) for module in generator.modules()]
    used = TestTime(generator, settings)
    used.eval()
    try:
        with torch.inference_mode():
            output: Tensor = used(images)
            return output
    finally:
        for module, training in modes:
            module.training = training


def image_norm(features: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """Batch norm with each image's own mean and variance."""
    return F.instance_norm(features, weight=weight, bias=bias, eps=eps)


class intercepted(TorchFunctionMode):
    """A context that changes what batch norm and dropout do in every network that runs in it.

    Args:
        norm: What stands in for batch norm; None leaves it with its running statistics.
        noise: What dropouts keep; they are off if None and the network is in eval mode.
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
        # One pixel has no statistics of its own.
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
