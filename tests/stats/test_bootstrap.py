from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import multinomial
from sklearn.metrics import roc_auc_score
from sksurv.metrics import concordance_index_censored, cumulative_dynamic_auc
from sksurv.util import Surv

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.bootstrap import bootstrap_auc, bootstrap_counts, bootstrap_estimate
from radiogenomics.stats.classification.auc import delong, delong_test
from radiogenomics.stats.survival.bootstrap_survival import (
    bootstrap_concordance,
    bootstrap_time_dependent_auc,
)
from radiogenomics.stats.survival.concordance import concordance
from radiogenomics.stats.survival.ipcw import censoring_curve

MONTHS = np.array([3.0, 6.0, 7.5, 10.0])


def cohort(rng, n, *, months=2.0):
    """Two tied risks and follow-up in steps of whole months, events tied with censorings."""
    risks = np.round(rng.normal(size=(2, n)), 1)
    death = rng.exponential(15 * np.exp(-0.7 * risks[0]))
    end = rng.uniform(0, 40, n)
    return risks, np.ceil(np.minimum(death, end) / months), death <= end


def rows(counts):
    """The patients of each resample, one row a draw."""
    return [np.repeat(np.arange(counts.shape[1]), drawn) for drawn in counts]


def test_counts_are_multinomial(rng):
    counts = bootstrap_counts(6, 20_000, rng)
    assert counts.shape == (20_000, 6)
    assert (counts.sum(axis=1) == 6).all()
    assert_allclose(counts.mean(axis=0), np.ones(6), atol=0.03)
    assert_allclose(np.cov(counts.T), multinomial(6, np.ones(6) / 6).cov(), atol=0.03)
    share = (counts == np.array([1, 1, 1, 1, 1, 1])).all(axis=1).mean()
    assert share == pytest.approx(multinomial(6, np.ones(6) / 6).pmf(np.ones(6)), abs=0.004)


def test_counts_within_strata(rng):
    strata = np.array(["b", "a", "b", "c", "a", "b", "b"])
    counts = bootstrap_counts(7, 3000, rng, strata=strata)
    for stratum in "abc":
        part = counts[:, strata == stratum]
        assert (part.sum(axis=1) == part.shape[1]).all()
        assert_allclose(part.mean(axis=0), 1, atol=0.06)


def test_counts_repeat_with_the_seed(monkeypatch):
    whole = bootstrap_counts(9, 50, np.random.default_rng(3))
    monkeypatch.setattr("radiogenomics.stats.resampled_pairs._DRAWS_AT_ONCE", 27)
    cut = bootstrap_counts(9, 50, np.random.default_rng(3))
    assert (whole == cut).all()


def test_auc_is_that_of_the_loop(rng):
    scores = np.round(rng.normal(size=(3, 60)), 1)
    labels = rng.random(60) < 0.4
    counts = bootstrap_counts(60, 100, rng)
    found = bootstrap_auc(scores, labels, counts)
    expected = [[roc_auc_score(labels[i], s[i]) for s in scores] for i in rows(counts)]
    assert_allclose(found, expected, rtol=1e-12)
    assert (bootstrap_auc(scores[1], labels, counts) == found[:, 1]).all()


def test_auc_error_is_near_delongs(rng):
    labels = np.arange(400) < 150
    scores = rng.normal(size=(2, 400)) + 0.8 * labels + rng.normal(size=400)
    counts = bootstrap_counts(400, 4000, rng, strata=labels)
    found = bootstrap_auc(scores, labels, counts)
    for row, value in zip(scores, found.T, strict=True):
        assert value.std() == pytest.approx(np.sqrt(delong(row, labels).variance), rel=0.06)
    paired = delong_test(*scores, labels)
    assert (found[:, 0] - found[:, 1]).std() == pytest.approx(
        paired.difference / paired.z, rel=0.06
    )


