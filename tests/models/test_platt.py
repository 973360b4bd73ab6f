from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.calibration import _SigmoidCalibration

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.models.platt import fit_platt


def constrained(scores: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    """The definition, by a general optimiser with a bound on the spread of the log-odds."""
    n1, n0 = positive.sum(), (~positive).sum()
    targets = np.where(positive, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))

    def loss(point):
        log_odds = point[0] * scores + point[1]
        return (np.logaddexp(0, log_odds) - targets * log_odds).sum()

    def slope(point):
        residual = expit(point[0] * scores + point[1]) - targets
        return np.array([residual @ scores, residual.sum()])

    found = minimize(
        loss,
        [0.01 / scores.std(), 0.0],
        jac=slope,
        bounds=[(0.01 / scores.std(), None), (None, None)],
        tol=1e-14,
        method="L-BFGS-B",
    )
    return found.x


@pytest.mark.parametrize("separation", [0.2, 1.0, 3.0, 30.0])
def test_agrees_with_a_general_optimiser(rng, separation):
    positive = rng.random(80) < 0.3
    scores = rng.normal(size=80) + separation * positive
    fitted = fit_platt(scores, positive)
    expected = constrained(scores, positive)
    assert [fitted.slope, fitted.intercept] == pytest.approx(expected, rel=2e-4, abs=2e-4)


def test_agrees_with_scikit_learn(rng):
    positive = rng.random(200) < 0.4
    scores = 3 * rng.normal(size=200) + 2 * positive - 5
    theirs = _SigmoidCalibration().fit(scores, positive)
    ours = fit_platt(scores, positive)
    np.testing.assert_allclose(ours.probability(scores), theirs.predict(scores), atol=1e-4)


def test_upside_down_scores_keep_their_order_near_the_prevalence(rng):
    positive = np.arange(50) % 5 == 0
    scores = rng.normal(size=50) - 2 * positive
    fitted = fit_platt(scores, positive)
    assert not fitted.informative
    assert [fitted.slope, fitted.intercept] == pytest.approx(
        constrained(scores, positive), rel=1e-6, abs=1e-6
    )
    probability = fitted.probability(scores)
    np.testing.assert_array_equal(np.argsort(probability), np.argsort(scores))
    assert probability.mean() == pytest.approx((10 * 11 / 12 + 40 / 42) / 50)
    assert np.log(probability / (1 - probability)).std() == pytest.approx(0.01)


def test_constant_scores_give_the_prevalence():
    positive = np.arange(30) % 2 == 0
    for value in (0.0, 1e6, -0.3):
        fitted = fit_platt(np.full(30, value), positive)
        assert fitted.slope == 0 and not fitted.informative
        assert fitted.probability(np.array([value])) == pytest.approx(0.5)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e3), min_size=6, max_size=30),
    st.floats(1e-3, 1e3),
    st.floats(-1e3, 1e3),
)
def test_linear_change_of_the_score_changes_no_probability(values, gain, offset):
    scores = np.array(values)
    positive = np.arange(len(scores)) % 3 == 0
    if scores.std() < 1e-6 * (1 + np.abs(scores).max()):
        return
    before = fit_platt(scores, positive).probability(scores)
    moved = gain * scores + offset
    np.testing.assert_allclose(fit_platt(moved, positive).probability(moved), before, atol=1e-4)


def test_one_class_is_refused():
    with pytest.raises(OutcomeError, match="two classes"):
        fit_platt(np.arange(5.0), np.ones(5, dtype=bool))


def test_weight_of_two_is_a_patient_twice(rng):
    scores = rng.normal(size=40)
    positive = rng.random(40) < 0.4
    for sign in (1.0, -1.0):  # the second ranks upside down, so the least slope is fitted
        both = sign * (scores + 2 * positive)
        times = rng.integers(0, 4, 40)
        weighted = fit_platt(both, positive, weight=times)
        repeated = fit_platt(np.repeat(both, times), np.repeat(positive, times))
        assert weighted.slope == pytest.approx(repeated.slope, rel=1e-9)
        assert weighted.intercept == pytest.approx(repeated.intercept, rel=1e-9)
        assert weighted.informative == repeated.informative == (sign > 0)


@pytest.mark.parametrize("weight", [[1, 1, -1, 1], [1, 1, np.nan, 1], [1, 1, 1]])
def test_weights_that_make_no_sense_are_refused(weight):
    with pytest.raises(DataError, match="weight of 0 or more"):
        fit_platt(np.arange(4.0), np.array([0, 1, 0, 1]), weight=np.array(weight))
    with pytest.raises(OutcomeError, match="two classes"):
        fit_platt(np.arange(4.0), np.array([0, 1, 0, 1]), weight=np.array([1, 0, 1, 0]))
