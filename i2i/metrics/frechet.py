"""The Fréchet distance between two sets of features, each approximated by a Gaussian."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution in `d` dimensions, float64.

    Args:
        mean: `(d,)`.
        covariance: `(d, d)`; None if `factor` is given instead.
        factor: `(r, d)` with rank `r` below `d`; the covariance is `factorᵀ factor`.
    """

    mean: Tensor
    covariance: Tensor | None = None
    factor: Tensor | None = None

    @property
    def variance(self) -> Tensor:
        """The total variance: the trace of the covariance."""
        if self.factor is not None:
            return self.factor.square().sum()
        assert self.covariance is not None
        return self.covariance.diagonal().sum()


def frechet_distance(one: Gaussian, other: Gaussian) -> float:
    """Compute the squared Fréchet distance `|μ₁−μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½)`.

    Dowson and Landau, 1982, equation 4 (also called 2-Wasserstein distance). With Inception
    features it is the FID of Heusel et al., NeurIPS 2017. The matrix root of the product is avoided
    because rounding makes its small eigenvalues negative or complex. Instead, `tr (Σ₁Σ₂)^½` is
    computed as the nuclear norm of the product of factors of the two covariances.

    Returns:
        At least 0.
    """
    shift = (one.mean - other.mean).square().sum()
    distance = shift + one.variance + other.variance - 2 * _overlap(one, other)
    return distance.clamp_min(0).item()


def bootstrap_distances(one: Tensor, other: Tensor, indices: Tensor) -> Tensor:
    """Compute the Fréchet distances of bootstrap samples of two sets of paired rows.

    The result equals `frechet_distance` between the Gaussians of the drawn rows, but needs only the
    inner products of rows. A bootstrap sample is a set of weights on the rows. The nuclear norm is
    that of the matrix of inner products between the drawn rows, centred and scaled by the roots of
    their weights. So a bootstrap sample costs the singular values of a matrix of about
    0.63 n × 0.63 n.

    Args:
        one: `(n, d)`.
        other: `(n, d)`; row i is the partner of row i in `one`.
        indices: `(B, m)` rows of each bootstrap sample; m is at least 2.

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
    """Compute `tr (Σ₁Σ₂)^½`."""
    singular: Tensor = torch.linalg.svdvals(_factor(one) @ _factor(other).T)
    return singular.sum()


def _factor(gaussian: Gaussian) -> Tensor:
    """Return the factor of the covariance; its symmetric root if there is no factor."""
    if gaussian.factor is not None:
        return gaussian.factor
    values, vectors = torch.linalg.eigh(gaussian.covariance)
    root: Tensor = vectors * values.clamp_min(0).sqrt() @ vectors.T
    return root


class Moments:
    """Mean and covariance, in float64, of rows that arrive in batches.

    While there are fewer rows than dimensions, the rows are stored, which makes distances exact and
    cheap. After that, only mean and scatter are stored, so that memory stays constant. They are
    updated as in Chan, Golub and LeVeque 1983, equations 2.1.
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
        """Add the rows of another instance."""
        if other._rows is not None:
            for rows in other._rows:
                self.update(rows)
            return
        if self._rows is not None:
            self._fold(self._rows)
        self._add(other.n, other._mean, other._scatter)

    def rows(self) -> Tensor | None:
        """Return all rows `(n, d)` in order; None if there are none or they are not stored."""
        return torch.cat(self._rows) if self._rows else None

    def gaussian(self) -> Gaussian:
        """Return the Gaussian with the mean and unbiased covariance of at least two rows."""
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
