r"""Moderated t-tests: linear models of many genes that lend each other strength (limma).

Each gene's values are a linear model of the design, :math:`y = X\beta + \epsilon`. Its residual
variance :math:`s^2` on :math:`d` degrees of freedom is moderated by a prior :math:`s_0^2, d_0`
learnt from all genes (:mod:`~radiogenomics.stats.groups.variance_prior`),

.. math:: \tilde s^2 = \frac{d_0 s_0^2 + d s^2}{d_0 + d}, \qquad
          \tilde t = \frac{c'\hat\beta}{\tilde s\sqrt{c'(X'X)^{-1}c}},

and :math:`\tilde t` has :math:`d_0 + d` degrees of freedom, at most those of all genes together.

Missing values are left out gene by gene. The standard error of a gene with gaps is exact, as when
limma is given the contrast as a coefficient of its design; limma's ``contrasts.fit`` after a fit
with gaps is approximate unless the design is orthogonal. limma also reports a coefficient when a
later column of the design was dropped for being confounded with it in the samples that remain; here
the contrast of that gene is NaN. Outlying variances are not treated robustly (limma's
``robust=TRUE``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular
from scipy.special import stdtr, stdtrit

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.stats.groups.variance_prior import VariancePrior, variance_prior
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_level

# Share of a column's length below which it is a combination of others but for rounding.
_RANK = 1e-9
# Genes with gaps are solved in batches of about this many numbers.
_BATCH = 4_000_000
# Standard deviations that effects of changed genes can have, as limma takes them.
_EFFECT_SD = (0.1, 4.0)
# A prior worth more degrees of freedom than this is taken as certain in the log-odds.
_CERTAIN = 1e6


@dataclass(frozen=True, eq=False)
class ModeratedT:
    """One contrast, tested in every gene.

    Parameters
    ----------
    estimate, standard_error, low, high
        The contrast in the unit of the values, with its moderated standard error and interval.
        NaN, as all that follows from them, where the values present do not determine it.
    t, p
        Moderated t and two-sided p-value.
    log_odds
        Natural logarithm of the odds that the gene differs (limma's B); its level hangs on the
        assumed share of such genes, its order does not.
    mean
        Mean of the values present.
    residual_variance, residual_freedom
        Of the gene alone; NaN where it has no degrees of freedom.
    variance, freedom
        After moderation, used for t.
    prior_variance
        Shape (genes,), as all above.
    prior_freedom
        One number; inf when genes differ in variance no more than by chance.
    """

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    t: Floats
    p: Floats
    log_odds: Floats
    mean: Floats
    residual_variance: Floats
    residual_freedom: Floats
    variance: Floats
    freedom: Floats
    prior_variance: Floats
    prior_freedom: float


@dataclass(frozen=True, eq=False)
class _Fit:
    """Least squares of each gene: contrast, its standard deviation per sigma, what is left."""

    estimate: Floats
    unscaled: Floats
    squares: Floats
    freedom: Floats


def moderated_t(
    values: ArrayLike,
    design: ArrayLike,
    contrast: ArrayLike,
    *,
    trend: bool = False,
    level: float = 0.95,
    changed: float = 0.01,
) -> ModeratedT:
    """Test a contrast of linear models in many genes, with variances shrunk to a common one.

    Equals limma's ``lmFit``, ``contrasts.fit`` and ``eBayes`` (formulas and the treatment of
    missing values: head of this module). It helps most with few samples. Misleads on raw counts,
    when samples are not independent (put the patient into the design), and when genes are few or
    were chosen by their difference: the prior is then not that of genes in general.

    Parameters
    ----------
    values : array-like of shape (samples, genes)
        On a logarithmic scale; NaN is missing.
    design : array-like of shape (samples, coefficients)
        Of full rank; a constant column is not added.
    contrast : array-like of shape (coefficients,)
        Weights of the coefficients, for example ``[0, 1]``.
    trend
        Let the prior variance depend on mean expression (limma-trend), as for log counts.
    level
        Of the intervals.
    changed
        Assumed share of genes that differ, for ``log_odds`` alone.

    Raises
    ------
    DataError
        Shapes disagree, values are infinite, the design is not of full rank or leaves no degrees
        of freedom, the contrast is 0, or fewer than 3 genes have a residual variance.

    References
    ----------
    Smyth 2004, doi:10.2202/1544-6115.1027; Ritchie et al. 2015, doi:10.1093/nar/gkv007.

    Examples
    --------
    >>> values = np.array([[1.0, 5.1, 2.2], [1.4, 5.0, 2.0], [3.1, 5.3, 2.1], [3.5, 4.9, 2.4]])
    >>> found = moderated_t(values, [[1, 0], [1, 0], [1, 1], [1, 1]], [0, 1])
    >>> found.estimate.round(2)
    array([2.1 , 0.05, 0.15])
    """
    check_level(level)
    if not 0 < changed < 1:
        raise DataError(
            f"changed: expected a share above 0 and below 1; found {changed}. The usual is 0.01."
        )
    y, x, weights = _checked(values, design, contrast)
    fit = _least_squares(y, *_orthonormal(x, weights))
    return _moderated(fit, _mean(y), trend=trend, quantile=(1 + level) / 2, changed=changed)


def _checked(
    values: ArrayLike, design: ArrayLike, contrast: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    y, x = as_floats(values, "values"), as_floats(design, "design")
    weights = as_floats(contrast, "contrast")
    if y.ndim != 2 or x.ndim != 2 or len(x) != len(y) or weights.shape != x.shape[1:]:
        raise DataError(
            "expected values of samples × genes, a design of samples × coefficients and a contrast "
            f"with a weight of each coefficient; found shapes {y.shape}, {x.shape} and "
            f"{weights.shape}. Samples are rows in both tables."
        )
    if np.isinf(y).any() or not np.isfinite(x).all():
        raise DataError(
            "expected finite values (NaN where missing) and a finite design; found "
            f"{int(np.isinf(y).sum())} infinite values and {int((~np.isfinite(x)).sum())} design "
            "entries that are not finite. Add a constant before taking logarithms."
        )
    if not np.isfinite(weights).all() or not weights.any():
        raise DataError(
            f"expected a contrast that is finite and not all 0; found {weights.tolist()}. Write "
            "[0, 1] for the second coefficient."
        )
    if len(x) <= x.shape[1]:
        raise DataError(
            f"expected more samples than the {x.shape[1]} coefficients; found {len(x)}. Drop "
            "covariates or add samples."
        )
    return y, x, weights


def _orthonormal(x: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Orthonormal columns that span the design, and the contrast's weights on them."""
    size = np.linalg.norm(x, axis=0)
    q, r = np.linalg.qr(x / np.where(size > 0, size, 1.0))
    lengths = np.abs(np.diag(r))
    if lengths.min() < _RANK:
        raise DataError(
            "expected a design of full rank; found that column(s) "
            f"{short_list(np.flatnonzero(lengths < _RANK))} (counted from 0) follow from those "
            "before. Drop what is confounded, or one level of each factor beside a constant."
        )
    return q, solve_triangular(r, weights / size, trans="T")


