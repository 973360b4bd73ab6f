from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.survival_calibration import (
    survival_calibration_curves,
    survival_calibration_summary,
    survival_calibration_table,
)

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "stats"
TABLES = (survival_calibration_summary, survival_calibration_table, survival_calibration_curves)


@pytest.fixture
def judged() -> tuple[pd.DataFrame, SurvivalOutcome]:
    table = pd.read_csv(REFERENCE / "survival_calibration_input.csv")
    table.index = [f"P{i}" for i in range(len(table))]
    # The reference judges one prediction at both horizons.
    survival = pd.DataFrame({12: 1 - table["risk"], 24.0: 1 - table["risk"]})
    return survival, SurvivalOutcome("OS", table["time"], table["event"])


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "survival_calibration.csv").set_index(["model", "name"])


def test_summary_matches_r(judged, reference):
    found = survival_calibration_summary(*judged, split="test").set_index("horizon")
    for horizon in (12, 24):
        row, model = found.loc[horizon], f"at_{horizon}"
        ratio = reference.loc[[(model, "ratio")], "value"]
        assert_allclose(row[["ratio", "ratio_low", "ratio_high"]].astype(float), ratio, rtol=1e-9)
        slope = reference.loc[[(model, "slope")], "value"].iloc[0]
        assert row["slope"] == pytest.approx(slope, rel=1e-8)
        distances = reference.loc[[(f"{model}_knots_3", "distances")], "value"][:3]
        assert_allclose(row[["ici", "e50", "e90"]].astype(float), distances, rtol=1e-8)
        assert row["ratio"] == pytest.approx(row["observed"] / row["expected"])


def test_groups_and_curves_match_r(judged, reference):
    groups = survival_calibration_table(*judged, split="test")
    assert groups["horizon"].tolist() == [12.0] * 5 + [24.0] * 5
    for row in groups.itertuples():
        model = f"at_{row.horizon:g}_group_{row.group - 1}"
        expected = reference.loc[[(model, "observed")], "value"]
        assert_allclose([row.observed, row.low, row.high], expected, rtol=1e-9)
        expected = reference.loc[[(model, "counts")], "value"]
        assert_allclose([row.n, row.events, row.at_risk], expected)
    curves = survival_calibration_curves(*judged, split="test")
    first = curves[curves["horizon"] == 12]
    for name in ("observed", "low", "high"):
        expected = reference.loc[[("at_12_knots_3", name)], "value"]
        assert_allclose(first[name], expected, rtol=1e-8)


def test_groups_of_small_cohorts_warn_where_nothing_is_known(judged):
    survival, outcome = judged
    ids = outcome.event.index[:30]
    with pytest.warns(RadiogenomicsWarning, match="risk groups"):
        found = survival_calibration_table(
            survival.loc[ids], outcome.for_patients(ids), split="x", groups=15
        )
    assert found["low"].isna().any()


def test_constant_predictions_have_a_ratio_and_nothing_else(judged):
    survival, outcome = judged
    flat = survival * 0 + 0.6
    with pytest.warns(RadiogenomicsWarning) as caught:
        found = survival_calibration_summary(flat, outcome, split="x")
    said = [str(w.message) for w in caught]
    for what in ("slope", "curve"):
        assert sum(f"no calibration {what}" in message for message in said) == 2
    assert {Path(w.filename).name for w in caught} == {Path(__file__).name}
    assert found["ratio"].notna().all() and found[["slope", "ici"]].isna().all(axis=None)
    with (
        pytest.warns(RadiogenomicsWarning, match="no calibration curve"),
        pytest.raises(DataError, match="found none"),
    ):
        survival_calibration_curves(flat, outcome, split="x")


@pytest.mark.parametrize("make", TABLES, ids=[make.__name__ for make in TABLES])
def test_bad_input_says_what_is_expected(make, judged):
    survival, outcome = judged
    with pytest.raises(AlignmentError, match="predicted survival and OS"):
        make(survival.iloc[1:], outcome, split="x")
    for names in (["early", "late"], [12, "12"]):
        with pytest.raises(DataError, match="horizons in months"):
            make(survival.set_axis(names, axis=1), outcome, split="x")
    with pytest.raises(OutcomeError, match="followed to the horizon"):
        make(survival.rename(columns={12: 600}), outcome, split="x")
    with pytest.raises(DataError, match="risks from 0 to 1"):
        make(survival * 100, outcome, split="x")
    with pytest.raises(DataError, match="risks from 0 to 1"):
        make(survival.where(survival > 0.1), outcome, split="x")
