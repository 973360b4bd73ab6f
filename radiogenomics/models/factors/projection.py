"""Patients seen through learnt factors: where they stand, how surely, and what they lack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from radiogenomics.stats.inputs import Floats

NOTHING = 0.002


@dataclass(frozen=True, eq=False)
class FactorModel:
    r"""Learnt factors of standardised variables, :math:`x = W z + \mu + e`.

    Parameters
    ----------
    loadings
        W, shape (p, K).
    centre, noise
        :math:`\mu` and the variance of :math:`e`, shape (p,).
    weight
        How much each variable counts where factors are inferred, shape (p,); 1: as observed.
    """

    loadings: Floats
    centre: Floats
    noise: Floats
    weight: Floats

    def posterior(self, values: Floats) -> tuple[Floats, Floats]:
        """Mean, shape (n, K), and covariance, shape (n, K, K), of factors; NaN is not observed."""
        n_factors = self.loadings.shape[1]
        scaled = self.loadings * (self.weight / self.noise)[:, None]
        mean = np.empty((len(values), n_factors))
        covariance = np.empty((len(values), n_factors, n_factors))
        for rows, seen in same_gaps(values):
            precision = np.eye(n_factors) + scaled[seen].T @ self.loadings[seen]
            inverse = np.linalg.inv(precision)
            covariance[rows] = (inverse + inverse.T) / 2
            apart = values[np.ix_(rows, seen)] - self.centre[seen]
            mean[rows] = np.linalg.solve(precision, (apart @ scaled[seen]).T).T
        return mean, covariance

    def expected(
        self, mean: Floats, covariance: Floats, asked: np.ndarray
    ) -> tuple[Floats, Floats]:
        """Mean and variance of the variables at ``asked`` for patients of these factors, (n, q)."""
        loadings = self.loadings[asked]
        variance = np.empty((len(mean), len(asked)))
        kinds, kind = np.unique(covariance.reshape(len(mean), -1), axis=0, return_inverse=True)
        for number, flat in enumerate(kinds):
            doubt = loadings @ flat.reshape(covariance.shape[1:])
            variance[kind.ravel() == number] = (doubt * loadings).sum(axis=1) + self.noise[asked]
        return mean @ loadings.T + self.centre[asked], variance

    def log_likelihood(self, values: Floats) -> Floats:
        r"""Log density of each patient's observed values under :math:`W W^\top + \Psi`."""
        n_factors = self.loadings.shape[1]
        scaled = self.loadings / self.noise[:, None]
        found = np.empty(len(values))
        for rows, seen in same_gaps(values):
            precision = np.eye(n_factors) + scaled[seen].T @ self.loadings[seen]
            apart = values[np.ix_(rows, seen)] - self.centre[seen]
            pull = apart @ scaled[seen]
            found[rows] = (
                (pull * np.linalg.solve(precision, pull.T).T).sum(axis=1)
                - (apart**2 / self.noise[seen]).sum(axis=1)
                - np.log(2 * np.pi * self.noise[seen]).sum()
                - np.linalg.slogdet(precision)[1]
            ) / 2
        return found

    def reordered(self, factors: np.ndarray, signs: Floats) -> FactorModel:
        """Return the same model with these factors, in this order and of these signs."""
        return FactorModel(self.loadings[:, factors] * signs, self.centre, self.noise, self.weight)


def same_gaps(values: Floats) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows that miss the same variables, and the positions that they have."""
    seen = ~np.isnan(values)
    _, first, kind = np.unique(
        np.packbits(seen, axis=1), axis=0, return_index=True, return_inverse=True
    )
    for number, row in enumerate(first):
        yield np.flatnonzero(kind.ravel() == number), np.flatnonzero(seen[row])


def explained_shares(
    values: Floats, model: FactorModel, mean: Floats, *, block: np.ndarray
) -> Floats:
    r"""Share of each block's observed variance that each factor, and all together, explain.

    With :math:`r = x - \mu` and :math:`\hat z` the posterior means,
    :math:`1 - \sum (r - w_k \hat z_k)^2 / \sum r^2` over the observed values of a block.

    Returns
    -------
    ndarray, shape (K + 1, blocks)
        At most 1; below 0 where a factor misleads. The last row is that of all factors.
    """
    seen = (~np.isnan(values)).astype(float)
    apart = np.where(seen > 0, values - model.centre, 0.0)
    total = np.bincount(block, weights=(apart**2).sum(axis=0))
    gain = 2 * model.loadings * (apart.T @ mean) - model.loadings**2 * (seen.T @ mean**2)
    left = ((apart - seen * (mean @ model.loadings.T)) ** 2).sum(axis=0)
    shares = [np.bincount(block, weights=column) / total for column in gain.T]
    return np.array([*shares, 1 - np.bincount(block, weights=left) / total])


def independence(values: Floats, model: FactorModel, *, block: np.ndarray) -> Floats:
    r"""For how many independent variables the noise of each block's counts, as a share of them.

    With R the correlations of what the factors leave of a block's :math:`p_b` variables in the
    :math:`n_b` patients who have it, and :math:`K_b` the factors that reach the block,

    .. math:: 1/m_b = \lVert R \rVert^2 / (\operatorname{tr} R)^2 - 1 / (n_b - K_b)

    the last term being what chance adds, and :math:`m_b / p_b` is returned, at most 1: 1 for
    independent noise, :math:`1 / p_b` for noise that all variables share.

    Returns
    -------
    ndarray, shape (blocks,)
        Above 0, at most 1.
    """
    mean, _ = model.posterior(values)
    noise = (values - model.centre - mean @ model.loadings.T) / np.sqrt(model.noise)
    reached = (mean_squares(model.loadings, block) >= NOTHING).sum(axis=1)
    shares = np.ones(len(reached))
    for number, n_factors in enumerate(reached):
        part = noise[:, block == number]
        left = np.nan_to_num(part[~np.isnan(part).all(axis=1)])
        n, p = left.shape
        gram = left @ left.T if n < p else left.T @ left
        together = (gram**2).sum() / np.trace(gram) ** 2 - 1 / max(n - n_factors, 1)
        shares[number] = 1 / max(p * together, 1.0)
    return shares


def mean_squares(loadings: Floats, block: np.ndarray) -> Floats:
    """Mean squared loading of each block on each factor, shape (blocks, K)."""
    size = np.bincount(block)
    return np.array([np.bincount(block, weights=column) / size for column in (loadings**2).T]).T
