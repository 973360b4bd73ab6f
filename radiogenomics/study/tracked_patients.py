"""Lesions of every patient of a cohort followed over scans, and what became of each scan.

A scan that cannot be used (no mask, unreadable, a registration that cannot be believed) costs
itself only: it is counted and said why, and as an assessment it could not be evaluated, so that a
best response does not rest on it. An empty mask says that no lesion is left; a missing one says
nothing.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import joblib
import pandas as pd

from radiogenomics.clinical.best_response import USUAL_RULES
from radiogenomics.clinical.response_rates import response_rates, response_summary
from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.log import progress
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.enhancement import with_viable
from radiogenomics.imaging.lesion_tracking import NEW
from radiogenomics.study.tracking import TrackedResponse, TrackingRules, compared, judged
from radiogenomics.study.visits import Visit, Visits

JUDGED, AS_BASELINE, COMPARED = "judged", "baseline", "compared"
NO_BASELINE, NO_FOLLOW_UP = "no baseline", "no follow-up"


class ScanFate(NamedTuple):
    """What became of a scan, in a word or two; ``text`` says more where it was not used."""

    visit: Visit
    fate: str
    text: str = ""


class Followed(NamedTuple):
    """One patient: what became of the scans, and the response where there is one.

    Attributes
    ----------
    patient_id
        Whose.
    fate
        ``"judged"``, or why not.
    scans
        One a visit.
    response
        None unless judged.
    remarks
        Warnings, and why there is no response.
    """

    patient_id: str
    fate: str
    scans: tuple[ScanFate, ...]
    response: TrackedResponse | None = None
    remarks: tuple[str, ...] = ()


class _Unused(Exception):
    """A scan that cannot be used: in a few words, and in full."""

    def __init__(self, fate: str, text: str) -> None:
        super().__init__(fate, text)
        self.fate, self.text = fate, text


def follow_patients(
    visits: Visits, rules: TrackingRules, *, viable_sd: float | None = None, jobs: int = 1
) -> list[Followed]:
    """Follow the lesions of each patient who has scans.

    Parameters
    ----------
    visits
        Scans and months.
    rules
        How lesions are followed and judged.
    viable_sd
        Derive the viable part of each scan: SD above the median of ``rules.organ``.
    jobs
        Processes.

    Raises
    ------
    UnknownNameError
        A mask that no scan has.
    StudyError
        The viable part is to be derived from scans of another phase than the arterial one, or no
        patient can be judged.
    """
    everything = [visit for each in visits.of.values() for visit in each]
    _require_masks(everything, _needed(rules, viable_sd))
    if viable_sd is not None:
        _require_arterial(everything)
    tasks = [(patient, each) for patient, each in visits.of.items() if each]
    work = joblib.Parallel(n_jobs=jobs, return_as="generator")(
        joblib.delayed(follow_patient)(patient, each, rules, viable_sd=viable_sd)
        for patient, each in tasks
    )
    found = list(progress(work, "patients", total=len(tasks)))
    if not any(each.response for each in found):
        counts = ", ".join(f"{n} {fate}" for fate, n in _counts(found).items())
        first = next((text for each in found for text in each.remarks), "")
        raise StudyError(
            "expected a patient with a baseline and a follow-up that can be compared; found none "
            f"of {len(found)} ({counts}). {first}".rstrip()
        )
    return found


def follow_patient(
    patient_id: str,
    visits: Sequence[Visit],
    rules: TrackingRules,
    *,
    viable_sd: float | None = None,
) -> Followed:
    """Follow the lesions of one patient; what went wrong is in the result, not raised."""
    before = [visit for visit in visits if visit.time <= 0]
    later = [visit for visit in visits if visit.time > 0]
    if not before or not later:
        fate = NO_FOLLOW_UP if before else NO_BASELINE
        return Followed(patient_id, fate, tuple(ScanFate(v, fate) for v in visits))
    fates = [ScanFate(visit, "before the baseline") for visit in before[:-1]]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RadiogenomicsWarning)
        followed = _followed(patient_id, before[-1], later, fates, rules=rules, sd=viable_sd)
    ours = [str(w.message) for w in caught if issubclass(w.category, RadiogenomicsWarning)]
    return followed._replace(remarks=(*followed.remarks, *dict.fromkeys(ours)))


def _followed(
    patient_id: str,
    first: Visit,
    later: Sequence[Visit],
    fates: list[ScanFate],
    *,
    rules: TrackingRules,
    sd: float | None,
) -> Followed:
    try:
        baseline = _volume(first, rules, sd)
    except _Unused as unused:
        fates += [ScanFate(first, unused.fate, unused.text)]
        fates += [ScanFate(visit, NO_BASELINE) for visit in later]
        return Followed(patient_id, NO_BASELINE, tuple(fates), remarks=(unused.text,))
    fates.append(ScanFate(first, AS_BASELINE))
    tables: dict[float, pd.DataFrame] = {}
    for visit in later:
        try:
            tables[visit.time] = _compared(baseline, visit, rules, sd)
            fates.append(ScanFate(visit, COMPARED))
        except _Unused as unused:
            fates.append(ScanFate(visit, unused.fate, unused.text))
    texts = tuple(each.text for each in fates if each.text)
    if not tables:
        return Followed(patient_id, NO_FOLLOW_UP, tuple(fates), remarks=texts)
    unread = [visit.time for visit in later if visit.time not in tables]
    try:
        response = judged(tables, rules, time=first.time, unread=unread)
    except DataError as error:
        fate = "nothing to measure at baseline"
        return Followed(patient_id, fate, tuple(fates), remarks=(*texts, str(error)))
    return Followed(patient_id, JUDGED, tuple(fates), response, texts)


def _compared(
    baseline: Volume, visit: Visit, rules: TrackingRules, sd: float | None
) -> pd.DataFrame:
    later = _volume(visit, rules, sd)
    try:
        return compared(baseline, later, rules)
    except DataError as error:
        raise _Unused("not comparable", f"{visit.scan.time_point}: {error}") from None


def _volume(visit: Visit, rules: TrackingRules, sd: float | None) -> Volume:
    point = visit.scan.time_point
    missing = [name for name in _needed(rules, sd) if name not in visit.scan.regions]
    if missing:
        names = ", ".join(missing)
        raise _Unused(f"no mask of {names}", f"{point}: the scan has no mask of {names}.")
    try:
        volume = visit.scan.load()
        if sd is None:
            return volume
        return with_viable(volume, region=rules.region, organ=str(rules.organ), above_sd=sd)
    except DataError as error:
        raise _Unused("not readable", f"{point}: {error}") from None


def _needed(rules: TrackingRules, sd: float | None) -> list[str]:
    """Masks that every scan must bring; what is derived it need not."""
    words = (rules.region, rules.measured if sd is None else None, rules.organ)
    return [word for word in dict.fromkeys(words) if word is not None]


def _require_masks(visits: Sequence[Visit], needed: Sequence[str]) -> None:
    known = {region for visit in visits for region in visit.scan.regions}
    for name in needed:
        if name not in known:
            raise UnknownNameError("mask of the scans", name, sorted(known))


def _require_arterial(visits: Sequence[Visit]) -> None:
    others = Counter(visit.scan.phase for visit in visits if visit.scan.phase != "arterial")
    if others:
        found = ", ".join(f"{count} {phase}" for phase, count in others.items())
        raise StudyError(
            "expected scans of the arterial phase, in which the viable part of a lesion enhances; "
            f"found others among {len(visits)}: {found}. Choose them by --phase arterial, or fill "
            "in the column phase of the list of scans."
        )


def tracked_tables(
    found: Sequence[Followed], rules: TrackingRules, *, cohort: str
) -> Mapping[str, pd.DataFrame]:
    """Tidy tables of ``scans, matches, lesions, sums, responses, rates``.

    ``time`` is in months everywhere. ``lesions`` is what
    :func:`radiogenomics.clinical.response_courses` reads, so that the same lesions can be judged by
    other criteria; scans that could not be evaluated have NaN there.
    """
    responses = {each.patient_id: each.response for each in found if each.response is not None}
    summary = response_summary({patient: each.course for patient, each in responses.items()})
    # Of deaths nothing is known here: what is left of progression-free survival is progression.
    named = summary.rename(columns={"pfs_time": "ttp_months", "pfs_event": "ttp_event"})
    rows = [
        (each.patient_id, scan.visit.scan.time_point, scan.visit.time, scan.fate)
        for each in found
        for scan in each.scans
    ]
    fates = pd.DataFrame(
        [(each.patient_id, each.fate) for each in found], columns=["patient_id", "fate"]
    )
    tables = {
        "scans": pd.DataFrame(rows, columns=["patient_id", "time_point", "time", "fate"]),
        "matches": _stacked({patient: each.lesions for patient, each in responses.items()}),
        "lesions": _stacked({p: _lesions(each, rules) for p, each in responses.items()}),
        "sums": _stacked({patient: _sums(each) for patient, each in responses.items()}),
        "responses": fates.merge(named.reset_index(), on="patient_id", how="left"),
    }
    tables["rates"] = response_rates(summary)
    return {name: table.assign(cohort=cohort) for name, table in tables.items()}


def tracked_notes(found: Sequence[Followed], *, patients: int) -> Iterator[tuple[str, str]]:
    """Counts of what could not be used, and each case in full."""
    fates = _counts(found)
    yield "info", f"{fates.get(JUDGED, 0)} of {patients} patients were judged."
    for fate, count in fates.items():
        if fate != JUDGED:
            yield "warning", f"{count} patients were not judged: {fate}."
    scans = Counter(s.fate for each in found for s in each.scans if s.text)
    for fate, count in scans.items():
        yield "warning", f"{count} scans could not be evaluated: {fate}."
    for each in found:
        yield from (("warning", f"{each.patient_id}, {text}") for text in each.remarks)


def benefit_notes(rates: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Say of how many a durable benefit could be assessed, where it could not of all."""
    row = rates[rates["rate"] == "DCB"]
    lacking, known = int(row["not_assessable"].sum()), int(row["n"].sum())
    if not known:
        yield (
            "warning",
            f"durable clinical benefit is not assessable (0 of {lacking} patients): nobody was "
            f"seen at {USUAL_RULES.durable:g} months or later, where it could have shown.",
        )
    elif lacking:
        yield (
            "warning",
            f"durable clinical benefit is assessable in {known} of {known + lacking} patients: the "
            f"others were last seen before {USUAL_RULES.durable:g} months, without progression. "
            "Those who progressed early all count, so the rate is too low.",
        )


