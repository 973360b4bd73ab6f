from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, logit
from sksurv.metrics import concordance_index_ipcw
from sksurv.util import Surv

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.inputs import check_survival
from radiogenomics.stats.survival.concordance import concordance
from radiogenomics.stats.survival.uno import (
    censoring_weights,
    harrell_influence,
    uno_concordance,
    uno_influence,
)

SCORES = ["x1", "x2", "x3", *(f"g{i}" for i in range(1, 13))]


@pytest.fixture(scope="module")
def risks(patients, genes) -> np.ndarray:
    return np.vstack([patients[["x1", "x2", "x3"]].to_numpy().T, genes])


def cohort(rng, n, *, months=None, longest=60.0):
    """Risks, follow-up and events with random censoring; whole months where ties are wanted."""
    risk = rng.normal(size=n)
    death = rng.exponential(30 * np.exp(-0.7 * risk))
    end = rng.uniform(0, longest, n)
    time = np.minimum(death, end)
    return risk, np.ceil(time / months) if months else time, death <= end


def weighted_uno(risk, time, event, weight, train=None):
    """The definition in plain loops, with a weight a patient; tau is the end of follow-up."""
    train_time, train_event, train_weight = train or (time, event, weight)
    score = pairs = 0.0
    for i in np.flatnonzero(event):
        followed = 1.0
        for c in np.unique(train_time[~train_event]):
            if c < time[i]:
                leaving = train_weight[(train_time == c) & ~train_event].sum()
                at_risk = train_weight[(train_time > c) | ((train_time == c) & ~train_event)].sum()
                followed *= 1 - leaving / at_risk
        for j in range(time.size):
            if time[j] > time[i] or (time[j] == time[i] and not event[j]):
                share = weight[i] * weight[j] / followed**2
                pairs += share
                score += share * (1.0 * (risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    return score / pairs


def slopes(statistic, size, step=1e-5):
    """Derivative by each weight at 1, from central differences."""
    found = np.empty(size)
    for k in range(size):
        up, down = np.ones(size), np.ones(size)
        up[k] += step
        down[k] -= step
        found[k] = (statistic(up) - statistic(down)) / (2 * step)
    return found


@pytest.mark.parametrize("score", SCORES)
def test_matches_r_survival_concordance(score, patients, risks, values):
    risk = risks[SCORES.index(score)]
    reference = zip(*(values("uno", score, w) for w in ("tau", "value", "variance")), strict=True)
    for tau, value, variance in reference:
        found = uno_concordance(
            risk, patients["time"], patients["event"], tau=tau, known_weights=True
        )
        assert found.value == pytest.approx(value, rel=1e-12)
        assert found.se**2 == pytest.approx(variance, rel=1e-10)
        half = 1.959963984540054 * found.se / (found.value * (1 - found.value))
        bounds = expit(logit(found.value) + np.array([-half, half]))
        assert_allclose([found.low, found.high], bounds, rtol=1e-12)


def test_the_default_tau_is_the_last_event(patients, risks, values):
    found = uno_concordance(risks[0], patients["time"], patients["event"])
    assert found.tau == values("uno", "x1", "tau")[-1]
    assert found.value == pytest.approx(values("uno", "x1", "value")[-1], rel=1e-12)
    explicit = uno_concordance(risks[0], patients["time"], patients["event"], tau=found.tau)
    assert explicit == found


@pytest.mark.parametrize("tau", [None, 5.0, 20.0, 41.5])
def test_agrees_with_scikit_survival_where_times_are_distinct(tau, rng):
    risk, time, event = cohort(rng, 150)
    _, train_time, train_event = cohort(rng, 200, longest=90.0)
    train_time[0] = 200.0
    found = uno_concordance(
        risk, time, event, tau=tau, train_time=train_time, train_event=train_event
    )
    outcome, train = Surv.from_arrays(event, time), Surv.from_arrays(train_event, train_time)
    peer = concordance_index_ipcw(train, outcome, risk, tau=tau)
    assert found.value == pytest.approx(peer[0], rel=1e-12)
    if tau is None:
        assert found.n_comparable == peer[1] + peer[2] + peer[3]
    alone = uno_concordance(risk, time, event, tau=tau)
    assert alone.value == pytest.approx(
        concordance_index_ipcw(outcome, outcome, risk, tau=tau)[0], rel=1e-12
    )


def test_differs_from_scikit_survival_where_events_tie_with_censorings():
    # At 2 an event and a censoring: the event precedes it, so weighs 1 here; there it weighs 16/9.
    time, event = np.array([1.0, 2, 2, 3, 4]), np.array([1, 1, 0, 1, 0], dtype=bool)
    risk = np.array([1.0, 5, 2, 3, 4])
    outcome = Surv.from_arrays(event, time)
    late = (1 - 1 / 3) ** -2
    assert uno_concordance(risk, time, event).value == pytest.approx(
        (0 + 3 + late * 0) / (4 + 3 + late), rel=1e-12
    )
    assert concordance_index_ipcw(outcome, outcome, risk)[0] == pytest.approx(
        (0 + late * 3 + late * 0) / (4 + late * 3 + late), rel=1e-12
    )


def test_without_censoring_it_is_harrells(rng):
    risk, time, _ = cohort(rng, 80, months=2)
    found, harrell = uno_concordance(risk, time, np.ones(80)), concordance(risk, time, np.ones(80))
    for name in ("value", "se", "low", "high", "n_comparable", "n"):
        assert getattr(found, name) == pytest.approx(getattr(harrell, name), rel=1e-12)
    assert found.followed == 1.0


def test_influence_of_harrells_index_adds_up_to_its_error(patients, risks):
    time, event = check_survival(patients["time"], patients["event"])
    found = harrell_influence(risks[1], time, event)
    single = concordance(risks[1], time, event)
    assert found.value == pytest.approx(single.value, rel=1e-12)
    assert np.sqrt((found.each**2).sum()) == pytest.approx(single.se, rel=1e-12)
    assert found.each.sum() == pytest.approx(0, abs=1e-12)


def test_influence_is_the_derivative_by_the_weights(rng):
    risk, time, event = cohort(rng, 40, months=4)
    risk = np.round(risk, 1)
    expected = slopes(lambda w: weighted_uno(risk, time, event, w), 40)
    weights = censoring_weights(time, event)
    found = uno_influence(risk, time, event, weights=weights)
    assert found.value == pytest.approx(weighted_uno(risk, time, event, np.ones(40)), rel=1e-12)
    assert_allclose(found.each, expected, atol=1e-9)


def test_influence_of_a_separate_censoring_cohort(rng):
    risk, time, event = cohort(rng, 25, months=6)
    _, train_time, train_event = cohort(rng, 30, months=6)
    train_time[0], train_event[0] = 100.0, False
    train = (train_time, train_event, np.ones(30))
    weights = censoring_weights(time, event, train_time=train_time, train_event=train_event)
    found = uno_influence(risk, time, event, weights=weights)
    by_test = slopes(lambda w: weighted_uno(risk, time, event, w, train=train), 25)
    by_train = slopes(
        lambda w: weighted_uno(risk, time, event, np.ones(25), train=(train_time, train_event, w)),
        30,
    )
    assert_allclose(found.each, np.concatenate([by_test, by_train]), atol=1e-9)
    whole = uno_concordance(risk, time, event, train_time=train_time, train_event=train_event)
    assert whole.se == pytest.approx(np.sqrt((by_test**2).sum() + (by_train**2).sum()), rel=1e-6)


def test_error_is_that_of_new_cohorts(rng):
    cohorts = [cohort(rng, 150) for _ in range(600)]
    found = [uno_concordance(*each, tau=25.0) for each in cohorts]
    known = [uno_concordance(*each, tau=25.0, known_weights=True) for each in cohorts]
    spread = np.std([f.value for f in found], ddof=1)
    # The standard deviation of 600 draws is known to 3 %.
    assert np.mean([f.se for f in found]) == pytest.approx(spread, rel=0.1)
    assert np.mean([f.se for f in found]) < np.mean([k.se for k in known])
    truth = np.mean([f.value for f in found])
    assert 0.925 <= np.mean([f.low <= truth <= f.high for f in found]) <= 0.975


def test_heavier_censoring_moves_harrells_index_and_not_unos(rng):
    n, tau = 6000, 10.0
    risk = rng.normal(size=n)
    # Hazards that cross: the risk ranks early failures well and late ones badly.
    death = np.where(rng.random(n) < expit(3 * risk), rng.uniform(0, 5, n), rng.uniform(5, 15, n))
    death += np.where(death > 5, 2 * np.sign(risk), 0)
    truth = uno_concordance(risk, death, np.ones(n), tau=tau).value
    end = rng.exponential(5, n)
    time, event = np.minimum(death, end), death <= end
    found = uno_concordance(risk, time, event, tau=tau)
    assert abs(found.value - truth) < 3 * found.se
    harrell = concordance(risk, np.minimum(time, tau), event & (time <= tau))
    assert abs(harrell.value - truth) > 5 * harrell.se


def test_perfect_and_constant_risks_have_bounds():
    time = np.arange(1.0, 21)
    event = np.arange(20) % 4 > 0
    perfect = uno_concordance(-time, time, event)
    same = concordance(-time, time, event)
    assert (perfect.value, perfect.low, perfect.high) == (1.0, same.low, 1.0)
    constant = uno_concordance(np.ones(20), time, event)
    assert constant.value == 0.5
    assert constant.low < 0.3 and constant.high > 0.7


def test_two_patients():
    assert uno_concordance([2, 1], [1, 2], [1, 0]).value == 1.0
    with pytest.warns(RadiogenomicsWarning, match="found none"):
        found = uno_concordance([2, 1], [1, 2], [0, 1])
    assert np.isnan([found.value, found.se, found.low, found.high]).all()
    assert (found.n_comparable, found.n, found.tau) == (0, 2, 2.0)


def test_no_event_by_tau():
    with pytest.warns(RadiogenomicsWarning, match="up to 3"):
        found = uno_concordance([1, 2, 3, 4], [1, 2, 5, 6], [0, 0, 1, 1], tau=3)
    assert np.isnan(found.value)
    assert found.followed == 1.0


def test_blocks_do_not_show(patients, risks, monkeypatch):
    whole = uno_concordance(risks[1], patients["time"], patients["event"])
    monkeypatch.setattr("radiogenomics.stats.survival.uno._PAIRS_AT_ONCE", 1000)
    cut = uno_concordance(risks[1], patients["time"], patients["event"])
    assert cut.value == pytest.approx(whole.value, rel=1e-12)
    assert cut.se == pytest.approx(whole.se, rel=1e-12)


def test_events_past_the_censoring_curve():
    time, event, risk = [1, 2, 5, 6], [1, 1, 1, 0], [4, 3, 2, 1]
    shorter = {"train_time": [1, 2, 3], "train_event": [1, 0, 0]}
    with pytest.raises(OutcomeError, match="lower tau to at most 2"):
        uno_concordance(risk, time, event, tau=5, **shorter)
    assert uno_concordance(risk, time, event, **shorter).tau == 2.0
    with pytest.raises(OutcomeError, match="followed up for longer"):
        uno_concordance(risk, time, event, train_time=[0.5], train_event=[0])


def test_impossible_input_says_what_to_do():
    time, event = [1, 2, 3], [1, 0, 1]
    for tau in (0, -1, np.nan, np.inf):
        with pytest.raises(DataError, match="tau as a positive"):
            uno_concordance([3, 2, 1], time, event, tau=tau)
    with pytest.raises(DataError, match="together"):
        uno_concordance([3, 2, 1], time, event, train_time=[1, 2])
    with pytest.raises(DataError, match="1 missing"):
        uno_concordance([3, np.nan, 1], time, event)
    with pytest.raises(DataError, match="one risk per patient"):
        uno_concordance([3, 1], time, event)
    with pytest.raises(OutcomeError, match="at least one event"):
        uno_concordance([3, 2, 1], time, [0, 0, 0])
    with pytest.raises(DataError, match="confidence level"):
        uno_concordance([3, 2, 1], time, event, level=95)
