from __future__ import annotations

import logging
import warnings

import numpy as np
import pytest
from scipy import stats

from radiogenomics.imaging.radiomics.firstorder import (
    FEATURES,
    firstorder_features,
    intensity_statistics,
)
from radiogenomics.imaging.radiomics.roi import GreyLevels, Roi

SPACING = (2.5, 0.7, 0.8)
BIN_WIDTH = 25.0


def by_pyradiomics(roi: Roi, **parameters) -> dict[str, float]:
    pytest.importorskip("radiomics", reason="pyradiomics is not installed")
    import SimpleITK as sitk
    from radiomics.firstorder import RadiomicsFirstOrder

    image = sitk.GetImageFromArray(roi.values)
    mask = sitk.GetImageFromArray(roi.inside.astype(np.uint8))
    for item in (image, mask):
        item.SetSpacing(roi.spacing_mm[::-1])
    level = logging.getLogger("radiomics").level
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        family = RadiomicsFirstOrder(image, mask, binWidth=BIN_WIDTH, **parameters)
        for name in family.getFeatureNames():
            family.enableFeatureByName(name)
        found = family.execute()
    logging.getLogger("radiomics").setLevel(level)
    return {name: float(np.squeeze(value)) for name, value in found.items()}


def in_bins(roi: Roi) -> GreyLevels:
    """Levels as pyradiomics cuts them: edges at multiples of the width."""
    lowest = np.floor(roi.values[roi.inside].min() / BIN_WIDTH)
    levels = np.floor(roi.values / BIN_WIDTH) - lowest + 1
    levels = np.where(roi.inside, levels, 0).astype(np.uint16)
    return GreyLevels(levels, int(levels.max()))


def draw(kind: str, rng: np.random.Generator) -> Roi:
    shape = (7, 9, 8)
    values = {
        "gaussian": lambda: rng.normal(30, 60, shape),
        "whole numbers with ties": lambda: rng.integers(-40, 40, shape).astype(float),
        "heavy tail": lambda: rng.standard_t(2, shape) * 50,
        "two values": lambda: rng.choice([-300.0, 1000.0], shape),
        "one value": lambda: np.full(shape, -17.0),
        "far from zero": lambda: 1e6 + rng.normal(0, 30, shape),
    }[kind]()
    return Roi(values, rng.random(shape) < 0.6, SPACING)


@pytest.mark.parametrize("shift", [0.0, 1000.0])
@pytest.mark.parametrize(
    "kind",
    [
        "gaussian",
        "whole numbers with ties",
        "heavy tail",
        "two values",
        "one value",
        "far from zero",
    ],
)
def test_equal_to_pyradiomics(kind: str, shift: float, rng) -> None:
    roi = draw(kind, rng)
    every = [feature.name for feature in FEATURES if feature.name]
    ours = firstorder_features(roi, levels=in_bins(roi), voxel_array_shift=shift, names=every)
    theirs = by_pyradiomics(roi, voxelArrayShift=shift)
    assert list(ours) == list(theirs)
    np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 11])
def test_equal_to_pyradiomics_with_few_voxels(count: int, rng) -> None:
    inside = np.zeros((3, 3, 3), dtype=bool)
    inside.ravel()[rng.choice(27, count, replace=False)] = True
    roi = Roi(rng.normal(0, 100, inside.shape), inside, SPACING)
    ours = firstorder_features(roi, levels=in_bins(roi))
    theirs = by_pyradiomics(roi)
    assert set(theirs) - set(ours) == {"StandardDeviation"}
    for name, value in ours.items():
        assert value == pytest.approx(theirs[name], rel=1e-9, abs=1e-9, nan_ok=True), name


def test_a_flat_region_has_no_skew_whatever_its_value() -> None:
    """The mean of many 0.1 is not 0.1 in floating point; nothing may be read into that."""
    values = np.full((5, 7, 9), 0.1)
    roi = Roi(values, values > 0, SPACING)
    levels = GreyLevels(np.ones(values.shape, dtype=np.uint16), 1)
    found = firstorder_features(roi, levels=levels)
    assert (found["Skewness"], found["Kurtosis"], found["Variance"]) == (0, 0, 0)
    assert intensity_statistics(roi)["stat_kurt"] == 0


def test_statistics_by_scipy(rng) -> None:
    roi = draw("heavy tail", rng)
    values = roi.values[roi.inside]
    found = intensity_statistics(roi)
    low, high = np.percentile(values, [25, 75])
    assert found["stat_kurt"] == pytest.approx(stats.kurtosis(values), rel=1e-9)
    assert found["stat_skew"] == pytest.approx(stats.skew(values), rel=1e-9)
    assert found["stat_cov"] == pytest.approx(stats.variation(values), rel=1e-9)
    assert found["stat_qcod"] == pytest.approx((high - low) / (high + low), rel=1e-9)
    assert found["stat_medad"] == pytest.approx(np.abs(values - np.median(values)).mean())


def test_a_mean_of_zero_gives_nan_and_no_warning() -> None:
    values = np.array([[[-1.0, 1.0]]])
    found = intensity_statistics(Roi(values, values != 0, SPACING))
    assert np.isnan(found["stat_cov"])
    assert np.isnan(found["stat_qcod"])
