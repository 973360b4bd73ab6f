"""Where one pair of candidates stands among all pairs.

A published pair of genes may be good and yet be one of thousands that are as good. Two ranks:

- by the score test, in closed form: with V the information at zero of all candidates, z their own
  score statistics with sign and r the correlations in V, the statistic of a pair is
  (z_i^2 + z_j^2 - 2 r z_i z_j) / (1 - r^2), so that all pairs are one matrix product, done in
  blocks. For 20,000 candidates these are 200 million statistics.
- by the partial likelihood, with no model fitted further than is needed to prove on which side of
  the pair it lies (`subset_newton`).

Both are ranks among the patients at hand: in others the order is another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.survival.subset_extension import count_above, fit_singles
from radiogenomics.stats.survival.subset_field import SubsetField, check_candidates

# Candidates on each side of a block of pairs.
_BLOCK = 1024
# A correlation this near 1 leaves one candidate of the two.
_REDUNDANT = 1e-10
# What another pair must exceed this one by, of its size: more than rounding.
_SLACK = 1e-10


@dataclass(frozen=True, eq=False)
class PairRank:
    """Standing of a pair.

    Attributes
    ----------
    value : float
        Score statistic, or log partial likelihood, of the pair.
    rank : int
        1 for the best: one more than the pairs that exceed it.
    pairs : int
        Pairs compared, this one among them.
    best : ndarray of int, shape (kept, 2)
        Positions of the best pairs; empty where they were not asked for.
    best_values : ndarray of shape (kept,)
    """

    value: float
    rank: int
    pairs: int
    best: NDArray[np.intp]
    best_values: Floats

    @property
    def share(self) -> float:
        """Share of all pairs that are as good or better, above 0 to 1."""
        return self.rank / self.pairs


def rank_pair_by_score(
    values: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    pair: tuple[int, int],
    strata: ArrayLike | None = None,
    keep: int = 20,
    ties: str = "efron",
) -> PairRank:
    """Rank a pair among all pairs by the score test of its Cox model.

    The statistic is that of `fit_cox`: U' I^-1 U at zero, chi-squared on two degrees of freedom for
    a pair named beforehand. The rank is exact. Candidates that do not vary among those at risk make
    no pairs; two that are one another's multiple have the statistic of one. Candidates that few
    patients express reach the top by one early death: filter them first. No memory for the pairs.

    Parameters
    ----------
    values : array-like of shape (n, candidates)
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    pair : tuple of int
        Positions of the two candidates.
    strata : array-like of shape (n,), optional
        Patients are compared within equal values only.
    keep : int
        Best pairs that are listed.
    ties : {"efron", "breslow"}

    Raises
    ------
    OutcomeError, DataError
        If the outcome cannot be analysed, values are missing, the pair is none that varies, or
        `ties` is unknown.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = rng.normal(size=(200, 300))
    >>> time = rng.exponential(np.exp(-genes[:, 3] - genes[:, 7]))
    >>> found = rank_pair_by_score(genes, time, np.ones(200), pair=(3, 7))
    >>> found.rank, found.pairs
    (1, 44850)
    """
    given = check_candidates(values, time, event, strata=strata, ties=ties)
    everyone = np.arange(given.values.shape[1])
    _check_pair(pair, everyone.size, keep)
    usable, z, units = _scores(given.field(everyone))
    at = _positions(usable, pair)
    own = _statistics(z[at[:1]], z[at[1:]], units[:, at[:1]].T @ units[:, at[1:]])[0, 0]
    above, best, best_values = _scan(z, units, own * (1 + _SLACK), keep)
    return PairRank(
        float(own), above + 1, usable.size * (usable.size - 1) // 2, usable[best], best_values
    )


def rank_pair_by_likelihood(
    values: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    pair: tuple[int, int],
    strata: ArrayLike | None = None,
    ties: str = "efron",
) -> PairRank:
    """Rank a pair among all pairs by the maximum of the partial likelihood of its Cox model.

    Exact: each other pair is proven to lie above or below, most of them without a model of their
    own. Takes minutes where `rank_pair_by_score` takes seconds, the more so the further down the
    pair stands. Candidates without a finite maximum of their own make no pairs; pairs without one
    count as above only once they are seen to be.

    Parameters
    ----------
    values, time, event, pair, strata, ties
        As in `rank_pair_by_score`.

    Returns
    -------
    PairRank
        Without best pairs: `best_subsets` lists them.

    Raises
    ------
    OutcomeError, DataError
        As in `rank_pair_by_score`; if the pair has no finite maximum.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = rng.normal(size=(200, 30))
    >>> time = rng.exponential(np.exp(-genes[:, 3] - genes[:, 7]))
    >>> rank_pair_by_likelihood(genes, time, np.ones(200), pair=(3, 7)).rank
    1
    """
    given = check_candidates(values, time, event, strata=strata, ties=ties)
    _check_pair(pair, given.values.shape[1], 0)
    singles = fit_singles(given)
    _positions(np.sort(singles.order), pair)
    both = given.fit(np.array([pair]))
    if not both.converged[0]:
        raise DataError(
            f"expected a pair whose likelihood has a maximum; found none for {pair}: the two "
            "repeat one another or order the events without error. Choose another pair."
        )
    value = float(both.log_likelihood[0])
    above, _ = count_above(singles.field, singles.anchors, value + _SLACK * abs(value))
    pairs = singles.order.size * (singles.order.size - 1) // 2
    return PairRank(value, above + 1, pairs, np.empty((0, 2), dtype=np.intp), np.empty(0))


def _scores(field: SubsetField) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Candidates with information at zero, their z, and vectors whose products are correlations."""
    sets = field.sets
    maps = sets.sums(np.eye(field.x.shape[0]))
    at_risk = maps.sum(axis=1)
    exposure = maps.T @ (sets.weight / at_risk)
    halves = maps * (np.sqrt(sets.weight) / at_risk)[:, None]
    # x' (diag(exposure) - halves' halves) x is the information; its root makes it a product.
    size, axes = np.linalg.eigh(np.diag(exposure) - halves.T @ halves)
    units = (axes * np.sqrt(np.maximum(size, 0.0))).T @ field.x
    information = np.einsum("mg,mg->g", units, units)
    usable = np.flatnonzero(information > _REDUNDANT * (exposure @ np.square(field.x)))
    deviation = np.sqrt(information[usable])
    gradient = field.total[usable] - exposure @ field.x[:, usable]
    return usable, gradient / deviation, units[:, usable] / deviation


