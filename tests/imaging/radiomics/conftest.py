"""What the texture tests share: regions of several kinds and the IBSI's digital phantom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.imaging.radiomics.roi import GreyLevels

from .authorities import random_levels

REGIONS = {
    "dense": {"shape": (5, 6, 7), "count": 6},
    "porous": {"shape": (6, 5, 4), "count": 5, "filled": 0.5},
    "sparse": {"shape": (5, 5, 5), "count": 3, "filled": 0.12},
    "many-levels": {"shape": (7, 6, 5), "count": 60},
    "one-slice": {"shape": (1, 7, 8), "count": 4},
    "one-column": {"shape": (9, 1, 1), "count": 3},
    "two-levels": {"shape": (4, 4, 4), "count": 2, "filled": 0.8},
}


@pytest.fixture(params=REGIONS, ids=list(REGIONS))
def levels(request: pytest.FixtureRequest, rng: np.random.Generator) -> GreyLevels:
    """Regions of several kinds, drawn anew for each test but the same each time."""
    return random_levels(rng, **REGIONS[request.param])


@pytest.fixture(scope="session")
def phantom(data_root: Path) -> GreyLevels:
    """Digital phantom of the IBSI: 5 x 4 x 4 voxels in six grey levels."""
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    folder = data_root / "imaging/ibsi/data_sets/ibsi_1_digital_phantom/nifti"
    image, mask = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(folder / name)))
        for name in ("image/phantom.nii.gz", "mask/mask.nii.gz")
    )
    return GreyLevels(np.where(mask > 0, image, 0).astype(np.uint16), 6)


@pytest.fixture(scope="session")
def consensus(data_root: Path) -> pd.DataFrame:
    """Values of the digital phantom on which the IBSI agreed."""
    table = pd.read_csv(data_root / "imaging/ibsi/ibsi1_reference_values.csv")
    return table[table["configuration"] == "digital_phantom"]
