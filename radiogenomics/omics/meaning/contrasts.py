r"""Scores of patients called high against those of patients called low, many scores at once.

The difference is Hedges' g, :math:`J\,(\bar x_h - \bar x_l) / s` with s the pooled standard
deviation, m = n − 2 and :math:`J = \Gamma(m/2) / (\sqrt{m/2}\,\Gamma((m - 1)/2))`; its interval is
g ± z √v with :math:`v = 1/n_h + 1/n_l + g^2 / 2n`, as metafor's ``escalc(measure = "SMD")`` has it.
The AUC is the share of pairs in which the patient called high has the higher score, ties one half.
p is Wilcoxon's rank sum test, two-sided, by the rule of R's ``wilcox.test``: exact where both
groups have fewer than 50 patients and no score repeats, otherwise normal with corrections for ties
and continuity.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr, ndtri

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, short_list
from radiogenomics.omics.group_design import check_group
from radiogenomics.stats.inputs import check_level
from radiogenomics.stats.multiplicity import adjust
from radiogenomics.stats.ranks import midranks

Floats = NDArray[np.float64]

# R's wilcox.test takes the exact distribution below this size of both groups.
EXACT_BELOW = 50
# Spread within groups below this share of the values is rounding.
_ROUNDING = 1e-12


def contrast_table(
    scores: pd.DataFrame, high: pd.Series[bool], *, level: float = 0.95
) -> pd.DataFrame:
    """Compare scores of patients called high with those of patients called low.

    The formulas stand at the head of this module; single genes are compared as scores are. Misleads
    where the score holds genes that made the label: it then differs by construction. What goes with
    these genes (purity, proliferation) differs too, and need not make the patients what they are.

    Parameters
    ----------
    scores, high
        Patients × scores, complete; True for patients called high (same index, two or more each).
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        ``score, difference`` (in standard deviations, above 0: higher in those called high),
        ``low, high, auc`` (0 to 1, ½ for no difference), ``p, fdr`` (Benjamini–Hochberg over the
        scores), ``n_high, n_low``; in the order of ``scores``.

    Raises
    ------
    AlignmentError, DataError
        The indexes differ, ``high`` is not boolean, a group has fewer than two patients, a score
        is missing or infinite, or there is none. A score that does not vary within the groups is
        left out with a warning.

    References
    ----------
    Hedges 1981, doi:10.3102/10769986006002107; Mann & Whitney 1947, doi:10.1214/aoms/1177730491.

    Examples
    --------
    >>> scores = pd.DataFrame({"CYT": [3.0, 4.0, 5.0, 1.0, 2.0, 3.5]})
    >>> found = contrast_table(scores, pd.Series([True] * 3 + [False] * 3))
    >>> found[["score", "difference", "auc", "p"]].round(3)
      score  difference    auc    p
    0   CYT       1.287  0.889  0.2
    """
    member = check_group(scores, high)
    values, names = _varying(_finite(scores), member, scores.columns.astype(str))
    difference, variance = hedges_g(values, member)
    half = ndtri(0.5 + check_level(level) / 2) * np.sqrt(variance)
    test = rank_sum(values, member)
    return pd.DataFrame(
        {
            "score": names,
            "difference": difference,
            "low": difference - half,
            "high": difference + half,
            "auc": test.auc,
            "p": test.p,
            "fdr": adjust(test.p, method="bh"),
            "n_high": int(member.sum()),
            "n_low": int((~member).sum()),
        }
    )


def hedges_g(values: Floats, member: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Standardised mean difference of each column with its variance, as `contrast_table` says.

    Parameters
    ----------
    values
        Shape (n, scores), complete; columns vary within the groups.
    member
        Shape (n,), True for the first group.

    Examples
    --------
    >>> values = np.array([[3.0], [4.0], [5.0], [1.0], [2.0], [3.5]])
    >>> g, variance = hedges_g(values, np.arange(6) < 3)
    >>> g.round(4), variance.round(4)
    (array([1.2871]), array([0.8047]))
    """
    first, second = int(member.sum()), int((~member).sum())
    freedom = first + second - 2
    spread = _within(values, member) / np.sqrt(freedom)
    correction = np.exp(gammaln(freedom / 2) - gammaln((freedom - 1) / 2) - np.log(freedom / 2) / 2)
    g = correction * (values[member].mean(axis=0) - values[~member].mean(axis=0)) / spread
    return g, 1 / first + 1 / second + g**2 / (2 * (first + second))


