from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sksurv.metrics import cumulative_dynamic_auc as sksurv_auc

from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError
from radiogenomics.stats.classification.auc import delong
from radiogenomics.stats.survival.time_dependent_auc import (
    cumulative_dynamic_auc,
    time_dependent_auc_test,
)
from radiogenomics.stats.survival.time_grid import valid_times

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "stats"
INPUT = pd.read_csv(REFERENCE / "time_dependent_input.csv")
R = pd.read_csv(REFERENCE / "time_dependent.csv", float_precision="round_trip")
TIMES = [8.0, 16.0, 24.0, 30.0]
DATA = pytest.mark.parametrize("data", ["exact", "rounded"])
HOW = pytest.mark.parametrize("weights", ["known", "martingale"])


def reference(data: str, weights: str, model: str, quantity: str) -> np.ndarray:
    own = (R["data"] == data) & (R["weights"] == weights)
    own &= (R["model"] == model) & (R["quantity"] == quantity)
    return R.loc[own, "value"].to_numpy()


def predicted_risk(model: str) -> np.ndarray:
    return 1 - INPUT[[f"{model}_{t:g}" for t in TIMES]].to_numpy()


def weighted_auc(
    share: np.ndarray, risk: np.ndarray, follow: tuple[np.ndarray, np.ndarray], times: np.ndarray
) -> np.ndarray:
    """Areas, and their integral last, of patients who count `share` times; by the formulas."""
    time, event = follow
    gone = [(u, share[(time == u) & ~event].sum()) for u in np.unique(time[~event])]

    def followed(t: float, *, before: bool) -> float:
        product = 1.0
        for u, lost in gone:
            if u < t or (u == t and not before):
                at_risk = share[time > u].sum() + lost
                product *= 1 - lost / at_risk
        return product

    weight = np.array([followed(t, before=True) for t in time])
    wins = (risk[:, None] > risk) + 0.5 * (risk[:, None] == risk)
    areas, alive = [], [1.0]
    for t in times:
        case, control = share * event * (time <= t) / weight, share * (time > t)
        areas.append(case @ wins @ control / case.sum() / control.sum())
        alive.append(control.sum() / followed(t, before=False) / share.sum())
    total = -np.diff(alive) @ areas / (1 - alive[-1])
    return np.array([*areas, total])


@DATA
@HOW
@pytest.mark.parametrize("model", ["good", "bad"])
def test_matches_risk_regression(data: str, weights: str, model: str) -> None:
    found = cumulative_dynamic_auc(
        predicted_risk(model),
        INPUT[data],
        INPUT["event"],
        times=TIMES,
        scale="linear",
        weights=weights,
    )
    for ours, theirs in (("value", "auc"), ("se", "se"), ("low", "lower"), ("high", "upper")):
        expected = reference(data, weights, model, f"auc_{theirs}")
        np.testing.assert_allclose(getattr(found, ours), expected, rtol=1e-12)


@DATA
@HOW
def test_difference_matches_risk_regression(data: str, weights: str) -> None:
    found = time_dependent_auc_test(
        predicted_risk("bad"),
        predicted_risk("good"),
        time=INPUT[data],
        event=INPUT["event"],
        times=TIMES,
        weights=weights,
    )
    for ours, theirs in (
        ("difference", "delta.AUC"),
        ("se", "se"),
        ("low", "lower"),
        ("high", "upper"),
        ("p", "p"),
    ):
        expected = reference(data, weights, "bad-good", f"auc_{theirs}")
        np.testing.assert_allclose(getattr(found, ours), expected, rtol=1e-10)


def test_value_and_integral_match_scikit_survival() -> None:
    y = np.array(
        list(zip(INPUT["event"] == 1, INPUT["exact"], strict=True)),
        dtype=[("event", bool), ("time", float)],
    )
    for risk in (INPUT["x"].to_numpy(), INPUT["z"].to_numpy()):
        found = cumulative_dynamic_auc(risk, INPUT["exact"], INPUT["event"])
        area, mean = sksurv_auc(y, y, risk, found.grid.times)
        np.testing.assert_allclose(found.value, area, rtol=1e-12)
        assert found.integrated.value == pytest.approx(mean, rel=1e-12)


