from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from radiogenomics.core.errors import AlignmentError, GeometryError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.simulate.phase_volumes import PHASE_LOOKS, build_anatomy, phase_hu
from radiogenomics.simulate.planted_shapes import (
    Grid,
    liver_grid,
    liver_shape,
    spectrum,
    whole_grid,
)
from radiogenomics.simulate.planted_traits import (
    SEEN_IN,
    PlantedDesign,
    PlantedLook,
    PlantedTraits,
    planted_traits,
)
from radiogenomics.simulate.planted_volumes import PlantedPatients, ScanProtocol, planted_volume

CT = ("arterial", "portal", "delayed")
MR = (*CT, "T2")
LOOK = PlantedLook(
    rim_hu=22.0,
    heterogeneity_hu=15.0,
    washout_hu=30.0,
    diameter_mm=60.0,
    irregularity=0.12,
    satellites=2,
    enhancement_hu=32.0,
    texture_mm=7.0,
    core_fraction=0.02,
    liver_hu=0.0,
    growth=0.1,
)


def tissue(look: PlantedLook, grid: Grid, *phases: str, patient: int = 4) -> list[np.ndarray]:
    anatomy = build_anatomy(look, grid, liver_shape(1, patient), seed=1, patient=patient)
    return [phase_hu(anatomy, look, phase) for phase in phases]


def measured(phases: dict[str, Volume]) -> dict[str, float]:
    """What could be measured by hand: nothing but voxels and masks are read."""
    one = phases["arterial"]
    main, voxel = one.masks["tumour"] == 1, float(np.prod(one.spacing_mm))
    liver = (one.masks["liver"] > 0) & (one.masks["tumour"] == 0)
    hu = {phase: volume.voxels.astype(float) for phase, volume in phases.items()}
    depth = ndimage.distance_transform_edt(main, sampling=one.spacing_mm)
    rim, core = main & (depth < 8.5), main & (depth >= min(12.0, 0.6 * depth.max()))
    faces = sum(
        np.abs(np.diff(np.pad(main, 1).astype(int), axis=axis)).sum() / one.spacing_mm[axis]
        for axis in range(3)
    )
    volume = main.sum() * voxel
    return {
        "rim": np.log(max(hu["arterial"][rim].mean() - hu["arterial"][core].mean() + 20, 3)),
        "heterogeneity": np.log(hu["portal"][main].std()),
        "washout": hu["delayed"][liver].mean() - hu["delayed"][main].mean(),
        "size": np.log(volume),
        "irregularity": np.log(faces * voxel / volume ** (2 / 3)),
        "satellites": one.masks["tumour"].max() - 1,
    }


def cohort(
    size: int, *, effect: bool = True, seed: int = 1
) -> tuple[np.ndarray, PlantedTraits, pd.DataFrame]:
    scores = np.random.default_rng(seed).standard_normal(size)
    traits = planted_traits(scores, range(size), seed=seed, design=PlantedDesign(effect=effect))
    sites = pd.Series(np.resize(["A", "B", "C"], size), index=traits.looks.index)
    scans = PlantedPatients(seed, traits.looks, sites).scans(ScanProtocol())
    rows = [
        measured({scan.phase: scan.load() for scan in scans[start : start + 3]})
        for start in range(0, len(scans), 3)
    ]
    return scores, traits, pd.DataFrame(rows)


def out_of_fold(table: pd.DataFrame, target: np.ndarray, folds: int = 10) -> float:
    """Correlation of the target with a linear reading that was learnt on other patients."""
    design = np.c_[np.ones(len(table)), table]
    fold = np.arange(len(table)) % folds
    read = np.empty(len(table))
    for k in range(folds):
        learnt = np.linalg.lstsq(design[fold != k], target[fold != k], rcond=None)[0]
        read[fold == k] = design[fold == k] @ learnt
    return float(np.corrcoef(read, target)[0, 1])


