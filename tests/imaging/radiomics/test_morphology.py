from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import distance
from scipy.spatial.transform import Rotation

from radiogenomics.core.errors import GeometryError
from radiogenomics.imaging.radiomics import enclosing_solids
from radiogenomics.imaging.radiomics.morphology import FEATURES, morphology_features
from radiogenomics.imaging.radiomics.roi import Roi
from radiogenomics.imaging.radiomics.spatial_autocorrelation import spatial_autocorrelation

CUBE = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T.astype(float)


@pytest.fixture
def phantom_in_mm(data_root: Path) -> Roi:
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    folder = data_root / "imaging/ibsi/data_sets/ibsi_1_digital_phantom/nifti"
    image = sitk.ReadImage(str(folder / "image/phantom.nii.gz"))
    mask = sitk.ReadImage(str(folder / "mask/mask.nii.gz"))
    return Roi(
        sitk.GetArrayFromImage(image).astype(float),
        sitk.GetArrayFromImage(mask) > 0,
        image.GetSpacing()[::-1],
    )


@pytest.mark.real
def test_the_digital_phantom_is_within_tolerance_of_the_consensus(phantom_in_mm, consensus):
    rows = consensus[consensus["family"] == "morphology"].set_index("tag")
    found = morphology_features(phantom_in_mm, shape_inside=phantom_in_mm.inside)
    assert list(found) == list(rows.index)
    agreed = rows[rows["consensus"].isin(["moderate", "strong", "very strong"])]
    assert len(agreed) == 25
    off = {
        tag: found[tag]
        for tag, row in agreed.iterrows()
        if not abs(found[tag] - row["value"]) <= row["tolerance"]
    }
    assert not off


@pytest.mark.real
def test_codes_are_those_of_the_reference_table(consensus):
    rows = consensus[consensus["family"] == "morphology"]
    expected = dict(zip(rows["tag"], rows["ibsi_code"], strict=True))
    assert {feature.ibsi_name: feature.ibsi_code for feature in FEATURES} == expected


def pairwise(roi: Roi) -> tuple[float, float]:
    """Moran's I and Geary's C as they are defined, over all pairs."""
    places = np.argwhere(roi.inside) * roi.spacing_mm
    values = roi.values[roi.inside]
    d, n = values - values.mean(), len(values)
    with np.errstate(divide="ignore"):
        weights = 1 / distance.cdist(places, places)
    np.fill_diagonal(weights, 0)
    scale = weights.sum() * (d @ d)
    squared = (values[:, None] - values) ** 2
    return n * (d @ weights @ d) / scale, (n - 1) * (weights * squared).sum() / (2 * scale)


@pytest.mark.parametrize(
    "shape",
    [(7, 9, 8), (1, 12, 11), (13, 1, 1), (2, 3, 30)],
    ids=lambda shape: "x".join(map(str, shape)),
)
def test_autocorrelation_is_that_of_all_pairs(shape, rng):
    inside = rng.random(shape) < 0.6
    inside.flat[[0, -1]] = True
    smooth = np.add.outer(np.add.outer(*map(np.arange, shape[:2])), np.arange(shape[2]))
    roi = Roi(1000 + 3 * smooth + rng.normal(0, 5, shape), inside, (2.5, 0.7, 0.9))
    found = spatial_autocorrelation(roi)
    np.testing.assert_allclose((found.moran_i, found.geary_c), pairwise(roi), rtol=1e-9)


def test_autocorrelation_does_not_see_what_lies_outside(rng):
    inside = rng.random((6, 5, 7)) < 0.5
    values = rng.normal(size=inside.shape)
    plain = spatial_autocorrelation(Roi(values, inside, (1, 1, 1)))
    values[~inside] = np.nan
    assert spatial_autocorrelation(Roi(values, inside, (1, 1, 1))) == plain


def test_autocorrelation_in_blocks_is_that_in_one_piece(rng, monkeypatch):
    roi = Roi(rng.normal(size=(6, 5, 17)), np.ones((6, 5, 17), bool), (1, 1, 1))
    monkeypatch.setattr(
        "radiogenomics.imaging.radiomics.spatial_autocorrelation.CELLS_AT_ONCE", 400
    )
    found = spatial_autocorrelation(roi)
    np.testing.assert_allclose((found.moran_i, found.geary_c), pairwise(roi), rtol=1e-9)


