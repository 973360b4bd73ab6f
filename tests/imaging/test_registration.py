"""Registration of scans whose true displacement is known, and of scans that share nothing."""

from __future__ import annotations

import builtins
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    MissingExtraError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.core.scan import Volume
from radiogenomics.imaging import mutual_information
from radiogenomics.imaging.registration import register
from radiogenomics.simulate import hcc_cohort

pytest.importorskip("SimpleITK")

SHAPE, SPACING = (28, 56, 56), (4.0, 2.5, 2.5)
#         middle (x, y, z), radii, intensity
ORGANS = (
    ((0, 0, -10), (62, 50, 80), 0),
    ((25, 15, 10), (12, 10, 20), 150),
    ((30, -15, -25), (9, 9, 14), 180),
    ((0, -35, 0), (8, 8, 1000), 300),
    ((10, 5, 38), (40, 30, 10), -300),
)
LIVER = ((-20, 5, 0), (30, 25, 38), 100)
LESIONS = (((-25, 5, 8), (11, 11, 11), 180), ((-12, 12, -15), (8, 8, 8), 30))


def body(seed, *, shift=(0.0, 0.0, 0.0), angle=0.0, scale=1.0) -> Volume:
    """Soft-edged ellipsoids with noise; ``shift`` in mm (x, y, z), ``angle`` about z in radians."""
    rng = np.random.default_rng([60, seed])
    axes = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(SHAPE, SPACING, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    x, y, z = x - shift[0], y - shift[1], z - shift[2]
    x, y = np.cos(angle) * x + np.sin(angle) * y, -np.sin(angle) * x + np.cos(angle) * y
    place = [axis / scale for axis in (x, y, z)]
    voxels = np.full(SHAPE, -500.0)
    inside = []
    for middle, radii, value in (*ORGANS, LIVER, *LESIONS):
        far = np.sqrt(sum(((p - m) / r) ** 2 for p, m, r in zip(place, middle, radii, strict=True)))
        edge = np.clip((far - 1) * min(radii) / 2.0, -30, 30)
        voxels += (value - voxels) / (1 + np.exp(edge))
        inside.append(far < 1)
    tumour = inside[-2] * np.uint8(3) + inside[-1] * np.uint8(7)
    voxels = (voxels + rng.normal(scale=6, size=SHAPE)).astype(np.float32)
    return Volume(voxels, {"tumour": tumour, "liver": inside[-3]}, SPACING)


def error_mm(found, *, shift, angle=0.0, scale=1.0) -> float:
    """Largest distance between where lesions and organs are sent and where they belong."""
    middle = (np.array(SHAPE)[::-1] - 1) / 2 * np.array(SPACING)[::-1]
    turn = np.array(
        [
            [np.cos(angle), -np.sin(angle), 0],
            [np.sin(angle), np.cos(angle), 0],
            [0, 0, 1],
        ]
    )
    points = np.array([m for m, _, _ in (LIVER, *LESIONS)])
    truth = scale * points @ turn.T + shift + middle
    return np.linalg.norm(
        (points + middle) @ found.matrix.T + found.offset_mm - truth, axis=1
    ).max()


SHIFT = (6.0, -4.0, 7.0)


def test_known_shift_is_found_to_a_fraction_of_a_voxel():
    fixed, moving = body(0), body(1, shift=SHIFT)
    found = register(fixed, moving)
    assert error_mm(found, shift=SHIFT) < 0.5  # a voxel is 4 × 2.5 × 2.5 mm
    assert found.information > 1.5 * found.information_before
    assert found.region_dice is None
    # Masks keep their types and numbers, and lie where the truth would put them.
    true = [-mm / size for mm, size in zip(SHIFT[::-1], SPACING, strict=True)]
    for region, mask in moving.masks.items():
        moved = found.volume.masks[region]
        assert moved.dtype == mask.dtype
        for number in np.unique(mask[mask > 0]):
            first = ndimage.shift((mask == number).astype(int), true, order=0) > 0
            second = moved == number
            assert 2 * (first & second).sum() / (first.sum() + second.sum()) > 0.9
    assert set(np.unique(found.volume.masks["tumour"])) == {0, 3, 7}
    assert found.volume.spacing_mm == fixed.spacing_mm
    assert found.volume.voxels.shape == fixed.voxels.shape
    # What the moving scan does not show has its lowest value.
    assert found.volume.voxels.min() == moving.voxels.min()


def test_turn_and_shift_are_found_and_the_same_on_every_run():
    fixed, moving = body(0), body(2, shift=SHIFT, angle=0.12)
    first, again = (register(fixed, moving, samples=8000) for _ in range(2))
    assert error_mm(first, shift=SHIFT, angle=0.12) < 0.8
    assert np.arctan2(first.matrix[1, 0], first.matrix[0, 0]) == pytest.approx(0.12, abs=0.01)
    assert np.array_equal(first.matrix, again.matrix)
    assert np.array_equal(first.offset_mm, again.offset_mm)
    assert np.array_equal(first.volume.voxels, again.volume.voxels)


def test_affine_finds_a_scaling_that_rigid_cannot():
    fixed, moving = body(0), body(3, scale=1.08)
    affine = register(fixed, moving, transform="affine", samples=8000)
    assert error_mm(affine, shift=(0, 0, 0), scale=1.08) < 1.0
    np.testing.assert_allclose(np.linalg.svd(affine.matrix)[1], 1.08, atol=0.025)
    rigid = register(fixed, moving, samples=8000)
    np.testing.assert_allclose(np.linalg.svd(rigid.matrix)[1], 1, rtol=1e-12)
    assert rigid.information < affine.information


def test_organ_that_moved_on_its_own_is_followed():
    """The body stays, the liver goes down 9 mm, as with breath: only the region knows."""
    fixed = body(0)
    moved = body(4, shift=(0, 0, -9.0))
    still = body(5)
    near = ndimage.binary_dilation(moved.masks["liver"] | fixed.masks["liver"], iterations=5)
    moving = replace(moved, voxels=np.where(near, moved.voxels, still.voxels))
    found = register(fixed, moving, region="liver")
    assert error_mm(found, shift=(0, 0, -9.0)) < 2.5
    assert found.region_dice > 0.9
    assert found.overlap > 0.9


def test_contrast_may_be_turned_round():
    fixed, moving = body(0), body(1, shift=SHIFT)
    found = register(fixed, replace(moving, voxels=-0.5 * moving.voxels + 40))
    assert error_mm(found, shift=SHIFT) < 0.5


def test_scans_that_lie_far_apart_in_the_scanner_start_from_their_middles():
    fixed, moving = body(0), body(1, shift=SHIFT)
    away = replace(moving, origin_mm=(500.0, -300.0, 900.0))
    found = register(fixed, away)
    assert error_mm(found, shift=np.array(SHIFT) + (500.0, -300.0, 900.0)) < 0.5


def test_other_voxels_are_no_hindrance():
    fixed, moving = body(0), body(1, shift=SHIFT)
    fine = Volume(
        ndimage.zoom(moving.voxels, 2, order=1, grid_mode=True, mode="nearest"),
        {"tumour": np.repeat(np.repeat(np.repeat(moving.masks["tumour"], 2, 0), 2, 1), 2, 2)},
        (2.0, 1.25, 1.25),
        origin_mm=(-0.625, -0.625, -1.0),
    )
    found = register(fixed, fine, samples=8000)
    assert error_mm(found, shift=SHIFT) < 0.6
    assert found.volume.masks["tumour"].shape == SHAPE


def test_scans_that_share_nothing_are_refused(rng):
    fixed = body(0)
    noise = Volume(rng.normal(size=SHAPE), {}, SPACING)
    with pytest.raises(GeometryError, match="nats of information, below 0.1"):
        register(fixed, noise, samples=4000)
    blobs = Volume(ndimage.gaussian_filter(rng.normal(size=SHAPE), 3), {}, SPACING)
    with pytest.raises(GeometryError, match="nats of information, below 0.1"):
        register(fixed, blobs, least_overlap=0.0, samples=4000)


def test_half_a_scan_a_region_elsewhere_and_too_much_scaling_are_refused():
    fixed, moving = body(0), body(1)
    part = Volume(moving.voxels[:10], {}, SPACING)
    with pytest.raises(GeometryError, match="of the fixed scan covered, below 50%"):
        register(fixed, part, samples=5000)
    elsewhere = replace(
        moving, masks={"liver": np.roll(np.asarray(moving.masks["liver"]), 20, axis=2)}
    )
    with pytest.raises(GeometryError, match="a Dice of .* of the region"):
        register(fixed, elsewhere, region="liver")
    with pytest.raises(GeometryError, match=r"scaling between .* and 1\.[34]"):
        register(fixed, body(6, scale=1.35), transform="affine", least_overlap=0.0, samples=5000)


def test_lesion_beyond_the_fixed_grid_is_warned_about():
    fixed, moving = body(0), body(1)
    top = Volume(fixed.voxels[:18], {n: m[:18] for n, m in fixed.masks.items()}, SPACING)
    tumour = np.array(moving.masks["tumour"])
    tumour[24:26, 20:24, 20:24] = 9
    with pytest.warns(RadiogenomicsWarning, match="9 of tumour"):
        found = register(top, replace(moving, masks={"tumour": tumour}))
    assert 9 not in found.volume.masks["tumour"]


def test_bad_input_is_named():
    fixed, moving = body(0), body(1)
    with pytest.raises(UnknownNameError, match="did you mean 'rigid'"):
        register(fixed, moving, transform="rigit")
    with pytest.raises(UnknownNameError, match="did you mean 'liver'"):
        register(fixed, moving, region="livr")
    with pytest.raises(DataError, match="samples: expected at least 4000"):
        register(fixed, moving, samples=100)
    with pytest.raises(DataError, match="window: expected a low and a higher"):
        register(fixed, moving, window=(200.0, -100.0))
    empty = replace(fixed, masks={"liver": np.zeros(SHAPE, dtype=np.uint8)})
    with pytest.raises(GeometryError, match="expected voxels in region 'liver'; found none"):
        register(empty, moving, region="liver")
    flat = Volume(np.zeros(SHAPE), {}, SPACING)
    with pytest.raises(GeometryError, match="different intensities"):
        register(fixed, flat)


def test_missing_extra_is_named(monkeypatch):
    plain_import = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "SimpleITK":
            raise ImportError(name)
        return plain_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"radiogenomics\[imaging\]"):
        register(body(0), body(1))


