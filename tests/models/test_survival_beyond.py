"""Who lives beyond so many months: labels by hand, weights by R, bias of each policy."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from sksurv.metrics import concordance_index_censored
from sksurv.nonparametric import ipc_weights

from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.method import Method
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.resampling import cross_validate_survival
from radiogenomics.evaluation.splits import PatientKFold
from radiogenomics.models import TunedClassifier
from radiogenomics.models.longitudinal import BaselineFallback
from radiogenomics.models.surrogate import surrogate
from radiogenomics.models.survival_beyond import SurvivalBeyond

REFERENCE = Path(__file__).parents[1] / "reference" / "models"
INPUT = pd.read_csv(REFERENCE / "survival_beyond_input.csv")
EXPECTED = pd.read_csv(REFERENCE / "survival_beyond.csv")


def target(time, event) -> np.ndarray:
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


class Plain(SurvivalBeyond):
    """Takes the plain y of scikit-learn's checks for a survival target."""

    @staticmethod
    def survival(y):
        if y is None:
            return y
        codes = np.unique(np.asarray(y).ravel(), return_inverse=True)[1].astype(float)
        return target(1.0 + codes + np.arange(len(codes)) % 7, np.arange(len(codes)) % 4 > 0)

    def fit(self, X, y):
        return super().fit(X, self.survival(y))

    def score(self, X, y):
        return super().score(X, self.survival(y))


@parametrize_with_checks(
    [
        Plain(make_pipeline(SimpleImputer(), GaussianNB()), "median", "event_free"),
        Plain(surrogate([("fill", SimpleImputer())], "lr", n_splits=2), 4.0, "weight"),
    ]
)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.fixture
def cohort(rng) -> tuple[pd.DataFrame, np.ndarray]:
    X = pd.DataFrame(rng.normal(size=(120, 3)), columns=["size", "rim", "noise"])
    time = rng.exponential(20 * np.exp(-1.0 * X["size"].to_numpy()))
    left = rng.uniform(0, 60, 120)
    return X, target(np.minimum(time, left), time <= left)


# dead, dead at 12, lost, lost at 12, dead later, lost later, lost just before, dead
BY_HAND = target([3, 12, 5, 12, 13, 30, 11.9, 10], [1, 1, 0, 0, 1, 0, 0, 1])


def test_labels_and_weights_by_hand():
    X = np.arange(8.0)[:, None]
    model = SurvivalBeyond(LogisticRegression(), 12).fit(X, BY_HAND)
    # Of who was lost at 12 it is known that he lived longer; the dead at 12 did not.
    np.testing.assert_array_equal(model.labels(BY_HAND), [0, 0, np.nan, 1, 1, 1, np.nan, 0])
    assert (model.unknown_, model.before_landmark_) == (2, 0)
    assert model.weights_.tolist() == [1, 1, 0, 1, 1, 1, 0, 1]
    free = clone(model).set_params(censored="event_free").fit(X, BY_HAND)
    assert free.weights_.tolist() == [1] * 8
    np.testing.assert_array_equal(free.labels(BY_HAND), model.labels(BY_HAND))
    # At 5 one of seven is lost, at 11.9 one of five: G is 6/7 and then 24/35.
    weighted = clone(model).set_params(censored="weight").fit(X, BY_HAND)
    late = 35 / 24
    expected = [1, late, 0, late, late, late, 0, 7 / 6]
    np.testing.assert_allclose(weighted.weights_, expected, rtol=1e-15)
    later = clone(model).set_params(landmark=5.0, censored="weight").fit(X, BY_HAND)
    expected = [np.nan, 0, np.nan, 1, 1, 1, np.nan, 0]
    np.testing.assert_array_equal(later.labels(BY_HAND), expected)
    assert (later.unknown_, later.before_landmark_) == (1, 2)
    np.testing.assert_allclose(later.weights_, [0, 1.25, 0, 1.25, 1.25, 1.25, 0, 1], rtol=1e-15)


