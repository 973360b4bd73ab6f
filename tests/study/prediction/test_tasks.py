"""Labels of each rule against hand calculation, and that other cohorts are labelled by the lock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import (
    OutcomeError,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import PatientKFold
from radiogenomics.study.prediction.tasks import Null, class_labels, task_of

MODEL = make_pipeline(StandardScaler(), LogisticRegression())
FOLDS = PatientKFold(3, random_state=0)


def features_of(cohort, patients):
    return cohort.assay("post").per_patient().loc[patients]


def validated(task, cohort):
    features = features_of(cohort, task.patients)
    return task.cross_validate(MODEL, features, splitter=FOLDS, name="x", jobs=1)


def label_of(evidence):
    return evidence.predictions.set_index("patient_id")["label"]


def draw(evidence, count=2, blocks=None):
    return Null(evidence, count, np.random.default_rng(5), blocks)


def permuted_by_hand(task, cohort, count=2):
    """AUC of the cross-validation of features whose rows are permuted, labels as they are."""
    features = features_of(cohort, task.patients)
    places = np.tile(np.arange(len(features)), (count, 1))
    orders = np.random.default_rng(5).permuted(places, axis=1)
    truth, found = label_of(validated(task, cohort)), []
    for order in orders:
        shuffled = features.iloc[order].set_axis(features.index)
        rows = task.cross_validate(MODEL, shuffled, splitter=FOLDS, name="x", jobs=1).predictions
        label = rows["patient_id"].map(truth)
        known = label.notna().to_numpy()
        found.append(roc_auc_score(label[known], rows["score"][known]))
    return found


# Response, fact, signature.


def test_response_is_class_1_where_its_category_is_named(cohort_of, study_of):
    cohort = cohort_of()
    seen = cohort.outcomes["response"].category
    task = task_of(study_of(), cohort)
    expected = seen.map({"CR": 1.0, "PR": 1.0, "SD": 0.0, "PD": 0.0})
    pd.testing.assert_series_equal(task.target, expected.astype(int), check_names=False)
    np.testing.assert_array_equal(label_of(validated(task, cohort))[seen.index], expected)


def test_only_categories_among_those_asked_for_count(cohort_of, study_of):
    """PR against SD: the others have no label."""
    cohort = cohort_of()
    seen = cohort.outcomes["response"].category
    changes = {"label.positive": ["PR"], "label.among": ["PR", "SD"]}
    task = task_of(study_of(changes), cohort)
    kept = seen[seen.isin(["PR", "SD"])]
    assert task.patients.equals(kept.index)
    np.testing.assert_array_equal(task.target, kept == "PR")


def test_a_fact_may_be_unknown(cohort_of, study_of):
    cohort = cohort_of()
    stage = cohort.patients["stage"].where(np.arange(90) >= 7)
    cohort = replace(cohort, patients=cohort.patients.assign(stage=stage))
    task = task_of(study_of({"label": "fact"}), cohort)
    assert task.patients.equals(cohort.patient_ids[7:])
    np.testing.assert_array_equal(task.target, stage[7:] == "C")


def test_a_slot_for_a_signature_is_a_fact(cohort_of, study_of):
    slot = {
        "rule": "signature_slot",
        "name": "high",
        "meaning": {"value": "worse", "source": "paper"},
        "slot": {"value": "thirty genes", "source": "paper"},
        "genes": {"value": 30, "source": "paper"},
        "fact": {"value": "stage", "source": "paper"},
        "positive": {"value": ["C", "B"], "source": "paper"},
    }
    cohort = cohort_of()
    task = task_of(study_of({"label": slot}), cohort)
    np.testing.assert_array_equal(task.target, cohort.patients["stage"].isin(["B", "C"]))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"label.positive": ["CR", "PPR"]}, UnknownNameError, "category 'PPR'.*'PR'"),
        ({"label.among": ["CR", "SDD"]}, UnknownNameError, "category 'SDD'.*'SD'"),
        ({"label.outcome": "respons"}, UnknownNameError, "'respons': did you mean 'response'"),
        ({"label.outcome": "OS"}, StudyError, "OS is a time to an event"),
        ({"label.positive": ["CR", "PR", "SD", "PD"]}, OutcomeError, "found 90 with in 90"),
        ({"label": "fact", "label.fact": "stag"}, UnknownNameError, "'stag'.*'stage'"),
        ({"label": "fact", "label.positive": ["D"]}, OutcomeError, "near.*found 0 with in 90"),
        ({"label": "survival", "label.endpoint": "response"}, StudyError, "is a response"),
        ({"label": "markers", "label.markers": ["CD8", "PD1"]}, UnknownNameError, "'PD1'.*'PDL1'"),
        ({"label": "markers", "label.markers": ["CD8", "stage"]}, SchemaError, "found A, B, C"),
        ({"label": "markers", "label.assay": "rna"}, UnknownNameError, "variable of rna 'CD8'"),
        ({"label": "markers", "label.assay": "dna"}, UnknownNameError, "'dna'.*'rna'"),
    ],
)
def test_what_the_cohort_has_not_is_named(changes, error, message, cohort_of, study_of):
    study = study_of(changes, checked=False)
    with pytest.raises(error, match=message):
        task_of(study, cohort_of())


def test_another_cohort_may_have_one_class(cohort_of, study_of):
    """It is scored all the same; only the training cohort needs both."""
    study, near = study_of(), cohort_of()
    far = cohort_of(30, id="far", seed=2)
    seen = far.outcomes["response"]
    one = replace(seen, category=seen.category.replace({"SD": "PR", "PD": "PR"}))
    far = replace(far, outcomes={**far.outcomes, "response": one})
    task = task_of(study, near)
    assert task.labels(far, validated(task, near).model).tolist() == [1.0] * 30
    with pytest.raises(OutcomeError, match="found 30 with in 30 patients"):
        task_of(study, far)
    assert class_labels(far, study.label).tolist() == [1.0] * 30


# Markers.


def test_markers_are_cut_at_the_median_of_the_training_part(cohort_of, study_of):
    """In each fold of its own training part; elsewhere at the median of all training patients."""
    near, far = cohort_of(), cohort_of(60, id="far", seed=2)
    far = replace(far, patients=far.patients.assign(CD8=1.5 * far.patients["CD8"]))
    task = task_of(study_of({"label": "markers"}), near)
    evidence = validated(task, near)
    stains = near.patients[["CD8", "PDL1"]]
    for _, part in evidence.predictions.groupby("fold"):
        training = stains.drop(index=part["patient_id"])
        own = stains.loc[part["patient_id"]]
        expected = (own["CD8"] > training["CD8"].median()) & (own["PDL1"] > 1.0)
        np.testing.assert_array_equal(part["label"], expected)
    elsewhere = far.patients
    expected = (elsewhere["CD8"] > stains["CD8"].median()) & (elsewhere["PDL1"] > 1.0)
    found = task.labels(far, evidence.model)
    np.testing.assert_array_equal(found, expected.astype(float))
    assert not np.array_equal(
        found, (elsewhere["CD8"] > elsewhere["CD8"].median()) & (elsewhere["PDL1"] > 1.0)
    )


def test_markers_may_be_genes_and_low(cohort_of, study_of):
    near = cohort_of()
    changes = {
        "label": "markers",
        "label.assay": "rna",
        "label.markers": ["KPNA2", "SMG5"],
        "label.cutoffs": ["median", "median"],
        "label.low": ["SMG5"],
    }
    task = task_of(study_of(changes), near)
    genes = near.assay("rna").per_patient()
    expected = (genes["KPNA2"] > genes["KPNA2"].median()) & (
        genes["SMG5"] <= genes["SMG5"].median()
    )
    np.testing.assert_array_equal(task.labels(near, validated(task, near).model), expected)


def test_patients_without_a_marker_are_left_out(cohort_of, study_of):
    near = cohort_of()
    stained = near.patients["CD8"].where(np.arange(90) >= 5)
    near = replace(near, patients=near.patients.assign(CD8=stained))
    task = task_of(study_of({"label": "markers"}), near)
    assert task.patients.equals(near.patient_ids[5:])


# Survival beyond a time.


def by_hand(cohort, months):
    """1 alive beyond, 0 dead by then, NaN lost before."""
    outcome = cohort.outcomes["OS"]
    label = np.where(outcome.time > months, 1.0, np.where(outcome.event, 0.0, np.nan))
    return pd.Series(label, outcome.patient_ids)


def lifelines_median(cohort, patients=None):
    outcome = cohort.outcomes["OS"]
    ids = outcome.patient_ids if patients is None else patients
    fitter = KaplanMeierFitter().fit(outcome.time.loc[ids], outcome.event.loc[ids])
    return fitter.median_survival_time_


def in_folds(cohort, evidence, months="median"):
    """By hand, each fold's patients by the median of the patients of the other folds."""
    rows = evidence.predictions.set_index("patient_id")["fold"]
    parts = []
    for fold in rows.unique():
        others = rows.index[rows != fold]
        limit = lifelines_median(cohort, others) if months == "median" else months
        parts.append(by_hand(cohort, limit)[rows.index[rows == fold]])
    return pd.concat(parts)


