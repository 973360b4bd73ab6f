from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    SchemaError,
)
from radiogenomics.core.evidence import Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.time_dependent import survival_accuracy, time_dependent_auc
from radiogenomics.stats.survival.d_calibration import d_calibration, survival_at_own_time
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier
from radiogenomics.stats.survival.survival_brier import survival_brier
from radiogenomics.stats.survival.time_dependent_auc import cumulative_dynamic_auc
from radiogenomics.stats.survival.time_grid import valid_times

N = 120


@pytest.fixture
def cohort(rng: np.random.Generator) -> tuple[pd.DataFrame, SurvivalOutcome, pd.Series]:
    ids = pd.Index([f"P{i}" for i in range(N)])
    x = rng.normal(size=N)
    death, end = rng.exponential(20 * np.exp(-x)), rng.uniform(3, 50, N)
    time, event = pd.Series(np.minimum(death, end), ids), pd.Series(death <= end, ids)
    shuffled = [rng.permutation(N) for _ in range(3)]
    rows = [
        pd.DataFrame(
            {
                "patient_id": ids[order],
                "repeat": r,
                "fold": 0,
                "score": (x + 0.5 * rng.normal(size=N))[order],
            }
        )
        for r, order in enumerate(shuffled)
    ]
    predictions = pd.concat(rows, ignore_index=True)
    return predictions, SurvivalOutcome("OS", time, event), pd.Series(x, ids)


def named(metrics: tuple[Metric, ...]) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


def test_one_repeat_is_the_statistic_itself(cohort) -> None:
    predictions, outcome, _ = cohort
    one = predictions[predictions["repeat"] == 1]
    metrics, tables = time_dependent_auc(one, outcome, split="external:B")
    truth = outcome.for_patients(one["patient_id"])
    expected = cumulative_dynamic_auc(one["score"], truth.time, truth.event)
    table = tables["time_dependent_auc"]
    assert table.columns.tolist() == [
        "split",
        "endpoint",
        "time",
        "auc",
        "low",
        "high",
        "n_cases",
        "n_controls",
    ]
    assert table["time"].tolist() == expected.grid.times.tolist()
    for column, values in (("auc", "value"), ("low", "low"), ("high", "high")):
        np.testing.assert_allclose(table[column], getattr(expected, values), rtol=1e-9)
    assert table["n_cases"].tolist() == expected.grid.n_cases.tolist()
    assert set(table["split"]) == {"external:B"}
    (whole,) = metrics
    assert (whole.name, whole.chance, whole.n, whole.events) == (
        "integrated_auc",
        0.5,
        N,
        outcome.n_events,
    )
    np.testing.assert_allclose(
        [whole.value, whole.low, whole.high],
        [expected.integrated.value, expected.integrated.low, expected.integrated.high],
        rtol=1e-9,
    )
    assert tables["dropped_times"].empty
    assert tables["dropped_times"].columns.tolist() == ["split", "endpoint", "time", "reason"]


def test_repeats_are_averaged_and_dropped_times_told(cohort) -> None:
    predictions, outcome, _ = cohort
    with pytest.warns(RadiogenomicsWarning, match="left out at 0 months .before the first event"):
        metrics, tables = time_dependent_auc(
            predictions, outcome, split="cross-validation", times=[20, 0, 8, 900]
        )
    found = named(metrics)
    assert list(found) == ["integrated_auc", "auc_at_8_months", "auc_at_20_months"]
    singles = [
        cumulative_dynamic_auc(
            part["score"],
            outcome.for_patients(part["patient_id"]).time,
            outcome.for_patients(part["patient_id"]).event,
            times=[8, 20],
        )
        for _, part in predictions.groupby("repeat")
    ]
    mean = np.mean([single.value for single in singles], axis=0)
    np.testing.assert_allclose(tables["time_dependent_auc"]["auc"], mean, rtol=1e-12)
    metric = found["auc_at_20_months"]
    assert metric.value == pytest.approx(mean[1])
    assert metric.low < metric.value < metric.high
    assert metric.events == (outcome.event & (outcome.time <= 20)).sum()
    dropped = tables["dropped_times"]
    assert dropped["time"].tolist() == [0.0, 900.0]
    assert dropped["reason"].str.contains("first event|last follow-up").all()


