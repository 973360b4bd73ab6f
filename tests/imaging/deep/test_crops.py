from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations, product

import numpy as np
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    GeometryError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.imaging.deep.crops import crop_scan, scan_arrays
from radiogenomics.imaging.deep.frames import facing_patient, points_mm, sampled
from radiogenomics.imaging.deep.presets import EncoderSettings
from radiogenomics.imaging.intensity import image_statistics, organ_statistics

pytest.importorskip("SimpleITK")

SLOPE = np.array([0.7, -1.3, 2.1])
WIDE = (-1000.0, 1000.0)
BOX = EncoderSettings(dims=3, view="box", size=(8, 12, 16), window=WIDE, margin_mm=2.0)
SLICE = EncoderSettings(size=(12, 16), window=WIDE, margin_mm=2.0)


def positions(volume_or_frame, shape) -> np.ndarray:
    """Positions (x, y, z) of all voxels, from the definition of origin, spacing and direction."""
    axes = np.array(volume_or_frame.direction).reshape(3, 3)
    z, y, x = np.indices(shape)
    steps = np.stack([x, y, z], -1) * np.array(volume_or_frame.spacing_mm)[::-1]
    return np.array(volume_or_frame.origin_mm) + steps @ axes.T


def tilted(
    shape=(24, 44, 60), spacing=(3.0, 1.5, 1.0), direction=None, origin=(-36, 15, -10)
) -> Volume:
    """A volume whose voxels are a plane in the patient's space, with an ellipsoid as tumour."""
    direction = direction or (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    empty = Volume(np.zeros(shape), {}, spacing, origin, direction)
    at = positions(empty, shape)
    centre = np.array([-6.0, 48.0, 25.0])
    tumour = (((at - centre) / (7.0, 6.0, 8.0)) ** 2).sum(-1) < 1
    return replace(empty, voxels=at @ SLOPE, masks={"tumour": tumour.astype(np.uint8)})


def unscaled(values: np.ndarray) -> np.ndarray:
    return values * (WIDE[1] - WIDE[0]) + WIDE[0]


def reordered(volume: Volume, order: tuple[int, ...], flips: tuple[int, ...]) -> Volume:
    """The same patient, written along other axes: order and flips of the array axes."""
    turn = tuple(slice(None, None, f) for f in flips)
    axes = np.array(volume.direction).reshape(3, 3)[:, ::-1]  # columns for z, y, x
    steps = axes * np.array(volume.spacing_mm)
    last = np.array(volume.voxels.shape) - 1
    origin = np.array(volume.origin_mm, dtype=float)
    for new, old in enumerate(order):
        if flips[new] < 0:
            origin += steps[:, old] * last[old]
    columns = [axes[:, old] * flips[new] for new, old in enumerate(order)]
    return Volume(
        volume.voxels.transpose(order)[turn],
        {name: m.transpose(order)[turn] for name, m in volume.masks.items()},
        tuple(volume.spacing_mm[old] for old in order),
        tuple(origin.tolist()),
        tuple(np.column_stack(columns[::-1]).ravel().tolist()),
    )


@pytest.mark.parametrize("settings", [BOX, SLICE, replace(BOX, spacing_mm=(2, 2, 2))])
def test_values_are_those_of_their_places(settings: EncoderSettings):
    crop = crop_scan([tilted()], settings)
    at = positions(crop.frame, crop.frame.shape)
    assert crop.values.shape == (1, *settings.shape) and crop.values.dtype == np.float32
    np.testing.assert_allclose(unscaled(crop.values[0]), at @ SLOPE, rtol=0, atol=2e-3)
    volume = tilted()
    near = np.round((at - volume.origin_mm) / (1.0, 1.5, 3.0)).astype(int)
    expected = volume.mask("tumour")[tuple(np.moveaxis(near, -1, 0)[::-1])] > 0
    assert (crop.inside == expected).mean() > 0.99 and expected.sum() > 50  # ties may go either way


@pytest.mark.parametrize("settings", [BOX, replace(SLICE, view="slices", slices=3)])
def test_how_a_scanner_wrote_its_axes_is_not_seen(settings: EncoderSettings):
    volume = tilted()
    noise = np.random.default_rng(5).normal(0, 30, volume.voxels.shape)
    volume = replace(volume, voxels=volume.voxels + noise)
    expected = crop_scan([volume], settings)
    for order in permutations(range(3)):
        for flips in product((1, -1), repeat=3):
            other = reordered(volume, order, flips)
            same = np.sort(points_mm(other, other.mask("tumour") > 0), axis=0)
            np.testing.assert_allclose(
                same, np.sort(points_mm(volume, volume.mask("tumour") > 0), axis=0), atol=1e-9
            )
            found = crop_scan([other], settings)
            np.testing.assert_allclose(found.values, expected.values, rtol=0, atol=1e-6)
            np.testing.assert_array_equal(found.inside, expected.inside)
            np.testing.assert_allclose(found.frame.origin_mm, expected.frame.origin_mm, atol=1e-9)
            assert found.frame.direction == pytest.approx(expected.frame.direction)


@pytest.mark.real
@pytest.mark.parametrize("code", ["PIR"])
def test_a_liver_in_other_axes_of_itk_gives_the_same_view(data_root, code: str):
    import SimpleITK

    folder = data_root / "imaging" / "liver" / "3Dircadb1.17" / "derived_cropped_nifti"

    def volume(turned: str | None) -> Volume:
        images = [
            SimpleITK.ReadImage(folder / name)
            for name in ("ct_liver_crop.nii.gz", "tumours_label.nii.gz", "liver_mask.nii.gz")
        ]
        if turned:
            images = [SimpleITK.DICOMOrient(image, turned) for image in images]
        ct, tumour, liver = (SimpleITK.GetArrayFromImage(image) for image in images)
        masks = {"tumour": tumour.astype(np.uint8), "liver": liver.astype(np.uint8)}
        first = images[0]
        return Volume(ct, masks, first.GetSpacing()[::-1], first.GetOrigin(), first.GetDirection())

    for settings, region in (
        (replace(BOX, window=(-100.0, 250.0), size=(32, 32, 32)), "tumour"),
        (replace(SLICE, window=(-100.0, 250.0), size=(64, 64)), "tumour_ring_10mm_in_liver"),
    ):
        expected = crop_scan([volume(None)], settings, region=region)
        found = crop_scan([volume(code)], settings, region=region)
        np.testing.assert_allclose(found.values, expected.values, rtol=0, atol=2e-5)
        assert 0.05 < expected.values.std() < 0.5


def test_axes_of_an_oblique_scan_are_turned_not_interpolated():
    c, s = np.cos(0.2), np.sin(0.2)
    direction = (c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0)
    volume = tilted(direction=direction)
    flipped = reordered(volume, (2, 0, 1), (-1, 1, -1))
    found = facing_patient(flipped)
    np.testing.assert_array_equal(found.voxels, volume.voxels)
    assert found.direction == pytest.approx(direction)
    assert found.origin_mm == pytest.approx(volume.origin_mm)
    assert facing_patient(volume) is volume


def test_box_and_margin_are_stretched_or_keep_their_shape():
    tumour = np.zeros((10, 40, 40), dtype=np.uint8)
    tumour[4:6, 10:20, 15:19] = 1  # 10 × 10 × 4 mm
    rng = np.random.default_rng(0)
    volume = Volume(rng.normal(0, 9, tumour.shape), {"tumour": tumour}, (5.0, 1.0, 1.0))
    stretched = crop_scan([volume], replace(BOX, keep_aspect=False))
    np.testing.assert_allclose(stretched.frame.spacing_mm, (14 / 8, 14 / 12, 8 / 16))
    # The box from 17.5 mm - 2 mm on begins half a new voxel before the first one's centre.
    x, y, z = stretched.frame.origin_mm
    np.testing.assert_allclose(
        (z, y, x), (17.5 - 2 + 14 / 16, 9.5 - 2 + 14 / 24, 14.5 - 2 + 8 / 32)
    )
    kept = crop_scan([volume], BOX)
    np.testing.assert_allclose(kept.frame.spacing_mm, (14 / 8,) * 3)
    middle = positions(kept.frame, kept.frame.shape).reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(middle, (16.5, 14.5, 22.5))
    assert kept.cut_off == stretched.cut_off == 0
    again = kept.as_volume()
    np.testing.assert_array_equal(again.voxels, kept.values[0])
    assert again.mask("view").any() and again.origin_mm == kept.frame.origin_mm


def blocks() -> Volume:
    """Slices of one intensity each, with a region that is widest in the slice 6."""
    tumour = np.zeros((10, 30, 30), dtype=np.uint8)
    for z, reach in {4: 2, 5: 4, 6: 5, 7: 4}.items():
        tumour[z, 14 - reach : 15 + reach, 14 - reach : 15 + reach] = 1
    voxels = np.broadcast_to(100.0 * np.arange(10)[:, None, None], tumour.shape).copy()
    voxels += np.arange(30) / 100
    return Volume(voxels, {"tumour": tumour}, (4.0, 1.0, 1.0))


@pytest.mark.parametrize(("count", "shown"), [(2, [5, 6]), (3, [5, 6, 7]), (5, [4, 5, 6, 7, 8])])
def test_slices_lie_around_the_largest(count: int, shown: list[int]):
    volume = blocks()
    one = crop_scan([volume], SLICE)
    assert np.round(unscaled(one.values).mean() / 100) == 6
    several = replace(SLICE, view="slices", slices=count)
    found = crop_scan([volume], several)
    assert np.round(unscaled(found.values[0]).mean(axis=(1, 2)) / 100).tolist() == shown
    together = crop_scan([volume], replace(several, view="slices_as_channels"))
    assert together.values.shape == (count, 1, 12, 16)
    np.testing.assert_array_equal(together.values[:, 0], found.values[0])
    np.testing.assert_allclose(together.frame.origin_mm, one.frame.origin_mm)
    np.testing.assert_array_equal(together.inside, one.inside)


def test_slices_may_lie_further_apart_than_the_scans():
    settings = replace(SLICE, view="slices", slices=3, spacing_mm=(8, 0, 0))
    found = crop_scan([blocks()], settings)
    assert found.frame.spacing_mm == (8, 1, 1)
    assert np.round(unscaled(found.values[0]).mean(axis=(1, 2)) / 100).tolist() == [4, 6, 8]


def test_what_juts_out_of_a_view_of_fixed_voxels_is_counted():
    settings = replace(SLICE, spacing_mm=(0, 1, 1), size=(11, 5))
    assert crop_scan([blocks()], settings).cut_off == pytest.approx(6 / 11)
    assert crop_scan([blocks()], replace(settings, size=(11, 11))).cut_off == 0


def test_coarse_views_average_and_do_not_pick():
    tumour = np.zeros((24, 24, 24), dtype=np.uint8)
    tumour[4:20, 4:20, 4:20] = 1
    noise = np.random.default_rng(0).normal(0, 100, tumour.shape)
    volume = Volume(noise, {"tumour": tumour}, (1.0, 1.0, 1.0))
    coarse = unscaled(crop_scan([volume], replace(BOX, size=(5, 5, 5), margin_mm=0)).values)
    assert coarse.std() < 0.25 * noise.std()
    step = replace(volume, voxels=np.where(np.arange(24) < 12, -100.0, 100.0) + 0 * noise)
    seen = unscaled(crop_scan([step], replace(BOX, size=(4, 4, 4), margin_mm=0)).values)
    np.testing.assert_allclose(seen.mean(), 0, atol=1e-3)


def test_beyond_the_scan_is_its_lowest_value():
    volume = tilted()
    settings = replace(BOX, spacing_mm=(6, 6, 6), size=(12, 12, 12))
    crop = crop_scan([volume], settings)
    at = positions(crop.frame, crop.frame.shape)
    x, y, z = np.moveaxis(at, -1, 0)
    outside = (x < -37) | (x > 24) | (y < 14) | (y > 81) | (z < -12) | (z > 61)
    assert 0.1 < outside.mean() < 0.95
    np.testing.assert_allclose(
        unscaled(crop.values[0][outside]), volume.voxels.min(), rtol=0, atol=1e-3
    )


def test_phases_are_read_at_the_same_places():
    first = tilted()
    second = tilted((30, 40, 44), (1.4, 1.1, 1.2), origin=(-30, 25, 0))
    second = reordered(replace(second, voxels=2 * second.voxels, masks={}), (1, 2, 0), (-1, 1, -1))
    settings = replace(BOX, phases=("arterial", "portal"))
    crop = crop_scan([first, second], settings)
    assert crop.values.shape == (2, 8, 12, 16)
    at = positions(crop.frame, crop.frame.shape)
    np.testing.assert_allclose(unscaled(crop.values[1]), 2 * at @ SLOPE, rtol=0, atol=3e-3)
    with pytest.raises(AlignmentError, match=r"expected 2 volume\(s\), one a phase; found 1"):
        crop_scan([first], settings)


def test_a_phase_in_ras_is_not_mistaken_for_one_in_lps():
    first = tilted()
    x, y, z = first.origin_mm
    mirrored = replace(first, origin_mm=(-x, -y, z))
    with pytest.raises(GeometryError, match="the portal phase to show the region; found 0%"):
        crop_scan([first, mirrored], replace(BOX, phases=("arterial", "portal")))


def test_intensities_by_region_image_and_liver():
    rng = np.random.default_rng(1)
    volume = tilted()
    liver = np.zeros(volume.voxels.shape, dtype=np.uint8)
    liver[3:20, 5:40, 5:55] = 1
    volume = replace(
        volume,
        voxels=rng.normal(60, 10, liver.shape) + 40.0 * volume.mask("tumour"),
        masks={**volume.masks, "liver": liver},
    )
    raw = unscaled(crop_scan([volume], BOX).values)

    def scaled(how: str) -> np.ndarray:
        return crop_scan([volume], replace(BOX, window=None, normalise=how)).values

    region = crop_scan([volume], replace(BOX, window=None, normalise="region"))
    chosen = region.values[0][region.inside]
    np.testing.assert_allclose((chosen.mean(), chosen.std()), (0, 1), atol=1e-5)
    mean, deviation = image_statistics(volume.voxels)
    np.testing.assert_allclose(scaled("image"), (raw - mean) / deviation, atol=1e-4)
    mean, deviation = organ_statistics(volume, organ="liver", without=("tumour",))
    np.testing.assert_allclose(scaled("liver"), (raw - mean) / deviation, atol=1e-4)
    narrow = crop_scan([volume], replace(BOX, window=(50.0, 70.0))).values
    np.testing.assert_allclose(narrow, np.clip((raw - 50) / 20, 0, 1), atol=1e-4)


def test_a_masked_ring_does_not_show_its_tumour():
    volume = tilted((28, 40, 44), (1.5, 1.0, 1.0), origin=(-28, 28, 4))
    other = replace(volume, voxels=volume.voxels + 300.0 * volume.mask("tumour"))
    settings = replace(BOX, masked=True, lesions="union", size=(24, 24, 24), margin_mm=1)
    found, same = (crop_scan([v], settings, region="tumour_ring_4mm") for v in (volume, other))
    assert not found.values[0][~found.inside].any()
    ring = found.inside & (np.abs(found.values[0] - same.values[0]) < 1e-3)
    assert ring.sum() > 0.6 * found.inside.sum()  # the border voxels share with the tumour
    open_view = [crop_scan([v], replace(settings, masked=False)) for v in (volume, other)]
    assert np.abs(open_view[0].values - open_view[1].values).max() > 0.1


def test_what_cannot_be_seen_is_refused():
    volume = tilted()
    flat = replace(volume, voxels=np.full(volume.voxels.shape, 5.0))
    with pytest.raises(GeometryError, match="varying intensity; found 0.5025 everywhere"):
        crop_scan([flat], BOX)
    with pytest.raises(GeometryError, match="varying intensity; found 0 everywhere"):
        crop_scan([volume], replace(BOX, window=(5000, 6000)))
    with pytest.raises(UnknownNameError, match="tumor"):
        crop_scan([volume], BOX, region="tumor")
    with pytest.raises(UnknownNameError, match="liver"):
        crop_scan([volume], replace(BOX, window=None, normalise="liver"))
    empty = replace(volume, masks={"tumour": 0 * volume.mask("tumour")})
    with pytest.raises(GeometryError, match="empty mask"):
        crop_scan([empty], BOX)
    speck = np.zeros(volume.voxels.shape, dtype=np.uint8)
    speck[12, 22, 30] = 1
    coarse = replace(BOX, size=(2, 2, 2), spacing_mm=(30, 30, 30), masked=True)
    with pytest.raises(GeometryError, match="falls between them"):
        crop_scan([replace(volume, masks={"tumour": speck})], coarse)


def test_sampling_far_away_finds_the_lowest_value():
    volume = tilted()
    frame = crop_scan([volume], BOX).frame
    away = replace(frame, origin_mm=(5000.0, 0.0, 0.0))
    assert (sampled(volume, away) == np.float32(volume.voxels.min())).all()


@dataclass(frozen=True)
class Loader:
    seed: int = 0
    empty: bool = False

    def __call__(self) -> Volume:
        volume = tilted()
        noise = np.random.default_rng(self.seed).normal(0, 20, volume.voxels.shape)
        mask = volume.mask("tumour") * (not self.empty)
        return replace(volume, voxels=volume.voxels + noise, masks={"tumour": mask})


def patients(count: int, **phases: str) -> dict[str, list[Scan]]:
    return {
        f"P{n}": [Scan(f"P{n}", "CT", Loader(n * 10 + k), p) for k, p in enumerate(phases)]
        for n in range(count)
    }


PHASES = replace(BOX, phases=("arterial", "portal"))


@pytest.mark.parametrize("jobs", [1, 2])
def test_scan_arrays_are_the_patients_crops(jobs: int):
    scans = patients(3, portal="", arterial="", delayed="")
    found = scan_arrays(scans, PHASES, jobs=jobs)
    assert (found.patient_ids, found.channels) == (("P0", "P1", "P2"), ("arterial", "portal"))
    for n, patient in enumerate(scans):
        portal, arterial = (scan.load() for scan in scans[patient][:2])
        crop = crop_scan([arterial, portal], PHASES)
        np.testing.assert_array_equal(found.values[n], crop.values)
    assert found.spacing_mm == pytest.approx(crop.frame.spacing_mm)
    slices = replace(SLICE, view="slices", slices=3)
    single = scan_arrays({p: s[:1] for p, s in scans.items()}, slices)
    assert (single.shape, single.channels) == ((3, 12, 16), ("image",))


def test_missing_phases_are_counted_and_nobody_is_named():
    scans = patients(4, arterial="", portal="")
    scans["P1"] = scans["P1"][:1]
    scans["P3"] = [*scans["P3"], scans["P3"][0]]
    with pytest.raises(AlignmentError, match="of each of 4 patients; found") as caught:
        scan_arrays(scans, PHASES)
    assert "no portal of 1" in str(caught.value) and "2 scans of arterial of 1" in str(caught.value)
    assert "P1" not in str(caught.value)
    with pytest.raises(AlignmentError, match="one scan of each of 4 patients; found 2 scans where"):
        scan_arrays(patients(4, arterial="", portal=""), BOX)
    with pytest.raises(DataError, match="found none"):
        scan_arrays({}, BOX)


def test_empty_masks_are_counted():
    scans = {f"P{n}": [Scan(f"P{n}", "CT", Loader(n, empty=n > 1))] for n in range(4)}
    with pytest.raises(GeometryError, match="each of 4 patients; found none of 2: 2 × Geometry"):
        scan_arrays(scans, BOX)


def test_regions_that_jut_out_are_counted():
    settings = replace(BOX, spacing_mm=(1, 1, 1))
    with pytest.warns(RadiogenomicsWarning, match="juts out of 3 of 3 views"):
        scan_arrays(patients(3, arterial=""), settings)
