from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.filters import Mean, Original
from radiogenomics.imaging.ibsi_diagnostics import ibsi_diagnostics
from radiogenomics.imaging.ibsi_engine import compute_ibsi_features, measure_ibsi, prepare_ibsi
from radiogenomics.imaging.settings import ExtractionSettings

SETTINGS = ExtractionSettings(
    conventions="ibsi",
    spacing_mm=(2.0, 2.0, 2.0),
    interpolator="linear",
    round_intensities=True,
    bin_width=20,
)


@pytest.fixture
def volume(rng) -> Volume:
    """A lesion of 1.4 ml away from the border of its image."""
    z, y, x = np.indices((16, 40, 40))
    ball = ((z - 8) / 4) ** 2 + ((y - 20) / 9) ** 2 + ((x - 19) / 9) ** 2 < 1
    voxels = 60 * ndimage.gaussian_filter(rng.normal(size=ball.shape), 1) / 0.1 + 40 * ball
    return Volume(np.rint(voxels), {"tumour": ball.astype(np.uint8)}, (3.0, 0.8, 0.8))


def with_(**changes) -> ExtractionSettings:
    return ExtractionSettings(**(SETTINGS.model_dump() | changes))


def test_no_feature_knows_how_much_of_the_image_is_kept(volume: Volume) -> None:
    part = prepare_ibsi(volume, "tumour", SETTINGS)
    whole = prepare_ibsi(volume, "tumour", SETTINGS, whole=True)
    assert part.volume.voxels.size < whole.volume.voxels.size
    ours, theirs = (measure_ibsi(r, SETTINGS, aggregations=("3D_comb",)) for r in (part, whole))
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_each_aggregation_adds_its_textures_and_joins_alike(volume: Volume) -> None:
    prepared = prepare_ibsi(volume, "tumour", SETTINGS)
    both = measure_ibsi(prepared, SETTINGS, aggregations=("2D_avg", "2_5D_comb"))
    one = compute_ibsi_features(volume, "tumour", with_(aggregation="2D_avg"))
    assert {"cm_contrast_2D_avg", "szm_sze_2D", "ngl_lde_2D", "dzm_sde_2D"} <= set(one)
    assert set(both) - set(one) > {"rlm_sre_2_5D_comb", "ngt_contrast_2_5D"}
    for tag, value in one.items():
        assert both[tag] == pytest.approx(value, rel=1e-12, nan_ok=True), tag


def test_resegmentation_leaves_the_morphological_mask_alone(volume: Volume) -> None:
    everything = compute_ibsi_features(volume, "tumour", SETTINGS)
    found = compute_ibsi_features(volume, "tumour", with_(resegment_range=(0.0, 120.0)))
    assert found["morph_volume"] == everything["morph_volume"]
    assert everything["stat_min"] < 0 <= found["stat_min"]
    assert everything["stat_max"] > 120 >= found["stat_max"]
    cut = compute_ibsi_features(
        volume, "tumour", with_(resegment_range=(0.0, 120.0), resegment_shape=True)
    )
    assert cut["morph_volume"] < everything["morph_volume"]


def test_bounds_and_outliers_are_of_the_region_as_drawn(volume: Volume) -> None:
    whole = prepare_ibsi(volume, "tumour", SETTINGS)
    settings = with_(resegment_range=(-20.0, 400.0), resegment_outliers=1.5)
    prepared = prepare_ibsi(volume, "tumour", settings)
    values = whole.volume.voxels[whole.inside]
    near = np.abs(values - values.mean()) <= 1.5 * values.std()
    kept = values[near & (values >= -20) & (values <= 400)]
    np.testing.assert_array_equal(prepared.volume.voxels[prepared.inside], kept)


def test_bins_start_at_the_lower_bound(volume: Volume) -> None:
    settings = with_(resegment_range=(-60.0, 300.0))
    found = compute_ibsi_features(volume, "tumour", settings)
    assert found["ih_min"] == np.floor((found["stat_min"] + 60) / 20) + 1
    assert found["ih_max"] == np.floor((found["stat_max"] + 60) / 20) + 1


def test_filters_come_with_their_name_and_see_the_resegmented_region(volume: Volume) -> None:
    settings = with_(filters=(Original(), Mean(support=3)), resegment_range=(0.0, 120.0))
    found = compute_ibsi_features(volume, "tumour", settings)
    prepared = prepare_ibsi(volume, "tumour", settings)
    assert prepared.volume.voxels.shape == (24, 16, 16)
    smooth = ndimage.uniform_filter(prepared.volume.voxels, 3, mode="mirror")[prepared.inside]
    (name,) = {tag.removesuffix("_stat_mean") for tag in found if tag.endswith("_stat_mean")} - {
        "stat_mean"
    }
    assert found[f"{name}_stat_mean"] == pytest.approx(smooth.mean(), rel=1e-9)
    assert found[f"{name}_stat_var"] == pytest.approx(smooth.var(), rel=1e-9)
    # A response has no calibrated range: bins start at its minimum.
    assert found[f"{name}_ih_min"] == 1
    assert [tag for tag in found if "morph" in tag and name in tag] == []


def test_families_are_chosen_by_their_names_in_the_settings(volume: Volume) -> None:
    found = compute_ibsi_features(volume, "tumour", with_(families=("firstorder", "glszm")))
    assert {tag.split("_")[0] for tag in found} == {"loc", "stat", "ih", "ivh", "szm", "dzm"}


def test_normalisation_is_by_the_whole_image(volume: Volume) -> None:
    settings = with_(normalise="image", normalise_scale=10.0, spacing_mm=None, bin_width=2.0)
    plain = with_(spacing_mm=None, round_intensities=False)
    raw = compute_ibsi_features(volume, "tumour", plain)
    found = compute_ibsi_features(
        volume, "tumour", settings.model_copy(update={"round_intensities": False})
    )
    deviation = volume.voxels.std(ddof=1)
    expected = 10 * (raw["stat_mean"] - volume.voxels.mean()) / deviation
    assert found["stat_mean"] == pytest.approx(expected, rel=1e-9)


def test_a_region_that_resegmentation_empties_is_refused(volume: Volume) -> None:
    with pytest.raises(GeometryError):
        compute_ibsi_features(volume, "tumour", with_(resegment_range=(5000.0, 6000.0)))
    lonely = replace(volume, masks={"tumour": np.zeros(volume.voxels.shape, dtype=int)})
    with pytest.raises(GeometryError):
        compute_ibsi_features(lonely, "tumour", SETTINGS)


def test_diagnostics_follow_the_region_through_its_steps(volume: Volume) -> None:
    settings = with_(resegment_range=(0.0, 120.0))
    prepared = prepare_ibsi(volume, "tumour", settings, whole=True)
    found = ibsi_diagnostics(volume, "tumour", prepared)
    # 16 slices of 3 mm and 40 rows of 0.8 mm, in steps of 2 mm.
    assert [found[f"img_dim_{axis}_interp_img"] for axis in "zyx"] == [24, 16, 16]
    assert found["int_mask_vox_count_init_roi"] == volume.mask("tumour").sum()
    assert found["int_mask_vox_count_reseg_roi"] < found["morph_mask_vox_count_reseg_roi"]
    assert found["int_mask_max_int_reseg_roi"] <= 120 < found["int_mask_max_int_interp_roi"]
