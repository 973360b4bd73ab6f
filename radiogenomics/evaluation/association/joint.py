"""Joint links of two tables: is there anything common at all, before asking where.

The RV coefficient and Mantel's r describe the patients at hand; sparse canonical correlation and
partial least squares say what directions learnt from some patients reach in others. All p are
one-sided (greater) and of the whole procedure, with patients' features permuted as whole rows. They
ask much the same in several ways: the smallest of them is no p. Intervals stand beside the
out-of-sample correlations only, by Fisher's transformation with the standard error that
permutations show, or 1 / sqrt(n - folds - 2) if that is larger: training parts share patients, so
that folds are not independent. Of RV and Mantel there is none, for patients drawn twice by a
bootstrap are alike to themselves, which moves both.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from radiogenomics.core.errors import DataError, SchemaError, short_list
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.stats.association.mantel import MantelTest, distance_matrix, mantel
from radiogenomics.stats.association.relabelling import Orders, check_orders
from radiogenomics.stats.association.rv_coefficient import RVCoefficient, rv_coefficient
from radiogenomics.stats.association.sparse_cca import choose_penalty, sparse_cca
from radiogenomics.stats.association.sparse_cca_validation import (
    CrossValidatedCCA,
    cross_validated_cca,
)
from radiogenomics.stats.association.units import unit_columns
from radiogenomics.stats.inputs import Floats, check_level

# Permutations by which to choose among several penalties.
_CHOOSING = 20
# Correlations as near to 1 have no finite z.
_ONE = 1 - 1e-15


class JointLinks(NamedTuple):
    """What two tables have in common as wholes.

    Attributes
    ----------
    table : DataFrame
        ``method, statistic, value, low, high, chance, p, n, note``; one row a statistic.
    weights : DataFrame
        ``component, side, name, weight``: columns with a weight other than 0 in the sparse pairs of
        all patients, side ``feature`` or ``gene``, strongest first; for standardised columns.
    """

    table: pd.DataFrame
    weights: pd.DataFrame


class _Row(NamedTuple):
    method: str
    statistic: str
    value: float
    low: float
    high: float
    chance: float
    p: float
    n: int
    note: str


class _Tables(NamedTuple):
    features: Floats
    genes: Floats
    beside: Floats | None


def joint_table(
    features: pd.DataFrame,
    genes: pd.DataFrame,
    *,
    orders: ArrayLike,
    folds: ArrayLike,
    beside: pd.DataFrame | None = None,
    shares: Sequence[float] = (0.3,),
    components: int = 2,
    refits: int = 199,
    level: float = 0.95,
) -> JointLinks:
    """Joint links of image features and genes, each with its level by chance and permutation p.

    Parameters
    ----------
    features, genes
        Patients × columns, complete, none constant; same patients in one order.
    orders
        Permutations, shape (count, n); drawn within sites if sites differ in both tables.
    folds
        Fold in which each patient is held out, shape (n,).
    beside
        Covariates as numbers (groups as indicators, one level left out), taken out of both tables,
        out of sample by what each training part teaches; for Mantel, distances held constant.
    shares
        Penalties of sparse CCA; of several, each training part chooses, at many times the cost.
    components
        Sparse pairs.
    refits
        Orders used by the out-of-sample rows.
    level
        Of intervals.

    Raises
    ------
    AlignmentError, SchemaError, DataError
        Other patients; columns not of numbers; missing or constant values; something does not fit.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> first = rng.normal(size=(60, 1))
    >>> x, y = (pd.DataFrame(first + rng.normal(size=(60, 5))) for _ in range(2))
    >>> orders = rng.permuted(np.tile(np.arange(60), (99, 1)), axis=1)
    >>> links = joint_table(x, y, orders=orders, folds=np.arange(60) % 5, components=1)
    >>> links.table.loc[links.table["p"] < 0.05, "method"].tolist()
    ['RV', 'adjusted RV', 'Mantel', 'sparse CCA', 'PLS']
    """
    tables = _checked(features, genes, beside)
    rows = check_orders(orders, len(features))
    if refits < 1:
        raise DataError(f"expected at least 1 refit; found {refits}. Use 199 or more.")
    learnt = partial(_held_out, tables, rows[:refits], folds=folds, level=check_level(level))
    table = _whole_rows(tables, rows)
    table += learnt("sparse CCA", shares=shares, components=components)
    table += learnt("PLS", shares=(1.0,), components=1)
    names, share = (features.columns, genes.columns), _share(tables, rows, shares)
    weights = _weights(tables, names, share=share, components=components)
    return JointLinks(pd.DataFrame(table), weights)


def _checked(features: pd.DataFrame, genes: pd.DataFrame, beside: pd.DataFrame | None) -> _Tables:
    require_same_patients(features.index, genes.index, what="features and genes")
    for table in (features, genes):
        refuse_row_facts(table)
    if beside is not None:
        require_same_patients(features.index, beside.index, what="features and covariates")
    return _Tables(
        _numbers(features, "features"),
        _numbers(genes, "genes"),
        None if beside is None else _numbers(beside, "covariates"),
    )


def _numbers(table: pd.DataFrame, what: str) -> Floats:
    words = [name for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if words:
        raise SchemaError(
            f"{what}: expected columns of numbers; found {len(words)} others "
            f"({short_list(words)}). Code groups as indicators, one level left out."
        )
    values = table.to_numpy(dtype=float, na_value=np.nan)
    dull = table.columns[(values == values[:1]).all(axis=0)] if len(values) else []
    if len(dull):
        raise DataError(
            f"{what}: expected columns that vary; found {len(dull)} that do not "
            f"({short_list(dull)}). Leave them out."
        )
    return values


def _whole_rows(tables: _Tables, orders: Orders) -> list[_Row]:
    """RV and Mantel, which have no interval."""
    x, y = (
        unit_columns(table, method="pearson", beside=tables.beside)
        for table in (tables.features, tables.genes)
    )
    left, plain = ("", "") if tables.beside is None else (" beside the covariates", ", unadjusted")
    rv = rv_coefficient(x, y, orders=orders, beside=tables.beside)
    fair = rv_coefficient(x, y, orders=orders, adjusted=True, beside=tables.beside)
    apart = [distance_matrix(table) for table in (tables.features, tables.genes)]
    test = mantel(*apart, orders=orders)
    rows = [
        _whole("RV", "RV", rv, f"0 to 1: how alike the tables place patients{left}"),
        _whole("adjusted RV", "RV", fair, f"RV less its level by chance{left}: 1 at most"),
        _whole("Mantel", "r", test, f"of distances between patients{plain}"),
    ]
    if tables.beside is not None:
        test = mantel(*apart, orders=orders, beside=distance_matrix(tables.beside))
        note = (
            "distances by the covariates held constant; not valid where both tables follow them "
            "strongly: RV takes them out"
        )
        rows.append(_whole("partial Mantel", "r", test, note))
    return rows


def _whole(method: str, statistic: str, found: RVCoefficient | MantelTest, note: str) -> _Row:
    return _Row(
        method, statistic, found.value, np.nan, np.nan, found.chance, found.p, found.n, note
    )


def _held_out(
    tables: _Tables,
    orders: Orders,
    method: str,
    *,
    folds: ArrayLike,
    level: float,
    shares: Sequence[float],
    components: int,
) -> list[_Row]:
    """One row a component; without a bound the first pair is that of partial least squares."""
    found = cross_validated_cca(
        tables.features,
        tables.genes,
        orders=orders,
        folds=folds,
        shares=shares,
        components=components,
        beside=tables.beside,
        choosing=_CHOOSING,
    )
    used = " or ".join(f"{share:g}" for share in sorted(set(found.shares.tolist())))
    note = (
        f"in patients held out, {found.folds} folds, learnt anew in {len(orders)} permutations"
        f"{'' if method == 'PLS' else f'; share of the bound {used}'}"
    )
    low, high = _interval(found, level)
    numbers = zip(found.correlations, low, high, found.chance, found.p, strict=True)
    return [
        _Row(method, f"out-of-sample r, pair {k}", *map(float, row), found.n, note)
        for k, row in enumerate(numbers, start=1)
    ]


def _interval(found: CrossValidatedCCA, level: float) -> tuple[Floats, Floats]:
    freedom = found.n - found.folds - 1
    spread = np.arctanh(np.clip(found.null, -_ONE, _ONE)).std(axis=1)
    error = np.maximum(spread, 1 / np.sqrt(max(freedom - 1, 1)))
    z = np.arctanh(np.clip(found.correlations, -_ONE, _ONE))
    half = ndtri(0.5 + level / 2) * error
    return np.tanh(z - half), np.tanh(z + half)


def _share(tables: _Tables, orders: Orders, shares: Sequence[float]) -> float:
    """Penalty by which to show weights, chosen by all patients if there are several."""
    if len(shares) == 1:
        return float(shares[0])
    few = orders[:_CHOOSING]
    x, y, beside = tables
    return choose_penalty(x, y, orders=few, shares=shares, beside=beside).best


def _weights(
    tables: _Tables, names: tuple[pd.Index, pd.Index], *, share: float, components: int
) -> pd.DataFrame:
    found = sparse_cca(
        tables.features,
        tables.genes,
        shares=(share, share),
        components=components,
        beside=tables.beside,
    )
    parts = [
        pd.DataFrame(
            {"component": k + 1, "side": side, "name": of[kept], "weight": weights[kept, k]}
        )
        for k in range(components)
        for side, of, weights in zip(
            ("feature", "gene"), names, (found.x_weights, found.y_weights), strict=True
        )
        for kept in [_strongest(weights[:, k])]
    ]
    return pd.concat(parts, ignore_index=True)


def _strongest(weights: Floats) -> NDArray[np.intp]:
    """Positions of weights other than 0, largest size first."""
    kept = np.flatnonzero(weights)
    return kept[np.argsort(-np.abs(weights[kept]), kind="stable")]
