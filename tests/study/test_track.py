"""From a manifest to responses: files of bars whose categories are known by hand."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics import track
from radiogenomics.clinical import response_courses
from radiogenomics.core.errors import OutcomeError, StudyError, UnknownNameError
from radiogenomics.io import load_cohort, pseudonym

SHAPE, SPACING = (8, 48, 60), (5.0, 1.0, 1.0)
BEFORE = (40, 20)
# Lengths of the two lesions at both scans, lengths that enhance, and mRECIST and RECIST by hand.
PATIENTS = {
    "anna": ((40, 20), (40, 20), "SD", "SD"),
    "bert": ((40, 20), (20, 10), "PR", "SD"),  # half enhances of what is as long as it was
    "cleo": ((40, 20), (0, 0), "CR", "SD"),
    "dirk": ((50, 25), (50, 25), "PD", "PD"),
    "emma": ((40, 20), (40, 20), "", ""),  # never scanned again
    "fred": ((40, 20), (40, 20), "", ""),  # no mask at follow-up
}
UNREAD = {"emma": "no follow-up", "fred": "no mask of tumour"}
SETTINGS = {"registration": "none", "months": ["follow-up=2"], "jobs": 1}


def bars(lengths) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=np.uint8)
    for number, (row, length) in enumerate(zip((10, 30), lengths, strict=True), start=1):
        mask[2:5, row : row + 6, 4 : 4 + length] = number
    return mask


def drawn(lengths, viable, *, seed: int) -> dict[str, np.ndarray]:
    """A liver of 60 ± 4, lesions of 40, and 120 where they enhance."""
    voxels = np.random.default_rng([67, seed]).normal(60, 4, size=SHAPE)
    lesions, bright = bars(lengths), bars(viable)
    voxels[lesions > 0] = 40
    voxels[bright > 0] = 120
    return {
        "image": voxels.astype(np.float32),
        "mask_tumour": lesions,
        "mask_viable": bright,
        "mask_liver": np.ones(SHAPE, dtype=np.uint8),
    }


def write(path: Path, voxels: np.ndarray) -> str:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.diag([*SPACING[::-1], 1.0])
    nibabel.save(nibabel.Nifti1Image(voxels.T, affine), path)
    return path.name


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bars")
    rows = []
    for seed, (patient, (lengths, viable, *_)) in enumerate(PATIENTS.items()):
        scans = {"baseline": (BEFORE, BEFORE), "follow-up": (lengths, viable)}
        for point, (long, bright) in scans.items():
            if (patient, point) == ("emma", "follow-up"):
                continue
            row = {"patient_id": patient, "modality": "CT", "phase": "arterial"}
            row["time_point"] = point
            for name, voxels in drawn(long, bright, seed=seed).items():
                row[name] = write(folder / f"{patient}_{point}_{name}.nii", voxels)
            if (patient, point) == ("fred", "follow-up"):
                row["mask_tumour"] = None
            rows.append(row)
    pd.DataFrame(rows).to_csv(folder / "scans.csv", index=False)
    facts = pd.DataFrame({"patient_id": list(PATIENTS), "months_to_ct": 2.0})
    facts.to_csv(folder / "patients.csv", index=False)
    fields = {
        "cohort": "bars",
        "patients": {
            "file": "patients.csv",
            "id": {"column": "patient_id"},
            "columns": {"months_to_ct": "months_to_ct"},
        },
        "scans": {"file": "scans.csv"},
    }
    return saved(folder / "manifest.yaml", fields)


def saved(path: Path, fields) -> Path:
    path.write_text(yaml.safe_dump(fields), encoding="utf-8")
    return path


def best(tracking) -> dict[str, str]:
    return tracking.tables["responses"].set_index("patient_id")["best_response"].to_dict()


@pytest.fixture(scope="module")
def by_mask(manifest, tmp_path_factory):
    """By mRECIST, of the drawn viable part."""
    out = tmp_path_factory.mktemp("by_mask") / "out"
    return track(manifest, out=out, measured="viable", **SETTINGS)


def test_categories_by_hand(by_mask, manifest, tmp_path):
    expected = {p: row[2] for p, row in PATIENTS.items() if p not in UNREAD}
    assert {p: word for p, word in best(by_mask).items() if p in expected} == expected
    whole = track(manifest, out=tmp_path / "recist", criterion="recist", **SETTINGS)
    expected = {p: row[3] for p, row in PATIENTS.items() if p not in UNREAD}
    assert {p: word for p, word in best(whole).items() if p in expected} == expected
    derived = track(manifest, out=tmp_path / "derived", viable_sd=3, organ="liver", **SETTINGS)
    assert best(derived) == best(by_mask)


def test_sums_and_lesions_are_those_of_the_bars(by_mask):
    sums = by_mask.tables["sums"].set_index(["patient_id", "time"])
    length = np.hypot(6, [40, 20]).sum()  # bars of 6 rows, from corner to corner
    assert sums.loc[("anna", 0.0), "sum_mm"] == pytest.approx(length, rel=0.03)
    half = np.hypot(6, [20, 10]).sum() / length - 1
    assert sums.loc[("bert", 2.0), "change_from_baseline"] == pytest.approx(half, abs=0.03)
    assert sums.loc[("cleo", 2.0), "sum_mm"] == 0
    lesions = by_mask.tables["lesions"]
    again = response_courses(lesions, criterion="mrecist")
    overall = by_mask.tables["sums"].dropna(subset="overall").groupby("patient_id")["overall"]
    assert {p: c.table["overall"].tolist() for p, c in again.items()} == {
        p: words.tolist() for p, words in overall
    }
    assert set(by_mask.tables["matches"]["status"]) == {"persistent"}


def test_what_could_not_be_read_is_counted_and_said(by_mask):
    fates = by_mask.tables["responses"].set_index("patient_id")["fate"]
    assert fates["emma"] == fates["fred"] == "no follow-up"
    scans = by_mask.tables["scans"].set_index(["patient_id", "time_point"])["fate"]
    assert scans["fred", "follow-up"] == UNREAD["fred"]
    assert scans["anna", "follow-up"] == "compared"
    notes = pd.DataFrame(by_mask.notes, columns=["level", "text"])
    warned = notes.loc[notes["level"] == "warning", "text"].tolist()
    assert "1 of 6 patients with scans have none at follow-up." in warned
    assert "2 patients were not judged: no follow-up." in warned
    assert "1 scans could not be evaluated: no mask of tumour." in warned
    assert "4 of 6 patients were judged." in notes["text"].tolist()


def test_durable_benefit_is_not_assessable_by_early_scans(by_mask):
    """All were scanned again at two months: that one had progressed makes no rate of 0."""
    row = by_mask.tables["rates"].set_index("rate").loc["DCB"]
    assert row[["k", "n", "not_assessable"]].tolist() == [0, 0, 4] and np.isnan(row["value"])
    (text,) = (text for _, text in by_mask.notes if "durable" in text)
    assert text.startswith("durable clinical benefit is not assessable (0 of 4 patients)")
    assert text in str(by_mask)


def test_no_table_names_a_patient_but_the_outcome(by_mask):
    folder = by_mask.folder
    texts = {path.name: path.read_text("utf-8") for path in folder.rglob("*.*")}
    named = {name for name, text in texts.items() if any(p in text for p in PATIENTS)}
    assert named == {"response.csv"}
    assert pseudonym("bars", "anna") in texts["sums.csv"]
    assert json.loads(texts["summary.json"])["best_response"]["CR"] == 1
    assert by_mask.outcome(hash_ids="secret")["patient_id"].tolist()[0] == pseudonym(
        "secret", "anna"
    )


def test_manifest_takes_the_responses_as_outcomes(by_mask, manifest, tmp_path):
    fields = yaml.safe_load(manifest.read_text("utf-8"))
    (manifest.parent / "response.csv").write_bytes((by_mask.folder / "response.csv").read_bytes())
    own = {"file": "response.csv", "id": {"column": "patient_id"}}
    fields["outcomes"] = {
        "response": {"kind": "response", "column": "best_response", "criterion": "mRECIST", **own},
        "TTP": {
            "kind": "survival",
            "time": "ttp_months",
            "event": "ttp_event",
            "time_unit": "months",
            **own,
        },
    }
    again = saved(manifest.parent / "again.yaml", fields)
    cohort = load_cohort(again, data_root=manifest.parent)
    expected = {p: row[2] for p, row in PATIENTS.items() if p not in UNREAD}
    assert cohort.response("response").category.to_dict() == expected
    assert cohort.survival("TTP").event.to_dict() == {p: w == "PD" for p, w in expected.items()}
    assert (cohort.survival("TTP").time == 2).all()


def test_follow_up_that_cannot_be_compared_leaves_the_others(manifest, tmp_path):
    """Of three scans the second shows another place: it is not evaluable, the third is."""
    scans = pd.read_csv(manifest.parent / "scans.csv")
    later = scans[scans["time_point"] == "follow-up"].assign(time_point="late")
    second = later.assign(time_point="follow-up")
    moved = second["patient_id"] == "dirk"
    voxels = drawn((50, 25), (50, 25), seed=9)["image"][:, :, :40]
    second.loc[moved, "image"] = write(manifest.parent / "small.nii", voxels)
    table = pd.concat([scans[scans["time_point"] == "baseline"], second, later])
    table.to_csv(manifest.parent / "three.csv", index=False)
    fields = yaml.safe_load(manifest.read_text("utf-8"))
    fields["scans"] = {"file": "three.csv"}
    found = track(
        saved(manifest.parent / "three.yaml", fields),
        out=tmp_path / "out",
        measured="viable",
        registration="none",
        months=["follow-up=months_to_ct", "late=6"],
        jobs=1,
    )
    sums = found.tables["sums"].set_index(["patient_id", "time"])["overall"]
    assert (sums["dirk", 2.0], sums["dirk", 6.0]) == ("NE", "PD")
    assert (sums["anna", 2.0], sums["anna", 6.0]) == ("SD", "SD")
    texts = [text for level, text in found.notes if level == "warning"]
    (why,) = [text for text in texts if text.startswith(pseudonym("bars", "dirk"))]
    assert "follow-up: " in why and "small.nii" in why


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, OutcomeError, "mRECIST: expected the mask of what enhances"),
        ({"viable_sd": 2}, StudyError, "organ none"),
        ({"viable_sd": 2, "organ": "liver", "measured": "viable"}, StudyError, "measured viable"),
        ({"viable_sd": 2, "organ": "liver", "criterion": "recist"}, StudyError, "criterion recist"),
        ({"measured": "viabel"}, UnknownNameError, "did you mean 'viable'"),
        ({"measured": "viable", "region": "tumor"}, UnknownNameError, "did you mean 'tumour'"),
        ({"measured": "viable", "criterion": "recis"}, UnknownNameError, "did you mean 'recist'"),
        ({"measured": "viable", "registration": "rigit"}, UnknownNameError, "mean 'rigid'"),
        ({"measured": "viable", "months": None}, StudyError, "Say --months follow-up=2"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(manifest, tmp_path, given, error, message):
    with pytest.raises(error, match=message):
        track(manifest, out=tmp_path / "out", **{**SETTINGS, **given})
    assert not (tmp_path / "out").exists()


def test_viable_part_is_not_derived_from_other_phases(manifest, tmp_path):
    scans = pd.read_csv(manifest.parent / "scans.csv").assign(phase="portal")
    scans.to_csv(manifest.parent / "portal.csv", index=False)
    fields = yaml.safe_load(manifest.read_text("utf-8"))
    fields["scans"] = {"file": "portal.csv"}
    portal = saved(manifest.parent / "portal.yaml", fields)
    with pytest.raises(StudyError, match="found others among 11: 11 portal"):
        track(portal, out=tmp_path / "out", viable_sd=2, organ="liver", **SETTINGS)


def test_cohort_that_cannot_be_judged_is_refused(manifest, tmp_path):
    scans = pd.read_csv(manifest.parent / "scans.csv")
    scans[scans["patient_id"].isin(UNREAD)].to_csv(manifest.parent / "two.csv", index=False)
    fields = yaml.safe_load(manifest.read_text("utf-8"))
    fields["scans"] = {"file": "two.csv"}
    nobody = saved(manifest.parent / "two.yaml", fields)
    with pytest.raises(StudyError, match=r"found none of 2 \(2 no follow-up\).*no mask of tumour"):
        track(nobody, out=tmp_path / "out", measured="viable", **SETTINGS)
