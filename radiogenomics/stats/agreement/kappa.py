"""Cohen's kappa: how far two readers choose the same categories, beyond chance."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.stats.agreement.ratings import coded_ratings
from radiogenomics.stats.inputs import Floats, as_floats, check_level

Weights = Literal["linear", "quadratic"] | ArrayLike

# Below this, agreement by chance is complete and a variance is rounding.
_ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class CohenKappa:
    """Agreement of two readers.

    Parameters
    ----------
    value, standard_error, low, high
        Kappa, at most 1, with its large-sample error and interval (cut off at -1 and 1).
    z, p
        Test of no agreement beyond chance, two-sided, with the error under that hypothesis; NaN
        where a reader gave all subjects one category.
    agreement, expected
        Share of (weighted) agreement seen, and expected by chance.
    subjects, left_out
        Subjects with both ratings, and without.
    """

    value: float
    standard_error: float
    low: float
    high: float
    z: float
    p: float
    agreement: float
    expected: float
    subjects: int
    left_out: int = 0


def cohen_kappa(
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: Weights | None = None,
    categories: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> CohenKappa:
    r"""Kappa of two readers, unweighted or weighted.

    :math:`\kappa = (p_o - p_e) / (1 - p_e)`, with the share of subjects on which the readers agree,
    :math:`p_o`, and the share on which they would if each drew from the categories as often as they
    use them, independently, :math:`p_e`. With weights, a subject rated i and j counts as agreement
    :math:`w_{ij}` between 0 and 1: linear :math:`1 - |i-j|/(k-1)`, quadratic
    :math:`1 - (i-j)^2/(k-1)^2`, by position among the k categories. The more unequal the
    categories, the lower kappa at the same :math:`p_o`; weighted kappa rises with the number of
    categories. A constant shift between readers lowers it too.

    Parameters
    ----------
    first, second : array-like of shape (n,)
        Categories of the same subjects: text, numbers or booleans; None or NaN is missing, and such
        subjects are left out.
    weights
        None, ``"linear"``, ``"quadratic"``, or agreement weights of shape (k, k), 1 on the
        diagonal.
    categories
        All k, in order; needed for weights with text. By default those used, sorted.
    level
        Of the interval.

    Raises
    ------
    DataError
        Lengths differ; fewer than two subjects with both ratings, or two categories in use; text
        without an order, or senseless weights.
    UnknownNameError
        A rating is not among the categories.

    References
    ----------
    Cohen 1960, doi:10.1177/001316446002000104; Cohen 1968, doi:10.1037/h0026256;
    Fleiss, Cohen & Everitt 1969, doi:10.1037/h0028106 (errors).

    Examples
    --------
    >>> found = cohen_kappa(["PR", "PR", "SD", "SD", "PD"], ["PR", "SD", "SD", "SD", "PD"])
    >>> round(found.value, 3), found.agreement
    (0.688, 0.8)
    """
    order, codes = coded_ratings(
        (first, second), categories=categories, ordered=weights is not None
    )
    complete = (codes >= 0).all(axis=0)
    counts = np.zeros((len(order), len(order)))
    np.add.at(counts, tuple(codes[:, complete]), 1)
    return cohen_kappa_of_counts(
        counts, weights=weights, level=level, left_out=int((~complete).sum())
    )


def cohen_kappa_of_counts(
    counts: ArrayLike,
    *,
    weights: Weights | None = None,
    level: float = 0.95,
    left_out: int = 0,
) -> CohenKappa:
    """Kappa of two readers from their cross-table.

    As :func:`cohen_kappa`.

    Parameters
    ----------
    counts : array-like of shape (k, k)
        Subjects by category of the first reader (rows) and of the second (columns).
    weights, level
        As there.
    left_out
        Subjects without both ratings, for the record.

    Raises
    ------
    DataError
        The table is not square or not of counts, or as there.

    Examples
    --------
    >>> round(cohen_kappa_of_counts([[20, 5], [10, 15]]).value, 2)
    0.4
    """
    table = as_floats(counts, "counts")
    square = table.ndim == 2 and table.shape[0] == table.shape[1]
    if not square or not (np.isfinite(table) & (table >= 0)).all() or table.sum() < 2:
        raise DataError(
            "expected a square table of counts, one row and column a category, of at least 2 "
            f"subjects; found shape {table.shape} with a sum of {table.sum():g}. Cross-tabulate "
            "the two readers over the same categories."
        )
    z_level = float(ndtri(0.5 + check_level(level) / 2))
    w = _weights(weights, table.shape[0])
    n = table.sum()
    p = table / n
    row, column = p.sum(axis=1), p.sum(axis=0)
    agreement, chance = float((w * p).sum()), float(row @ w @ column)
    if 1 - chance < _ROUNDING:
        raise DataError(
            "expected two or more categories in use; found all ratings of both readers in one. "
            "Agreement beyond chance is undefined: report percent agreement."
        )
    kappa = (agreement - chance) / (1 - chance)
    means = (w @ column)[:, np.newaxis] + (row @ w)[np.newaxis]
    seen = (p * (w - means * (1 - kappa)) ** 2).sum() - (kappa - chance * (1 - kappa)) ** 2
    null = (np.outer(row, column) * (w - means) ** 2).sum() - chance**2
    error = _root(seen, n) / (1 - chance)
    z, two_sided = chance_test(kappa, _root(null, n) / (1 - chance))
    # Weights of one's own can bring kappa itself below -1.
    bounds = max(kappa - z_level * error, min(kappa, -1.0)), min(kappa + z_level * error, 1.0)
    return CohenKappa(
        kappa, error, *bounds, z, two_sided, agreement, chance, int(round(n)), left_out
    )


def _weights(weights: Weights | None, k: int) -> Floats:
    """Agreement weights between 0 and 1."""
    if weights is None:
        return np.eye(k)
    if isinstance(weights, str):
        if weights not in ("linear", "quadratic"):
            raise UnknownNameError("weights", weights, ("linear", "quadratic"))
        apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / max(k - 1, 1)
        return 1 - (apart if weights == "linear" else apart**2)
    given = as_floats(weights, "weights")
    proper = given.shape == (k, k) and bool(((given >= 0) & (given <= 1)).all())
    if not proper or not (np.diag(given) == 1).all():
        raise DataError(
            f"expected agreement weights of shape ({k}, {k}) between 0 and 1, with 1 on the "
            f"diagonal; found shape {given.shape}. Turn disagreement d into 1 - d / max(d)."
        )
    return given


def _root(variance: float, n: float) -> float:
    return float(np.sqrt(variance / n)) if variance > _ROUNDING else 0.0


def chance_test(kappa: float, null_error: float) -> tuple[float, float]:
    """Return z and two-sided p of a kappa, given its error under no agreement beyond chance.

    Examples
    --------
    >>> [round(number, 3) for number in chance_test(0.4, 0.2)]
    [2.0, 0.046]
    """
    if null_error == 0:
        warnings.warn(
            "a reader gave all subjects one category: kappa is 0 whatever the other did, and has "
            "no test. Report percent agreement.",
            RadiogenomicsWarning,
            stacklevel=4,
        )
        return float("nan"), float("nan")
    z = float(kappa / null_error)
    return z, float(2 * ndtr(-abs(z)))
