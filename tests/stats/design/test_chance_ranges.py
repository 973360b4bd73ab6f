"""Ranges under chance against R's qwilcox, every order of few patients, and simulated cohorts."""

from __future__ import annotations

from itertools import permutations
from math import comb, log, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.stats.design import chance_ranges
from radiogenomics.stats.design.chance_ranges import (
    accuracy_chance,
    auc_chance_range,
    c_index_chance_error,
    c_index_chance_range,
    hazard_ratio_chance_range,
)
from radiogenomics.stats.survival.concordance import concordance_batch

Z = float(ndtri(0.975))


@pytest.mark.parametrize("key", ["1_5", "3_4", "10_30", "18_66", "40_49", "21_34", "2_200"])
def test_range_of_the_auc_is_the_quantiles_of_r(key, values):
    m, n = map(int, key.split("_"))
    found = [auc_chance_range(m, n, level=level) for level in (0.95, 0.9, 0.99)]
    low = values("claimed", f"u_{key}", "low")
    assert_allclose([interval.low for interval in found], low, rtol=0, atol=1e-14)
    assert_allclose([interval.high for interval in found], 1 - low, rtol=0, atol=1e-14)
    assert auc_chance_range(n, m) == auc_chance_range(m, n)


def test_chances_of_u_are_those_of_r_down_to_the_rarest(values):
    orders = chance_ranges._lower_half_of_u(12, 20) * comb(32, 12)
    assert_allclose(orders, values("claimed", "u_12_20", "orders"), rtol=1e-12)


def test_large_sizes_go_over_into_the_normal_range():
    m, n = 340, 341
    half = Z * sqrt((m + n + 1) / (12 * m * n))
    counted = auc_chance_range(m, n)
    assert counted.high - 0.5 == pytest.approx(half, rel=5e-4)
    assert auc_chance_range(4000, 4000).high - 0.5 == pytest.approx(
        Z * sqrt(8001 / (12 * 4000**2)), rel=1e-12
    )


def test_error_of_c_under_chance_is_exact():
    """Every order of the risks of six patients, three of whom are censored after the last event."""
    time, event = np.array([1.0, 2, 3, 4, 4, 4]), np.array([1, 1, 1, 0, 0, 0])
    every = concordance_batch(np.array(list(permutations(range(6)))), time, event)
    assert len(every) == 720
    assert every.mean() == pytest.approx(0.5, abs=1e-14)
    assert c_index_chance_error(3, 6) == pytest.approx(every.std(), rel=1e-13)
    # Without censoring it is Kendall's.
    assert c_index_chance_error(6, 6) == pytest.approx(sqrt(17 / (9 * 6 * 5 * 2)), rel=1e-13)


@pytest.mark.parametrize(
    ("key", "events", "patients", "wider"),
    [("250_75_0", 75, 250, 0.05), ("120_120_0", 120, 120, 0.05), ("250_early_0", 195, 250, 0.1)],
)
def test_error_of_c_in_simulated_cohorts(key, events, patients, wider, values):
    spread = float(values("claimed", f"c_{key}", "spread")[0])
    low, high = c_index_chance_range(events, patients)
    assert 0.95 < spread * 2 * Z / (high - low) < 1 + wider


@pytest.mark.parametrize(
    ("key", "share", "events"), [("1_200_0.5_100", 0.5, 100), ("1_200_0.25_150", 0.25, 150)]
)
def test_hazard_ratios_of_simulated_cohorts(key, share, events, values):
    spread = float(values("claimed", f"hr_{key}", "spread")[0])
    low, high = hazard_ratio_chance_range(events, share)
    assert low * high == pytest.approx(1, rel=1e-12)
    assert log(high) / Z == pytest.approx(spread, rel=0.06)


def test_number_of_events_of_the_usual_formula():
    """At 4 (z0.975 + z0.9)^2 / log(1.5)^2 events, log 1.5 is z0.975 + z0.9 standard errors."""
    events = 256  # 4 (1.95996 + 1.28155)^2 / 0.405465^2 = 255.7
    reach = log(1.5) / (log(hazard_ratio_chance_range(events).high) / Z)
    assert reach == pytest.approx(1.95996 + 1.28155, rel=1e-3)


def test_accuracy_of_calling_all_the_larger_class():
    assert accuracy_chance(21, 34) == accuracy_chance(34, 21) == 34 / 55


@pytest.mark.parametrize(
    "refused",
    [
        lambda: auc_chance_range(0, 5),
        lambda: auc_chance_range(5, 2.5),
        lambda: auc_chance_range(5, float("nan")),
        lambda: auc_chance_range(5, 5, level=95),
        lambda: c_index_chance_range(10, 9),
        lambda: c_index_chance_range(1, 1),
        lambda: hazard_ratio_chance_range(0),
        lambda: hazard_ratio_chance_range(10, 1.0),
        lambda: accuracy_chance(-1, 3),
    ],
)
def test_wrong_sizes_are_refused(refused):
    with pytest.raises(DataError, match="expected .*; found"):
        refused()
