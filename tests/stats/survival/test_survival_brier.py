from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sksurv.metrics import brier_score as sksurv_brier
from sksurv.metrics import integrated_brier_score

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.classification.calibration import brier
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier
from radiogenomics.stats.survival.survival_brier import survival_brier
from radiogenomics.stats.survival.time_grid import valid_times

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "stats"
INPUT = pd.read_csv(REFERENCE / "time_dependent_input.csv")
R = pd.read_csv(REFERENCE / "time_dependent.csv", float_precision="round_trip")
TIMES = [8.0, 16.0, 24.0, 30.0]
DATA = pytest.mark.parametrize("data", ["exact", "rounded"])
HOW = pytest.mark.parametrize("weights", ["known", "martingale"])
MODEL = pytest.mark.parametrize("model", ["good", "bad"])


def reference(data: str, weights: str, model: str, quantity: str) -> np.ndarray:
    own = (R["data"] == data) & (R["weights"] == weights)
    own &= (R["model"] == model) & (R["quantity"] == quantity)
    return R.loc[own, "value"].to_numpy()


def predicted(model: str) -> np.ndarray:
    return INPUT[[f"{model}_{t:g}" for t in TIMES]].to_numpy()


@DATA
@HOW
@MODEL
def test_matches_risk_regression(data: str, weights: str, model: str) -> None:
    found = survival_brier(
        predicted(model), INPUT[data], INPUT["event"], times=TIMES, weights=weights
    )
    for ours, theirs in (
        ("value", "brier_brier"),
        ("se", "brier_se"),
        ("low", "brier_lower"),
        ("high", "brier_upper"),
        ("ipa_se", "ipa_se"),
    ):
        expected = reference(data, weights, model, theirs)
        np.testing.assert_allclose(getattr(found, ours), expected, rtol=1e-10)
    # Near 0, so an absolute margin.
    np.testing.assert_allclose(
        found.ipa, reference(data, weights, model, "brier_ipa"), rtol=0, atol=1e-13
    )
    np.testing.assert_allclose(
        found.reference, reference(data, weights, "Null model", "brier_brier"), rtol=1e-12
    )
    for ours, theirs in (
        (found.integrated.value, "ibs"),
        (found.integrated.se, "ibs_se"),
        (found.integrated_ipa.value, "integrated_ipa"),
        (found.integrated_ipa.se, "integrated_ipa_se"),
    ):
        assert ours == pytest.approx(reference(data, weights, model, theirs)[0], rel=1e-10)


@DATA
@MODEL
def test_value_matches_pec(data: str, model: str) -> None:
    found = survival_brier(predicted(model), INPUT[data], INPUT["event"], times=TIMES)
    np.testing.assert_allclose(
        found.value, reference(data, "pec", model, "brier_brier"), rtol=1e-12
    )
    np.testing.assert_allclose(
        found.reference, reference(data, "pec", "Reference", "brier_brier"), rtol=1e-12
    )


def test_value_and_integral_match_scikit_survival() -> None:
    y = np.array(
        list(zip(INPUT["event"] == 1, INPUT["exact"], strict=True)),
        dtype=[("event", bool), ("time", float)],
    )
    found = survival_brier(predicted("good"), INPUT["exact"], INPUT["event"], times=TIMES)
    _, expected = sksurv_brier(y, y, predicted("good"), TIMES)
    np.testing.assert_allclose(found.value, expected, rtol=1e-12)
    whole = integrated_brier_score(y, y, predicted("good"), TIMES)
    assert found.integrated.value == pytest.approx(whole, rel=1e-12)


def weighted_scores(
    share: np.ndarray, table: np.ndarray, follow: tuple[np.ndarray, np.ndarray], times: np.ndarray
) -> np.ndarray:
    """Brier scores and indices of accuracy of patients who count `share` times each."""
    time, event = follow
    followed_before, followed_at = np.ones(time.size), np.ones(times.size)
    survival = np.ones(times.size)
    for u in np.unique(time):
        lost, died = share[(time == u) & ~event].sum(), share[(time == u) & event].sum()
        beyond = share[time > u].sum()
        followed_before[time > u] *= beyond / (beyond + lost) if lost else 1
        followed_at[times >= u] *= beyond / (beyond + lost) if lost else 1
        survival[times >= u] *= 1 - died / (beyond + lost + died)
    scores = []
    for k, t in enumerate(times):
        case = share * event * (time <= t) / followed_before
        control = share * (time > t) / followed_at[k]
        loss = case * table[:, k] ** 2 + control * (1 - table[:, k]) ** 2
        scores.append(loss.sum() / share.sum())
    return np.array([scores, 1 - np.array(scores) / (survival * (1 - survival))])


@DATA
def test_error_is_that_of_the_derivative_by_each_patient(data: str) -> None:
    part, times = INPUT.iloc[:40], np.array(TIMES[:2])
    follow = part[data].to_numpy(), part["event"].to_numpy() == 1
    table = predicted("bad")[:40, :2]
    grid = valid_times(*follow, times=times, minimum_cases=2, minimum_at_risk=2)
    found = survival_brier(table, *follow, times=grid)
    step, ones = 1e-5, np.ones(40)
    slopes = []
    for shift in np.eye(40) * step:
        up, down = (weighted_scores(ones + s, table, follow, times) for s in (shift, -shift))
        slopes.append((up - down) / (2 * step) * 40)
    spread = np.std(slopes, axis=0, ddof=1) / np.sqrt(40)
    np.testing.assert_allclose(found.se, spread[0], rtol=1e-6)
    np.testing.assert_allclose(found.ipa_se, spread[1], rtol=1e-6)