def liver_moved(fixed, found) -> np.ndarray:
    """How far voxels of the liver are moved along each axis, in voxels, shape (voxels, 3)."""
    places = np.argwhere(fixed.masks["liver"] > 0)[::37]
    mm = np.array(fixed.spacing_mm)[::-1]
    points = places[:, ::-1] * mm + fixed.origin_mm
    return (points @ found.matrix.T + found.offset_mm - points) / mm


def simulated_pairs(patients) -> list[tuple[Volume, Volume]]:
    """Scans at two times of simulated patients, whose livers lie where they lay."""
    points = ("baseline", "follow-up")
    cohort = hcc_cohort(40, n_genes=150, time_points=points, rng=np.random.default_rng(1)).cohort
    names = [cohort.patient_ids[number] for number in patients]
    scans = {(scan.patient_id, scan.time_point): scan for scan in cohort.scans}
    return [(scans[p, points[0]].load(), scans[p, points[1]].load()) for p in names]


@pytest.mark.parametrize("transform", ["rigid", "affine"])
def test_start_is_kept_where_the_search_ends_lower(transform, monkeypatch):
    """Scans on each other; a search that cannot take small steps leaves the best place."""
    fixed = body(0)
    monkeypatch.setattr(mutual_information, "ITERATIONS", 1)
    monkeypatch.setattr(mutual_information, "FIRST_STEP_MM", 15.0)
    found = register(fixed, fixed, transform=transform, samples=8000)
    assert found.information == found.information_before
    np.testing.assert_array_equal(found.matrix, np.eye(3))
    np.testing.assert_allclose(found.offset_mm, 0, atol=1e-12)
    np.testing.assert_allclose(found.volume.voxels, fixed.voxels)


