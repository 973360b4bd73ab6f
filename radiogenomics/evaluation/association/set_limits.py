"""Which gene sets are tested: limits on the genes of a set that are measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import short_list

Places = NDArray[np.intp]


class MeasuredSet(NamedTuple):
    """A gene set and the genes of it that are measured.

    Attributes
    ----------
    name : str
    listed : int
        Genes of the set, measured or not, each once.
    places : ndarray of int
        Positions of those that are measured, in the order of the set.
    fits : bool
        Whether the limits let it in.
    """

    name: str
    listed: int
    places: Places
    fits: bool


class SetLimits(NamedTuple):
    """Which gene sets are tested.

    Attributes
    ----------
    smallest, largest : int
        Genes of the set that are measured.
    coverage : float
        Least share of the set's genes that are measured, 0 to 1.

    Examples
    --------
    >>> sets = {"HYPOXIA": ["VEGFA", "CA9", "LDHA"], "TLS": ["CXCL13", "CCL19"]}
    >>> genes = pd.Index(["CA9", "LDHA", "CXCL13"])
    >>> [(each.name, each.fits) for each in SetLimits(smallest=2).measured(sets, genes)]
    [('HYPOXIA', True), ('TLS', False)]
    """

    smallest: int = 10
    largest: int = 500
    coverage: float = 0.5

    def measured(
        self, gene_sets: Mapping[str, Sequence[str]], genes: pd.Index
    ) -> Iterator[MeasuredSet]:
        """Hold each set, name → symbols, against the genes that are measured.

        A set that holds all of these has no others to be held against, and does not fit.
        """
        for name, symbols in gene_sets.items():
            listed = list(dict.fromkeys(symbols))
            at = genes.get_indexer(pd.Index(listed, dtype=object))
            places = at[at >= 0]
            fits = self.smallest <= len(places) <= min(self.largest, len(genes) - 1)
            enough = len(places) >= self.coverage * len(listed)
            yield MeasuredSet(name, len(listed), places, fits and enough)

    def unmet(self, gene_sets: int, genes: pd.Index) -> str:
        """Say what was expected and found where none of so many sets fits."""
        return (
            f"expected a gene set with {self.smallest} to {self.largest} genes measured, and "
            f"{self.coverage:.0%} of its own; found none of {gene_sets} among {len(genes)} "
            f"genes ({short_list(genes)})."
        )
