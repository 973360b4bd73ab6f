from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.cox_table import multivariable_cox_table, univariable_cox_table
from radiogenomics.plots.forest import draw_forest

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "evaluation"
TERMS = {
    "age": "age",
    "stage: I vs II": "stageI",
    "stage: III vs II": "stageIII",
    "cirrhosis: True vs False": "cirrhosisTRUE",
    "marker": "marker",
}


@pytest.fixture
def cohort() -> tuple[pd.DataFrame, SurvivalOutcome]:
    table = pd.read_csv(REFERENCE / "cox_table_input.csv")
    table.index = [f"P{i}" for i in range(len(table))]
    outcome = SurvivalOutcome("OS", table.pop("time"), table.pop("event"))
    return table, outcome


@pytest.fixture(scope="module")
def reference() -> pd.Series:
    return pd.read_csv(REFERENCE / "cox_table.csv").set_index(["model", "term", "name"])["value"]


def check(found: pd.DataFrame, reference: pd.Series, model: str) -> None:
    rows = found[~found["reference"]].set_index("term")
    assert list(rows.index) == list(TERMS)
    for term, theirs in TERMS.items():
        for name in ("hazard_ratio", "low", "high", "p"):
            assert rows.loc[term, name] == pytest.approx(reference[model, theirs, name], rel=1e-8)
    for row in found.itertuples():
        for name in ("p_variable", "p_proportional"):
            expected = reference[model, row.variable, name]
            assert getattr(row, name) == pytest.approx(expected, rel=1e-7)


def test_univariable_table_matches_r(cohort, reference):
    found = univariable_cox_table(*cohort)
    check(found, reference, "univariable")
    assert found.drop_duplicates("variable")["left_out"].tolist() == [2, 1, 0, 0]
    assert (found["note"] == "").all() and (found["model"] == "univariable").all()


def test_multivariable_table_matches_r_on_complete_cases(cohort, reference):
    with pytest.warns(RadiogenomicsWarning, match=r"3 of 220 .*\(age: 2, stage: 1\)"):
        found = multivariable_cox_table(*cohort)
    check(found, reference, "multivariable")
    assert (found["left_out"] == 3).all()
    assert found.groupby("variable")["n"].sum().eq(217).all()


def test_levels_are_counted_and_the_reference_is_stated(cohort):
    frame, outcome = cohort
    found = univariable_cox_table(frame[["stage", "cirrhosis"]], outcome)
    stage = found[found["variable"] == "stage"].set_index("level")
    # The most frequent level of text, False of booleans.
    assert stage.index.tolist() == ["II", "I", "III"]
    assert found["reference"].tolist() == [True, False, False, True, False]
    assert found["term"].iloc[0] == "stage: II (reference)"
    for level in stage.index:
        member = frame["stage"] == level
        assert stage.loc[level, "n"] == member.sum()
        assert stage.loc[level, "events"] == outcome.event[member].sum()
    assert found.loc[found["reference"], "hazard_ratio"].eq(1).all()
    assert draw_forest(found).get_yticklabels()[0].get_text().startswith("stage: II (reference)")


def test_reference_level_can_be_chosen(cohort):
    frame, outcome = cohort
    plain = univariable_cox_table(frame[["stage"]], outcome).set_index("level")
    turned = univariable_cox_table(frame[["stage"]], outcome, references={"stage": "III"})
    turned = turned.set_index("level")
    ratio = 1 / plain.loc["III", "hazard_ratio"]
    assert turned.loc["II", "hazard_ratio"] == pytest.approx(ratio, rel=1e-8)
    assert turned["p_variable"].iloc[0] == pytest.approx(plain["p_variable"].iloc[0], rel=1e-8)
    ordered = pd.Categorical(frame["stage"], categories=["III", "IV", "II", "I"])
    by_type = univariable_cox_table(frame[["stage"]].assign(stage=ordered), outcome)
    assert by_type["level"].tolist() == ["III", "II", "I"]
    with pytest.raises(UnknownNameError, match="level of stage"):
        univariable_cox_table(frame[["stage"]], outcome, references={"stage": "IV"})
    with pytest.raises(UnknownNameError, match="variable 'grade'"):
        univariable_cox_table(frame, outcome, references={"grade": "1"})