@pytest.mark.parametrize("width", [0.001, 12.0], ids=["fine", "coarse"])
def test_jackknife_error_is_that_of_repetition_where_times_are_tied(
    rng: np.random.Generator, width: float
) -> None:
    values, errors = [], {"jackknife": [], "martingale": []}
    for _ in range(800):
        x = rng.normal(size=150)
        death, end = rng.exponential(20 * np.exp(-0.7 * x)), rng.uniform(2, 60, 150)
        time = np.ceil(np.minimum(death, end) / width) * width
        table = np.exp(-0.05 * 24 * np.exp(0.7 * x))[:, None]
        for weights, column in errors.items():
            found = survival_brier(table, time, death <= end, times=[24.0], weights=weights)
            column.append(found.se[0])
        values.append(found.value[0])
    # A standard deviation from 800 replicates is known to 2.5 %.
    assert np.mean(errors["jackknife"]) == pytest.approx(np.std(values), rel=0.08)
    wide = np.mean(errors["martingale"]) / np.mean(errors["jackknife"])
    assert wide == pytest.approx(1, abs=0.002) if width < 1 else wide > 1.1


def test_without_censoring_it_is_the_plain_brier_score(rng: np.random.Generator) -> None:
    time, table = rng.exponential(10, 60), rng.random((60, 1))
    found = survival_brier(table, time, np.ones(60), times=[8])
    assert found.value[0] == pytest.approx(brier(1 - table[:, 0], time <= 8), rel=1e-12)
    assert found.integrated == pytest.approx(
        (found.value[0], found.se[0], found.low[0], found.high[0])
    )


def test_the_marginal_curve_scores_no_better_than_itself() -> None:
    survival = kaplan_meier(INPUT["exact"], INPUT["event"]).at(TIMES)
    table = np.broadcast_to(survival, (len(INPUT), 4))
    found = survival_brier(table, INPUT["exact"], INPUT["event"], times=TIMES)
    np.testing.assert_allclose(found.value, survival * (1 - survival), rtol=1e-12)
    np.testing.assert_allclose(found.ipa, 0, atol=1e-12)
    np.testing.assert_allclose(found.ipa_se, 0, atol=1e-12)


def test_dropped_times_take_their_columns_with_them() -> None:
    asked = [500.0, 24.0, 0.0, 8.0]
    table = np.column_stack(
        [np.zeros(150), predicted("good")[:, 2], np.ones(150), predicted("good")[:, 0]]
    )
    found = survival_brier(table, INPUT["exact"], INPUT["event"], times=asked)
    whole = survival_brier(predicted("good"), INPUT["exact"], INPUT["event"], times=TIMES)
    assert found.grid.times.tolist() == [8.0, 24.0]
    assert found.value.tolist() == whole.value[[0, 2]].tolist()
    assert [d.time for d in found.grid.dropped] == [0.0, 500.0]
    grid = valid_times(INPUT["exact"], INPUT["event"], times=asked)
    again = survival_brier(table[:, [3, 1]], INPUT["exact"], INPUT["event"], times=grid)
    assert again.value.tolist() == found.value.tolist()


def spoilt(where: tuple[int, int], value: float) -> np.ndarray:
    table = predicted("good").copy()
    table[where] = value
    return table


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (spoilt((3, 1), np.nan), r"numbers; found otherwise in 1 of 150 patients \(rows 3\)"),
        (spoilt((5, 0), 1.2), r"from 0 to 1; found otherwise in 1 of 150 patients \(rows 5\)"),
        (spoilt((6, 3), -0.1), r"from 0 to 1; found otherwise in 1 of 150"),
        (spoilt((7, 3), 1.0), r"never rise with time; found otherwise in 1 of 150"),
        (1 - predicted("good"), r"never rise with time; found otherwise in 150 of 150"),
        (predicted("good")[:, :3], r"shape \(150, 4\)"),
        (predicted("good").T, r"shape \(150, 4\)"),
        (predicted("good")[0], r"shape \(150, 4\)"),
    ],
    ids=["NaN", "above", "below", "one rises", "risk", "columns", "transposed", "one row"],
)
def test_tables_that_are_no_survival_curves_are_refused(table: np.ndarray, found: str) -> None:
    with pytest.raises(DataError, match=found):
        survival_brier(table, INPUT["exact"], INPUT["event"], times=TIMES)


def test_bad_times_are_refused() -> None:
    follow = INPUT["exact"], INPUT["event"]
    with pytest.raises(DataError, match="each time once"):
        survival_brier(predicted("good"), *follow, times=[8, 16, 24, 24])
    with pytest.raises(OutcomeError, match="can be used"):
        survival_brier(predicted("good")[:, :1], *follow, times=[500])
    with pytest.raises(OutcomeError, match="1 patients"):
        survival_brier([[0.5]], [3.0], [1], times=[2.0])
