from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.subgroups import subgroup_table
from radiogenomics.plots.forest import draw_forest

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "evaluation"


@pytest.fixture
def cohort() -> tuple[pd.DataFrame, SurvivalOutcome]:
    table = pd.read_csv(REFERENCE / "cox_table_input.csv")
    table.index = [f"P{i}" for i in range(len(table))]
    return table, SurvivalOutcome("OS", table["time"], table["event"])


@pytest.mark.parametrize("kind", ["per_sd", "high"])
def test_matches_r(kind, cohort):
    table, outcome = cohort
    reference = pd.read_csv(REFERENCE / "cox_table.csv").set_index(["model", "term", "name"])
    reference = reference.sort_index()
    expected = reference.loc[kind, "value"]
    marker = table["marker"] if kind == "per_sd" else table["marker"] > 0.5
    found = subgroup_table(marker, outcome, table[["stage", "cirrhosis"]], split="x")
    assert found["scale"].unique().tolist() == ["per SD" if kind == "per_sd" else "high vs low"]
    assert found["term"].tolist() == [
        "all patients",
        "stage: I",
        "stage: II",
        "stage: III",
        "cirrhosis: False",
        "cirrhosis: True",
    ]
    for row in found.itertuples():
        term = row.term.replace("True", "TRUE").replace("False", "FALSE")
        for name in ("hazard_ratio", "low", "high", "p", "n", "events"):
            assert getattr(row, name) == pytest.approx(expected[term, name], rel=1e-7)
        if row.factor:
            p = expected[row.factor, "p_interaction"]
            assert row.p_interaction == pytest.approx(p, rel=1e-7)
    assert found["left_out"].tolist() == [0, 1, 1, 1, 0, 0]


def test_forest_draws_the_table(cohort):
    table, outcome = cohort
    found = subgroup_table(table["marker"], outcome, table[["cirrhosis"]], split="x")
    labels = [label.get_text() for label in draw_forest(found).get_yticklabels()]
    assert [label.split(" (")[0] for label in labels] == found["term"].tolist()


def test_small_subgroups_keep_their_row_and_say_why(cohort):
    table, outcome = cohort
    events = outcome.event.index[outcome.event]
    factors = pd.DataFrame(index=table.index)
    factors["site"] = "a"
    factors.loc[events[:3], "site"] = "b"
    factors.loc[events[3:20], "site"] = "c"
    factors["empty"] = None
    with pytest.warns(RadiogenomicsWarning) as caught:
        found = subgroup_table(table["marker"], outcome, factors, split="x").set_index("term")
    said = [str(w.message) for w in caught]
    assert any("site: b: 3 events, fewer than 10" in message for message in said)
    assert any("empty: missing: 0 events" in message for message in said)
    assert found.loc["site: b", ["n", "events"]].tolist() == [3, 3]
    assert np.isnan(found.loc["site: b", "hazard_ratio"])
    # The two others are compared without it.
    rest = factors["site"] != "b"
    alone = subgroup_table(
        (table["marker"] - table["marker"].mean())[rest],
        outcome.for_patients(table.index[rest]),
        factors.loc[rest, ["site"]],
        split="x",
    )
    p = found.loc[["site: a", "site: b", "site: c"], "p_interaction"]
    assert p.nunique() == 1
    assert p.iloc[0] == pytest.approx(alone["p_interaction"].iloc[1], rel=1e-6)


def test_one_sided_or_constant_markers_within_a_subgroup_are_said(cohort):
    table, outcome = cohort
    high = table["marker"] > 0.5
    factors = pd.DataFrame({"same": high, "sided": ~high | ~outcome.event})
    with pytest.warns(RadiogenomicsWarning) as caught:
        found = subgroup_table(high, outcome, factors, split="x", minimum_events=1)
    notes = found.set_index("term")["note"]
    assert notes["same: False"].startswith("the marker is the same for all")
    assert notes["sided: True"].startswith("one side of the marker has no event")
    assert any("fewer than two subgroups to compare" in str(w.message) for w in caught)


def test_interaction_is_uniform_without_one_and_small_with_one():
    rng = np.random.default_rng(6)
    ids = pd.Index([f"P{i}" for i in range(160)])

    def p_of(effect: float) -> float:
        marker, group = rng.normal(size=160), rng.integers(0, 2, 160)
        time = rng.exponential(np.exp(-(0.4 + effect * group) * marker))
        outcome = SurvivalOutcome("OS", pd.Series(time, ids), pd.Series(True, ids))
        factor = pd.DataFrame({"g": np.where(group, "b", "a")}, index=ids)
        found = subgroup_table(pd.Series(marker, ids), outcome, factor, split="x")
        return float(found["p_interaction"].iloc[1])

    null = np.array([p_of(0.0) for _ in range(80)])
    # Three standard errors of a mean, and of a share, of 80 uniform values.
    assert abs(null.mean() - 0.5) < 0.097
    assert abs((null < 0.25).mean() - 0.25) < 0.145
    assert np.mean([p_of(1.0) < 0.05 for _ in range(15)]) > 0.85


def test_bad_input_says_what_is_expected(cohort):
    table, outcome = cohort
    factor = table[["cirrhosis"]]
    with pytest.raises(AlignmentError, match="marker and OS"):
        subgroup_table(table["marker"].iloc[::-1], outcome, factor, split="x")
    with pytest.raises(AlignmentError, match="subgroups of every patient"):
        subgroup_table(table["marker"], outcome, factor.iloc[1:], split="x")
    with pytest.raises(DataError, match="numbers or booleans"):
        subgroup_table(table["stage"], outcome, factor, split="x")
    with pytest.raises(DataError, match="2 missing"):
        subgroup_table(table["age"], outcome, factor, split="x")
    with pytest.raises(DataError, match="all equal"):
        subgroup_table(table["marker"] * 0, outcome, factor, split="x")
    with pytest.raises(DataError, match="Cut numbers into classes"):
        subgroup_table(table["marker"], outcome, table[["age"]], split="x")
    with pytest.raises(OutcomeError, match="at least 999 events"):
        subgroup_table(table["marker"], outcome, factor, split="x", minimum_events=999)
