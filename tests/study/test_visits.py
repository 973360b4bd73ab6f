"""Scans in order of time: months by words and columns, and time points that make no course."""

from __future__ import annotations

import pandas as pd
import pytest

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.scan import Scan
from radiogenomics.study.visits import visits_of

WORDS = ("baseline", "follow-up")


def scans(patients="ABC", points=WORDS, phases=("arterial",)) -> tuple[Scan, ...]:
    return tuple(
        Scan(patient, "CT", lambda: None, phase, point)
        for patient in patients
        for point in reversed(points)
        for phase in phases
    )


def cohort(*made: Scan, **facts) -> Cohort:
    return Cohort("made", pd.DataFrame(facts, index=list("ABC")), scans=made)


def times(visits) -> dict[str, list[float]]:
    return {patient: [visit.time for visit in each] for patient, each in visits.of.items()}


def test_months_come_from_words_columns_and_names_of_time_points():
    found = visits_of(cohort(*scans()), months=["follow-up=2"])
    assert times(found) == dict.fromkeys("ABC", [0.0, 2.0])
    assert found.notes == ()
    assert times(visits_of(cohort(*scans()), months={"baseline": -0.5, "follow-up": 2})) == (
        dict.fromkeys("ABC", [-0.5, 2.0])
    )
    columns = cohort(*scans(), ct=[1.5, 2.0, 3.0])
    assert times(visits_of(columns, months=["follow-up=ct"])) == {
        "A": [0.0, 1.5],
        "B": [0.0, 2.0],
        "C": [0.0, 3.0],
    }
    numbers = visits_of(cohort(*scans(points=("0", "2.5", "6"))))
    assert times(numbers) == dict.fromkeys("ABC", [0.0, 2.5, 6.0])


def test_missing_scans_and_months_are_counted():
    made = [s for s in scans("AB") if (s.patient_id, s.time_point) != ("B", "follow-up")]
    found = visits_of(cohort(*made), months=["follow-up=2"])
    assert times(found) == {"A": [0.0, 2.0], "B": [0.0], "C": []}
    assert found.notes == (
        "1 of 3 patients have no such scan.",
        "1 of 2 patients with scans have none at follow-up.",
    )
    undated = visits_of(cohort(*scans(), ct=[2.0, None, 2.0]), months=["follow-up=ct"])
    assert times(undated)["B"] == [0.0]
    assert undated.notes[0].startswith("1 scans at follow-up were left out")


@pytest.mark.parametrize(
    ("months", "error", "message"),
    [
        (None, StudyError, "found none for follow-up. Say --months follow-up=2"),
        (["follow-up=-1"], OutcomeError, "found follow-up at -1, baseline at 0"),
        (["baseline=1", "follow-up=2"], OutcomeError, "at or before month 0 and one after it"),
        (["followup=2"], UnknownNameError, "did you mean 'follow-up'"),
        (["follow-up"], SchemaError, "TIME_POINT=MONTHS"),
        (["follow-up=2", "follow-up=3"], SchemaError, "each time point once"),
        (["follow-up=mont"], UnknownNameError, "did you mean 'month'"),
        (["follow-up=site"], DataError, "expected months as numbers"),
        (["follow-up=wrong"], OutcomeError, r"1 of 3 in whom they are not \(B\)"),
    ],
)
def test_time_points_that_make_no_course_are_refused(months, error, message):
    facts = {"month": [2, 2, 2], "site": ["x", "y", "z"], "wrong": [2.0, -2.0, 2.0]}
    with pytest.raises(error, match=message):
        visits_of(cohort(*scans(), **facts), months=months)


def test_later_time_point_that_comes_first_is_refused():
    points = ("baseline", "early", "late")
    given = ["early=one", "late=two"]
    facts = {"one": [1.0, 2.0, 5.0], "two": [3.0, 4.0, 4.0]}
    with pytest.raises(OutcomeError, match=r"baseline, early, late.*1 of 3 .*\(C\)"):
        visits_of(cohort(*scans(points=points), **facts), months=given)
    same = {"one": [3.0, 2.0, 1.0], "two": [3.0, 4.0, 4.0]}
    with pytest.raises(OutcomeError, match=r"\(A\)"):
        visits_of(cohort(*scans(points=points), **same), months=given)


def test_one_scan_a_time_point_is_chosen_by_phase():
    both = cohort(*scans(phases=("arterial", "portal")))
    with pytest.raises(StudyError, match=r"several for 6 of them \(CT arterial, CT portal\)"):
        visits_of(both, months=["follow-up=2"])
    found = visits_of(both, months=["follow-up=2"], phase="portal", modality="CT")
    assert {v.scan.phase for each in found.of.values() for v in each} == {"portal"}
    with pytest.raises(UnknownNameError, match="did you mean 'arterial'"):
        visits_of(both, months=["follow-up=2"], phase="arteriel")
    with pytest.raises(StudyError, match="expected scans at several time points; found none"):
        visits_of(cohort())
