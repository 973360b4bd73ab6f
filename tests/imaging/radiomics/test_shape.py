from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.core.errors import GeometryError
from radiogenomics.imaging.radiomics import _kernels
from radiogenomics.imaging.radiomics.shape import FEATURES, measure, shape_features

EVERY_NAME = tuple(feature.name for feature in FEATURES)
# Zero by definition in a flat region; pyradiomics leaves the root of a rounding error.
OF_FLAT_AXES = frozenset({"Elongation", "Flatness", "LeastAxisLength", "MinorAxisLength"})


def by_pyradiomics(inside: np.ndarray, spacing_mm) -> dict[str, float]:
    """All of its shape features, of the region cropped to its box as its extractor does."""
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    family = pytest.importorskip("radiomics.shape", reason="pyradiomics is not installed")
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    image, mask = (sitk.GetImageFromArray(inside[box].astype(np.uint8)) for _ in range(2))
    for item in (image, mask):
        item.SetSpacing([float(size) for size in reversed(spacing_mm)])
    logger = logging.getLogger("radiomics")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        features = family.RadiomicsShape(image, mask)
        for name in features.getFeatureNames():
            features.enableFeatureByName(name)
        found = features.execute()
    logger.setLevel(level)
    return {name: float(value) for name, value in found.items()}


def assert_parity(inside: np.ndarray, spacing_mm) -> None:
    ours = shape_features(inside, spacing_mm=spacing_mm, names=EVERY_NAME)
    theirs = by_pyradiomics(inside, spacing_mm)
    assert list(ours) == list(theirs)
    flat = {name for name in OF_FLAT_AXES if ours[name] == 0}
    assert all(theirs[name] < 1e-6 for name in flat)
    names = [name for name in ours if name not in flat]
    np.testing.assert_allclose(
        [ours[name] for name in names], [theirs[name] for name in names], rtol=1e-9, atol=1e-12
    )


def draw(kind: str, rng: np.random.Generator) -> np.ndarray:
    shape = tuple(rng.integers(3, 10, 3))
    places = np.stack(np.indices(shape), axis=-1) - rng.uniform(1, 4, 3)
    noise = rng.random(shape)
    inside = {
        "noise": lambda: noise < rng.uniform(0.1, 0.9),
        "sparse": lambda: noise < 0.03,
        "blob": lambda: np.linalg.norm(places / rng.uniform(1, 3, 3), axis=-1) < 1.5,
        "hollow": lambda: np.abs(np.linalg.norm(places, axis=-1) - 2.5) < 0.9,
        "with holes": lambda: noise > 0.1,
        "one slice": lambda: noise[:1] < 0.6,
        "one column": lambda: noise[:, :1, :1] < 0.8,
        "oblique plane": lambda: np.abs(places @ (1, 1, 0)) < 0.6,
        "corner contact": lambda: np.eye(shape[0], dtype=bool)[:, ::-1, None] & (noise[0, 0] < 0.7),
        "checkerboard": lambda: np.indices(shape).sum(axis=0) % 2 == 0,
    }[kind]()
    inside[tuple(rng.integers(0, inside.shape))] = True
    return inside


KINDS = (
    "noise",
    "sparse",
    "blob",
    "hollow",
    "with holes",
    "one slice",
    "one column",
    "oblique plane",
    "corner contact",
    "checkerboard",
)


@pytest.mark.parametrize("kind", KINDS)
def test_small_regions_give_the_numbers_of_pyradiomics(kind, rng):
    for _ in range(20):
        assert_parity(draw(kind, rng), rng.uniform(0.3, 5, 3))


@pytest.mark.parametrize("code", range(1, 256, 5))
def test_single_cubes_give_the_numbers_of_pyradiomics(code):
    corners = np.array([code >> corner & 1 for corner in range(8)], dtype=bool)
    assert_parity(corners.reshape(2, 2, 2), (1.0, 1.37, 0.71))


@pytest.mark.real
@pytest.mark.parametrize("patient", ["brain1", "brain2"])
def test_brains_give_the_numbers_of_pyradiomics(data_root: Path, patient):
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    mask = sitk.ReadImage(str(data_root / f"imaging/pyradiomics/data/{patient}_label.nrrd"))
    assert_parity(sitk.GetArrayFromImage(mask) == 1, mask.GetSpacing()[::-1])


def of_ircad(data_root: Path, name: str) -> tuple[np.ndarray, tuple[float, ...]]:
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    folder = data_root / "imaging/liver/3Dircadb1.17/derived_cropped_nifti"
    mask = sitk.ReadImage(str(folder / f"{name}.nii.gz"))
    return sitk.GetArrayFromImage(mask), mask.GetSpacing()[::-1]


@pytest.mark.real
@pytest.mark.parametrize("label", [1, 2])
def test_liver_tumours_give_the_numbers_of_pyradiomics(data_root: Path, label):
    labels, spacing = of_ircad(data_root, "tumours_label")
    assert_parity(labels == label, spacing)


@pytest.mark.real
def test_a_coarse_liver_gives_the_numbers_of_pyradiomics(data_root: Path):
    # pyradiomics compares all pairs of vertices: few voxels here, all of them in the slow test.
    liver, spacing = of_ircad(data_root, "liver_mask")
    assert_parity(liver[::2, ::4, ::4] > 0, np.array(spacing) * (2, 4, 4))


