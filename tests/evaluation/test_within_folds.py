"""Order within test parts, against scipy, scikit-learn, DeLong's own and counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from radiogenomics.evaluation.within_folds import (
    HeldOut,
    auc_of_high,
    rank_correlation,
    spearman_interval,
)
from radiogenomics.stats.classification.auc import delong


def parts_of(rng, sizes, targets=5, *, ties=True) -> list[HeldOut]:
    parts = []
    for size in sizes:
        measured = rng.normal(size=(size, targets))
        predicted = 0.6 * measured + rng.normal(size=(size, targets))
        if ties:
            predicted = predicted.round(1)
        parts.append(HeldOut(predicted, measured, measured > 0.1))
    return parts


def test_rank_correlation_is_scipys_in_each_part(rng):
    repeats = [parts_of(rng, (12, 11, 11)), parts_of(rng, (12, 11, 11))]
    found = rank_correlation(repeats)
    for i in range(5):
        each = [
            np.average(
                [stats.spearmanr(p.predicted[:, i], p.measured[:, i]).statistic for p in parts],
                weights=[12, 11, 11],
            )
            for parts in repeats
        ]
        assert found.value[i] == pytest.approx(np.mean(each), rel=1e-12)
        low, high = spearman_interval(np.mean(each), 34 - 9 + 3)
        assert (found.low[i], found.high[i]) == pytest.approx((low, high), rel=1e-12)


def test_spearman_interval_by_hand():
    half = stats.norm.ppf(0.95) * np.sqrt((1 + 0.3**2 / 2) / 37)
    found = spearman_interval(0.3, 40, level=0.9)
    assert found.low == pytest.approx(np.tanh(np.arctanh(0.3) - half), rel=1e-12)
    assert found.high == pytest.approx(np.tanh(np.arctanh(0.3) + half), rel=1e-12)
    assert spearman_interval(1.0, 40) == (1.0, 1.0)


def test_auc_counts_pairs_of_one_part_only(rng):
    parts = parts_of(rng, (9, 14, 10))
    found = auc_of_high([parts])
    for i in range(5):
        wins, pairs = 0.0, 0
        for part in parts:
            score, high = part.predicted[:, i], part.high[:, i]
            apart = score[high][:, None] - score[~high]
            wins += (apart > 0).sum() + (apart == 0).sum() / 2
            pairs += apart.size
        assert found.value[i] == pytest.approx(wins / pairs, rel=1e-12)


def test_one_part_is_delongs_own(rng):
    parts = parts_of(rng, (30,))
    found = auc_of_high([parts], level=0.9)
    for i in range(5):
        score, high = parts[0].predicted[:, i], parts[0].high[:, i]
        own = delong(score, high, level=0.9)
        assert found.value[i] == pytest.approx(roc_auc_score(high, score), rel=1e-12)
        assert (found.low[i], found.high[i]) == pytest.approx((own.low, own.high), rel=1e-10)


def test_interval_of_several_parts_covers_the_truth_over_seeds():
    """Normal scores one apart: the true AUC is Phi(1 / sqrt 2)."""
    rng, truth = np.random.default_rng(41), stats.norm.cdf(np.sqrt(0.5))
    measured = rng.normal(size=(60, 400)) > 0
    score = rng.normal(size=(60, 400)) + measured
    parts = [HeldOut(score[p], 1.0 * measured[p], measured[p]) for p in np.split(np.arange(60), 4)]
    found = auc_of_high([parts])
    covered = int(((found.low <= truth) & (truth <= found.high)).sum())
    assert stats.binomtest(covered, 400, 0.95).proportion_ci(0.99).high > 0.94
    assert found.value.mean() == pytest.approx(truth, abs=4 * found.value.std() / 20)


def test_parts_of_one_class_or_of_one_prediction(rng):
    parts = parts_of(rng, (8, 8), targets=3)
    constant = HeldOut(np.full((8, 3), 2.0), parts[1].measured, parts[1].high)
    found = rank_correlation([[parts[0], constant]])
    alone = rank_correlation([[parts[0]]])
    assert found.value == pytest.approx(alone.value / 2)
    only_low = HeldOut(parts[1].predicted, parts[1].measured, np.zeros((8, 3), dtype=bool))
    assert auc_of_high([[parts[0], only_low]]).value == pytest.approx(
        auc_of_high([[parts[0]]]).value
    )
    lost = auc_of_high([[only_low, only_low]])
    assert np.isnan(lost.value).all() and np.isnan(lost.low).all() and np.isnan(lost.high).all()


def test_without_variance_bounds_are_those_of_pairs():
    measured = np.arange(10.0)[:, None]
    perfect = HeldOut(measured, measured, measured > 4)
    found, own = auc_of_high([[perfect]]), delong(measured[:, 0], measured[:, 0] > 4)
    assert (found.value[0], found.high[0]) == (1, 1) and found.low[0] == pytest.approx(own.low)
    even = auc_of_high([[HeldOut(np.ones((10, 1)), measured, measured > 4)]])
    assert even.value[0] == 0.5 and even.low[0] < 0.2 and even.high[0] > 0.8
