"""Best response, benefit and progression: the guideline's tables, by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from radiogenomics.clinical.assessment import ResponseCourse
from radiogenomics.clinical.best_response import (
    ResponseRules,
    best_response,
    durable_benefit,
    progression,
)
from radiogenomics.clinical.response_rates import (
    response_courses,
    response_outcomes,
    response_rates,
    response_summary,
)
from radiogenomics.core.errors import OutcomeError, SchemaError, UnknownNameError
from radiogenomics.stats import wilson

CONFIRMED = ResponseRules(confirm=True)


def course(*words: str, every: float = 2.0, criterion: str = "RECIST 1.1") -> ResponseCourse:
    times = every * np.arange(1, len(words) + 1)
    return ResponseCourse(criterion, pd.DataFrame({"time": times, "overall": words}))


@pytest.mark.parametrize(
    ("words", "plain", "confirmed"),
    [
        (("CR", "CR"), "CR", "CR"),
        (("CR", "PR"), "CR", "PR"),
        (("CR", "SD"), "CR", "SD"),
        (("CR", "PD"), "CR", "SD"),
        (("PR", "CR"), "CR", "PR"),
        (("PR", "PR"), "PR", "PR"),
        (("PR", "SD"), "PR", "SD"),
        (("PR", "PD"), "PR", "SD"),
        (("PR", "NE", "PR"), "PR", "PR"),
        (("SD", "PD", "PR"), "SD", "SD"),
        (("PD",), "PD", "PD"),
        (("NE", "PD"), "PD", "PD"),
        (("NE",), "NE", "NE"),
        ((), "NE", "NE"),
    ],
)
def test_best_response_with_and_without_confirmation(words, plain, confirmed):
    """Table 3 of RECIST 1.1, assessments two months apart."""
    assert best_response(course(*words)) == plain
    assert best_response(course(*words), CONFIRMED) == confirmed


def test_confirmation_must_come_late_enough():
    assert best_response(course("PR", "PR", every=0.5), CONFIRMED) == "NE"
    assert best_response(course("PR", "PR", every=1.0), CONFIRMED) == "PR"


def test_stable_disease_must_last():
    assert best_response(course("SD", every=1.0)) == "NE"
    assert best_response(course("SD", "PD", every=1.0)) == "PD"
    assert best_response(course("SD", every=1.5)) == "SD"


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (("SD", "SD", "SD"), True),  # seen at 6 months
        (("SD", "SD"), None),  # lost at 4 months
        (("SD", "SD", "SD", "PD"), True),
        (("SD", "SD", "PD"), True),  # progression at 6 months, not before
        (("SD", "PD"), False),
        (("PD",), False),
        ((), None),
    ],
)
def test_durable_benefit(words, known):
    assert durable_benefit(course(*words)) is known


def test_progression_death_and_censoring():
    assert progression(course("SD", "PD", "PD")) == (4.0, True)
    assert progression(course("SD", "SD")) == (4.0, False)
    assert progression(course("SD", "NE")) == (2.0, False)
    assert progression(course("SD"), death=5.0) == (5.0, True)
    assert progression(course()) == (0.0, False)
    with pytest.raises(OutcomeError, match="end of follow-up at 3"):
        progression(course("SD", "SD"), death=3.0)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("iSD", "iUPD", "iCPD"), (4.0, True)),  # dated to the first sign
        (("iSD", "iUPD", "iPR"), (6.0, False)),  # pseudoprogression
        (("iSD", "iUPD"), (4.0, True)),  # nothing followed that could take it back
        (("iUPD", "iUPD", "iCPD"), (2.0, True)),
    ],
)
def test_progression_under_irecist(words, expected):
    assert progression(course(*words, criterion="iRECIST")) == expected


def lesions() -> pd.DataFrame:
    rows = [
        ("P1", -0.5, "a", 40.0, "target", "none"),
        ("P1", -0.5, "n", 16.0, "node", "none"),
        ("P1", 2.0, "a", 0.0, "target", "none"),
        ("P1", 2.0, "n", 8.0, "node", "none"),
        ("P2", 0.0, "a", 50.0, "target", "none"),
        ("P2", 0.0, "x", math.nan, "non_target", "non-CR/non-PD"),
        ("P2", 2.0, "a", 45.0, "target", "none"),
        ("P2", 2.0, "x", math.nan, "non_target", "non-CR/non-PD"),
        ("P2", 4.0, "a", 45.0, "target", "none"),
        ("P2", 4.0, "x", math.nan, "non_target", "PD"),
        ("P3", 0.0, "a", 30.0, "target", "none"),
        ("P3", 2.0, "a", 20.0, "target", "none"),
        ("P3", 2.0, "b", 12.0, "new", "none"),
    ]
    columns = ["patient_id", "time", "lesion", "diameter_mm", "kind", "state"]
    return pd.DataFrame(rows, columns=columns)


def test_a_table_of_lesions_becomes_rates_and_outcomes():
    summary = response_summary(response_courses(lesions(), criterion="recist"))
    assert summary["best_response"].to_dict() == {"P1": "CR", "P2": "SD", "P3": "PD"}
    assert summary["pfs_time"].to_dict() == {"P1": 2.0, "P2": 4.0, "P3": 2.0}
    assert summary["pfs_event"].tolist() == [False, True, True]
    rates = response_rates(summary).set_index("rate")
    assert rates.loc["ORR", ["k", "n"]].tolist() == [1, 3]
    assert rates.loc["DCR", "value"] == pytest.approx(2 / 3)
    assert tuple(rates.loc["DCR", ["low", "high"]]) == pytest.approx(
        tuple(map(float, wilson(2, 3)))
    )
    # Nobody was seen at six months: that P2 and P3 progressed before is no rate of 0.
    assert rates.loc["DCB", ["k", "n", "not_assessable"]].tolist() == [0, 0, 3]
    assert rates.loc["DCB", ["value", "low", "high"]].isna().all()
    assert rates.loc[["ORR", "DCR"], "not_assessable"].tolist() == [0, 0]
    response, pfs = response_outcomes(summary, criterion="RECIST 1.1")
    assert response.grouped(["CR", "PR"]).sum() == 1
    assert pfs.n_events == 2


@pytest.mark.parametrize(
    ("courses", "k", "n", "not_assessable"),
    [
        ([["PD"], ["SD"], ["PR"]], 0, 0, 3),  # one early scan: nothing can have lasted
        ([["PD"], ["SD"], ["PR", "PR", "PR"]], 1, 2, 1),
        ([["PD"], ["SD", "SD", "PD"]], 1, 2, 0),
        ([["PD"], ["SD", "SD", "NE"]], 0, 0, 2),  # what could not be read shows nothing
        ([["PD"], ["SD", "PD", "PD"]], 0, 2, 0),  # seen late enough, and nothing lasted
    ],
)
def test_durable_benefit_needs_somebody_seen_late_enough(courses, k, n, not_assessable):
    summary = response_summary({f"P{i}": course(*words) for i, words in enumerate(courses)})
    row = response_rates(summary).set_index("rate").loc["DCB"]
    assert row[["k", "n", "not_assessable"]].tolist() == [k, n, not_assessable]
    assert np.isnan(row["value"]) if n == 0 else row["value"] == k / n


def test_immunotherapy_waits_for_confirmation():
    courses = response_courses(lesions(), criterion="irecist")
    assert courses["P3"].table["overall"].tolist() == ["iUPD"]


def test_bad_tables_are_refused():
    with pytest.raises(SchemaError, match="found no diameter_mm"):
        response_courses(lesions().drop(columns="diameter_mm"), criterion="recist")
    with pytest.raises(UnknownNameError, match="criterion"):
        response_courses(lesions(), criterion="mrecits")
    with pytest.raises(UnknownNameError, match="kind of lesion"):
        response_courses(lesions().assign(kind="targt"), criterion="recist")
    doubled = pd.concat([lesions(), lesions().iloc[[0]]])
    with pytest.raises(SchemaError, match="each lesion once a day; found a again"):
        response_courses(doubled, criterion="recist")


def test_a_non_target_lesion_without_a_row_was_not_evaluated():
    rows = [
        ("P1", 0.0, "a", 40.0, "target", "none"),
        ("P1", 0.0, "x", math.nan, "non_target", "non-CR/non-PD"),
        ("P1", 2.0, "a", 0.0, "target", "none"),
    ]
    table = pd.DataFrame(rows, columns=lesions().columns)
    course = response_courses(table, criterion="recist")["P1"].table
    assert (course["non_target"][0], course["overall"][0]) == ("NE", "PR")
    with pytest.raises(UnknownNameError, match="state of a non-target"):
        response_courses(table.drop(columns="state"), criterion="recist")
    wrong = table.assign(state=["none", "non-CR / non-PD", "none"])
    with pytest.raises(UnknownNameError, match="non-CR/non-PD"):
        response_courses(wrong, criterion="recist")


def test_deaths_meet_their_patients():
    table = lesions().assign(patient_id=lesions()["patient_id"].str[1:].astype(int))
    courses = response_courses(table, criterion="recist")
    summary = response_summary(courses, deaths={1: 5.0, 2: math.nan})
    assert summary.loc["1", ["pfs_time", "pfs_event"]].tolist() == [5.0, True]
    assert summary.loc["2", "pfs_time"] == 4.0
    with pytest.raises(OutcomeError, match=r"1 other patients \(9\)"):
        response_summary(courses, deaths={9: 5.0})


def test_rows_without_a_day_are_refused_and_patients_named():
    with pytest.raises(SchemaError, match="found 1 rows without"):
        gap = lesions()
        gap.loc[0, "time"] = math.nan
        response_courses(gap, criterion="recist")
    late = lesions().query("patient_id == 'P3' and time > 0")
    with pytest.raises(OutcomeError, match="patient P3: expected a baseline"):
        response_courses(late, criterion="recist")
    with pytest.raises(OutcomeError, match="found none"):
        response_summary({})
