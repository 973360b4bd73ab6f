"""Do the rows of an expression table hold samples, as declared, or genes?"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.omics.identifiers.accessions import bare_ensembl
from radiogenomics.omics.identifiers.hgnc import GeneNames, built_in_names

_SAMPLE = re.compile(r"TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}.*|GSM\d{3,}|[SED]RR\d{5,}|C3[LN]-\d{5}.*")
_FEW = 3


def check_orientation(
    values: pd.DataFrame, *, known: GeneNames | None = None, what: str = "expression"
) -> None:
    """Refuse a table whose rows are genes where samples were declared.

    Genes are told by Ensembl identifiers and by symbols that are known, samples by barcodes of
    TCGA and CPTAC and accessions of GEO and SRA. A table with neither passes.

    Parameters
    ----------
    values
        Samples × genes, as declared.
    known
        The gene names; those built in when not given, among them the genes of the shipped
        signatures.
    what
        Name of the table for the message.

    Raises
    ------
    DataError
        More rows than columns are named like genes, or the columns are named like samples.

    Examples
    --------
    >>> table = pd.DataFrame({"P1": [1.0, 2.0, 3.0]}, index=["KPNA2", "SMG5", "CD8A"])
    >>> check_orientation(table.T)
    >>> check_orientation(table)
    Traceback (most recent call last):
    radiogenomics.core.errors.DataError: expression: expected samples as rows and genes as columns;
    found genes as rows (KPNA2, SMG5, CD8A). Say orientation: genes_by_samples, or transpose the
    table.
    """
    known = built_in_names() if known is None else known
    rows, columns = [[str(name) for name in axis] for axis in (values.index, values.columns)]
    genes = _genes(rows, known)
    if len(genes) > len(_genes(columns, known)) and (
        len(genes) >= _FEW or 2 * len(genes) > len(rows)
    ):
        _refuse(f"genes as rows ({short_list(genes, limit=3)})", what)
    samples = [name for name in columns if _SAMPLE.fullmatch(name)]
    if columns and 2 * len(samples) > len(columns):
        _refuse(f"samples as columns ({short_list(samples, limit=3)})", what)


def _genes(names: Iterable[str], known: GeneNames) -> list[str]:
    return [name for name in names if bare_ensembl(name) is not None or known.knows(name)]


def _refuse(found: str, what: str) -> None:
    raise DataError(
        f"{what}: expected samples as rows and genes as columns; found {found}. Say orientation: "
        "genes_by_samples, or transpose the table."
    )