def test_simulated_pairs_once_refused_stay_about_where_they_lie():
    """The middle of the image was once brought onto that of the liver, and looked the better."""
    for fixed, moving in simulated_pairs((14, 15, 18)):
        found = register(fixed, moving, region="liver")
        assert found.information >= found.information_before
        assert np.abs(liver_moved(fixed, found)).max() < 0.5


@pytest.mark.slow
def test_none_of_40_simulated_pairs_is_refused_or_moved_by_a_voxel(record_property):
    """They lie on each other, with other noise and lesions of other sizes."""
    found = [(f, register(f, m, region="liver")) for f, m in simulated_pairs(range(40))]
    moved = [liver_moved(fixed, registered) for fixed, registered in found]
    farthest = np.array([np.abs(each).max() for each in moved])
    mean = np.array([np.linalg.norm(each, axis=1).mean() for each in moved])
    # Words: a property travels between test processes, which send no numbers of numpy.
    for where, voxels in (("at the farthest point", farthest), ("in the mean over a liver", mean)):
        middle, most = np.percentile(voxels, (50, 100))
        record_property(f"voxels {where}: median, most", f"{middle:.3f}, {most:.3f}")
    kept = [each.information == each.information_before for _, each in found]
    record_property("start kept", str(sum(kept)))
    assert farthest.max() < 1.0
    assert np.median(farthest) < 0.35
    assert mean.max() < 0.5