def test_the_smallest_ellipsoid_around_a_skewed_cube_is_a_skewed_ball(rng):
    # It moves with affine maps, and around a cube it is the ball through the corners.
    matrix = rng.normal(size=(3, 3)) + 3 * np.eye(3)
    corners = np.vstack((CUBE, 0.9 * CUBE, CUBE[:4] * 0.3)) @ matrix.T + (40, -3, 7)
    expected = enclosing_solids.ellipsoid(np.linalg.svd(matrix, compute_uv=False) * np.sqrt(3))
    found = enclosing_solids.smallest_ellipsoid(corners)
    assert found.volume == pytest.approx(expected.volume, rel=1e-8)
    assert found.area == pytest.approx(expected.area, rel=1e-8)


def test_the_smallest_box_around_a_turned_box_is_the_box(rng):
    sides = np.array([2.0, 3.0, 7.0])
    turn = Rotation.from_rotvec(rng.normal(size=3))
    inner = rng.uniform(-0.5, 0.5, (40, 3))
    corners = turn.apply(np.vstack((CUBE / 2, inner)) * sides) + (9, 9, -4)
    hull, vertices, normals = enclosing_solids.convex_hull(corners)
    box = enclosing_solids.smallest_box(vertices, normals)
    assert hull.volume == pytest.approx(42, rel=1e-10)
    assert (box.volume, box.area) == pytest.approx((42, 2 * (6 + 14 + 21)), rel=1e-8)


def test_an_ellipsoid_of_equal_axes_has_the_area_of_a_ball():
    assert enclosing_solids.ellipsoid(np.full(3, 2.0)).area == pytest.approx(16 * np.pi, rel=1e-14)


def test_intensities_come_from_the_intensity_mask_and_shape_from_the_other(rng):
    values = rng.uniform(10, 90, (6, 7, 8))
    shape_inside = np.ones(values.shape, bool)
    bright = values > 40
    found = morphology_features(Roi(values, bright, (2.0, 1.0, 1.0)), shape_inside=shape_inside)
    assert found["morph_vol_approx"] == 2 * values.size
    mean = values[bright].mean()
    assert found["morph_integ_int"] == pytest.approx(found["morph_volume"] * mean, rel=1e-12)
    weighted = np.average(np.argwhere(bright), axis=0, weights=values[bright])
    shift = (weighted - (2.5, 3.0, 3.5)) * (2.0, 1.0, 1.0)
    assert found["morph_com"] == pytest.approx(np.linalg.norm(shift), rel=1e-10)


def test_a_region_of_one_grey_level_has_no_autocorrelation_but_all_of_its_form():
    inside = np.ones((3, 4, 5), bool)
    found = morphology_features(
        Roi(np.full(inside.shape, 7.0), inside, (1, 1, 1)), shape_inside=inside
    )
    undefined = {tag for tag, value in found.items() if np.isnan(value)}
    assert undefined == {"morph_moran_i", "morph_geary_c"}
    assert found["morph_com"] == pytest.approx(0, abs=1e-12)
    for shared in ("vol_dens", "area_dens"):
        assert found[f"morph_{shared}_ombb"] == pytest.approx(found[f"morph_{shared}_aabb"])


def test_only_named_tags_are_computed(phantom_of_ones):
    asked = {"morph_volume", "morph_com"}
    found = morphology_features(phantom_of_ones, shape_inside=phantom_of_ones.inside, names=asked)
    assert set(found) == asked


@pytest.fixture
def phantom_of_ones() -> Roi:
    return Roi(np.ones((2, 3, 4)), np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))


def test_masks_that_do_not_fit_and_empty_ones_are_refused(phantom_of_ones):
    with pytest.raises(GeometryError, match="intensity mask"):
        morphology_features(phantom_of_ones, shape_inside=np.ones((2, 3, 5), bool))
    empty = Roi(phantom_of_ones.values, np.zeros((2, 3, 4), bool), (1.0, 1.0, 1.0))
    with pytest.raises(GeometryError, match="at least one voxel"):
        morphology_features(empty, shape_inside=phantom_of_ones.inside)
