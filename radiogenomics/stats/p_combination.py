"""P-values of the same question in several cohorts, combined for many genes at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr, ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, as_floats


def fisher_combined(p: ArrayLike) -> Floats:
    r"""Combine independent p-values by Fisher's method: is there an effect in any cohort?

    :math:`-2\sum\log p_i` is chi-squared on 2k degrees of freedom when no cohort has an effect. One
    tiny p-value settles it whatever the others are, and of two-sided p-values those of opposite
    effects support each other: pool effects (:func:`~.meta_analysis.meta_analysis`) where there are
    any.

    Parameters
    ----------
    p : array-like of shape (cohorts, genes) or (cohorts,)
        Above 0 and at most 1; NaN where a cohort lacks the gene.

    Returns
    -------
    ndarray of shape (genes,)
        NaN where no cohort has the gene.

    Raises
    ------
    DataError
        A p-value lies elsewhere.

    References
    ----------
    Fisher 1932, Statistical Methods for Research Workers, 4th edition.

    Examples
    --------
    >>> fisher_combined([0.08, 0.03, float("nan")]).round(4)
    array([0.0169])
    """
    values = _checked(p)
    present = ~np.isnan(values)
    count = present.sum(axis=0)
    statistic = -2 * np.log(np.where(present, values, 1.0)).sum(axis=0)
    return np.where(count > 0, chdtrc(2.0 * np.maximum(count, 1), statistic), np.nan)


def stouffer_combined(
    p: ArrayLike, direction: ArrayLike, *, weights: ArrayLike | None = None
) -> Floats:
    r"""Combine two-sided p-values with their directions by Stouffer's weighted sum of z.

    :math:`z_i = \mathrm{sign}_i\,\Phi^{-1}(1 - p_i/2)` and
    :math:`z = \sum w_i z_i / \sqrt{\sum w_i^2}`. Opposite effects cancel. Weights are known before
    the data are seen, such as the square root of the number of patients or events.

    Parameters
    ----------
    p : array-like of shape (cohorts, genes) or (cohorts,)
        Two-sided, above 0 and at most 1; NaN where a cohort lacks the gene.
    direction : array-like of the same shape
        Only its sign counts: an effect, or its z.
    weights : array-like of shape (cohorts,), optional
        Above 0; equal when not given.

    Returns
    -------
    ndarray of shape (genes,)
        Two-sided p-value; NaN where no cohort has the gene.

    Raises
    ------
    DataError
        A p-value lies elsewhere, shapes differ, a direction is missing or a weight not above 0.

    References
    ----------
    Stouffer et al. 1949, The American Soldier, vol. 1; Whitlock 2005,
    doi:10.1111/j.1420-9101.2005.00917.x (weights).

    Examples
    --------
    >>> stouffer_combined([0.08, 0.03], [0.4, 0.2], weights=[12, 9]).round(4)
    array([0.0069])
    >>> stouffer_combined([0.08, 0.03], [0.4, -0.2], weights=[12, 9]).round(4)
    array([0.9215])
    """
    values = _checked(p)
    sign = np.sign(as_floats(direction, "directions"))
    if sign.ndim == 1:
        sign = sign[:, None]
    if sign.shape != values.shape or (np.isnan(sign) & ~np.isnan(values)).any():
        raise DataError(
            f"expected a direction of every p-value {values.shape}; found shape {sign.shape}, or "
            "some missing. Pass the effects."
        )
    w = np.ones(len(values)) if weights is None else as_floats(weights, "weights")
    if w.shape != (len(values),) or not (np.isfinite(w) & (w > 0)).all():
        raise DataError(
            f"expected a weight above 0 of each of {len(values)} cohorts; found shape {w.shape}, "
            "or others. Use the square root of the number of patients."
        )
    present = ~np.isnan(values)
    z = np.where(present, -sign * ndtri(values / 2), 0.0)
    size = np.sqrt((w**2) @ present)
    with np.errstate(invalid="ignore"):
        return 2 * ndtr(-np.abs(w @ z / size))


def _checked(p: ArrayLike) -> Floats:
    values = as_floats(p, "p-values")
    known = values[~np.isnan(values)]
    if values.ndim not in (1, 2) or not ((known > 0) & (known <= 1)).all():
        raise DataError(
            "expected p-values above 0 and at most 1, cohorts × genes; found shape "
            f"{values.shape} or values outside. A p-value of 0 is one too small to be written: "
            "combine effects instead."
        )
    return values[:, None] if values.ndim == 1 else values
