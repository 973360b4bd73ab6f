"""Reading a manifest's tables one by one, and what each gives cause to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import MissingExtraError, RadiogenomicsError, short_list
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.core.scan import Scan
from radiogenomics.io.clinical import OutcomeReading, PatientRows, read_outcome, read_patients
from radiogenomics.io.cohort import assemble, members
from radiogenomics.io.expression import AssayReading, read_assay
from radiogenomics.io.findings import Finding, error, finding_from, warning
from radiogenomics.io.manifest import Manifest
from radiogenomics.io.plausibility import check_assay
from radiogenomics.io.scans import ImageLoader, read_scans

MINIMUM_EVENTS = 10
MISSING_FACT = 0.5
LEFT_OUT = 0.2
T = TypeVar("T")


@dataclass(eq=False)
class Readings:
    """What could be read of a manifest, and why the rest could not.

    Parameters
    ----------
    manifest
        The manifest.
    patients, assays, outcomes, scans
        What was read; None, or an absent name, where that failed.
    problems
        Errors turned into findings.
    """

    manifest: Manifest
    patients: PatientRows | None = None
    assays: dict[str, AssayReading] = field(default_factory=dict)
    outcomes: dict[str, OutcomeReading] = field(default_factory=dict)
    scans: tuple[Scan, ...] = ()
    problems: list[Finding] = field(default_factory=list)

    @classmethod
    def of(cls, manifest: Manifest, root: Path) -> Readings:
        """Read each table on its own, going on where one fails."""
        found = cls(manifest)
        found.patients = found._try("patients", partial(read_patients, manifest.patients, root))
        for name, rule in manifest.assays.items():
            assay = found._try(f"assay {name}", partial(read_assay, name, rule, root))
            if assay is not None:
                found.assays[name] = assay
        nobody = PatientRows(pd.DataFrame(), pd.DataFrame())
        for name, outcome_rule in manifest.outcomes.items():
            if found.patients is None and not outcome_rule.pieces():
                continue
            outcome = found._try(
                f"outcome {name}",
                partial(read_outcome, name, outcome_rule, root, patients=found.patients or nobody),
            )
            if outcome is not None:
                found.outcomes[name] = outcome
        if manifest.scans is not None:
            found.scans = found._try("scans", partial(read_scans, manifest.scans, root)) or ()
        return found

    def assembled(self) -> Cohort | None:
        """Put the readings together; None, with the reason noted, when they do not fit."""
        if self.patients is None:
            return None
        build = partial(
            assemble,
            self.manifest,
            self.patients.facts,
            assays={name: reading.table for name, reading in self.assays.items()},
            outcomes={name: reading.outcome for name, reading in self.outcomes.items()},
            scans=self.scans,
        )
        return self._try("identifiers", build)

    def findings(self, cohort: Cohort | None) -> list[Finding]:
        """Everything there is to say, in the order of the manifest."""
        return [
            *self.problems,
            *_patient_findings(self.patients),
            *_assay_findings(self),
            *_outcome_findings(self.outcomes),
            *_scan_findings(self.scans),
            *(() if cohort is None else _joint_findings(cohort, self)),
        ]

    def _try(self, what: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except RadiogenomicsError as problem:
            self.problems.append(finding_from(what, problem))
            return None


def _patient_findings(patients: PatientRows | None) -> Iterator[Finding]:
    if patients is None:
        return
    if patients.repeated:
        yield warning(
            "patients",
            "one row a patient",
            f"{patients.repeated} surplus rows",
            do="They were resolved by the manifest's rule for duplicates.",
        )
    for name, values in patients.facts.items():
        share = float(values.isna().mean())
        if share > MISSING_FACT:
            yield warning(
                f"patients, {name}",
                f"at most {MISSING_FACT:.0%} missing",
                f"{share:.0%}",
                do="Adjusting for it would lose these patients.",
            )
        elif values.nunique() == 1:
            yield warning(
                f"patients, {name}",
                "values that differ",
                f"{values.dropna().iloc[0]!s} only",
                do="It cannot be adjusted for.",
            )


def _assay_findings(parts: Readings) -> Iterator[Finding]:
    for name, reading in parts.assays.items():
        rule = parts.manifest.assays[name]
        for number, what, word in (
            (reading.repeated_variables, "variables", f"duplicates: {rule.duplicates}"),
            (reading.repeated_samples, "samples", f"repeated_samples: {rule.repeated_samples}"),
        ):
            if number:
                yield warning(
                    f"assay {name}",
                    f"{what} with distinct names",
                    f"{number} surplus ones",
                    do=f"They were resolved by {word}.",
                )
        yield from check_assay(reading.table, rule)


def _outcome_findings(outcomes: dict[str, OutcomeReading]) -> Iterator[Finding]:
    for name, reading in outcomes.items():
        what, outcome = f"outcome {name}", reading.outcome
        size = len(outcome.patient_ids)
        if isinstance(outcome, SurvivalOutcome):
            if outcome.n_events < MINIMUM_EVENTS:
                yield error(
                    what,
                    f"at least {MINIMUM_EVENTS} events",
                    f"{outcome.n_events} in {size} patients",
                    do="Use another endpoint or more patients, or take it out of the manifest.",
                )
            if size and outcome.n_events == size:
                yield warning(
                    what,
                    "some patients without the event",
                    "an event in each patient",
                    do="Check the coding of events: censoring may be coded 1.",
                )
        elif outcome.category.nunique() < 2:
            yield error(
                what,
                "at least two categories",
                f"{short_list(outcome.category.unique()) or 'none'} in {size} patients",
                do="One class cannot be told from itself: check column and map.",
            )
        if reading.dropped or reading.stateless:
            yield warning(
                what,
                "a time and an event state for each patient",
                f"{reading.dropped} patients dropped as incomplete, {reading.stateless} without an "
                "event state",
                do="They are left out: see whether they differ from the others.",
            )
        if reading.blank > LEFT_OUT * (size + reading.blank):
            yield warning(
                what,
                f"at most {LEFT_OUT:.0%} of patients without it",
                f"{reading.blank} without",
                do="They are left out: see whether they differ from the others.",
            )


def _scan_findings(scans: tuple[Scan, ...]) -> Iterator[Finding]:
    seen: set[tuple[str, str, str, str]] = set()
    for scan in scans:
        key = (scan.patient_id, scan.modality, scan.phase, scan.time_point)
        if key in seen:
            yield warning(
                f"scans of {scan.patient_id}",
                "one scan a modality, phase and time point",
                f"another {scan.modality}, {scan.phase}, {scan.time_point}",
                do="Name the time points apart or choose one.",
            )
        seen.add(key)
        if isinstance(scan.loader, ImageLoader):
            try:
                scan.loader.check_headers()
            except MissingExtraError as problem:
                yield warning(
                    "scans",
                    "the packages of the extra imaging to compare grids",
                    "none",
                    do=str(problem),
                )
                return
            except RadiogenomicsError as problem:
                yield finding_from(f"scans of {scan.patient_id}", problem)


def _joint_findings(cohort: Cohort, parts: Readings) -> Iterator[Finding]:
    for name, table in cohort.assays.items():
        for endpoint, outcome in cohort.outcomes.items():
            if not isinstance(outcome, SurvivalOutcome):
                continue
            shared = outcome.patient_ids.intersection(table.patient_ids)
            events = int(outcome.event[shared].sum())
            if len(shared) and outcome.n_events >= MINIMUM_EVENTS > events:
                yield warning(
                    f"assay {name} with {endpoint}",
                    f"at least {MINIMUM_EVENTS} events",
                    f"{events} in {len(shared)} patients who have both",
                    do="Too few to learn from: use them for description only.",
                )
    known = set() if parts.patients is None else set(parts.patients.facts.index)
    for what, rule, ids in members(
        parts.manifest, assays=cohort.assays, outcomes=cohort.outcomes, scans=cohort.scans
    ):
        strangers = [patient for patient in ids if patient not in known]
        if strangers and rule.id.linked:
            yield warning(
                what,
                "patients of the patients' table",
                f"{len(strangers)} of {len(ids)} elsewhere ({short_list(strangers, limit=3)})",
                do="They are kept, without facts: check their identifiers.",
            )
