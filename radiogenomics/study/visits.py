"""Which scan of a patient was made when: months since treatment began, by manifest and words.

A manifest names time points (``baseline``, ``follow-up``); criteria need their order and best
responses need months. A time point that is a number is its months, and ``baseline`` is month 0
unless something else is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    SchemaError,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.scan import Scan

BASELINE = "baseline"
Months = Mapping[str, float | str] | Sequence[str]


class Visit(NamedTuple):
    """One scan and when it was made, in months since treatment began."""

    time: float
    scan: Scan


class Visits(NamedTuple):
    """Scans of each patient in order of time, and what is to be said of those left out."""

    of: Mapping[str, tuple[Visit, ...]]
    notes: tuple[str, ...]


def visits_of(
    cohort: Cohort,
    *,
    months: Months | None = None,
    modality: str | None = None,
    phase: str | None = None,
) -> Visits:
    """Find the scans of each patient and when they were made.

    Parameters
    ----------
    cohort
        Its scans carry time points, its patients the columns that ``months`` may name.
    months
        Time point → months since treatment began, or the patients' column that holds them; also as
        words, ``follow-up=2`` or ``follow-up=months_to_ct``.
    modality, phase
        Which scans, where a time point has several.

    Raises
    ------
    StudyError
        No such scans, several of one patient and time point, or a time point without months.
    OutcomeError
        Time points in the wrong order: none at or before month 0, none after it, or patients in
        whom a later one comes first.
    UnknownNameError, SchemaError, DataError
        No such modality, phase, time point or column; a word without months; months that are no
        numbers.
    """
    scans = _chosen(cohort, modality=modality, phase=phase)
    points = tuple(dict.fromkeys(scan.time_point for scan in scans))
    table = _months_table(cohort, points, _given(months))
    ordered = _in_order(cohort, table, scans)
    found: dict[str, list[Visit]] = {str(patient): [] for patient in cohort.patient_ids}
    undated = dict.fromkeys(ordered, 0)
    months_at = {point: table[point].to_dict() for point in ordered}
    for scan in scans:
        time = months_at[scan.time_point][scan.patient_id]
        if math.isnan(time):
            undated[scan.time_point] += 1
        else:
            found[scan.patient_id].append(Visit(time, scan))
    everyone = {p: tuple(sorted(v, key=lambda visit: visit.time)) for p, v in found.items()}
    return Visits(everyone, tuple(_gaps(everyone, scans, undated)))


def _chosen(cohort: Cohort, *, modality: str | None, phase: str | None) -> tuple[Scan, ...]:
    """Scans of the modality and phase, one a patient and time point."""
    scans = cohort.scans
    for kind, wanted in (("modality", modality), ("phase", phase)):
        known = sorted({getattr(scan, kind) for scan in scans})
        if wanted is not None and scans and wanted not in known:
            raise UnknownNameError(f"{kind} of the scans of {cohort.id}", wanted, known)
        scans = tuple(scan for scan in scans if wanted in (None, getattr(scan, kind)))
    if not scans:
        raise StudyError(
            f"{cohort.id}: expected scans at several time points; found none. List them under "
            "scans: in the manifest, or choose another modality and phase."
        )
    keys = pd.Series([(scan.patient_id, scan.time_point) for scan in scans])
    doubled = keys[keys.duplicated()].unique()
    if len(doubled):
        words = sorted({f"{scan.modality} {scan.phase}" for scan in scans})
        raise StudyError(
            f"{cohort.id}: expected one scan a patient and time point; found several for "
            f"{len(doubled)} of them ({short_list(words)}). Choose by --modality and --phase, or "
            "give them time points of their own."
        )
    return scans


def _given(months: Months | None) -> dict[str, str]:
    """Time point → number or column, as text."""
    if isinstance(months, Mapping):
        return {point: str(value) for point, value in months.items()}
    found: dict[str, str] = {}
    for word in months or ():
        point, _, value = word.rpartition("=")
        if not point.strip() or not value.strip() or point.strip() in found:
            raise SchemaError(
                "expected months as TIME_POINT=MONTHS, each time point once; found "
                f"{word!r}. Say follow-up=2, or name the patients' column: follow-up=months_to_ct."
            )
        found[point.strip()] = value.strip()
    return found


def _months_table(
    cohort: Cohort, points: tuple[str, ...], given: Mapping[str, str]
) -> pd.DataFrame:
    """Patients × time points in months; NaN where a patient's column is empty."""
    for point in given:
        if point not in points:
            raise UnknownNameError(f"time point of the scans of {cohort.id}", point, points)
    columns, unknown = {}, []
    for point in points:
        value = given.get(point, "0" if point == BASELINE else point)
        number = _number(value)
        if number is not None:
            columns[point] = pd.Series(number, index=cohort.patient_ids)
        elif point in given:
            columns[point] = _fact(cohort, value)
        else:
            unknown.append(point)
    if unknown:
        raise StudyError(
            f"{cohort.id}: expected months since treatment began for each time point; found none "
            f"for {short_list(unknown)}. Say --months {unknown[0]}=2, or name the patients' column "
            f"that holds them: --months {unknown[0]}=COLUMN."
        )
    return pd.DataFrame(columns)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _fact(cohort: Cohort, column: str) -> pd.Series:
    if column not in cohort.patients:
        known = map(str, cohort.patients.columns)
        raise UnknownNameError(f"column of the patients of {cohort.id}", column, known)
    try:
        return pd.to_numeric(cohort.patients[column]).astype(float)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{cohort.id}, {column}: expected months as numbers; found {error}. Correct the "
            "column, or name another."
        ) from None


