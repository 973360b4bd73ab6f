"""Tables in which the site and covariates of patients travel beside their features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.core.row_facts import MARK, refuse_row_facts


class SiteTable(NamedTuple):
    """A table taken apart.

    Attributes
    ----------
    site : Series
        Site of each patient, none missing.
    covariates : tuple of Series
        In the order asked for.
    features : DataFrame
        What is left.
    positions : ndarray of int
        Where the features stood.
    """

    site: pd.Series[Any]
    covariates: tuple[pd.Series[Any], ...]
    features: pd.DataFrame
    positions: np.ndarray


def as_table(X: Any) -> pd.DataFrame:
    """Return a DataFrame as it is, and an array, which may hold text, as one without names."""
    if isinstance(X, pd.DataFrame):
        return X
    return pd.DataFrame(check_array(X, dtype=None, ensure_all_finite=False))


def take_apart(table: pd.DataFrame, columns: Sequence[str | int]) -> SiteTable:
    """Split off the site, which comes first in ``columns``, and the covariates.

    Raises
    ------
    SchemaError
        A column is absent or doubled, or another row fact is left over.
    DataError
        A patient has no site.
    """
    eaten = [_position(table, column) for column in columns]
    positions = np.setdiff1d(np.arange(table.shape[1]), eaten)
    features = table.iloc[:, positions]
    refuse_row_facts(features)
    site, *covariates = (table.iloc[:, position] for position in eaten)
    missing = site.isna().to_numpy()
    if missing.any():
        raise DataError(
            f"expected a site for every patient; found {int(missing.sum())} of {len(site)} "
            f"without (first at row {int(np.flatnonzero(missing)[0])}). Fill in the site, or leave "
            "these patients out."
        )
    return SiteTable(site, tuple(covariates), features, positions)


def check_columns(columns: Sequence[str | int]) -> None:
    """Raise DataError unless columns differ and those named by text carry the mark of row facts."""
    for name in columns:
        if isinstance(name, str) and not name.startswith(MARK):
            raise DataError(
                f"expected site and covariates as columns marked with {MARK}; found {name!r}. "
                f"Add it as {MARK}{name}, so that a feature is never dropped by mistake."
            )
    if len(set(columns)) < len(columns):
        raise DataError(
            f"expected each column once as site or covariate; found {list(columns)}. "
            "Drop the repeated one."
        )


def _position(table: pd.DataFrame, column: str | int) -> int:
    """Where a column named by text or by number stands."""
    if isinstance(column, str):
        found = np.flatnonzero(table.columns == column)
        if len(found) != 1:
            raise SchemaError(
                f"expected one column {column} in X; found {len(found)} among {table.shape[1]} "
                "columns. Add it to the table of features, or give the position of the site "
                "column when X is an array without names."
            )
        return int(found[0])
    if not 0 <= column < table.shape[1]:
        raise SchemaError(
            f"expected the position of a column from 0 to {table.shape[1] - 1}; found {column}. "
            "Count the columns of X from 0."
        )
    return int(column)
