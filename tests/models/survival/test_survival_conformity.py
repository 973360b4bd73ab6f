"""scikit-learn's own checks on every survival model, and what all of them do with odd input."""

from __future__ import annotations

import builtins

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.errors import (
    DataError,
    MissingExtraError,
    OutcomeError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.method import Method
from radiogenomics.models.survival import (
    BoostedCox,
    CoxModel,
    LassoCox,
    SurvivalForest,
    SurvivalSVM,
    TunedSurvival,
    survival_learner,
    survival_learner_names,
)


def target(time, event) -> np.ndarray:
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


def from_plain(y) -> object:
    """A survival target with the order of a plain one, every fourth time censored."""
    if y is None:
        return y
    codes = np.unique(np.asarray(y).ravel(), return_inverse=True)[1].astype(float)
    return target(1.0 + codes + np.arange(len(codes)) % 7, np.arange(len(codes)) % 4 > 0)


class Plain:
    """Takes the plain y of scikit-learn's checks for a survival target."""

    def fit(self, X, y):
        return super().fit(X, from_plain(y))

    def score(self, X, y):
        return super().score(X, from_plain(y))


class PlainCox(Plain, CoxModel): ...


class PlainLasso(Plain, LassoCox): ...


class PlainForest(Plain, SurvivalForest): ...


class PlainBoosting(Plain, BoostedCox): ...


class PlainSVM(Plain, SurvivalSVM): ...


class PlainTuned(Plain, TunedSurvival): ...


@parametrize_with_checks(
    [
        PlainCox(penalty=1.0),
        PlainLasso(),
        PlainForest(n_estimators=5, random_state=0),
        PlainBoosting(n_estimators=5, random_state=0),
        PlainSVM(random_state=0),
        PlainTuned(make_pipeline(StandardScaler(), CoxModel()), {"penalty": (10.0, 1.0)}),
    ]
)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


SMALL = {"n_estimators": 10}
MODELS = [
    CoxModel(),
    CoxModel(penalty=1.0),
    LassoCox(),
    SurvivalForest(**SMALL, random_state=0),
    BoostedCox(**SMALL, random_state=0),
    SurvivalSVM(alpha=0.01, random_state=0),
    TunedSurvival(Pipeline([("cox", CoxModel())]), {"penalty": (10.0, 1.0)}),
]
NAMES = ["cox", "ridge", "lasso", "forest", "boosting", "svm", "tuned"]
EACH = pytest.mark.parametrize("model", MODELS, ids=NAMES)
FORETELLING = pytest.mark.parametrize(
    "model",
    [m for m in MODELS if not isinstance(m, SurvivalSVM)],
    ids=[name for name in NAMES if name != "svm"],
)


@pytest.fixture
def cohort(rng) -> tuple[pd.DataFrame, np.ndarray]:
    X = pd.DataFrame(rng.normal(size=(80, 3)), columns=["size", "rim", "noise"])
    time = rng.exponential(20 * np.exp(-1.5 * X["size"].to_numpy()))
    return X, target(np.minimum(time, 25.0), time <= 25.0)


@EACH
def test_higher_risk_is_worse_and_score_is_concordance(model, cohort):
    X, y = cohort
    fitted = clone(model).fit(X, y)
    low, high = fitted.predict(pd.DataFrame([[-2.0, 0, 0], [2.0, 0, 0]], columns=X.columns))
    assert low < high
    theirs = concordance_index_censored(y["event"], y["time"], fitted.predict(X))[0]
    assert fitted.score(X, y) == pytest.approx(theirs, abs=1e-12)
    assert theirs > 0.7


@FORETELLING
def test_survival_starts_at_one_falls_and_orders_patients_as_the_risk_does(model, cohort):
    X, y = cohort
    fitted = clone(model).fit(X, y)
    assert np.array_equal(fitted.event_times_, np.unique(y["time"][y["event"]]))
    times = np.array([0.0, *fitted.event_times_, fitted.last_time_])
    curves = fitted.predict_survival(X, times)
    assert curves.shape == (80, len(times))
    assert (curves[:, 0] == 1).all()
    assert (np.diff(curves, axis=1) <= 0).all()
    assert (curves >= 0).all()
    assert np.array_equal(fitted.predict_survival(X, times[::-1]), curves[:, ::-1])
    assert np.corrcoef(fitted.predict(X), -curves.mean(axis=1))[0, 1] > 0.8
    one = fitted.predict_survival(X.iloc[[0]], [10.0])
    assert one.shape == (1, 1)


@FORETELLING
def test_survival_beyond_follow_up_is_refused(model, cohort):
    fitted = clone(model).fit(*cohort)
    for times in ([26.0], [-1.0], [np.nan]):
        with pytest.raises(DataError, match="expected times from 0 to 25 months"):
            fitted.predict_survival(cohort[0], times)


def test_ranking_machine_foretells_no_survival():
    assert not hasattr(SurvivalSVM(), "predict_survival")
    steps = Pipeline([("standardise", StandardScaler()), ("svm", SurvivalSVM())])
    assert not hasattr(TunedSurvival(steps, {}), "predict_survival")


@EACH
def test_event_at_time_zero_is_an_event_like_any_other(model, cohort):
    X, y = cohort
    y["time"][:2], y["event"][:2] = 0.0, [True, False]
    fitted = clone(model).fit(X, y)
    assert fitted.event_times_[0] == 0
    assert np.isfinite(fitted.predict(X)).all()
    if hasattr(fitted, "predict_survival"):
        assert (fitted.predict_survival(X, [0.0]) < 1).any()


@EACH
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ("all censored", OutcomeError, "expected at least one event"),
        ("negative time", OutcomeError, "0 or more"),
        ("missing time", OutcomeError, "finite follow-up times"),
        ("plain y", OutcomeError, "SurvivalOutcome.to_structured"),
        ("y as strings", OutcomeError, "survival target"),
    ],
)
def test_outcomes_that_cannot_be_analysed_are_refused(model, change, error, message, cohort):
    X, y = cohort
    if change == "all censored":
        y["event"] = False
    elif change == "negative time":
        y["time"][3] = -1
    elif change == "missing time":
        y["time"][3] = np.nan
    else:
        y = y["time"] if change == "plain y" else np.array(["a"] * 80)
    with pytest.raises(error, match=message):
        clone(model).fit(X, y)


