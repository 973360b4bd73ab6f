"""What a recipe sees of a cohort: tumours on a logarithmic scale, complete features, outcomes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import AlignmentError, StudyError, UnknownNameError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.study.inputs import covariates_of, read_inputs, response_of, sites_of


def table(values: dict[str, list[float]], ids: list[str], *, name="rna", unit="TPM", **facts):
    frame = pd.DataFrame(values, index=[f"s{i}" for i in range(len(ids))], dtype=float)
    samples = pd.DataFrame(facts, index=frame.index) if facts else None
    return FeatureTable.from_frame(
        frame, name=name, unit=unit, source="made", patient_id=ids, samples=samples
    )


def cohort(*tables: FeatureTable, **fields) -> Cohort:
    ids = dict.fromkeys(p for t in tables for p in t.patient_ids)
    patients = fields.pop("patients", pd.DataFrame(index=pd.Index(list(ids), name="patient_id")))
    return Cohort("small", patients, {t.name: t for t in tables}, **fields)


def test_tumours_only_and_normals_apart(recipe):
    rna = table(
        {"KPNA2": [3, 1, 7, 0], "SMG5": [0, 1, 3, 1]},
        ["P1", "P1", "P2", "P3"],
        sample_type=["tumour", "normal", "tumour", "recurrent"],
    )
    found = read_inputs(cohort(rna), recipe, jobs=1)
    assert found.expression.index.tolist() == ["P1", "P2"]
    assert found.expression["KPNA2"].tolist() == [2.0, 3.0]
    assert found.normal.loc["P1"].tolist() == [1.0, 1.0]
    assert found.unit == "log2(TPM+1)"


def test_samples_without_a_type_are_all_taken(recipe):
    found = read_inputs(
        cohort(table({"KPNA2": [3, 1], "SMG5": [0, 1]}, ["P1", "P2"])), recipe, jobs=1
    )
    assert found.normal is None and len(found.expression) == 2


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [("FPKM", 7.0, 3.0), ("log2(FPKM+1)", 7.0, 7.0), ("z-score", -1.5, -1.5)],
)
def test_the_unit_decides_about_the_logarithm(recipe, unit, value, expected):
    rna = table({"KPNA2": [value], "SMG5": [value]}, ["P1"], unit=unit)
    found = read_inputs(cohort(rna), recipe, jobs=1)
    assert found.expression.loc["P1", "KPNA2"] == expected


def test_counts_go_by_the_stated_library_size(recipe):
    values = {"KPNA2": [3.0, 6.0], "SMG5": [1.0, 0.0]}
    stated = table(values, ["P1", "P2"], unit="counts", library_size=[1e6, 2e6])
    found = read_inputs(cohort(stated), recipe, jobs=1).expression
    np.testing.assert_allclose(found, np.log2([[4.0, 2.0], [4.0, 1.0]]))
    summed = read_inputs(cohort(table(values, ["P1", "P2"], unit="counts")), recipe, jobs=1)
    np.testing.assert_allclose(summed.expression.loc["P1", "KPNA2"], np.log2(0.75e6 + 1))


def test_a_gene_that_is_absent_names_what_is_near(recipe):
    rna = table({"KPNA1": [3.0], "SMG5": [1.0]}, ["P1"])
    with pytest.raises(UnknownNameError, match=r"gene of small, assay rna 'KPNA2': .*'KPNA1'"):
        read_inputs(cohort(rna), recipe, jobs=1)


def test_two_tumours_of_a_patient_are_refused(recipe):
    rna = table({"KPNA2": [3, 1], "SMG5": [0, 1]}, ["P1", "P1"], sample_type=["tumour"] * 2)
    with pytest.raises(AlignmentError, match=r"several \(P1\)"):
        read_inputs(cohort(rna), recipe, jobs=1)


def test_target_joins_the_outcome_and_leaves_out_unmeasured_patients(recipe):
    rna = table({"KPNA2": [3, np.nan, 1], "SMG5": [1, 1, 3]}, ["P1", "P2", "P3"])
    time = pd.Series([5.0, 9.0], index=["P3", "P2"])
    event = pd.Series([True, False], index=["P3", "P2"])
    known = cohort(rna, outcomes={"OS": SurvivalOutcome("OS", time, event)})
    target = read_inputs(known, recipe, jobs=1).target(("SMG5", "KPNA2"))
    assert target.columns.tolist() == ["SMG5", "KPNA2", "time", "event"]
    assert target.index.tolist() == ["P1", "P3"]
    assert target.loc["P3", ["time", "event"]].tolist() == [5.0, 1.0]
    assert target.loc["P1", ["time", "event"]].isna().all()


def test_what_a_cohort_lacks_is_none(recipe):
    images = table({"f": [1.0, 2.0]}, ["P1", "P2"], name="radiomics", unit="feature")
    found = read_inputs(cohort(images), recipe, jobs=1)
    assert found.expression is None and found.normal is None and found.outcome is None
    assert response_of(found.cohort, recipe) is None
    with pytest.raises(StudyError, match="KPNA2"):
        found.target(("KPNA2",))


def test_an_endpoint_that_is_a_response_is_told(recipe, near):
    response = near.cohort.response("response")
    with pytest.raises(StudyError, match="OS is a response"):
        read_inputs(replace(near.cohort, outcomes={"OS": response}), recipe, jobs=1)


def test_single_missing_features_are_left_to_the_fold(recipe):
    values = {"a": [1, 2], "b": [np.nan, 2], "c": [3, 4]}
    images = table(values, ["P1", "P2"], name="radiomics", unit="feature")
    found = read_inputs(cohort(images), recipe, jobs=1)
    assert found.images.columns.tolist() == ["a", "b", "c"] and found.notes == ()


def test_patients_without_any_feature_are_left_out_and_counted(recipe):
    values = {"a": [1, np.nan, 2], "b": [3, np.nan, np.nan]}
    images = table(values, ["P1", "P2", "P3"], name="radiomics", unit="feature")
    found = read_inputs(cohort(images), recipe, jobs=1)
    assert found.images.index.tolist() == ["P1", "P3"]
    assert [text for _, text in found.notes] == [
        "small: 1 patients without any image feature were left out."
    ]
    blank = table({"a": [np.nan, np.nan]}, ["P1", "P2"], name="radiomics", unit="feature")
    with pytest.raises(StudyError, match="found missing values only in 2 patients"):
        read_inputs(cohort(blank), recipe, jobs=1)


def test_scans_are_chosen_by_phase_time_point_and_modality(recipe, alter, monkeypatch, near):
    from radiogenomics import simulate
    from radiogenomics.study import inputs as module

    scanned = simulate.hcc_cohort(
        3,
        n_genes=150,
        phases=("arterial", "portal"),
        time_points=("baseline", "follow-up"),
        rng=np.random.default_rng(1),
    ).cohort
    seen = []

    def extract(scans, settings, *, region, name, jobs):
        seen[:] = scans
        rows = pd.DataFrame({"f": range(len(scans))}, index=[s.patient_id for s in scans])
        return FeatureTable.from_frame(rows, name=name, unit="feature", source=region)

    monkeypatch.setattr(module, "extract_features", extract)
    found = read_inputs(scanned, recipe, jobs=1)
    assert {(s.phase, s.time_point) for s in seen} == {("arterial", "baseline")} and len(seen) == 3
    assert found.images.index.tolist() == scanned.patient_ids.tolist()
    assert read_inputs(scanned, alter(recipe, modality="MR"), jobs=1).images is None
    assert read_inputs(scanned, alter(recipe, modality="CT"), jobs=1).images is not None
    # A table of the assay's name goes before the scans.
    seen.clear()
    ready = scanned.with_assay(
        table({"f": [1.0]}, [scanned.patient_ids[0]], name="radiomics", unit="feature")
    )
    assert len(read_inputs(ready, recipe, jobs=1).images) == 1 and not seen


def test_responders_by_the_recipes_grouping(recipe, alter):
    category = pd.Series(["CR", "PD", "PR", "SD"], index=["P1", "P2", "P3", "P4"])
    response = ResponseOutcome("response", category, "mRECIST", ("CR", "PR", "SD", "PD"))
    known = cohort(
        table({"KPNA2": [1] * 4, "SMG5": [1] * 4}, list(category.index)),
        outcomes={"response": response},
    )
    assert response_of(known, recipe).tolist() == [True, False, True, False]
    assert response_of(known, alter(recipe, responders=("CR", "PR", "SD"))).sum() == 3
    with pytest.raises(UnknownNameError, match="mRECIST category 'CRR': did you mean 'CR'"):
        response_of(known, alter(recipe, responders=("CRR",)))


def test_sites_and_covariates(recipe, near):
    ids = near.cohort.patient_ids
    assert set(sites_of(near.cohort, ids)) == {"north", "south"}
    northern = ids[near.cohort.patients["site"] == "north"]
    assert sites_of(near.cohort, northern) is None
    without = replace(near.cohort, patients=near.cohort.patients.drop(columns=["site", "stage"]))
    assert sites_of(without, ids) is None
    covariates, lacking = covariates_of(near.cohort, recipe)
    assert covariates.columns.tolist() == ["stage", "sex", "age"] and lacking == ()
    covariates, lacking = covariates_of(without, recipe)
    assert covariates.columns.tolist() == ["sex", "age"] and lacking == ("stage",)
    unknown = near.cohort.patients.assign(site=[None, *near.cohort.patients["site"][1:]])
    assert sites_of(replace(near.cohort, patients=unknown), ids).iloc[0] == "not stated"
