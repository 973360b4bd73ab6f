"""Whom the texture tests believe: pyradiomics itself and the IBSI's digital phantom."""

from __future__ import annotations

import logging
import warnings
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from radiogenomics.imaging.radiomics.roi import GreyLevels

SPACING = (2.5, 1.0, 0.7)
NORMS = ("manhattan", "euclidean", "infinity", "no_weighting")


def pyradiomics(family: str, levels: np.ndarray, **settings) -> dict[str, float]:
    """Features of a region that is already in grey levels, 0 outside it."""
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    pytest.importorskip("radiomics", reason="pyradiomics is not installed")
    features = getattr(import_module(f"radiomics.{family}"), f"Radiomics{family.upper()}")
    image = sitk.GetImageFromArray(levels.astype(float))
    mask = sitk.GetImageFromArray((levels > 0).astype(np.uint8))
    for item in (image, mask):
        item.SetSpacing(SPACING[::-1])
    logger = logging.getLogger("radiomics")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A width of 1 from level 1 on bins each level into itself.
        found = features(image, mask, binWidth=1, **settings).execute()
    logger.setLevel(level)
    return {name: float(value) for name, value in found.items()}


def random_levels(
    rng: np.random.Generator, *, shape: tuple[int, int, int], count: int, filled: float = 1.0
) -> GreyLevels:
    """Noise: levels 1 ... count, of which the ends occur and others may not."""
    levels = rng.integers(1, count + 1, shape) * (rng.random(shape) < filled)
    levels.flat[0], levels.flat[-1] = 1, count
    return GreyLevels(levels.astype(np.uint16), count)


def assert_same(ours: dict[str, float], theirs: dict[str, float]) -> None:
    """The same names in the same order, the same values to nine digits."""
    assert list(ours) == list(theirs)
    np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=1e-9, atol=1e-12)


def assert_consensus(
    found: dict[str, float], consensus: pd.DataFrame, *, family: str, suffix: str
) -> None:
    """All tags of a family and an aggregation, in all three digits that the IBSI prints."""
    rows = consensus[consensus["full_tag"] == consensus["tag"] + "_" + suffix]
    values = rows[rows["family"] == family].set_index("full_tag")["value"].to_dict()
    assert {tag: float(f"{value:.3g}") for tag, value in found.items()} == values
