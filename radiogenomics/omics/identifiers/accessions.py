"""Accessions: which kind of identifier a table uses, and Ensembl and Entrez ones made bare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from radiogenomics.core.errors import DataError, short_list

Kind = Literal["symbol", "ensembl", "entrez"]

_ENSEMBL = re.compile(r"(ENSG\d{11})(\.\d+)?(_PAR_Y)?")
_ENTREZ = re.compile(r"(\d+)(\.0+)?")
_WITH_ENTREZ = re.compile(r"(?P<symbol>[^|]+)\|(?P<entrez>\d+)")
_NO_GENES = (
    (
        "Ensembl transcripts",
        re.compile(r"ENST\d{11}(\.\d+)?"),
        "Add them up to genes.",
    ),
    ("Ensembl proteins", re.compile(r"ENSP\d{11}(\.\d+)?"), "Map them to genes."),
    (
        "Ensembl genes of another species",
        re.compile(r"ENS[A-Z]{3,4}G\d{11}(\.\d+)?"),
        "Map them to human genes.",
    ),
    ("Affymetrix probe sets", re.compile(r"\S+_at"), "Map them to genes."),
    ("Illumina probes", re.compile(r"ILMN_\d+"), "Map them to genes."),
    ("Agilent probes", re.compile(r"A_\d{2}_P\d+"), "Map them to genes."),
)


def bare_ensembl(name: str) -> str | None:
    """Ensembl gene identifier without version, or None when it is none.

    Copies on the Y chromosome keep their mark (``ENSG00000182378_PAR_Y``): they are rows of their
    own in the tables of GENCODE.

    Examples
    --------
    >>> bare_ensembl("ENSG00000182481.9")
    'ENSG00000182481'
    >>> bare_ensembl("ENSG00000182378.14_PAR_Y")
    'ENSG00000182378_PAR_Y'
    """
    found = _ENSEMBL.fullmatch(name)
    return None if found is None else found[1] + (found[3] or "")


def bare_entrez(name: str) -> str | None:
    """Entrez identifier without the decimals that reading as a number leaves, or None.

    Examples
    --------
    >>> bare_entrez("3838.0"), bare_entrez("KPNA2")
    ('3838', None)
    """
    found = _ENTREZ.fullmatch(name)
    return None if found is None else found[1].lstrip("0") or None


def symbol_and_entrez(name: str) -> tuple[str, str] | None:
    """Split ``KPNA2|3838``, as in older TCGA tables, or return None.

    Examples
    --------
    >>> symbol_and_entrez("KPNA2|3838")
    ('KPNA2', '3838')
    """
    found = _WITH_ENTREZ.fullmatch(name)
    return None if found is None else (found["symbol"], found["entrez"])


def identifier_kind(names: Iterable[str]) -> Kind:
    """Guess what most of the names are.

    Raises
    ------
    DataError
        Most are transcripts, proteins, probes or genes of another species, or there are no names.

    Examples
    --------
    >>> identifier_kind(["ENSG00000182481.9", "ENSG00000198952", "__no_feature"])
    'ensembl'
    >>> identifier_kind(["KPNA2", "SMG5"])
    'symbol'
    """
    given = list(names)
    if not given:
        raise DataError("expected names of genes; found none. Check the file and its orientation.")
    for what, pattern, do in _NO_GENES:
        found = [name for name in given if pattern.fullmatch(name)]
        if 2 * len(found) > len(given):
            raise DataError(
                f"expected symbols, Ensembl genes or Entrez identifiers; found {what} in "
                f"{len(found)} of {len(given)} names ({short_list(found, limit=3)}). {do}"
            )
    if 2 * sum(bare_ensembl(name) is not None for name in given) > len(given):
        return "ensembl"
    if 2 * sum(bare_entrez(name) is not None for name in given) > len(given):
        return "entrez"
    return "symbol"
