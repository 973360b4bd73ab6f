"""Tests of whether groups differ, each under one name and with one stated convention."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import chdtrc

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.groups.fisher import fisher_exact
from radiogenomics.stats.inputs import Floats, as_floats, check_groups

NumberTest = Literal["mann-whitney", "t", "welch", "kruskal-wallis", "anova", "trend"]
CountTest = Literal["chi-squared", "fisher"]
TWO_GROUPS = ("mann-whitney", "t", "welch", "trend")

# Expected counts below this make the chi-squared approximation doubtful (Cochran's rule).
SMALL_EXPECTED = 5


class GroupTest(NamedTuple):
    """A test, what it found, and its two-sided p.

    Attributes
    ----------
    name : str
        As a table prints it.
    statistic : float
        Of that test; NaN for Fisher's, which has none.
    p : float
    """

    name: str
    statistic: float
    p: float


def compare_numbers(values: ArrayLike, groups: ArrayLike, *, test: NumberTest) -> GroupTest:
    """Test whether a number differs between groups.

    - ``mann-whitney``: W counts pairs in which the first group is higher; normal approximation with
      corrections for ties and continuity, whatever the sample size.
    - ``kruskal-wallis``: the same idea for several groups, corrected for ties; chi-squared.
    - ``t`` takes the variances as equal, ``welch`` does not; ``anova`` is the F test of several
      groups, variances taken as equal. All compare means of roughly normal numbers.
    - ``trend``: of two groups over ordered categories scored by ``values`` (Cochran and Armitage);
      chi-squared with one degree of freedom.

    Rank tests see differences of location only where the groups have one shape.

    Parameters
    ----------
    values : array-like of shape (n,)
        Finite numbers, or scores of ordered categories.
    groups : array-like of shape (n,)
        Group of each, none missing; the first in sorted order counts as first.
    test
        One of the above.

    Raises
    ------
    DataError
        Fewer than two groups, or more than the test takes; fewer than two values in a group for
        ``t`` and ``welch``; all values equal, or no spread within groups where means are compared.
    UnknownNameError
        Another test.

    References
    ----------
    Mann & Whitney 1947, doi:10.1214/aoms/1177730491; Kruskal & Wallis 1952,
    doi:10.1080/01621459.1952.10483441; Welch 1947, doi:10.1093/biomet/34.1-2.28;
    Armitage 1955, doi:10.2307/3001775.

    Examples
    --------
    >>> found = compare_numbers([1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 1, 1], test="mann-whitney")
    >>> found.name, found.statistic, round(found.p, 3)
    ('Mann-Whitney', 1.0, 0.19)
    """
    if test not in get_args(NumberTest):
        raise UnknownNameError("test of a number", str(test), get_args(NumberTest))
    x, parts = _parts(values, groups, test=test)
    if test == "mann-whitney":
        found = stats.mannwhitneyu(*parts, use_continuity=True, method="asymptotic")
        return GroupTest("Mann-Whitney", float(found.statistic), float(found.pvalue))
    if test == "kruskal-wallis":
        found = stats.kruskal(*parts)
        return GroupTest("Kruskal-Wallis", float(found.statistic), float(found.pvalue))
    if test == "trend":
        return _trend(x, parts)
    return _compare_means(x, parts, test=test)


def compare_counts(counts: ArrayLike, *, test: CountTest | None = None) -> GroupTest:
    """Test whether categories are spread alike over groups.

    Pearson's chi-squared test without continuity correction, or, where an expected count is below
    5, Fisher's exact test, as :func:`radiogenomics.stats.groups.fisher.fisher_exact` for any size.

    Parameters
    ----------
    counts : array-like of shape (categories, groups)
        Whole counts. Empty rows and columns do not matter.
    test
        ``"chi-squared"`` or ``"fisher"``; by default, chosen by the rule above.

    Raises
    ------
    DataError
        Counts are not whole, or fewer than two categories or groups are in use.
    UnknownNameError
        Another test.

    References
    ----------
    Cochran 1954, doi:10.2307/3001616 (small expected counts).

    Examples
    --------
    >>> compare_counts([[12, 5], [8, 15]]).name, compare_counts([[2, 5], [8, 15]]).name
    ('chi-squared', "Fisher's exact")
    """
    table = as_floats(counts, "counts")
    whole = np.isfinite(table) & (table >= 0) & (table == np.floor(table))
    if table.ndim == 2 and whole.all():
        table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if table.ndim != 2 or not whole.all() or min(table.shape) < 2:
        raise DataError(
            "expected whole counts of 2 or more categories in 2 or more groups; found shape "
            f"{np.shape(counts)}, in use {table.shape}. A variable that is the same for all has "
            "nothing to compare."
        )
    if test not in (None, *get_args(CountTest)):
        raise UnknownNameError("test of categories", str(test), get_args(CountTest))
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    if test == "fisher" or (test is None and expected.min() < SMALL_EXPECTED):
        found = fisher_exact(table)
        name = "Fisher's exact" if found.exact else "Fisher's exact (100,000 random tables)"
        return GroupTest(name, float("nan"), found.p)
    statistic = float(((table - expected) ** 2 / expected).sum())
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return GroupTest("chi-squared", statistic, float(chdtrc(freedom, statistic)))


def _parts(values: ArrayLike, groups: ArrayLike, *, test: str) -> tuple[Floats, list[Floats]]:
    x = as_floats(values, "values")
    if x.ndim != 1 or x.size == 0 or not np.isfinite(x).all():
        raise DataError(
            f"expected finite values in one dimension; found shape {x.shape} with "
            f"{int((~np.isfinite(x)).sum())} missing. Leave patients without a value out."
        )
    labels = check_groups(groups, x.size, what="group")
    names, place = np.unique(labels, return_inverse=True)
    parts = [x[place == number] for number in range(len(names))]
    if len(parts) < 2 or (test in TWO_GROUPS and len(parts) > 2):
        wanted = "2 groups" if test in TWO_GROUPS else "2 or more groups"
        raise DataError(
            f"expected {wanted} for {test}; found {len(parts)}. Choose another test or merge "
            "groups."
        )
    least = min(part.size for part in parts)
    if test in ("t", "welch") and least < 2:
        raise DataError(
            f"expected 2 or more values a group for {test}; found {least}. Use a rank test."
        )
    if np.ptp(x) == 0:
        raise DataError(
            f"expected values that differ; found {x.size} all equal. There is nothing to compare."
        )
    return x, parts


def _compare_means(x: Floats, parts: list[Floats], *, test: str) -> GroupTest:
    within = sum(((part - part.mean()) ** 2).sum() for part in parts)
    if within <= 1e-26 * (x**2).sum() or len(x) <= len(parts):
        raise DataError(
            f"expected values that vary within groups, which {test} compares with the difference "
            "between them; found none that do. Use a rank test."
        )
    if test == "anova":
        found = stats.f_oneway(*parts)
        return GroupTest("one-way ANOVA", float(found.statistic), float(found.pvalue))
    found = stats.ttest_ind(*parts, equal_var=test == "t")
    name = "Student's t" if test == "t" else "Welch's t"
    return GroupTest(name, float(found.statistic), float(found.pvalue))


def _trend(x: Floats, parts: list[Floats]) -> GroupTest:
    """Slope of the share of the second group over the scores, against its error without trend."""
    share = parts[1].size / x.size
    centred = x - x.mean()
    slope = (parts[1] - x.mean()).sum()
    statistic = float(slope**2 / (share * (1 - share) * (centred @ centred)))
    return GroupTest("Cochran-Armitage trend", statistic, float(chdtrc(1, statistic)))
