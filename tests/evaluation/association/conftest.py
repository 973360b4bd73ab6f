"""A small cohort: six features, sixty genes, and a volume and a site beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

N, FEATURES, GENES = 48, 6, 60


def patients() -> pd.Index:
    return pd.Index([f"P{i:03d}" for i in range(N)])


@pytest.fixture
def features(rng: np.random.Generator) -> pd.DataFrame:
    """The third is tied."""
    values = rng.normal(size=(N, FEATURES))
    values[:, 2] = values[:, 2].round()
    return pd.DataFrame(values, patients(), [f"F{i}" for i in range(FEATURES)])


@pytest.fixture
def genes(rng: np.random.Generator, features: pd.DataFrame) -> pd.DataFrame:
    """Genes of the first set go with the first feature; a tenth of the others is tied at 0."""
    values = rng.normal(size=(N, GENES))
    values[:, :12] += 2 * features[["F0"]].to_numpy()
    values[:, 54:] = np.maximum(values[:, 54:], 0)
    return pd.DataFrame(values, patients(), [f"G{i}" for i in range(GENES)])


@pytest.fixture
def covariates(rng: np.random.Generator, features: pd.DataFrame) -> pd.DataFrame:
    volume = np.exp(features["F1"] + rng.normal(size=N))
    return pd.DataFrame({"volume": volume, "site": rng.choice(list("ABC"), N)}, patients())
