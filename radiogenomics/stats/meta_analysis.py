"""Effects of many genes pooled over cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.heterogeneity import (
    CohortEffects,
    tau2_dersimonian_laird,
    tau2_interval,
    tau2_paule_mandel,
    tau2_restricted_likelihood,
)
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_level

PoolingMethod = Literal["fixed", "dersimonian_laird", "reml", "paule_mandel"]
METHODS: tuple[PoolingMethod, ...] = get_args(PoolingMethod)
PoolingTest = Literal["normal", "hartung_knapp", "hartung_knapp_cautious"]
TESTS: tuple[PoolingTest, ...] = get_args(PoolingTest)


@dataclass(frozen=True, eq=False)
class MetaAnalysis:
    """Pooled effect of each gene and how far cohorts agree; every array has shape (genes,).

    Parameters
    ----------
    cohorts
        How many have the gene. With none, all else is NaN; with one, the estimate is that cohort's
        and the rest of this list from ``prediction_low`` on is NaN (with a Hartung-Knapp test,
        everything but the estimate).
    estimate, standard_error, low, high
        In the unit of the effects, with confidence interval.
    statistic, p
        z, or t on one degree of freedom less than cohorts, against no effect; two-sided.
    prediction_low, prediction_high
        Where the true effect in a further cohort is expected; NaN for ``fixed`` and below three
        cohorts.
    q, q_p
        Cochran's heterogeneity and its chi-squared p-value, which is weak with few cohorts.
    tau2, tau2_low, tau2_high
        Variance of true effects between cohorts, with Q-profile interval; 0 with interval NaN for
        ``fixed``.
    i2, i2_low, i2_high
        Share of the variance of effects that lies between cohorts, 0 to 1.
    """

    cohorts: Floats
    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    statistic: Floats
    p: Floats
    prediction_low: Floats
    prediction_high: Floats
    q: Floats
    q_p: Floats
    tau2: Floats
    tau2_low: Floats
    tau2_high: Floats
    i2: Floats
    i2_low: Floats
    i2_high: Floats


@dataclass(frozen=True, eq=False)
class _Spread:
    """Heterogeneity of genes, in the order of :class:`MetaAnalysis`; NaN below two cohorts."""

    q: Floats
    q_p: Floats
    tau2: Floats
    tau2_low: Floats
    tau2_high: Floats
    i2: Floats
    i2_low: Floats
    i2_high: Floats


def meta_analysis(
    effect: ArrayLike,
    standard_error: ArrayLike,
    *,
    method: PoolingMethod = "reml",
    test: PoolingTest = "normal",
    level: float = 0.95,
) -> MetaAnalysis:
    r"""Pool the effects of cohorts, many genes at once.

    :math:`\hat\mu = \sum w_i y_i / \sum w_i` with :math:`w_i = 1 / (v_i + \tau^2)`; ``fixed`` takes
    :math:`\tau^2 = 0`, the others estimate it (:mod:`~radiogenomics.stats.heterogeneity`). The
    variance of :math:`\hat\mu` is :math:`1 / \sum w_i`, with normal quantiles; by Hartung and Knapp
    :math:`\sum w_i (y_i - \hat\mu)^2 / ((k - 1) \sum w_i)`, with t quantiles on k - 1 degrees:
    these keep their level with few cohorts but may be too sure when effects happen to agree, where
    ``hartung_knapp_cautious`` keeps :math:`1 / \sum w_i`. Prediction intervals are
    :math:`\hat\mu \pm t_{k-2} \sqrt{\tau^2 + \mathrm{se}^2}`.

    Misleads with two to four cohorts, where :math:`\tau^2` is hardly known and normal intervals are
    too short, and when cohorts were kept for their effect.

    Parameters
    ----------
    effect, standard_error : array-like of shape (cohorts, genes) or (cohorts,)
        Log hazard ratios, say. NaN in either: that cohort does not count for that gene.
    method
        ``"fixed"``, ``"dersimonian_laird"``, ``"reml"`` or ``"paule_mandel"``.
    test
        ``"normal"``, ``"hartung_knapp"`` or ``"hartung_knapp_cautious"``.
    level
        Of all intervals.

    Raises
    ------
    DataError
        Shapes differ, a value is infinite, or a standard error is not above 0.
    UnknownNameError
        The method or test is another.

    References
    ----------
    Higgins, Thompson & Spiegelhalter 2009, doi:10.1111/j.1467-985X.2008.00552.x; Hartung & Knapp
    2001, doi:10.1002/sim.791; IntHout et al. 2014, doi:10.1186/1471-2288-14-25.

    Examples
    --------
    >>> found = meta_analysis([0.42, 0.25, 0.31], [0.11, 0.15, 0.12], method="fixed")
    >>> found.estimate.round(3), found.low.round(3), found.high.round(3)
    (array([0.343]), array([0.203]), array([0.482]))
    """
    y, error, present = _checked(effect, standard_error)
    for name, word, known in (("method", method, METHODS), ("test", test, TESTS)):
        if word not in known:
            raise UnknownNameError(f"meta-analysis {name}", str(word), known)
    spread = _heterogeneity(y, error, present, method=method, level=check_level(level))
    return _pooled(
        y, error, present, spread=spread, fixed=method == "fixed", test=test, level=level
    )


def _checked(effect: ArrayLike, standard_error: ArrayLike) -> tuple[Floats, Floats, Bools]:
    y, error = as_floats(effect, "effects"), as_floats(standard_error, "standard errors")
    if y.shape != error.shape or y.ndim not in (1, 2) or y.size == 0:
        raise DataError(
            "expected effects and standard errors of cohorts × genes, in one shape; found "
            f"{y.shape} and {error.shape}. Give NaN where a cohort lacks a gene."
        )
    present = ~(np.isnan(y) | np.isnan(error))
    wrong = present & ~(np.isfinite(y) & np.isfinite(error) & (error > 0))
    if wrong.any():
        raise DataError(
            "expected finite effects with standard errors above 0; found "
            f"{int(wrong.sum())} others. A model that did not converge has no effect: give NaN."
        )
    if y.ndim == 1:
        y, error, present = y[:, None], error[:, None], present[:, None]
    return np.where(present, y, 0.0), np.where(present, error, 1.0), present


def _heterogeneity(
    y: Floats, error: Floats, present: Bools, *, method: PoolingMethod, level: float
) -> _Spread:
    """Q, tau2 and I2 of the genes that two cohorts or more have."""
    several = present.sum(axis=0) >= 2
    columns = np.full((8, y.shape[1]), np.nan)
    if several.any():
        data = CohortEffects(y[:, several], error[:, several] ** 2, present[:, several])
        q, freedom = data.q(0.0), data.freedom
        columns[:2, several] = q, chdtrc(freedom, q)
        w = data.weights(0.0)
        total = w.sum(axis=0)
        typical = freedom * total / (total**2 - (w * w).sum(axis=0))
        if method == "fixed":
            columns[2, several] = 0.0
            columns[5, several] = np.maximum(1 - freedom / np.where(q > 0, q, freedom), 0.0)
        else:
            found = np.array([_tau2(data, method), *tau2_interval(data, level)])
            columns[2:5, several] = found
            columns[5:, several] = found / (found + typical)
    return _Spread(*columns)


def _tau2(data: CohortEffects, method: PoolingMethod) -> Floats:
    if method == "dersimonian_laird":
        return tau2_dersimonian_laird(data)
    if method == "paule_mandel":
        return tau2_paule_mandel(data)
    return tau2_restricted_likelihood(data)


def _pooled(
    y: Floats,
    error: Floats,
    present: Bools,
    *,
    spread: _Spread,
    fixed: bool,
    test: PoolingTest,
    level: float,
) -> MetaAnalysis:
    cohorts = present.sum(axis=0).astype(float)
    w = np.where(present, 1 / (error**2 + np.nan_to_num(spread.tau2)), 0.0)
    total = w.sum(axis=0)
    tail = (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = (w * y).sum(axis=0) / total
        scatter = (w * (y - estimate) ** 2).sum(axis=0) / (cohorts - 1)
        if test == "normal":
            deviation, quantile = np.sqrt(1 / total), -ndtri(tail)
        else:
            factor = np.maximum(scatter, 1.0) if test == "hartung_knapp_cautious" else scatter
            deviation = np.sqrt(factor / total)
            quantile = -stdtrit(np.where(cohorts > 1, cohorts - 1, np.nan), tail)
        deviation = np.where(total > 0, deviation, np.nan)
        statistic = estimate / deviation
        size = -np.abs(statistic)
        p = 2 * (ndtr(size) if test == "normal" else stdtr(cohorts - 1, size))
        further = np.where((cohorts > 2) & (not fixed), cohorts - 2, np.nan)
        reach = -stdtrit(further, tail) * np.sqrt(spread.tau2 + deviation**2)
    return MetaAnalysis(
        cohorts=cohorts,
        estimate=estimate,
        standard_error=deviation,
        low=estimate - quantile * deviation,
        high=estimate + quantile * deviation,
        statistic=statistic,
        p=p,
        prediction_low=estimate - reach,
        prediction_high=estimate + reach,
        q=spread.q,
        q_p=spread.q_p,
        tau2=spread.tau2,
        tau2_low=spread.tau2_low,
        tau2_high=spread.tau2_high,
        i2=spread.i2,
        i2_low=spread.i2_low,
        i2_high=spread.i2_high,
    )
