from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError
from radiogenomics.stats.classification.auc import auc
from radiogenomics.stats.survival.heagerty_auc import METHODS, heagerty_auc
from radiogenomics.stats.survival.time_dependent_auc import cumulative_dynamic_auc

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
