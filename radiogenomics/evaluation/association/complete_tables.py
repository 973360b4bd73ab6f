"""Checks of tables whose columns must be complete, vary and have a name each."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.evaluation.association.inputs import covariate_columns
from radiogenomics.stats.association.units import Correlation

Floats = NDArray[np.float64]

# A column whose spread is below this share of its size is one value with rounding.
_NO_SPREAD = 1e-12


def require_numbers(table: pd.DataFrame, *, what: str) -> None:
    """Raise DataError, naming columns, unless all hold numbers and none is there twice.

    Examples
    --------
    >>> require_numbers(pd.DataFrame({"a": [1, 2, 4]}), what="features")
    """
    columns = table.columns
    kinds = zip(columns, table.dtypes, strict=True)
    words = [name for name, kind in kinds if not pd.api.types.is_numeric_dtype(kind)]
    repeated = columns[columns.duplicated()]
    if words or len(repeated):
        raise DataError(
            f"{what}: expected columns of numbers with a name each; found {len(words)} of another "
            f"kind ({short_list(words)}) and {len(repeated)} names again ({short_list(repeated)}). "
            "Code groups by indicators and rename what repeats."
        )


def numbers_of(table: pd.DataFrame, *, what: str) -> Floats:
    """Values of a table whose columns are distinct, numeric, finite and vary.

    Raises
    ------
    DataError
        They are not; the message names the columns.

    Examples
    --------
    >>> numbers_of(pd.DataFrame({"a": [1, 2, 4]}), what="features").ravel()
    array([1., 2., 4.])
    """
    require_numbers(table, what=what)
    columns = table.columns
    values = table.to_numpy(dtype=float, na_value=np.nan)
    gaps = ~np.isfinite(values).all(axis=0)
    if gaps.any():
        raise DataError(
            f"{what}: expected complete, finite columns; found gaps in {int(gaps.sum())} "
            f"({short_list(columns[gaps])}). Impute them, or leave these columns out."
        )
    dull = ~varying(values)
    if dull.any():
        raise DataError(
            f"{what}: expected columns that vary over the {len(values)} patients; found "
            f"{int(dull.sum())} that do not ({short_list(columns[dull])}). Leave them out."
        )
    return values


def varying(values: Floats) -> NDArray[np.bool_]:
    """Whether each column holds more than one value and its rounding.

    Examples
    --------
    >>> varying(np.array([[1.0, 1.0], [1.0, 2.0]]))
    array([False,  True])
    """
    if not len(values):
        return np.zeros(values.shape[1], dtype=bool)
    return np.asarray(np.ptp(values, axis=0) > _NO_SPREAD * np.abs(values).max(axis=0))


def covariates_beside(
    beside: pd.DataFrame | None, patients: pd.Index, *, method: Correlation
) -> Floats | None:
    """Covariates as ``covariate_columns`` makes them, or None where there are none.

    Examples
    --------
    >>> covariates_beside(None, pd.RangeIndex(3), method="spearman") is None
    True
    """
    if beside is None or beside.shape[1] == 0:
        return None
    return covariate_columns(beside, patients, method)
