"""The Fréchet distance of two sets of features, each taken as a Gaussian."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution in `d` dimensions, float64.

    Args:
        mean: `(d,)`.
        covariance: `(d, d)`; None where `factor` is given instead.
        factor: `(r, d)` with `factorᵀ factor` the covariance, for a rank `r` below `d`.
    """

    mean: Tensor
    covariance: Tensor | None = None
    factor: Tensor | None = None

    @property
    def variance(self) -> Tensor:
        """The sum of the variances along all dimensions: the covariance's trace."""
        if self.factor is not None:
            return self.factor.square().sum()
        assert self.covariance is not None
        return self.covariance.diagonal().sum()


def frechet_distance(one: Gaussian, other: Gaussian) -> float:
    """The squared Fréchet (2-Wasserstein) distance `|μ₁−μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½)`.

    Dowson and Landau, 1982, equation 4; of Inception's features it is Heusel et al., NeurIPS 2017.
    No matrix root of a product is taken, whose small eigenvalues come out negative or complex:
    `tr (Σ₁Σ₂)^½` is the nuclear norm of the product of any two factors of the covariances.

    Returns:
        At least 0.
    """
    shift = (one.mean - other.mean).square().sum()
    distance = shift + one.variance + other.variance - 2 * _overlap(one, other)
    return distance.clamp_min(0).item()


def bootstrap_distances(one: Tensor, other: Tensor, indices: Tensor) -> Tensor:
    """The Fréchet distances of bootstrap samples of two sets, whose rows are drawn together.

    The same as `frechet_distance` of the drawn rows' Gaussians, computed from inner products of
    rows alone: a bootstrap sample is weights on the rows, and the nuclear norm is that of the inner
    products of rows that were drawn, centred and scaled by the roots of their weights. So no
    bootstrap sample costs more than the singular values of some 0.63 n × 0.63 n.

    Args:
        one: `(n, d)`.
        other: `(n, d)`.
        indices: `(B, m)` rows of each bootstrap sample, at least two.

    Returns:
        `(B,)` float64, at least 0.
    """
    one, other = one.double(), other.double()
    products = one @ one.T, other @ other.T, one @ other.T
    return torch.stack([_bootstrap_distance(products, rows) for rows in indices])


def _bootstrap_distance(products: tuple[Tensor, Tensor, Tensor], rows: Tensor) -> Tensor:
    drawn, times = torch.unique(rows, return_counts=True)
    weights = times / times.sum(dtype=torch.float64)
    unbiased = len(rows) / (len(rows) - 1)
    first, second, across = (inner[drawn[:, None], drawn] for inner in products)
    means = [weights @ inner @ weights for inner in (first, second, across)]
    shift = means[0] + means[1] - 2 * means[2]
    variances = weights @ (first.diagonal() + second.diagonal()) - means[0] - means[1]
    centred = across - (across @ weights)[:, None] - weights @ across + means[2]
    roots = weights.sqrt()
    overlap = torch.linalg.svdvals(roots[:, None] * centred * roots).sum()
    distance: Tensor = shift + unbiased * (variances - 2 * overlap)
    return distance.clamp_min(0)


def _overlap(one: Gaussian, other: Gaussian) -> Tensor:
    """`tr (Σ₁Σ₂)^½`."""
    singular: Tensor = torch.linalg.svdvals(_factor(one) @ _factor(other).T)
    return singular.sum()


def _factor(gaussian: Gaussian) -> Tensor:
    """A factor of the covariance; its symmetric root where none is known."""
    if gaussian.factor is not None:
        return gaussian.factor
    values, vectors = torch.linalg.eigh(gaussian.covariance)
    root: Tensor = vectors * values.clamp_min(0).sqrt() @ vectors.T
    return root


class Moments:
    """Mean and covariance of rows that come in batches, in float64.

    While there are fewer rows than dimensions the rows themselves are kept, which makes distances
    exact and cheap; from then on mean and scatter, updated as in Chan, Golub and LeVeque 1983,
    equations 2.1, so that memory no longer grows.
    """

    def __init__(self) -> None:
        self.n = 0
        self._rows: list[Tensor] | None = []
        self._mean = torch.zeros(())
        self._scatter = torch.zeros(())

    def update(self, rows: Tensor) -> None:
        """Add rows `(n, d)`."""
        if len(rows) == 0:
            return
        if self._rows is not None:
            self._rows.append(rows)
            self.n += len(rows)
            if self.n >= rows.shape[1]:
                self._fold(self._rows)
        else:
            self._add(*_moments(rows))

    def merge(self, other: Self) -> None:
        """Add what another has gathered."""
        if other._rows is not None:
            for rows in other._rows:
                self.update(rows)
            return
        if self._rows is not None:
            self._fold(self._rows)
        self._add(other.n, other._mean, other._scatter)

    def rows(self) -> Tensor | None:
        """All rows as they came `(n, d)`; None where there are none or they are no longer kept."""
        return torch.cat(self._rows) if self._rows else None

    def gaussian(self) -> Gaussian:
        """The Gaussian with the rows' mean and unbiased covariance; needs two rows."""
        if self._rows is None:
            return Gaussian(self._mean, covariance=self._scatter / (self.n - 1))
        rows = torch.cat(self._rows).double()
        mean = rows.mean(0)
        return Gaussian(mean, factor=(rows - mean) / (self.n - 1) ** 0.5)

    def _fold(self, rows: list[Tensor]) -> None:
        self._rows, self.n = None, 0
        if rows:
            self._add(*_moments(torch.cat(rows)))

    def _add(self, n: int, mean: Tensor, scatter: Tensor) -> None:
        if self.n == 0:
            self.n, self._mean, self._scatter = n, mean, scatter
            return
        total = self.n + n
        shift = mean - self._mean
        self._scatter = self._scatter + scatter + shift.outer(shift) * (self.n * n / total)
        self._mean = self._mean + shift * (n / total)
        self.n = total


def _moments(rows: Tensor) -> tuple[int, Tensor, Tensor]:
    rows = rows.double()
    mean = rows.mean(0)
    centred = rows - mean
    return len(rows), mean, centred.T @ centred
