"""A matrix, mixtures of it with noise, and their nu-SVR in R (tests/reference/omics)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "omics"


@pytest.fixture(scope="session")
def matrix() -> pd.DataFrame:
    """120 genes × 5 cell types, linear."""
    return pd.read_csv(REFERENCE / "deconvolution_signature.csv", index_col="gene")


@pytest.fixture(scope="session")
def mixtures() -> pd.DataFrame:
    """6 samples × 120 genes, linear."""
    return pd.read_csv(REFERENCE / "deconvolution_mixtures.csv", index_col="gene").T


@pytest.fixture(scope="session")
def in_r() -> pd.DataFrame:
    """Sample × nu: shares, rmse and correlation by e1071."""
    return pd.read_csv(REFERENCE / "deconvolution.csv")
