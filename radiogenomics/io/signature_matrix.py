"""A matrix of genes × cell types in the format of LM22."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError, short_list
from radiogenomics.io.expression_table import read_expression_table


def read_signature_matrix(path: str | Path) -> pd.DataFrame:
    """Read expression profiles of cell types for deconvolution.

    Tab-separated text (``.txt, .tsv``), csv, parquet or Excel, text also packed (``.gz``): the
    first column holds gene symbols, each other one a cell type. LM22 itself is not shipped, as its
    licence forbids it.

    Parameters
    ----------
    path
        File.

    Returns
    -------
    DataFrame
        Genes × cell types, linear expression of 0 or more.

    Raises
    ------
    MissingFileError
        There is no such file.
    DataError
        It cannot be read, a value is missing, negative or no number.
    SchemaError
        There are fewer than two cell types, as when cells are parted otherwise.
    AlignmentError
        A symbol is empty, or a gene or cell type stands twice.
    """
    path = Path(path)
    try:
        matrix = read_expression_table(path)
    except AlignmentError as error:
        raise AlignmentError(f"signature matrix: {error}") from None
    if matrix.shape[1] < 2:
        raise SchemaError(
            f"{path.name}: expected symbols and two or more cell types; found {matrix.shape[1]} "
            f"({short_list(matrix.columns)}). Check that tabs part the cells."
        )
    matrix.index = matrix.index.str.strip()
    matrix.columns = matrix.columns.str.strip()
    for names, what in ((matrix.index, "gene"), (matrix.columns, "cell type")):
        if not names.is_unique:
            raise AlignmentError(
                f"{path.name}: expected each {what} once; found repeated "
                f"{short_list(names[names.duplicated()].unique())}. Keep one of each."
            )
    bad = matrix.isna() | matrix.lt(0)
    if bad.any(axis=None):
        raise DataError(
            f"{path.name}: expected linear expression of 0 or more in every cell; found "
            f"{int(bad.to_numpy().sum())} missing or negative, in genes "
            f"{short_list(matrix.index[bad.any(axis=1)])}. Fill or drop the genes; take the "
            "anti-log of logarithms."
        )
    return matrix.rename_axis(index="gene", columns="cell_type")
