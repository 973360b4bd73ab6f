"""Coefficients, baseline and curves against R; the wrapped models against what they wrap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from sksurv.ensemble import GradientBoostingSurvivalAnalysis, RandomSurvivalForest
from sksurv.linear_model import CoxnetSurvivalAnalysis, CoxPHSurvivalAnalysis

from radiogenomics.core.errors import DataError
from radiogenomics.models.survival import (
    BoostedCox,
    CoxModel,
    LassoCox,
    SurvivalForest,
    SurvivalSVM,
)
from radiogenomics.models.survival.model import deal_folds

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "models"
TIMES = [0, 3, 12, 12.5, 36, 57]
COLUMNS = ["age", "afp", "male", "stage_B", "stage_C", "rad"]
NEW = pd.DataFrame(
    [[50.0, 1, 0, 1, 0, -1], [75.0, 4, 1, 0, 1, 1.5]],
    columns=COLUMNS,
)


def target(table: pd.DataFrame) -> np.ndarray:
    y = np.empty(len(table), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = table["event"] == 1, table["time"]
    return y


@pytest.fixture(scope="module")
def clinical() -> tuple[pd.DataFrame, np.ndarray]:
    """150 patients, 99 events at 29 times, one of them at time 0."""
    table = pd.read_csv(REFERENCE / "survival_input.csv")
    for level in "BC":
        table[f"stage_{level}"] = (table["stage"] == level).astype(float)
    return table[COLUMNS].astype(float), target(table)


@pytest.fixture(scope="module")
def wide() -> tuple[np.ndarray, np.ndarray]:
    """70 patients, 90 features, 47 events at 39 times."""
    table = pd.read_csv(REFERENCE / "survival_wide_input.csv")
    return table.iloc[:, 2:].to_numpy(), target(table)


def expected(what: str) -> np.ndarray:
    table = pd.read_csv(REFERENCE / "survival_models.csv")
    return table.loc[table["what"] == what, "value"].to_numpy()


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_is_that_of_r(ties, clinical):
    model = CoxModel(ties=ties).fit(*clinical)
    np.testing.assert_allclose(model.coef_, expected(f"cox_{ties}_coef"), rtol=1e-11)
    curves = expected(f"cox_{ties}_survival").reshape(len(TIMES), 2).T
    np.testing.assert_allclose(model.predict_survival(NEW, TIMES), curves, rtol=1e-11)
    # R centres indicator variables at 0 instead of their mean: differences are the same.
    risk = np.diff(expected(f"cox_{ties}_risk"))
    np.testing.assert_allclose(np.diff(model.predict(NEW)), risk, rtol=1e-11)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("penalty", [1, 25])
def test_ridge_is_that_of_r_survival(ties, penalty, clinical):
    model = CoxModel(penalty=penalty, ties=ties).fit(*clinical)
    np.testing.assert_allclose(model.coef_, expected(f"ridge_{ties}_{penalty}_coef"), rtol=1e-11)


def test_ridge_with_more_features_than_patients_is_that_of_glmnet(wide):
    X, y = wide
    found = CoxModel(penalty=0.5 * len(y), ties="breslow").fit(X, y).coef_
    reference = expected("glmnet_ridge_0.5")
    np.testing.assert_allclose(found, reference, atol=1e-10 * np.abs(reference).max(), rtol=0)


def test_ridge_does_not_mind_which_way_it_is_solved(wide):
    """In the features, and in the span of the patients: 69 features each way."""
    X, y = wide
    found = CoxModel(penalty=3.0).fit(X[:, :69], y).coef_
    repeated = CoxModel(penalty=3.0).fit(np.hstack([X[:, :69], np.zeros((70, 30))]), y).coef_
    np.testing.assert_allclose(repeated[:69], found, rtol=1e-9)
    np.testing.assert_allclose(repeated[69:], 0, atol=1e-15)


@pytest.mark.parametrize(
    ("what", "alpha", "l1_ratio"), [("lasso_0.08", 0.08, 1.0), ("net_0.15", 0.15, 0.5)]
)
def test_lasso_and_elastic_net_are_those_of_glmnet(what, alpha, l1_ratio, wide):
    model = LassoCox(alpha=alpha, l1_ratio=l1_ratio, standardise=False).fit(*wide)
    reference = expected(f"glmnet_{what}")
    assert np.array_equal(model.coef_ != 0, reference != 0)
    assert model.n_selected_ == np.count_nonzero(reference) > 20
    np.testing.assert_allclose(model.coef_, reference, atol=1e-9 * np.abs(reference).max(), rtol=0)


def test_largest_penalty_is_that_of_glmnet_and_leaves_nothing(wide):
    X, y = wide
    empty = LassoCox(share=1.0, standardise=False).fit(X, y)
    assert empty.alpha_ == pytest.approx(expected("glmnet_largest")[0], rel=1e-12)
    assert empty.n_selected_ == 0 < LassoCox(share=0.98, standardise=False).fit(X, y).n_selected_
    assert np.ptp(empty.predict(X)) == 0
    assert empty.score(X, y) == 0.5


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_lasso_solves_its_problem(l1_ratio, wide):
    """No step of any one coefficient raises the objective, down to penalties that hold little."""
    X, y = wide
    order = np.argsort(y["time"])
    time, event, x = y["time"][order], y["event"][order], X[order]
    first = np.searchsorted(time, time, side="left")

    def objective(coef, alpha):
        risk = x @ coef
        at_risk = np.logaddexp.accumulate(risk[::-1])[::-1][first]
        penalty = l1_ratio * np.abs(coef).sum() + (1 - l1_ratio) / 2 * coef @ coef
        return (risk - at_risk)[event].sum() / len(y) - alpha * penalty

    for share in (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001):
        model = LassoCox(share=share, l1_ratio=l1_ratio, standardise=False).fit(X, y)
        best = objective(model.coef_, model.alpha_)
        for k in range(90):
            for step in (1e-4, -1e-4):
                other = model.coef_.copy()
                other[k] += step
                assert objective(other, model.alpha_) < best


def test_lasso_copes_with_copies_and_shares_them_out_with_a_ridge_part(wide):
    X, y = wide
    copies = np.hstack([X, X[:, :3], -X[:, :3]])
    alone = LassoCox(alpha=0.05).fit(X, y)
    among = LassoCox(alpha=0.05).fit(copies, y)
    np.testing.assert_allclose(among.predict(copies), alone.predict(X), rtol=1e-6, atol=1e-8)
    net = LassoCox(alpha=0.05, l1_ratio=0.5).fit(copies, y).coef_
    np.testing.assert_allclose(net[90:93], net[:3], rtol=1e-6)
    np.testing.assert_allclose(net[93:], -net[:3], rtol=1e-6)
    assert (net[:3] != 0).all()


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_penalty_that_holds_nothing_is_refused(scale):
    """One feature orders all events: without a penalty its coefficient has no end."""
    x = scale * np.arange(30.0)[:, None]
    y = target(pd.DataFrame({"time": 31.0 - np.arange(30), "event": 1}))
    with pytest.raises(DataError, match="Give a larger penalty"):
        CoxModel(penalty=1e-30).fit(x, y)
    assert 0 < CoxModel(penalty=1e-4 * scale**2).fit(x, y).coef_[0] * scale < 20


@pytest.mark.parametrize("rule", ["min", "1se"])
def test_penalty_by_cross_validation_is_that_of_the_least_deviance_by_hand(rule, clinical):
    """Verweij and van Houwelingen's deviance, from scratch, over the folds of the model."""
    X, y = clinical
    model = LassoCox(rule=rule, n_splits=4, random_state=6).fit(X, y)
    fold = deal_folds(y["event"], 4, random_state=6)

    def log_likelihood(risk, time, event):
        return sum(
            risk[i] - np.log(np.exp(risk[time >= time[i]]).sum()) for i in np.flatnonzero(event)
        )

    candidates = model.alpha_ * np.array([0.5, 0.8, 1.0, 1.25, 2.0])
    deviance = np.empty((4, len(candidates)))
    for number in range(4):
        out = fold != number
        for k, alpha in enumerate(candidates):
            # Standardised on the fold's own training part, as glmnet does.
            coef = LassoCox(alpha=alpha).fit(X[out], y[out]).coef_
            risk = X.to_numpy() @ coef
            whole = log_likelihood(risk, y["time"], y["event"])
            rest = log_likelihood(risk[out], y["time"][out], y["event"][out])
            deviance[number, k] = -2 * (whole - rest) / y["event"][~out].sum()
    share = np.array([y["event"][fold == number].sum() for number in range(4)]) / y["event"].sum()
    mean = share @ deviance
    if rule == "min":
        assert mean[2] <= mean.min() + 0.002
    else:
        least = LassoCox(rule="min", n_splits=4, random_state=6).fit(X, y)
        assert model.alpha_ > least.alpha_
        assert model.n_selected_ <= least.n_selected_


