r"""A prior for the variances of many genes, learnt from the genes themselves.

A residual variance :math:`s_g^2` with :math:`d_g` degrees of freedom is taken as
:math:`s_0^2 F(d_g, d_0)`. With digamma :math:`\psi`, the mean of

.. math:: e_g = \log s_g^2 - \psi(d_g / 2) + \log(d_g / 2)

gives :math:`s_0^2`, and its variance less the mean of :math:`\psi'(d_g/2)` gives
:math:`\psi'(d_0/2)`; where nothing is left, :math:`d_0 = \infty`. With a covariate (mean
expression) :math:`\log s_0^2` is a natural cubic spline in it, with 1 to 4 columns by the number of
genes and inner knots at its quantiles. As in limma, variances below 1e-5 of the median are raised
to that.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, polygamma

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Floats, as_floats
from radiogenomics.stats.restricted_cubic_spline import rcs_basis

FEWEST_GENES = 3
# Variances below this share of the median are raised to it: a logarithm of 0 would rule the fit.
_FLOOR = 1e-5


@dataclass(frozen=True, eq=False)
class VariancePrior:
    """What variance to expect of a gene before looking at it, and how firmly.

    Parameters
    ----------
    variance
        Shape (genes,). All the same unless a trend was fitted.
    freedom
        Degrees of freedom the prior is worth; inf when variances differ no more than by chance.
    """

    variance: Floats
    freedom: float


def variance_prior(
    variance: ArrayLike, freedom: ArrayLike, *, covariate: ArrayLike | None = None
) -> VariancePrior:
    """Fit a scaled F distribution to residual variances by the moments of their logarithms.

    The formulas stand at the head of this module. Misleads when a few genes are far more variable
    than the rest: they make the prior less sure for all.

    Parameters
    ----------
    variance, freedom : array-like of shape (genes,)
        Residual variances and their degrees of freedom; genes with 0 degrees are given a prior and
        do not inform it.
    covariate : array-like of shape (genes,), optional
        Finite; lets the prior variance depend on it.

    Raises
    ------
    DataError
        Fewer than 3 genes have a residual variance, more than half of those are 0, or shapes or
        covariate are unfit.

    References
    ----------
    Smyth 2004, doi:10.2202/1544-6115.1027 (section 6.2); Law et al. 2014,
    doi:10.1186/gb-2014-15-2-r29 (trend).

    Examples
    --------
    >>> prior = variance_prior([0.5, 1.0, 2.0, 8.0], [10, 10, 10, 10])
    >>> prior.variance.round(2).tolist(), round(prior.freedom, 2)
    ([1.19, 1.19, 1.19, 1.19], 2.53)
    """
    values, degrees = as_floats(variance, "variances"), as_floats(freedom, "degrees of freedom")
    known = np.isfinite(values) & (degrees > 0)
    if values.ndim != 1 or values.shape != degrees.shape or known.sum() < FEWEST_GENES:
        raise DataError(
            f"expected residual variances of at least {FEWEST_GENES} genes; found "
            f"{int(known.sum())} in arrays of shapes {values.shape} and {degrees.shape}. With so "
            "few, test each gene on its own."
        )
    half = degrees[known] / 2
    raised = _raised(values[known])
    e = np.log(raised) - digamma(half) + np.log(half)
    design = _design(covariate, values.shape, known)
    coefficients = np.linalg.lstsq(design[known], e, rcond=None)[0]
    squares = np.square(e - design[known] @ coefficients).sum()
    excess = squares / max(known.sum() - design.shape[1], 1) - polygamma(1, half).mean()
    if excess > 0:
        prior_half = float(inverse_trigamma(excess))
        centre = design @ coefficients + digamma(prior_half) - np.log(prior_half)
        return VariancePrior(np.exp(centre), 2 * prior_half)
    if design.shape[1] == 1:
        return VariancePrior(np.full(values.shape, raised.mean()), np.inf)
    return VariancePrior(np.exp(design @ coefficients), np.inf)


def inverse_trigamma(x: ArrayLike) -> Floats:
    """Solve trigamma(y) = x for y > 0 by Newton's method on 1 / trigamma.

    1 / trigamma is nearly linear, and convex, so the steps from ``1/2 + 1/x`` rise to the solution
    without overshooting. It carries the spread of log variances over to degrees of freedom, and
    loses digits only where x is so small that the answer hardly matters.

    Parameters
    ----------
    x : array-like
        Above 0.

    Raises
    ------
    DataError
        A value is not above 0.

    References
    ----------
    Smyth 2004, doi:10.2202/1544-6115.1027 (appendix).

    Examples
    --------
    >>> inverse_trigamma([0.5, 1.6449340668]).round(6).tolist()
    [2.459953, 1.0]
    """
    target = as_floats(x, "values of trigamma")
    if not (target > 0).all():
        raise DataError(
            f"expected values above 0, as trigamma has; found down to {target.min()}. There is no "
            "solution for these."
        )
    y = 0.5 + 1 / target
    for _ in range(50):
        slope = polygamma(1, y)
        step = slope * (1 - slope / target) / polygamma(2, y)
        y = y + step
        if (np.abs(step) <= 1e-15 * y).all():
            break
    return y


def _raised(values: Floats) -> Floats:
    """Lift zero and nearly zero variances, and say so."""
    median = float(np.median(values))
    zero = int((values <= 0).sum())
    if not median > 0:
        raise DataError(
            f"expected genes that vary within groups; found {zero} of {values.size} without any "
            "residual variance. Drop genes that are constant or hardly expressed."
        )
    if zero:
        warnings.warn(
            f"{zero} of {values.size} genes have no residual variance; they make the prior less "
            "sure for all others. Drop genes that are constant or hardly expressed.",
            RadiogenomicsWarning,
            stacklevel=5,
        )
    return np.maximum(values, _FLOOR * median)


def _design(covariate: ArrayLike | None, shape: tuple[int, ...], known: np.ndarray) -> Floats:
    """Columns that log variance depends on: a constant, or a natural spline in the covariate."""
    constant = np.ones((shape[0], 1))
    if covariate is None:
        return constant
    x = as_floats(covariate, "covariate")
    if x.shape != shape or not np.isfinite(x).all():
        raise DataError(
            f"expected a finite covariate of each of {shape[0]} genes; found shape {x.shape} with "
            f"{int((~np.isfinite(x)).sum())} not finite. Leave out genes without any value."
        )
    seen, n = x[known], int(known.sum())
    columns = min(1 + (n >= 3) + (n >= 6) + (n >= 30), len(np.unique(x)))
    if columns == 1:
        return constant
    # From 0 to 1, so that cubes of the covariate lose no digits.
    low, width = seen.min(), np.ptp(seen)
    if columns == 2:
        return np.hstack([constant, ((x - low) / width)[:, None]])
    knots = np.quantile(seen, np.linspace(0, 1, columns))
    return np.hstack([constant, rcs_basis((x - low) / width, (knots - low) / width)])
