"""Expression frames at the border: what they must be, and their values as an array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import AlignmentError, DataError, short_list
from radiogenomics.core.row_facts import refuse_row_facts

Floats = NDArray[np.float64]


def checked_frame(X: Any) -> pd.DataFrame:
    """Return a frame of samples × genes in which each gene stands once.

    Raises
    ------
    DataError
        It is no frame, or an empty one.
    AlignmentError
        A gene stands in several columns.
    SchemaError
        A row fact such as ``@site`` is left over.
    """
    if not isinstance(X, pd.DataFrame):
        raise DataError(
            "expected expression as a frame of samples × genes with symbols as columns; found "
            f"{type(X).__name__}. Make a pandas DataFrame of it."
        )
    refuse_row_facts(X)
    if X.empty:
        raise DataError(
            f"expected samples and genes; found {X.shape[0]} × {X.shape[1]} (0 sample(s) or 0 "
            "feature(s)). Check the table."
        )
    if not X.columns.is_unique:
        repeated = X.columns[X.columns.duplicated()].unique()
        raise AlignmentError(
            f"expected one column a gene; found {len(repeated)} in several "
            f"({short_list(repeated)}). Choose one or aggregate them."
        )
    return X


def finite_values(frame: pd.DataFrame, genes: pd.Index, *, what: str) -> Floats:
    """Return the values of some genes, samples in rows that are contiguous in memory.

    Raises
    ------
    DataError
        A value is text, missing or infinite.
    """
    chosen = frame if frame.columns.equals(genes) else frame[genes]
    try:
        values = np.ascontiguousarray(chosen.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError):
        text = [name for name, kind in chosen.dtypes.items() if not _numeric(kind)]
        raise DataError(
            f"{what}: expected numbers; found other things in {len(text)} genes "
            f"({short_list(text)}). Convert or drop them."
        ) from None
    bad = ~np.isfinite(values)
    if bad.any():
        rows, columns = np.flatnonzero(bad.any(axis=1)), np.flatnonzero(bad.any(axis=0))
        raise DataError(
            f"{what}: expected all genes measured in all samples; found {int(bad.sum()):,} missing "
            f"(NaN) or infinite (inf) values in samples {short_list(frame.index[rows], limit=3)}, "
            f"genes {short_list(genes[columns], limit=3)}. Impute them on training samples, or "
            "leave the genes out."
        )
    return values


def constant_columns(values: Floats) -> NDArray[np.bool_]:
    """Columns that do not vary, up to what rounding adds."""
    spread = values.max(axis=0) - values.min(axis=0)
    return spread <= 1e-12 * np.abs(values).max(axis=0)


def refuse_flat(values: Floats, samples: pd.Index, *, what: str) -> None:
    """Raise DataError where a sample has the same value for all genes: there is no ranking."""
    flat = values.max(axis=1) == values.min(axis=1)
    if flat.any():
        raise DataError(
            f"{what}: expected genes that differ within a sample; found "
            f"{int(flat.sum())} of {len(values)} samples with one value for all n_features="
            f"{values.shape[1]} ({short_list(samples[flat])}). Leave these samples out."
        )


def orientation_hint(wanted: pd.Index, frame: pd.DataFrame) -> str:
    """A sentence for the message, where what was looked for stands somewhere else."""
    if wanted.isin(frame.index).any():
        return " They stand in the rows: transpose the table."
    if str(frame.columns[0]).startswith("ENSG"):
        return " The columns are Ensembl identifiers: map them to symbols first."
    return ""


def _numeric(kind: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind))
