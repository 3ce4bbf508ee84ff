"""The adversarial losses against closed forms and numbers worked out by hand."""

import math
from typing import Any, get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from i2i.losses.adversarial import CGAN, GAN, AdversarialLoss, Objective

OBJECTIVES = pytest.mark.parametrize("objective", get_args(Objective))
BOTH = pytest.mark.parametrize("kind", [CGAN, GAN])

REAL = torch.tensor([2.0, 0.5, -1.0, 0.0], dtype=torch.float64).view(1, 1, 2, 2)
FAKE = torch.tensor([-2.0, 1.0], dtype=torch.float64).view(1, 1, 1, 2)


def test_only_the_conditional_loss_shows_the_input() -> None:
    assert CGAN().conditional
    assert not GAN().conditional


@BOTH
@pytest.mark.parametrize(
    ("objective", "discriminator", "generator"),
    [
        # mean (d-1)^2 = (1 + .25 + 4 + 1)/4, mean d^2 = (4 + 1)/2; mean (d-1)^2 = (9 + 0)/2
        ("lsgan", 6.25 / 4 + 5 / 2, 9 / 2),
        # mean max(0, 1-d) = (0 + .5 + 2 + 1)/4, mean max(0, 1+d) = (0 + 2)/2; -mean d = -(-1)/2
        ("hinge", 3.5 / 4 + 2 / 2, 0.5),
    ],
)
def test_least_squares_and_hinge_give_the_numbers_worked_out_by_hand(
    kind: Any, objective: Any, discriminator: float, generator: float
) -> None:
    loss = kind(objective=objective)
    assert loss.discriminator_loss(REAL, FAKE).item() == pytest.approx(discriminator)
    assert loss.generator_loss(FAKE).item() == pytest.approx(generator)


@BOTH
def test_cross_entropy_is_the_papers_log_likelihood(kind: Any) -> None:
    def mean_log(values: list[float]) -> float:
        return sum(map(math.log, values)) / len(values)

    real = [1 / (1 + math.exp(-x)) for x in REAL.flatten().tolist()]
    fake = [1 / (1 + math.exp(-x)) for x in FAKE.flatten().tolist()]
    loss = kind()
    expected = -mean_log(real) - mean_log([1 - p for p in fake])
    assert loss.discriminator_loss(REAL, FAKE).item() == pytest.approx(expected, rel=1e-12)
    assert loss.generator_loss(FAKE).item() == pytest.approx(-mean_log(fake), rel=1e-12)


def test_cross_entropy_is_the_default_and_begins_at_two_log_2_and_log_2() -> None:
    undecided = torch.zeros(2, 1, 30, 30)
    assert CGAN().discriminator_loss(undecided, undecided).item() == pytest.approx(2 * math.log(2))
    assert CGAN().generator_loss(undecided).item() == pytest.approx(math.log(2))


@given(st.floats(-1e4, 1e4))
def test_cross_entropy_stays_finite_for_any_logit(logit: float) -> None:
    logits = torch.full((1, 1, 1, 1), logit, requires_grad=True)
    loss = GAN()
    total = loss.discriminator_loss(logits, logits) + loss.generator_loss(logits)
    total.backward()
    assert total.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite()


@OBJECTIVES
@BOTH
def test_gradients_are_those_of_finite_differences(kind: Any, objective: Any) -> None:
    torch.manual_seed(0)
    loss = kind(objective=objective)
    real = torch.randn(2, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    fake = torch.randn(2, 1, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(loss.discriminator_loss, (real, fake))
    assert torch.autograd.gradcheck(loss.generator_loss, (fake,))


@OBJECTIVES
def test_the_players_pull_the_fakes_logits_in_opposite_directions(objective: Any) -> None:
    loss = CGAN(objective=objective)
    real, fake = (torch.zeros(1, 1, 2, 2, requires_grad=True) for _ in range(2))
    # From 0 the discriminator wants to lower fake logits (least squares: it is where it wants to
    # be) and raise real ones; the generator wants to raise the fake ones.
    real_pull, fake_pull = torch.autograd.grad(loss.discriminator_loss(real, fake), (real, fake))
    (generator_pull,) = torch.autograd.grad(loss.generator_loss(fake), fake)
    assert (real_pull < 0).all()
    assert (fake_pull >= 0).all()
    assert (generator_pull < 0).all()


@OBJECTIVES
def test_a_discriminator_that_is_right_and_sure_costs_little(objective: Any) -> None:
    loss = CGAN(objective=objective)
    fake = 0.0 if objective == "lsgan" else -20.0
    real = 1.0 if objective == "lsgan" else 20.0
    right = loss.discriminator_loss(torch.full((1, 1), real), torch.full((1, 1), fake))
    assert right.item() == pytest.approx(0, abs=1e-6)


def test_the_losses_have_no_parameters_and_no_state() -> None:
    assert not CGAN().state_dict()


def test_an_unknown_objective_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match='"bce", "lsgan" or "hinge"'):
        CGAN(objective="wgan")  # type: ignore[arg-type]


def test_an_adversarial_loss_must_say_both_players_losses() -> None:
    class Half(AdversarialLoss):
        conditional = True

    with pytest.raises(TypeError, match="abstract"):
        Half()  # type: ignore[abstract]
