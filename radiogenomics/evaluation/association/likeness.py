"""Which known columns a column resembles, so that a deep feature can be put into words.

Examples
--------
>>> patients = pd.Index(["P1", "P2", "P3", "P4"])
>>> deep = pd.DataFrame({"d1": [1.0, 2.0, 3.0, 4.0]}, patients)
>>> known = pd.DataFrame({"a": [1.0, 3.0, 2.0, 4.0], "b": [9.0, 5.0, 3.0, 1.0]}, patients)
>>> likeness_table(deep, known, count=2)[["feature", "rank", "similar", "rho"]].values.tolist()
[['d1', 1, 'b', -1.0], ['d1', 2, 'a', 0.8]]
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.evaluation.association.complete_tables import Floats, numbers_of
from radiogenomics.stats.association.units import Correlation, unit_columns

Positions = NDArray[np.intp]

_COLUMNS = ("feature", "rank", "similar", "rho", "source")
# Columns whose correlations with all others are held at a time.
_BLOCK = 1024
# Correlations that differ by less are one, so that rounding does not order them.
_DIGITS = 12


def likeness_table(
    deep: pd.DataFrame,
    radiomic: pd.DataFrame,
    *,
    count: int = 5,
    source: str = "radiomic",
    method: Correlation = "spearman",
) -> pd.DataFrame:
    r"""Columns of another table that each column resembles most, by :math:`|\rho|`.

    A description, not a test: with many columns to choose from the best :math:`|\rho|` is well
    above 0 by chance alone (of 1,316 independent ones in 100 patients about 0.33), and one that
    resembles several need not be explained by any.

    Parameters
    ----------
    deep
        Patients × columns to be explained; complete.
    radiomic
        The same patients × columns to explain them by.
    count
        Similar columns of each; fewer where there are fewer.
    source
        What the other table is called.
    method
        ``"spearman"`` or ``"pearson"``.

    Returns
    -------
    DataFrame
        ``feature, rank, similar, rho, source``: features in their order, the most similar first.
        ``rho`` keeps its sign; of equal ones the earlier column comes first.

    Raises
    ------
    AlignmentError
        The tables have other patients or another order.
    DataError
        A column is incomplete or does not vary, or ``count`` is below 1.
    """
    require_same_patients(deep.index, radiomic.index, what=f"features and {source} columns")
    if count < 1:
        raise DataError(f"count: expected 1 similar column or more; found {count}. 5 will do.")
    left = unit_columns(numbers_of(deep, what="features"), method=method)
    right = unit_columns(numbers_of(radiomic, what=f"{source} columns"), method=method)
    kept = min(count, radiomic.shape[1])
    best, rho = _most_like(left, right, kept)
    return pd.DataFrame(
        {
            "feature": np.repeat(deep.columns.to_numpy(), kept),
            "rank": np.tile(np.arange(1, kept + 1), deep.shape[1]),
            "similar": radiomic.columns.to_numpy()[best.ravel()],
            "rho": rho.ravel(),
            "source": source,
        },
        columns=list(_COLUMNS),
    )


def _most_like(left: Floats, right: Floats, count: int) -> tuple[Positions, Floats]:
    """Positions of the columns of ``right`` most like each of ``left``, and how much they are."""
    best = np.empty((left.shape[1], count), dtype=np.intp)
    rho = np.empty(best.shape)
    for start in range(0, left.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        r = np.clip(left[:, block].T @ right, -1.0, 1.0).round(_DIGITS)
        best[block] = np.argsort(-np.abs(r), axis=1, kind="stable")[:, :count]
        rho[block] = np.take_along_axis(r, best[block], axis=1)
    return best, rho
