from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import check_array
from sklearn.utils.estimator_checks import parametrize_with_checks
from sksurv.linear_model import CoxnetSurvivalAnalysis

from radiogenomics.core.errors import (
    DataError,
    FallbackWarning,
    OutcomeError,
    RadiogenomicsWarning,
    SchemaError,
)
from radiogenomics.features.coxnet import CoxnetSelector

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "stats"


def target(event, time) -> np.ndarray:
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


def wide() -> tuple[pd.DataFrame, np.ndarray]:
    table = pd.read_csv(REFERENCE / "elastic_net_wide.csv")
    return table.filter(regex=r"^X\d"), target(table["event"], table["time"])


class OnPlainTargets(CoxnetSelector):
    """Makes survival of the plain labels that scikit-learn's checks pass."""

    def fit(self, X, y):
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        labels = check_array(y, ensure_2d=False, dtype=None)
        return super().fit(X, target(np.ones(len(labels)), np.arange(len(labels)) + 1.0))


@parametrize_with_checks([OnPlainTargets(n_splits=2, n_lambdas=10)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.mark.parametrize("rule", ["min", "1se"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_coefficients_are_those_of_scikit_survival_at_the_chosen_penalty(l1_ratio, rule):
    X, y = wide()
    fitted = CoxnetSelector(l1_ratio, rule, n_splits=5).fit(X, y)
    scale = X.std(ddof=0).to_numpy()
    model = CoxnetSurvivalAnalysis(
        l1_ratio=l1_ratio, alphas=[fitted.lambda_], tol=1e-15, max_iter=10**7
    ).fit(X.to_numpy() / scale, y)
    expected = model.coef_[:, 0]
    np.testing.assert_allclose(fitted.coef_ * scale, expected, atol=1e-6 * abs(expected).max())
    if not fitted.fell_back_:
        assert fitted.support_.tolist() == (expected != 0).tolist()


def test_finds_the_truth_in_simulation():
    found = []
    for seed in range(3):
        rng = np.random.default_rng([6, seed])
        X = rng.normal(size=(120, 80))
        time = rng.exponential(np.exp(-X[:, :3].sum(axis=1)))
        limit = rng.exponential(3, size=120)
        y = target(time <= limit, np.minimum(time, limit))
        found.append(
            CoxnetSelector(rule="1se", n_splits=5, n_lambdas=30).fit(X, y).support_[:3].sum()
        )
    assert np.mean(found) > 2.9


def test_sign_says_which_way_is_worse(rng):
    X = rng.normal(size=(80, 4))
    y = target(np.ones(80), rng.exponential(np.exp(-2 * X[:, 0] + 2 * X[:, 1])))
    coef = CoxnetSelector().fit(X, y).coef_
    assert coef[0] > 0 > coef[1]


def test_noise_falls_back_on_the_first_of_the_path(rng):
    X = rng.normal(size=(60, 200))
    y = target(rng.random(60) < 0.6, rng.exponential(size=60))
    with pytest.warns(FallbackWarning, match="none of 200 variables"):
        fitted = CoxnetSelector(rule="1se").fit(X, y)
    assert fitted.fell_back_
    assert fitted.support_.sum() == 1
    assert fitted.scores_[fitted.support_] == -1


def test_few_events_and_censored_patients(rng):
    X = rng.normal(size=(40, 5))
    time = rng.exponential(size=40) + 0.1
    with pytest.warns(RadiogenomicsWarning, match="6 folds instead of 10"):
        fitted = CoxnetSelector(l1_ratio=0.5).fit(X, target(np.arange(40) < 6, time))
    assert fitted.n_splits_ == 6
    assert CoxnetSelector().fit(X, target(np.arange(40) > 1, time)).n_splits_ == 10


def test_zero_times_and_ties_are_allowed(rng):
    X = rng.normal(size=(40, 5))
    time = np.floor(3 * rng.exponential(np.exp(-X[:, 0])))
    fitted = CoxnetSelector().fit(X, target(np.ones(40), time))
    assert (time == 0).any()
    assert np.isfinite(fitted.cv_mean_).all()


def test_perfect_order_stays_finite(rng):
    X = rng.normal(size=(40, 60))
    fitted = CoxnetSelector(n_splits=5).fit(X, target(np.ones(40), 9 - X[:, 3]))
    assert np.isfinite(fitted.coef_).all()
    assert fitted.support_[3]


X_BAD = np.random.default_rng(4).normal(size=(20, 3))
T_BAD = np.arange(20) + 1.0


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (X_BAD, T_BAD, OutcomeError, "survival target"),
        (X_BAD, target(np.zeros(20), T_BAD), OutcomeError, "at least one event"),
        (X_BAD, target(np.arange(20) < 1, T_BAD), OutcomeError, "2 events"),
        (X_BAD, target(np.ones(20), -T_BAD), OutcomeError, "0 or more"),
        (X_BAD, target(np.ones(19), T_BAD[1:]), ValueError, "inconsistent"),
        (np.where(X_BAD > 1, np.nan, X_BAD), target(np.ones(20), T_BAD), ValueError, "NaN"),
        (np.ones((20, 3)), target(np.ones(20), T_BAD), DataError, "varies"),
    ],
)
def test_bad_input_says_what_is_wrong(X, y, error, message):
    with pytest.raises(error, match=message):
        CoxnetSelector().fit(X, y)


def test_left_over_row_fact_fails_loudly():
    X, y = wide()
    with pytest.raises(SchemaError, match="row fact.*@site"):
        CoxnetSelector().fit(X.assign(**{"@site": 1.0}), y)
