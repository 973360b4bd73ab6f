from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.stats.bootstrap import bootstrap_counts
from radiogenomics.stats.classification.auc import auc
from radiogenomics.stats.survival.heagerty_auc import (
    INTERVALS,
    METHODS,
    bootstrap_heagerty_auc,
    heagerty_auc,
    heagerty_auc_interval,
)
from radiogenomics.stats.survival.time_dependent_auc import cumulative_dynamic_auc
from radiogenomics.stats.survival.time_grid import valid_times

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "stats"
INPUT = pd.read_csv(REFERENCE / "time_dependent_input.csv")
R = pd.read_csv(REFERENCE / "time_dependent.csv", float_precision="round_trip")
R = R[R["quantity"].isin(METHODS)]
TIMES = [8.0, 16.0, 24.0, 30.0]
EACH = pytest.mark.parametrize("method", METHODS)


@pytest.mark.parametrize("data", ["exact", "rounded"])
@pytest.mark.parametrize("marker", ["x", "z"])
def test_matches_brute_force_in_r(data: str, marker: str) -> None:
    own = R[(R["data"] == data) & (R["model"] == marker)]
    assert len(own) == 16
    for (method, weights), rows in own.groupby(["quantity", "weights"]):
        span = None if weights == "none" else float(weights)
        found = heagerty_auc(
            INPUT[marker], INPUT[data], INPUT["event"], times=TIMES, method=method, span=span
        )
        np.testing.assert_allclose(found.value, rows.sort_values("time")["value"], rtol=1e-12)


def test_the_span_is_as_wide_as_recommended() -> None:
    follow = INPUT["exact"], INPUT["event"]
    default = heagerty_auc(INPUT["x"], *follow, times=TIMES)
    assert default.span == pytest.approx(0.25 * 150**-0.2)
    asked = heagerty_auc(INPUT["x"], *follow, times=TIMES, span=default.span)
    assert default.value.tolist() == asked.value.tolist()


@EACH
def test_without_censoring_it_is_the_plain_area(rng: np.random.Generator, method: str) -> None:
    time = rng.permutation(np.arange(1.0, 121.0))
    risk = np.round(rng.normal(size=120) - time / 60, 1)
    found = heagerty_auc(risk, time, np.ones(120), times=[40], method=method, span=1e-6)
    assert found.value[0] == pytest.approx(auc(risk, time <= 40), rel=1e-12)


@EACH
def test_is_near_the_weighted_estimate(rng: np.random.Generator, method: str) -> None:
    x = rng.normal(size=2000)
    death, end = rng.exponential(20 * np.exp(-x)), rng.uniform(2, 60, 2000)
    follow = np.minimum(death, end), death <= end
    weighted = cumulative_dynamic_auc(x, *follow, times=[6, 18])
    found = heagerty_auc(x, *follow, times=[6, 18], method=method, span=0.02)
    np.testing.assert_allclose(found.value, weighted.value, atol=2 * weighted.se.max())


def test_neighbours_are_nearer_the_truth_where_censoring_depends_on_the_risk(
    rng: np.random.Generator,
) -> None:
    errors = []
    for _ in range(40):
        x = rng.normal(size=600)
        death, end = rng.exponential(20 * np.exp(-x)), rng.exponential(40 * np.exp(-x))
        follow = np.minimum(death, end), death <= end
        found = [heagerty_auc(x, *follow, times=[15], method=m).value[0] for m in METHODS]
        errors.append(np.array(found) - auc(x, death <= 15))
    neighbours, groups = np.abs(np.mean(errors, axis=0))
    apart = np.std(np.diff(errors, axis=1)) / np.sqrt(40)
    assert neighbours < groups - 3 * apart
    assert neighbours < 0.02


def test_curves_of_neighbours_are_monotone_from_corner_to_corner() -> None:
    found = heagerty_auc(INPUT["z"], INPUT["rounded"], INPUT["event"])
    assert found.sensitivity.shape == (found.grid.times.size, found.cutoffs.size)
    assert (np.diff(found.sensitivity, axis=1) <= 1e-12).all()
    assert (np.diff(found.specificity, axis=1) >= -1e-12).all()
    np.testing.assert_allclose(
        found.sensitivity[:, [0, -1]], [[1, 0]] * len(found.value), atol=1e-12
    )
    np.testing.assert_allclose(
        found.specificity[:, [0, -1]], [[0, 1]] * len(found.value), atol=1e-12
    )


