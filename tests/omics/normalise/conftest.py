"""Simulated counts and what edgeR and DESeq2 make of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "omics"


@pytest.fixture(scope="session")
def reference() -> Callable[[str], pd.DataFrame]:
    """Read one table of the reference folder, its first column as index."""
    return lambda name: pd.read_csv(REFERENCE / f"normalise_{name}.csv", index_col=0)


@pytest.fixture(scope="session")
def counts(reference) -> pd.DataFrame:
    """Nine samples of 301 genes; one gene without reads."""
    return reference("counts").drop(columns="group")


@pytest.fixture(scope="session")
def logs(reference) -> Callable[[str], pd.DataFrame]:
    """Transformed values of some genes, samples × genes."""

    def read(case: str) -> pd.DataFrame:
        table = reference("logs")
        return table.loc[case].set_index("gene").astype(float).T

    return read