def test_measurements_by_hand_read_the_score_nearly_as_well_as_the_true_traits() -> None:
    scores, traits, table = cohort(150)
    for trait in table:
        assert np.corrcoef(table[trait], traits.latents[trait])[0, 1] > 0.6, trait
        assert np.corrcoef(table[trait], scores)[0, 1] > 0.25, trait
    # The ceiling is 0.9; 32 voxels and the noise take some of it.
    assert 0.75 < out_of_fold(table, scores) < 0.93


def test_without_effect_measurements_say_nothing() -> None:
    scores, traits, table = cohort(80, effect=False)
    for trait in table:
        assert abs(np.corrcoef(table[trait], scores)[0, 1]) < 4 / np.sqrt(80), trait
    assert np.corrcoef(table["size"], traits.latents["size"])[0, 1] > 0.9


@pytest.mark.parametrize("trait", [trait for trait, _ in SEEN_IN])
def test_traits_are_painted_where_radiology_sees_them_and_nowhere_else(trait: str) -> None:
    changed = {
        "rim": {"rim_hu": 40.0},
        "heterogeneity": {"heterogeneity_hu": 30.0},
        "washout": {"washout_hu": 60.0},
        "size": {"diameter_mm": 80.0},
        "irregularity": {"irregularity": 0.25},
        "satellites": {"satellites": 4},
    }[trait]
    grid = whole_grid((24, 24, 24))
    before = tissue(LOOK, grid, *PHASE_LOOKS)
    after = tissue(replace(LOOK, **changed), grid, *PHASE_LOOKS)
    seen = {
        phase
        for phase, one, other in zip(PHASE_LOOKS, before, after, strict=True)
        if np.abs(one - other).max() > 1e-3
    }
    assert seen == set(dict(SEEN_IN)[trait])


def test_phases_and_modalities_share_one_anatomy() -> None:
    scans = {("CT", p): planted_volume(0.5, seed=2, patient="x", phase=p) for p in CT}
    scans |= {
        ("MR", p): planted_volume(0.5, seed=2, patient="x", modality="MR", phase=p) for p in MR
    }
    first = scans["CT", "arterial"]
    for volume in scans.values():
        for region in ("liver", "spleen", "tumour"):
            np.testing.assert_array_equal(volume.masks[region], first.masks[region])
        assert volume.spacing_mm == first.spacing_mm
    voxels = [volume.voxels for volume in scans.values()]
    assert all((one != other).mean() > 0.5 for one, other in zip(voxels, voxels[1:], strict=False))


def test_organs_have_their_place_and_size() -> None:
    for patient in range(12):
        volume = planted_volume(0.0, seed=3, patient=patient, shape=(40, 44, 56))
        assert volume.spacing_mm == (5.0, 5.0, 5.0)
        liver, spleen, tumour = (volume.masks[r] for r in ("liver", "spleen", "tumour"))
        assert 1.2 < liver.sum() * 125e-6 < 2.4
        assert 0.07 < spleen.sum() * 125e-6 < 0.25
        assert 160 < np.ptp(np.flatnonzero(liver.any(axis=(0, 1)))) * 5 < 230
        assert not (liver & spleen).any()
        assert (liver[tumour > 0] == 1).all()
        assert ndimage.label(liver)[1] == 1
        # LPS: the liver lies on the right, at negative x, the spleen on the left.
        assert np.argwhere(liver)[:, 2].mean() < 28 < np.argwhere(spleen)[:, 2].mean()
        edges = np.concatenate([liver[[0, -1]].ravel(), liver[..., [0, -1]].ravel()])
        assert not edges.any()


def test_grid_is_centred_and_its_spacing_follows_the_shape() -> None:
    small, large = whole_grid((32, 32, 32)), whole_grid((64, 64, 64))
    np.testing.assert_allclose(np.array(small.spacing_mm) / 2, large.spacing_mm)
    for grid in (small, large):
        np.testing.assert_allclose([axis.mean() for axis in grid.axes], 0, atol=1e-4)
        assert grid.origin_mm == tuple(float(axis[0]) for axis in grid.axes[::-1])