def test_a_time_must_do_in_every_repeat(cohort) -> None:
    predictions, outcome, _ = cohort
    late = outcome.time[outcome.time > 25].index
    lacking = predictions[(predictions["repeat"] != 2) | ~predictions["patient_id"].isin(late)]
    with pytest.warns(RadiogenomicsWarning, match="not usable in the repeat at place 2"):
        _, tables = time_dependent_auc(lacking, outcome, split="cross-validation", times=[8, 30])
    assert tables["time_dependent_auc"]["time"].tolist() == [8.0]
    assert tables["dropped_times"]["time"].tolist() == [30.0]


def test_risks_that_cannot_be_judged_are_refused(cohort) -> None:
    predictions, outcome, _ = cohort
    judge = {"outcome": outcome, "split": "apparent"}
    with pytest.raises(SchemaError, match="found 360 rows and no score"):
        time_dependent_auc(predictions.drop(columns="score"), **judge)
    with pytest.raises(SchemaError, match="found 0 rows"):
        time_dependent_auc(predictions.iloc[:0], **judge)
    with pytest.raises(DataError, match="1 values that are not finite"):
        time_dependent_auc(predictions.assign(score=[np.nan, *predictions["score"][1:]]), **judge)
    with pytest.raises(AlignmentError):
        time_dependent_auc(predictions.replace("P3", "Q3"), **judge)
    with pytest.raises(AlignmentError):
        time_dependent_auc(predictions.assign(repeat=0), **judge)
    with pytest.raises(OutcomeError, match="can be used"):
        time_dependent_auc(predictions, **judge, times=[0])
    with pytest.raises(OutcomeError, match="1 patients"):
        time_dependent_auc(predictions.iloc[:1], outcome, split="apparent")


