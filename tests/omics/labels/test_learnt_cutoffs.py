import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.omics.labels import MaximallySelectedCutoff, YoudenCutoff
from radiogenomics.stats.survival.maximally_selected import logrank_scores, maximally_selected

DTYPE = [("event", bool), ("time", float)]


def survival(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Structured target."""
    y = np.empty(len(time), dtype=DTYPE)
    y["event"], y["time"] = event, time
    return y


@pytest.fixture
def patients(rng) -> tuple[pd.Series, np.ndarray]:
    """Scores above 0.3 have three times the hazard."""
    scores = rng.normal(size=150)
    death, end = rng.exponential(20 / np.where(scores > 0.3, 3, 1)), rng.uniform(5, 40, 150)
    names = [f"P{i}" for i in range(150)]
    return pd.Series(scores, index=names), survival(np.minimum(death, end), death <= end)


def test_maximally_selected_is_the_statistic_held_against_r(patients):
    scores, y = patients
    rule = MaximallySelectedCutoff().fit(scores, y)
    expected = maximally_selected(scores, logrank_scores(y["time"], y["event"]))
    assert (rule.cutoff_, rule.p_) == (expected.cutoff, expected.p)
    assert rule.transform(scores).sum() == (scores > expected.cutoff).sum()
    assert rule.p_ < 0.01


def test_maximally_selected_finds_the_true_cut_off():
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=300)
        time = rng.exponential(20 / np.where(scores > 0.3, 4, 1))
        y = survival(time, np.ones(300))
        found.append(MaximallySelectedCutoff().fit(pd.Series(scores), y).cutoff_)
    assert np.median(found) == pytest.approx(0.3, abs=0.05)


def test_its_p_allows_for_the_search_in_noise():
    p = []
    for seed in range(100):
        rng = np.random.default_rng([7, seed])
        y = survival(rng.exponential(10, 80), rng.random(80) < 0.7)
        p.append(MaximallySelectedCutoff().fit(pd.Series(rng.normal(size=80)), y).p_)
    # The Gaussian approximation is a little cautious; a search forgotten would give some 40.
    assert np.sum(np.array(p) <= 0.05) <= 11


@pytest.mark.parametrize("ties", ["highest", "lowest"])
def test_youden_calls_the_best_score_high(patients, ties):
    scores, y = patients
    rule = clone(YoudenCutoff(horizon=12, ties=ties)).fit(scores, y)
    above = scores[rule.transform(scores)]
    assert rule.cutoff_ < above.min() <= rule.cutoff_ + 1e-12
    gains = []
    time, event = y["time"], y["event"]
    for border in scores:
        high = scores >= border
        gains.append(_sensitivity(high, time, event, 12) - _false_calls(high, time, 12))
    at = _sensitivity(scores > rule.cutoff_, time, event, 12)
    assert at - _false_calls(scores > rule.cutoff_, time, 12) == pytest.approx(max(gains))


def _sensitivity(high, time, event, horizon):
    """Weighted by one over the Kaplan-Meier curve of censoring just before the event."""
    case = event & (time <= horizon)
    weights = np.array([1 / _uncensored(time, event, t) for t in time[case]])
    return float(weights[high.to_numpy()[case]].sum() / weights.sum())


def _false_calls(high, time, horizon):
    return float(high.to_numpy()[time > horizon].mean())


def _uncensored(time, event, before):
    value = 1.0
    for t in np.unique(time[~event]):
        if t < before:
            value *= 1 - np.sum((time == t) & ~event) / np.sum(time >= t)
    return value


def test_cut_offs_learn_from_the_training_part_alone(patients):
    scores, y = patients
    for rule in (MaximallySelectedCutoff(), YoudenCutoff(12)):
        alone = clone(rule).fit(scores[:100], y[:100])
        assert alone.transform(scores[100:]).equals(scores[100:] > alone.cutoff_)


def test_bad_input_is_named(patients):
    scores, y = patients
    with pytest.raises(DataError, match="horizon"):
        YoudenCutoff(0).fit(scores, y)
    with pytest.raises(OutcomeError, match="followed beyond"):
        YoudenCutoff(500).fit(scores, y)
    with pytest.raises(DataError, match="finite score"):
        MaximallySelectedCutoff().fit(scores.where(scores > 0), y)
    with pytest.raises(DataError, match="cut-point"):
        MaximallySelectedCutoff().fit(scores * 0, y)
