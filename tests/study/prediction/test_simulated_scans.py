"""Simulated cohorts whose deep blocks are shown by scans: what is a table, what scans tell."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import StudyError, UnknownNameError
from radiogenomics.core.provenance import hash_file
from radiogenomics.core.schema import parse, read_yaml
from radiogenomics.io import audit, load_cohort
from radiogenomics.simulate.phase_volumes import REGIONS
from radiogenomics.study.prediction.schema import NetworkBlock, PredictionStudy, SimulatedScans
from radiogenomics.study.prediction.simulated import design_of, seed_of_study, simulate_study
from radiogenomics.study.prediction.simulated_scans import protocols, scanned_blocks
from radiogenomics.study.registry import shipped

XU, LIN, CHEN = "xu2025_os_ct", "lin2025_dcb_ct", "chen2025_response_mri"
WITH_SCANS = (XU, LIN, CHEN, "fan2025_hcc_ct", "long2025_itls_mri")
SMALL: dict[str, Any] = {"scale": 0.01, "features": 5}
HALF: dict[str, Any] = {"scale": 0.4, "features": 5}
SCANS = {
    "voxels": {"value": [12, 12, 12], "source": "default"},
    "view": {"value": [8, 8, 8], "source": "default"},
    "size": {"value": "tiny", "source": "default"},
    "epochs": {"value": 1, "source": "default"},
    "correlation": {"value": 0.95, "source": "default"},
}


@cache
def recipe(name: str) -> PredictionStudy:
    path = shipped("analyses") / name / "study.yaml"
    return parse(PredictionStudy, read_yaml(path), where=name)


def with_scans(study: PredictionStudy, scans: SimulatedScans | None) -> PredictionStudy:
    simulation = study.simulation.model_copy(update={"scans": scans})
    return study.model_copy(update={"simulation": simulation})


def coarse(name: str, **values: Any) -> PredictionStudy:
    """A shipped recipe whose scans have few voxels."""
    return with_scans(recipe(name), parse(SimulatedScans, {**SCANS, **values}, where="scans"))


def loaded(manifest: Path) -> Cohort:
    return load_cohort(manifest, data_root=manifest.parent)


@pytest.fixture(scope="module")
def xu(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    return simulate_study(coarse(XU), tmp_path_factory.mktemp("xu"), seed=4, **SMALL)


def test_networks_have_scans_and_radiomics_have_tables(xu):
    for manifest in xu:
        assert audit(manifest, data_root=manifest.parent).ok
        cohort = loaded(manifest)
        regions = ("liver", "tumour")
        assert set(cohort.assays) == {f"{of}_{phase}" for of in regions for phase in "avd"}
        kinds = {(s.modality, s.phase, s.time_point) for s in cohort.scans}
        assert kinds == {("CT", phase, "baseline") for phase in ("arterial", "portal", "delayed")}
        assert len(cohort.scans) == 3 * len(cohort.patient_ids)
        assert {scan.patient_id for scan in cohort.scans} == set(cohort.patient_ids)
        volume = cohort.scans[0].load()
        assert volume.voxels.shape == (12, 12, 12) and set(volume.masks) == set(REGIONS)
        truth = pd.read_csv(manifest.parent / "truth.csv", index_col="patient_id")
        assert {"score_network_1", "score_network_2", "score_network_3"} < set(truth)


def test_the_same_seed_gives_the_same_scans_by_any_number_of_processes(xu, tmp_path):
    again = simulate_study(coarse(XU), tmp_path / "again", seed=4, jobs=2, **SMALL)
    for one, other in zip(xu, again, strict=True):
        files = sorted(path for path in one.parent.rglob("*") if path.is_file())
        assert sum(path.suffix == ".gz" for path in files) > 100
        for file in files:
            assert hash_file(file) == hash_file(other.parent / file.relative_to(one.parent))


def test_another_seed_is_of_other_patients_and_says_so(xu, tmp_path):
    other = simulate_study(coarse(XU), tmp_path, seed=5, **SMALL)
    for one, new in zip(xu, other, strict=True):
        assert (one.parent / "patients.csv").read_text() != (
            new.parent / "patients.csv"
        ).read_text()
        assert "seed 4\n" in one.read_text("utf-8") and "seed 5\n" in new.read_text("utf-8")


def test_two_studies_of_one_design_have_other_patients(xu, tmp_path):
    """One draw would otherwise stand for two studies in a gallery."""
    renamed = coarse(XU).model_copy(update={"study": "another"})
    twin = simulate_study(renamed, tmp_path, seed=4, **SMALL)
    one, other = (pd.read_csv(found[0].parent / "truth.csv") for found in (xu, twin))
    assert len(one) == len(other)
    assert not np.isclose(one["score"], other["score"]).any()
    assert not set(one["patient_id"]) & set(other["patient_id"])
    assert seed_of_study("another", 4) != seed_of_study(XU, 4) != seed_of_study(XU, 5)


def textures(manifest: Path) -> tuple[pd.Series, pd.Series]:
    """Spread of HU within each patient's lesions, and what both deep blocks carry."""
    cohort, spreads = loaded(manifest), {}
    for scan in cohort.scans:
        volume = scan.load()
        spreads[scan.patient_id] = float(volume.voxels[volume.masks["tumour"] > 0].std())
    truth = pd.read_csv(manifest.parent / "truth.csv", index_col="patient_id")
    return pd.Series(spreads)[truth.index], truth["score_deep_a"] + truth["score_deep_b"]