@DATA
@pytest.mark.parametrize("marker", ["x", "z"])
def test_influence_is_the_derivative_by_each_patient(data: str, marker: str) -> None:
    part = INPUT.iloc[:40]
    follow = part[data].to_numpy(), part["event"].to_numpy() == 1
    risk, times = part[marker].to_numpy(), np.array([6.0, 10.0, 16.0])
    grid = valid_times(*follow, times=times, minimum_cases=2, minimum_at_risk=2)
    assert grid.times.tolist() == times.tolist()
    found = cumulative_dynamic_auc(risk, *follow, times=grid)
    step, ones = 1e-5, np.ones(len(part))
    slopes = []
    for shift in np.eye(len(part)) * step:
        up, down = (weighted_auc(ones + s, risk, follow, times) for s in (shift, -shift))
        slopes.append((up - down) / (2 * step) * len(part))
    influence = np.array(slopes).T
    np.testing.assert_allclose(found.influence, influence[:3], atol=1e-7)
    np.testing.assert_allclose(found.influence.mean(axis=1), 0, atol=1e-13)
    spread = influence[3].std(ddof=1) / np.sqrt(len(part))
    assert found.integrated.se == pytest.approx(spread, rel=1e-7)
    assert found.integrated.value == pytest.approx(
        weighted_auc(ones, risk, follow, times)[3], rel=1e-12
    )


def test_without_ties_jackknife_and_martingale_differ_to_order_one_over_n() -> None:
    exact, usual = (
        cumulative_dynamic_auc(
            INPUT["z"], INPUT["exact"], INPUT["event"], times=TIMES, weights=weights
        ).se
        for weights in ("jackknife", "martingale")
    )
    np.testing.assert_allclose(exact, usual, rtol=1e-3)
    assert (exact != usual).any()


def test_without_censoring_it_is_delong_to_order_one_over_n(rng: np.random.Generator) -> None:
    time = rng.permutation(np.arange(1.0, 401.0))
    risk = np.round(rng.normal(size=400) - time / 200, 1)
    found = cumulative_dynamic_auc(risk, time, np.ones(400), times=[100, 250])
    for k, t in enumerate((100, 250)):
        plain = delong(risk, time <= t)
        assert found.value[k] == pytest.approx(plain.value, rel=1e-12)
        assert found.se[k] == pytest.approx(np.sqrt(plain.variance), rel=0.01)


def test_one_column_a_time_is_each_on_its_own() -> None:
    columns = INPUT[["x", "z"]].to_numpy()
    both = cumulative_dynamic_auc(columns, INPUT["exact"], INPUT["event"], times=[24, 8])
    for k, (name, t) in enumerate((("z", 8), ("x", 24))):
        alone = cumulative_dynamic_auc(INPUT[name], INPUT["exact"], INPUT["event"], times=[t])
        assert both.value[k] == alone.value[0]
        assert both.se[k] == alone.se[0]


def test_only_the_order_of_the_risk_counts() -> None:
    follow = INPUT["exact"], INPUT["event"]
    plain = cumulative_dynamic_auc(INPUT["x"], *follow)
    bent = cumulative_dynamic_auc(np.exp(3 * INPUT["x"]), *follow)
    turned = cumulative_dynamic_auc(-INPUT["x"], *follow)
    np.testing.assert_array_equal(plain.value, bent.value)
    np.testing.assert_allclose(plain.value, 1 - turned.value, rtol=1e-12)
    np.testing.assert_allclose(plain.low, 1 - turned.high, rtol=1e-10)
    flat = cumulative_dynamic_auc(np.zeros(len(INPUT)), *follow)
    np.testing.assert_allclose(flat.value, 0.5, rtol=1e-12)


