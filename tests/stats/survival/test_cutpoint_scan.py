"""Every cut-point against survdiff, lifelines and our own plain test."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.statistics import logrank_test
from numpy.testing import assert_allclose

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.survival import cutpoint_scan as module
from radiogenomics.stats.survival.cutpoint_scan import cutpoint_scan
from radiogenomics.stats.survival.logrank import logrank, logrank_batch

ALL = {"minprop": 0.0, "maxprop": 1.0}


@pytest.mark.parametrize("name", ["plain", "tied", "few"])
def test_every_cutpoint_matches_survdiff(name, table, values):
    rows = table("maximally_selected_input")
    own = rows[rows["set"] == name]
    found = cutpoint_scan(own["x"], own["time"], own["event"], **ALL)
    expected = values("maximally_selected", f"survdiff_{name}", "statistics")
    cuts = values("maximally_selected", f"survdiff_{name}", "cutoffs")
    some = ~np.isnan(found.statistics[0])
    assert_allclose(found.statistics[0, some], expected, rtol=1e-9, atol=1e-12)
    assert found.statistic[0] == pytest.approx(expected.max(), rel=1e-10)
    assert found.cutoff[0] == cuts[expected.argmax()]
    assert found.n_below[0] == (own["x"] <= found.cutoff[0]).sum()


@pytest.mark.parametrize("months", [True, False])
@pytest.mark.parametrize("n", [9, 64, 333])
def test_every_cutpoint_is_the_plain_test(n, months, rng):
    time = rng.exponential(20, n)
    time = np.ceil(time) if months else time
    event = rng.uniform(size=n) < 0.6
    x = np.column_stack([rng.normal(size=n), rng.integers(0, 6, n), -time + rng.normal(size=n)])
    found = cutpoint_scan(x, time, event, **ALL)
    assert found.counts.tolist() == list(range(1, n))
    for column, ours in zip(x.T, found.statistics, strict=True):
        ordered = np.sort(column)
        cut = np.flatnonzero(np.diff(ordered) > 0)
        assert np.isnan(np.delete(ours, cut)).all()
        plain = logrank_batch(time, event, column <= ordered[cut, None])
        assert_allclose(ours[cut], plain, rtol=1e-10, atol=1e-11)


def test_best_cutpoints_are_those_of_a_loop_over_logrank(rng):
    n = 120
    x = np.round(rng.normal(size=(n, 3)), 1)
    time, event = np.ceil(rng.exponential(20 * np.exp(-x[:, 0]))), rng.uniform(size=n) < 0.7
    found = cutpoint_scan(x, time, event)
    for j in range(3):
        cuts = [c for c in np.unique(x[:, j]) if 12 <= (x[:, j] <= c).sum() <= 108]
        tests = [logrank(time, event, x[:, j] > cut) for cut in cuts]
        best = int(np.argmax([test.statistic for test in tests]))
        assert found.cutoff[j] == cuts[best]
        assert found.statistic[j] == pytest.approx(tests[best].statistic, rel=1e-10)
        assert found.direction[j] == np.sign(tests[best].observed[1] - tests[best].expected[1])
        high = x[:, j] > cuts[best]
        peer = logrank_test(time[high], time[~high], event[high], event[~high])
        assert found.statistic[j] == pytest.approx(peer.test_statistic, rel=1e-10)
    assert found.direction[0] == 1


def test_pieces_change_nothing(rng, monkeypatch):
    x, time = rng.normal(size=(50, 23)), rng.integers(1, 20, 50)
    event = rng.uniform(size=50) < 0.5
    whole = cutpoint_scan(x, time, event)
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    one_by_one = cutpoint_scan(x, time, event)
    assert_allclose(whole.statistics, one_by_one.statistics, rtol=1e-12)
    assert whole.cutoff.tolist() == one_by_one.cutoff.tolist()


def test_units_of_covariates_and_time_do_not_matter(rng):
    x, time = rng.normal(size=(60, 2)), rng.exponential(size=60)
    event = rng.uniform(size=60) < 0.5
    plain = cutpoint_scan(x, time, event)
    other = cutpoint_scan(np.exp(x) * 1e6, 30.4 * time, event)
    assert_allclose(plain.statistics, other.statistics, rtol=1e-12)
    assert_allclose(other.cutoff, np.exp(plain.cutoff) * 1e6)
    turned = cutpoint_scan(-x, time, event)
    assert_allclose(turned.statistic, plain.statistic, rtol=1e-9)
    assert (turned.direction == -plain.direction).all()


def test_one_side_never_at_risk_has_no_statistic():
    # The three lowest are censored before the first event.
    time, event = [1, 1, 1, 5, 6, 7, 8, 9], [0, 0, 0, 1, 1, 1, 0, 1]
    found = cutpoint_scan(np.arange(8.0), time, event, **ALL)
    assert np.isnan(found.statistics[0, :3]).all()
    assert np.isfinite(found.statistics[0, 3:]).all()
    # Of the highest, the last of all, nothing is left to compare once it is alone.
    alone = logrank_batch(time, event, np.arange(8.0) <= found.cutoff[:, None])
    assert found.statistic[0] == pytest.approx(alone[0], rel=1e-10)


def test_covariates_without_cutpoints_are_named(rng):
    time, event = rng.exponential(size=30), np.ones(30)
    x = np.column_stack([rng.normal(size=30), np.ones(30), np.arange(30) < 1])
    with pytest.warns(RadiogenomicsWarning, match="none for 2 of 3, the first in column 1"):
        found = cutpoint_scan(x, time, event)
    assert np.isfinite(found.statistic[0])
    assert np.isnan(found.statistic[1:]).all()
    assert np.isnan(found.cutoff[1:]).all()
    assert found.n_below[1:].tolist() == [0, 0]
    with pytest.warns(RadiogenomicsWarning, match="none for 1 of 1"):
        one = cutpoint_scan([3.0], [1.0], [1])
    assert one.statistics.shape == (1, 0)


@pytest.mark.parametrize(
    ("x", "time", "event", "error", "message"),
    [
        ([[1.0], [np.nan]], [1, 2], [1, 0], DataError, "with 1 missing"),
        ([[1.0, 2.0]], [1, 2], [1, 0], DataError, r"shape \(2, covariates\)"),
        (np.ones((2, 2, 2)), [1, 2], [1, 0], DataError, "one patient a row"),
        ([["a"], ["b"]], [1, 2], [1, 0], DataError, "as numbers"),
        ([1.0, 2.0], [1, 2], [0, 0], OutcomeError, "at least one event"),
        ([1.0, 2.0], [1, np.nan], [1, 0], OutcomeError, "finite follow-up"),
    ],
    ids=range(6),
)
def test_what_cannot_be_analysed_is_named(x, time, event, error, message):
    with pytest.raises(error, match=message):
        cutpoint_scan(x, time, event)


def test_impossible_shares_are_refused():
    with pytest.raises(DataError, match="minprop < maxprop"):
        cutpoint_scan([1.0, 2.0], [1, 2], [1, 0], minprop=0.9, maxprop=0.1)