def _in_order(cohort: Cohort, table: pd.DataFrame, scans: Sequence[Scan]) -> list[str]:
    """Time points in order; OutcomeError where they make no course, or patients have another."""
    seen = pd.DataFrame(False, index=table.index, columns=table.columns)
    for scan in scans:
        seen.loc[scan.patient_id, scan.time_point] = True
    table = table.where(seen)
    usual = table.median().sort_values(kind="stable")
    if not (usual <= 0).any() or not (usual > 0).any():
        shown = ", ".join(f"{point} at {months:g}" for point, months in usual.items())
        raise OutcomeError(
            f"{cohort.id}: expected a time point at or before month 0 and one after it; found "
            f"{shown}. Count months from the start of treatment: --months {usual.index[0]}=0 "
            f"--months {usual.index[-1]}=2."
        )
    ordered = [str(point) for point in usual.index]
    table = table[ordered]
    steps = table.apply(lambda row: row.dropna().diff().le(0).any(), axis=1)
    crossed = (table > 0).ne(usual > 0) & table.notna()
    wrong = table.index[steps | crossed.any(axis=1)]
    if len(wrong):
        raise OutcomeError(
            f"{cohort.id}: expected time points in the order {', '.join(ordered)}, up to month 0 "
            f"and after it in all patients alike; found {len(wrong)} of {len(table)} in whom they "
            f"are not ({short_list(wrong)}). Correct their months or time points."
        )
    return ordered


def _gaps(
    found: Mapping[str, tuple[Visit, ...]], scans: Sequence[Scan], undated: Mapping[str, int]
) -> list[str]:
    """How many patients lack which scan, and how many scans lack their months."""
    have = {point: {s.patient_id for s in scans if s.time_point == point} for point in undated}
    anybody = set.union(*have.values())
    notes = []
    without = len(found) - len(anybody)
    if without:
        notes.append(f"{without} of {len(found)} patients have no such scan.")
    for point, patients in have.items():
        lacking = len(anybody - patients)
        if lacking:
            notes.append(f"{lacking} of {len(anybody)} patients with scans have none at {point}.")
    notes += [
        f"{count} scans at {point} were left out: the months of these patients are not known."
        for point, count in undated.items()
        if count
    ]
    return notes
