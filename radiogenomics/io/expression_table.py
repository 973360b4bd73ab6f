"""A single expression file without a manifest: samples × genes, or genes × samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from radiogenomics.core.errors import AlignmentError, DataError, short_list
from radiogenomics.io.identifiers import as_text
from radiogenomics.io.layout import Layout, Part
from radiogenomics.io.tables import read_table


def read_expression_table(path: str | Path, *, genes_in_rows: bool = False) -> pd.DataFrame:
    """Read csv, tsv, parquet or Excel with names in the first column and in the first row.

    Parameters
    ----------
    path
        File.
    genes_in_rows
        Rows are genes and columns samples; the other way about if not said.

    Returns
    -------
    DataFrame
        Samples × genes, numbers; NaN where a cell is empty.

    Raises
    ------
    MissingFileError
        There is no such file.
    DataError
        The file is broken, or a cell is neither number nor empty.
    AlignmentError
        A name is empty, or a sample repeats.
    """
    path = Path(path)
    frame = read_table(Part(name="", file=path.name), Layout(), path.parent, text_column=0)
    names = as_text(frame.iloc[:, 0])
    if names.isna().any():
        raise AlignmentError(
            f"{path.name}: expected a name in the first column of each row; found "
            f"{int(names.isna().sum())} of {len(names)} rows without. Put the names of "
            f"{'genes' if genes_in_rows else 'samples'} there."
        )
    body = frame.iloc[:, 1:]
    if body.shape[1] == 0:
        raise DataError(
            f"{path.name}: expected names and at least one column of numbers; found one column. "
            "Check the separator."
        )
    values = body.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    strange = np.isnan(values) & body.notna().to_numpy()
    if strange.any():
        row, column = np.argwhere(strange)[0]
        raise DataError(
            f"{path.name}: expected numbers; found {int(strange.sum())} cells of text (the first: "
            f"{str(body.iat[row, column])[:20]!r} in column {str(body.columns[column])!r}). Leave "
            "missing cells empty, and drop columns that hold no expression."
        )
    table = pd.DataFrame(values, index=pd.Index(names.to_list()), columns=body.columns.astype(str))
    table = table.T if genes_in_rows else table
    if table.index.has_duplicates:
        raise AlignmentError(
            f"{path.name}: expected each sample once; found repeated "
            f"{short_list(table.index[table.index.duplicated()].unique())}. Average or rename them."
        )
    return table