def test_times_that_differ_by_rounding_only_are_equal():
    time = [0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2, 1.0, 1.0, 0.1, 0.2]
    y = target(time, [1, 1, 0, 0, 1, 1, 1, 1])
    for months in (0.3, 0.1 + 0.2):
        model = SurvivalBeyond(LogisticRegression(), months).fit(np.arange(8.0)[:, None], y)
        assert model.labels(y).tolist() == [0, 0, 1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    "part", [f"{a}-{b}" for a, b in EXPECTED.groupby(["landmark", "months"]).groups]
)
def test_r_finds_the_same_weights_median_and_share_alive(part):
    """Against prodlim and survival: deaths and censorings share whole months."""
    landmark, months = map(float, part.split("-"))
    rows = EXPECTED[(EXPECTED["landmark"] == landmark) & (EXPECTED["months"] == months)]
    X, y = INPUT[["x"]], target(INPUT["time"], INPUT["event"])
    model = SurvivalBeyond(LogisticRegression(), months, "weight", landmark=landmark).fit(X, y)
    expected = np.zeros(len(INPUT))
    expected[rows["row"] - 1] = rows["weight"]
    np.testing.assert_allclose(model.weights_, expected, rtol=1e-12)
    # The weighted share of the living is the Kaplan-Meier estimate; weights add up to all.
    alive = model.weights_[model.labels(y) == 1].sum() / model.weights_.sum()
    assert alive == pytest.approx(rows["survival"].iloc[0], rel=1e-12)
    assert model.weights_.sum() == pytest.approx(len(rows), rel=1e-12)
    assert model.before_landmark_ == len(INPUT) - len(rows)
    median = SurvivalBeyond(LogisticRegression(), landmark=landmark).fit(X, y).months_
    assert median == rows["median"].iloc[0]


def test_weights_are_those_of_scikit_survival_without_ties(cohort):
    X, y = cohort
    model = SurvivalBeyond(LogisticRegression(), 15.0, "weight").fit(X, y)
    dead = y["event"] & (y["time"] <= 15.0)
    theirs = ipc_weights(y["event"], y["time"])
    np.testing.assert_allclose(model.weights_[dead], theirs[dead], rtol=1e-12)


def test_weights_reach_the_learner_and_the_labels_are_what_it_is_fitted_on(cohort):
    X, y = cohort
    model = SurvivalBeyond(LogisticRegression(), 15.0, "weight").fit(X, y)
    label, used = model.labels(y), model.weights_ > 0
    assert np.array_equal(used, ~np.isnan(label))
    by_hand = LogisticRegression().fit(X[used], label[used], sample_weight=model.weights_[used])
    np.testing.assert_allclose(model.predict_proba(X), by_hand.predict_proba(X), rtol=1e-12)
    assert np.array_equal(model.predict(X), model.predict_proba(X)[:, 0])
    plain = SurvivalBeyond(LogisticRegression(), 15.0).fit(X, y)
    unweighted = LogisticRegression().fit(X[used], label[used])
    np.testing.assert_allclose(plain.predict_proba(X), unweighted.predict_proba(X), rtol=1e-12)
    tuned = surrogate([("standardise", StandardScaler())], "lr")
    weighted = SurvivalBeyond(tuned, 15.0, "weight").fit(X, y)
    whole = clone(tuned).fit(X[used], label[used], sample_weight=model.weights_[used])
    np.testing.assert_allclose(weighted.predict_proba(X), whole.predict_proba(X), rtol=1e-12)
    assert list(weighted.selected_features_) == ["size", "rim", "noise"]
    assert plain.selected_features_ is None


def world(rng, n, *, effect=1.0):
    X = rng.normal(size=(n, 2))
    time = rng.exponential(20 * np.exp(-effect * X[:, 0]))
    return X, time


def truly_alive(X, months, *, effect=1.0):
    return np.exp(-months / (20 * np.exp(-effect * X[:, 0])))


