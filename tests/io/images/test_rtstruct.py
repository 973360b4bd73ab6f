from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.path import Path as Outline
from skimage.draw import polygon2mask

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.io.images import Image, read_image, read_mask
from radiogenomics.io.images.polygon import fill_polygons

SPACING, ORIGIN = np.array([2.5, 0.8, 0.7]), np.array([-10.0, 20.0, -30.0])


@pytest.fixture
def image(tmp_path: Path, scanner, stored) -> Image:
    return read_image(scanner.write(tmp_path / "ct", stored))


def at(z: float, corners: list[tuple[float, float]]) -> np.ndarray:
    """Corners (row, column) on slice z as points (x, y, z) in mm."""
    indices = np.array([(z, row, column) for row, column in corners])
    return (indices * SPACING)[:, ::-1] + ORIGIN


def box(top: float, left: float, bottom: float, right: float) -> list[tuple[float, float]]:
    return [(top, left), (top, right), (bottom, right), (bottom, left)]


def test_polygons_equal_two_other_fills(rng: np.random.Generator) -> None:
    centres = np.array([(r, c) for r in range(30) for c in range(40)], dtype=float)
    for corners in (3, 4, 7, 20, 60):
        for _ in range(8):
            polygon = rng.uniform((-3, -3), (33, 43), (corners, 2))
            if corners == 20:  # a star without self-intersection
                angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
                radii = rng.uniform(3, 18, (corners, 1))
                polygon = radii * np.column_stack([np.sin(angles), np.cos(angles)]) + (15, 20)
            ours = fill_polygons([polygon], (30, 40))
            np.testing.assert_array_equal(ours, polygon2mask((30, 40), polygon))
            if corners <= 4 or corners == 20:  # matplotlib fills by winding, not even-odd
                triangle = polygon if corners == 20 else polygon[:3]
                theirs = Outline(triangle).contains_points(centres).reshape(30, 40)
                np.testing.assert_array_equal(fill_polygons([triangle], (30, 40)), theirs)


def test_neighbours_share_no_pixel_and_leave_none_out(rng: np.random.Generator) -> None:
    # Corners on pixel centres: the hardest case for an edge rule.
    tiles = [np.array(box(r, c, r + 3, c + 5)) for r in (0, 3, 6) for c in (0, 5, 10)]
    filled = [fill_polygons([tile], (9, 15)) for tile in tiles]
    assert (np.sum(filled, axis=0) == 1).all()


def test_holes_keyholes_and_islands(tmp_path: Path, scanner, image: Image) -> None:
    outer, hole, island = box(0.5, 0.5, 9.5, 11.5), box(2.5, 2.5, 7.5, 8.5), box(3.5, 3.5, 5.5, 5.5)
    expected = np.zeros(image.voxels.shape, dtype=bool)
    expected[2, 1:10, 1:12] = True
    expected[2, 3:8, 3:9] = False
    keyhole = [*outer, outer[0], hole[0], *hole[:0:-1], hole[0], outer[0]]
    path = scanner.write_rtstruct(
        tmp_path / "rs.dcm",
        {
            "ring": [at(2, outer), at(2, hole)],
            "keyhole": [at(2, keyhole)],
            "island": [at(2, outer), at(2, hole), at(2, island)],
        },
    )
    for name in ("ring", "KEYHOLE"):
        np.testing.assert_array_equal(read_mask(path, image=image, roi=name), expected)
    expected[2, 4:6, 4:6] = True
    np.testing.assert_array_equal(read_mask(path, image=image, roi=3), expected)


def test_choice_of_structure(tmp_path: Path, scanner, image: Image) -> None:
    contour = [at(1, box(1.5, 1.5, 4.5, 4.5))]
    path = scanner.write_rtstruct(tmp_path / "rs.dcm", {"GTV-1": contour, "Liver": contour})
    with pytest.raises(UnknownNameError, match="unknown structure in rs.dcm 'GTV1'.*'GTV-1'"):
        read_mask(path, image=image, roi="GTV1")
    with pytest.raises(DataError, match="1: GTV-1, 2: Liver"):
        read_mask(path, image=image)
    with pytest.raises(DataError, match="no labels; found label 1"):
        read_mask(path, image=image, label=1)


def test_planes_between_slices(tmp_path: Path, scanner, image: Image) -> None:
    square = box(1.5, 1.5, 4.5, 4.5)
    off = scanner.write_rtstruct(tmp_path / "off.dcm", {"a": [at(1.4, square), at(2.4, square)]})
    with pytest.warns(RadiogenomicsWarning, match="1 mm off the slices"):
        mask = read_mask(off, image=image)
    assert np.flatnonzero(mask.any(axis=(1, 2))).tolist() == [1, 2]
    thin = {"a": [at(z, square) for z in (1.0, 1.4, 2.0)]}
    path = scanner.write_rtstruct(tmp_path / "thin.dcm", thin)
    with pytest.raises(GeometryError, match="1 more planes than slices"):
        read_mask(path, image=image)
    with pytest.warns(RadiogenomicsWarning, match="gave way to nearer"):
        mask = read_mask(path, image=image, repair="resample")
    assert mask.sum() == 2 * 9
    sparse = {"a": [at(0, square), at(2, square), at(4, square)]}
    path = scanner.write_rtstruct(tmp_path / "sparse.dcm", sparse)
    with pytest.warns(RadiogenomicsWarning, match="2 or more slices apart"):
        assert read_mask(path, image=image).sum() == 3 * 9