def test_concordance_is_that_of_the_loop(rng):
    risks, time, event = cohort(rng, 150)
    counts = bootstrap_counts(150, 100, rng)
    found = bootstrap_concordance(risks, time, event, counts=counts)
    for value, i in zip(found, rows(counts), strict=True):
        for c, risk in zip(value, risks, strict=True):
            assert c == pytest.approx(concordance(risk[i], time[i], event[i]).value, rel=1e-12)
            peer = concordance_index_censored(event[i], time[i], risk[i])[0]
            assert c == pytest.approx(peer, rel=1e-12)
    assert (bootstrap_concordance(risks[1], time, event, counts=counts) == found[:, 1]).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
@settings(max_examples=60, deadline=None)
def test_concordance_of_small_cohorts(seed, n):
    rng = np.random.default_rng(seed)
    risk, time, event = rng.integers(0, 3, n), rng.integers(1, 5, n), rng.random(n) < 0.6
    # One comparable pair in the cohort, though not in each resample.
    time[:2], event[0] = [1, 2], True
    counts = bootstrap_counts(n, 20, rng)
    found = bootstrap_concordance(risk, time, event, counts=counts)
    for value, i in zip(found, rows(counts), strict=True):
        expected = concordance(risk[i], time[i], event[i]).value if event[i].any() else np.nan
        assert value == pytest.approx(expected, rel=1e-12, nan_ok=True)


def loop_auc(risk, time, event, horizon):
    """One time-dependent AUC, pair by pair."""
    followed = censoring_curve(time, event).before(time)
    won = pairs = 0.0
    for i in np.flatnonzero(event & (time <= horizon)):
        for j in np.flatnonzero(time > horizon):
            pairs += 1 / followed[i]
            won += ((risk[i] > risk[j]) + (risk[i] == risk[j]) / 2) / followed[i]
    return won / pairs


def test_time_dependent_auc_is_that_of_a_loop_over_pairs(rng):
    risks, time, event = cohort(rng, 60, months=3.0)
    counts = bootstrap_counts(60, 8, rng)
    found = bootstrap_time_dependent_auc(risks, time, event, times=MONTHS[:3], counts=counts)
    for value, i in zip(found, rows(counts), strict=True):
        for auc, risk in zip(value, risks, strict=True):
            expected = [loop_auc(risk[i], time[i], event[i], t) for t in MONTHS[:3]]
            assert_allclose(auc, expected, rtol=1e-12)


def test_time_dependent_auc_is_that_of_scikit_survival_without_ties(rng):
    risks, time, event = cohort(rng, 120, months=1e-9)
    horizons = MONTHS * 3e9
    # Nobody is censored at the end, which would make the peer refuse some resamples.
    event[time >= time.max()] = True
    counts = bootstrap_counts(120, 60, rng)
    found = bootstrap_time_dependent_auc(risks, time, event, times=horizons, counts=counts)
    outcome = Surv.from_arrays(event, time)
    compared = 0
    for value, i in zip(found, rows(counts), strict=True):
        if not time[i].min() <= horizons[0] or not horizons[-1] < time[i].max():
            continue
        last = time[i] == time[i].max()
        if 0 < event[i][last].sum() < last.sum():
            continue
        compared += 1
        for auc, risk in zip(value, risks, strict=True):
            peer = cumulative_dynamic_auc(outcome[i], outcome[i], risk[i], horizons)[0]
            assert_allclose(auc, peer, rtol=1e-12)
    assert compared > 40
    single = bootstrap_time_dependent_auc(risks[1], time, event, times=horizons, counts=counts)
    assert_allclose(single, found[:, 1], rtol=1e-15)
    middle = bootstrap_time_dependent_auc(risks[1], time, event, times=horizons[1], counts=counts)
    assert_allclose(middle[:, 0], found[:, 1, 1], rtol=1e-12)


