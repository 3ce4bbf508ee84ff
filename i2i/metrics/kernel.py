"""The kernel distance of two sets of features: the squared maximum mean discrepancy."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from i2i.metrics.bootstrap import times_drawn


@dataclass(frozen=True)
class Estimate:
    """A mean over subsets.

    Args:
        mean: Over all subsets.
        standard_deviation: Of the subsets' values around their mean.
        standard_error: Of the mean.
    """

    mean: float
    standard_deviation: float
    standard_error: float


def polynomial_mmd(one: Tensor, other: Tensor) -> float:
    """The unbiased estimate of the squared MMD under the kernel `(xᵀy / d + 1)³`.

    Gretton et al., JMLR 2012, equation 3; the kernel is Bińkowski et al., ICLR 2018, section 4.

    Args:
        one: `(n, d)`, at least two rows.
        other: `(m, d)`, at least two rows.

    Returns:
        The estimate in float64; it may fall below 0, by chance, where the sets are alike.
    """
    one, other = one.double(), other.double()
    within = [_mean_off_diagonal(_kernel(rows, rows)) for rows in (one, other)]
    return (sum(within) - 2 * _kernel(one, other).mean()).item()


def bootstrap_mmd(one: Tensor, other: Tensor, indices: Tensor) -> Tensor:
    """`polynomial_mmd` of bootstrap samples of two sets, whose rows are drawn together.

    An image that was drawn twice meets its copy, which is more like it than any other image would
    be, and the estimate would no longer be unbiased. So pairs of copies are left out: the means
    within a set and across the sets are over pairs of different images, weighted by how often both
    were drawn. Across, an output meets its own target too, once in n pairs as in the whole sets.

    Args:
        one: `(n, d)`.
        other: `(n, d)`; its rows are partners of the first's.
        indices: `(B, m)` rows of each bootstrap sample.

    Returns:
        `(B,)` float64; NaN for a bootstrap sample that has only one row in it.
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
    """The mean of `polynomial_mmd` over random subsets of both sets.

    Args:
        one: `(n, d)`.
        other: `(m, d)`.
        subsets: How many.
        size: Rows drawn from each set, without replacement; at least 2.
        seed: Where the draws begin. They are torch-fidelity's for the same seed, from the one
            generator of numpy's whose numbers are promised never to change.
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