def test_lasso_curves_are_those_of_scikit_survival(wide):
    X, y = wide
    model = LassoCox(alpha=0.08, standardise=False).fit(X, y)
    theirs = CoxnetSurvivalAnalysis(
        alphas=[0.08], l1_ratio=1.0, tol=1e-20, fit_baseline_model=True
    ).fit(X, y)
    curves = [curve([2, 10, 20]) for curve in theirs.predict_survival_function(X[:5])]
    np.testing.assert_allclose(model.predict_survival(X[:5], [2, 10, 20]), curves, rtol=1e-7)


def test_cox_curves_are_those_of_scikit_survival(wide):
    X, y = wide
    theirs = CoxPHSurvivalAnalysis(ties="breslow", tol=1e-13).fit(X[:, :4], y)
    curves = [curve([2, 10, 20]) for curve in theirs.predict_survival_function(X[:5, :4])]
    found = CoxModel(ties="breslow").fit(X[:, :4], y).predict_survival(X[:5, :4], [2, 10, 20])
    np.testing.assert_allclose(found, curves, rtol=1e-9)


def test_forest_hands_everything_on(wide):
    X, y = wide
    settings = {
        "n_estimators": 12,
        "max_depth": 4,
        "min_samples_split": 8,
        "min_samples_leaf": 4,
        "max_features": 0.5,
        "random_state": 3,
    }
    model = SurvivalForest(**settings).fit(X, y)
    theirs = RandomSurvivalForest(**settings).fit(X, y)
    assert np.array_equal(model.predict(X), theirs.predict(X))
    times = np.array([10.0, theirs.unique_times_[5], 0.05])
    curves = theirs.predict_survival_function(X[:4])
    found = model.predict_survival(X[:4], times)
    assert np.array_equal(found[:, :2], [curve(times[:2]) for curve in curves])
    assert (found[:, 2] == 1).all()  # before the first follow-up time


