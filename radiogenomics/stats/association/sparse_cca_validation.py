r"""Sparse canonical correlation in patients it was not learnt from, and what it is by chance.

For each fold the pairs are learnt from the other patients: means, covariates' slopes, standard
deviations, the penalty if there are several, and weights. Scores of the held-out patients are then
correlated within folds, sums of squares and products added up over folds:

.. math:: r = \frac{\sum_f \sum_{i\in f} (a_i-\bar a_f)(b_i-\bar b_f)}
          {\sqrt{\sum_f \sum_{i\in f} (a_i-\bar a_f)^2 \sum_f \sum_{i\in f} (b_i-\bar b_f)^2}}

Signs and units of a pair may differ between folds, which this does not mind. The null repeats all
of it with rows of x permuted, so that its mean is 0 but for chance. With covariates, residuals of x
over all patients are permuted (Freedman and Lane); every training part then takes out what it finds
itself, in the permutations as in the patients as they are. That residuals over all patients come in
teaches it nothing: what a regression leaves does not change when multiples of its covariates are
added before.

References: Witten, Tibshirani & Hastie 2009, doi:10.1093/biostatistics/kxp008; permutation beside
covariates: Winkler et al. 2014, doi:10.1016/j.neuroimage.2014.01.060.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError
from radiogenomics.stats.association.relabelling import Orders, check_orders, induced_orders
from radiogenomics.stats.association.sparse_cca import (
    check_components,
    check_shares,
    paired_units,
)
from radiogenomics.stats.association.sparse_pairs import (
    AT_ONCE,
    BRIEF,
    first_correlations,
    sparse_pairs,
    stand_out,
)
from radiogenomics.stats.association.training_columns import Part, TrainingColumns
from radiogenomics.stats.inputs import Floats, as_floats, check_groups
from radiogenomics.stats.permutation import permutation_p
from radiogenomics.stats.resampled_pairs import chunks

# Patients of a fold below which a correlation within it says nothing.
_FEWEST = 3


@dataclass(frozen=True, eq=False)
class CrossValidatedCCA:
    """Out-of-sample correlation of sparse canonical pairs with its permutation test.

    Parameters
    ----------
    correlations
        Shape (components,): within held-out folds, pooled. 0 where a pair has no held-out spread.
    p
        Shape (components,): one-sided permutation p-values.
    chance
        Shape (components,): mean of the null.
    null
        Shape (components, permutations).
    shares
        Shape (folds,): penalty used in each training part, folds in the order of their names.
    n, folds
        Patients and folds.
    """

    correlations: Floats
    p: Floats
    chance: Floats
    null: Floats
    shares: Floats
    n: int
    folds: int


@dataclass(frozen=True, eq=False)
class _Procedure:
    """All that is done anew in each order."""

    x: Floats
    y: Floats
    parts: list[Part]
    shares: Floats
    components: int
    # Orders by which to choose among several shares in each training part.
    choosing: Orders


def cross_validated_cca(
    x: ArrayLike,
    y: ArrayLike,
    *,
    orders: ArrayLike,
    folds: ArrayLike,
    shares: Sequence[float] = (0.3,),
    components: int = 1,
    beside: ArrayLike | None = None,
    choosing: int = 20,
) -> CrossValidatedCCA:
    """Correlation that sparse canonical pairs reach in patients held out.

    It may be negative. A later pair need not be the same in all folds.

    Parameters
    ----------
    x : array-like of shape (n, p)
        Complete, columns that vary; its rows are permuted.
    y : array-like of shape (n, q)
        Put the wider table here, where less is done anew.
    orders : array-like of int, shape (permutations, n)
    folds : array-like of shape (n,)
        Fold in which each patient is held out; at least 3 patients each.
    shares : sequence of float
        Penalty of both tables. Of several, each training part chooses as `choose_penalty` does.
    components : int
    beside : array-like of shape (n, k), optional
        Covariates; all must vary in every training part.
    choosing : int
        How many of `orders` to choose by.

    Raises
    ------
    DataError
        Something does not fit, values are missing, or a column or covariate does not vary.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> factor = rng.normal(size=(60, 1))
    >>> x, y = (factor + rng.normal(size=(60, 9)) for _ in range(2))
    >>> orders = rng.permuted(np.tile(np.arange(60), (99, 1)), axis=1)
    >>> cross_validated_cca(x, y, orders=orders, folds=np.arange(60) % 5, shares=(0.6,)).p
    array([0.01])
    """
    first, second = paired_units(x, y, beside=beside)
    n = len(first)
    rows = np.vstack([np.arange(n), check_orders(orders, n)])
    candidates = check_shares(shares)
    few = rows[1 : 1 + choosing]
    if candidates.size > 1 and len(few) < 2:
        raise DataError(f"expected at least 2 orders to choose by; found {len(few)}. Use 20.")
    parts = _parts(check_groups(folds, n, what="fold"), beside)
    smallest = min(part.basis.shape[0] - part.basis.shape[1] for part in parts)
    check_components(components, min(first.shape[1], second.shape[1], smallest))
    work = _Procedure(first, second, parts, candidates, components, few)
    r, used = _held_out(work, rows)
    p = np.array([permutation_p(each[0], each[1:]) for each in r])
    return CrossValidatedCCA(r[:, 0], p, r[:, 1:].mean(axis=1), r[:, 1:], used, n, len(parts))


def _held_out(work: _Procedure, rows: Orders) -> tuple[Floats, Floats]:
    """Correlations, (components, orders), and the share that each training part used."""
    sums = np.zeros((3, work.components, len(rows)))
    used = np.empty(len(work.parts))
    for number, part in enumerate(work.parts):
        found, used[number] = _held_out_sums(work, part, rows)
        sums += found
    size = np.sqrt(sums[1] * sums[2])
    return np.divide(sums[0], size, out=np.zeros_like(size), where=size > 0), used


def _parts(folds: NDArray[np.generic], beside: ArrayLike | None) -> list[Part]:
    names, sizes = np.unique(folds, return_counts=True)
    if len(names) < 2 or sizes.min() < _FEWEST:
        raise DataError(
            f"expected at least 2 folds of at least {_FEWEST} patients; found {len(names)}, the "
            f"smallest of {sizes.min()}. Use 5 folds, or fewer."
        )
    table = None if beside is None else as_floats(beside, "covariates")
    return [Part.build(folds == name, table, name=f"fold {name}") for name in names]


def _held_out_sums(work: _Procedure, part: Part, rows: Orders) -> tuple[Floats, float]:
    """Sums of products and squares within a fold, (3, components, orders), and the share used."""
    kept = TrainingColumns.build(work.y, part.train, part.basis)
    chosen = _chosen(work, part, kept, rows)
    sums = np.empty((3, work.components, len(rows)))
    width = max(work.x.shape[1], work.y.shape[1])
    for piece in chunks(len(rows), width, at_once=AT_ONCE):
        order = rows[piece]
        moved = TrainingColumns.build(work.x, order[:, part.train], part.basis)
        shares = np.repeat(chosen[piece, None], 2, axis=1)
        pairs = sparse_pairs(moved, kept, shares=shares, components=work.components, effort=BRIEF)
        for component, (u, v) in enumerate(zip(pairs.x, pairs.y, strict=True)):
            a = moved.test_scores(u, order[:, part.test], reach=part.reach)
            b = kept.test_scores(v, part.test, reach=part.reach)
            a -= a.mean(axis=1, keepdims=True)
            b -= b.mean(axis=1, keepdims=True)
            for place, product in enumerate((a * b, a * a, b * b)):
                sums[place, component, piece] = product.sum(axis=1)
    return sums, float(chosen[0])


def _chosen(work: _Procedure, part: Part, kept: TrainingColumns, rows: Orders) -> Floats:
    """Share of each order, chosen in its training part."""
    if work.shares.size == 1:
        return np.full(len(rows), work.shares[0])
    inside = np.zeros(rows.shape[1], dtype=bool)
    inside[part.train] = True
    inner = np.vstack([np.arange(part.train.size), induced_orders(work.choosing, inside)])
    chosen = np.empty(len(rows))
    for number, order in enumerate(rows):
        places = order[part.train][inner]
        found = [first_correlations(work.x, kept, places, share=s) for s in work.shares]
        chosen[number] = work.shares[np.argmax(stand_out(np.array(found)))]
    return chosen
