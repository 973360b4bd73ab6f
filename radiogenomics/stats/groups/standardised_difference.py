"""How far apart groups are in units of their spread, whatever their size."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, as_floats, check_groups

# Differences smaller than this share of the values are rounding.
_ROUNDING = 1e-13


def standardised_difference(values: ArrayLike, groups: ArrayLike) -> float:
    r"""Difference of means in units of the mean spread; the largest of all pairs of groups.

    :math:`|\bar x_1 - \bar x_2| / \sqrt{(s_1^2 + s_2^2)/2}`. Unlike a p-value it does not grow with
    the number of patients; 0.1 is often taken as negligible. It looks at means only: in skewed
    variables a difference of medians may escape it.

    Parameters
    ----------
    values : array-like of shape (n,)
        Finite numbers, two or more in each group.
    groups : array-like of shape (n,)
        Group of each, two or more.

    Returns
    -------
    float
        0 or more; infinite where groups differ and do not vary within.

    Raises
    ------
    DataError
        Values are missing, or there are too few groups or values in one.

    References
    ----------
    Austin 2009, doi:10.1080/03610910902859574.

    Examples
    --------
    >>> round(standardised_difference([1, 2, 3, 2, 3, 4], [0, 0, 0, 1, 1, 1]), 3)
    1.0
    """
    x = as_floats(values, "values")
    if x.ndim != 1 or not np.isfinite(x).all():
        raise DataError(
            f"expected finite values in one dimension; found shape {x.shape} with "
            f"{int((~np.isfinite(x)).sum())} missing. Leave patients without a value out."
        )
    names, place = np.unique(check_groups(groups, x.size, what="group"), return_inverse=True)
    parts = [x[place == number] for number in range(len(names))]
    if len(parts) < 2 or min(part.size for part in parts) < 2:
        raise DataError(
            "expected 2 or more groups of 2 or more values; found groups of "
            f"{', '.join(str(part.size) for part in parts) or 'none'}. Merge or drop small groups."
        )
    rounding = _ROUNDING * np.abs(x).max()
    found = []
    for one, other in combinations(parts, 2):
        gap = abs(float(one.mean() - other.mean()))
        spread = float(np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2))
        if gap <= rounding:
            found.append(0.0)
        else:
            found.append(gap / spread if spread > rounding else float("inf"))
    return max(found)


def standardised_difference_of_counts(counts: ArrayLike) -> float:
    r"""Distance between the shares of categories; the largest of all pairs of groups.

    Mahalanobis' distance :math:`\sqrt{(t - c)^\top S^{-1} (t - c)}` between the shares t and c of
    all categories but one, with S the mean of the two multinomial covariances
    (:math:`p_k(1 - p_k)` and :math:`-p_k p_l`), so it does not matter which category is left out.
    For two categories, :math:`|p_1 - p_2| / \sqrt{(p_1 q_1 + p_2 q_2)/2}`.

    Parameters
    ----------
    counts : array-like of shape (categories, groups)
        Each group with one patient or more.

    Returns
    -------
    float
        0 or more; infinite where two groups share no category.

    Raises
    ------
    DataError
        Counts are negative or missing, or there are fewer than two groups or an empty one.

    References
    ----------
    Yang & Dalton, SAS Global Forum 2012, paper 335.

    Examples
    --------
    >>> round(standardised_difference_of_counts([[10, 15], [10, 5]]), 3)
    0.535
    """
    table = as_floats(counts, "counts")
    proper = table.ndim == 2 and table.shape[1] >= 2 and bool((table >= 0).all())
    if not proper or not np.isfinite(table).all() or not table.sum(axis=0).all():
        raise DataError(
            "expected counts of categories (rows) in 2 or more groups (columns) that are not "
            f"empty; found shape {table.shape}. Drop empty groups."
        )
    shares = (table / table.sum(axis=0)).T
    return max(_distance(one, other) for one, other in combinations(shares, 2))


def _distance(one: Floats, other: Floats) -> float:
    if not (one * other).any():
        return float("inf")
    used = one + other > 0
    t, c = one[used][1:], other[used][1:]
    # With a category in common this matrix can be inverted: what varies in neither group is 0.
    spread = (np.diag(t) - np.outer(t, t) + np.diag(c) - np.outer(c, c)) / 2
    return float(np.sqrt((t - c) @ np.linalg.solve(spread, t - c)))
