"""Cumulative incidence against R's survfit and cmprsk, lifelines, hand counts and the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import AalenJohansenFitter
from numpy.testing import assert_allclose, assert_array_equal

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.survival.competing_risks import cumulative_incidence
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier

SETS = {"tied": ("time", "cause"), "exact": ("exact", "cause"), "extinct": ("exact", "extinct")}
R = "competing_risks_curves"


@pytest.fixture(scope="module")
def patients(table):
    """Simulated, three causes."""
    return table("competing_risks_input")


def places(time: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Where the times R was asked for stand; it writes some with another last digit."""
    found = np.searchsorted(time, asked - 1e-9)
    assert_allclose(time[found], asked, rtol=1e-12)
    return found


@pytest.mark.parametrize("key", SETS)
@pytest.mark.parametrize("cause", [1, 2, 3])
def test_curve_error_and_bounds_match_r_survfit(key, cause, patients, values):
    time, code = SETS[key]
    curve = cumulative_incidence(patients[time], patients[code])
    at = places(curve.time, values(R, key, "time"))
    assert_allclose(curve.survival[at], values(R, key, "survival"), rtol=1e-12, atol=1e-15)
    row = cause - 1
    model = f"{key}_{cause}"
    assert_allclose(curve.incidence[row][at], values(R, model, "incidence"), rtol=1e-12)
    assert_allclose(curve.se[row][at], values(R, model, "se"), rtol=1e-10)
    seen = curve.incidence[row][at] > 0
    for name in ("low", "high"):
        bound = getattr(curve, name)[row][at]
        assert_allclose(bound[seen], values(R, model, name)[seen], rtol=1e-10)
        assert_array_equal(bound[~seen], 0.0)


@pytest.mark.parametrize("key", SETS)
@pytest.mark.parametrize("cause", [1, 2, 3])
def test_counting_variance_matches_cmprsk_and_differs_from_the_other(key, cause, patients, values):
    time, code = SETS[key]
    curve = cumulative_incidence(patients[time], patients[code], variance="counting")
    at = places(curve.time, values(R, key, "time"))
    row, model = cause - 1, f"{key}_{cause}"
    assert_allclose(curve.incidence[row][at], values(R, model, "cuminc"), rtol=1e-12)
    assert_allclose(curve.se[row][at] ** 2, values(R, model, "cuminc_var"), rtol=1e-10)
    other = cumulative_incidence(patients[time], patients[code])
    seen = curve.incidence[row] > 0
    ratio = curve.se[row][seen] / other.se[row][seen]
    assert np.abs(ratio - 1).max() > 1e-3
    # They part company where few are left.
    assert_allclose(ratio[curve.at_risk[seen] > 50], 1, atol=0.02)


def test_the_last_failure_brings_survival_to_zero(patients):
    curve = cumulative_incidence(patients["exact"], patients["extinct"])
    assert curve.survival[-1] == 0
    assert curve.incidence[:, -1].sum() == pytest.approx(1, abs=1e-12)
    assert_allclose(curve.at([1e6], cause=2), curve.incidence[1, -1])


def test_one_cause_is_one_minus_kaplan_meier(patients):
    event = patients["cause"] > 0
    curve = cumulative_incidence(patients["time"], event.astype(int))
    survival = kaplan_meier(patients["time"], event)
    assert_allclose(curve.incidence[0], 1 - survival.survival, atol=1e-13)
    assert_array_equal(curve.at_risk, survival.at_risk)
    assert_array_equal(curve.events[0], survival.events)


def test_censoring_the_other_causes_foretells_too_many(patients):
    curve = cumulative_incidence(patients["time"], patients["cause"])
    alone = 1 - kaplan_meier(patients["time"], patients["cause"] == 1).survival
    late = curve.time > 10
    assert (alone[late] > 1.1 * curve.incidence[0][late]).all()


def test_agrees_with_lifelines(patients):
    for cause in (1, 2):
        curve = cumulative_incidence(patients["exact"], patients["cause"])
        fitter = AalenJohansenFitter(calculate_variance=False).fit(
            patients["exact"], patients["cause"], event_of_interest=cause
        )
        theirs = fitter.cumulative_density_.iloc[1:, 0]
        assert_allclose(curve.at(theirs.index, cause=cause), theirs, rtol=1e-12)