def test_time_dependent_auc_by_hand():
    # Censored at 2 is 1 of 4 at risk: the event at 3 weighs 1 / (3/4), that at 2 came first.
    time, event = [1.0, 2, 2, 3, 4, 5], [1, 1, 0, 1, 0, 1]
    risk = [2.0, 4, 6, 1, 1, 3]
    found = bootstrap_time_dependent_auc(
        risk, time, event, times=[1, 3], counts=[[1, 1, 1, 1, 1, 1], [0, 2, 0, 1, 1, 2]]
    )
    late = 4 / 3
    assert found[0, 0] == pytest.approx(2 / 5)
    assert found[0, 1] == pytest.approx((1 + 2 + late * 0.5) / (2 * (2 + late)))
    # Nobody fails by 1 in the second; without the censored, all weigh 1.
    assert np.isnan(found[1, 0])
    assert found[1, 1] == pytest.approx((2 * 3 + 0.5) / 9)


def test_a_row_of_ones_is_the_cohort(rng):
    risks, time, event = cohort(rng, 90)
    ones = np.ones((1, 90), dtype=int)
    assert bootstrap_auc(risks[0], event, ones)[0] == pytest.approx(
        delong(risks[0], event).value, rel=1e-12
    )
    assert bootstrap_concordance(risks[0], time, event, counts=ones)[0] == pytest.approx(
        concordance(risks[0], time, event).value, rel=1e-12
    )


def test_pieces_do_not_show(rng, monkeypatch):
    risks, time, event = cohort(rng, 80)
    counts = bootstrap_counts(80, 50, rng)

    def everything():
        return (
            bootstrap_auc(risks, event, counts),
            bootstrap_concordance(risks, time, event, counts=counts),
            bootstrap_time_dependent_auc(risks, time, event, times=MONTHS, counts=counts),
        )

    whole = everything()
    for module in ("resampled_pairs._DRAWS_AT_ONCE", "survival.bootstrap_survival._DRAWS_IN_CACHE"):
        monkeypatch.setattr(f"radiogenomics.stats.{module}", 700)
    monkeypatch.setattr("radiogenomics.stats.resampled_pairs._PAIRS_AT_ONCE", 300)
    for one, other in zip(whole, everything(), strict=True):
        assert_allclose(other, one, rtol=1e-13)