@EACH
def test_odd_tables_are_refused(model, cohort):
    X, y = cohort
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clone(model).fit(X.iloc[:-1], y)
    with pytest.raises(SchemaError, match="@site"):
        clone(model).fit(X.assign(**{"@site": 1.0}), y)
    with pytest.raises(ValueError, match="sample"):
        clone(model).fit(X.iloc[:1], y[:1])
    gappy = X.copy()
    gappy.iloc[4, 1] = np.nan
    with pytest.raises(ValueError, match=r"contains NaN|found NaN"):
        clone(model).fit(gappy, y)
    with pytest.raises(ValueError, match=r"contains NaN|found NaN"):
        clone(model).fit(X, y).predict(gappy)


@EACH
def test_nobody_to_compare_is_no_score(model, cohort):
    X, y = cohort
    fitted = clone(model).fit(X, y)
    with pytest.raises(OutcomeError, match="no comparable pair"):
        fitted.score(X.iloc[:1], target([3.0], [True]))


@pytest.mark.parametrize(
    "model", [m for m in MODELS if m is not MODELS[0] and m is not MODELS[-1]], ids=NAMES[1:-1]
)
def test_constant_column_and_single_event_do_not_stop_the_others(model, cohort):
    X, y = cohort
    with_constant = X.assign(flat=2.0)
    assert np.isfinite(clone(model).fit(with_constant, y).predict(with_constant)).all()
    y["event"] = np.arange(80) == np.argmin(y["time"])
    fitted = clone(model).fit(X, y)
    assert np.isfinite(fitted.predict(X)).all()
    assert len(fitted.event_times_) == 1


