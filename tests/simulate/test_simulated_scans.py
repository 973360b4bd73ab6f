from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, stats

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.simulate import HCCModel, SimulatedHCC, hcc_cohort
from radiogenomics.simulate.appearance import Appearance, appearances, draw_appearance
from radiogenomics.simulate.latents import draw_latents
from radiogenomics.simulate.scanner import site_scanner
from radiogenomics.simulate.volumes import VolumeLoader

EVERYTHING = ("arterial", "portal"), ("baseline", "follow-up")
MODEL = HCCModel()


@pytest.fixture(scope="module")
def simulated() -> SimulatedHCC:
    phases, times = EVERYTHING
    return hcc_cohort(
        12, phases=phases, time_points=times, n_genes=160, rng=np.random.default_rng(11)
    )


def scan_of(simulated: SimulatedHCC, patient: str, phase: str, time_point: str) -> Scan:
    (found,) = (
        scan
        for scan in simulated.cohort.scans
        if (scan.patient_id, scan.phase, scan.time_point) == (patient, phase, time_point)
    )
    return found


def lesion_look(**changes: float) -> Appearance:
    look = Appearance(
        lesions=1,
        diameter_mm=45.0,
        heterogeneity_hu=1.0,
        texture_mm=6.0,
        enhancement_hu=26.0,
        rim_hu=0.1,
        core_fraction=1e-6,
        liver_hu=66.0,
        size_after=1.0,
        viable_after=True,
    )
    return replace(look, **changes)


def load(look: Appearance, *, noise: float = 0.0, **changes: str | int) -> Volume:
    scanner = replace(site_scanner("A", "CT", MODEL.scanner), noise=noise, offset=0.0)
    arguments = {"seed": 5, "patient": 0, "phase": "arterial", "time_point": "baseline"} | changes
    return VolumeLoader(appearance=look, scanner=scanner, anatomy=MODEL.anatomy, **arguments)()


def statistics(volume: Volume) -> dict[str, float]:
    """Lesions after centring and scaling by the liver outside them."""
    tumour = volume.masks["tumour"] > 0
    liver = volume.voxels[(volume.masks["liver"] > 0) & ~tumour].astype(float)
    inside = (volume.voxels[tumour] - liver.mean()) / liver.std()
    return {"sd": inside.std(), "voxels": tumour.sum(), "mean": inside.mean()}


def test_volumes_are_livers_with_lesions(simulated: SimulatedHCC) -> None:
    for scan in simulated.cohort.scans[::4]:
        volume = scan.load()
        tumour, liver = volume.masks["tumour"], volume.masks["liver"]
        assert volume.voxels.dtype == np.int16
        assert volume.spacing_mm == (4.0, 3.0, 3.0)
        assert scan.regions == ("liver", "tumour")
        assert (liver[tumour > 0] == 1).all()
        assert set(np.unique(liver)) == {0, 1}
        litres = liver.sum() * np.prod(volume.spacing_mm) / 1e6
        assert 0.7 < litres < 1.8
        _, pieces = ndimage.label(liver)
        assert pieces == 1
        numbers = np.unique(tumour[tumour > 0])
        assert list(numbers) == list(range(1, len(numbers) + 1))
        assert len(numbers) == simulated.truth.loc[scan.patient_id, "lesions"]
        sizes = np.bincount(tumour.ravel())[1:]
        assert sizes[0] == sizes.max()
        assert 50 < sizes[0] < 12_000
        parenchyma = volume.voxels[(liver > 0) & (tumour == 0)]
        assert 40 < parenchyma.mean() < 95


def test_centre_of_the_grid_is_the_origin_of_space(simulated: SimulatedHCC) -> None:
    volume = simulated.cohort.scans[0].load()
    middle = (np.array(volume.voxels.shape) - 1) / 2 * np.array(volume.spacing_mm)
    np.testing.assert_allclose(np.array(volume.origin_mm)[::-1] + middle, 0)


def test_same_call_same_voxels_also_elsewhere(simulated: SimulatedHCC) -> None:
    scan = simulated.cohort.scans[3]
    first, again = scan.load(), pickle.loads(pickle.dumps(scan.loader))()
    np.testing.assert_array_equal(first.voxels, again.voxels)
    np.testing.assert_array_equal(first.masks["tumour"], again.masks["tumour"])
    other = simulated.cohort.scans[2].load()
    assert (first.voxels != other.voxels).mean() > 0.5