def _least_squares(y: Floats, q: Floats, weights: Floats) -> _Fit:
    """Fit genes without gaps as one product, those with gaps in batches."""
    present = np.isfinite(y)
    whole = present.all(axis=0)
    estimate, unscaled, squares, freedom = np.full((4, y.shape[1]), np.nan)
    effects = q.T @ y[:, whole]
    estimate[whole] = weights @ effects
    unscaled[whole] = np.linalg.norm(weights)
    squares[whole] = np.square(y[:, whole] - q @ effects).sum(axis=0)
    freedom[whole] = q.shape[0] - q.shape[1]
    gaps = np.flatnonzero(~whole)
    step = max(1, _BATCH // max(q.shape[1] ** 2, q.shape[0]))
    for start in range(0, len(gaps), step):
        genes = gaps[start : start + step]
        filled = np.where(present[:, genes], y[:, genes], 0.0)
        part = _with_gaps(filled, present[:, genes], (q, weights))
        estimate[genes], unscaled[genes] = part.estimate, part.unscaled
        squares[genes], freedom[genes] = part.squares, part.freedom
    return _Fit(estimate, unscaled, squares, freedom)


def _with_gaps(y: Floats, present: Bools, space: tuple[Floats, Floats]) -> _Fit:
    """Least squares on the samples present, by the eigenvectors of each gene's Q'Q.

    Directions that these samples say nothing about have eigenvalue 0; a contrast that needs one of
    them is not estimable.
    """
    q, weights = space
    n, p = q.shape
    products = (q[:, :, None] * q[:, None, :]).reshape(n, p * p)
    gram = (present.T.astype(float) @ products).reshape(-1, p, p)
    values, vectors = np.linalg.eigh(gram)
    told = values > _RANK
    inverse = np.where(told, 1 / np.where(told, values, 1.0), 0.0)
    onto = np.einsum("gij,i->gj", vectors, weights)
    coordinates = np.einsum("gij,gi->gj", vectors, (q.T @ y).T) * inverse
    effects = np.einsum("gij,gj->ig", vectors, coordinates)
    squares = np.square(np.where(present, y - q @ effects, 0.0)).sum(axis=0)
    lost = np.square(np.where(told, 0.0, onto)).sum(axis=1)
    estimable = lost <= _RANK * (weights @ weights)
    return _Fit(
        np.where(estimable, (onto * coordinates).sum(axis=1), np.nan),
        np.where(estimable, np.sqrt((onto**2 * inverse).sum(axis=1)), np.nan),
        squares,
        present.sum(axis=0) - told.sum(axis=1).astype(float),
    )


def _mean(y: Floats) -> Floats:
    """Mean of the values present; NaN where there is none."""
    present = np.isfinite(y)
    with np.errstate(invalid="ignore"):
        return np.where(present, y, 0.0).sum(axis=0) / present.sum(axis=0)


def _moderated(
    fit: _Fit, mean: Floats, *, trend: bool, quantile: float, changed: float
) -> ModeratedT:
    known = fit.freedom > 0
    own = np.full(mean.shape, np.nan)
    own[known] = fit.squares[known] / fit.freedom[known]
    prior_variance = np.full(mean.shape, np.nan)
    measured = np.isfinite(mean)
    prior = variance_prior(
        own[measured], fit.freedom[measured], covariate=mean[measured] if trend else None
    )
    prior_variance[measured] = prior.variance
    if np.isinf(prior.freedom):
        variance = prior_variance
    else:
        sums = np.where(known, fit.squares, 0.0) + prior.freedom * prior_variance
        variance = sums / (fit.freedom + prior.freedom)
    freedom = np.minimum(fit.freedom + prior.freedom, fit.freedom.sum())
    error = fit.unscaled * np.sqrt(variance)
    t = fit.estimate / error
    half = stdtrit(freedom, quantile) * error
    return ModeratedT(
        estimate=fit.estimate,
        standard_error=error,
        low=fit.estimate - half,
        high=fit.estimate + half,
        t=t,
        p=2 * stdtr(freedom, -np.abs(t)),
        log_odds=_log_odds(t, fit.unscaled, freedom, prior=prior, changed=changed),
        mean=mean,
        residual_variance=own,
        residual_freedom=fit.freedom,
        variance=variance,
        freedom=freedom,
        prior_variance=prior_variance,
        prior_freedom=prior.freedom,
    )


def _log_odds(
    t: Floats, unscaled: Floats, freedom: Floats, *, prior: VariancePrior, changed: float
) -> Floats:
    """Log-odds that a gene differs, its effect then being normal with a variance learnt here."""
    effect = _effect_variance(t, unscaled, freedom, prior=prior, changed=changed)
    ratio = 1 + effect / unscaled**2
    if prior.freedom > _CERTAIN:
        kernel = t**2 * (1 - 1 / ratio) / 2
    else:
        kernel = (1 + freedom) / 2 * np.log((t**2 + freedom) / (t**2 / ratio + freedom))
    return np.log(changed / (1 - changed)) - np.log(ratio) / 2 + kernel


def _effect_variance(
    t: Floats, unscaled: Floats, freedom: Floats, *, prior: VariancePrior, changed: float
) -> float:
    """Prior variance of true effects per residual variance, from the largest t (Smyth 2004).

    The r-th largest of n genes is set against the t it would have if a share ``changed`` of all
    followed the wider distribution; each such gene gives a variance, and their mean is taken.
    """
    tested = np.isfinite(t)
    n = int(tested.sum())
    top = int(np.ceil(changed / 2 * n))
    largest = freedom[tested].max(initial=0.0)
    # On the largest number of degrees, where a t of the same p would stand.
    tail = stdtr(freedom[tested], -np.abs(t[tested]))
    order = np.argsort(tail, kind="stable")[:top]
    share = max(top / max(n, 1), changed)
    null = 2 * tail[order]
    target = ((np.arange(1, top + 1) - 0.5) / n - (1 - share) * null) / share
    size = -stdtrit(largest, tail[order])
    beyond = target > null
    variances = np.zeros(top)
    expected = -stdtrit(largest, target[beyond] / 2)
    variances[beyond] = unscaled[tested][order][beyond] ** 2 * ((size[beyond] / expected) ** 2 - 1)
    low, high = np.square(_EFFECT_SD) / np.median(prior.variance)
    return float(np.clip(variances, low, high).mean()) if top else np.nan
