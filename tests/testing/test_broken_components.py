"""The conformance kit says in a sentence what a broken component breaks."""

import pytest
import torch
from torch import Tensor, nn

from i2i.testing import ConformanceError, check_discriminator, check_generator, check_loss


class Unbounded(nn.Module):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image)


class Smaller(Unbounded):
    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image).tanh()[:, :, 1:]


class Blind(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(in_channels, 1, 3)

    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image.detach())


class Map(nn.Module):
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).abs()


class Negative(nn.Module):
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return -(output - target).abs().mean()


@pytest.mark.parametrize(
    ("component", "sentence"),
    [(Unbounded, r"must stay in \[-1, 1\]"), (Smaller, "where the contract asks for floats of")],
)
def test_a_broken_generator_is_told(component: type, sentence: str) -> None:
    with pytest.raises(ConformanceError, match=f"generator '{component.__name__}'.*{sentence}"):
        check_generator(component)


def test_a_broken_discriminator_is_told() -> None:
    with pytest.raises(ConformanceError, match="a generator can't learn from it"):
        check_discriminator(Blind)


@pytest.mark.parametrize(
    ("component", "sentence"),
    [(Map, "a loss is a scalar tensor"), (Negative, "is smaller for different images")],
)
def test_a_broken_loss_is_told(component: type, sentence: str) -> None:
    with pytest.raises(ConformanceError, match=sentence):
        check_loss(component)


def test_a_good_loss_passes_without_touching_the_random_state() -> None:
    before = torch.get_rng_state()
    assert check_loss("l1") == []
    assert torch.equal(before, torch.get_rng_state())