@pytest.mark.real
def test_liver_that_was_turned_and_shifted_is_put_back(data_root):
    """A CT of 0.74 × 0.74 × 1.6 mm, displaced by 13 mm in the mean, with noise of 15 HU."""
    import SimpleITK

    folder = data_root / "imaging" / "liver" / "3Dircadb1.17" / "derived_cropped_nifti"
    image = SimpleITK.ReadImage(folder / "ct_liver_crop.nii.gz")
    liver = SimpleITK.ReadImage(folder / "liver_mask.nii.gz")
    away = SimpleITK.Euler3DTransform()
    away.SetCenter(image.TransformContinuousIndexToPhysicalPoint([n / 2 for n in image.GetSize()]))
    away.SetRotation(0.03, -0.02, 0.06)
    away.SetTranslation((5.3, -7.1, 6.4))
    back = away.GetInverse()

    def volume(ct, mask, noise):
        voxels = SimpleITK.GetArrayFromImage(ct).astype(np.float32)
        voxels += np.random.default_rng(0).normal(scale=noise, size=voxels.shape)
        inside = SimpleITK.GetArrayFromImage(mask).astype(np.uint8)
        space = (ct.GetSpacing()[::-1], ct.GetOrigin(), ct.GetDirection())
        return Volume(voxels, {"liver": inside}, *space)

    fixed = volume(image, liver, 0.0)
    moving = volume(
        SimpleITK.Resample(image, image, back, SimpleITK.sitkLinear, -1000),
        SimpleITK.Resample(liver, image, back, SimpleITK.sitkNearestNeighbor, 0),
        15.0,
    )
    found = register(fixed, moving, region="liver")
    places = np.argwhere(fixed.masks["liver"] > 0)[::5000, ::-1].tolist()
    points = np.array([image.TransformIndexToPhysicalPoint(place) for place in places])
    truth = np.array([away.TransformPoint(point) for point in points])
    error = np.linalg.norm(points @ found.matrix.T + found.offset_mm - truth, axis=1)
    assert np.linalg.norm(points - truth, axis=1).mean() > 12
    assert error.max() < 0.4
    assert found.region_dice > 0.98