def test_phases_share_places_and_differ_in_contrast(simulated: SimulatedHCC) -> None:
    contrasts = []
    for patient in simulated.cohort.patient_ids:
        arterial, portal = (
            scan_of(simulated, patient, phase, "baseline").load() for phase in EVERYTHING[0]
        )
        for region in ("liver", "tumour"):
            np.testing.assert_array_equal(arterial.masks[region], portal.masks[region])
        contrasts.append([_contrast(arterial), _contrast(portal)])
    arterial_hu, portal_hu = np.mean(contrasts, axis=0)
    assert arterial_hu > 10 > -5 > portal_hu


def test_follow_up_shows_the_response() -> None:
    made = hcc_cohort(
        40, time_points=("baseline", "follow-up"), n_genes=160, rng=np.random.default_rng(2)
    )
    category = made.cohort.response("response").category
    change = pd.Series(
        {
            patient: _size(scan_of(made, patient, "arterial", "follow-up"))
            / _size(scan_of(made, patient, "arterial", "baseline"))
            for patient in made.cohort.patient_ids
        }
    )
    assert change[category == "PR"].max() < 0.85**3
    assert change[category == "PD"].min() > 1.15
    shown = lesion_look(size_after=0.7, viable_after=False)
    assert _contrast(load(shown)) > 20
    assert _contrast(load(shown, time_point="follow-up")) < -15


def test_traits_reach_the_pixels() -> None:
    plain, base = lesion_look(), statistics(load(lesion_look()))
    assert statistics(load(replace(plain, heterogeneity_hu=30.0)))["sd"] > 2 * base["sd"]
    assert statistics(load(replace(plain, diameter_mm=60.0)))["voxels"] == pytest.approx(
        base["voxels"] * (60 / 45) ** 3, rel=0.1
    )
    assert base["voxels"] * 36 == pytest.approx(np.pi / 6 * 45**3, rel=0.15)
    # Half a voxel of point spread takes a little of the contrast at the border.
    assert _contrast(load(plain)) == pytest.approx(26.0, abs=3.0)

    def border_and_middle(look: Appearance) -> tuple[float, float]:
        volume = load(look)
        depth = ndimage.distance_transform_edt(
            volume.masks["tumour"] > 0, sampling=volume.spacing_mm
        )
        border = volume.voxels[(depth > 0) & (depth < 5)].mean()
        return border, volume.voxels[depth > 14].mean()

    rim, middle = border_and_middle(replace(plain, rim_hu=40.0))
    border, same = border_and_middle(plain)
    assert rim > border + 10
    assert middle == pytest.approx(same, abs=2.0)
    edge, core = border_and_middle(replace(plain, core_fraction=0.3))
    assert core == pytest.approx(MODEL.anatomy.core_hu, abs=8.0)
    assert edge == pytest.approx(border, abs=4.0)


def test_site_sets_the_noise() -> None:
    noise = {}
    for site in ("A", "B"):
        scanner = site_scanner(site, "CT", MODEL.scanner)
        arguments = {
            "seed": 5,
            "patient": 0,
            "appearance": lesion_look(),
            "anatomy": MODEL.anatomy,
            "phase": "arterial",
            "time_point": "baseline",
        }
        with_noise = VolumeLoader(scanner=scanner, **arguments)().voxels
        without = VolumeLoader(scanner=replace(scanner, noise=0.0), **arguments)().voxels
        noise[site] = (with_noise - without).std()
        assert noise[site] == pytest.approx(scanner.noise, rel=0.02)
    assert abs(np.log(noise["A"] / noise["B"])) > 0.2


def test_mr_shows_the_same_patients_on_another_scale() -> None:
    ct, mr = (
        hcc_cohort(6, modality=modality, n_genes=160, rng=np.random.default_rng(4))
        for modality in ("CT", "MR")
    )
    pd.testing.assert_frame_equal(ct.truth, mr.truth)
    for one, other in zip(ct.cohort.scans, mr.cohort.scans, strict=True):
        ct_volume, mr_volume = one.load(), other.load()
        assert other.modality == "MR"
        np.testing.assert_array_equal(ct_volume.masks["tumour"], mr_volume.masks["tumour"])
        assert mr_volume.voxels.min() >= 0
        assert mr_volume.voxels.mean() > 3 * ct_volume.voxels.mean()


