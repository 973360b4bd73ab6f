"""Fleiss' kappa: how far several readers choose the same categories, beyond chance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.stats.agreement.kappa import chance_test
from radiogenomics.stats.agreement.ratings import coded_ratings
from radiogenomics.stats.inputs import Floats, check_level

# Below this, agreement by chance is complete.
_ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class FleissKappa:
    """Agreement of several readers, overall and by category.

    Parameters
    ----------
    value, standard_error, low, high
        Kappa with its large-sample error over subjects and interval (cut off at -1 and 1).
    z, p
        Test of no agreement beyond chance, two-sided, with the error under that hypothesis.
    agreement, unanimous
        Share of agreeing pairs of readers, and of subjects on which all agree.
    categories
        In the order of the arrays below.
    category_value, category_standard_error, category_low, category_high, category_z, category_p
        The same of each category against the rest, shape (categories,); NaN where nobody used it.
    subjects, readers, left_out
        Subjects rated by all readers, readers, and subjects not rated by all.
    """

    value: float
    standard_error: float
    low: float
    high: float
    z: float
    p: float
    agreement: float
    unanimous: float
    categories: tuple[Hashable, ...]
    category_value: Floats
    category_standard_error: Floats
    category_low: Floats
    category_high: Floats
    category_z: Floats
    category_p: Floats
    subjects: int
    readers: int
    left_out: int


def fleiss_kappa(
    ratings: ArrayLike, *, categories: Sequence[Hashable] | None = None, level: float = 0.95
) -> FleissKappa:
    r"""Kappa of two or more readers who need not be the same for each subject.

    With :math:`n_{ij}` of m readers putting subject i of n into category j and :math:`p_j` the
    share of all ratings in j, :math:`\kappa = (\bar P - P_e)/(1 - P_e)`, with the mean share of
    agreeing pairs :math:`\bar P` and :math:`P_e = \sum p_j^2`; of one category,
    :math:`1 - \sum_i n_{ij}(m - n_{ij}) / (n m (m-1) p_j (1 - p_j))`. Chance is drawn from the
    pooled ratings, so for two readers it is Scott's pi and not Cohen's kappa. Order of categories
    is not used. The test has the error under no agreement (1979); the interval the error of
    agreement as found, from the influence of each subject: with few subjects it is too narrow.

    Parameters
    ----------
    ratings : array-like of shape (n, m)
        Category by subject and reader; None or NaN is missing, and such subjects are left out.
    categories, level
        All categories, by default those used, sorted; level of the intervals.

    Raises
    ------
    DataError, UnknownNameError
        Fewer than two readers, complete subjects or categories in use; a rating not among them.

    References
    ----------
    Fleiss 1971, doi:10.1037/h0031619; Fleiss, Nee & Landis 1979, doi:10.1037/0033-2909.86.5.974;
    Gwet 2008, doi:10.1348/000711006X126600 (error of agreement as found).

    Examples
    --------
    >>> found = fleiss_kappa([["a", "a", "a"], ["a", "a", "b"], ["b", "b", "b"], ["b", "a", "b"]])
    >>> round(found.value, 3), found.unanimous
    (0.333, 0.5)
    """
    z_level = float(ndtri(0.5 + check_level(level) / 2))
    order, counts, left_out = _counted(ratings, categories)
    n, m = counts.shape[0], int(counts[0].sum())
    overall, each, pulls = _kappas(counts, m)
    errors = np.sqrt((pulls**2).sum(axis=0) / (n * (n - 1)))
    values = np.concatenate([[overall], each])
    low, high = np.clip(values + z_level * np.outer([-1, 1], errors), -1.0, 1.0)
    test = chance_test(overall, _null_error(counts, m))
    each_z = each / np.sqrt(2 / (n * m * (m - 1)))
    return FleissKappa(
        *(overall, float(errors[0]), float(low[0]), float(high[0]), *test),
        agreement=float(((counts**2).sum(axis=1) - m).mean() / (m * (m - 1))),
        unanimous=float((counts.max(axis=1) == m).mean()),
        categories=order,
        category_value=each,
        category_standard_error=errors[1:],
        category_low=low[1:],
        category_high=high[1:],
        category_z=each_z,
        category_p=2 * ndtr(-np.abs(each_z)),
        subjects=n,
        readers=m,
        left_out=left_out,
    )


def _kappas(counts: Floats, m: int) -> tuple[float, Floats, Floats]:
    """Kappa overall and by category, and what each subject adds to either."""
    share = counts / m
    used = share.mean(axis=0)
    spread = used * (1 - used)
    if spread.sum() < _ROUNDING:
        raise DataError(
            "expected two or more categories in use; found all ratings in one. Agreement beyond "
            "chance is undefined: report percent agreement."
        )
    apart = counts * (m - counts) / (m * (m - 1))
    disagreement = apart.sum(axis=1) / spread.sum()
    kappa = 1 - float(disagreement.mean())
    # A subject pulls through its agreement, and through the shares that chance is taken from.
    pull = 1 - disagreement - kappa - 2 * (1 - kappa) * ((share - used) @ used) / spread.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        each = 1 - apart.mean(axis=0) / spread
        pulls = 1 - apart / spread - each + (1 - each) * (1 - 2 * used) * (share - used) / spread
    return kappa, each, np.column_stack([pull, pulls])


def _null_error(counts: Floats, m: int) -> float:
    """Error of kappa under no agreement beyond chance."""
    used = counts.mean(axis=0) / m
    spread = used * (1 - used)
    variance = spread.sum() ** 2 - (spread * (1 - 2 * used)).sum()
    pairs = len(counts) * m * (m - 1)
    return float(np.sqrt(2 * max(variance, 0.0) / pairs) / spread.sum())


def _counted(
    ratings: ArrayLike, categories: Sequence[Hashable] | None
) -> tuple[tuple[Hashable, ...], Floats, int]:
    """Categories, how many readers chose each for each subject rated by all, and the rest."""
    table = np.asarray(ratings, dtype=object)
    if table.ndim != 2 or table.shape[1] < 2:
        raise DataError(
            "expected ratings of subjects (rows) by at least 2 readers (columns); found shape "
            f"{table.shape}. Add a reader, or turn the table round."
        )
    order, codes = coded_ratings(table.T, categories=categories, ordered=False)
    complete = codes.T[(codes >= 0).all(axis=0)]
    if len(complete) < 2:
        raise DataError(
            f"expected at least 2 subjects rated by all {table.shape[1]} readers; found "
            f"{len(complete)} of {len(table)}. Leave out a reader with many missing ratings."
        )
    counts = (complete[:, :, np.newaxis] == np.arange(len(order))).sum(axis=1).astype(float)
    return order, counts, len(table) - len(complete)
