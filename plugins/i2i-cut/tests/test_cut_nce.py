"""The contrastive loss."""

from math import exp, log

import pytest
import torch
from i2i_cut.nce import patch_nce
from torch import Tensor


def plain_nce(queries: Tensor, keys: Tensor, temperature: float) -> list[float]:
    """PatchNCE in plain loops, with the masked diagonal of the authors' code."""
    means = []
    for own_queries, own_keys in zip(queries.tolist(), keys.tolist(), strict=True):
        losses = []
        for i, query in enumerate(own_queries):
            similar = [sum(a * b for a, b in zip(query, key, strict=True)) for key in own_keys]
            right = similar[i] / temperature
            similar[i] = -10.0
            others = [value / temperature for value in similar]
            losses.append(-right + log(exp(right) + sum(map(exp, others))))
        means.append(sum(losses) / len(losses))
    return means


def test_it_is_what_plain_loops_compute() -> None:
    torch.manual_seed(0)
    queries, keys = torch.nn.functional.normalize(torch.randn(2, 3, 7, 5), dim=-1)
    expected = torch.tensor(plain_nce(queries.double(), keys.double(), 0.07))
    torch.testing.assert_close(patch_nce(queries, keys, 0.07), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("temperature", [0.07, 1.0])
def test_it_has_its_closed_form_for_orthogonal_patches(temperature: float) -> None:
    vectors = torch.eye(6)[None]
    loss = patch_nce(vectors, vectors, temperature).item()
    assert loss == pytest.approx(log(1 + 5 * exp(-1 / temperature)), rel=1e-4, abs=1e-7)
    same = torch.ones(1, 6, 1)
    assert patch_nce(same, same, temperature).item() == pytest.approx(log(6))


def test_the_negatives_are_of_the_same_image_only() -> None:
    torch.manual_seed(0)
    queries, keys = torch.nn.functional.normalize(torch.randn(2, 3, 7, 5), dim=-1)
    alone = torch.cat(
        [patch_nce(q[None], k[None], 0.1) for q, k in zip(queries, keys, strict=True)]
    )
    torch.testing.assert_close(patch_nce(queries, keys, 0.1), alone)


def test_no_gradient_goes_through_the_keys() -> None:
    queries, keys = torch.rand(2, 1, 3, 4, requires_grad=True).unbind()
    queries.retain_grad()
    keys.retain_grad()
    patch_nce(queries, keys, 0.1).sum().backward()
    assert queries.grad is not None
    assert keys.grad is None
