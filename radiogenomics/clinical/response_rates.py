"""Responses of many patients: from a table of lesions to rates, benefit and progression."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from radiogenomics.clinical.assessment import NON_TARGET, Assessment, ResponseCourse
from radiogenomics.clinical.best_response import (
    USUAL_RULES,
    ResponseRules,
    best_response,
    durable_benefit,
    progression,
)
from radiogenomics.clinical.irecist import irecist
from radiogenomics.clinical.mrecist import mrecist
from radiogenomics.clinical.recist import recist
from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.stats import wilson

Criterion = Callable[[Sequence[Assessment]], ResponseCourse]
CRITERIA: Mapping[str, Criterion] = MappingProxyType(
    {"recist": recist, "mrecist": mrecist, "irecist": irecist}
)
NEEDED = ("patient_id", "time", "lesion", "diameter_mm")
KINDS = ("target", "node", "non_target", "new")
STATES = tuple(state for state in NON_TARGET if state != "none")


def response_courses(lesions: pd.DataFrame, *, criterion: str) -> dict[str, ResponseCourse]:
    """Read one row a lesion and day into the response course of each patient.

    Parameters
    ----------
    lesions
        ``patient_id, time`` (months since treatment began, baseline at 0 or before), ``lesion``,
        ``diameter_mm`` (NaN: not measured) and, optionally, ``kind``: ``target`` (default),
        ``node`` (a target that is a lymph node), ``non_target`` (its state in a column ``state``)
        or ``new``.
    criterion
        ``recist``, ``mrecist`` or ``irecist``.

    Raises
    ------
    SchemaError, UnknownNameError
        A column is absent; the criterion or a kind is unknown.
    OutcomeError, DataError
        A patient has no baseline, or other targets at follow-up; the message names the patient.

    Examples
    --------
    >>> lesions = pd.DataFrame({"patient_id": ["P1", "P1"], "time": [0, 2], "lesion": "a",
    ...                         "diameter_mm": [40.0, 20.0]})
    >>> response_courses(lesions, criterion="recist")
    {'P1': ResponseCourse(RECIST 1.1: PR at 2)}
    """
    absent = [name for name in NEEDED if name not in lesions]
    if absent:
        raise SchemaError(
            f"expected lesions with {', '.join(NEEDED)}; found no {short_list(absent)}. Add the "
            "column(s): one row a lesion and day."
        )
    if criterion not in CRITERIA:
        raise UnknownNameError("criterion", criterion, CRITERIA)
    table = _checked(lesions)
    courses = {}
    for patient, rows in table.groupby("patient_id", sort=False):
        try:
            days = [_assessment(t, day) for t, day in rows.groupby("time")]
            courses[str(patient)] = CRITERIA[criterion](_with_unread(days))
        except DataError as error:
            raise type(error)(f"patient {patient}: {error}") from None
    return courses


def response_summary(
    courses: Mapping[str, ResponseCourse],
    *,
    deaths: Mapping[str, float] | None = None,
    rules: ResponseRules = USUAL_RULES,
) -> pd.DataFrame:
    """One row a patient: best response, response, control, durable benefit, progression.

    Parameters
    ----------
    courses
        From :func:`response_courses`.
    deaths
        Patient → months to death; NaN or absent for those who live.
    rules
        What the protocol says.

    Returns
    -------
    DataFrame
        Indexed by patient: ``best_response, objective_response, disease_control,
        durable_clinical_benefit`` (missing where not known), ``seen_for_benefit`` (read at
        ``rules.durable`` months or later, as benefit must be), ``pfs_time`` (months),
        ``pfs_event``. Patients whose response cannot be evaluated count as no response and no
        control.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [2.0, 4.0], "overall": ["PR", "PD"]})
    >>> summary = response_summary({"P1": ResponseCourse("mRECIST", table)})
    >>> summary["pfs_time"].tolist(), summary["best_response"].tolist()
    ([4.0], ['PR'])
    """
    died = _deaths(deaths or {}, courses)
    rows = []
    for patient, course in courses.items():
        best, pfs = best_response(course, rules), progression(course, death=died.get(patient))
        rows.append(
            {
                "best_response": best,
                "objective_response": best in ("CR", "PR"),
                "disease_control": best in ("CR", "PR", "SD"),
                "durable_clinical_benefit": durable_benefit(course, rules),
                "seen_for_benefit": _seen_late(course, rules),
                "pfs_time": pfs.time,
                "pfs_event": pfs.event,
            }
        )
    if not rows:
        raise OutcomeError("expected patients with responses; found none. Pass their courses.")
    return pd.DataFrame(rows, index=pd.Index(list(courses), name="patient_id"))


def response_rates(summary: pd.DataFrame) -> pd.DataFrame:
    """Rates of response, control and durable benefit with Wilson's 95 % interval.

    Early scans can show that a patient progressed, never that a benefit lasted. Where nobody was
    seen late enough the durable benefit is therefore not assessable in anybody: its share among
    those known would be 0, whatever the treatment does. Where some were, it is still too low if
    ``not_assessable`` is not small, as those lost early without progression are left out while
    those who progressed early all count.

    Parameters
    ----------
    summary
        From :func:`response_summary`.

    Returns
    -------
    DataFrame
        ``rate, value, low, high, k, n, not_assessable`` for ORR, DCR and DCB: ``k`` of the ``n``
        who can be assessed, and how many cannot; the value is NaN where nobody can.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [2.0, 7.0], "overall": ["PR", "PR"]})
    >>> response_rates(response_summary({"P1": ResponseCourse("mRECIST", table)}))["value"].tolist()
    [1.0, 1.0, 1.0]
    """
    rows = []
    for rate, column in (
        ("ORR", "objective_response"),
        ("DCR", "disease_control"),
        ("DCB", "durable_clinical_benefit"),
    ):
        known = summary[column].dropna().astype(bool)
        if rate == "DCB" and not summary["seen_for_benefit"].any():
            known = known.iloc[:0]
        k, n = int(known.sum()), len(known)
        low, high = wilson(k, n) if n else (np.nan, np.nan)
        value = k / n if n else np.nan
        rows.append((rate, value, float(low), float(high), k, n, len(summary) - n))
    columns = ["rate", "value", "low", "high", "k", "n", "not_assessable"]
    return pd.DataFrame(rows, columns=columns)


def response_outcomes(
    summary: pd.DataFrame, *, criterion: str
) -> tuple[ResponseOutcome, SurvivalOutcome]:
    """Best response and progression-free survival as the outcomes that cohorts hold.

    Patients who cannot be evaluated are left out of the response, and stay in the survival.

    Examples
    --------
    >>> table = pd.DataFrame({"time": [2.0, 4.0], "overall": ["PR", "PD"]})
    >>> summary = response_summary({"P1": ResponseCourse("mRECIST", table)})
    >>> response_outcomes(summary, criterion="mRECIST")
    (ResponseOutcome('response', mRECIST: 1 patients), SurvivalOutcome('PFS': 1 patients, 1 events))
    """
    seen = summary.loc[summary["best_response"] != "NE", "best_response"]
    response = ResponseOutcome("response", seen, criterion)
    time, event = summary["pfs_time"], summary["pfs_event"]
    return response, SurvivalOutcome("PFS", time, event, origin="start of treatment")


def _checked(lesions: pd.DataFrame) -> pd.DataFrame:
    """Return the lesions with kind and state, none of them unknown and no row without its day."""
    unplaced = lesions[["patient_id", "time", "lesion"]].isna().any(axis=1)
    if unplaced.any():
        raise SchemaError(
            f"expected patient, time and lesion in each row; found {int(unplaced.sum())} rows "
            "without. Complete or drop them."
        )
    table = lesions.assign(kind=lesions.get("kind", "target"), state=lesions.get("state", "none"))
    for kind in table["kind"].unique():
        if kind not in KINDS:
            raise UnknownNameError("kind of lesion", str(kind), KINDS)
    for state in table.loc[table["kind"] == "non_target", "state"].unique():
        if state not in STATES:
            raise UnknownNameError("state of a non-target lesion", str(state), STATES)
    return table


def _with_unread(days: Sequence[Assessment]) -> list[Assessment]:
    """Non-target lesions of the baseline that a follow-up has no row for were not evaluated."""
    known = any(day.non_target != "none" for day in days if day.time <= 0)
    return [
        replace(day, non_target="NE") if known and day.non_target == "none" else day for day in days
    ]


def _seen_late(course: ResponseCourse, rules: ResponseRules) -> bool:
    """Whether an assessment that could be read is late enough to show a durable benefit."""
    read = course.table.loc[course.table["overall"] != "NE", "time"]
    return bool((read >= rules.durable).any())


def _deaths(deaths: Mapping[str, float], courses: Mapping[str, ResponseCourse]) -> dict[str, float]:
    """Months to death of those who died, by patient as text."""
    known = {str(patient): float(month) for patient, month in deaths.items()}
    foreign = sorted(set(known) - set(courses))
    odd = [patient for patient, month in known.items() if month < 0]
    if foreign or odd:
        raise OutcomeError(
            f"expected deaths of the patients with responses, at month 0 or later; found "
            f"{len(foreign)} other patients ({short_list(foreign) or '-'}) and {len(odd)} negative "
            f"times ({short_list(odd) or '-'}). Correct the table of deaths."
        )
    return {patient: month for patient, month in known.items() if not np.isnan(month)}


def _assessment(time: float, day: pd.DataFrame) -> Assessment:
    targets = day[day["kind"].isin(("target", "node"))]
    doubled = targets["lesion"][targets["lesion"].duplicated()]
    if len(doubled):
        raise SchemaError(
            f"month {time:g}: expected each lesion once a day; found {short_list(doubled)} again. "
            "Keep one row each."
        )
    new = day[day["kind"] == "new"]
    return Assessment(
        time=float(time),
        targets=dict(zip(targets["lesion"], targets["diameter_mm"].astype(float), strict=True)),
        nodes=frozenset(targets.loc[targets["kind"] == "node", "lesion"]),
        non_target=_together(day.loc[day["kind"] == "non_target", "state"]),
        new_lesions=len(new),
        new_lesion_sum_mm=float(new["diameter_mm"].fillna(0).sum()),
    )


def _together(states: pd.Series) -> str:
    """State of all non-target lesions: the worst; complete only when each is."""
    for state in ("PD", "NE", "non-CR/non-PD", "CR"):
        if (states == state).any():
            return state
    return "none"
