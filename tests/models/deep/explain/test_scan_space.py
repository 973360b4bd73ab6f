"""Maps in the space of the scan, against ITK and as written to a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.io.images.reading import read_image
from radiogenomics.io.images.write import write_image
from radiogenomics.models.deep.explain import onto_scan


def turned(*degrees: float) -> tuple[float, ...]:
    """Direction cosines after turns about x, y and z."""
    whole = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        c, s = np.cos(angle), np.sin(angle)
        turn = np.eye(3)
        others = [other for other in range(3) if other != axis]
        turn[np.ix_(others, others)] = [[c, -s], [s, c]]
        whole = turn @ whole
    return tuple(whole.ravel().tolist())


def itk_image(volume: Volume) -> sitk.Image:
    image = sitk.GetImageFromArray(volume.voxels)
    image.SetSpacing(volume.spacing_mm[::-1])
    image.SetOrigin(volume.origin_mm)
    image.SetDirection(volume.direction)
    return image


def lesion() -> np.ndarray:
    mask = np.zeros((9, 14, 12), dtype=np.uint8)
    mask[3:5, 4:8, 5:9] = 1
    return mask


SCAN = Volume(
    np.zeros((9, 14, 12)),
    {"tumour": lesion()},
    (3.0, 0.9, 1.1),
    (-20.0, 35.0, 80.0),
    turned(0, 0, 0),
)


@pytest.mark.parametrize(
    "scan_turn, crop_turn",
    [((0, 0, 0), (0, 0, 0)), ((8, -4, 20), (0, 0, 0)), ((5, 9, -7), (40, 3, 2))],
)
def test_each_voxel_has_the_value_of_its_place(
    rng: np.random.Generator, scan_turn: tuple[float, ...], crop_turn: tuple[float, ...]
) -> None:
    scan = Volume(SCAN.voxels, {}, SCAN.spacing_mm, SCAN.origin_mm, turned(*scan_turn))
    heat, spacing = rng.uniform(size=(5, 6, 7)), (2.0, 1.3, 0.8)
    origin, direction = (-17.0, 38.0, 86.3), turned(*crop_turn)
    found = onto_scan(
        heat, scan, spacing_mm=spacing, origin_mm=origin, direction=direction, beyond=-1.0
    )
    crop = Volume(heat, {}, spacing, origin, direction)
    wanted = sitk.GetArrayFromImage(
        sitk.Resample(
            itk_image(crop), itk_image(scan), sitk.Transform(3, sitk.sitkIdentity),
            sitk.sitkLinear, -1.0, sitk.sitkFloat64,
        )
    )  # fmt: skip
    assert 0 < (wanted >= 0).sum() < wanted.size
    assert found.voxels == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    assert found.voxels.dtype == np.float32


def test_a_cut_without_resampling_goes_back_to_its_voxels(rng: np.random.Generator) -> None:
    heat = rng.uniform(size=(3, 5, 4))
    steps = np.array(SCAN.spacing_mm) * (2, 6, 7)
    x, y, z = np.array(SCAN.origin_mm) + steps[::-1]
    found = onto_scan(heat, SCAN, spacing_mm=SCAN.spacing_mm, origin_mm=(x, y, z))
    wanted = np.zeros((9, 14, 12))
    wanted[2:5, 6:11, 7:11] = heat
    assert found.voxels == pytest.approx(wanted, rel=1e-6)
    assert found.masks["tumour"] is SCAN.masks["tumour"]


def test_a_crop_beyond_the_edge_of_the_scan_is_cut() -> None:
    found = onto_scan(np.ones((4, 4, 4)), SCAN, spacing_mm=(6, 6, 6), origin_mm=(-32, 23, 62))
    assert found.voxels[0, 0, 0] == 1 and found.voxels[-1, -1, -1] == 0


def test_a_slice_is_as_thick_as_its_spacing() -> None:
    place = (SCAN.origin_mm[0], SCAN.origin_mm[1], SCAN.origin_mm[2] + 12.0)
    thin = onto_scan(np.ones((1, 14, 12)), SCAN, spacing_mm=(3.0, 0.9, 1.1), origin_mm=place)
    thick = onto_scan(np.ones((1, 14, 12)), SCAN, spacing_mm=(9.0, 0.9, 1.1), origin_mm=place)
    assert np.flatnonzero(thin.voxels.any(axis=(1, 2))).tolist() == [4]
    assert np.flatnonzero(thick.voxels.any(axis=(1, 2))).tolist() == [3, 4, 5]


def test_it_is_written_as_nifti_in_the_scans_place(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    scan = Volume(SCAN.voxels, {}, SCAN.spacing_mm, SCAN.origin_mm, turned(8, -4, 20))
    heat = rng.uniform(size=(4, 5, 6))
    found = onto_scan(heat, scan, spacing_mm=(2.0, 2.0, 2.0), origin_mm=(-18.0, 38.0, 84.0))
    write_image(tmp_path / "heat.nii.gz", found.voxels, grid=found)
    back = read_image(tmp_path / "heat.nii.gz")
    assert (back.voxels == found.voxels).all() and back.voxels.any()
    assert back.origin_mm == pytest.approx(scan.origin_mm, abs=1e-4)
    assert back.direction == pytest.approx(scan.direction, abs=1e-6)
    assert back.spacing_mm == pytest.approx(scan.spacing_mm, abs=1e-6)


def test_bad_input_is_refused() -> None:
    heat, spacing = np.ones((2, 2, 2)), (1.0, 1.0, 1.0)
    with pytest.raises(GeometryError, match="lies beside it"):
        onto_scan(heat, SCAN, spacing_mm=spacing, origin_mm=(500.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="NaN or infinite"):
        onto_scan(heat * np.nan, SCAN, spacing_mm=spacing, origin_mm=SCAN.origin_mm)
    with pytest.raises(GeometryError, match="positive voxel sizes"):
        onto_scan(heat, SCAN, spacing_mm=(1.0, 0.0, 1.0), origin_mm=SCAN.origin_mm)
    with pytest.raises(GeometryError, match=r"shape \(1, 2, 2, 2\)"):
        onto_scan(heat[None], SCAN, spacing_mm=spacing, origin_mm=SCAN.origin_mm)
