"""Progression by the criteria against the score: counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import StudyError
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.study.prediction.readouts.pseudoprogression import pseudoprogression_readout
from radiogenomics.study.prediction.scored import Scored

ASKED = {
    "outcome": {"value": "response", "source": "paper"},
    "progressive": {"value": ["PD"], "source": "paper"},
}
ROWS = pd.DataFrame(
    [
        ("a", 0.9, "PD", 30.0, False),
        ("b", 0.6, "PD", 20.0, True),
        ("c", 0.52, "PD", 5.0, True),
        ("d", 0.4, "PD", 4.0, True),
        ("e", 0.3, "PD", 8.0, False),
        ("f", 0.2, "PD", 3.0, True),
        ("g", 0.8, "SD", 40.0, True),
        ("h", 0.1, "PR", 2.0, True),
    ],
    columns=["id", "score", "category", "time", "event"],
).set_index("id")


def hand_made(meaning: str = "better", rows: pd.DataFrame = ROWS) -> Scored:
    outcomes = {
        "OS": SurvivalOutcome("OS", rows["time"], rows["event"]),
        "response": ResponseOutcome("response", rows["category"], "mRECIST"),
    }
    frame = pd.DataFrame(
        {
            "patient_id": rows.index,
            "repeat": 0,
            "fold": 0,
            "label": 1.0,
            "score": rows["score"].to_numpy(),
        }
    )
    cohort = Cohort("hand", pd.DataFrame(index=rows.index), outcomes=outcomes)
    return Scored(cohort, "external:hand", {"M": frame}, 0.52, meaning)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def asked(make_study, os_label):
    return make_study(label=os_label, pseudoprogression=ASKED)


def test_everybody_who_progressed_is_listed_and_counted(asked):
    found = pseudoprogression_readout(asked, [hand_made()])
    table = found.tables["pseudoprogression"].set_index("patient_id")
    assert table.index.tolist() == list("abcdef")
    assert table["called"].tolist() == ["high"] * 3 + ["low"] * 3
    assert table["happened"].tolist() == [
        "survived beyond",
        "survived beyond",
        "died before",
        "died before",
        "censored before",
        "died before",
    ]
    assert table["score"].tolist() == ROWS.loc[table.index, "score"].tolist()
    assert set(table["cohort"]) == {"hand"}
    summary = found.tables["pseudoprogression_summary"].set_index("called")
    counts = summary[["progressive", "survived", "died_before", "unknown"]]
    assert counts.loc["high"].tolist() == [3, 2, 1, 0]
    assert counts.loc["low"].tolist() == [3, 0, 2, 1]
    low, high = proportion_confint(2, 3, method="wilson")
    assert summary.loc["high", ["share", "low", "high"]].tolist() == pytest.approx(
        [2 / 3, low, high]
    )
    assert set(summary["horizon"]) == {12.0}


def test_where_class_1_is_worse_the_calls_stay_those_of_the_score(asked):
    """The same patients, each score turned: high is now what foretells the worse."""
    turned = ROWS.assign(score=1 - ROWS["score"])
    part = replace(hand_made("worse", turned), threshold=0.5)
    better = replace(hand_made(), threshold=0.5)
    worse, other = (
        pseudoprogression_readout(asked, [each]).tables["pseudoprogression_summary"]
        for each in (part, better)
    )
    one = worse.set_index("called").loc[["high", "low"]]
    two = other.set_index("called").loc[["low", "high"]].set_axis(["high", "low"], axis=0)
    pd.testing.assert_frame_equal(one, two, check_names=False)
    assert one.loc["high", "survived"] == 0


def test_without_months_the_horizon_is_the_training_median(make_study, os_label, make_part):
    label = {**os_label, "months": {"value": "median", "source": "paper"}}
    near = make_part()
    study = make_study(label=label, pseudoprogression=ASKED)
    found = pseudoprogression_readout(study, [near, hand_made()])
    from lifelines import KaplanMeierFitter

    os = near.cohort.survival("OS")
    median = KaplanMeierFitter().fit(os.time, os.event).median_survival_time_
    assert found.tables["pseudoprogression"]["horizon"].unique() == pytest.approx([median])


def test_nobody_with_a_high_score_is_said_and_has_no_row(asked):
    part = replace(hand_made(), threshold=0.95)
    found = pseudoprogression_readout(asked, [part])
    assert found.tables["pseudoprogression_summary"]["called"].tolist() == ["low"]
    assert "nobody who progressed has a high score" in found.notes[0][1]


def test_what_is_lacking_is_a_note(asked, make_study):
    part = hand_made()
    calm = hand_made(rows=ROWS.assign(category="SD"))
    found = pseudoprogression_readout(asked, [calm])
    assert not found.tables
    assert "nobody of 8 progressed (PD)" in found.notes[0][1]
    bare = replace(part, cohort=replace(part.cohort, outcomes={}))
    found = pseudoprogression_readout(asked, [bare])
    assert "does not have response and OS" in found.notes[0][1]
    assert (
        "names no survival"
        in pseudoprogression_readout(make_study(pseudoprogression=ASKED), [part]).notes[0][1]
    )
    few = make_study(pseudoprogression=ASKED, endpoints=(("OS", []),))
    assert "no median of OS" in pseudoprogression_readout(few, [part]).notes[0][1]


def test_categories_that_are_not_there_contradict_the_recipe(make_study, os_label):
    strange = {**ASKED, "progressive": {"value": ["worse"], "source": "paper"}}
    study = make_study(label=os_label, pseudoprogression=strange)
    with pytest.raises(StudyError, match="found worse in the recipe"):
        pseudoprogression_readout(study, [hand_made()])