def test_boosting_hands_everything_on(wide):
    X, y = wide
    settings = {
        "n_estimators": 15,
        "learning_rate": 0.2,
        "max_depth": 1,
        "min_samples_leaf": 7,
        "subsample": 0.8,
        "random_state": 3,
    }
    model = BoostedCox(**settings).fit(X, y)
    theirs = GradientBoostingSurvivalAnalysis(**settings).fit(X, y)
    assert np.array_equal(model.predict(X), theirs.predict(X))
    curves = [curve([2, 10, 20]) for curve in theirs.predict_survival_function(X[:5])]
    np.testing.assert_allclose(model.predict_survival(X[:5], [2, 10, 20]), curves, rtol=1e-12)


def test_survival_svm_minimises_the_loss_of_its_docstring(rng):
    """Brute force over all pairs; events at one time as others are censored come first."""
    X = rng.normal(size=(40, 3))
    time = rng.permutation(np.repeat(np.arange(20.0), 2))
    event = np.zeros(40, dtype=bool)
    for t in range(0, 20, 2):
        event[np.flatnonzero(time == t)[0]] = True  # one event a time: no random order
    pairs = [
        (i, j)
        for i in np.flatnonzero(event)
        for j in range(40)
        if time[i] < time[j] or (time[i] == time[j] and not event[j])
    ]
    difference = np.array([X[i] - X[j] for i, j in pairs])

    def loss(w):
        short = np.maximum(0, 1 - difference @ w)
        return w @ w / 2 + 0.05 / 2 * short @ short, w - 0.05 * short @ difference

    best = minimize(loss, np.zeros(3), jac=True, method="BFGS", options={"gtol": 1e-10})
    model = SurvivalSVM(alpha=0.05).fit(X, target(pd.DataFrame({"time": time, "event": event})))
    np.testing.assert_allclose(model.coef_, best.x, rtol=1e-5)


def test_curves_of_the_simulated_truth_are_found(rng):
    """Exponential survival at known rates: the curve of the mean patient, over 2000 patients."""
    X = rng.normal(size=(2000, 2))
    time = rng.exponential(20 / np.exp(X @ [0.8, -0.5]))
    follow_up = rng.uniform(10, 60, 2000)
    y = target(pd.DataFrame({"time": np.minimum(time, follow_up), "event": time <= follow_up}))
    new = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    truth = np.exp(-np.outer(np.exp(new @ [0.8, -0.5]), [6, 12, 24]) / 20)
    for model in (CoxModel(), CoxModel(penalty=1.0), LassoCox(share=0.01)):
        found = model.fit(X, y).predict_survival(new, [6, 12, 24])
        assert np.abs(found - truth).max() < 0.05


@pytest.mark.parametrize("penalty", [1e-8, 1e-3])
def test_ridge_shares_out_copies_however_small_the_penalty(penalty, clinical):
    X, y = clinical
    alone = CoxModel(penalty=penalty / 2).fit(X[["rad"]], y).coef_[0]
    found = CoxModel(penalty=penalty).fit(X.assign(copy=X["rad"])[["rad", "copy"]], y).coef_
    np.testing.assert_allclose(found, alone / 2, rtol=1e-5)
