"""Units of expression and the logarithmic scale that scores and tests are made on."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.feature_table import FeatureTable

WHOLE_LIBRARY = 10_000
OFFSET_LOG = "log2(x+offset)"  # some offset below 1, so that values may be negative
LOG2_UNITS = MappingProxyType(
    {
        "counts": "log2(CPM+1)",
        "TPM": "log2(TPM+1)",
        "FPKM": "log2(FPKM+1)",
        "log2(CPM+1)": "log2(CPM+1)",
        "log2(TPM+1)": "log2(TPM+1)",
        "log2(FPKM+1)": "log2(FPKM+1)",
        "log2(x+1)": "log2(x+1)",
        OFFSET_LOG: OFFSET_LOG,
        "log intensity": "log intensity",
        "z-score": "z-score",
    }
)
"""Unit of expression → unit after :func:`to_log2`."""


def to_log2(
    values: pd.DataFrame, unit: str, *, library_size: pd.Series[float] | None = None
) -> pd.DataFrame:
    """Bring expression to a logarithmic scale, each sample on its own.

    Counts become log2(CPM + 1) with CPM = 10⁶ · count / library size; TPM and FPKM become
    log2(x + 1); what is logarithmic or standardised already stays as it is. Misleads when counts
    were cut to a few genes before: the sum over those genes is then not the library size, so hand
    in the true one. CPM does not correct for composition.

    Parameters
    ----------
    values
        Samples × genes.
    unit
        One of :data:`LOG2_UNITS`.
    library_size
        Reads of each sample, for counts; the sum over the columns of ``values`` when not given.

    Returns
    -------
    DataFrame
        Samples × genes in the unit ``LOG2_UNITS[unit]``.

    Raises
    ------
    UnknownNameError
        The unit is not one of expression.
    DataError
        Counts, TPM or FPKM are negative, or a sample has no reads.
    AlignmentError
        ``library_size`` lacks a sample.

    Examples
    --------
    >>> counts = pd.DataFrame({"KPNA2": [3.0], "SMG5": [1.0]}, index=["P1"])
    >>> to_log2(counts, "counts", library_size=pd.Series({"P1": 1e6})).round(3).to_numpy().tolist()
    [[2.0, 1.0]]
    """
    if unit not in LOG2_UNITS:
        raise UnknownNameError("unit of expression", unit, LOG2_UNITS)
    if LOG2_UNITS[unit] == unit:
        return values
    negative = values.lt(0).any(axis=None)
    if negative:
        raise DataError(
            f"expected {unit} of at least 0; found values down to {values.min(axis=None):.3g}. "
            "The table is probably logarithmic or standardised already: correct its unit."
        )
    if unit == "counts":
        values = values.mul(1e6 / _library_size(values, library_size), axis=0)
    return np.log2(values + 1)


def require_whole_library(values: pd.DataFrame, unit: str, *, what: str) -> None:
    """Refuse counts of a few genes without library sizes: their sum is no library.

    Raises
    ------
    DataError
        There are counts of fewer than 10,000 genes, or a count is missing.

    Examples
    --------
    >>> require_whole_library(pd.DataFrame({"KPNA2": [3.1]}), "TPM", what="rna")
    """
    if unit != "counts":
        return
    if values.shape[1] < WHOLE_LIBRARY or values.isna().any(axis=None):
        raise DataError(
            f"{what}: expected counts of a whole library, {WHOLE_LIBRARY:,} genes or more and none "
            f"missing, as reads are divided by their sum; found {values.shape[1]:,} genes, "
            f"{int(values.isna().sum().sum())} counts missing. Give library sizes, all genes, or "
            "another unit."
        )


def unit_of(table: FeatureTable) -> str:
    """Return the one unit of a table.

    Raises
    ------
    SchemaError
        The variables have several units.

    Examples
    --------
    >>> frame = pd.DataFrame({"KPNA2": [3.0]}, index=["P1"])
    >>> unit_of(FeatureTable.from_frame(frame, name="rna", unit="TPM", source="example"))
    'TPM'
    """
    units = pd.unique(table.adata.var["unit"].astype(str))
    if len(units) != 1:
        raise SchemaError(
            f"{table.name}: expected variables of one unit; found {len(units)} "
            f"({short_list(units)}). Split the table by unit."
        )
    return str(units[0])


def _library_size(values: pd.DataFrame, given: pd.Series[float] | None) -> pd.Series[float]:
    if given is None:
        size = values.sum(axis=1)
    else:
        absent = values.index.difference(given.index)
        if len(absent):
            raise AlignmentError(
                f"expected a library size of every sample; found none of {len(absent)} "
                f"({short_list(absent)}). Add them or leave library_size out."
            )
        size = given.loc[values.index].astype(float)
    empty = ~(size > 0)
    if empty.any():
        raise DataError(
            f"expected reads in every sample; found {int(empty.sum())} without "
            f"({short_list(size.index[empty])}). Drop these samples."
        )
    return size