class RankSum(NamedTuple):
    """Wilcoxon's rank sum test of columns.

    Attributes
    ----------
    auc : ndarray of shape (scores,)
        Share of pairs in which the first group is higher.
    p : ndarray of shape (scores,)
        Two-sided.
    """

    auc: Floats
    p: Floats


def rank_sum(values: Floats, member: NDArray[np.bool_]) -> RankSum:
    """Test each column, exactly where R's ``wilcox.test`` would.

    Parameters
    ----------
    values
        Shape (n, scores), complete.
    member
        Shape (n,), True for the first group.

    Examples
    --------
    >>> found = rank_sum(np.array([[3.0], [4.0], [5.0], [1.0], [2.0]]), np.arange(5) < 3)
    >>> found.auc, found.p.round(3)
    (array([1.]), array([0.2]))
    """
    first, second = int(member.sum()), int((~member).sum())
    n, pairs = first + second, first * second
    ranks = midranks(values.T)
    wins = ranks[:, member].sum(axis=1) - first * (first + 1) / 2
    # The sum of squares of mid-ranks falls short of that of plain ranks by what ties take away.
    squares = ((ranks - (n + 1) / 2) ** 2).sum(axis=1)
    tied = squares < (n**3 - n) / 12 - 0.25
    centred = wins - pairs / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (centred - 0.5 * np.sign(centred)) / np.sqrt(pairs / (n * (n - 1)) * squares)
    p = np.where(squares > 0, np.minimum(2 * ndtr(-np.abs(z)), 1.0), 1.0)
    if max(first, second) < EXACT_BELOW and not tied.all():
        p[~tied] = _exact_p(wins[~tied], first, second)
    return RankSum(wins / pairs, p)


def _exact_p(wins: Floats, first: int, second: int) -> Floats:
    """Twice the share of all divisions into two groups with as many wins or more, at most 1."""
    lowest = first * (first + 1) // 2
    highest = lowest + first * second
    # Ways to choose so many of the ranks so far with such a sum of ranks.
    ways = np.zeros((first + 1, highest + 1))
    ways[0, 0] = 1.0
    for rank in range(1, first + second + 1):
        for size in range(min(rank, first), 0, -1):
            ways[size, rank:] += ways[size - 1, : highest + 1 - rank]
    counts = ways[first, lowest:]
    upper = np.cumsum(counts[::-1])[::-1] / counts.sum()
    # The distribution is symmetrical, so that few wins are as unlikely as many.
    extreme = np.rint(np.maximum(wins, first * second - wins)).astype(int)
    return np.asarray(np.minimum(2 * upper[extreme], 1.0))


def _varying(values: Floats, member: NDArray[np.bool_], names: pd.Index) -> tuple[Floats, pd.Index]:
    """Scores that have a standardised difference; a warning names the others."""
    varies = _within(values, member) > _ROUNDING * np.abs(values).max(axis=0)
    if not varies.all():
        warnings.warn(
            f"expected scores that vary within the patients called high and low; found "
            f"{short_list(names[~varies])} that do not. They are left out.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    return values[:, varies], names[varies]


def _within(values: Floats, member: NDArray[np.bool_]) -> Floats:
    """Root of the sum of squares within groups, column by column."""
    parts = (values[member], values[~member])
    return np.asarray(np.sqrt(sum(((x - x.mean(axis=0)) ** 2).sum(axis=0) for x in parts)))


def _finite(scores: pd.DataFrame) -> Floats:
    try:
        values = scores.to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"expected scores as numbers; found {short_list(set(scores.dtypes))}. Drop columns of "
            "text."
        ) from error
    bad = ~np.isfinite(values)
    if bad.any() or not values.shape[1]:
        raise DataError(
            f"expected a complete table of scores; found {values.shape[1]} columns with "
            f"{int(bad.sum())} values missing or infinite "
            f"({short_list(scores.columns[bad.any(axis=0)]) or 'none'}). Leave these scores, or "
            "patients without them, out."
        )
    return values
