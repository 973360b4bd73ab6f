"""Reference tables made by the R scripts beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parent.parent / "reference" / "stats"


@pytest.fixture(scope="session")
def table() -> Callable[[str], pd.DataFrame]:
    """Read one CSV of the reference folder."""
    return lambda name: pd.read_csv(FOLDER / f"{name}.csv")


@pytest.fixture(scope="session")
def values(table) -> Callable[[str, str, str], np.ndarray]:
    """Values of one name of one model in a long reference table, in the order R wrote them."""

    def read(name: str, model: str, what: str) -> np.ndarray:
        rows = table(name)
        chosen = rows[(rows["model"] == model) & (rows["name"] == what)]
        assert len(chosen), (name, model, what)
        return chosen.sort_values("index", kind="stable")["value"].to_numpy()

    return read


@pytest.fixture(scope="session")
def patients(table) -> pd.DataFrame:
    """Simulated survival with heavy ties."""
    return table("survival_input")


@pytest.fixture(scope="session")
def genes(table) -> np.ndarray:
    """Twelve scores of the same patients, shape (12, n)."""
    return table("survival_genes").to_numpy(dtype=float).T.copy()
