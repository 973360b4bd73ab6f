"""Nomograms of models behind pipelines say what the models say; what cannot be drawn is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.features import MedianImputer
from radiogenomics.models import LinearSVM, TunedClassifier, TunedSurvival
from radiogenomics.models.nomogram import Nomogram
from radiogenomics.models.survival import CoxModel, FineGrayModel, LassoCox, SurvivalForest

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "models"
COLUMNS = ["age", "afp", "male", "stage_B", "stage_C", "rad"]
LEVELS = {"stage": {"A": None, "B": "stage_B", "C": "stage_C"}}
VALUES = {"age": range(30, 91, 10), "afp": range(-1, 7), "rad": np.arange(-4, 5)}
HORIZONS = [6, 12, 24]


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    table = pd.read_csv(REFERENCE / "survival_input.csv")
    for level in "BC":
        table[f"stage_{level}"] = (table["stage"] == level).astype(float)
    return table


@pytest.fixture(scope="module")
def outcome(patients) -> np.ndarray:
    y = np.empty(len(patients), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = patients["event"] == 1, patients["time"]
    return y


@pytest.fixture(scope="module")
def label(patients) -> np.ndarray:
    return np.where(patients["time"] > 12, "responder", "other")


class Doubled(TransformerMixin, BaseEstimator):
    """A step that is not known, and no filler of gaps."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.asarray(X) * 2


class BySite(Doubled):
    """A step that eats a row fact."""

    row_facts = ("@site",)


SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    RobustScaler(),
    RobustScaler(with_centering=False),
    MinMaxScaler((-1, 3)),
    MaxAbsScaler(),
]


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
def test_scaling_changes_nothing_that_rms_draws(scaler, patients, outcome, label):
    """Without a penalty the model is the same in any units, and so is its nomogram."""
    reference = pd.read_csv(REFERENCE / "nomogram_points.csv")
    values = {"age": VALUES["age"], "afp": VALUES["afp"], "rad": np.arange(-3, 4)}
    cox = make_pipeline(scaler, CoxModel()).fit(patients[COLUMNS], outcome)
    drawn = Nomogram.from_cox(cox, patients, levels=LEVELS, values=values)
    expected = reference.loc[reference["kind"] == "cox", "points"]
    np.testing.assert_allclose(drawn.points_table()["points"], expected, atol=1e-10)
    exact = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    logistic = make_pipeline(scaler, exact).fit(patients[COLUMNS], label)
    drawn = Nomogram.from_logistic(logistic, patients, levels=LEVELS, values=values)
    expected = reference.loc[reference["kind"] == "logistic", "points"]
    np.testing.assert_allclose(drawn.points_table()["points"], expected, atol=1e-10)
    assert drawn.outcome == "probability of responder"


def preparation() -> list[tuple[str, object]]:
    """Steps of each kind that is supported, one a Pipeline; gaps are filled, a column dropped."""
    inner = Pipeline(
        [("none", "passthrough"), ("scale", RobustScaler()), ("fill", SimpleImputer())]
    )
    return [
        ("medians", MedianImputer()),
        ("inner", inner),
        ("varies", VarianceThreshold()),
        ("standardise", StandardScaler()),
    ]


@pytest.fixture(scope="module")
def gappy(patients) -> pd.DataFrame:
    table = patients[COLUMNS].assign(dull=1.0)
    table.loc[::9, "afp"] = np.nan
    return table


RIDGE = Pipeline([*preparation(), ("cox", CoxModel(penalty=1.0))])
SURVIVAL = {
    "pipeline": Pipeline([*preparation(), ("cox", CoxModel(penalty=3.0))]),
    "lasso": Pipeline([*preparation(), ("lasso", LassoCox(share=0.2))]),
    "tuned": TunedSurvival(
        Pipeline([*preparation(), ("cox", CoxModel())]), {"penalty": (10.0, 1.0)}, n_splits=3
    ),
    "tuned within": Pipeline(
        [
            ("shift", MinMaxScaler()),
            (
                "tuned",
                TunedSurvival(Pipeline([*preparation(), ("cox", CoxModel(penalty=1.0))]), {}),
            ),
        ]
    ),
}


@pytest.mark.parametrize("kind", SURVIVAL)
def test_survival_is_that_of_the_model_behind_its_steps(kind, gappy, patients, outcome):
    model = SURVIVAL[kind].fit(gappy, outcome)
    drawn = Nomogram.from_cox(model, gappy, values=VALUES)
    assert "dull" not in [axis.name for axis in drawn.axes]
    if kind == "lasso":
        zero = [name for name in COLUMNS if name not in [axis.name for axis in drawn.axes]]
        assert len(zero) == np.sum(model[-1].coef_ == 0)
    complete = patients[COLUMNS].assign(dull=1.0)
    found = drawn.score(complete, HORIZONS)
    if isinstance(model, TunedSurvival):
        survival = model.predict_survival(complete, HORIZONS)
    else:
        survival = model[-1].predict_survival(model[:-1].transform(complete), HORIZONS)
    np.testing.assert_allclose(found.probability, survival, rtol=1e-10)


