"""Ranks with ties, for many rows at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.stats.inputs import Floats


def midranks(values: ArrayLike) -> Floats:
    """Rank along the last axis, each group of equal values at the mean of its ranks.

    Parameters
    ----------
    values : array-like of shape (..., n)
        Without NaN.

    Returns
    -------
    ndarray of float, shape (..., n)
        From 1 for the smallest to n for the largest; ties share halves.

    References
    ----------
    Kruskal & Wallis 1952, doi:10.1080/01621459.1952.10483441 (mean ranks for ties).

    Examples
    --------
    >>> midranks([[0.3, 0.1, 0.3]]).tolist()
    [[2.5, 1.0, 2.5]]
    """
    x = np.asarray(values)
    place = np.arange(x.shape[-1])
    order = np.argsort(x, axis=-1, kind="stable")
    ordered = np.take_along_axis(x, order, axis=-1)
    opens = np.ones(x.shape, dtype=bool)
    opens[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    if opens.all():
        level = np.broadcast_to(place + 1.0, x.shape)
    else:
        closes = np.ones(x.shape, dtype=bool)
        closes[..., :-1] = opens[..., 1:]
        first = np.maximum.accumulate(np.where(opens, place, 0), axis=-1)
        last = np.where(closes, place, x.shape[-1])[..., ::-1]
        last = np.minimum.accumulate(last, axis=-1)[..., ::-1]
        level = (first + last) / 2 + 1.0
    ranks = np.empty(x.shape)
    np.put_along_axis(ranks, order, level, axis=-1)
    return ranks
