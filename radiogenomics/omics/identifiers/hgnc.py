"""Gene names: which approved symbol a symbol, former symbol, alias or accession stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from radiogenomics.core.errors import AlignmentError, SchemaError, short_list
from radiogenomics.omics.identifiers.builtin import COLUMNS, LINES

Owners = Mapping[str, tuple[str, ...]]

_BAR = "|"


class GeneMatch(NamedTuple):
    """What a name stands for.

    Parameters
    ----------
    status
        ``approved``, ``previous``, ``alias``, ``ensembl``, ``entrez``, ``date``, ``ambiguous`` or
        ``unknown``.
    symbol
        The approved symbol; None where it is ambiguous or unknown.
    others
        Of an ambiguous name all the genes that it may mean; of any other those that have it as a
        lesser name (the alias of one gene may be the former symbol of another).
    """

    status: str
    symbol: str | None
    others: tuple[str, ...] = ()


UNKNOWN = GeneMatch("unknown", None)


@dataclass(frozen=True, eq=False, repr=False)
class GeneNames:
    """Approved symbols with their former symbols, aliases, Ensembl and Entrez identifiers.

    A name is looked up among approved symbols, then former ones, then aliases; the first of these
    that knows it decides. If it belongs to several genes there, it stays ambiguous: nothing is
    guessed. Small and capital letters count, but a name in all small or all capital letters is also
    found without them (``C1ORF43``); ``Kpna2``, which is how mouse genes are written, is not.

    Parameters
    ----------
    table
        One row a gene, with the columns ``symbol``, ``prev_symbol``, ``alias_symbol``,
        ``ensembl_gene_id`` and ``entrez_id`` as text, several names between bars: the columns of
        the HGNC complete set, as :func:`radiogenomics.io.read_hgnc` reads it.
    source
        Where the table comes from.

    Raises
    ------
    SchemaError
        A column is missing.
    AlignmentError
        A symbol is empty or occurs twice.

    Examples
    --------
    >>> names = built_in_names()
    >>> names.by_symbol("PDL1")
    GeneMatch(status='alias', symbol='CD274', others=())
    >>> names.by_ensembl("ENSG00000182481").symbol
    'KPNA2'
    """

    table: pd.DataFrame
    source: str

    def __post_init__(self) -> None:
        """Refuse a table without the needed columns or with repeated symbols."""
        absent = [column for column in COLUMNS if column not in self.table]
        if absent:
            raise SchemaError(
                f"gene names of {self.source}: expected the columns {', '.join(COLUMNS)}; found no "
                f"{short_list(absent)}. Take the HGNC complete set as it is (tab-separated text)."
            )
        symbols = self.table["symbol"]
        empty = int((symbols.isna() | symbols.eq("")).sum())
        doubled = symbols[symbols.duplicated()]
        if empty or len(doubled):
            raise AlignmentError(
                f"gene names of {self.source}: expected each symbol once; found {empty} empty and "
                f"{len(doubled)} repeated ({short_list(doubled)}). Fetch the table again."
            )

    def __repr__(self) -> str:
        """Return the number of genes and the source."""
        return f"GeneNames({len(self.table)} genes of {self.source})"

    def by_symbol(self, name: str) -> GeneMatch:
        """Gene of a symbol, former symbol or alias."""
        found = _first(name, self._symbols)
        if found is UNKNOWN and (name.isupper() or name.islower()):
            return _first(name.upper(), self._capitals)
        return found

    def by_ensembl(self, name: str) -> GeneMatch:
        """Gene of an Ensembl gene identifier without version."""
        return _only(self._ensembl.get(name, ()), "ensembl")

    def by_entrez(self, name: str) -> GeneMatch:
        """Gene of an Entrez (NCBI Gene) identifier."""
        return _only(self._entrez.get(name, ()), "entrez")

    def knows(self, name: str) -> bool:
        """Whether a name of any kind stands for one gene or for several of them."""
        return name in self._ensembl or self.by_symbol(name) is not UNKNOWN

    @cached_property
    def _symbols(self) -> Mapping[str, Owners]:
        return MappingProxyType(
            {
                status: _owners(self.table["symbol"], self.table[column])
                for status, column in (
                    ("approved", "symbol"),
                    ("previous", "prev_symbol"),
                    ("alias", "alias_symbol"),
                )
            }
        )

    @cached_property
    def _capitals(self) -> Mapping[str, Owners]:
        folded = {}
        for status, owners in self._symbols.items():
            merged: dict[str, tuple[str, ...]] = {}
            for name, symbols in owners.items():
                known = merged.get(name.upper(), ())
                merged[name.upper()] = tuple(dict.fromkeys(known + symbols))
            folded[status] = merged
        return MappingProxyType(folded)

    @cached_property
    def _ensembl(self) -> Owners:
        return _owners(self.table["symbol"], self.table["ensembl_gene_id"])

    @cached_property
    def _entrez(self) -> Owners:
        return _owners(self.table["symbol"], self.table["entrez_id"])


def built_in_names() -> GeneNames:
    """Names of the genes of shipped signatures, of sex, and of those that become dates.

    Enough to score the shipped signatures without a file. A name that is not among them is
    ``unknown``, which does not say that no gene has it.

    Examples
    --------
    >>> built_in_names().by_symbol("UTP11L")
    GeneMatch(status='previous', symbol='UTP11', others=())
    """
    rows = [line.split(";") for line in LINES.splitlines()]
    return GeneNames(pd.DataFrame(rows, columns=list(COLUMNS)), "the built-in table")


def _owners(symbols: Iterable[str], cells: Iterable[str | float | None]) -> Owners:
    """Name → symbols of the genes that have it; ``cells`` hold names between bars."""
    found: dict[str, tuple[str, ...]] = {}
    for symbol, cell in zip(symbols, cells, strict=True):
        if not isinstance(cell, str) or not cell:
            continue
        for name in dict.fromkeys(part.strip() for part in cell.split(_BAR)):
            if name:
                found[name] = (*found.get(name, ()), symbol)
    return found


def _first(name: str, tables: Mapping[str, Owners]) -> GeneMatch:
    """Match in the first table that knows the name; later ones only say who else has it."""
    match = UNKNOWN
    others: list[str] = []
    for status, owners in tables.items():
        symbols = owners.get(name, ())
        if symbols and match is UNKNOWN:
            match = _only(symbols, status)
        others.extend(symbols)
    if match is UNKNOWN:
        return match
    return match._replace(others=tuple(s for s in dict.fromkeys(others) if s != match.symbol))


def _only(symbols: tuple[str, ...], status: str) -> GeneMatch:
    if not symbols:
        return UNKNOWN
    if len(symbols) > 1:
        return GeneMatch("ambiguous", None, symbols)
    return GeneMatch(status, symbols[0])
