"""Gene sets and networks as a map reads them: under approved symbols where these are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from radiogenomics.io import read_gmt
from radiogenomics.io.networks import read_network
from radiogenomics.omics.identifiers import GeneNames


def read_symbols(path: Path, known: GeneNames | None) -> Mapping[str, Sequence[str]]:
    """Gene sets of a GMT: name → symbols."""
    sets = read_gmt(path, repeated_genes="first").values()
    present = _present({gene for each in sets for gene in each.genes}, known)
    return {each.name: [present[gene] for gene in each.genes] for each in sets}


def read_edges(path: Path, known: GeneNames | None) -> pd.DataFrame:
    """Edges of a network: ``source, target, weight``."""
    edges = read_network(path)
    present = _present(set(edges["target"]), known)
    renamed = edges.assign(target=edges["target"].map(present))
    # Names of one gene make one edge; what a file says twice is refused where it is used.
    twice = renamed.duplicated(["source", "target"]) & ~edges.duplicated(["source", "target"])
    return renamed[~twice].reset_index(drop=True)


def _present(symbols: set[str], known: GeneNames | None) -> dict[str, str]:
    """Symbol → present symbol, as the expression has it; ambiguous ones stay."""
    if known is None:
        return {symbol: symbol for symbol in symbols}
    return {symbol: known.by_symbol(symbol).symbol or symbol for symbol in symbols}
