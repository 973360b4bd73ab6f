"""Lesions of a cohort followed from scan to scan, and the responses that follow from them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd
import yaml

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import StudyError, UnknownNameError
from radiogenomics.core.provenance import Provenance, hash_text, versions
from radiogenomics.imaging.enhancement import VIABLE
from radiogenomics.io import output_folder, pseudonym
from radiogenomics.io.store import OutputWriter
from radiogenomics.study.cohorts import load_cohorts
from radiogenomics.study.results import without_identities
from radiogenomics.study.tracked_patients import (
    benefit_notes,
    follow_patients,
    tracked_notes,
    tracked_tables,
)
from radiogenomics.study.tracking import TrackingRules
from radiogenomics.study.visits import Months, Visits, visits_of

Registered = Literal["none", "rigid", "affine"]
ORDER = ("CR", "PR", "SD", "PD", "NE")
RESPONSES = "response.csv"
NAMES_PATIENTS = (
    f"{RESPONSES} names patients as the manifest does (or by --hash-ids), so that a manifest can "
    "name it as outcome: keep it with the data. The tables hold pseudonyms."
)


@dataclass(frozen=True, eq=False)
class Tracking:
    """What became of the lesions of a cohort.

    Parameters
    ----------
    cohort
        Its id.
    criterion
        Word of the criterion.
    tables
        ``scans, matches, lesions, sums, responses, rates``; see
        :func:`radiogenomics.study.tracked_patients.tracked_tables`.
    notes
        Level and text.
    simulated
        True when no patient of it exists.
    folder
        Where it was written, once it was.
    """

    cohort: str
    criterion: str
    tables: Mapping[str, pd.DataFrame]
    notes: tuple[tuple[str, str], ...]
    simulated: bool = False
    folder: Path | None = None

    @property
    def verdict(self) -> str:
        """Best responses in one line."""
        best = self.tables["responses"]["best_response"]
        counts = ", ".join(f"{word} {int((best == word).sum())}" for word in ORDER)
        judged, rows = int(best.notna().sum()), len(best)
        return f"best response by {self.criterion} in {judged} of {rows} with scans: {counts}"

    def summary(self) -> dict[str, Any]:
        """Return what programs read: the content of ``summary.json``."""
        return {
            "study": "track",
            "cohorts": [self.cohort],
            "simulated": [self.cohort] if self.simulated else [],
            "seed": 0,
            "version": versions()["radiogenomics"],
            "verdict": self.verdict,
            "metrics": [],
            "criterion": self.criterion,
            "best_response": self.tables["responses"]["best_response"].value_counts().to_dict(),
        }

    def outcome(self, *, hash_ids: str | None = None) -> pd.DataFrame:
        """One row a patient judged, as a manifest can name it; empty where not evaluable.

        Parameters
        ----------
        hash_ids
            Secret under which patients are named by pseudonyms.
        """
        seen = self.tables["responses"].dropna(subset="best_response")
        names = seen["patient_id"].astype(str)
        if hash_ids is not None:
            names = names.map(lambda patient: pseudonym(hash_ids, patient))
        known = seen["best_response"] != "NE"
        return pd.DataFrame(
            {
                "patient_id": names,
                "best_response": seen["best_response"].where(known),
                "objective_response": seen["objective_response"].astype(int).where(known),
                "disease_control": seen["disease_control"].astype(int).where(known),
                "ttp_months": seen["ttp_months"].astype(float),
                "ttp_event": seen["ttp_event"].astype(int),
            }
        )

    def __str__(self) -> str:
        """Return the verdict, warnings and where it was written."""
        warned = [f"  {text}" for level, text in self.notes if level == "warning"]
        lines = [self.verdict, *warned]
        if self.simulated:
            lines.append(f"SIMULATED cohort: {self.cohort}")
        if self.folder is not None:
            lines.append(f"tables: {self.folder / 'tables'}; outcome: {self.folder / RESPONSES}")
        return "\n".join(lines)


def track(
    manifest: str | Path,
    *,
    out: str | Path,
    criterion: str = "mrecist",
    region: str = "tumour",
    measured: str | None = None,
    viable_sd: float | None = None,
    organ: str | None = None,
    registration: Registered = "rigid",
    months: Months | None = None,
    modality: str | None = None,
    phase: str | None = None,
    hash_ids: str | None = None,
    data_root: str | Path | None = None,
    jobs: int | None = None,
) -> Tracking:
    """Follow the lesions of each patient of a cohort, and judge their response.

    Parameters
    ----------
    manifest, out
        Path or shipped name; output folder, all at once: tables, and ``response.csv``, which a
        manifest can name as outcome.
    criterion, region, measured
        ``mrecist``, ``recist`` or ``irecist``; masks of the lesions, and of what is measured of
        them, for mRECIST their viable part.
    viable_sd, organ
        Derive the viable part: this many SD above the median of the organ in the arterial phase
        (:mod:`radiogenomics.imaging.enhancement`); the mask that scans are registered by, too.
    registration
        ``rigid``, ``affine``, or ``none`` where scans of a patient lie on one grid.
    months, modality, phase
        As :func:`radiogenomics.study.visits.visits_of`: ``follow-up=2`` or ``follow-up=COLUMN``.
    hash_ids
        Secret under which ``response.csv`` has pseudonyms, as ``extract`` writes them.
    data_root, jobs
        Folder that the manifest's files are relative to; processes, all cores if None.

    Raises
    ------
    RadiogenomicsError
        Manifest, scans, months or words are wrong, or no patient can be judged.
    """
    if registration not in get_args(Registered):
        raise UnknownNameError("registration", registration, get_args(Registered))
    part = _measured(measured, viable_sd, criterion=criterion, organ=organ)
    transform = None if registration == "none" else registration
    rules = TrackingRules(criterion, region, part, organ, transform)
    with output_folder(out) as writer:
        (cohort,), hashes = load_cohorts([manifest], data_root)
        visits = visits_of(cohort, months=months, modality=modality, phase=phase)
        tracking = _tracked(cohort, visits, rules, sd=viable_sd, jobs=jobs or os.cpu_count() or 1)
        recipe = _recipe(rules, viable_sd=viable_sd, months=months)
        provenance = Provenance(hashes, hash_text(recipe), 0, versions())
        _write(tracking, writer, cohort=cohort, hash_ids=hash_ids)
        writer.write_text("study.yaml", recipe)
        writer.write_text("provenance.json", provenance.to_json())
    return replace(tracking, folder=Path(out))


def _tracked(
    cohort: Cohort, visits: Visits, rules: TrackingRules, *, sd: float | None, jobs: int
) -> Tracking:
    found = follow_patients(visits, rules, viable_sd=sd, jobs=jobs)
    tables = tracked_tables(found, rules, cohort=cohort.id)
    notes = [
        *(("warning", text) for text in visits.notes),
        *tracked_notes(found, patients=len(cohort.patient_ids)),
        *benefit_notes(tables["rates"]),
        ("info", NAMES_PATIENTS),
    ]
    return Tracking(
        cohort.id,
        rules.criterion,
        tables,
        without_identities(dict.fromkeys(notes), [cohort]),
        cohort.simulated,
    )


def _measured(
    measured: str | None, viable_sd: float | None, *, criterion: str, organ: str | None
) -> str | None:
    """Mask that is measured; StudyError where words of the viable part do not go together."""
    if viable_sd is None:
        return measured
    if measured is not None or criterion != "mrecist" or organ is None:
        raise StudyError(
            "expected the viable part to be derived for mrecist, with the organ that lesions are "
            f"compared with, and no other mask to measure; found criterion {criterion}, organ "
            f"{organ or 'none'}, measured {measured or 'none'}. Say --organ liver, and leave out "
            "--measured, or leave out --viable-sd."
        )
    return VIABLE


def _recipe(rules: TrackingRules, *, viable_sd: float | None, months: Months | None) -> str:
    given = dict(months) if isinstance(months, Mapping) else list(months or ())
    asked = {
        "question": f"How did the lesions respond by {rules.criterion}?",
        "criterion": rules.criterion,
        "region": rules.region,
        "measured": rules.measured,
        "viable_sd": viable_sd,
        "organ": rules.organ,
        "registration": rules.transform or "none",
        "least_overlap": rules.least_overlap,
        "least_new_mm": rules.least_new_mm,
        "months": given,
    }
    return yaml.safe_dump(asked, sort_keys=False, allow_unicode=True)


def _write(
    tracking: Tracking, writer: OutputWriter, *, cohort: Cohort, hash_ids: str | None
) -> None:
    writer.write_json("summary.json", tracking.summary())
    for name, table in tracking.tables.items():
        if "patient_id" in table:
            names = [pseudonym(cohort.id, str(patient)) for patient in table["patient_id"]]
            table = table.assign(patient_id=names).rename(columns={"patient_id": "patient"})
        writer.write_table(f"tables/{name}.csv", table)
    notes = pd.DataFrame(tracking.notes, columns=["level", "text"])
    writer.write_table("tables/notes.csv", notes)
    outcome = tracking.outcome(hash_ids=hash_ids)
    writer.write_table(RESPONSES, outcome.reset_index(drop=True))