def test_steps_and_error_by_hand():
    curve = cumulative_incidence([1, 2, 3, 4], [1, 2, 0, 1])
    assert_allclose(curve.incidence, [[0.25, 0.25, 0.25, 0.75], [0, 0.25, 0.25, 0.25]])
    assert_allclose(curve.at([0, 1, 3.9, 4, 9]), [0, 0.25, 0.25, 0.75, 0.75])
    # Before anybody is censored it is a binomial share.
    assert_allclose(curve.se[:, 0], [np.sqrt(0.25 * 0.75 / 4), 0], atol=1e-12)
    assert_allclose(curve.se[1, 1], np.sqrt(0.25 * 0.75 / 4))


def test_influence_is_the_derivative_by_the_weight_of_a_patient(rng):
    time, cause = np.ceil(rng.exponential(4, size=40)), rng.integers(0, 3, size=40)
    curve = cumulative_incidence(time, cause)

    def weighted(weights: np.ndarray, at: float) -> float:
        survival, total = 1.0, 0.0
        for moment in np.unique(time[time <= at]):
            risk = weights[time >= moment].sum()
            here = weights * (time == moment)
            total += survival * here[cause == 1].sum() / risk
            survival *= 1 - here[cause > 0].sum() / risk
        return total

    for at in (2.0, 5.0, 9.0):
        effects = []
        for patient in range(40):
            step = np.zeros(40)
            step[patient] = 1e-5
            effects.append((weighted(1 + step, at) - weighted(1 - step, at)) / 2e-5)
        place = np.flatnonzero(curve.time <= at)[-1]
        assert curve.se[0, place] == pytest.approx(np.linalg.norm(effects), rel=1e-7)


@pytest.mark.parametrize("variance", ["influence", "counting"])
def test_error_is_the_spread_over_samples_and_bounds_cover(variance, rng):
    truth = 0.6 * (1 - np.exp(-5.0))
    found, claimed, covered = [], [], []
    for _ in range(600):
        cause = 1 + (rng.random(120) > 0.6)
        time, left = rng.exponential(1, size=120), rng.uniform(1, 8, size=120)
        cause[left < time] = 0
        curve = cumulative_incidence(np.minimum(time, left), cause, variance=variance)
        place = np.searchsorted(curve.time, 5.0) - 1
        found.append(curve.incidence[0, place])
        claimed.append(curve.se[0, place])
        covered.append(curve.low[0, place] <= truth <= curve.high[0, place])
    assert np.mean(claimed) == pytest.approx(np.std(found), rel=0.1)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)


def test_level_and_time_zero():
    time, cause = [0, 0, 1, 2, 3], [1, 2, 1, 0, 2]
    narrow, wide = (cumulative_incidence(time, cause, level=level) for level in (0.5, 0.99))
    assert_allclose(narrow.at([0]), 0.2)
    assert (wide.low[0] <= narrow.low[0]).all()
    assert (wide.high[0] >= narrow.high[0]).all()


def test_codes_may_skip_and_all_may_fail():
    curve = cumulative_incidence([1, 2], [7, 7])
    assert_array_equal(curve.causes, [7])
    assert curve.incidence[0, -1] == 1
    assert np.isnan([curve.low[0, -1], curve.high[0, -1]]).all()
    assert curve.se[0, -1] == 0


@pytest.mark.parametrize(
    ("time", "cause", "error", "message"),
    [
        ([1, 2], [0.5, 1], OutcomeError, "whole numbers; found 1 others, the first 0.5"),
        ([1, 2], [-1, 1], OutcomeError, "whole numbers"),
        ([1, 2], [np.nan, 1], OutcomeError, "whole numbers"),
        ([1, 2], ["a", "b"], DataError, "causes as numbers"),
        ([1, 2], [0, 0], OutcomeError, "all 2 patients censored"),
        ([1, -2], [0, 1], OutcomeError, "finite follow-up times of 0 or more"),
        ([1, 2, 3], [0, 1], OutcomeError, "one length"),
        ([], [], OutcomeError, "at least 1"),
    ],
)
def test_outcomes_that_cannot_be_analysed_are_refused(time, cause, error, message):
    with pytest.raises(error, match=message):
        cumulative_incidence(time, cause)


def test_questions_without_an_answer_are_refused():
    curve = cumulative_incidence([1, 2, 3], [1, 2, 0])
    with pytest.raises(DataError, match="from 0 to 3"):
        curve.at([4])
    with pytest.raises(DataError, match="from 0 to 3"):
        curve.at([np.nan])
    with pytest.raises(OutcomeError, match="failed of cause 3; found only causes 1, 2"):
        curve.at([1], cause=3)
    with pytest.raises(DataError, match="'influence' or 'counting'"):
        cumulative_incidence([1, 2], [1, 2], variance="greenwood")
    with pytest.raises(DataError, match=r"write 0\.95"):
        cumulative_incidence([1, 2], [1, 2], level=95)