def test_lesions_show_what_deep_blocks_carry_and_nothing_without_the_effect(tmp_path):
    study = coarse(LIN, voxels={"value": [24, 24, 24], "source": "default"})
    shown, *_ = simulate_study(study, tmp_path / "shown", **HALF)
    spread, score = textures(shown)
    found = spearmanr(spread, score)
    assert len(score) == 64 and found.statistic > 0 and found.pvalue < 1e-3
    hidden, *_ = simulate_study(study, tmp_path / "hidden", effect=False, **HALF)
    spread, score = textures(hidden)
    assert spearmanr(spread, score).pvalue > 0.01


@pytest.mark.parametrize("name", WITH_SCANS)
def test_every_phase_of_a_shipped_recipe_can_be_simulated(name):
    study = recipe(name)
    shown = scanned_blocks(study)
    assert set(shown) == {n for n, b in study.blocks.items() if b.kind in ("deep", "network")}
    (protocol,) = protocols(shown, study.simulation.scans)
    asked = [
        phase
        for block in shown.values()
        for phase in (
            block.phases.value if isinstance(block, NetworkBlock) else (block.phase.value,)
        )
    ]
    assert protocol.phases == tuple(dict.fromkeys(asked))
    assert protocol.modality == next(iter(shown.values())).modality.value
    assert protocol.shape == study.simulation.scans.voxels.value
    design = design_of(study, scale=0.1, features=5)
    assert {len(design.images[name].variables) for name in shown} == {1}
    assert not any(design.images[name].reread for name in shown)


def test_two_modalities_have_a_protocol_each():
    ct, mr = scanned_blocks(recipe(LIN)), scanned_blocks(recipe(CHEN))
    found = protocols({**ct, **mr}, recipe(LIN).simulation.scans)
    assert [(each.modality, each.phases) for each in found] == [
        ("CT", ("arterial",)),
        ("MR", ("arterial", "portal", "T2")),
    ]


def changed(study: PredictionStudy, block: str, **values: Any) -> PredictionStudy:
    old = study.blocks[block]
    new = {name: getattr(old, name).model_copy(update={"value": v}) for name, v in values.items()}
    return study.model_copy(update={"blocks": {**study.blocks, block: old.model_copy(update=new)}})


@pytest.mark.parametrize(
    ("made", "error", "said"),
    [
        (lambda: with_scans(recipe(CHEN), None), StudyError, "expected simulation: scans.*slices"),
        (
            lambda: changed(recipe(LIN), "deep_b", time_point="follow-up"),
            StudyError,
            "of baseline scans, which can be simulated; found later ones of deep_b",
        ),
        (
            lambda: changed(recipe(LIN), "deep_a", phase="T2"),
            UnknownNameError,
            "unknown phase of simulated CT 'T2'",
        ),
        (
            lambda: changed(recipe(CHEN), "slices", modality="US"),
            UnknownNameError,
            "unknown modality of the simulation 'US'",
        ),
    ],
)
def test_what_no_scan_can_show_is_refused(
    made: Callable[[], PredictionStudy], error: type[Exception], said: str, tmp_path: Path
):
    with pytest.raises(error, match=said):
        simulate_study(made(), tmp_path / "out", **SMALL)


def test_without_simulated_scans_deep_blocks_are_tables(tmp_path):
    manifests = simulate_study(with_scans(recipe(LIN), None), tmp_path, **SMALL)
    for manifest in manifests:
        cohort = loaded(manifest)
        assert set(cohort.assays) == {"radiomic", "deep_a", "deep_b"} and not cohort.scans
        assert list(cohort.assay("deep_a").values.columns)[:2] == ["deep_0001", "deep_0002"]
