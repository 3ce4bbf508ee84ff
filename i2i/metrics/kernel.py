"""The kernel distance between two sets of features: the squared maximum mean discrepancy."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from i2i.metrics.bootstrap import times_drawn


@dataclass(frozen=True)
class Estimate:
    """The mean of a value over random subsets.

    Args:
        mean: The mean over all subsets.
        standard_deviation: The standard deviation of the subsets' values.
        standard_error: The standard error of the mean.
    """

    mean: float
    standard_deviation: float
    standard_error: float


def polynomial_mmd(one: Tensor, other: Tensor) -> float:
    """Estimate the squared MMD with the kernel `(xᵀy / d + 1)³`, without bias.

    Gretton et al., JMLR 2012, equation 3; the kernel is from Bińkowski et al., ICLR 2018,
    section 4.

    Args:
        one: `(n, d)`, at least two rows.
        other: `(m, d)`, at least two rows.

    Returns:
        The estimate in float64. It may be below 0 by chance if the sets are similar.
    """
    one, other = one.double(), other.double()
    within = [_mean_off_diagonal(_kernel(rows, rows)) for rows in (one, other)]
    return (sum(within) - 2 * _kernel(one, other).mean()).item()


def bootstrap_mmd(one: Tensor, other: Tensor, indices: Tensor) -> Tensor:
    """Compute `polynomial_mmd` of bootstrap samples of two sets of paired rows.

    If a row is drawn twice, the two copies are more similar than any two different rows, which
    would bias the estimate. So pairs of copies are left out. The means within a set and between the
    sets are over pairs of different rows, weighted by how often both rows were drawn. The mean
    between the sets also includes each output with its own target, at a share of 1/n, as in the
    whole sets.

    Args:
        one: `(n, d)`.
        other: `(n, d)`; row i is the partner of row i in `one`.
        indices: `(B, m)` rows of each bootstrap sample.

    Returns:
        `(B,)` float64; NaN for a bootstrap sample with only one distinct row.
    """
    one, other = one.double(), other.double()
    times = times_drawn(indices, len(one))
    n, squares = times.sum(dim=1), times.square()
    different = n.square() - squares.sum(dim=1)

    def between_different(kernel: Tensor) -> Tensor:
        return ((times @ kernel * times).sum(dim=1) - squares @ kernel.diagonal()) / different

    across = _kernel(one, other)
    partners = times @ across.diagonal() / n
    both = between_different(_kernel(one, one)) + between_different(_kernel(other, other))
    return both - 2 * (partners / n + between_different(across) * (1 - 1 / n))


def subset_mmd(one: Tensor, other: Tensor, *, subsets: int, size: int, seed: int) -> Estimate:
    """Compute the mean of `polynomial_mmd` over random subsets of both sets.

    Args:
        one: `(n, d)`.
        other: `(m, d)`.
        subsets: Number of subsets.
        size: Rows drawn from each set, without replacement; at least 2.
        seed: Seed of the draws. With the same seed they equal torch-fidelity's. They come from
            `RandomState`, the only numpy generator that guarantees a stable sequence of numbers.
    """
    draws = np.random.RandomState(seed)

    def drawn(rows: Tensor) -> Tensor:
        return rows[torch.from_numpy(draws.choice(len(rows), size, replace=False))]

    values = np.array([polynomial_mmd(drawn(one), drawn(other)) for _ in range(subsets)])
    deviation = float(values.std())
    error = deviation / (subsets - 1) ** 0.5 if subsets > 1 else float("nan")
    return Estimate(float(values.mean()), deviation, error)


def _kernel(one: Tensor, other: Tensor) -> Tensor:
    return (one @ other.T / one.shape[1] + 1) ** 3


def _mean_off_diagonal(square: Tensor) -> Tensor:
    n = len(square)
    return (square.sum() - square.trace()) / (n * (n - 1))
