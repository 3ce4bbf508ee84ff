"""L1 and L2 against their definitions."""

import pytest
import torch
from torch import nn

from i2i.losses.reconstruction import L1, L2


@pytest.mark.parametrize(("loss", "expected"), [(L1(), (0 + 1 + 2 + 0.5) / 4), (L2(), 5.25 / 4)])
def test_the_loss_is_the_mean_over_all_values(loss: nn.Module, expected: float) -> None:
    output = torch.tensor([0.5, 1.0, -1.0, 0.0]).view(1, 1, 2, 2)
    target = torch.tensor([0.5, 0.0, 1.0, 0.5]).view(1, 1, 2, 2)
    value = loss(output, target)
    assert value.shape == ()
    assert value.item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", [L1(), L2()], ids=["l1", "l2"])
def test_gradients_are_those_of_finite_differences(loss: nn.Module) -> None:
    torch.manual_seed(0)
    output = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    target = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(loss, (output, target))


@pytest.mark.parametrize("loss", [L1(), L2()], ids=["l1", "l2"])
def test_an_output_equal_to_its_target_costs_nothing(loss: nn.Module) -> None:
    image = torch.randn(1, 3, 4, 4)
    assert loss(image, image) == 0
