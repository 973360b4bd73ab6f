"""The complete set of gene names of the HUGO Gene Nomenclature Committee, from the data root."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pandas as pd

from radiogenomics.core.errors import DataError, MissingFileError, SchemaError, short_list

HGNC_ADDRESS = (
    "https://storage.googleapis.com/public-download-files/hgnc/tsv/tsv/hgnc_complete_set.txt"
)
"""Where the complete set is published; dated ones: https://www.genenames.org/download/archive."""

COLUMNS = (
    "hgnc_id",
    "symbol",
    "name",
    "locus_group",
    "location",
    "prev_symbol",
    "alias_symbol",
    "entrez_id",
    "ensembl_gene_id",
)
"""Columns that are read."""


def read_hgnc(path: str | Path) -> pd.DataFrame:
    """Read the HGNC complete set: approved symbols, former ones, aliases and accessions.

    The file is not shipped and never fetched: download it from :data:`HGNC_ADDRESS` into the data
    root, and note its date, as symbols change from month to month. Plain text or gzip.

    Parameters
    ----------
    path
        ``hgnc_complete_set.txt``, tab-separated text as published.

    Returns
    -------
    DataFrame
        One row an approved gene, the columns of :data:`COLUMNS` as text, empty where there is
        nothing, several names between bars. ``GeneNames(table, source)`` of
        ``radiogenomics.omics.identifiers`` takes it.

    Raises
    ------
    MissingFileError
        There is no such file.
    SchemaError
        A column is missing: it is another table.
    DataError
        It cannot be read as text, or holds no approved gene.

    Examples
    --------
    >>> read_hgnc("hgnc_complete_set.txt")  # doctest: +SKIP
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(
            f"expected the HGNC complete set at {path}; found none. Download it from "
            f"{HGNC_ADDRESS}."
        )
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, encoding="utf-8")
    except (EOFError, UnicodeError, ValueError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path.name}: expected the HGNC complete set as tab-separated text; found something "
            f"else ({type(error).__name__}). Download it again from {HGNC_ADDRESS}."
        ) from None
    absent = [name for name in COLUMNS if name not in table]
    if absent:
        raise SchemaError(
            f"{path.name}: expected the columns of the HGNC complete set; found no "
            f"{short_list(absent)}. Take the file as published at {HGNC_ADDRESS}, not a custom "
            "download."
        )
    if "status" in table:
        table = table[table["status"].eq("Approved")]
    if table.empty:
        raise DataError(
            f"{path.name}: expected approved genes; found none. Download it again from "
            f"{HGNC_ADDRESS}."
        )
    return table[list(COLUMNS)].reset_index(drop=True)
