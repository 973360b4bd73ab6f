"""Empirical Bayes: what one site does to a variable, pulled towards what it does to the others."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radiogenomics.core.errors import RadiogenomicsWarning

Floats = NDArray[np.float64]

# Two variables against each other at a time: a block of this many numbers stays in the cache.
_BLOCK = 2**17
_MAX_ITERATIONS = 10_000
# A relative variance of the variances below this is rounding: they are all the same.
_NO_SPREAD = 1e-24


class SiteEffect(NamedTuple):
    """What one site adds to each standardised variable, and by what it multiplies its variance.

    Attributes
    ----------
    shift, variance : ndarray, shape (n_variables,)
        In units of the pooled standard deviation, and of the pooled variance.
    """

    shift: Floats
    variance: Floats


def shrink_parametric(effect: SiteEffect, count: Floats, *, tolerance: float) -> SiteEffect:
    r"""Posterior of a site's effects under a normal and an inverse gamma prior.

    With :math:`\hat\gamma_g, \hat\delta_g` the mean and variance of the site's :math:`n_g`
    standardised values of variable g, the prior of the shifts is normal with their mean
    :math:`\bar\gamma` and variance :math:`\tau^2` over variables, and that of the variances inverse
    gamma with shape :math:`\lambda` and scale :math:`\theta` by moments. Then

    .. math::
        \gamma^*_g = \frac{n_g \tau^2 \hat\gamma_g + \delta^*_g \bar\gamma}{n_g\tau^2 + \delta^*_g},
        \qquad
        \delta^*_g = \frac{\theta + \tfrac12 \sum_j (z_{gj} - \gamma^*_g)^2}
                          {\lambda + n_g / 2 - 1}

    are iterated from :math:`\hat\gamma, \hat\delta`, for all variables together.

    Parameters
    ----------
    effect
        Mean and variance (n - 1) of the site's standardised values, at least two variables.
    count
        Patients of the site with a value, shape (n_variables,).
    tolerance
        Iterations end when no variance and no positive shift still moves by more than this share of
        itself. (That shifts below zero have no say is the rule of sva, kept to agree with it.)

    Returns
    -------
    SiteEffect
    """
    prior_mean, prior_variance = effect.shift.mean(), effect.shift.var(ddof=1)
    mean, spread = effect.variance.mean(), effect.variance.var(ddof=1)
    if spread <= _NO_SPREAD * mean**2:
        weight = count * prior_variance
        shift = (weight * effect.shift + mean * prior_mean) / (weight + mean)
        return SiteEffect(shift, effect.variance.copy())
    shape = 2 + mean**2 / spread
    scale = mean + mean**3 / spread
    within = (count - 1) * effect.variance
    shift, variance = effect
    for _ in range(_MAX_ITERATIONS):
        weight = count * prior_variance
        new_shift = (weight * effect.shift + variance * prior_mean) / (weight + variance)
        squares = within + count * (effect.shift - new_shift) ** 2
        new_variance = (scale + squares / 2) / (shape + count / 2 - 1)
        moving = (np.abs(new_shift - shift) > tolerance * shift) & (shift >= 0)
        moving |= np.abs(new_variance - variance) > tolerance * variance
        shift, variance = new_shift, new_variance
        if not moving.any():
            return SiteEffect(shift, variance)
    warnings.warn(
        f"empirical Bayes: {int(moving.sum())} of {len(shift)} variables still move by more than "
        f"{tolerance} after {_MAX_ITERATIONS} iterations; their last values are kept. Raise the "
        "tolerance.",
        RadiogenomicsWarning,
        stacklevel=2,
    )
    return SiteEffect(shift, variance)


def shrink_shift(effect: SiteEffect) -> SiteEffect:
    r"""Posterior mean of a site's shifts alone, :math:`(\tau^2\hat\gamma+\bar\gamma)/(\tau^2+1)`.

    Variances stay as they are. A site's mean counts as one observation of variance 1 however many
    patients it has, as in sva, which shrinks large sites harder than their size calls for.
    """
    prior_mean, prior_variance = effect.shift.mean(), effect.shift.var(ddof=1)
    shift = (prior_variance * effect.shift + prior_mean) / (prior_variance + 1)
    return SiteEffect(shift, effect.variance)


def shrink_nonparametric(effect: SiteEffect, within: Floats, count: Floats) -> SiteEffect:
    r"""Posterior means of a site's effects, the effects on all other variables being the prior.

    Each other variable h offers :math:`(\hat\gamma_h, \hat\delta_h)`, weighted by the likelihood
    that it gives the site's values of variable g,
    :math:`\hat\delta_h^{-n_g/2} \exp(-\sum_j (z_{gj} - \hat\gamma_h)^2 / 2\hat\delta_h)`. Weights
    are kept as logarithms until the largest is known, so none is lost to underflow.

    Parameters
    ----------
    effect
        Mean and variance (n - 1) of the site's standardised values, at least two variables.
    within
        Their sum of squares about the mean, shape (n_variables,).
    count
        Patients of the site with a value, shape (n_variables,).

    Returns
    -------
    SiteEffect
    """
    shift, variance = effect
    n_variables = len(shift)
    offers = np.column_stack([np.ones(n_variables), shift, variance])
    log_variance = np.log(variance)
    posterior = np.empty((n_variables, 3))
    step = max(1, _BLOCK // n_variables)
    for start in range(0, n_variables, step):
        part = np.arange(start, min(start + step, n_variables))
        n = count[part, None]
        weights = np.square(shift[part, None] - shift)
        weights *= n
        weights += within[part, None]
        weights /= variance
        weights += n * log_variance
        weights *= -0.5
        weights[np.arange(len(part)), part] = -np.inf
        weights -= weights.max(axis=1, keepdims=True)
        posterior[part] = np.exp(weights, out=weights) @ offers
    posterior[:, 1:] /= posterior[:, :1]
    return SiteEffect(posterior[:, 1].copy(), posterior[:, 2].copy())
