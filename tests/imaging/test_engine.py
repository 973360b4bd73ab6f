"""What the engine adds to the families; the numbers themselves are held in test_parity."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.core.errors import DataError, GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.engine import compute_features
from radiogenomics.imaging.filters import LBP3D, Gradient, LoG, Logarithm, Original, Wavelet
from radiogenomics.imaging.settings import ExtractionSettings

EVERYTHING = (Original(), LoG(sigma_mm=(1.0, 2.0)), Wavelet(), Gradient(), Logarithm())


@pytest.fixture
def lesion(rng) -> Volume:
    shape = (30, 40, 40)
    z, y, x = np.indices(shape)
    ball = ((z - 15) / 4.0) ** 2 + ((y - 20) / 5.5) ** 2 + ((x - 18) / 5.5) ** 2 < 1
    voxels = 60 * ndimage.gaussian_filter(rng.normal(size=shape), 1.2) / 0.1 + 40 * ball
    return Volume(voxels, {"a": ball.astype(np.uint8)}, (2.0, 1.5, 1.5))


@pytest.mark.parametrize("spacing", [None, (1.3, 1.3, 1.3)])
def test_threads_do_not_change_a_bit(lesion, spacing):
    settings = ExtractionSettings(bin_width=25, filters=EVERYTHING, spacing_mm=spacing)
    alone, together = (compute_features(lesion, "a", settings, threads=n) for n in (1, 3))
    assert list(alone) == list(together)
    assert list(alone.values()) == list(together.values())


def test_order_is_that_of_the_settings(lesion):
    settings = ExtractionSettings(
        bin_width=25,
        filters=(Gradient(), Original()),
        families=("ngtdm", "shape", "glcm"),
        only={
            "glcm": ("JointEntropy", "Contrast"),
            "shape": ("Sphericity",),
            "ngtdm": ("Busyness",),
        },
    )
    assert list(compute_features(lesion, "a", settings)) == [
        "original_shape_Sphericity",
        "gradient_ngtdm_Busyness",
        "gradient_glcm_JointEntropy",
        "gradient_glcm_Contrast",
        "original_ngtdm_Busyness",
        "original_glcm_JointEntropy",
        "original_glcm_Contrast",
    ]


def test_filter_may_have_bins_of_its_own(lesion):
    own = ExtractionSettings(bin_width=25, filters=(Original(), Gradient(bin_count=8)))
    found = compute_features(lesion, "a", own)
    for name, fields in (("original", {"bin_width": 25}), ("gradient", {"bin_count": 8})):
        one = ExtractionSettings(filters=own.filters[name == "gradient" :][:1], **fields)
        expected = compute_features(lesion, "a", one)
        wanted = [key for key in expected if key.startswith(f"{name}_glcm")]
        assert wanted
        assert [found[key] for key in wanted] == [expected[key] for key in wanted]


def test_what_lies_outside_the_region_does_not_count_in_the_unfiltered_image(lesion):
    settings = ExtractionSettings(bin_width=25)
    changed = np.where(lesion.mask("a") > 0, lesion.voxels, -1e6)
    other = Volume(changed, lesion.masks, lesion.spacing_mm)
    assert compute_features(other, "a", settings) == compute_features(lesion, "a", settings)


def test_forgotten_bin_width_is_an_error_before_memory_is_filled(lesion):
    huge = Volume(1e6 * lesion.voxels, lesion.masks, lesion.spacing_mm)
    with pytest.raises(DataError, match="grey levels"):
        compute_features(huge, "a", ExtractionSettings(bin_width=25))


def test_filter_that_does_not_fit_is_an_error_not_a_gap(lesion):
    wide = ExtractionSettings(bin_width=25, filters=(Original(), LoG(sigma_mm=(2.0, 400.0))))
    with pytest.raises(GeometryError, match="Laplacian of Gaussian; found .30, 40, 40."):
        compute_features(lesion, "a", wide)


def test_response_that_is_no_number_is_named(lesion):
    flat = Volume(np.zeros(lesion.voxels.shape), lesion.masks, lesion.spacing_mm)
    with pytest.raises(GeometryError, match="filter logarithm to give a number"):
        compute_features(flat, "a", ExtractionSettings(bin_width=25, filters=(Logarithm(),)))


def test_neighbours_further_than_the_region_is_wide_leave_features_undefined(lesion):
    """pyradiomics ends with an error of its C code here."""
    mask = np.zeros(lesion.voxels.shape, dtype=np.uint8)
    mask[10:12, 10:12, 10:12] = 1
    small = Volume(lesion.voxels, {"a": mask}, lesion.spacing_mm)
    settings = ExtractionSettings(bin_width=25, distances=(2,), minimum_voxels=8)
    found = compute_features(small, "a", settings)
    assert np.isnan(found["original_glcm_JointEntropy"])
    assert found["original_gldm_DependenceVariance"] == 0
    assert np.isfinite(found["original_glrlm_RunEntropy"])


def test_ibsi_conventions_give_the_tags_of_the_ibsi(lesion):
    settings = ExtractionSettings(bin_count=16, conventions="ibsi", families=("firstorder", "glcm"))
    found = compute_features(lesion, "a", settings)
    inside = lesion.voxels[lesion.mask("a") > 0]
    assert found["stat_mean"] == pytest.approx(inside.mean())
    assert "cm_joint_entr_3D_comb" in found


def test_local_patterns_on_a_sphere_are_measured_where_pyradiomics_cannot(lesion):
    """pyradiomics 3.0.1 asks scipy for a module that is gone."""
    settings = ExtractionSettings(bin_width=1, filters=(LBP3D(),), families=("firstorder",))
    found = compute_features(lesion, "a", settings)
    assert {name.split("_")[0] for name in found} == {"lbp-3D-m1", "lbp-3D-m2", "lbp-3D-k"}
    assert np.isfinite(list(found.values())).all()
