from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import (
    DataError,
    FallbackWarning,
    OutcomeError,
    RadiogenomicsWarning,
)
from radiogenomics.features.univariate_cox import UnivariateCox

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "features"
R = pd.read_csv(REFERENCE / "filters.csv")
INPUT = pd.read_csv(REFERENCE / "filters_input.csv")
X_R = INPUT.filter(regex="^v")


def target(event, time) -> np.ndarray:
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


Y_R = target(INPUT["event"], INPUT["time"])


class OnPlainTargets(UnivariateCox):
    """Makes survival of the plain labels that scikit-learn's checks pass."""

    def fit(self, X, y):
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        labels = check_array(y, ensure_2d=False, dtype=None)
        return super().fit(X, target(np.ones(len(labels)), np.arange(len(labels)) + 1.0))


@parametrize_with_checks([OnPlainTargets(), OnPlainTargets(test="score", k=2)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.mark.parametrize("test", ["wald", "score", "likelihood_ratio"])
def test_p_values_agree_with_r(test):
    fitted = UnivariateCox(test=test).fit(X_R, Y_R)
    np.testing.assert_allclose(fitted.p_values_, R[test], rtol=1e-8)
    assert fitted.support_.tolist() == (R[test] <= 0.05).tolist()


def test_breslow_and_coefficients_agree_with_r():
    breslow = UnivariateCox(ties="breslow").fit(X_R, Y_R)
    np.testing.assert_allclose(breslow.p_values_, R["breslow"], rtol=1e-8)
    efron = UnivariateCox().fit(X_R, Y_R)
    np.testing.assert_allclose(efron.coef_, R["coef"], rtol=1e-8)
    assert not np.allclose(breslow.p_values_, efron.p_values_, rtol=1e-3)


def test_agrees_with_lifelines():
    fitted = UnivariateCox(test="wald").fit(X_R, Y_R)
    for column in ("v01", "v12"):
        frame = INPUT[["time", "event", column]].assign(**{column: X_R[column] / X_R[column].std()})
        theirs = CoxPHFitter().fit(frame, "time", "event").summary.loc[column, "p"]
        ours = fitted.p_values_[list(X_R.columns).index(column)]
        assert ours == pytest.approx(theirs, rel=1e-5)  # lifelines stops its search earlier


def test_k_and_correction_narrow_the_choice():
    order = np.argsort(R["wald"])
    best = UnivariateCox(k=2).fit(X_R, Y_R)
    assert set(np.flatnonzero(best.support_)) == set(order[:2])
    strict = UnivariateCox(correction="bonferroni").fit(X_R, Y_R)
    np.testing.assert_allclose(strict.adjusted_, np.minimum(24 * R["wald"], 1), rtol=1e-7)
    assert strict.support_.sum() < (R["wald"] <= 0.05).sum()


def test_finds_the_variable_that_kills(rng):
    X = rng.normal(size=(150, 50))
    time = rng.exponential(np.exp(-X[:, 7]))
    fitted = UnivariateCox(correction="bh").fit(X, target(rng.random(150) < 0.8, time))
    assert int(np.argmin(fitted.p_values_)) == 7
    assert fitted.support_[7] and fitted.coef_[7] > 0


def test_separation_has_no_wald_test_and_a_warning_says_so():
    event = np.arange(30) < 15
    X = np.column_stack([event, np.random.default_rng(0).normal(size=30), np.ones(30)])
    y = target(event, np.where(event, np.arange(30) + 1.0, 40.0))
    with pytest.warns(RadiogenomicsWarning, match="1 of 3 variables have no Wald test"):
        wald = UnivariateCox(alpha=1).fit(X, y)
    assert np.isinf(wald.coef_[0]) and not wald.support_[0]
    for test in ("score", "likelihood_ratio"):
        fitted = UnivariateCox(test=test).fit(X, y)
        assert fitted.p_values_[0] < 1e-4 and fitted.support_[0]
        assert np.isnan(fitted.p_values_[2]) and not fitted.support_[2]


def test_noise_falls_back_inside_a_pipeline(rng):
    X = rng.normal(size=(50, 100))
    y = target(rng.random(50) < 0.6, rng.exponential(size=50))
    pipe = make_pipeline(UnivariateCox(alpha=1e-6, fallback=2), StandardScaler())
    with pytest.warns(FallbackWarning, match="the best 2"):
        assert pipe.fit_transform(X, y).shape == (50, 2)
    assert pipe[0].fell_back_
    assert set(np.flatnonzero(pipe[0].support_)) == set(np.argsort(pipe[0].p_values_)[:2])


def test_targets_that_cannot_be_analysed_are_refused(rng):
    X = rng.normal(size=(10, 3))
    time = np.arange(10.0) + 1
    with pytest.raises(OutcomeError, match="at least one event"):
        UnivariateCox().fit(X, target(np.zeros(10), time))
    with pytest.raises(OutcomeError, match="survival target"):
        UnivariateCox().fit(X, time)
    with pytest.raises(ValueError, match="inconsistent"):
        UnivariateCox().fit(X, target(np.ones(9), time[:9]))
    with pytest.raises(OutcomeError, match="0 or more"):
        UnivariateCox().fit(X, target(np.ones(10), time - 3))
    with pytest.raises(DataError, match="found none of 3"):
        UnivariateCox().fit(np.ones((10, 3)), target(np.ones(10), time))
    UnivariateCox(alpha=1).fit(X, target(np.ones(10), time - 1))  # a time of 0 is allowed


@pytest.mark.parametrize("parameters", [{"test": "log"}, {"alpha": 0}, {"k": 0}, {"ties": "exact"}])
def test_senseless_parameters_are_refused(parameters):
    with pytest.raises(DataError, match=next(iter(parameters))):
        UnivariateCox(**parameters).fit(X_R, Y_R)