@pytest.mark.parametrize("months", ["median", 12.0])
@pytest.mark.parametrize("censored", ["exclude", "weight", "event_free"])
def test_who_lives_beyond(months, censored, cohort_of, study_of):
    """Whatever is done with the censored in training, they are judged by nobody."""
    near, far = cohort_of(), cohort_of(60, id="far", seed=2)
    changes = {"label": "survival", "label.months": months, "label.censored": censored}
    task = task_of(study_of(changes), near)
    assert task.patients.equals(near.patient_ids)
    if censored == "weight":
        evidence = task.cross_validate(
            LogisticRegression(),
            features_of(near, task.patients),
            splitter=FOLDS,
            name="x",
            jobs=1,
        )
    else:
        evidence = validated(task, near)
    expected = in_folds(near, evidence, months)
    assert expected.isna().any() and set(expected.dropna()) == {0.0, 1.0}
    pd.testing.assert_series_equal(label_of(evidence)[expected.index], expected, check_names=False)
    limit = lifelines_median(near) if months == "median" else months
    found = task.labels(far, evidence.model)
    pd.testing.assert_series_equal(found, by_hand(far, limit), check_names=False)


def test_score_is_the_probability_of_living_beyond(cohort_of, study_of):
    """The classes known in each training part, its own median, and nothing else."""
    near = cohort_of()
    task = task_of(study_of({"label": "survival"}), near)
    evidence = validated(task, near)
    features = features_of(near, task.patients)
    for _, part in evidence.predictions.groupby("fold"):
        train = features.index.difference(part["patient_id"], sort=False)
        label = by_hand(near, lifelines_median(near, train)).loc[train].dropna()
        model = clone(MODEL).fit(features.loc[label.index], label.astype(int))
        expected = model.predict_proba(features.loc[part["patient_id"]])[:, 1]
        np.testing.assert_allclose(part["score"], expected, rtol=1e-6)
    known = evidence.predictions.dropna()
    assert roc_auc_score(known["label"], known["score"]) > 0.6
    assert np.corrcoef(evidence.model.predict(features), features["texture_0"])[0, 1] > 0.5


