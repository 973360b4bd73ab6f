from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time
from numpy.testing import assert_allclose

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.survival.restricted_mean import compare_restricted_means, restricted_mean


@pytest.mark.parametrize("tau", ["2", "7.5", "15"])
def test_matches_r_survmean(tau, patients, values):
    found = restricted_mean(patients["time"], patients["event"], tau=float(tau))
    expected = values("restricted_mean", f"all_{tau}", "mean")
    assert_allclose([found.value, found.se], expected, rtol=1e-12)


@pytest.mark.parametrize("group", [1, 2, 3, 4])
def test_matches_r_survmean_in_groups(group, patients, values):
    part = patients[patients["group"] == group]
    found = restricted_mean(part["time"], part["event"], tau=8)
    expected = values("restricted_mean", f"group{group}", "mean")
    assert_allclose([found.value, found.se], expected, rtol=1e-12)


@pytest.mark.parametrize("tau", ["5", "10"])
def test_contrasts_match_r_on_the_pbc_trial(tau, table, values):
    pbc = table("restricted_mean_pbc")
    found = compare_restricted_means(pbc["time"], pbc["event"], pbc["arm"], tau=float(tau))
    model = f"pbc_{tau}"
    assert found.groups == (1, 0)
    for name in ("first", "second"):
        mean = getattr(found, name)
        assert_allclose([mean.value, mean.se], values("restricted_mean", model, name), rtol=1e-12)
    for name in ("difference", "ratio"):
        assert_allclose(getattr(found, name), values("restricted_mean", model, name), rtol=1e-9)
    turned = compare_restricted_means(
        pbc["time"], pbc["event"], pbc["arm"], first=0, tau=float(tau)
    )
    assert turned.difference.value == pytest.approx(-found.difference.value)
    assert turned.ratio.low == pytest.approx(1 / found.ratio.high)


def test_difference_published_for_the_pbc_trial(table):
    # The vignette of the R package survRM2 states a difference of -0.137 years at tau = 10.
    pbc = table("restricted_mean_pbc")
    found = compare_restricted_means(pbc["time"], pbc["event"], pbc["arm"], tau=10)
    assert round(found.difference.value, 3) == -0.137


def test_agrees_with_lifelines(patients):
    fitter = KaplanMeierFitter().fit(patients["time"], patients["event"])
    found = restricted_mean(patients["time"], patients["event"], tau=9)
    assert found.value == pytest.approx(restricted_mean_survival_time(fitter, t=9), rel=1e-10)


def test_without_censoring_it_is_the_mean_of_the_shorter_of_time_and_tau(rng):
    time = rng.exponential(10, 500)
    found = restricted_mean(time, np.ones(500), tau=12)
    shorter = np.minimum(time, 12)
    assert found.value == pytest.approx(shorter.mean(), rel=1e-12)
    assert found.se == pytest.approx(shorter.std() / np.sqrt(500), rel=1e-10)
    # Beyond the last event nothing is left to add.
    assert restricted_mean(time, np.ones(500), tau=1e6).value == pytest.approx(time.mean())


def test_default_tau_is_the_smaller_of_the_last_times():
    found = compare_restricted_means([2, 4, 9, 3, 5, 7], [1, 0, 0, 1, 1, 0], list("aaabbb"))
    assert found.tau == found.first.tau == found.second.tau == 7
    assert found.groups == ("b", "a")
    assert restricted_mean([2, 4, 9], [1, 0, 0]).tau == 9


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    truth = 10 * (1 - np.exp(-1.2))  # of an exponential time of mean 10, up to 12
    covered, p = 0, []
    for _ in range(500):
        time, end = rng.exponential(10, 120), rng.uniform(12, 30, 120)
        data = np.minimum(time, end), time <= end
        found = restricted_mean(*data, tau=12)
        covered += found.low <= truth <= found.high
        p.append(compare_restricted_means(*data, np.arange(120) % 2, tau=12).difference.p)
    assert 0.92 <= covered / 500 <= 0.975
    assert abs(np.mean(np.array(p) < 0.1) - 0.1) < 0.04


def test_a_group_without_events_keeps_the_horizon_and_is_compared():
    found = compare_restricted_means([2, 4, 6, 9, 9, 9], [1, 1, 0, 0, 0, 0], list("aaabbb"))
    assert (found.first.value, found.first.se, found.first.events) == (6, 0, 0)
    assert found.difference.value == pytest.approx(2)
    assert 0 < found.difference.p < 1


def test_events_at_time_zero_count_as_no_time():
    assert restricted_mean([0, 0, 4, 4], [1, 1, 0, 0]).value == 2


def test_bad_input_says_what_is_expected():
    with pytest.raises(DataError, match="up to 9 months"):
        restricted_mean([2, 4, 9], [1, 1, 0], tau=10)
    for tau in (0, -1, np.nan, np.inf):
        with pytest.raises(DataError, match="horizon tau above 0"):
            restricted_mean([2, 4, 9], [1, 1, 0], tau=tau)
    with pytest.raises(DataError, match="up to 5 months"):
        compare_restricted_means([2, 5, 3, 9], [1, 0, 1, 0], list("aabb"), tau=6)
    with pytest.raises(DataError, match="expected two groups; found 3"):
        compare_restricted_means([1, 2, 3], [1, 1, 1], list("abc"))
    with pytest.raises(DataError, match="expected two groups; found 1"):
        compare_restricted_means([1, 2, 3], [1, 1, 1], list("aaa"))
    with pytest.raises(DataError, match="first to be one of"):
        compare_restricted_means([1, 2, 3], [1, 1, 1], list("aab"), first="c")
    with pytest.raises(OutcomeError, match="with an event before tau"):
        compare_restricted_means([5, 6, 7, 8], [0, 0, 1, 1], list("abab"), tau=3)
    with pytest.raises(OutcomeError, match="with an event before tau"):
        compare_restricted_means([0, 0, 7, 8], [1, 1, 1, 0], list("aabb"), tau=5)