def test_weights_find_the_uncensored_truth_that_counting_as_alive_misses():
    """Censoring that knows nothing of the risk: 15 seeds, error of the mean and of each patient."""
    bias = {policy: [] for policy in ("weight", "exclude", "event_free")}
    error = {policy: [] for policy in bias}
    for seed in range(15):
        rng = np.random.default_rng([80, seed])
        X, time = world(rng, 400)
        left = rng.exponential(20, 400)
        y = target(np.minimum(time, left), time <= left)
        new, _ = world(rng, 2000)
        truth = truly_alive(new, 12.0)
        for policy in bias:
            model = SurvivalBeyond(LogisticRegression(C=np.inf), 12.0, policy).fit(X, y)
            found = model.predict_proba(new)[:, 1]
            bias[policy].append((found - truth).mean())
            error[policy].append(np.sqrt(((found - truth) ** 2).mean()))
    mean = {policy: np.mean(values) for policy, values in bias.items()}
    spread = np.std(bias["weight"], ddof=1) / np.sqrt(15)
    assert abs(mean["weight"]) < 3 * spread
    # The docstring says which way the other two err.
    assert mean["event_free"] > 10 * spread
    assert mean["exclude"] < -5 * spread
    for policy in ("event_free", "exclude"):
        gain = np.subtract(error[policy], error["weight"])
        assert gain.mean() > 3 * gain.std(ddof=1) / np.sqrt(15)


def test_tuned_and_calibrated_models_are_weighted_too():
    found, truths = [], []
    for seed in range(6):
        rng = np.random.default_rng([81, seed])
        X, time = world(rng, 400)
        left = rng.exponential(20, 400)
        y = target(np.minimum(time, left), time <= left)
        new, _ = world(rng, 2000)
        steps = make_pipeline(StandardScaler(), SVC(kernel="linear"))
        model = SurvivalBeyond(TunedClassifier(steps, {"C": (0.01, 1.0)}), 12.0, "weight")
        found.append(model.fit(X, y).predict_proba(new)[:, 1].mean())
        truths.append(truly_alive(new, 12.0).mean())
    assert abs(np.mean(np.subtract(found, truths))) < 0.03


def test_landmark_makes_predictions_conditional():
    """An exponential forgets: beyond 16 given 4 is beyond 12."""
    rng = np.random.default_rng(82)
    X, time = world(rng, 20_000)
    y = target(time, np.ones(20_000, dtype=bool))
    model = SurvivalBeyond(LogisticRegression(C=np.inf), 16.0, landmark=4.0).fit(X, y)
    at_zero = SurvivalBeyond(LogisticRegression(C=np.inf), 12.0).fit(X, y)
    grid = np.column_stack([np.linspace(-1.5, 1.5, 7), np.zeros(7)])
    apart = logit(model.predict(grid)) - logit(at_zero.predict(grid))
    assert np.abs(apart).max() < 0.25
    unconditional = SurvivalBeyond(LogisticRegression(C=np.inf), 16.0).fit(X, y)
    assert (model.predict(grid) < unconditional.predict(grid)).all()


def test_without_effect_everybody_gets_the_kaplan_meier_share():
    rng = np.random.default_rng(83)
    X, time = world(rng, 500, effect=0.0)
    left = rng.exponential(25, 500)
    y = target(np.minimum(time, left), time <= left)
    tuned = surrogate([("standardise", StandardScaler())], "lr")
    model = SurvivalBeyond(tuned, "median", "weight").fit(X, y)
    risk = model.predict(rng.normal(size=(300, 2)))
    assert np.abs(risk - 0.5).mean() < 0.06
    assert abs(model.months_ - 20 * np.log(2)) < 3


def test_risk_is_worse_when_higher_and_score_is_concordance(cohort):
    X, y = cohort
    model = SurvivalBeyond(LogisticRegression()).fit(X, y)
    low, high = model.predict(pd.DataFrame([[-2.0, 0, 0], [2.0, 0, 0]], columns=X.columns))
    assert 0 < low < high < 1
    theirs = concordance_index_censored(y["event"], y["time"], model.predict(X))[0]
    assert model.score(X, y) == pytest.approx(theirs, abs=1e-12)
    # Cross-validation would take a decision function, higher is better here, for a risk.
    assert not hasattr(model, "decision_function")


def test_cross_validation_scores_the_risk(cohort):
    X, y = cohort
    X.index = [f"P{i}" for i in range(len(X))]
    outcome = SurvivalOutcome(
        "OS", pd.Series(y["time"], index=X.index), pd.Series(y["event"], index=X.index)
    )
    model = SurvivalBeyond(surrogate([("standardise", StandardScaler())], "lr"), "median", "weight")
    evidence = cross_validate_survival(model, X, outcome, splitter=PatientKFold(3), name="beyond")
    scored = evidence.predictions.set_index("patient_id")["score"].loc[X.index]
    assert scored.between(0, 1).all()
    assert concordance_index_censored(y["event"], y["time"], scored)[0] > 0.65


