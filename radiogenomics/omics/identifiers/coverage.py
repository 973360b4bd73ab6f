"""How many names of a table became approved symbols, and how."""

from __future__ import annotations

import pandas as pd

from radiogenomics.core.errors import SchemaError, short_list

STATUSES = (
    "approved",
    "previous",
    "alias",
    "ensembl",
    "entrez",
    "date",
    "ambiguous",
    "taken",
    "unknown",
)
"""What can become of a name."""


def coverage(genes: pd.DataFrame) -> pd.DataFrame:
    """Count the names of each status, and those that share their symbol with another name.

    Parameters
    ----------
    genes
        What :func:`map_genes` returned.

    Returns
    -------
    DataFrame
        One row a status, then ``renamed`` (the symbol is another than the name), ``repeated`` (a
        further name for a symbol that an earlier one already came to) and ``contested`` (resolved,
        though it is a lesser name of another gene too). Columns: ``status``; ``n``; ``share`` of
        all names, 0 to 1; ``examples``.

    Raises
    ------
    SchemaError
        A column is missing.

    Examples
    --------
    >>> from radiogenomics.omics.identifiers.mapping import map_genes
    >>> report = coverage(map_genes(["KPNA2", "IGJ", "UTP11", "UTP11L", "LOC1"]))
    >>> report[report["n"] > 0].set_index("status")["n"].to_dict()
    {'approved': 2, 'previous': 1, 'taken': 1, 'unknown': 1, 'renamed': 1}
    """
    absent = [name for name in ("given", "symbol", "status", "others") if name not in genes]
    if absent:
        raise SchemaError(
            f"expected the table that map_genes returns; found no column {short_list(absent)}. "
            "Pass it unchanged."
        )
    resolved = genes["symbol"].notna()
    final = genes["symbol"].where(resolved, genes["given"])
    rows = {status: genes["status"].eq(status) for status in STATUSES}
    rows["renamed"] = resolved & genes["symbol"].ne(genes["given"])
    rows["repeated"] = final.duplicated()
    rows["contested"] = resolved & genes["others"].ne("")
    return pd.DataFrame(
        {
            "status": list(rows),
            "n": [int(chosen.sum()) for chosen in rows.values()],
            "share": [float(chosen.mean()) if len(genes) else 0.0 for chosen in rows.values()],
            "examples": [short_list(genes["given"][chosen]) for chosen in rows.values()],
        }
    )
