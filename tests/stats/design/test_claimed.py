"""Intervals at a size against R, simulated cohorts and a published example."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtri

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.classification.auc import auc_batch, delong
from radiogenomics.stats.design.claimed import (
    auc_interval_at,
    c_index_interval_at,
    hazard_ratio_interval_at,
    narrowness,
    share_interval_at,
)
from radiogenomics.stats.design.validation_size import c_statistic_error

Z = float(ndtri(0.975))


def error_of(interval, value):
    """Standard error that a Wald interval of the logit was made of."""
    low, high = interval
    return (log(high / (1 - high)) - log(low / (1 - low))) / (2 * Z) * value * (1 - value)


@pytest.mark.parametrize("variance", ["hanley_mcneil", "newcombe"])
@pytest.mark.parametrize("key", ["0.883_126_126", "0.82_22_63", "0.5_30_10", "0.999_300_40"])
def test_intervals_of_the_auc_are_those_of_r(key, variance, values):
    auc, m, n = key.split("_")
    found = auc_interval_at(float(auc), int(m), int(n), variance=variance)
    assert_allclose(found, values("claimed", f"auc_{key}", variance), rtol=1e-12)


def test_newcombe_is_the_error_that_sizes_are_planned_with():
    error = error_of(auc_interval_at(0.8, 30, 70), 0.8)
    assert error == pytest.approx(c_statistic_error(0.8, 0.3, n=100), rel=1e-12)


@pytest.mark.parametrize("variance", ["hanley_mcneil", "newcombe"])
def test_a_score_turned_round_has_the_interval_turned_round(variance):
    low, high = auc_interval_at(0.3, 20, 45, variance=variance)
    turned = auc_interval_at(0.7, 45, 20, variance=variance)
    assert (1 - high, 1 - low) == pytest.approx(tuple(turned), rel=1e-12)


@pytest.mark.parametrize(
    ("key", "auc", "m", "n"),
    [
        ("0.883_126_126", 0.883, 126, 126),
        ("0.75_18_66", 0.75, 18, 66),
        ("0.65_60_20", 0.65, 60, 20),
    ],
)
def test_spread_of_the_auc_over_simulated_cohorts(key, auc, m, n, values):
    spread = float(values("claimed", f"binormal_{key}", "spread")[0])
    assert error_of(auc_interval_at(auc, m, n), auc) == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize(("auc", "m", "n"), [(0.883, 126, 126), (0.75, 18, 66), (0.8, 60, 20)])
def test_interval_covers_the_auc_of_binormal_scores(auc, m, n, rng):
    scores = rng.normal(size=(2000, m + n))
    scores[:, :m] += sqrt(2) * ndtri(auc)
    found = auc_batch(scores, np.arange(m + n) < m)
    covered = [low <= auc <= high for low, high in (auc_interval_at(a, m, n) for a in found)]
    assert 0.935 < np.mean(covered) < 0.985


def test_perfect_separation_has_the_bound_of_independent_pairs():
    scores, labels = np.r_[np.arange(10) + 100.0, np.arange(30)], np.arange(40) < 10
    own = delong(scores, labels)
    assert auc_interval_at(1.0, 10, 30) == pytest.approx((own.low, own.high), rel=1e-12)
    assert auc_interval_at(0.999, 10, 30) == auc_interval_at(1.0, 10, 30)
    low, high = auc_interval_at(0.0, 10, 30)
    assert (low, high) == pytest.approx((0, 1 - own.low), abs=1e-12)


def test_published_example():
    """The AUC of 0.883 (0.881-0.888) of LWCTR in 252 patients, about half of them positive."""
    low, high = auc_interval_at(0.883, 126, 126)
    assert 0.83 < low < 0.84
    assert 0.915 < high < 0.925
    assert narrowness((0.881, 0.888), (low, high)) < 0.1
    # Its external interval is of 80 patients.
    assert narrowness((0.860, 0.887), auc_interval_at(0.875, 40, 40)) < 0.2


COHORTS = [
    ("250_188_1", 250),
    ("250_75_1", 250),
    ("80_56_1.5", 80),
    ("600_30_1", 600),
    ("250_early_1", 250),
]


@pytest.mark.parametrize(("key", "patients"), COHORTS)
def test_spread_of_the_c_index_over_simulated_cohorts(key, patients, values):
    of = {name: float(values("claimed", f"c_{key}", name)[0]) for name in ("mean", "spread")}
    events = round(float(values("claimed", f"c_{key}", "events")[0]))
    error = error_of(c_index_interval_at(of["mean"], events, patients), of["mean"])
    assert 0.98 < error / of["spread"] < (1.08 if of["mean"] < 0.77 else 1.17)


def test_two_classes_are_no_match_for_many_events(values):
    c, spread = (float(values("claimed", "c_250_188_1", name)[0]) for name in ("mean", "spread"))
    by_class = c_index_interval_at(c, 188, 250, variance="newcombe")
    assert error_of(by_class, c) == pytest.approx(c_statistic_error(c, 188 / 250, n=250), rel=1e-12)
    assert error_of(by_class, c) > 1.9 * spread
    c, spread = (float(values("claimed", "c_600_30_1", name)[0]) for name in ("mean", "spread"))
    rare = c_index_interval_at(c, 30, 600, variance="newcombe")
    assert error_of(rare, c) == pytest.approx(spread, rel=0.06)


@pytest.mark.parametrize("key", ["11_14", "42_55", "0_20", "84_84"])
def test_shares_have_the_interval_of_r(key, values):
    k, n = map(int, key.split("_"))
    assert_allclose(
        share_interval_at(k / n, n), values("claimed", f"share_{key}", "interval"), atol=1e-13
    )


def test_hazard_ratio_of_simulated_cohorts(values):
    spread = float(values("claimed", "hr_2_300_0.5_90", "spread")[0])
    low, high = hazard_ratio_interval_at(2.0, 90)
    assert sqrt(low * high) == pytest.approx(2, rel=1e-12)
    assert log(high / low) / (2 * Z) == pytest.approx(spread, rel=0.08)


@pytest.mark.parametrize(
    "refused",
    [
        lambda: auc_interval_at(83, 10, 10),
        lambda: auc_interval_at(float("nan"), 10, 10),
        lambda: auc_interval_at(0.8, 0, 10),
        lambda: c_index_interval_at(0.7, 20, 10),
        lambda: c_index_interval_at(0.7, 10, 10, variance="newcombe"),
        lambda: share_interval_at(1.2, 10),
        lambda: share_interval_at(0.2, 0),
        lambda: hazard_ratio_interval_at(0.0, 10),
        lambda: hazard_ratio_interval_at(2.0, 10, 0.0),
        lambda: narrowness((0.9, 0.8), (0.7, 0.9)),
        lambda: narrowness((0.8, 0.9), (0.7, 0.7)),
        lambda: narrowness((0.8, float("nan")), (0.7, 0.9)),
    ],
)
def test_wrong_numbers_are_refused(refused):
    with pytest.raises(DataError, match="expected .*; found"):
        refused()


@pytest.mark.parametrize(
    "refused",
    [
        lambda: auc_interval_at(0.8, 10, 10, variance="newcomb"),
        lambda: c_index_interval_at(0.8, 10, 20, variance="pair"),
    ],
)
def test_unknown_variances_name_near_ones(refused):
    with pytest.raises(UnknownNameError, match="did you mean"):
        refused()


def test_no_concordance_at_all():
    low, high = c_index_interval_at(1.0, 12, 40)
    assert high == 1
    assert low == pytest.approx(0.025 ** (1 / 12), rel=1e-12)
