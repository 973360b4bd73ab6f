"""A network of sources and target genes from a file: CollecTRI, DoRothEA, PROGENy and the like."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pandas as pd

from radiogenomics.core.errors import SchemaError, short_list
from radiogenomics.io.identifiers import as_text
from radiogenomics.io.layout import Layout, Part
from radiogenomics.io.tables import read_table, to_number

_SYNONYMS = MappingProxyType(
    {
        "source": ("source", "tf", "regulator", "pathway", "kinase", "term"),
        "target": ("target", "gene", "gene_symbol", "genesymbol", "symbol"),
        "weight": ("weight", "mor", "mode_of_regulation"),
    }
)
"""Column → what it is called in files, the first one found is taken; case does not matter."""


def read_network(path: str | Path) -> pd.DataFrame:
    """Read the edges of a network; nothing is fetched.

    Parameters
    ----------
    path
        csv, tsv, parquet or Excel, text also packed (``.gz``): a row an edge, with the columns
        ``source`` (or tf, regulator, pathway, ...), ``target`` (or gene, symbol, ...) and
        ``weight`` (or mor); other columns are left out.

    Returns
    -------
    DataFrame
        ``source, target, weight`` in file order. Repeated edges are kept, and refused where the
        network is used.

    Raises
    ------
    MissingFileError, DataError
        There is no such file, or it cannot be read.
    SchemaError
        A column is not there, a name is empty, or a weight is no number.
    """
    path = Path(path)
    frame = read_table(Part(name=path.stem, file=path.name), Layout(), path.parent)
    taken = {role: _column(frame, role, path.name) for role in _SYNONYMS}
    edges = pd.DataFrame({role: as_text(frame[taken[role]]) for role in ("source", "target")})
    empty = edges.isna().any(axis=1)
    if empty.any():
        raise SchemaError(
            f"{path.name}: expected a {taken['source']} and a {taken['target']} in each row; found "
            f"{int(empty.sum())} of {len(edges)} rows without. Fill them in or drop the rows."
        )
    edges["weight"], text = to_number(frame[taken["weight"]])
    odd = text | edges["weight"].isna()
    if odd.any():
        words = short_list(pd.unique(as_text(frame.loc[odd, taken["weight"]])))
        raise SchemaError(
            f"{path.name}: expected numbers as {taken['weight']}; found {int(odd.sum())} others "
            f"({words}). Write 1 for activation and -1 for repression."
        )
    return edges


def _column(frame: pd.DataFrame, role: str, file: str) -> str:
    """Name in the file of a column, by its first synonym that is there."""
    there = {str(name).strip().casefold(): str(name) for name in frame.columns}
    for word in _SYNONYMS[role]:
        if word in there:
            return there[word]
    advice = (
        " Add one of 1 where targets are only listed."
        if role == "weight"
        else " Rename the column."
    )
    raise SchemaError(
        f"{file}: expected a column {role} (or {', '.join(_SYNONYMS[role][1:])}); found "
        f"{short_list(frame.columns, limit=8)}.{advice}"
    )
