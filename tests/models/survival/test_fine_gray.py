"""The Fine-Gray estimator: scikit-learn's checks, agreement with the statistic, odd input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, OutcomeError, SchemaError
from radiogenomics.models.survival.fine_gray import FineGrayModel, competing_target
from radiogenomics.stats.survival.competing_risks import cumulative_incidence
from radiogenomics.stats.survival.fine_gray import fit_fine_gray


def target(time, cause) -> np.ndarray:
    y = np.empty(len(time), dtype=[("cause", int), ("time", float)])
    y["cause"], y["time"] = cause, time
    return y


class PlainFineGray(FineGrayModel):
    """Takes the plain y of scikit-learn's checks for a target with two causes."""

    def fit(self, X, y):
        if y is None:
            return super().fit(X, y)
        codes = np.unique(np.asarray(y).ravel(), return_inverse=True)[1].astype(float)
        turn = np.arange(len(codes))
        return super().fit(X, target(1.0 + codes + turn % 7, (turn * 5 + 1) % 8 % 3))


@parametrize_with_checks([PlainFineGray()])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.fixture
def cohort(rng) -> tuple[pd.DataFrame, np.ndarray]:
    X = pd.DataFrame(rng.normal(size=(150, 3)), columns=["size", "rim", "noise"])
    mine = rng.random(150) < 0.6
    time = rng.exponential(20 * np.exp(-np.where(mine, 1.5, 0.0) * X["size"].to_numpy()))
    cause = np.where(time > 25, 0, np.where(mine, 1, 2))
    return X, target(np.minimum(time, 25.0), cause)


def test_is_the_statistic_of_the_same_name(cohort):
    X, y = cohort
    model = FineGrayModel(interest=2).fit(X, y)
    fit = fit_fine_gray(X, y["time"], y["cause"], interest=2)
    assert_array_equal(model.coef_, fit.coef)
    assert_allclose(model.predict(X), (X.to_numpy() - fit.center) @ fit.coef)
    assert_allclose(model.predict_cumulative_incidence(X, [3, 9]), fit.incidence(X, [3, 9]))
    assert_array_equal(model.event_times_, np.unique(y["time"][y["cause"] == 2]))
    assert model.last_time_ == 25


def test_higher_risk_is_more_of_the_cause_at_every_time(cohort):
    X, y = cohort
    model = FineGrayModel().fit(X, y)
    ends = pd.DataFrame([[-2.0, 0, 0], [2.0, 0, 0]], columns=X.columns)
    low, high = model.predict(ends)
    assert low < high
    curves = model.predict_cumulative_incidence(ends, [0, 5, 15, 25])
    assert (curves[:, 0] == 0).all()
    assert (curves[0, 1:] < curves[1, 1:]).all()
    reverse = model.predict_cumulative_incidence(ends, [25, 15, 5, 0])
    assert_array_equal(reverse, curves[:, ::-1])


def test_is_calibrated_on_average_in_training(cohort):
    X, y = cohort
    foretold = FineGrayModel().fit(X, y).predict_cumulative_incidence(X, [5, 12, 20]).mean(axis=0)
    seen = cumulative_incidence(y["time"], y["cause"]).at([5, 12, 20])
    assert_allclose(foretold, seen, atol=0.03)


def test_times_beyond_follow_up_are_refused(cohort):
    model = FineGrayModel().fit(*cohort)
    for times in ([26.0], [-1.0], [np.nan]):
        with pytest.raises(DataError, match="expected times from 0 to 25 months"):
            model.predict_cumulative_incidence(cohort[0], times)


@pytest.mark.parametrize(
    "y",
    [
        np.array([1.0, 2.0]),
        np.array([(True, 1.0)], dtype=[("event", bool), ("time", float)]),
        np.array([(1.0, 1.0)], dtype=[("cause", float), ("time", float)]),
        np.array([(1, 1.0, 2.0)], dtype=[("cause", int), ("time", float), ("age", float)]),
        np.array(["a"]),
    ],
    ids=["plain", "boolean", "float", "three", "text"],
)
def test_targets_of_another_kind_are_refused(y):
    with pytest.raises(OutcomeError, match='dtype=\\[\\("cause", int\\), \\("time", float\\)\\]'):
        competing_target(y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("all censored", "all 150 patients censored"),
        ("no interest", "failed of cause 3; found only causes 1, 2"),
        ("negative cause", "whole numbers"),
        ("negative time", "0 or more"),
        ("missing time", "finite follow-up times"),
        ("few events", "at least as many failures of cause 1 as features; found 2 and 3 features"),
    ],
)
def test_outcomes_that_cannot_be_analysed_are_refused(change, message, cohort):
    X, y = cohort
    interest = 3 if change == "no interest" else 1
    if change == "all censored":
        y["cause"] = 0
    elif change == "negative cause":
        y["cause"][3] = -1
    elif change == "few events":
        y["cause"] = np.where(np.arange(150) < 2, 1, 2)
    elif change != "no interest":
        y["time"][3] = -1 if change == "negative time" else np.nan
    with pytest.raises(OutcomeError, match=message):
        FineGrayModel(interest=interest).fit(X, y)


def test_features_that_stop_the_fit_are_named(cohort):
    X, y = cohort
    with pytest.raises(DataError, match="constant flat.*drops constant features"):
        FineGrayModel().fit(X.assign(flat=2.0), y)
    with pytest.raises(DataError, match="combination of others.*Drop redundant"):
        FineGrayModel().fit(X.assign(twice=2 * X["size"]), y)
    never = X.assign(never=np.where(y["cause"] == 1, 0.0, X["rim"] > 0))
    with pytest.raises(DataError, match="never separate.*rises for ever.*Leave the feature"):
        FineGrayModel().fit(never, y)


def test_odd_tables_are_refused(cohort):
    X, y = cohort
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        FineGrayModel().fit(X.iloc[:-1], y)
    with pytest.raises(SchemaError, match="@site"):
        FineGrayModel().fit(X.assign(**{"@site": 1.0}), y)
    with pytest.raises(ValueError, match="sample"):
        FineGrayModel().fit(X.iloc[:1], y[:1])
    gappy = X.copy()
    gappy.iloc[4, 1] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        FineGrayModel().fit(gappy, y)
    with pytest.raises(ValueError, match="contains NaN"):
        FineGrayModel().fit(X, y).predict(gappy)


def test_card():
    assert (FineGrayModel.card.name, FineGrayModel.card.learns) == ("fine_gray", True)
