"""A run from files to a folder: the same work gives the same bytes, and nobody can be named."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import radiogenomics as rg
from radiogenomics import simulate
from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    ChecksumError,
    DataError,
    MissingFileError,
    RadiogenomicsWarning,
    StudyError,
)
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.provenance import Provenance
from radiogenomics.io import pseudonym
from radiogenomics.study import Results, run_cohorts
from radiogenomics.study.prediction.run import Options
from radiogenomics.study.results import without_identities


@dataclass(frozen=True)
class Finished:
    """A run and the folder it wrote."""

    results: Results
    folder: Path


@pytest.fixture(scope="module")
def finished(files, tmp_path_factory) -> Finished:
    folder = tmp_path_factory.mktemp("runs") / "new" / "first"
    results = rg.run(files.recipe, cohort=[files.near, files.far], out=folder, jobs=1, seed=3)
    return Finished(results, folder)


def content(folder: Path) -> Mapping[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def discovery_only(files, out: Path, **options) -> Results:
    return rg.run(files.recipe, cohort=files.near, out=out, jobs=1, **options)


def test_the_folder_holds_what_the_docs_promise(finished):
    names = content(finished.folder).keys()
    assert {"summary.json", "provenance.json", "study.yaml", "signature.json", "report.html"} == {
        name for name in names if "/" not in name
    }
    tables = {name.removeprefix("tables/").removesuffix(".csv") for name in names if "/" in name}
    assert tables >= {"cohort_flow", "label_scores", "learners", "roc", "calibration", "null"}
    assert tables >= {"survival_curves", "hazard_ratios", "genes", "selection", "predictions"}
    assert tables >= {"settings", "notes", "random_signatures", "tumour_normal"}
    assert finished.results.folder == finished.folder
    assert not list(finished.folder.parent.glob(".*"))


def test_summary_is_what_programs_were_promised(finished):
    summary = json.loads((finished.folder / "summary.json").read_text(encoding="utf-8"))
    assert list(summary) == [
        "study",
        "cohorts",
        "simulated",
        "seed",
        "version",
        "verdict",
        "metrics",
    ]
    assert summary["cohorts"] == summary["simulated"] == ["near", "far"]
    assert (summary["study"], summary["seed"]) == ("small", 3)
    assert summary == finished.results.summary()
    fields = {"name", "value", "low", "high", "chance", "n", "split", "p_permutation", "events"}
    assert all(set(metric) == fields for metric in summary["metrics"])
    keys = [(metric["name"], metric["split"]) for metric in summary["metrics"]]
    assert len(set(keys)) == len(keys)
    assert {split for _, split in keys} == {"cross-validation", "apparent", "external:far"}


def test_each_metric_is_documented(finished):
    docs = Path(rg.__file__).parents[1] / "docs" / "metrics.md"
    if not docs.is_file():
        pytest.skip("the docs lie in the checkout")
    documented = set(re.findall(r"`([a-z_]+)(?::GENE)?`", docs.read_text(encoding="utf-8")))
    assert {metric.name.partition(":")[0] for metric in finished.results.metrics} <= documented


def test_same_seed_same_bytes_with_one_process_or_two(files, finished, tmp_path):
    rg.run(files.recipe, cohort=[files.near, files.far], out=tmp_path / "b", jobs=2, seed=3)
    again, before = content(tmp_path / "b"), content(finished.folder)
    assert again.keys() == before.keys()
    assert [name for name in before if again[name] != before[name]] == []


def test_another_seed_gives_other_numbers(recipe, near, provenance, alter):
    plan = alter(recipe, permutations=1, comparators=(), random_signatures=0)
    first, again, other = (
        run_cohorts(plan, [near.cohort], provenance=provenance, seed=seed, jobs=1).findings
        for seed in (3, 3, 4)
    )
    for name in ("signature_c_index", "auc"):
        values = [f.metric(name, split="cross-validation").value for f in (first, again, other)]
        assert values[0] == values[1] != values[2]


def test_provenance_has_the_hashes_of_what_was_read(files, finished):
    provenance = json.loads((finished.folder / "provenance.json").read_text(encoding="utf-8"))
    expected = {}
    for manifest in (files.near, files.far):
        name = manifest.parent.name
        expected[f"{name}/manifest"] = manifest
        expected[f"{name}/patients"] = manifest.parent / "patients.csv"
        expected[f"{name}/assays.rna"] = manifest.parent / "rna.parquet"
        expected[f"{name}/assays.radiomics"] = manifest.parent / "radiomics.parquet"
    for name, path in expected.items():
        assert provenance["inputs"][name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert provenance["recipe"] == hashlib.sha256(files.recipe.read_bytes()).hexdigest()
    assert provenance["seed"] == 3 and "numpy" in provenance["versions"]
    assert (finished.folder / "study.yaml").read_bytes() == files.recipe.read_bytes()


def test_no_patient_can_be_named_from_the_outputs(files, finished):
    patients = [p for cohort in files.cohorts for p in cohort.patient_ids]
    assert len(patients) == 90
    for name, data in content(finished.folder).items():
        text = data.decode("utf-8")
        assert [p for p in patients if p in text] == [], name
    predictions = pd.read_csv(finished.folder / "tables" / "predictions.csv")
    first = files.cohorts[0].patient_ids[0]
    assert pseudonym("near", first) in set(predictions.query("cohort == 'near'")["patient"])
    assert predictions.groupby("cohort")["patient"].nunique().to_dict() == {"near": 50, "far": 40}


def test_tables_are_those_of_the_results(finished):
    for name, table in finished.results.tables.items():
        written = pd.read_csv(finished.folder / "tables" / f"{name}.csv")
        assert len(written) == len(table), name
        numbers = table.select_dtypes("number").columns
        for column in set(numbers) - {"value"}:
            np.testing.assert_allclose(
                pd.to_numeric(written[column]), table[column].astype(float), rtol=1e-8
            )


def test_a_failing_run_leaves_no_folder(files, tmp_path):
    with pytest.raises(MissingFileError):
        discovery_only(files, tmp_path / "new" / "run", data_root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_late_keeps_an_older_one(files, finished, tmp_path, monkeypatch):
    older = tmp_path / "run"
    older.mkdir()
    for name, data in content(finished.folder).items():
        (older / name).parent.mkdir(exist_ok=True)
        (older / name).write_bytes(data)

    def fail(folder):
        raise DataError("expected a report; found a full disk. Make room.")

    monkeypatch.setattr("radiogenomics.study.results.render", fail)
    with pytest.raises(DataError, match="full disk"):
        rg.run(files.quick, cohort=files.near, out=older, jobs=1)
    assert content(older) == content(finished.folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_a_changed_input_keeps_an_older_run_too(files, finished, tmp_path):
    brought = tmp_path / "near"
    brought.mkdir()
    for path in files.near.parent.iterdir():
        if path.is_file():
            (brought / path.name).write_bytes(path.read_bytes())
    with (brought / "patients.csv").open("a") as stream:
        stream.write("\n")
    older = tmp_path / "run"
    older.mkdir()
    (older / "summary.json").write_bytes((finished.folder / "summary.json").read_bytes())
    with pytest.raises(ChecksumError, match=r"patients\.csv"):
        rg.run(files.recipe, cohort=brought / "manifest.yaml", out=older)
    assert [path.name for path in older.iterdir()] == ["summary.json"]


def test_foreign_content_is_refused_before_anything_is_read(files, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="folder with other content"):
        discovery_only(files, mine, data_root=tmp_path / "not there")
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "thesis.txt"]
    with pytest.raises(DataError, match="found a file"):
        discovery_only(files, mine / "thesis.txt")
    assert (mine / "thesis.txt").read_text() == "years of work"


def test_an_older_run_is_replaced_as_a_whole(files, finished, tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    (out / "summary.json").write_bytes((finished.folder / "summary.json").read_bytes())
    (out / "stale.csv").touch()
    rg.run(files.quick, cohort=files.near, out=out, jobs=1)
    assert not (out / "stale.csv").exists() and (out / "report.html").is_file()


def test_cohorts_must_be_named_and_distinct(files, tmp_path):
    with pytest.raises(StudyError, match="at least one cohort manifest"):
        rg.run(files.recipe, cohort=[], out=tmp_path / "x")
    with pytest.raises(StudyError, match="distinct ids; found near, near"):
        rg.run(files.recipe, cohort=[files.near, files.near], out=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_seed_below_zero_is_refused(files, tmp_path):
    with pytest.raises(StudyError, match="at least 0; found -1"):
        discovery_only(files, tmp_path / "x", seed=-1)


def test_molecules_alone_give_the_signature_half(recipe, near, far, provenance):
    assays = {k: v for k, v in near.cohort.assays.items() if k != "radiomics"}
    results = run_cohorts(
        recipe,
        [replace(near.cohort, assays=assays), far.cohort],
        provenance=provenance,
        seed=0,
        jobs=1,
    )
    assert results.verdict.startswith("the signature is")
    assert "imaging half of the recipe was not run" in str(results.findings.notes)
    assert results.findings.evidence is None and "roc" not in results.tables
    assert results.findings.metric("signature_c_index", split="external:far") is not None


def test_a_discovery_cohort_without_rna_or_outcome_is_told(recipe, near, provenance, alter):
    cohort = near.cohort
    images = replace(cohort, assays={"radiomics": cohort.assay("radiomics")})
    with pytest.raises(StudyError, match="expected the assay 'rna'.*found radiomics"):
        run_cohorts(recipe, [images], provenance=provenance, seed=0, jobs=1)
    timeless = replace(cohort, outcomes={})
    with pytest.raises(StudyError, match="expected OS to fit weights on"):
        run_cohorts(recipe, [timeless], provenance=provenance, seed=0, jobs=1)
    supplied = alter(recipe, weights=(1.0, 1.0), permutations=1, comparators=())
    results = run_cohorts(supplied, [timeless], provenance=provenance, seed=0, jobs=1)
    assert {m.name for m in results.metrics} >= {"auc", "brier"}
    assert results.findings.metric("c_index", split="cross-validation") is None


@pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")
def test_a_null_world_is_called_one(recipe, near, provenance, alter):
    """Images of other patients: no link, and the sentence claims none."""
    images = near.cohort.assay("radiomics")
    mixed = images.values.iloc[np.random.default_rng(2).permutation(50)]
    table = FeatureTable.from_frame(
        mixed.set_axis(images.values.index),
        name="radiomics",
        unit="feature",
        source="mixed",
        patient_id=images.samples["patient_id"],
    )
    plan = alter(recipe, permutations=19, comparators=(), random_signatures=0)
    results = run_cohorts(
        plan, [near.cohort.with_assay(table)], provenance=provenance, seed=0, jobs=1
    )
    auc = results.findings.metric("auc", split="cross-validation")
    assert auc.low < 0.5 and auc.p_permutation > 0.05
    assert results.verdict.startswith(
        "the imaging surrogate is not distinguishable from chance (AUC"
    )


def test_scans_that_fail_are_told_without_naming_the_patient(
    recipe, provenance, monkeypatch, alter
):
    cohort = simulate.hcc_cohort(40, n_genes=150, id="scanned", rng=np.random.default_rng(2)).cohort
    first, *others = cohort.scans

    def extract(scans, settings, *, region, name, jobs):
        warnings.warn(
            f"1 of 40 scans failed: 1 × GeometryError: {first.patient_id}_CT.nii.gz: broken",
            RadiogenomicsWarning,
            stacklevel=1,
        )
        rows = np.random.default_rng(0).normal(size=(len(others), 3))
        frame = pd.DataFrame(rows, index=[s.patient_id for s in others], columns=list("abc"))
        return FeatureTable.from_frame(frame, name=name, unit="feature", source="made")

    monkeypatch.setattr("radiogenomics.study.inputs.extract_features", extract)
    with pytest.warns(RadiogenomicsWarning, match=first.patient_id):
        results = run_cohorts(recipe, [replace(cohort)], provenance=provenance, seed=0, jobs=1)
    (note,) = [text for _, text in results.findings.notes if "scans failed" in text]
    assert first.patient_id not in note
    assert f"{pseudonym('scanned', first.patient_id)}_CT.nii.gz" in note


def test_identities_in_notes_become_pseudonyms():
    ids = pd.Index(["P1", "P10", "017", "12"])
    cohort = rg.Cohort("c", pd.DataFrame(index=ids))
    notes = [
        ("warning", "12 of 17 failed: P10.nii, P1 and 017_CT.nii.gz; P100, XP1 stay"),
    ]
    ((_, text),) = without_identities(notes, [cohort])
    names = {p: pseudonym("c", p) for p in ids}
    assert text == (
        f"12 of 17 failed: {names['P10']}.nii, {names['P1']} and {names['017']}_CT.nii.gz; "
        "P100, XP1 stay"
    )


def test_a_warning_is_shown_even_when_the_run_fails(recipe, near, provenance, monkeypatch):
    def warn_and_fail(cohort, study, *, jobs):
        warnings.warn("three scans failed", RadiogenomicsWarning, stacklevel=1)
        raise DataError("expected features; found none. Look at the scans.")

    # The function `run` hides its module from dotted paths.
    monkeypatch.setattr(sys.modules["radiogenomics.study.run"], "read_inputs", warn_and_fail)
    with (
        pytest.warns(RadiogenomicsWarning, match="three scans failed"),
        pytest.raises(DataError, match="Look at the scans"),
    ):
        run_cohorts(recipe, [near.cohort], provenance=provenance, seed=0, jobs=1)


@pytest.mark.parametrize("asked", [Options(legacy=True), Options(complete_cases=True)])
def test_options_of_prediction_studies_are_refused_of_a_surrogate(asked):
    patients = Cohort("mine", pd.DataFrame(index=["P1"]))
    lineage = Provenance({}, "", 0, {})
    with pytest.raises(StudyError, match="expected a prediction study"):
        run_cohorts(
            rg.study.show("jtm2025_irs_ctmr"),
            [patients],
            provenance=lineage,
            seed=0,
            jobs=1,
            options=asked,
        )
