"""Shapley values of the locked headline, and whom to draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.evaluation import LockedModel
from radiogenomics.models import LinearSVM, TunedClassifier
from radiogenomics.models.longitudinal import BaselineFallback
from radiogenomics.study.prediction.readouts.explanation import explanation_readout

COLUMNS = ("pre|size", "pre|rim", "post|size")
PSEUDO = {
    "outcome": {"value": "response", "source": "paper"},
    "progressive": {"value": ["PD"], "source": "paper"},
}


def table_of(part, seed: int) -> pd.DataFrame:
    """Features that foretell the label."""
    rng = np.random.default_rng(seed)
    label = part.predictions["M"].set_index("patient_id")["label"]
    values = rng.normal(size=(len(label), 3)) + np.outer(label, [1.0, 0.0, 2.0])
    return pd.DataFrame(values * [10, 1, 5] + 3, index=label.index, columns=list(COLUMNS))


def lock(estimator, features: pd.DataFrame, part) -> LockedModel:
    label = part.predictions["M"].set_index("patient_id")["label"].loc[features.index]
    return LockedModel(estimator.fit(features, label.astype(int)), None, tuple(features.columns))


def scored_by(model: LockedModel, part, features: pd.DataFrame):
    """The part with the scores that the locked model gives."""
    frame = part.predictions["M"]
    scores = model.predict(features).loc[frame["patient_id"]].to_numpy()
    return replace(part, predictions={"M": frame.assign(score=scores)})


@pytest.fixture(scope="module")
def world(make_part):
    near, far = make_part(n=80), make_part("far", 40, seed=2)
    tables = {"near": table_of(near, 1), "far": table_of(far, 2)}
    steps = make_pipeline(StandardScaler(), LinearSVM())
    model = lock(TunedClassifier(steps, {"C": [0.1, 1.0]}), tables["near"], near)
    return (near, scored_by(model, far, tables["far"])), tables, model


@pytest.fixture(scope="module")
def found(make_study, world):
    parts, tables, model = world
    study = make_study(pseudoprogression=PSEUDO)
    return explanation_readout(study, parts, model, features_by_cohort=tables, patients=4)


def test_contributions_are_what_a_feature_changes_from_its_training_mean(found, world):
    _, tables, model = world
    table = found.tables["explanation"]
    assert set(table["cohort"]) == {"far"}
    mean = tables["near"].mean()
    full = model.estimator.decision_function(tables["far"])
    for name in COLUMNS:
        without = tables["far"].assign(**{name: mean[name]})
        wanted = full - model.estimator.decision_function(without)
        rows = table[table["feature"] == name].set_index("patient_id")
        np.testing.assert_allclose(rows["contribution"], wanted, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(rows["value"], tables["far"][name])


def test_contributions_sum_to_the_log_odds_of_the_score(found):
    rows = found.tables["explanation"].groupby("patient_id")
    total = rows["contribution"].sum() + rows["base"].first()
    np.testing.assert_allclose(total, logit(rows["score"].first()), rtol=1e-8)
    np.testing.assert_allclose(total, rows["output"].first(), rtol=1e-8)
    assert set(found.tables["explanation"]["scale"]) == {"log-odds of 1"}


def test_shown_are_the_extremes_and_those_where_response_disagrees(found, world):
    far = world[0][1]
    score, response = far.score(), far.cohort.response("response").category
    table = found.tables["explanation"]
    shown = table[table["shown"]].groupby("why")["patient_id"].unique().map(list)
    progressed = response == "PD"
    assert shown["most certain high"] == [score.idxmax()]
    assert shown["most certain low"] == [score.idxmin()]
    high = score[far.high() & progressed].drop(score.idxmax(), errors="ignore")
    low = score[~far.high() & ~progressed].drop(score.idxmin(), errors="ignore")
    assert shown["high with progression"] == [high.idxmax()]
    assert shown["low without progression"] == [low.idxmin()]
    assert (table.loc[~table["shown"], "why"] == "").all()
    assert table["patient_id"].nunique() == 40


@pytest.mark.parametrize("patients", [0, 1, 3, 7, 40, 99])
def test_as_many_are_shown_as_asked(make_study, world, patients):
    parts, tables, model = world
    found = explanation_readout(
        make_study(), parts, model, features_by_cohort=tables, patients=patients
    )
    table = found.tables["explanation"]
    assert table.loc[table["shown"], "patient_id"].nunique() == min(patients, 40)


def test_other_patients_change_no_explanation(make_study, world, found):
    parts, tables, model = world
    few = {**tables, "far": tables["far"].iloc[5:9]}
    alone = explanation_readout(
        make_study(), parts, model, features_by_cohort=few, patients=0
    ).tables["explanation"]
    keys = ["patient_id", "feature"]
    both = alone.merge(found.tables["explanation"], on=keys, suffixes=("", "_all"))
    assert len(both) == 12
    np.testing.assert_allclose(both["contribution"], both["contribution_all"], rtol=1e-12)


def test_without_an_external_cohort_training_patients_are_explained_and_it_is_said(
    make_study, world
):
    parts, tables, model = world
    found = explanation_readout(
        make_study(), parts[:1], model, features_by_cohort=tables, patients=2
    )
    assert set(found.tables["explanation"]["cohort"]) == {"near"}
    assert ("warning" in dict(found.notes)) and "by a model that saw them" in found.notes[0][1]


def test_no_features_is_a_note(make_study, world):
    parts, _, model = world
    found = explanation_readout(make_study(), parts, model, features_by_cohort={}, patients=2)
    assert not found.tables
    assert "no features of the training cohort" in found.notes[0][1]


def test_a_learner_without_weights_is_explained_too(make_study, world):
    parts, tables, _ = world
    model = lock(KNeighborsClassifier(9), tables["near"], parts[0])
    found = explanation_readout(make_study(), parts, model, features_by_cohort=tables, patients=1)
    rows = found.tables["explanation"].groupby("patient_id")
    total = rows["contribution"].sum() + rows["base"].first()
    np.testing.assert_allclose(total, rows["score"].first(), atol=1e-12)
    assert "kernel, exact" in found.notes[-1][1]


def test_what_cannot_be_explained_is_a_note(make_study, world):
    parts, tables, _ = world
    gappy = tables["far"].copy()
    gappy.iloc[0, 0] = np.nan
    model = lock(HistGradientBoostingClassifier(max_iter=3), tables["near"], parts[0])
    found = explanation_readout(
        make_study(),
        parts,
        model,
        features_by_cohort={"near": tables["near"], "far": gappy},
        patients=1,
    )
    assert not found.tables
    assert "the headline is not explained" in found.notes[-1][1]


def test_patients_without_a_follow_up_are_left_out_and_counted(make_study, world):
    parts, tables, _ = world
    tables = {name: table.copy() for name, table in tables.items()}
    tables["near"].iloc[:6, 2] = np.nan
    tables["far"].iloc[:3, 2] = np.nan
    two = BaselineFallback(LogisticRegression(), LogisticRegression(), ("post",))
    model = lock(two, tables["near"], parts[0])
    found = explanation_readout(make_study(), parts, model, features_by_cohort=tables, patients=1)
    table = found.tables["explanation"]
    assert set(table["patient_id"]) == set(tables["far"].index[3:])
    assert "3 of 40 patients have no follow-up" in found.notes[0][1]
    full = model.estimator.full_
    rows = table[table["feature"] == "pre|size"].set_index("patient_id")["contribution"]
    mean = tables["near"]["pre|size"].iloc[6:].mean()
    wanted = full.coef_[0, 0] * (tables["far"].loc[rows.index, "pre|size"] - mean)
    np.testing.assert_allclose(rows, wanted, rtol=1e-9)
