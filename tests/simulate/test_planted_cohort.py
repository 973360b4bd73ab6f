from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.provenance import hash_file
from radiogenomics.io.cohort import load_cohort
from radiogenomics.simulate.planted_cohort import (
    PlantedCohort,
    plant_study,
    write_planted_cohort,
    write_with_scans,
)
from radiogenomics.simulate.planted_labels import draw_labelled_scans
from radiogenomics.simulate.planted_survival import draw_survival_scans
from radiogenomics.simulate.planted_volumes import ScanProtocol
from radiogenomics.simulate.study_cohort import StudyCohort, draw_study_cohort
from radiogenomics.simulate.study_design import ImageDesign, PartDesign, StudyDesign, WordLabel

SHAPE = (16, 16, 16)


@pytest.fixture(scope="module")
def survival() -> PlantedCohort:
    return draw_survival_scans(5, shape=SHAPE, seed=4)


@pytest.fixture(scope="module")
def manifest(survival: PlantedCohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_planted_cohort(survival, tmp_path_factory.mktemp("planted") / "cohort")


def study(*, effect: bool = True) -> tuple[StudyDesign, StudyCohort]:
    design = StudyDesign(
        study="toy",
        parts={"training": PartDesign(400, 160, ("A", "B"))},
        images={
            "arterial": ImageDesign(tuple(f"a{n}" for n in range(4))),
            "portal": ImageDesign(tuple(f"p{n}" for n in range(4))),
        },
        clinical={"clinical": ("afp", "size")},
        label=WordLabel("itls", ("present",), ("absent",)),
        better=True,
        target=0.9,
        shares={"arterial": 0.5, "portal": 0.3, "clinical": 0.2},
        informative=2,
        effect=effect,
    )
    return design, draw_study_cohort(design, "training", seed=1)


def test_what_is_read_is_what_was_drawn(survival: PlantedCohort, manifest: Path) -> None:
    read = load_cohort(manifest, data_root=manifest.parent)
    assert read.simulated
    assert read.id == survival.id
    facts = survival.facts.drop(columns="site")
    pd.testing.assert_frame_equal(
        read.patients[list(facts)], facts, check_names=False, check_dtype=False, rtol=1e-5
    )
    assert (read.patients["site"] == survival.facts["site"]).all()
    for endpoint in ("OS", "PFS"):
        pd.testing.assert_frame_equal(
            read.survival(endpoint).to_frame(),
            survival.outcomes[endpoint].to_frame(),
            check_names=False,
        )


def test_scans_survive_the_files_and_look_like_their_phase(
    survival: PlantedCohort, manifest: Path
) -> None:
    """Loading warns where organs contradict the declared phase, and warnings are errors here."""
    ours = survival.patients.scans(survival.protocol)
    read = load_cohort(manifest, data_root=manifest.parent).scans
    assert len(read) == len(ours) == 15
    for one, other in zip(ours, read, strict=True):
        assert (one.patient_id, one.modality, one.phase) == (
            other.patient_id,
            other.modality,
            other.phase,
        )
        drawn, found = one.load(), other.load()
        np.testing.assert_array_equal(found.voxels, drawn.voxels)
        assert set(found.masks) == {"liver", "spleen", "tumour"}
        for region, mask in drawn.masks.items():
            np.testing.assert_array_equal(found.masks[region], mask)
        np.testing.assert_allclose(found.spacing_mm, drawn.spacing_mm)
        np.testing.assert_allclose(found.origin_mm, drawn.origin_mm, atol=1e-4)


def test_manifest_says_that_it_is_simulated_and_holds_no_truth(
    survival: PlantedCohort, manifest: Path
) -> None:
    content = yaml.safe_load(manifest.read_text("utf-8"))
    assert content["simulated"] is True
    assert "imulated" in content["title"]
    for entry in (content["patients"], content["scans"]):
        assert hash_file(manifest.parent / entry["file"]) == entry["sha256"]
    assert "truth" not in manifest.read_text("utf-8")
    columns = set(pd.read_csv(manifest.parent / "patients.csv"))
    assert not columns & set(survival.truth)
    assert {file.name for file in manifest.parent.iterdir()} == {
        "manifest.yaml",
        "patients.csv",
        "scans.csv",
        "truth.csv",
        "images",
    }


def test_classes_and_mr_are_written_too(tmp_path: Path) -> None:
    cohort = draw_labelled_scans(4, shape=SHAPE, seed=4, phases=("arterial", "T2"))
    path = write_planted_cohort(cohort, tmp_path / "mr")
    read = load_cohort(path, data_root=path.parent)
    assert (read.patients["itls"] == cohort.facts["itls"]).all()
    assert {(scan.modality, scan.phase) for scan in read.scans} == {
        ("MR", "arterial"),
        ("MR", "T2"),
    }
    assert read.scans[1].load().voxels.min() >= 0


def test_folder_with_content_is_left_alone(survival: PlantedCohort, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(DataError, match="new or empty folder"):
        write_planted_cohort(survival, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_failure_leaves_nothing_behind(
    survival: PlantedCohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("radiogenomics.simulate.write._write_nifti", fail)
    with pytest.raises(OSError, match="disk full"):
        write_planted_cohort(survival, tmp_path / "cohort")
    assert list(tmp_path.iterdir()) == []


def test_scans_of_strangers_and_none_are_refused(survival: PlantedCohort, tmp_path: Path) -> None:
    other = draw_survival_scans(4, shape=SHAPE, seed=5)
    for scans in (other.patients.scans(other.protocol), ()):
        with pytest.raises(DataError, match="scans of its patients"):
            write_with_scans(survival.tables, scans, tmp_path / "cohort")
    assert list(tmp_path.iterdir()) == []


def test_study_patients_get_lesions_that_show_what_their_blocks_carry() -> None:
    design, cohort = study()
    people = plant_study(design, cohort, ("arterial", "portal"), seed=2)
    assert (people.sites == cohort.facts["site"]).all()
    weights = np.sqrt([0.5, 0.3]) / np.sqrt(0.8)
    planted = cohort.truth[["score_arterial", "score_portal"]].to_numpy() @ weights
    positive = cohort.truth["class"].to_numpy() == 1
    assert np.std(planted[positive]) == pytest.approx(1, abs=0.2)
    looks = np.log(people.looks[["rim_hu", "heterogeneity_hu", "diameter_mm"]])
    looks["washout"] = people.looks["washout_hu"]
    fitted = np.c_[np.ones(len(looks)), looks]
    read = fitted @ np.linalg.lstsq(fitted, planted, rcond=None)[0]
    assert 0.8 < np.corrcoef(read, planted)[0, 1] < 0.95
    # The clinical block's own score is not planted.
    assert abs(np.corrcoef(looks["diameter_mm"], cohort.truth["score_clinical"])[0, 1]) < 0.35
    scans = people.scans(ScanProtocol(SHAPE))
    assert {scan.patient_id for scan in scans} == set(cohort.facts.index)


def test_study_without_effect_gets_lesions_that_show_nothing() -> None:
    design, cohort = study(effect=False)
    people = plant_study(design, cohort, ("arterial",), seed=2)
    found = people.looks.corrwith(cohort.truth["score_arterial"])
    assert found.abs().max() < 4.5 / np.sqrt(len(people.looks))


def test_unknown_block_is_refused() -> None:
    design, cohort = study()
    with pytest.raises(UnknownNameError, match="arterial"):
        plant_study(design, cohort, ("artrial",), seed=1)