def _counts(found: Sequence[Followed]) -> dict[str, int]:
    return dict(Counter(each.fate for each in found))


def _stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    parts = [table.assign(patient_id=patient) for patient, table in tables.items()]
    stacked = pd.concat(parts, ignore_index=True)
    first = [name for name in ("patient_id", "time") if name in stacked]
    return stacked[[*first, *(name for name in stacked if name not in first)]]


def _lesions(response: TrackedResponse, rules: TrackingRules) -> pd.DataFrame:
    """One row a target and scan, and one a new lesion that counts."""
    rows = [
        (each.time, lesion, mm, "target")
        for each in response.assessments
        for lesion, mm in each.targets.items()
    ]
    new = response.lesions[response.lesions["status"] == NEW]
    new = new[(new["follow_up_mm"] > 0) & (new["follow_up_mm"] >= rules.least_new_mm)]
    names = "new " + new["follow_up_lesion"].astype(str)
    rows += [
        (float(time), name, float(mm), "new")
        for time, name, mm in zip(new["time"], names, new["follow_up_mm"], strict=True)
    ]
    return pd.DataFrame(rows, columns=["time", "lesion", "diameter_mm", "kind"])


def _sums(response: TrackedResponse) -> pd.DataFrame:
    """The course with the baseline on top, which has no response."""
    baseline = response.assessments[0]
    first = {"time": baseline.time, "sum_mm": baseline.sum_mm, "new_lesions": 0}
    return pd.concat([pd.DataFrame([first]), response.course.table], ignore_index=True)