def test_cox_without_a_penalty_says_what_stops_it(cohort):
    X, y = cohort
    with pytest.raises(DataError, match="constant flat.*drops constant features.*penalty above 0"):
        CoxModel().fit(X.assign(flat=2.0), y)
    with pytest.raises(DataError, match="combination of others.*penalty above 0"):
        CoxModel().fit(X.assign(twice=2 * X["size"]), y)
    separates = X.assign(first=(y["time"] <= np.sort(y["time"][y["event"]])[30]) * 1.0)
    separates.loc[~y["event"], "first"] = 0.0
    with pytest.raises(DataError, match="first separate.*rises for ever.*penalty above 0"):
        CoxModel().fit(separates, y)
    assert np.isfinite(CoxModel(penalty=0.1).fit(separates, y).coef_).all()
    y["event"] = np.arange(80) < 2
    with pytest.raises(OutcomeError, match="2 events and 3 features.*penalty above 0"):
        CoxModel().fit(X, y)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (CoxModel(penalty=-1.0), "penalty"),
        (CoxModel(penalty=np.inf), "penalty"),
        (CoxModel(ties="exact"), "ties"),
        (LassoCox(share=0.0), "share"),
        (LassoCox(share=1.5), "share"),
        (LassoCox(alpha=-0.1), "alpha"),
        (LassoCox(l1_ratio=0.0), "l1_ratio"),
        (LassoCox(rule="best"), "rule"),
        (LassoCox(rule="min", n_splits=1), "n_splits"),
        (SurvivalSVM(alpha=0.0), "alpha"),
        (TunedSurvival(Pipeline([("cox", CoxModel())]), {"penalty": ()}), "grid"),
        (TunedSurvival(Pipeline([("cox", CoxModel())]), {}, n_splits=1), "n_splits"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parameters_out_of_range_are_named(model, name, cohort):
    with pytest.raises(DataError, match=f"{name}: expected"):
        model.fit(*cohort)


def test_events_all_at_the_end_leave_the_svm_nothing_to_rank(cohort):
    X, y = cohort
    y["event"] = y["time"] == y["time"].max()
    with pytest.raises(OutcomeError, match="no comparable pair"):
        SurvivalSVM().fit(X, y)


def test_missing_extra_is_named(cohort, monkeypatch):
    plain_import = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("sksurv"):
            raise ImportError(name)
        return plain_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    for model in (SurvivalForest(), BoostedCox(), SurvivalSVM()):
        with pytest.raises(MissingExtraError, match=r"radiogenomics\[survival\]"):
            model.fit(*cohort)
    for model in (CoxModel(), LassoCox()):
        assert model.fit(*cohort).score(*cohort) > 0.7


def test_names_and_near_miss():
    assert survival_learner_names() == (
        "cox",
        "ridge_cox",
        "lasso_cox",
        "elastic_net_cox",
        "rsf",
        "boosted_cox",
        "survival_svm",
    )
    with pytest.raises(UnknownNameError, match="did you mean 'rsf'"):
        survival_learner("rfs")


@pytest.mark.parametrize("name", survival_learner_names())
def test_each_word_has_a_card_a_grid_that_fits_and_repeats_itself(name, cohort):
    chosen = survival_learner(name, random_state=1)
    assert chosen.estimator is not survival_learner(name).estimator
    assert isinstance(chosen.card, Method)
    assert (chosen.card.name, chosen.card.learns) == (name, True)
    if hasattr(chosen.estimator, "n_estimators"):
        chosen.estimator.set_params(**SMALL)
    for point in ParameterGrid(list(chosen.grid)):
        first, second = (
            clone(chosen.estimator).set_params(**point).fit(*cohort).predict(cohort[0])
            for _ in range(2)
        )
        assert np.array_equal(first, second)


@pytest.mark.parametrize("name", ["ridge_cox", "lasso_cox", "elastic_net_cox", "survival_svm"])
def test_grids_go_from_most_to_least_regularised(name, cohort):
    chosen = survival_learner(name)
    sizes = [
        np.abs(clone(chosen.estimator).set_params(**point).fit(*cohort).coef_).sum()
        for point in ParameterGrid(list(chosen.grid))
    ]
    assert sizes == sorted(sizes)
