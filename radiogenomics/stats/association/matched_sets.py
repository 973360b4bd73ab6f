r"""Random gene sets that are as large, and as correlated within, as a given one.

The mean of m genes that go together varies more than the mean of m that do not, so that a set of
co-expressed genes stands out against random sets of its size even where nothing is the matter. With
unit columns :math:`u_i` (:func:`~radiogenomics.stats.association.units.unit_columns`) the mean
correlation of the pairs of a set is :math:`(|\sum u_i|^2 - m) / (m (m - 1))`; here it is held.

A draw starts from a random seed gene: some of its nearest genes and random ones for the rest, in
the share that comes nearest to the correlation wanted; then single genes are exchanged, and
draws that still miss start again from another seed.

References
----------
Wu & Smyth 2012, doi:10.1093/nar/gks461 (what correlation within sets does to their tests).

Examples
--------
>>> rng = np.random.default_rng(0)
>>> values = rng.normal(size=(30, 200)) + np.repeat(rng.normal(size=(30, 20)), 10, axis=1)
>>> units = (values - values.mean(axis=0)) / (values.std(axis=0) * np.sqrt(30))
>>> found = matched_random_sets(units, np.arange(10), count=50, rng=rng)
>>> found.sets.shape, bool(found.sets.min() >= 10), bool(np.abs(found.mismatch).max() < 0.05)
((50, 10), True, True)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError
from radiogenomics.stats.association.gene_pool import (
    GenePool,
    GenesLeft,
    Positions,
    checked_strata,
    correlation_of_length,
    gene_pool,
)
from radiogenomics.stats.inputs import Floats

# Numbers held at a time by sums over sets.
_HELD = 2**21
# A set starts from seeds close enough for it; there are at least so many to choose from.
_FEWEST_SEEDS = 50
# Starts of a draw; exchanges of a gene after each start at most, and genes that each looks at.
_STARTS, _EXCHANGES, _LOOKED_AT = 5, 10, 32


class MatchedSets(NamedTuple):
    """Random sets and how well they match.

    Attributes
    ----------
    sets : ndarray of int, shape (count, size)
        Positions of genes; none is in the set that was to be matched, none twice in a draw.
    correlation : ndarray of float, shape (count,)
        Mean correlation of the pairs of genes of each.
    target : float
        That of the set itself.
    effective : float
        1 to count: count² over the sum of the squared correlations between the means of all draws.
        Near 1, all draws say the same: few genes go together as those of the set do, and p against
        the draws is coarse. What is usual in a cohort, unmatched sets tell.
    """

    sets: Positions
    correlation: Floats
    target: float
    effective: float

    @property
    def mismatch(self) -> Floats:
        """How much more the genes of each draw go together than those of the set."""
        return np.asarray(self.correlation - self.target)


def matched_random_sets(
    genes: ArrayLike | GenePool,
    members: ArrayLike,
    *,
    count: int,
    rng: np.random.Generator,
    tolerance: float = 0.02,
) -> MatchedSets:
    r"""Draw random sets of the size and of about the mean pair correlation of a given one.

    What is matched is :math:`|\sum u_i|^2`, to which the variance of the mean of the set is
    proportional: in large sets a hundredth of correlation may double it.

    Only that is held: a draw is one tight group beside loose genes, which the set need not be.
    Genes near the seed may go with genes of the set, which is not avoided. Where few genes go
    together as those of the set, draws repeat each other (``effective``) or fall short of it
    (``mismatch`` below 0), and tests against them say yes too readily. Look at both.

    Parameters
    ----------
    genes : array-like of shape (n, genes), or GenePool
        Columns of length 1; a pool saves time over many sets, and holds strata.
    members : array-like of int, shape (size,)
        Positions of the genes of the set, 2 or more.
    count, rng
        Draws.
    tolerance
        Share by which the variance of the mean of a draw may differ from that of the set. Draws
        that miss by more are drawn again, four times at most; the best one is kept.

    Returns
    -------
    MatchedSets

    Raises
    ------
    DataError
        Members are no positions, repeat or are fewer than 2; or there are fewer than twice as many
        genes outside the set, in each stratum, as within.
    """
    _check_count(count)
    pool = genes if isinstance(genes, GenePool) else _own_pool(genes, members, count, rng)
    own = _checked_members(members, len(pool.rows), fewest=2)
    rest = GenesLeft.of(pool.strata, own)
    target = float((pool.rows[own].sum(axis=0) ** 2).sum())
    starts = _starts(pool, rest, target=target)
    sets = np.empty((count, own.size), dtype=np.intp)
    squared = np.full(count, np.inf)
    missing = np.arange(count)
    for _ in range(_STARTS):
        drawn, reached = _draws(
            pool, rest, rng.choice(starts, missing.size), match=(target, tolerance), rng=rng
        )
        better = np.abs(reached - target) < np.abs(squared[missing] - target)
        sets[missing[better]], squared[missing[better]] = drawn[better], reached[better]
        missing = np.flatnonzero(np.abs(squared - target) > tolerance * target)
        if not missing.size:
            break
    correlation = correlation_of_length(np.append(squared, target), own.size)
    return MatchedSets(sets, correlation[:-1], float(correlation[-1]), _effective(pool.rows, sets))


def _own_pool(
    unit_genes: ArrayLike, members: ArrayLike, count: int, rng: np.random.Generator
) -> GenePool:
    """A pool large enough for one set."""
    return gene_pool(unit_genes, rng=rng, seeds=20 * count, reach=4 * max(np.size(members), 1))


def random_sets(
    members: ArrayLike,
    *,
    genes: int,
    count: int,
    rng: np.random.Generator,
    strata: ArrayLike | None = None,
) -> Positions:
    """Draw random sets of the size of a given one, whatever their correlation.

    Too narrow a null for statistics of genes that go together; see `matched_random_sets`.

    Parameters
    ----------
    members : array-like of int, shape (size,)
        Positions of the genes of the set.
    genes
        How many there are to choose from, those of the set among them.
    count, rng
        As in `matched_random_sets`.
    strata
        As in `gene_pool`.

    Returns
    -------
    ndarray of int, shape (count, size)

    Raises
    ------
    DataError
        As `matched_random_sets`; a set of one gene will do.

    Examples
    --------
    >>> random_sets([0, 1], genes=4, count=2, rng=np.random.default_rng(0)).min()
    np.int64(2)
    """
    own = _checked_members(members, genes, fewest=1)
    _check_count(count)
    rest = GenesLeft.of(checked_strata(strata, genes), own, spare=1)
    empty = np.full((count, own.size), -1, dtype=np.intp)
    slots = np.repeat(np.arange(rest.quota.size), rest.quota)
    return rest.filled(empty, np.broadcast_to(slots, empty.shape), rng)


def _starts(pool: GenePool, rest: GenesLeft, *, target: float) -> Positions:
    """Seeds outside the set whose neighbours are tight enough, or else the tightest."""
    usable = np.flatnonzero(rest.free[pool.seeds])
    if not usable.size:
        raise DataError(
            f"expected seeds outside the set; found all {pool.seeds.size} in it or in strata that "
            "it has not. Make the pool with more seeds."
        )
    size = int(rest.quota.sum())
    depth = min(size, pool.nearest.shape[1]) - 1
    tightness = pool.tightness[usable, depth]
    order = usable[np.argsort(-tightness, kind="stable")]
    enough = int((tightness >= correlation_of_length(np.array(target), size)).sum())
    return np.asarray(order[: max(enough, min(_FEWEST_SEEDS, order.size))])


def _draws(
    pool: GenePool,
    rest: GenesLeft,
    starts: Positions,
    *,
    match: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[Positions, Floats]:
    """One set from each start, and the squared length of the sum of its genes."""
    target, tolerance = match
    near, slots = _neighbours(pool, rest, starts)
    size = slots.shape[1]
    both = rest.filled(np.hstack([near, np.full_like(near, -1)]), np.hstack([slots, slots]), rng)
    sets, total = np.empty_like(near), np.empty((len(near), pool.rows.shape[1]))
    step = max(1, _HELD // (size * pool.rows.shape[1]))
    for start in range(0, len(near), step):
        block = slice(start, start + step)
        sets[block], total[block] = _mixed(pool.rows, both[block], target=target)
    for _ in range(_EXCHANGES):
        far = np.flatnonzero(np.abs((total**2).sum(axis=1) - target) > tolerance * target)
        if not far.size:
            break
        offered = _offered(pool, rest, starts[far], slots=slots[far], rng=rng)
        sets[far], total[far] = _exchanged(pool.rows, sets[far], total[far], offered, target)
    return sets, (total**2).sum(axis=1)


def _neighbours(pool: GenePool, rest: GenesLeft, starts: Positions) -> tuple[Positions, Positions]:
    """Nearest genes outside the set that fit its strata, and strata; -1 where they run out."""
    size = int(rest.quota.sum())
    near = pool.nearest[starts, : _depth(size)]
    code = np.where(rest.free[near], rest.stratum[near], -1)
    # Places without a gene end the list, so that each stratum is filled whatever it holds.
    spare = np.repeat(np.arange(rest.quota.size), rest.quota)
    code = np.hstack([code, np.broadcast_to(spare, (len(code), size))])
    near = np.hstack([near, np.full((len(near), size), -1)])
    taken = np.zeros(code.shape, dtype=bool)
    for stratum, quota in enumerate(rest.quota):
        hit = code == stratum
        taken |= hit & (hit.cumsum(axis=1) <= quota)
    return near[taken].reshape(-1, size), code[taken].reshape(-1, size)


def _mixed(rows: Floats, both: Positions, *, target: float) -> tuple[Positions, Floats]:
    """Take the first k near genes and random ones for the rest, by the k that fits best."""
    size = both.shape[1] // 2
    near, loose = both[:, :size], both[:, size:]
    ahead = np.zeros((len(both), size + 1, rows.shape[1]))
    np.cumsum(rows[near], axis=1, out=ahead[:, 1:])
    ahead[:, :-1] += np.cumsum(rows[loose[:, ::-1]], axis=1)[:, ::-1]
    squared = np.einsum("dkn,dkn->dk", ahead, ahead)
    share = np.argmin(np.abs(squared - target), axis=1)
    sets = np.where(np.arange(size) < share[:, None], near, loose)
    return sets, ahead[np.arange(len(both)), share]


def _offered(
    pool: GenePool,
    rest: GenesLeft,
    starts: Positions,
    *,
    slots: Positions,
    rng: np.random.Generator,
) -> tuple[Positions, Positions]:
    """A random place of each set, and genes for it: some from near the seed, others from all."""
    draws = np.arange(len(slots))
    place = rng.integers(slots.shape[1], size=len(slots))
    stratum = np.repeat(slots[draws, place][:, None], _LOOKED_AT, axis=1)
    genes = rest.random(stratum, rng)
    depth = min(_depth(slots.shape[1]), pool.nearest.shape[1])
    rank = rng.integers(depth, size=(len(slots), _LOOKED_AT // 2))
    near = pool.nearest[starts[:, None], rank]
    fits = rest.free[near] & (rest.stratum[near] == stratum[:, : near.shape[1]])
    genes[:, : near.shape[1]] = np.where(fits, near, genes[:, : near.shape[1]])
    return place, genes


def _exchanged(
    rows: Floats,
    sets: Positions,
    total: Floats,
    offered: tuple[Positions, Positions],
    target: float,
) -> tuple[Positions, Floats]:
    """Sets with one gene exchanged for the one offered that brings them nearest, if any does."""
    place, genes = offered
    draws = np.arange(len(sets))
    left = total - rows[sets[draws, place]]
    shared = np.einsum("dn,dcn->dc", left, rows[genes])
    miss = np.abs(1 + (left**2).sum(axis=1)[:, None] + 2 * shared - target)
    miss[(genes[:, :, None] == sets[:, None, :]).any(axis=2)] = np.inf
    best = np.argmin(miss, axis=1)
    now = np.abs((total**2).sum(axis=1) - target)
    better = np.flatnonzero(miss[draws, best] < now)
    found, summed = sets.copy(), total.copy()
    found[better, place[better]] = genes[better, best[better]]
    summed[better] = left[better] + rows[found[better, place[better]]]
    return found, summed


def _depth(size: int) -> int:
    """How far to look among the neighbours of a seed for so many genes outside a set."""
    return 4 * size + 64


def _effective(rows: Floats, sets: Positions) -> float:
    means = np.stack([rows[draw].sum(axis=0) for draw in sets])
    length = np.sqrt((means**2).sum(axis=1, keepdims=True))
    units = means / np.where(length > 0, length, 1.0)
    return float(len(sets) ** 2 / ((units @ units.T) ** 2).sum())


def _checked_members(members: ArrayLike, genes: int, *, fewest: int) -> Positions:
    own = np.asarray(members)
    whole = own.ndim == 1 and np.issubdtype(own.dtype, np.integer) and own.size >= fewest
    if not whole or own.min() < 0 or own.max() >= genes or np.unique(own).size < own.size:
        raise DataError(
            f"members: expected {fewest} or more distinct positions below {genes}; found "
            f"{own.size} values of type {own.dtype} in shape {own.shape}. Look the genes up among "
            "the columns."
        )
    return own.astype(np.intp)


def _check_count(count: int) -> None:
    if count < 1:
        raise DataError(f"count: expected 1 draw or more; found {count}. 100 to 1000 serve.")
