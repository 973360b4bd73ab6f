"""Names of genes as a file has them → approved symbols, with nothing resolved in silence."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    AlignmentError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.omics.identifiers.accessions import (
    Kind,
    bare_ensembl,
    bare_entrez,
    identifier_kind,
    symbol_and_entrez,
)
from radiogenomics.omics.identifiers.collapse import collapse_repeated
from radiogenomics.omics.identifiers.coverage import coverage
from radiogenomics.omics.identifiers.hgnc import UNKNOWN, GeneMatch, GeneNames, built_in_names
from radiogenomics.omics.identifiers.mangled import is_date, match_date

_KINDS = ("symbol", "ensembl", "entrez")
_UNKNOWN = ("keep", "drop")
_SEVERAL = "///"
# Which name of a gene is the better one; those not listed are accessions and exact.
_RANKS = MappingProxyType({"previous": 1, "date": 2, "alias": 3})


@dataclass(frozen=True, eq=False)
class RenamedGenes:
    """Expression under approved symbols, and what became of each name.

    Parameters
    ----------
    values
        Samples × genes. Names that are ambiguous, taken or unknown stay as they were given.
    genes
        One row a given name: ``given, symbol, status, others`` (see :func:`map_genes`).
    coverage
        How many names of each status there are (see :func:`coverage`).
    """

    values: pd.DataFrame
    genes: pd.DataFrame
    coverage: pd.DataFrame


def map_genes(
    names: Iterable[Any], *, known: GeneNames | None = None, kind: Kind | None = None
) -> pd.DataFrame:
    """Look up what each name stands for.

    Parameters
    ----------
    names
        Symbols, Ensembl genes (versions are cut), Entrez identifiers, or ``KPNA2|3838``.
    known
        The gene names; :func:`built_in_names` when not given.
    kind
        What the names are; guessed from most of them when not given. Among symbols, single Ensembl
        genes and dates are understood too.

    Returns
    -------
    DataFrame
        One row a name, in their order: ``given``; ``symbol``, approved, None where it is unknown,
        ambiguous or taken; ``status`` (``approved, previous, alias, ensembl, entrez, date,
        ambiguous, taken, unknown``); ``others``, genes it may also mean, between bars. A former
        symbol or alias is ``taken`` where a better name of its gene is in the file: in older
        tables the two are different rows, later made one gene.

    Raises
    ------
    AlignmentError
        A name is empty.
    DataError
        Most names are transcripts, proteins, probes or genes of another species.

    Examples
    --------
    >>> map_genes(["KPNA2", "UTP11L", "1-Mar", "ENSG00000198952.8"])[["symbol", "status"]]
      symbol     status
    0  KPNA2   approved
    1  UTP11   previous
    2   None  ambiguous
    3   SMG5    ensembl
    """
    given = _as_names(names)
    known = built_in_names() if known is None else known
    if kind is None:
        kind = identifier_kind(given)
    elif kind not in _KINDS:
        raise UnknownNameError("kind of gene identifier", str(kind), _KINDS)
    match = {"symbol": _by_symbol, "ensembl": _by_ensembl, "entrez": _by_entrez}[kind]
    matches = _best_names([match(name, known) for name in given])
    return pd.DataFrame(
        {
            "given": pd.Series(given, dtype=object),
            "symbol": pd.Series([found.symbol for found in matches], dtype=object),
            "status": pd.Series([found.status for found in matches], dtype=object),
            "others": pd.Series(["|".join(found.others) for found in matches], dtype=object),
        }
    )


def rename_genes(
    values: pd.DataFrame,
    *,
    known: GeneNames | None = None,
    kind: Kind | None = None,
    unknown: Literal["keep", "drop"] = "keep",
    repeated: Literal["error", "first", "mean"] = "error",
) -> RenamedGenes:
    """Give the columns of an expression table approved symbols, and report the coverage.

    Each sample is treated on its own, so one new patient is named as a cohort is. Dates among
    symbols raise a warning, whether they could be mended or not.

    Parameters
    ----------
    values
        Samples × genes.
    known, kind
        As of :func:`map_genes`.
    unknown
        What happens to columns without a symbol (ambiguous, taken, unknown): kept under their own
        name, or dropped.
    repeated
        What happens where several columns come to one symbol (see :func:`collapse_repeated`).

    Raises
    ------
    AlignmentError
        A name is empty; several columns come to one symbol and ``repeated`` is ``error``; or none
        is left.
    DataError
        Most names are transcripts, proteins, probes or genes of another species.

    Examples
    --------
    >>> values = pd.DataFrame([[4.0, 6.0]], columns=["UTP11L", "ENSG00000198952.8"], index=["P1"])
    >>> rename_genes(values).values
        UTP11  SMG5
    P1    4.0   6.0
    """
    if unknown not in _UNKNOWN:
        raise UnknownNameError("rule for unknown genes", str(unknown), _UNKNOWN)
    if kind is None:
        kind = identifier_kind(_as_names(values.columns))
    genes = map_genes(values.columns, known=known, kind=kind)
    _warn_of_dates(genes, serials=kind == "symbol")
    report = coverage(genes)
    resolved = genes["symbol"].notna().to_numpy()
    if unknown == "drop":
        given, values, genes = genes["given"], values.loc[:, resolved], genes[resolved]
        if not len(genes):
            raise AlignmentError(
                f"expected genes that are known; found none of {len(resolved)} names "
                f"({short_list(given, limit=3)}). Hand in the HGNC complete set, or check the "
                "identifiers."
            )
    columns = genes["symbol"].where(genes["symbol"].notna(), genes["given"])
    renamed = values.set_axis(pd.Index(columns.to_numpy(dtype=object)), axis=1)
    return RenamedGenes(collapse_repeated(renamed, repeated), genes.reset_index(drop=True), report)


def _as_names(names: Iterable[Any]) -> list[str]:
    given = ["" if name is None or name != name else str(name).strip() for name in names]
    empty = np.flatnonzero([name == "" for name in given])
    if len(empty):
        raise AlignmentError(
            f"expected a name for each gene; found {len(empty)} of {len(given)} empty (positions "
            f"{short_list(empty)}). Name them in the file or leave them out."
        )
    return given


def _best_names(matches: list[GeneMatch]) -> list[GeneMatch]:
    """Take the symbol from names of a gene that has a better one among the rest."""
    best: dict[str | None, int] = {}
    for found in matches:
        rank = _RANKS.get(found.status, 0)
        best[found.symbol] = min(rank, best.get(found.symbol, rank))
    return [
        GeneMatch("taken", None, (found.symbol, *found.others))
        if found.symbol is not None and _RANKS.get(found.status, 0) > best[found.symbol]
        else found
        for found in matches
    ]


def _by_symbol(name: str, known: GeneNames) -> GeneMatch:
    found = known.by_symbol(name)
    if found is not UNKNOWN:
        return found
    if is_date(name, serials=True):
        return match_date(name, known, serials=True)
    if (pair := symbol_and_entrez(name)) is not None:
        found = known.by_symbol(pair[0])
        exact = known.by_entrez(pair[1])
        return found if exact is UNKNOWN else exact
    if _SEVERAL in name:
        matches = [known.by_symbol(part.strip()) for part in name.split(_SEVERAL)]
        return GeneMatch("ambiguous", None, tuple(m.symbol for m in matches if m.symbol))
    return _by_ensembl(name, known)


def _by_ensembl(name: str, known: GeneNames) -> GeneMatch:
    bare = bare_ensembl(name)
    return UNKNOWN if bare is None else known.by_ensembl(bare.removesuffix("_PAR_Y"))


def _by_entrez(name: str, known: GeneNames) -> GeneMatch:
    bare = bare_entrez(name)
    return UNKNOWN if bare is None else known.by_entrez(bare)


def _warn_of_dates(genes: pd.DataFrame, *, serials: bool) -> None:
    dates = genes[[is_date(name, serials=serials) for name in genes["given"]]]
    lost = dates[dates["symbol"].isna()]
    if len(dates):
        warnings.warn(
            f"expected symbols of genes; found {len(dates)} dates ({short_list(dates['given'])}), "
            f"made by a spreadsheet: {len(dates) - len(lost)} mended, {len(lost)} that may be "
            f"several genes or none ({short_list(lost['given']) or 'none'}). Fetch the original "
            "file.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