def test_same_patient_on_a_finer_grid() -> None:
    (coarse,), (fine,) = (tissue(LOOK, whole_grid((size,) * 3), "arterial") for size in (32, 64))
    pooled = fine.reshape(32, 2, 32, 2, 32, 2).mean(axis=(1, 3, 5))
    assert np.corrcoef(coarse.ravel(), pooled.ravel())[0, 1] > 0.98
    litres = [
        [(mask > 0).sum() * np.prod(v.spacing_mm) for mask in v.masks.values()]
        for v in (planted_volume(1.0, seed=1, patient=4, shape=(n,) * 3) for n in (32, 64))
    ]
    np.testing.assert_allclose(*litres, rtol=0.08)


def test_box_of_the_liver_shows_what_the_whole_scan_shows() -> None:
    liver = liver_shape(1, 4)
    whole, box = whole_grid((64, 64, 64)), liver_grid(liver, (32, 32, 32))
    (seen,), (boxed,) = tissue(LOOK, whole, "delayed"), tissue(LOOK, box, "delayed")
    places = [
        (axis - start[0]) / step
        for axis, start, step in zip(box.axes, whole.axes, whole.spacing_mm, strict=True)
    ]
    there = ndimage.map_coordinates(seen, np.meshgrid(*places, indexing="ij"), order=1)
    assert np.corrcoef(there.ravel(), boxed.ravel())[0, 1] > 0.97
    inside = build_anatomy(LOOK, box, liver, seed=1, patient=4).liver
    for axis in range(3):
        extent = np.ptp(np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))) + 1
        assert 25 <= extent <= 32


def test_random_fields_have_the_asked_variance_and_length(rng: np.random.Generator) -> None:
    axis = np.arange(0.0, 300.0, 5.0, dtype=np.float32)
    covariance = []
    for _ in range(30):
        field = spectrum(10.0, rng).over((axis, axis[:8], axis[:8]))
        covariance.append([(field**2).mean(), (field[2:] * field[:-2]).mean()])
    # Two steps of 5 mm are one length: exp(−1/2).
    np.testing.assert_allclose(np.mean(covariance, axis=0), [1.0, np.exp(-0.5)], atol=0.06)


def test_field_on_a_grid_is_the_field_at_its_points(rng: np.random.Generator) -> None:
    waves = spectrum(12.0, rng)
    axes = tuple(np.linspace(-40, 40, n).astype(np.float32) for n in (3, 4, 5))
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    np.testing.assert_allclose(waves.over(axes), waves.at(points), atol=2e-4)


def test_bumps_leave_the_mean_volume_alone() -> None:
    def litres(irregularity: float) -> float:
        look = replace(LOOK, irregularity=irregularity, satellites=0)
        grid = whole_grid((40, 40, 40))
        sizes = [
            build_anatomy(look, grid, liver_shape(1, n), seed=1, patient=n).tumour.sum()
            for n in range(16)
        ]
        return float(np.mean(sizes) * np.prod(grid.spacing_mm) / (np.pi / 6 * 60.0**3))

    assert litres(0.01) == pytest.approx(1.0, abs=0.02)
    assert litres(0.2) == pytest.approx(1.0, abs=0.12)


def test_contrast_is_that_of_the_phase() -> None:
    def contrast(modality: str, phase: str) -> float:
        v = planted_volume(0.0, seed=1, patient=2, modality=modality, phase=phase)
        main, liver = v.masks["tumour"] == 1, (v.masks["liver"] > 0) & (v.masks["tumour"] == 0)
        return float(v.voxels[main].mean() - v.voxels[liver].mean()) / float(v.voxels[liver].std())

    for modality in ("CT", "MR"):
        assert contrast(modality, "arterial") > 1
        assert contrast(modality, "delayed") < -0.5
    assert contrast("MR", "T2") > 1


def test_sites_differ_in_noise_and_offset() -> None:
    scans = [planted_volume(0.0, seed=1, patient=2, site=site) for site in "ABCD"]
    body = [scan.voxels[~(scan.masks["liver"] + scan.masks["spleen"] > 0)] for scan in scans]
    assert np.ptp([values.std() for values in body]) > 1
    assert np.ptp([values.mean() for values in body]) > 1
    again = planted_volume(0.0, seed=1, patient=2, site="A")
    np.testing.assert_array_equal(again.voxels, scans[0].voxels)