def _statistics(rows: Floats, columns: Floats, correlation: Floats) -> Floats:
    """Score statistics of all pairs of a row's candidate and a column's; overwrites correlation."""
    numerator = (-2 * rows)[:, None] * columns
    numerator *= correlation
    numerator += np.square(rows)[:, None]
    numerator += np.square(columns)
    np.square(correlation, out=correlation)
    left = np.subtract(1, correlation, out=correlation)
    same = left < _REDUNDANT
    if same.any():
        of_one = np.maximum(np.square(rows)[:, None], np.square(columns))
        numerator[same], left[same] = of_one[same], 1.0
    return np.divide(numerator, left, out=numerator)


def _scan(
    z: Floats, units: Floats, value: float, keep: int
) -> tuple[int, NDArray[np.intp], Floats]:
    """Count the pairs above a value, and list the best."""
    above, floor = 0, -np.inf
    best, best_values = np.empty((0, 2), dtype=np.intp), np.empty(0)
    for top in range(0, z.size, _BLOCK):
        rows = slice(top, min(top + _BLOCK, z.size))
        for left in range(top, z.size, _BLOCK):
            columns = slice(left, left + _BLOCK)
            found = _statistics(z[rows], z[columns], units[:, rows].T @ units[:, columns])
            if left == top:
                found[np.tril_indices(len(found))] = -np.inf
            above += int(np.count_nonzero(found > value))
            if keep == 0 or found.max() <= floor:
                continue
            at = np.argwhere(found > floor)
            best_values = np.append(best_values, found[at[:, 0], at[:, 1]])
            best = np.concatenate([best, at + [top, left]])
            order = np.argsort(-best_values, kind="stable")[:keep]
            best, best_values = best[order], best_values[order]
            if order.size == keep:
                floor = float(best_values[-1])
    return above, best, best_values


def _positions(usable: NDArray[np.intp], pair: tuple[int, int]) -> NDArray[np.intp]:
    """Where the pair stands among the usable candidates."""
    at = np.searchsorted(usable, pair)
    if (at == usable.size).any() or (usable[at] != pair).any():
        raise DataError(
            f"expected a pair of candidates with a Cox model of their own; found that {pair} holds "
            "one that does not vary or orders the events without error. Choose another pair."
        )
    return at


def _check_pair(pair: tuple[int, int], candidates: int, keep: int) -> None:
    if len(set(pair)) != 2 or min(pair) < 0 or max(pair) >= candidates:
        raise DataError(
            f"expected two different positions from 0 to {candidates - 1}; found {pair}. "
            "Look the candidates up."
        )
    if keep < 0:
        raise DataError(f"expected keep of at least 0; found {keep}. Correct it.")
