"""One slice of a feature map is the map of the whole region there, and its region's feature."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from radiogenomics.core.errors import DataError, GeometryError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging import (
    ExtractionSettings,
    feature_maps,
    features_of_volume,
    normalise_to_organ,
    settings_preset,
)
from radiogenomics.imaging.filters import LoG, Original, Wavelet
from radiogenomics.imaging.settings import VoxelSettings
from radiogenomics.imaging.slice_map import has_place, image_types
from radiogenomics.imaging.slice_map import slice_map as mapped

FILTERED: dict[str, Any] = {"filters": (Original(), LoG(sigma_mm=(2.0,)), Wavelet())}
CASES = {
    "plain": ({"bin_width": 10}, "original_glcm_JointEntropy"),
    "first_order": ({"bin_width": 10}, "original_firstorder_Range"),
    "levels_by_count": ({"bin_count": 8}, "original_glcm_Autocorrelation"),
    "resampled": (
        {"bin_width": 10, "spacing_mm": (1.5, 1.5, 1.5), **FILTERED},
        "log-sigma-2-0-mm-3D_glrlm_RunEntropy",
    ),
    "wavelet": ({"bin_width": 10, **FILTERED}, "wavelet-HLH_glszm_ZoneEntropy"),
    "two_lesions": ({"bin_width": 10, "lesions": "union"}, "original_gldm_DependenceEntropy"),
    "wide_cube": (
        {"bin_width": 10, "voxel": VoxelSettings(kernel_radius=2)},
        "original_ngtdm_Contrast",
    ),
    "outside_counts": (
        {"bin_width": 10, "voxel": VoxelSettings(masked_kernel=False)},
        "original_glcm_Contrast",
    ),
    "within_slices": ({"bin_width": 10, "flat_axis": 0}, "original_glcm_Idn"),
    "normalised": (
        {
            "bin_width": 5,
            "normalise": "image",
            "normalise_scale": 100,
            "resegment_range": (-60, 60),
        },
        "original_firstorder_Entropy",
    ),
}


@pytest.fixture
def scan(rng: np.random.Generator) -> Volume:
    """Noise with a coarse grain, two lesions in a liver; the larger is widest in slice 6."""
    z, y, x = np.mgrid[:12, :36, :34]
    tumour = np.zeros(z.shape, dtype=np.uint8)
    tumour[((z - 6) * 2.0) ** 2 + (y - 14) ** 2 + (x - 13) ** 2 < 55] = 1
    tumour[1:4, 27:31, 25:30] = 2
    liver = np.ones(z.shape, dtype=np.uint8)
    grain = np.kron(rng.normal(0, 20, (6, 12, 17)), np.ones((2, 3, 2)))
    return Volume(
        grain + rng.normal(60, 10, z.shape), {"tumour": tumour, "liver": liver}, (3.0, 1.5, 1.2)
    )


@pytest.mark.parametrize(("words", "feature"), CASES.values(), ids=CASES)
def test_the_slice_is_that_of_the_map_of_the_whole_region(
    scan: Volume, words: dict[str, Any], feature: str
) -> None:
    settings = ExtractionSettings(**words)
    whole = feature_maps(scan, "tumour", settings, features=[feature])
    found = mapped(scan, "tumour", settings, feature=feature)
    grid = whole.grid
    inside = grid.mask("tumour") > 0
    if settings.resegment_range is not None:
        inside &= np.abs(grid.voxels) <= 60
    place = int(inside.sum(axis=(1, 2)).argmax())
    here = np.ix_(found.rows, found.columns)
    assert found.place == place and np.array_equal(found.inside, inside[place][here])
    # Nothing of the region is cut away, and nothing outside it has a value.
    assert found.inside.sum() == inside[place].sum() > 40
    assert np.array_equal(np.isfinite(found.values), found.inside)
    expected = whole.maps[feature][place][here]
    assert np.array_equal(found.values[found.inside], expected[found.inside])
    assert np.array_equal(found.scan, grid.voxels[place][here])
    assert found.spacing_mm == pytest.approx(grid.spacing_mm[1:])


@pytest.mark.parametrize(("words", "feature"), CASES.values(), ids=CASES)
def test_the_feature_of_the_region_is_that_of_an_extraction(
    scan: Volume, words: dict[str, Any], feature: str
) -> None:
    settings = ExtractionSettings(**words)
    found = mapped(scan, "tumour", settings, feature=feature)
    assert found.whole == features_of_volume(scan, settings)[feature]


def test_intensities_are_normalised_by_the_liver(scan: Volume) -> None:
    settings = ExtractionSettings(bin_width=25, normalise="liver")
    plain = ExtractionSettings(bin_width=25)
    feature = "original_firstorder_Mean"
    found = mapped(scan, "tumour", settings, feature=feature)
    normal = normalise_to_organ(scan)
    expected = feature_maps(normal, "tumour", plain, features=[feature]).maps[feature]
    here = np.ix_(found.rows, found.columns)
    assert np.array_equal(found.values[found.inside], expected[found.place][here][found.inside])
    assert found.whole == features_of_volume(scan, settings)[feature]


def test_where_lesions_are_measured_apart_the_largest_is_shown(scan: Volume) -> None:
    largest, apart = (
        mapped(
            scan,
            "tumour",
            ExtractionSettings(bin_width=10, lesions=rule),
            feature="original_glcm_Idn",
        )
        for rule in ("largest", "volume_weighted")
    )
    assert np.array_equal(largest.values, apart.values, equal_nan=True)


def test_a_large_slice_is_thinned_and_says_so(
    scan: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, feature = ExtractionSettings(bin_width=10), "original_glcm_JointEntropy"
    full = mapped(scan, "tumour", settings, feature=feature)
    monkeypatch.setattr(sys.modules[mapped.__module__], "MOST_VOXELS", full.values.size // 4 + 1)
    found = mapped(scan, "tumour", settings, feature=feature)
    assert np.array_equal(found.values, full.values[::2, ::2], equal_nan=True)
    assert np.array_equal(found.rows, full.rows[::2])
    assert found.spacing_mm == (2 * full.spacing_mm[0], 2 * full.spacing_mm[1])
    assert found.whole == full.whole


@pytest.mark.parametrize(
    ("words", "feature", "error", "found"),
    [
        ({}, "original_shape_MeshVolume", DataError, "one of shape"),
        ({}, "original_glcm_JointEntropi", UnknownNameError, "JointEntropy"),
        ({}, "wavelet-LLH_glcm_Idn", UnknownNameError, "of these settings"),
        ({}, "deep_0017", UnknownNameError, "family"),
        ({"conventions": "ibsi"}, "original_glcm_Idn", DataError, "IBSI"),
        ({"label": 3}, "original_glcm_Idn", GeometryError, "label 3"),
    ],
    ids=["shape", "feature", "image_type", "deep", "ibsi", "label"],
)
def test_what_cannot_be_mapped_is_named(
    scan: Volume, words: dict[str, Any], feature: str, error: type[Exception], found: str
) -> None:
    settings = ExtractionSettings(bin_width=10, **words)
    with pytest.raises(error, match=found):
        mapped(scan, "tumour", settings, feature=feature)


def test_a_feature_that_is_defined_nowhere_is_no_picture(scan: Volume) -> None:
    lone = np.zeros(scan.voxels.shape, dtype=np.uint8)
    lone[::3, ::3, ::3] = 1
    apart = replace(scan, masks={"tumour": lone})
    settings = ExtractionSettings(bin_width=10, lesions="union")
    with pytest.raises(DataError, match="expected values in the slice"):
        mapped(apart, "tumour", settings, feature="original_glcm_JointEntropy")


def test_image_types_are_those_of_an_extraction(scan: Volume) -> None:
    settings = settings_preset("ct")
    names = features_of_volume(scan, settings)
    assert set(image_types(settings)) == {name.partition("_")[0] for name in names}
    known = image_types(settings)
    without = {name for name in names if not has_place(name, known)}
    assert without == {name for name in names if "_shape_" in name} and len(without) == 14
    assert not has_place("Pre_A_liver_original_glcm_Idn", known)
