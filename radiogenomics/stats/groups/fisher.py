"""Fisher's exact test of tables of any size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln
from scipy.stats import random_table

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, as_floats

# Tables this much more probable than the one found still count as no more probable: rounding.
_RELATIVE = 1e-7
_MOST_PATHS = 5_000_000
_DRAWS = 100_000

Counts = NDArray[np.intp]


class FisherTest(NamedTuple):
    """Two-sided p of independence, and whether it is exact.

    Attributes
    ----------
    p : float
    exact : bool
        False where the table was too large to go through and random tables were drawn.
    """

    p: float
    exact: bool


def fisher_exact(counts: ArrayLike, *, seed: int = 0) -> FisherTest:
    r"""Test rows and columns for independence, given the margins.

    The p-value is the probability of all tables with these margins that are no more probable than
    the one found (Freeman and Halton's extension of Fisher's test). Tables too large to go through
    fall back on 100,000 random ones, with p = (1 + tables no more probable) / (1 + draws).
    Conservative, as all exact tests of counts are.

    Parameters
    ----------
    counts : array-like of shape (r, c)
        Whole counts; empty rows and columns do not matter.
    seed
        Of the random tables, where needed.

    Raises
    ------
    DataError
        Counts are not whole, negative, or in fewer than two rows or columns.

    References
    ----------
    Freeman & Halton 1951, doi:10.1093/biomet/38.1-2.141.

    Examples
    --------
    >>> round(fisher_exact([[3, 1], [1, 3]]).p, 4)
    0.4857
    """
    table = _checked(counts)
    table = table if table.shape[0] >= table.shape[1] else table.T
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    found = -float(gammaln(table + 1).sum()) + _RELATIVE
    p = _exact(rows, columns, found)
    if p is not None:
        return FisherTest(p, True)
    draws = random_table(rows, columns).rvs(_DRAWS, random_state=np.random.default_rng(seed))
    no_more = (-gammaln(draws + 1.0).sum(axis=(1, 2)) <= found).sum()
    return FisherTest(float((1 + no_more) / (1 + _DRAWS)), False)


def _checked(counts: ArrayLike) -> Counts:
    table = as_floats(counts, "counts")
    whole = np.isfinite(table) & (table >= 0) & (table == np.floor(table))
    if table.ndim == 2 and whole.all():
        table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
        if min(table.shape) >= 2:
            return table.astype(np.intp)
    raise DataError(
        "expected whole counts in 2 or more rows and columns that are not empty; found shape "
        f"{np.shape(counts)} with {int((~whole).sum())} that are not counts. Cross-tabulate two "
        "variables that both vary."
    )


def _exact(rows: Counts, columns: Counts, found: float) -> float | None:
    """Sum over the tables no more probable than ``found``; None where there are too many.

    The rows are dealt into two halves. Each way to fill one half leaves column totals that the
    other half must fill; among those ways, sorted by probability, one cut parts the tables that
    count from the rest, and a running sum gives their probability.
    """
    first, second = _halves(rows, columns)
    one, two = _paths(first, columns), _paths(second, columns)
    if one is None or two is None:
        return None
    scale = np.ravel_multi_index(tuple(columns[:-1]), tuple(columns[:-1] + 1))
    wanted = scale - one[0]
    order = np.lexsort((two[1], two[0]))
    keys, log_p = two[0][order], two[1][order]
    tops = one[1].max(), log_p.max()
    outer, inner = np.exp(one[1] - tops[0]), np.exp(log_p - tops[1])
    total = 0.0
    place = np.argsort(wanted, kind="stable")
    states, starts = np.unique(wanted[place], return_index=True)
    for state, members in zip(states, np.split(place, starts[1:]), strict=True):
        begin, end = np.searchsorted(keys, (state, state + 1))
        cut = np.searchsorted(log_p[begin:end], found - one[1][members], side="right")
        # Summed anew for each state, from the least probable: a difference of sums would cancel.
        sums = np.concatenate([[0.0], np.cumsum(inner[begin:end])])
        total += float(outer[members] @ sums[cut])
    margins = gammaln(rows + 1).sum() + gammaln(columns + 1).sum() - gammaln(rows.sum() + 1)
    return min(total * float(np.exp(tops[0] + tops[1] + margins)), 1.0)


def _halves(rows: Counts, columns: Counts) -> tuple[Counts, Counts]:
    """Deal the rows so that both halves can be filled in about as many ways."""
    halves: tuple[list[int], list[int]] = ([], [])
    sizes = [0.0, 0.0]
    for row in np.sort(rows)[::-1]:
        side = int(sizes[1] < sizes[0])
        halves[side].append(int(row))
        sizes[side] += float(np.log(np.minimum(columns, row)[1:] + 1).sum())
    return np.array(halves[0]), np.array(halves[1])


def _paths(rows: Counts, columns: Counts) -> tuple[Counts, Floats] | None:
    """Column totals (as one number) and log-probability of each way to fill some rows."""
    used, log_p = np.zeros((1, columns.size), dtype=np.intp), np.zeros(1)
    for row in rows:
        limits = np.minimum(columns, row)
        if np.prod(limits[:-1] + 1.0) > _MOST_PATHS:
            return None
        fill = _fillings(int(row), limits)
        if len(used) * len(fill) > _MOST_PATHS:
            return None
        after = (used[:, np.newaxis] + fill).reshape(-1, columns.size)
        fits = (after <= columns).all(axis=1)
        log_p = (log_p[:, np.newaxis] - gammaln(fill + 1).sum(axis=1)).ravel()[fits]
        used = after[fits]
    return np.ravel_multi_index(tuple(used[:, :-1].T), tuple(columns[:-1] + 1)), log_p


def _fillings(total: int, limits: Counts) -> Counts:
    """All ways to spread a row's total over the columns within their limits."""
    grids = np.indices(tuple(limits[:-1] + 1)).reshape(len(limits) - 1, -1).T
    last = total - grids.sum(axis=1)
    fits = (last >= 0) & (last <= limits[-1])
    return np.asarray(np.column_stack([grids[fits], last[fits]]), dtype=np.intp)