def test_interval_covers_the_truth_and_the_error_is_that_of_repetition(
    rng: np.random.Generator,
) -> None:
    def cohort(n: int, *, censored: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        risk = rng.normal(size=n)
        death = rng.exponential(20 * np.exp(-risk))
        end = rng.uniform(2, 45, n) if censored else np.full(n, np.inf)
        return risk, np.ceil(np.minimum(death, end)), death <= end

    risk, time, event = cohort(60_000, censored=False)
    truth = cumulative_dynamic_auc(risk, time, event, times=[6, 18])
    whole = np.append(truth.value, truth.integrated.value)
    values, errors, inside = [], [], []
    for _ in range(600):
        found = cumulative_dynamic_auc(*cohort(120, censored=True), times=[6, 18])
        values.append([*found.value, found.integrated.value])
        errors.append([*found.se, found.integrated.se])
        low = np.append(found.low, found.integrated.low)
        high = np.append(found.high, found.integrated.high)
        inside.append((low <= whole) & (whole <= high))
    np.testing.assert_allclose(np.mean(values, axis=0), whole, atol=0.008)
    np.testing.assert_allclose(np.mean(errors, axis=0), np.std(values, axis=0), rtol=0.12)
    # Binomial noise of 600 replicates is 0.009.
    np.testing.assert_allclose(np.mean(inside, axis=0), 0.95, atol=0.027)


def test_equal_risks_are_no_different_and_the_null_is_kept(rng: np.random.Generator) -> None:
    same = time_dependent_auc_test(
        INPUT["x"], 2 * INPUT["x"], time=INPUT["exact"], event=INPUT["event"]
    )
    assert set(same.p) == {1.0}
    assert set(same.z) == {0.0}
    p = []
    for _ in range(400):
        signal, a, b = rng.normal(size=(3, 150))
        death, end = rng.exponential(20 * np.exp(-signal)), rng.uniform(5, 40, 150)
        found = time_dependent_auc_test(
            signal + a,
            signal + b,
            time=np.minimum(death, end),
            event=death <= end,
            times=[12],
        )
        p.append(found.p[0])
    # Binomial noise of 400 replicates is 0.011 at 5 %.
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.035)


def test_separation_has_cautious_bounds_and_a_test_that_cannot_be_is_dropped() -> None:
    time, event = np.arange(1.0, 41.0), np.ones(40)
    found = cumulative_dynamic_auc(-time, time, event, times=[10])
    assert (found.value[0], found.high[0], found.integrated.high) == (1.0, 1.0, 1.0)
    assert 0.6 < found.low[0] < 0.8
    mixed = np.where(time > 15, np.where(time % 2 == 0, 1, -30.0), -15.0)
    kept = time_dependent_auc_test(-time, mixed, time=time, event=event, times=[10, 25])
    assert np.isfinite(kept.p).all()
    with pytest.raises(OutcomeError, match="neither varies"):
        time_dependent_auc_test(-time, np.zeros(40), time=time, event=event, times=[10])


@pytest.mark.parametrize(
    ("risk", "settings", "error"),
    [
        (INPUT["x"].where(INPUT["x"] < 1), {}, DataError),
        (INPUT["x"].replace(INPUT["x"][0], np.inf), {}, DataError),
        (INPUT["x"][:-1], {}, DataError),
        (INPUT[["x", "z"]], {}, DataError),
        (INPUT[["x", "z"]], {"times": [8, 16, 24]}, DataError),
        (INPUT["x"], {"times": [500]}, OutcomeError),
        (INPUT["x"], {"level": 95}, DataError),
        (INPUT["x"], {"scale": "probit"}, UnknownNameError),
        (INPUT["x"], {"weights": "exact"}, UnknownNameError),
    ],
    ids=["NaN", "inf", "short", "columns", "columns of times", "late", "95", "s", "w"],
)
def test_bad_input_says_what_is_expected(
    risk: pd.Series, settings: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        cumulative_dynamic_auc(risk, INPUT["exact"], INPUT["event"], **settings)


def test_all_censored_before_the_horizon_is_refused() -> None:
    time, event = np.arange(1, 41), np.repeat([0, 1], 20)
    with pytest.raises(OutcomeError, match="before the first event"):
        cumulative_dynamic_auc(np.arange(40.0), time, event, times=[15])
    with pytest.raises(OutcomeError, match="at least one event"):
        cumulative_dynamic_auc(np.arange(40.0), time, np.zeros(40))
    with pytest.raises(OutcomeError, match="1 patients"):
        cumulative_dynamic_auc([1.0], [3.0], [1])
