r"""How much counts of a gene vary beyond Poisson, and how that depends on its mean.

Counts of one group of samples are taken as negative binomial with mean :math:`\mu_j = s_j m` (size
factor times the gene's mean of normalised counts) and variance :math:`\mu + \alpha\mu^2`. The
dispersion :math:`\alpha` of each gene maximises the likelihood with Cox and Reid's adjustment
:math:`-\tfrac12\log\sum_j (1/\mu_j + \alpha)^{-1}`, and the trend
:math:`\alpha(m) = a_0 + a_1 / m` is a gamma regression through them (DESeq2's parametric fit).

A gene whose counts vary no more than Poisson's by moments has the smallest dispersion, as in
DESeq2, and so no say in the trend.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize.elementwise import find_minimum
from scipy.special import gammaln

Floats = NDArray[np.float64]

# Bounds and floors of DESeq2.
SMALLEST_DISPERSION = 1e-8
_LARGEST_DISPERSION = 10.0
_SMALLEST_MEAN = 0.5
# Genes at the lower bound say nothing about the trend.
_INFORMATIVE = 100 * SMALLEST_DISPERSION
# Ratios to the trend outside these are left out of its next round.
_FIT_RANGE = (1e-4, 15.0)
_START = (0.1, 1.0)
_ROUNDS, _SETTLED = 10, 1e-6
_STEPS, _DEVIANCE_SETTLED = 100, 1e-14
_GRID = 33
# Genes are worked through in batches of about this many counts.
_BATCH = 400_000


class DispersionTrend(NamedTuple):
    """Dispersion of genes with mean normalised count m: ``asymptotic + extra_poisson / m``."""

    asymptotic: float
    extra_poisson: float


def gene_dispersions(counts: Floats, factors: Floats) -> Floats:
    """Dispersion of each gene over samples of one group.

    Parameters
    ----------
    counts : ndarray of shape (samples, genes)
        Each gene with a count above 0.
    factors : ndarray of shape (samples,)
        Size factors.

    Returns
    -------
    ndarray of shape (genes,)
        From 1e-8 to 10, or to the number of samples if that is more.
    """
    step = max(1, _BATCH // len(counts))
    parts = [
        _dispersions(counts[:, start : start + step], factors)
        for start in range(0, counts.shape[1], step)
    ]
    return np.concatenate(parts)


def fit_trend(means: Floats, dispersions: Floats) -> DispersionTrend | None:
    """Gamma regression of dispersions on 1 / mean, without genes far off the trend.

    Parameters
    ----------
    means, dispersions : ndarray of shape (genes,)

    Returns
    -------
    DispersionTrend or None
        None where there is no such trend: a coefficient is not above 0, or rounds do not settle.
    """
    used = dispersions > _INFORMATIVE
    columns = np.column_stack([np.ones(used.sum()), 1 / means[used]])
    values = dispersions[used]
    coefficients = np.array(_START)
    for _ in range(_ROUNDS):
        ratio = values / (columns @ coefficients)
        good = (ratio > _FIT_RANGE[0]) & (ratio < _FIT_RANGE[1])
        if good.sum() < 2:
            return None
        before = coefficients
        coefficients = _gamma_regression(columns[good], values[good], before)
        if not (coefficients > 0).all():
            return None
        if np.square(np.log(coefficients / before)).sum() < _SETTLED:
            return DispersionTrend(*coefficients.tolist())
    return None


def _dispersions(counts: Floats, factors: Floats) -> Floats:
    """Highest adjusted likelihood: the best of a grid of logarithms, followed up."""
    mean = (counts / factors[:, None]).mean(axis=0)
    mu = np.maximum(factors[:, None] * mean, _SMALLEST_MEAN)
    largest = max(_LARGEST_DISPERSION, len(counts))
    grid = np.linspace(np.log(SMALLEST_DISPERSION), np.log(largest), _GRID)
    heights = np.array([_lost(np.full(mean.shape, x), counts, mu) for x in grid])
    best = heights.argmin(axis=0)
    found = np.exp(grid[best])
    spread = _spread_beyond_poisson(counts, factors)
    found[spread <= SMALLEST_DISPERSION] = SMALLEST_DISPERSION
    inner = np.flatnonzero((best > 0) & (best < _GRID - 1) & (spread > SMALLEST_DISPERSION))
    if len(inner):

        def lost(x: Floats, gene: NDArray[np.intp]) -> Floats:
            return _lost(x, counts[:, gene], mu[:, gene])

        at = best[inner]
        peak = find_minimum(lost, (grid[at - 1], grid[at], grid[at + 1]), args=(inner,))
        found[inner] = np.exp(peak.x)
    return found


def _spread_beyond_poisson(counts: Floats, factors: Floats) -> Floats:
    """Dispersion by moments: the lower of DESeq2's two first guesses."""
    scaled = counts / factors[:, None]
    mean, variance = scaled.mean(axis=0), scaled.var(axis=0, ddof=1)
    moments = (variance - (1 / factors).mean() * mean) / mean**2
    floored = np.maximum(mean, 1.0)
    squares = ((scaled - floored) ** 2 - floored).sum(axis=0) / (len(counts) - 1)
    return np.minimum(moments, squares / floored**2)


def _lost(log_dispersion: Floats, counts: Floats, mu: Floats) -> Floats:
    """Negative adjusted log-likelihood of one dispersion a gene, but for a constant."""
    alpha = np.exp(log_dispersion)
    size = 1 / alpha
    likelihood = (
        gammaln(counts + size)
        - gammaln(size)
        - counts * np.log(mu + size)
        - size * np.log1p(mu * alpha)
    ).sum(axis=0)
    adjustment = np.log((1 / (1 / mu + alpha)).sum(axis=0)) / 2
    return adjustment - likelihood


def _gamma_regression(x: Floats, y: Floats, start: Floats) -> Floats:
    """Gamma model with identity link, by iterated weighted least squares."""
    coefficients, deviance = start, np.inf
    for _ in range(_STEPS):
        fitted = x @ coefficients
        scaled = x / fitted[:, None]
        coefficients = np.linalg.lstsq(scaled, y / fitted, rcond=None)[0]
        fitted = x @ coefficients
        if not (fitted > 0).all():
            return np.full(2, np.nan)
        before, deviance = deviance, 2 * (y / fitted - 1 - np.log(y / fitted)).sum()
        if abs(deviance - before) <= _DEVIANCE_SETTLED * (abs(deviance) + 0.1):
            break
    return coefficients