def test_the_landmark_leaves_out_who_was_not_followed_to_it(cohort_of, study_of):
    near, far = cohort_of(), cohort_of(60, id="far", seed=2)
    task = task_of(study_of({"label": "survival", "label.landmark": 3.0}), near)
    time = near.outcomes["OS"].time
    there = time.index[time > 3.0]
    assert 0 < 90 - len(there) and task.patients.equals(there)
    evidence = validated(task, near)
    limit = lifelines_median(near, there)
    assert limit > lifelines_median(near)
    pd.testing.assert_series_equal(
        label_of(evidence)[there], in_folds(near, evidence)[there], check_names=False
    )
    elsewhere = far.outcomes["OS"].time
    found = task.labels(far, evidence.model)
    assert found.index.equals(elsewhere.index[elsewhere > 3.0])
    pd.testing.assert_series_equal(found, by_hand(far, limit)[found.index], check_names=False)


def test_a_landmark_beyond_the_months_is_refused(cohort_of, study_of):
    near = cohort_of()
    changes = {"label": "survival", "label.landmark": 14.0, "label.months": 12.0}
    with pytest.raises(ValueError, match="above the landmark of 14 months; found 12"):
        validated(task_of(study_of(changes), near), near)


def test_a_median_that_is_not_reached_is_named(cohort_of, study_of):
    near = cohort_of()
    seen = near.outcomes["OS"]
    alive = SurvivalOutcome("OS", seen.time, seen.event & (np.arange(90) < 5))
    near = replace(near, outcomes={**near.outcomes, "OS": alive})
    with pytest.raises(OutcomeError, match="survival that falls to one half"):
        validated(task_of(study_of({"label": "survival"}), near), near)


# Nulls.


@pytest.mark.parametrize("label", [None, "survival", "fact"])
def test_null_is_the_whole_procedure_on_permuted_patients(label, cohort_of, study_of):
    near = cohort_of()
    task = task_of(study_of({"label": label} if label else None), near)
    features, evidence = features_of(near, task.patients), validated(task, near)
    found = task.null(MODEL, features, splitter=FOLDS, draw=draw(evidence), jobs=1)
    np.testing.assert_allclose(found, permuted_by_hand(task, near), rtol=1e-9)
    assert len(set(found)) == 2


def test_null_stays_within_sites(cohort_of, study_of):
    """Features that tell only the site, as the label does, cannot beat it."""
    near = cohort_of()
    site = near.patients["site"]
    response = near.outcomes["response"]
    seen = pd.Series(np.where(site == "north", "PR", "PD"), site.index)
    seen.iloc[[0, 1]] = ["PD", "PR"]
    near = replace(near, outcomes={**near.outcomes, "response": replace(response, category=seen)})
    task = task_of(study_of(), near)
    features = pd.DataFrame({"level": (site == "north").astype(float)}, site.index)
    evidence = task.cross_validate(MODEL, features, splitter=FOLDS, name="x", jobs=1)
    within = task.null(MODEL, features, splitter=FOLDS, draw=draw(evidence, 3, site), jobs=1)
    free = task.null(MODEL, features, splitter=FOLDS, draw=draw(evidence, 3), jobs=1)
    assert (within > 0.9).all() and (free < 0.8).all()