def test_arrays_are_windowed_and_registered_channels() -> None:
    traits = planted_traits(np.zeros(4), list("abcd"), seed=1, design=PlantedDesign())
    sites = pd.Series("A", index=traits.looks.index)
    people = PlantedPatients(1, traits.looks, sites)
    for modality, phases in (("CT", CT), ("MR", MR)):
        arrays = people.arrays(ScanProtocol((24, 24, 24), modality, phases))
        assert arrays.values.shape == (4, len(phases), 24, 24, 24)
        assert arrays.patient_ids == tuple("abcd")
        assert arrays.channels == phases
        assert arrays.values.min() >= 0
        assert arrays.values.max() <= 1
        assert (arrays.values.std(axis=(2, 3, 4)) > 0.03).all()
        middle = arrays.values[:, :, 8:16, 8:16, 4:12].mean(axis=(0, 2, 3, 4))
        if modality == "CT":
            # Liver of 66, 108 and 90 HU between −50 and 200.
            np.testing.assert_allclose(middle, (np.array([66, 108, 90]) + 50) / 250, atol=0.08)
        else:
            np.testing.assert_allclose(middle, 0.5, atol=0.1)


def test_arrays_do_not_depend_on_the_number_of_processes_or_patients() -> None:
    traits = planted_traits([0.0, 1.0, 2.0], list("abc"), seed=1, design=PlantedDesign())
    sites = pd.Series(["A", "B", "A"], index=traits.looks.index)
    protocol = ScanProtocol((12, 12, 12))
    one = PlantedPatients(1, traits.looks, sites).arrays(protocol)
    two = PlantedPatients(1, traits.looks, sites).arrays(protocol, jobs=2)
    last = PlantedPatients(1, traits.looks[2:], sites[2:]).arrays(protocol)
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.values[2:], last.values)


def test_loader_gives_the_same_voxels_elsewhere() -> None:
    traits = planted_traits([0.0], ["a"], seed=1, design=PlantedDesign())
    people = PlantedPatients(1, traits.looks, pd.Series("A", index=traits.looks.index))
    scan = people.scans(ScanProtocol((16, 16, 16)))[1]
    assert (scan.patient_id, scan.phase, scan.regions) == (
        "a",
        "portal",
        ("liver", "spleen", "tumour"),
    )
    again = pickle.loads(pickle.dumps(scan.loader))()
    np.testing.assert_array_equal(scan.load().voxels, again.voxels)
    direct = planted_volume(0.0, seed=1, patient="a", shape=(16, 16, 16), phase="portal")
    np.testing.assert_array_equal(direct.voxels, again.voxels)


@pytest.mark.parametrize("score", [-6.0, 6.0])
def test_extremes_keep_every_lesion(score: float) -> None:
    for patient in range(6):
        volume = planted_volume(score, seed=1, patient=patient, shape=(8, 8, 8))
        numbers = np.unique(volume.masks["tumour"])
        assert 1 in numbers
        assert np.isfinite(volume.voxels).all()


@pytest.mark.parametrize("shape", [(4, 32, 32), (32, 32), (32.5, 32, 32), (0, 0, 0)])
def test_impossible_shape_is_refused(shape: tuple[float, ...]) -> None:
    with pytest.raises(GeometryError, match="at least 8"):
        planted_volume(0.0, seed=1, patient=1, shape=shape)


def test_unknown_words_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="T2"):
        planted_volume(0.0, seed=1, patient=1, phase="T2")
    with pytest.raises(UnknownNameError, match="delayed"):
        planted_volume(0.0, seed=1, patient=1, phase="delaid")
    with pytest.raises(UnknownNameError, match="PET"):
        ScanProtocol(modality="PET")


def test_sites_of_others_are_refused() -> None:
    traits = planted_traits([0.0], ["a"], seed=1, design=PlantedDesign())
    with pytest.raises(AlignmentError, match="site for each"):
        PlantedPatients(1, traits.looks, pd.Series(["A"], index=["b"]))