CLASSIFIERS = {
    "pipeline": Pipeline([*preparation(), ("lr", LogisticRegression(C=0.5))]),
    "tuned": TunedClassifier(
        Pipeline([*preparation(), ("lr", LogisticRegression())]), {"C": (0.1, 1.0)}, n_splits=3
    ),
    "selected": TunedClassifier(
        Pipeline([*preparation(), ("k", SelectKBest(k=3)), ("svm", LinearSVM())]),
        {"C": (0.1, 1.0)},
        n_splits=3,
    ),
    "svm": TunedClassifier(
        Pipeline([*preparation(), ("svm", SVC(kernel="linear"))]), {"C": (0.1,)}, n_splits=3
    ),
}


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_probability_is_that_of_the_model_with_its_calibration(kind, gappy, patients, label):
    model = CLASSIFIERS[kind].fit(gappy, label)
    drawn = Nomogram.from_logistic(model, gappy, values=VALUES)
    assert drawn.outcome == "probability of responder"
    if kind == "selected":
        assert {axis.name for axis in drawn.axes} == set(model.selected_features_)
    complete = patients[COLUMNS].assign(dull=1.0)
    found = drawn.score(complete).probability[drawn.outcome]
    np.testing.assert_allclose(found, model.predict_proba(complete)[:, 1], rtol=1e-9)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([StandardScaler(), PCA(6)], r"behind steps that.*found pca \(PCA\)"),
        ([PCA(2)], r"found pca \(PCA\)"),
        ([QuantileTransformer(n_quantiles=20)], r"found quantiletransformer \(Quan"),
        ([Doubled(), StandardScaler()], r"found doubled \(Doubled\)"),
        ([MinMaxScaler(clip=True)], r"MinMaxScaler\(clip=True\)"),
        ([BySite()], r"found bysite \(BySite\)"),
    ],
    ids=["mixed", "fewer", "bent", "not known", "clipped", "row fact"],
)
def test_steps_that_bend_or_mix_columns_are_refused_by_name(
    steps, message, patients, outcome, label
):
    cox = make_pipeline(*steps, CoxModel(penalty=1.0)).fit(patients[COLUMNS], outcome)
    logistic = make_pipeline(*steps, LogisticRegression()).fit(patients[COLUMNS], label)
    for model in (cox, logistic):
        model.steps[0][1].feature_names_in_ = np.array(COLUMNS, dtype=object)
    with pytest.raises(DataError, match=message):
        Nomogram.from_cox(cox, patients)
    with pytest.raises(DataError, match=message):
        Nomogram.from_logistic(logistic, patients)


def test_models_that_add_nothing_up_are_refused_by_kind(patients, outcome, label):
    X = patients[COLUMNS]
    forest = make_pipeline(StandardScaler(), SurvivalForest(5)).fit(X, outcome)
    with pytest.raises(DataError, match="expected a Cox model.*found SurvivalForest"):
        Nomogram.from_cox(forest, patients)
    cause = np.empty(len(X), dtype=[("cause", int), ("time", float)])
    cause["cause"], cause["time"] = patients["event"], patients["time"]
    with pytest.raises(DataError, match="found FineGrayModel"):
        Nomogram.from_cox(FineGrayModel().fit(X, cause), patients)
    with pytest.raises(DataError, match="expected a Cox model.*found LogisticRegression"):
        Nomogram.from_cox(LogisticRegression().fit(X / 100, label), patients)
    for learner in (RandomForestClassifier(3), SVC()):
        tuned = TunedClassifier(make_pipeline(learner), {}, n_splits=3).fit(X, label)
        with pytest.raises(DataError, match=f"expected a logistic.*found {type(learner).__name__}"):
            Nomogram.from_logistic(tuned, patients)
    with pytest.raises(DataError, match="in a TunedClassifier another linear.*found LinearSVM"):
        Nomogram.from_logistic(LinearSVM().fit(X, label), patients)
    bare = make_pipeline(StandardScaler(), CoxModel()).fit(X.to_numpy(), outcome)
    with pytest.raises(SchemaError, match="names of its features"):
        Nomogram.from_cox(bare, patients)


def test_a_filler_of_gaps_is_tried_on_patients_without_any(gappy, patients, outcome):
    model = SURVIVAL["pipeline"].fit(gappy, outcome)
    with pytest.raises(DataError, match=r"medians \(MedianImputer\).*changes none.*found none"):
        Nomogram.from_cox(model, gappy.assign(afp=np.nan), values=VALUES)
    levels = patients.drop(columns=["stage_B", "stage_C"])
    scaled = make_pipeline(StandardScaler(), CoxModel()).fit(patients[COLUMNS], outcome)
    drawn = Nomogram.from_cox(scaled, levels, levels=LEVELS)
    assert "stage" in [axis.name for axis in drawn.axes]