def test_mr_without_noise_is_monotone_and_not_linear_in_hu() -> None:
    ct_scanner = replace(site_scanner("A", "CT", MODEL.scanner), noise=0.0, offset=0.0)
    mr_scanner = replace(
        site_scanner("A", "MR", MODEL.scanner), noise=0.0, bias=0.0, blur_mm=ct_scanner.blur_mm
    )
    hu, mr = (
        VolumeLoader(
            5, 0, lesion_look(enhancement_hu=80.0), scanner, MODEL.anatomy, "arterial", "baseline"
        )()
        .voxels.ravel()
        .astype(float)
        for scanner in (ct_scanner, mr_scanner)
    )
    mean = pd.Series(mr).groupby(hu).mean()
    assert mean.is_monotonic_increasing
    assert np.polyfit(mean.index, mean, 2)[0] < 0
    slope = np.diff(np.interp([20, 40, 120, 140], mean.index, mean))
    assert slope[0] > 1.2 * slope[2]


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_measured_texture_and_size_follow_proliferation(modality: str) -> None:
    made = hcc_cohort(120, modality=modality, n_genes=160, rng=np.random.default_rng(6))
    measured = pd.DataFrame([statistics(scan.load()) for scan in made.cohort.scans])
    for name in ("sd", "voxels"):
        found = stats.spearmanr(measured[name], made.truth["proliferation"])
        assert found.pvalue < 0.001
        assert 0.2 < found.statistic < 0.75


def test_without_effect_measured_images_tell_nothing() -> None:
    correlations = []
    for seed in range(3):
        made = hcc_cohort(60, effect=0.0, n_genes=160, rng=np.random.default_rng(40 + seed))
        measured = pd.DataFrame([statistics(scan.load()) for scan in made.cohort.scans])
        gene = made.cohort.assay("rna").per_patient()["KPNA2"].to_numpy()
        event = made.cohort.survival("OS").time.to_numpy()
        for truth in (gene, event, made.truth["proliferation"], made.truth["immune"]):
            correlations.append([stats.spearmanr(measured[name], truth)[0] for name in measured])
    z = np.array(correlations) * np.sqrt(59)
    assert np.abs(z).max() < 3.6
    # Correlated values: the mean square has about a third of the degrees of freedom.
    assert (z**2).mean() < stats.chi2(12).ppf(0.999) / 12


def test_without_effect_the_latents_change_no_lesion() -> None:
    """Exact: the same generator gives the same lesions to other tumours."""
    ids = pd.RangeIndex(50)
    response = pd.Series("SD", index=ids)
    one, other = (
        draw_appearance(
            draw_latents(ids, MODEL.latents, np.random.default_rng(seed)),
            response,
            constants=MODEL.appearance,
            effect=effect,
            rng=np.random.default_rng(9),
        )
        for seed, effect in ((1, 0.0), (2, 0.0))
    )
    pd.testing.assert_frame_equal(one, other)


def test_crowded_liver_still_holds_every_lesion() -> None:
    """The largest trait values a cohort of thousands may draw."""
    for patient in range(10):
        crowded = lesion_look(lesions=4, diameter_mm=200.0, size_after=1.6)
        for time_point in ("baseline", "follow-up"):
            volume = load(crowded, patient=patient, time_point=time_point)
            assert set(np.unique(volume.masks["tumour"])) == {0, 1, 2, 3, 4}


def test_tiny_lesion_keeps_a_voxel() -> None:
    volume = load(lesion_look(size_after=0.02), time_point="follow-up")
    assert volume.masks["tumour"].sum() == 1


def test_appearance_table_becomes_records(simulated: SimulatedHCC) -> None:
    first = appearances(simulated.truth[list(Appearance.__dataclass_fields__)])[0]
    assert first.diameter_mm == simulated.truth["diameter_mm"].iloc[0]


def test_unknown_device_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="PET"):
        site_scanner("A", "PET", MODEL.scanner)


def _contrast(volume: Volume) -> float:
    tumour = volume.masks["tumour"] > 0
    liver = volume.masks["liver"] > 0
    return float(volume.voxels[tumour].mean() - volume.voxels[liver & ~tumour].mean())


def _size(scan: Scan) -> int:
    return int((scan.load().masks["tumour"] > 0).sum())