def test_falls_back_to_the_baseline_under_censoring(rng):
    X, time = world(rng, 200)
    table = pd.DataFrame(X, columns=["pre|size", "post|size"])
    table.loc[:49, "post|size"] = np.nan
    left = rng.exponential(40, 200)
    y = target(np.minimum(time, left), time <= left)
    steps = make_pipeline(StandardScaler(), LogisticRegression())
    one = TunedClassifier(steps, {"C": (0.1, 1.0)}, n_splits=3)
    model = SurvivalBeyond(BaselineFallback(one, one, ("post",)), "median", "weight").fit(table, y)
    assert model.needs_names
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        risk = model.predict(table)
    first = model.classifier_.baseline_.predict_proba(table.loc[:49, ["pre|size"]])[:, 0]
    np.testing.assert_allclose(risk[:50], first, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"months": "mean"}, UnknownNameError, "did you mean 'median'"),
        ({"months": 0.0}, DataError, "number above the landmark of 0 months; found 0.0"),
        ({"months": np.inf}, DataError, "found inf"),
        ({"months": np.nan}, DataError, "found nan"),
        ({"months": 6.0, "landmark": 6.0}, DataError, "above the landmark of 6 months"),
        ({"landmark": -1.0}, DataError, "landmark: expected months of 0 or more; found -1.0"),
        ({"landmark": 1e6}, OutcomeError, "followed beyond the landmark"),
        ({"months": 1e6}, OutcomeError, "0 alive beyond"),
        ({"months": 1e-9}, OutcomeError, "0 dead by then"),
        ({"censored": "weigh"}, UnknownNameError, "did you mean 'weight'"),
        ({"classifier": SVC()}, StudyError, "expected one with probabilities"),
        (
            {"classifier": KNeighborsClassifier(), "censored": "weight"},
            StudyError,
            "takes weights of patients; found KNeighborsClassifier.*lr, rf",
        ),
        (
            {
                "classifier": TunedClassifier(Pipeline([("k", KNeighborsClassifier())]), {}),
                "censored": "weight",
            },
            StudyError,
            "KNeighborsClassifier, which takes none",
        ),
    ],
)
def test_senseless_parameters_are_named(change, error, message, cohort):
    model = SurvivalBeyond(LogisticRegression()).set_params(**change)
    with pytest.raises(error, match=message):
        model.fit(*cohort)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ("all censored", OutcomeError, "at least one event"),
        ("few events", OutcomeError, "falls to one half.*found 5 events in 120"),
        ("negative time", OutcomeError, "0 or more"),
        ("missing time", OutcomeError, "finite follow-up times"),
        ("plain y", OutcomeError, "SurvivalOutcome.to_structured"),
        ("length", ValueError, "inconsistent numbers of samples"),
        ("one patient", ValueError, "sample|falls to one half|known on each side"),
    ],
)
def test_outcomes_that_cannot_be_analysed_are_refused(change, error, message, cohort):
    X, y = cohort
    if change == "all censored":
        y["event"] = False
    elif change == "few events":
        y["event"] = np.arange(120) < 5
    elif change == "negative time":
        y["time"][3] = -1
    elif change == "missing time":
        y["time"][3] = np.nan
    elif change == "plain y":
        y = y["time"]
    elif change == "length":
        y = y[:-1]
    else:
        X, y = X.iloc[:1], y[:1]
        y["event"] = True
    with pytest.raises(error, match=message):
        SurvivalBeyond(LogisticRegression()).fit(X, y)


def test_zero_times_constant_columns_and_perfect_separation_do_not_stop_it(cohort):
    X, y = cohort
    y["time"][:3], y["event"][:3] = 0.0, [True, True, False]
    X = X.assign(flat=1.0, oracle=y["time"])
    model = SurvivalBeyond(surrogate([("standardise", StandardScaler())], "lr"), 10.0, "weight")
    risk = model.fit(X, y).predict(X)
    assert np.isfinite(risk).all()
    assert expit(0) > risk[y["time"] > 30].max()


def test_card_is_filled():
    assert isinstance(SurvivalBeyond.card, Method)
    assert SurvivalBeyond.card.learns