def curves(x: pd.Series, months: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(np.exp(-np.outer(np.exp(x), months) / 20), index=x.index, columns=months)


def test_accuracy_is_that_of_the_statistics(cohort) -> None:
    _, outcome, x = cohort
    months = np.linspace(0.5, 49.5, 99)
    table = curves(x, months)
    metrics, tables = survival_accuracy(table, outcome, split="external:B")
    expected = survival_brier(table.to_numpy(), outcome.time, outcome.event, times=months)
    brier = tables["survival_brier"]
    assert brier["time"].tolist() == expected.grid.times.tolist()
    for column in ("reference", "ipa", "ipa_low", "ipa_high", "low", "high"):
        np.testing.assert_allclose(brier[column], getattr(expected, column), rtol=1e-12)
    np.testing.assert_allclose(brier["brier"], expected.value, rtol=1e-12)
    found = named(metrics)
    assert list(found) == ["integrated_brier", "integrated_ipa", "d_calibration_p"]
    assert found["integrated_brier"].value == pytest.approx(expected.integrated.value)
    assert found["integrated_brier"].chance == pytest.approx(expected.integrated_reference)
    assert found["integrated_ipa"].value == pytest.approx(expected.integrated_ipa.value)
    own = survival_at_own_time(table.to_numpy(), months, outcome.time)
    shape = d_calibration(own, outcome.time, outcome.event)
    assert found["d_calibration_p"].value == pytest.approx(shape.p)
    bins = tables["d_calibration"]
    np.testing.assert_allclose(bins["observed"] * N, shape.observed, rtol=1e-12)
    assert ((bins["low"] <= bins["observed"]) & (bins["observed"] <= bins["high"])).all()
    assert tables["d_calibration_test"].loc[0, "p"] == pytest.approx(shape.p)
    dropped = tables["brier_dropped_times"]
    assert len(dropped) + len(brier) == months.size
    for frame in tables.values():
        assert not frame.isna().any(axis=None)


def test_asked_times_are_read_off_the_curves(cohort) -> None:
    _, outcome, x = cohort
    months = np.arange(1.0, 50.0)
    table = curves(x, months)[np.random.default_rng(0).permutation(months)]
    with pytest.warns(RadiogenomicsWarning, match="Brier score is left out at 80 months"):
        metrics, tables = survival_accuracy(
            table, outcome, split="apparent", times=[12.7, 80], bins=5
        )
    expected = survival_brier(
        table[[12.0]].to_numpy(),
        outcome.time,
        outcome.event,
        times=valid_times(outcome.time, outcome.event, times=[12.7]),
    )
    found = named(metrics)
    assert found["brier_at_12.7_months"].value == pytest.approx(expected.value[0])
    assert found["ipa_at_12.7_months"].low == pytest.approx(expected.ipa_low[0])
    assert found["ipa_at_12.7_months"].chance == 0
    assert len(tables["d_calibration"]) == 5
    assert tables["survival_brier"]["time"].tolist() == [12.7]


def test_the_marginal_curve_is_at_chance(cohort) -> None:
    _, outcome, x = cohort
    curve = kaplan_meier(outcome.time, outcome.event)
    table = pd.DataFrame(
        np.broadcast_to(curve.survival, (N, curve.time.size)), index=x.index, columns=curve.time
    )
    found = named(survival_accuracy(table, outcome, split="apparent")[0])
    assert found["integrated_ipa"].value == pytest.approx(0, abs=1e-12)
    assert found["integrated_brier"].value == pytest.approx(found["integrated_brier"].chance)
    assert found["d_calibration_p"].value > 0.5


def test_tables_that_cannot_be_judged_are_refused(cohort) -> None:
    _, outcome, x = cohort
    table = curves(x, np.arange(1.0, 40.0))
    judge = {"outcome": outcome, "split": "apparent"}
    with pytest.raises(DataError, match="never rise with time; found otherwise in 120 of 120"):
        survival_accuracy(1 - table, **judge)
    with pytest.raises(DataError, match="in 2 of 120 patients"):
        survival_accuracy(table.drop(["P3", "P4"]).reindex(table.index), **judge)
    with pytest.raises(DataError, match="name each column by its time"):
        survival_accuracy(table.add_prefix("month "), **judge)
    with pytest.raises(DataError, match="each time once"):
        survival_accuracy(pd.concat([table, table], axis=1), **judge)
    with pytest.raises(AlignmentError):
        survival_accuracy(table.rename({"P3": "Q3"}), **judge)
    with pytest.raises(OutcomeError, match="can be used"):
        survival_accuracy(table, **judge, times=[0.0])


@pytest.mark.parametrize(("columns", "judged"), [(3, False), (60, True)])
def test_d_calibration_needs_columns_close_together(columns, judged):
    """The true curves of exponential times: with few columns patients fall into wrong bins."""
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rate = 0.05 * np.exp(rng.normal(size=200))
        death, end = rng.exponential(1 / rate), rng.uniform(5, 60, 200)
        names = [f"P{i}" for i in range(200)]
        outcome = SurvivalOutcome(
            "OS",
            pd.Series(np.minimum(death, end), index=names),
            pd.Series(death <= end, index=names),
        )
        months = np.linspace(40 / columns, 40, columns)
        table = pd.DataFrame(np.exp(-np.outer(rate, months)), index=names, columns=months)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RadiogenomicsWarning)
            metrics, tables = survival_accuracy(table, outcome, split="x")
        p = [metric.value for metric in metrics if metric.name == "d_calibration_p"]
        assert len(p) == judged and ("d_calibration" in tables) == judged
        assert any("D-calibration is left out" in str(w.message) for w in caught) != judged
        found += p
    assert np.sum(np.array(found) < 0.05) <= 4