@pytest.mark.real
@pytest.mark.slow
def test_a_whole_liver_gives_the_numbers_of_pyradiomics(data_root: Path):
    liver, spacing = of_ircad(data_root, "liver_mask")
    assert_parity(liver > 0, spacing)


def test_one_voxel_is_an_octahedron():
    # Six vertices half a voxel from the centre: V = abc / 6; four pairs of equal triangles.
    a, b, c = spacing = (2.0, 1.0, 0.5)
    found = shape_features(np.ones((1, 1, 1), bool), spacing_mm=spacing)
    triangle = np.linalg.norm(np.cross((-a, b, 0), (-a, 0, c))) / 8
    assert found["MeshVolume"] == pytest.approx(a * b * c / 6, rel=1e-14)
    assert found["SurfaceArea"] == pytest.approx(8 * triangle, rel=1e-14)
    assert found["Maximum3DDiameter"] == a
    assert found["Maximum2DDiameterSlice"] == b
    assert found["Maximum2DDiameterColumn"] == found["Maximum2DDiameterRow"] == a
    assert found["MajorAxisLength"] == 0
    assert np.isnan(found["Elongation"]) and np.isnan(found["Flatness"])


def test_axes_of_a_box_are_those_of_uniform_distributions():
    # Variance of n equidistant places: (n^2 - 1) / 12.
    found = shape_features(np.ones((3, 8, 5), bool), spacing_mm=(4, 1, 1))
    lengths = [4 * np.sqrt((n**2 - 1) / 12) * size for n, size in ((3, 4), (8, 1), (5, 1))]
    axes = [found[f"{rank}AxisLength"] for rank in ("Major", "Minor", "Least")]
    np.testing.assert_allclose(axes, sorted(lengths, reverse=True), rtol=1e-14)


def test_an_oblique_plane_is_flat_to_the_last_digit():
    z, y, x = np.indices((9, 9, 9))
    plane = z + y == 8
    found = shape_features(plane, spacing_mm=(0.37, 1.91, 0.73))
    assert found["LeastAxisLength"] == found["Flatness"] == 0
    assert by_pyradiomics(plane, (0.37, 1.91, 0.73))["LeastAxisLength"] < 1e-6


def test_a_region_may_lie_anywhere_in_its_array(rng):
    inside = draw("noise", rng)
    inside[0, 0, 0] = inside[-1, -1, -1] = True
    padded = np.pad(inside, ((2, 9), (0, 3), (11, 1)))
    spacing = (1.3, 0.7, 2.0)
    assert shape_features(padded, spacing_mm=spacing) == shape_features(inside, spacing_mm=spacing)


def test_a_watertight_mesh_leaves_corner_contacts_apart():
    # Space diagonals and face diagonals of a cube, in all directions.
    one = measure(np.ones((1, 1, 1), bool), spacing_mm=(1, 2, 3))
    for first in range(8):
        for second in range(first):
            far = bin(first ^ second).count("1")
            if far == 1:
                continue
            inside = np.zeros(8, bool)
            inside[[first, second]] = True
            two = measure(inside.reshape(2, 2, 2), spacing_mm=(1, 2, 3), watertight=True)
            assert two.volume == pytest.approx(2 * one.volume, rel=1e-13)
            assert two.area == pytest.approx(2 * one.area, rel=1e-13)


def test_a_watertight_volume_does_not_hang_on_the_direction_of_the_axes(rng):
    for _ in range(20):
        inside = draw("noise", rng)
        volumes = [
            measure(np.flip(inside, axes), spacing_mm=(1, 2, 3), watertight=True).volume
            for axes in ((), (0,), (1,), (2,), (0, 2), (0, 1, 2))
        ]
        np.testing.assert_allclose(volumes, volumes[0], rtol=1e-12)


def test_only_named_features_come_and_redundant_ones_only_when_named():
    box = np.ones((2, 3, 4), bool)
    asked = ("Sphericity", "Compactness1")
    assert list(shape_features(box, spacing_mm=(1, 1, 1), names=asked)) == sorted(asked)
    assert len(shape_features(box, spacing_mm=(1, 1, 1))) == 14


def test_an_empty_region_is_refused():
    with pytest.raises(GeometryError, match="at least one voxel"):
        shape_features(np.zeros((3, 3, 3), bool), spacing_mm=(1, 1, 1))


@pytest.mark.parametrize(
    ("shape", "spacing", "message"),
    [
        ((3, 3), [1.0, 1.0, 1.0], "expected 3 axes"),
        ((0, 3, 3), [1.0, 1.0, 1.0], "1 to 32766 voxels"),
        ((1, 1, 40000), [1.0, 1.0, 1.0], "1 to 32766 voxels"),
        ((2, 2, 2), [1.0, 1.0], "positive size"),
        ((2, 2, 2), [1.0, 0.0, 1.0], "positive size"),
        ((2, 2, 2), [1.0, float("nan"), 1.0], "positive size"),
    ],
    ids=["two axes", "no voxel", "too long", "two sizes", "zero size", "size not a number"],
)
def test_the_kernel_refuses_what_it_cannot_measure(shape, spacing, message):
    with pytest.raises(ValueError, match=message):
        _kernels.mesh(np.ones(shape, bool), spacing, True)