@EACH
def test_turning_the_risk_turns_the_area(method: str) -> None:
    follow = INPUT["exact"], INPUT["event"]
    plain = heagerty_auc(INPUT["x"], *follow, times=TIMES, method=method)
    assert ((plain.value > 0) & (plain.value < 1)).all()
    flat = heagerty_auc(np.zeros(150), *follow, times=TIMES, method=method)
    np.testing.assert_allclose(flat.value, 0.5, rtol=1e-12)
    turned = heagerty_auc(-INPUT["x"], *follow, times=TIMES, method=method)
    np.testing.assert_allclose(plain.value + turned.value, 1, atol=0.02)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"method": "nearest"}, UnknownNameError),
        ({"span": 0.0}, DataError),
        ({"span": 1.5}, DataError),
        ({"times": [900.0]}, OutcomeError),
    ],
    ids=str,
)
def test_bad_settings_are_refused(settings: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        heagerty_auc(INPUT["x"], INPUT["exact"], INPUT["event"], **settings)


def test_bad_risks_are_refused() -> None:
    with pytest.raises(DataError, match="1 that are not finite"):
        heagerty_auc([1, np.nan], [1, 2], [1, 0])
    with pytest.raises(OutcomeError, match="1 patients"):
        heagerty_auc([1.0], [1], [1])


@EACH
@pytest.mark.parametrize("data", ["exact", "rounded"])
@pytest.mark.parametrize("marker", ["x", "z"])
def test_resamples_are_those_of_a_loop(
    rng: np.random.Generator, method: str, data: str, marker: str
) -> None:
    columns = INPUT[marker].to_numpy(), INPUT[data].to_numpy(), INPUT["event"].to_numpy()
    counts = bootstrap_counts(150, 12, rng)
    grid = valid_times(*columns[1:], times=TIMES)
    for span in (None, 0.1):
        found = bootstrap_heagerty_auc(
            *columns, times=grid, counts=counts, method=method, span=span
        )
        for drawn, areas in zip(counts, found, strict=True):
            rows = np.repeat(np.arange(150), drawn)
            # The span follows from the number of patients, which a resample keeps.
            one = heagerty_auc(*(c[rows] for c in columns), times=grid, method=method, span=span)
            np.testing.assert_allclose(areas, one.value, rtol=1e-12)
    whole = bootstrap_heagerty_auc(
        *columns, times=grid, counts=np.ones((1, 150), dtype=int), method=method
    )
    plain = heagerty_auc(*columns, times=grid, method=method)
    np.testing.assert_allclose(whole[0], plain.value, rtol=1e-14)


def test_resamples_without_cases_or_controls_are_left_out() -> None:
    time, event, risk = np.arange(1.0, 13), np.ones(12), np.arange(12.0)[::-1]
    grid = valid_times(time, event, times=[3], minimum_cases=1, minimum_at_risk=1)
    no_case, no_control = np.arange(12) >= 3, np.arange(12) < 3
    counts = np.array([no_case * 1, no_control * 4, np.ones(12)]).astype(int)
    for method in METHODS:
        found = bootstrap_heagerty_auc(risk, time, event, times=grid, counts=counts, method=method)
        assert np.isnan(found[:2, 0]).all()
        assert np.isfinite(found[2, 0])


def true_area(rate: float, times: list[float]) -> np.ndarray:
    """Area of a normal risk that is the log hazard ratio of exponential times, by quadrature."""
    x = np.linspace(-8, 8, 4001)
    alive = np.exp(-rate * np.array(times)[:, None] * np.exp(x))
    case, control = (part * np.exp(-(x**2) / 2) for part in (1 - alive, alive))
    below = np.cumsum(control, axis=1) - control / 2
    return (case * below).sum(axis=1) / case.sum(axis=1) / control.sum(axis=1)


@EACH
@pytest.mark.parametrize("interval", INTERVALS)
def test_intervals_cover_the_true_area(
    rng: np.random.Generator, method: str, interval: str
) -> None:
    times, runs, n = [8.0, 20.0], 150, 80
    truth = true_area(1 / 20, times)
    covered = np.zeros(2, dtype=int)
    for _ in range(runs):
        x = rng.normal(size=n)
        death, end = rng.exponential(20 * np.exp(-x)), rng.uniform(4, 60, n)
        found = heagerty_auc_interval(
            *(x, np.minimum(death, end), death <= end),
            times=times,
            method=method,
            interval=interval,
            n_replicates=150,
            rng=rng,
        )
        covered += (found.low <= truth) & (truth <= found.high)
    assert all(binomtest(int(k), runs, 0.95).pvalue > 0.001 for k in covered), covered


@EACH
def test_jackknife_is_a_loop_that_leaves_one_out(method: str) -> None:
    x, time, event = (INPUT[name].to_numpy()[:60] for name in ("x", "exact", "event"))
    found = heagerty_auc_interval(x, time, event, times=[16], method=method, interval="jackknife")
    span = None if method == "kaplan_meier" else 0.25 * 60**-0.2
    left = [
        heagerty_auc(
            *(np.delete(column, i) for column in (x, time, event)),
            times=found.grid,
            method=method,
            span=span,
        ).value[0]
        for i in range(60)
    ]
    assert found.se[0] == pytest.approx(np.sqrt(59 / 60 * np.sum((left - np.mean(left)) ** 2)))
    wald = np.log(found.value / (1 - found.value)) + np.array([-1, 1]) * 1.959963984540054 * (
        found.se / (found.value * (1 - found.value))
    )
    np.testing.assert_allclose([found.low[0], found.high[0]], 1 / (1 + np.exp(-wald)), rtol=1e-10)
    assert (found.replicates, found.skipped.tolist()) == (60, [0])


@EACH
def test_errors_agree_with_those_of_the_weighted_estimate(
    rng: np.random.Generator, method: str
) -> None:
    x = rng.normal(size=250)
    death, end = rng.exponential(20 * np.exp(-x)), rng.uniform(4, 60, 250)
    follow = np.minimum(death, end), death <= end
    weighted = cumulative_dynamic_auc(x, *follow, times=[8, 20])
    for interval in INTERVALS:
        found = heagerty_auc_interval(
            x, *follow, times=[8, 20], method=method, interval=interval, n_replicates=400, rng=rng
        )
        np.testing.assert_allclose(found.se, weighted.se, rtol=0.2)
        assert (found.low < found.value).all()
        assert (found.value < found.high).all()


@pytest.mark.parametrize("interval", INTERVALS)
def test_a_perfect_risk_keeps_a_width(rng: np.random.Generator, interval: str) -> None:
    time, event = np.arange(1.0, 41), np.ones(40)
    found = heagerty_auc_interval(
        -time, time, event, times=[10], method="kaplan_meier", interval=interval, rng=rng
    )
    assert found.value[0] == pytest.approx(1, abs=1e-12)
    # Clopper and Pearson's for 10 of 10.
    assert found.low[0] == pytest.approx(0.025 ** (1 / 10), rel=1e-6)
    assert found.high[0] == 1


def test_seeds_levels_and_words_of_intervals(rng: np.random.Generator) -> None:
    follow = INPUT["x"], INPUT["exact"], INPUT["event"]
    twice = [
        heagerty_auc_interval(*follow, times=TIMES, n_replicates=50, rng=np.random.default_rng(3))
        for _ in range(2)
    ]
    assert twice[0].low.tolist() == twice[1].low.tolist()
    wide = heagerty_auc_interval(*follow, times=TIMES, interval="jackknife", level=0.99)
    narrow = heagerty_auc_interval(*follow, times=TIMES, interval="jackknife", level=0.8)
    assert (wide.low < narrow.low).all()
    assert (wide.high > narrow.high).all()
    with pytest.raises(DataError, match="expected rng"):
        heagerty_auc_interval(*follow, times=TIMES)
    with pytest.raises(UnknownNameError, match="jackknife"):
        heagerty_auc_interval(*follow, times=TIMES, interval="jacknife")
    with pytest.raises(DataError, match="write 0.95"):
        heagerty_auc_interval(*follow, times=TIMES, interval="jackknife", level=95)
    with pytest.raises(DataError, match="bootstrap_counts"):
        bootstrap_heagerty_auc(*follow, times=TIMES, counts=np.ones((2, 3), dtype=int))
    with pytest.raises(UnknownNameError, match="method"):
        bootstrap_heagerty_auc(*follow, times=TIMES, counts=[[1] * 150], method="km")


def test_intervals_without_replicates_warn() -> None:
    time, event, risk = np.arange(1.0, 13), np.ones(12), np.arange(12.0)[::-1]
    grid = valid_times(time, event, times=[3], minimum_cases=1, minimum_at_risk=1)
    with pytest.warns(RadiogenomicsWarning, match="at least 2 of 1 replicates"):
        found = heagerty_auc_interval(
            risk, time, event, times=grid, n_replicates=1, rng=np.random.default_rng(0)
        )
    assert np.isnan(found.low[0])
