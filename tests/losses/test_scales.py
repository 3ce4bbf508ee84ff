"""Adversarial losses over the scales of a discriminator, and losses on its features."""

from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from i2i.errors import RecipeError
from i2i.losses.adversarial import CGAN, GAN, AdversarialLoss, Objective
from i2i.losses.features import FeatureLoss, FeatureMatching
from i2i.losses.judgement import Features
from i2i.testing import check_loss

OBJECTIVES = pytest.mark.parametrize("objective", get_args(Objective))

REAL = [torch.tensor([[2.0, 0.5]]), torch.tensor([[-1.0]])]
FAKE = [torch.tensor([[-2.0, 1.0]]), torch.tensor([[3.0]])]


@pytest.mark.parametrize(
    ("objective", "discriminator", "generator"),
    [
        # (1 + .25)/2 + (4 + 1)/2 and 4 + 9; (9 + 0)/2 and 4
        ("lsgan", (0.625 + 2.5, 4.0 + 9.0), (4.5, 4.0)),
        # (0 + .5)/2 + (0 + 2)/2 and 2 + 4; -(-1)/2 and -3
        ("hinge", (0.25 + 1.0, 2.0 + 4.0), (0.5, -3.0)),
    ],
)
@pytest.mark.parametrize("kind", [CGAN, GAN])
def test_the_mean_and_the_sum_over_the_scales_are_those_worked_out_by_hand(
    kind: Any, objective: Any, discriminator: tuple[float, float], generator: tuple[float, float]
) -> None:
    total = kind(objective=objective, scales="sum")
    assert total.of_discriminator(REAL, FAKE).item() == pytest.approx(sum(discriminator))
    assert total.of_generator(FAKE).item() == pytest.approx(sum(generator))
    mean = kind(objective=objective)
    assert mean.of_discriminator(REAL, FAKE).item() == pytest.approx(sum(discriminator) / 2)
    assert mean.of_generator(FAKE).item() == pytest.approx(sum(generator) / 2)


@OBJECTIVES
@pytest.mark.parametrize("scales", ["mean", "sum"])
def test_one_tensor_gives_the_same_bits_as_its_loss_alone(objective: Any, scales: Any) -> None:
    torch.manual_seed(0)
    loss = CGAN(objective=objective, scales=scales)
    real, fake = (torch.randn(2, 1, 5, 7, requires_grad=True) for _ in range(2))
    for ours, plain in (
        (loss.of_discriminator(real, fake), loss.discriminator_loss(real, fake)),
        (loss.of_generator(fake), loss.generator_loss(fake)),
    ):
        assert torch.equal(ours, plain)
        assert torch.equal(*(torch.autograd.grad(each, fake)[0] for each in (ours, plain)))


def test_features_are_no_part_of_an_adversarial_loss() -> None:
    loss = GAN(objective="lsgan")
    with_features = [[torch.full((1, 4), 7.0), logits] for logits in FAKE]
    assert torch.equal(loss.of_generator(with_features), loss.of_generator(FAKE))
    assert torch.equal(loss.of_generator(tuple(FAKE)), loss.of_generator(FAKE))


def test_a_loss_of_one_tensor_is_applied_to_every_scale() -> None:
    class Raw(AdversarialLoss):
        conditional = False

        def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
            return fake_logits.mean() - real_logits.mean()

        def generator_loss(self, fake_logits: Tensor) -> Tensor:
            return -fake_logits.mean()

    assert Raw().of_generator(FAKE).item() == pytest.approx((0.5 - 3) / 2)
    assert Raw().of_discriminator(REAL, FAKE).item() == pytest.approx((-1.75 + 4) / 2)


def judged(seed: int) -> list[list[Tensor]]:
    """Two scales with three features and logits."""
    source = torch.Generator().manual_seed(seed)
    shapes = [[(2, 4, 8, 8), (2, 8, 4, 4), (2, 8, 3, 3), (2, 1, 2, 2)]] * 2
    return [
        [torch.randn(s, generator=source, dtype=torch.float64, requires_grad=True) for s in own]
        for own in shapes
    ]


def test_feature_matching_is_pix2pixhds_sum_and_goes_through_the_outputs_features_only() -> None:
    fake, real = judged(0), judged(1)
    value = 40 * FeatureMatching().of_generator(fake, real)
    expected = torch.zeros((), dtype=torch.float64)
    for ours, theirs in zip(fake, real, strict=True):
        for j in range(3):  # with two layers of stride 2: 4/(layers + 1)/scales, times 10
            expected = expected + 10 * 4 / (2 + 1) / 2 * (ours[j] - theirs[j].detach()).abs().mean()
    torch.testing.assert_close(value, expected)
    every = [tensor for own in (*fake, *real) for tensor in own]
    for one, other in zip(
        torch.autograd.grad(value, every, allow_unused=True),
        torch.autograd.grad(expected, every, allow_unused=True),
        strict=True,
    ):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other)
    assert all(
        gradient is None
        for gradient in torch.autograd.grad(
            FeatureMatching().of_generator(judged(0), real),
            [tensor for own in real for tensor in own],
            allow_unused=True,
        )
    )


@pytest.mark.parametrize("judgement", [FAKE[0], FAKE, [[FAKE[0], FAKE[0]], [FAKE[1]]]])
def test_a_discriminator_without_features_is_told(judgement: Any) -> None:
    with pytest.raises(RecipeError, match=r"gives only logits: set discriminator.type .*multisc"):
        FeatureMatching().of_generator(judgement, judgement)


class Squares(FeatureLoss):
    """Squared differences of the last features."""

    def forward(self, output_features: Features, target_features: Features) -> Tensor:
        pairs = zip(output_features, target_features, strict=True)
        return torch.stack([(o[-1] - t[-1]).square().mean() for o, t in pairs]).sum()


class Constant(FeatureLoss):
    """A loss that no generator learns from."""

    def forward(self, output_features: Features, target_features: Features) -> Tensor:
        return nn.functional.l1_loss(target_features[0][0], target_features[0][0])


def test_the_kit_checks_losses_on_features() -> None:
    assert check_loss("feature_matching") == []
    assert check_loss(Squares) == []
    with pytest.raises(AssertionError, match="has no gradient for the output"):
        check_loss(Constant)
