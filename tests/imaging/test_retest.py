from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.imaging.retest import feature_agreement, perturbed, retest_table
from radiogenomics.imaging.settings import ExtractionSettings

SETTINGS = ExtractionSettings(bin_width=10, families=("shape", "firstorder"))


def make_volume(number: int) -> Volume:
    """A ball of the patient's own size and intensity in noise."""
    rng = np.random.default_rng([number, 4])
    z, y, x = np.indices((14, 30, 30))
    radius = 6 + number
    inside = ((z - 7) * 2) ** 2 + (y - 15) ** 2 + (x - 15) ** 2 < radius**2
    voxels = np.where(inside, 60 + 15 * number, 20) + rng.normal(0, 5, inside.shape)
    return Volume(voxels, {"tumour": inside.astype(np.uint8)}, (2.0, 1.0, 1.0))


def scans(count: int) -> list[Scan]:
    return [Scan(f"P{n}", "CT", partial(make_volume, n)) for n in range(count)]


def test_stable_features_have_a_higher_icc_than_unstable_ones() -> None:
    table = retest_table(scans(6), SETTINGS, readings=3)
    assert table.index.tolist() == [(s, r) for s in range(6) for r in range(3)]
    agreement = feature_agreement(table)
    assert agreement.loc["original_firstorder_Mean", "icc"] > 0.95
    assert agreement.loc["original_shape_MeshVolume", "icc"] > 0.9
    assert agreement.loc["original_firstorder_Skewness", "icc"] < 0.9
    assert (agreement["low"] <= agreement["icc"]).all()


def test_the_table_does_not_depend_on_processes_or_on_other_scans() -> None:
    kinds = ("noise", "size")
    alone = retest_table(scans(2), SETTINGS, readings=2, kinds=kinds, jobs=1)
    together = retest_table(scans(3), SETTINGS, readings=2, kinds=kinds, jobs=2)
    pd.testing.assert_frame_equal(alone, together.loc[[0, 1]], check_exact=True)


def test_without_perturbation_every_reading_is_the_same() -> None:
    agreement = feature_agreement(retest_table(scans(3), SETTINGS, readings=2, kinds=()))
    assert np.allclose(agreement["icc"].dropna(), 1)


@pytest.mark.parametrize("kind", ["translation", "rotation", "noise", "size", "contour"])
def test_each_kind_changes_what_it_says(kind: str, rng: np.random.Generator) -> None:
    before = make_volume(2)
    after = perturbed(before, "tumour", rng=rng, kinds=[kind])
    same_image = np.array_equal(before.voxels, after.voxels)
    same_mask = np.array_equal(before.mask("tumour") > 0, after.mask("tumour") > 0)
    assert same_image == (kind in ("size", "contour"))
    if kind == "noise":
        assert same_mask
    if kind in ("size", "contour"):
        assert not same_mask
    centre = ndimage.center_of_mass(after.mask("tumour"))
    assert centre == pytest.approx((7, 15, 15), abs=1.5)


def test_bad_input_is_named(rng: np.random.Generator) -> None:
    with pytest.raises(DataError, match="at least 2 scans"):
        retest_table(scans(1), SETTINGS)
    with pytest.raises(UnknownNameError, match="rotation"):
        perturbed(make_volume(0), "tumour", rng=rng, kinds=["rotatoin"])
    uneven = retest_table(scans(2), SETTINGS, readings=2, kinds=()).iloc[:3]
    with pytest.raises(DataError, match="same number of readings"):
        feature_agreement(uneven)