def test_without_an_estimate_the_row_stays_and_says_why(cohort):
    frame, outcome = cohort
    censored = outcome.event.index[~outcome.event][:5]
    table = pd.DataFrame(index=frame.index)
    table["same"] = 1.0
    table["empty"] = pd.Series(np.nan, index=frame.index, dtype=object)
    table["rare"] = np.where(frame.index.isin(censored), "yes", "no")
    table["identity"] = frame.index
    with pytest.warns(RadiogenomicsWarning) as caught:
        found = univariable_cox_table(table, outcome)
    said = " | ".join(str(w.message) for w in caught)
    for name in table:
        assert f"{name} has no hazard ratio" in said
    notes = found.drop_duplicates("variable").set_index("variable")["note"]
    assert notes["same"] == "the same for all patients"
    assert notes["empty"] == "missing for all patients"
    assert notes["rare"].startswith("no event in rare yes") and "penalise" in notes["rare"]
    assert notes["identity"] == f"{outcome.n_events} events for 219 parameters"
    assert found.loc[~found["reference"], "hazard_ratio"].isna().all()
    # The likelihood ratio stays finite where the hazard ratio is not.
    assert 0 < found.loc[found["variable"] == "rare", "p_variable"].iloc[0] < 1


def test_multivariable_model_that_cannot_be_fitted_is_refused(cohort):
    frame, outcome = cohort
    censored = outcome.event.index[~outcome.event][:5]
    frame = frame[["marker"]].assign(rare=frame.index.isin(censored))
    with pytest.raises(OutcomeError, match="no event in rare True; merge levels or penalise"):
        multivariable_cox_table(frame, outcome)
    frame = frame[["marker"]].assign(twice=2 * frame["marker"])
    with pytest.raises(OutcomeError, match="repeat each other"):
        multivariable_cox_table(frame, outcome)
    few = outcome.for_patients(outcome.event.index[:6])
    wide = pd.DataFrame(np.eye(6), index=few.patient_ids).add_prefix("x")
    with pytest.raises(OutcomeError, match=r"events for 6 parameters.*penalise"):
        multivariable_cox_table(wide, few)
    with pytest.raises(DataError, match="differs between patients; found none"):
        multivariable_cox_table(frame[["marker"]] * 0, outcome)
    with (
        pytest.warns(RadiogenomicsWarning, match="220 of 220 patients lack"),
        pytest.raises(DataError, match="among 0 patients who have all"),
    ):
        multivariable_cox_table(frame.assign(twice=np.nan), outcome)


def test_few_events_a_parameter_are_warned_of_and_constants_are_kept_as_rows(cohort, rng):
    frame, outcome = cohort
    part = outcome.for_patients(outcome.patient_ids[:20])
    noise = pd.DataFrame(rng.normal(size=(20, 4)), index=part.patient_ids, columns=list("abcd"))
    events = part.n_events
    with pytest.warns(RadiogenomicsWarning, match=rf"{events} events for 4 \(all together\)"):
        multivariable_cox_table(noise, part)
    with pytest.warns(RadiogenomicsWarning, match="same is the same for all 220"):
        found = multivariable_cox_table(frame[["marker"]].assign(same=0), outcome)
    assert found["note"].tolist() == ["", "the same for all patients"]
    assert found["hazard_ratio"].notna().tolist() == [True, False]


def test_totals_of_the_model_are_those_of_its_fit(cohort):
    frame, outcome = cohort
    alone = univariable_cox_table(frame, outcome)
    for name, rows in alone.groupby("variable"):
        who = frame.index[frame[name].notna()]
        assert rows["n_model"].eq(len(who)).all()
        assert rows["events_model"].eq(outcome.event[who].sum()).all()
        assert rows["n"].sum() == len(who) and rows["events"].sum() == outcome.event[who].sum()
    with pytest.warns(RadiogenomicsWarning, match="3 of 220"):
        together = multivariable_cox_table(frame, outcome)
    complete = frame.dropna().index
    assert together["n_model"].eq(len(complete)).all()
    assert together["events_model"].eq(outcome.event[complete].sum()).all()
    stage = together[together["variable"] == "stage"]
    assert stage["n"].sum() == len(complete)


def test_ten_events_a_coefficient_are_asked_of_each_model(cohort):
    frame, outcome = cohort
    events = outcome.event.index[outcome.event]
    for count, warns in ((19, True), (20, False)):
        part = outcome.for_patients([*events[:count], *outcome.event.index[~outcome.event]])
        table = frame[["stage", "marker"]].loc[part.patient_ids].fillna("II")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            univariable_cox_table(table, part)
        said = [str(warning.message) for warning in caught]
        # Three levels are two coefficients; the marker is one, with events enough.
        assert [f"{count} events for 2 (stage)" in text for text in said] == [True] * warns


def test_bad_tables_say_what_is_expected(cohort):
    frame, outcome = cohort
    for table in (univariable_cox_table, multivariable_cox_table):
        with pytest.raises(AlignmentError, match="variables of every patient; found none of 20"):
            table(frame.iloc[20:], outcome)
        with pytest.raises(DataError, match="one or more columns"):
            table(frame[[]], outcome)
        with pytest.raises(DataError, match="1 infinite"):
            table(frame[["marker"]].replace(frame["marker"].iloc[0], np.inf), outcome)
        none = SurvivalOutcome("OS", outcome.time, outcome.event & False)
        with pytest.raises(OutcomeError, match="at least 1 events"):
            table(frame, none)