@pytest.mark.parametrize(
    ("contours", "message"),
    [
        ([at(5.0, box(1, 1, 4, 4))], "1 of 1 planes beyond"),
        ([at(1, box(-2.5, 1.5, 2.5, 4.5))], "found 40.0% of their area outside"),
        ([at(1, box(1, 1, 4000, 4))], "far outside"),
        ([np.array([[-9, 21, -30.0], [-7, 21, -25.0], [-7, 25, -20.0]])], "leaves its plane"),
    ],
    ids=["beyond", "partly", "far", "slanted"],
)
def test_contours_outside_the_slices(tmp_path, scanner, image, contours, message) -> None:
    path = scanner.write_rtstruct(tmp_path / "rs.dcm", {"a": contours})
    for repair in ("error", "resample"):
        with pytest.raises(GeometryError, match=message):
            read_mask(path, image=image, repair=repair)


def without_contours(data) -> None:
    del data.ROIContourSequence[0].ContourSequence


def points_only(data) -> None:
    data.ROIContourSequence[0].ContourSequence[0].ContourGeometricType = "POINT"


def short(data) -> None:
    data.ROIContourSequence[0].ContourSequence[0].ContourData = [1, 2, 3, 4]


def without_names(data) -> None:
    del data.StructureSetROISequence


def without_references(data) -> None:
    del data.ReferencedFrameOfReferenceSequence


def other_series(data) -> None:
    study = data.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    study.RTReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (without_contours, "found none .no ContourSequence"),
        (points_only, "found none .no ContourSequence"),
        (short, "at least three points"),
        (without_names, "expected a structure; found none"),
        (without_references, "without a reference"),
        (other_series, "refers to another series"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_structure_sets_that_lack_something(tmp_path, scanner, image, edit, message) -> None:
    contours = {"a": [at(1, box(1.5, 1.5, 4.5, 4.5))]}
    path = scanner.write_rtstruct(tmp_path / "rs.dcm", contours, edit=edit)
    with pytest.raises(DataError, match=message):
        read_mask(path, image=image)
    if edit in (without_references, other_series):
        with pytest.warns(RadiogenomicsWarning, match="taken at their word"):
            assert read_mask(path, image=image, repair="resample").sum() == 9


@pytest.mark.real
def test_ibsi_phantom_gives_the_published_region(data_root: Path) -> None:
    root = data_root / "imaging" / "ibsi" / "data_sets" / "ibsi_1_ct_radiomics_phantom"
    image = read_image(root / "dicom" / "image")
    mask = read_mask(root / "dicom" / "mask" / "DCM_RS_00060.dcm", image=image, roi="GTV-1")
    assert mask.sum() == 125_256
    assert image.voxels[mask > 0].mean() == pytest.approx(-46.9, abs=0.05)
    nifti = read_image(root / "nifti" / "image" / "phantom.nii.gz")
    np.testing.assert_array_equal(image.voxels, nifti.voxels)
    np.testing.assert_array_equal(
        mask, read_mask(root / "nifti" / "mask" / "mask.nii.gz", image=nifti) > 0
    )


@pytest.mark.real
@pytest.mark.parametrize("modality", ["CT", "MR_T1", "PET"])
def test_ibsi_validation_case_equals_its_nifti(data_root: Path, modality: str) -> None:
    root = data_root / "imaging" / "ibsi" / "data_sets" / "ibsi_validation"
    folder = root / "dicom" / "STS_008" / modality
    image = read_image(folder / "image")
    nifti = read_image(root / "nifti" / "STS_008" / f"{modality}_image.nii.gz")
    np.testing.assert_allclose(image.voxels, nifti.voxels, rtol=1e-6)
    mask = read_mask(folder / "mask" / "RS.dcm", image=image)
    theirs = read_mask(root / "nifti" / "STS_008" / f"{modality}_mask.nii.gz", image=nifti)
    np.testing.assert_array_equal(mask, theirs > 0)


@pytest.mark.real
def test_real_structure_sets_with_broken_references(data_root: Path, tmp_path: Path) -> None:
    root = data_root / "imaging" / "dicom_rtstruct" / "rt-utils"
    folder = tmp_path / "ct"
    folder.mkdir()
    for name in ("ct_1.dcm", "ct_2.dcm"):
        (folder / name).symlink_to(root / name)
    image = read_image(folder)
    assert read_mask(root / "rt.dcm", image=image).any()
    with pytest.raises(DataError, match="without a reference"):
        read_mask(root / "non_existent_reference_rt.dcm", image=image, roi=1)
    with pytest.raises(GeometryError, match="1 of 3 planes beyond"):
        read_mask(root / "invalid_reference_rt.dcm", image=image, roi=1)
