"""Batch norm and noise of a generator at test time."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from i2i.errors import I2IError
from i2i.model.draws import answer_to, named
from i2i.model.dropout import DROPOUTS
from i2i.model.noise import Noise, noise_keys
from i2i.model.norms import Norms, Statistics, norms_of_images

if TYPE_CHECKING:
    from i2i.recipe import Recipe


@dataclass(frozen=True)
class TestSettings:
    """Settings of a generator at test time: `[test]` and `seed` of its recipe, and the sample.

    Args:
        statistics: Statistics of batch norm. `per_image`: the mean and variance of each image,
            which equal the paper's batch statistics at batch size 1. `running`: the averages over
            the training. Maps of one pixel have no variance and always use the running averages.
        dropout: Whether dropout stays on. Other noise that a generator draws stays on in any case.
            The noise of an image depends on the image, `seed` and `sample` only, so its translation
            is the same in any batch and any folder.
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
        generator: Any network. All of its batch norms, dropouts and random functions of PyTorch
            (`torch.randn` and others, see `i2i.model.draws`) are intercepted, wherever they are.
        settings: The test-time settings.
    """

    __test__ = False

    def __init__(self, generator: nn.Module, settings: TestSettings) -> None:
        super().__init__()
        self.generator = generator
        self.settings = settings
        self.norms = norms_of_images(settings.statistics)

    def forward(self, images: Tensor) -> Tensor:
        """Translate `(N, C, H, W)` in [−1, 1] to `(N, C, H, W)`, each image as if it were alone."""
        return self.draw(images, self.noise(images))

    def noise(self, images: Tensor) -> Noise:
        """The noise of a batch `(N, C, H, W)` in [−1, 1]; hashed when something is first drawn."""
        keys = cache(lambda: noise_keys(images, self.settings.seed, self.settings.sample))
        return Noise(keys, (images.shape[2], images.shape[3]))

    def draw(self, images: Tensor, noise: Noise) -> Tensor:
        """Translate as `forward`, with a given noise."""
        with intercepted(self.norms, noise, dropout=self.settings.dropout):
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

    Raises:
        I2IError: If the generator draws noise that can't belong to one image, such as one map for
            the whole batch.
    """
    with _evaluating(generator, settings) as network:
        output: Tensor = network(images)
        return output


def draws_noise(generator: nn.Module, images: Tensor, settings: TestSettings) -> bool:
    """Run a generator once to find out whether it draws noise; arguments as for `translate`."""
    with _evaluating(generator, settings) as network:
        noise = network.noise(images)
        network.draw(images, noise)
        return noise.drawn


@contextmanager
def _evaluating(generator: nn.Module, settings: TestSettings) -> Iterator[TestTime]:
    """A context with the generator at test time, whose modes are restored at its end."""
    modes = [(module, module.training) for module in generator.modules()]
    network = TestTime(generator, settings)
    network.eval()
    try:
        with torch.inference_mode():
            yield network
    finally:
        for module, training in modes:
            module.training = training


class intercepted(TorchFunctionMode):
    """A context that replaces norms and noise in every network that runs in it.

    Args:
        norms: The norms that are replaced.
        noise: Answers random functions and decides which values dropout keeps.
        dropout: Whether dropout is on.
    """

    def __init__(self, norms: Norms, noise: Noise, *, dropout: bool) -> None:
        super().__init__()
        self.norms = norms
        self.noise = noise
        self.dropout = dropout

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in self.norms:
            return self.norms[func](*args, **kwargs)
        try:
            if func in DROPOUTS:
                return DROPOUTS[func](self.noise if self.dropout else None, *args, **kwargs)
            if (answer := answer_to(func)) is not None:
                return answer(self.noise, *args, **kwargs)
        except I2IError as error:
            raise named(func, error) from error
        return func(*args, **kwargs)
