"""GeneSet: genes that are read together, and where the list comes from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from radiogenomics.core.errors import SchemaError, UnknownNameError, short_list
from radiogenomics.core.html import card

UP, DOWN = "up", "down"


@dataclass(frozen=True)
class GeneSet:
    """A named list of genes, with a weight and a direction each where they have them.

    A set says which genes belong together, not how they are scored; a :class:`Signature` has the
    constants that score one patient.

    Parameters
    ----------
    name
        What the genes stand for.
    genes
        HGNC symbols, each once.
    weights
        One number a gene, in the order of ``genes``; None where the list has none.
    directions
        One of ``"up"`` (high where the named thing is high) and ``"down"`` a gene; None where the
        list says nothing, and then all count as up.
    source
        Citation with DOI, or the file it was read from.

    Raises
    ------
    SchemaError
        There is no name or no gene, a gene repeats or is blank, or weights or directions are not
        one a gene, or a weight is not finite.
    UnknownNameError
        A direction is neither of the two.

    Examples
    --------
    >>> emt = GeneSet("EMT", ("VIM", "FN1", "CDH1"), directions=("up", "up", "down"))
    >>> emt.up, emt.down, len(emt), "VIM" in emt
    (('VIM', 'FN1'), ('CDH1',), 3, True)
    """

    name: str
    genes: tuple[str, ...]
    weights: tuple[float, ...] | None = None
    directions: tuple[str, ...] | None = None
    source: str = "not stated"

    def __post_init__(self) -> None:
        """Check the lists and keep them as tuples."""
        if not isinstance(self.name, str) or not self.name.strip():
            raise SchemaError(
                f"gene set: expected a name; found {self.name!r}. Say what the genes stand for."
            )
        object.__setattr__(self, "genes", self._distinct())
        if self.weights is not None:
            object.__setattr__(self, "weights", self._finite(tuple(self.weights)))
        if self.directions is not None:
            directions = self._one_a_gene(tuple(self.directions), "directions")
            for direction in directions:
                if direction not in (UP, DOWN):
                    raise UnknownNameError("direction of a gene", str(direction), (UP, DOWN))
            object.__setattr__(self, "directions", directions)

    def _distinct(self) -> tuple[str, ...]:
        genes = () if isinstance(self.genes, str) else tuple(self.genes)
        if not genes:
            raise SchemaError(
                f"gene set {self.name}: expected a list of gene symbols; found {self.genes!r}. "
                "List at least one."
            )
        odd = [g for g in genes if not isinstance(g, str) or not g or g != g.strip()]
        if odd:
            raise SchemaError(
                f"gene set {self.name}: expected symbols without blanks around them; found "
                f"{short_list(map(repr, odd))}. Correct the list."
            )
        repeated = [gene for gene, count in Counter(genes).items() if count > 1]
        if repeated:
            raise SchemaError(
                f"gene set {self.name}: expected each gene once; found {short_list(repeated)} "
                "several times. List each once."
            )
        return tuple(map(str, genes))

    def _finite(self, weights: tuple[float, ...]) -> tuple[float, ...]:
        self._one_a_gene(weights, "weights")
        try:
            numbers = tuple(float(weight) for weight in weights)
        except (TypeError, ValueError):
            numbers = (math.nan,)
        if not all(map(math.isfinite, numbers)):
            raise SchemaError(
                f"gene set {self.name}: expected finite weights; found {weights!r}. Correct them, "
                "or leave all out."
            )
        return numbers

    def _one_a_gene(self, given: tuple[Any, ...], what: str) -> tuple[Any, ...]:
        if len(given) != len(self.genes):
            raise SchemaError(
                f"gene set {self.name}: expected {len(self.genes)} {what}, one a gene; found "
                f"{len(given)}. Give one for each, or leave all out."
            )
        return given

    @property
    def up(self) -> tuple[str, ...]:
        """Genes that are high where the named thing is high."""
        return tuple(gene for gene, sign in zip(self.genes, self.signs, strict=True) if sign > 0)

    @property
    def down(self) -> tuple[str, ...]:
        """Genes that are low where the named thing is high."""
        return tuple(gene for gene, sign in zip(self.genes, self.signs, strict=True) if sign < 0)

    @property
    def signs(self) -> tuple[float, ...]:
        """1 for a gene that is up, −1 for one that is down, in the order of ``genes``."""
        if self.directions is None:
            return (1.0,) * len(self.genes)
        return tuple(1.0 if direction == UP else -1.0 for direction in self.directions)

    def within(self, measured: Iterable[str]) -> GeneSet | None:
        """Return the set with only the genes in ``measured``; None when none of them is."""
        there = measured if isinstance(measured, Set) else set(measured)
        kept = [place for place, gene in enumerate(self.genes) if gene in there]
        if len(kept) == len(self.genes):
            return self
        if not kept:
            return None
        return replace(
            self,
            genes=tuple(self.genes[place] for place in kept),
            weights=self.weights and tuple(self.weights[place] for place in kept),
            directions=self.directions and tuple(self.directions[place] for place in kept),
        )

    def __iter__(self) -> Iterator[str]:
        """Go through the genes in order."""
        return iter(self.genes)

    def __len__(self) -> int:
        """Count the genes."""
        return len(self.genes)

    def __contains__(self, gene: object) -> bool:
        """Say whether a gene belongs to the set."""
        return gene in self.genes

    def _repr_html_(self) -> str:
        facts = {"genes": len(self.genes), "source": self.source}
        none = [None] * len(self.genes)
        table = pd.DataFrame(
            {"weight": self.weights or none, "direction": self.directions or none},
            index=pd.Index(self.genes, name="gene"),
        )
        return card(f"GeneSet {self.name}", facts, table)
