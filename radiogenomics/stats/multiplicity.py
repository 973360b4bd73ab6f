"""Adjustment of p-values for the number of tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.inputs import Floats

_METHODS = ("bh", "bonferroni", "by", "holm")


def adjust(p: ArrayLike, *, method: str = "bh") -> Floats:
    """Adjust p-values for having been taken together.

    With the m p-values in rising order p_(1) <= ... <= p_(m):

    - ``bh`` (Benjamini-Hochberg, false discovery rate): min over j >= i of m p_(j) / j; valid when
      tests are independent or positively dependent;
    - ``by`` (Benjamini-Yekutieli): the same times 1 + 1/2 + ... + 1/m; valid under any dependence;
    - ``holm`` (family-wise error): max over j <= i of (m - j + 1) p_(j); any dependence;
    - ``bonferroni``: m p; never better than ``holm``.

    All are capped at 1. Only tests handed in are counted: adjusting the ones that survived a filter
    on the same outcome protects from nothing.

    Parameters
    ----------
    p : array-like of shape (n,)
        P-values; NaN (a test that could not be done) stays NaN and is not counted.
    method : {"bh", "by", "holm", "bonferroni"}

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    DataError
        If a p-value lies outside 0 to 1, or p is not one-dimensional.
    UnknownNameError
        If the method is not known.

    References
    ----------
    Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x; Benjamini & Yekutieli 2001,
    doi:10.1214/aos/1013699998; Holm 1979, https://www.jstor.org/stable/4615733.

    Examples
    --------
    >>> adjust([0.01, 0.04, float("nan"), 0.03]).round(3).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    values = np.asarray(p, dtype=float)
    known = ~np.isnan(values)
    if values.ndim != 1 or not ((values[known] >= 0) & (values[known] <= 1)).all():
        raise DataError(
            "expected a one-dimensional array of p-values from 0 to 1; found shape "
            f"{values.shape} or values outside; pass p-values, not statistics."
        )
    if method not in _METHODS:
        raise UnknownNameError("multiplicity method", method, _METHODS)

    order = np.argsort(values[known], kind="stable")
    rising = values[known][order]
    adjusted = np.full(values.shape, np.nan)
    adjusted[np.flatnonzero(known)[order]] = np.minimum(_stepped(rising, method), 1.0)
    return adjusted


def _stepped(rising: Floats, method: str) -> Floats:
    m = rising.size
    place = np.arange(1, m + 1)
    if method == "bonferroni":
        return m * rising
    if method == "holm":
        return np.maximum.accumulate((m - place + 1) * rising)
    factor = (1 / place).sum() if method == "by" else 1.0
    return np.minimum.accumulate((factor * m / place * rising)[::-1])[::-1]