def test_counts_too_large_for_single_precision_stay_exact(rng):
    risks, time, event = cohort(rng, 40)
    counts = 1001 * bootstrap_counts(40, 10, rng)
    for values in (
        lambda c: bootstrap_auc(risks, event, c),
        lambda c: bootstrap_concordance(risks, time, event, counts=c),
        lambda c: bootstrap_time_dependent_auc(risks, time, event, times=[3.0], counts=c),
    ):
        assert_allclose(values(counts), values(counts // 1001), rtol=1e-13)


def test_undefined_replicates_are_skipped_and_counted():
    counts = np.array([[1, 1, 1], [3, 0, 0], [2, 1, 0], [0, 2, 1], [0, 0, 3], [0, 1, 2]])
    values = bootstrap_auc([0.2, 0.5, 0.9], [0, 1, 1], counts)
    assert np.isnan(values).tolist() == [False, True, False, True, True, True]
    found = bootstrap_estimate(values[0], values)
    assert (int(found.skipped), found.replicates, float(found.value)) == (4, 6, 1.0)
    assert (float(found.low), float(found.high), float(found.se)) == (1.0, 1.0, 0.0)
    pair = bootstrap_concordance([2, 1], [1, 2], [1, 0], counts=[[1, 1], [2, 0], [0, 2]])
    assert pair[0] == 1.0 and np.isnan(pair[1:]).all()
    later = bootstrap_time_dependent_auc(
        [2, 1], [1, 2], [1, 0], times=[1], counts=[[1, 1], [2, 0], [0, 2]]
    )
    assert later[0, 0] == 1.0 and np.isnan(later[1:]).all()


def test_estimate_is_the_percentiles(rng):
    values = rng.normal(size=(999, 2, 3))
    values[::7, 1, 2] = np.nan
    found = bootstrap_estimate(np.zeros((2, 3)), values, level=0.9)
    kept = values[:, 1, 2][~np.isnan(values[:, 1, 2])]
    assert found.low[1, 2] == pytest.approx(np.quantile(kept, 0.05), rel=1e-12)
    assert found.high[0, 1] == pytest.approx(np.quantile(values[:, 0, 1], 0.95), rel=1e-12)
    assert found.se[1, 2] == pytest.approx(kept.std(ddof=1), rel=1e-12)
    assert found.skipped.tolist() == [[0, 0, 0], [0, 0, 143]]


def test_estimate_without_replicates_warns():
    with pytest.warns(RadiogenomicsWarning, match="found fewer for 1 stat"):
        found = bootstrap_estimate([0.5, 0.6], [[0.4, np.nan], [0.6, 0.7], [0.5, np.nan]])
    assert np.isnan([found.se[1], found.low[1], found.high[1]]).all()
    assert np.isfinite([found.se[0], found.low[0], found.high[0]]).all()
    for replicates in ([], 0.5, [[0.5, 0.6]]):
        with pytest.raises(DataError, match="one value a resample"):
            bootstrap_estimate(0.5, replicates)


@pytest.mark.parametrize("counts", [[1, 1, 1], [[1, 1]], [[1.0, 1.0, 1.0]], [[2, 2, -1]]], ids=str)
def test_counts_that_are_none(counts):
    with pytest.raises(DataError, match="bootstrap_counts"):
        bootstrap_auc([1, 2, 3], [0, 1, 1], counts)
    with pytest.raises(DataError, match="bootstrap_counts"):
        bootstrap_concordance([1, 2, 3], [1, 2, 3], [1, 1, 1], counts=counts)
    with pytest.raises(DataError, match="bootstrap_counts"):
        bootstrap_time_dependent_auc([1, 2, 3], [1, 2, 3], [1, 1, 1], times=[1], counts=counts)


def test_impossible_input_says_what_to_do(rng):
    ones = np.ones((2, 3), dtype=int)
    with pytest.raises(DataError, match="at least 1 patient"):
        bootstrap_counts(0, 10, rng)
    with pytest.raises(DataError, match="at least 1 patient"):
        bootstrap_counts(3, 0, rng)
    with pytest.raises(DataError, match="one stratum per patient"):
        bootstrap_counts(3, 10, rng, strata=[1, 2])
    with pytest.raises(OutcomeError, match="both classes"):
        bootstrap_auc([1, 2, 3], [1, 1, 1], ones)
    with pytest.raises(DataError, match="1 not finite"):
        bootstrap_auc([1, np.nan, 3], [0, 1, 1], ones)
    with pytest.raises(DataError, match="finite risks of shape"):
        bootstrap_concordance([1, 2], [1, 2, 3], [1, 0, 1], counts=ones)
    with pytest.raises(OutcomeError, match="comparable pair among 3"):
        bootstrap_concordance([1, 2, 3], [1, 2, 3], [0, 0, 1], counts=ones)
    with pytest.raises(OutcomeError, match="at least one event"):
        bootstrap_concordance([1, 2, 3], [1, 2, 3], [0, 0, 0], counts=ones)


@pytest.mark.parametrize("times", [[], [2, 1], [1, 1], [[1, 2]], [np.nan, 1]], ids=str)
def test_horizons_that_do_not_rise(times):
    with pytest.raises(DataError, match="rising"):
        bootstrap_time_dependent_auc(
            [1, 2, 3], [1, 2, 3], [1, 1, 1], times=times, counts=[[1, 1, 1]]
        )


@pytest.mark.parametrize("times", [[0.5], [3], [1, 30], [np.nan]], ids=str)
def test_horizons_without_a_case_or_a_control(times):
    with pytest.raises(OutcomeError, match=r"from the first event \(1\) to before .* \(3\)"):
        bootstrap_time_dependent_auc(
            [1, 2, 3], [1, 2, 3], [1, 1, 1], times=times, counts=[[1, 1, 1]]
        )
