"""Expression, gene sets and what R makes of them (tests/reference/omics/gene_set_scores.R)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from radiogenomics.core.gene_set import GeneSet

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "omics"


@pytest.fixture(scope="session")
def rna() -> pd.DataFrame:
    """24 samples × 200 genes, logarithmic; G077 is constant."""
    return pd.read_csv(REFERENCE / "gene_set_scores_expression.csv", index_col="sample")


@pytest.fixture(scope="session")
def counts() -> pd.DataFrame:
    """24 samples × 200 genes; G078 is 0 throughout."""
    return pd.read_csv(REFERENCE / "gene_set_scores_counts.csv", index_col="sample")


@pytest.fixture(scope="session")
def sets() -> dict[str, GeneSet]:
    """Six sets of 2 to 70 genes, one with the constant genes."""
    lines = (REFERENCE / "gene_set_scores.gmt").read_text().splitlines()
    cells = [line.split("\t") for line in lines]
    return {name: GeneSet(name, tuple(genes)) for name, _, *genes in cells}


@pytest.fixture(scope="session")
def in_r(rna, sets) -> Callable[[str], pd.DataFrame]:
    """Case → R's scores, samples × sets."""
    table = pd.read_csv(REFERENCE / "gene_set_scores.csv")

    def scores(case: str) -> pd.DataFrame:
        wide = table[table["case"] == case].pivot(index="sample", columns="set", values="value")
        return wide.loc[rna.index, list(sets)]

    return scores
