"""Cohort: patients with their assays, scans and outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    AlignmentError,
    SchemaError,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.html import card
from radiogenomics.core.immutable import Immutable
from radiogenomics.core.outcomes import Outcome, ResponseOutcome, SurvivalOutcome
from radiogenomics.core.scan import Scan

if TYPE_CHECKING:
    from mudata import MuData

FLOW_COLUMNS = ("table", "kind", "samples", "patients", "variables", "events", "missing")


@dataclass(frozen=True, eq=False, repr=False)
class Cohort(Immutable):
    """Patients of one source, with everything known of them.

    Parameters
    ----------
    id
        Short name, as in the manifest.
    patients
        One row a patient, indexed by patient id: site, age, sex, stage, ...
    assays
        Name → FeatureTable.
    scans
        Any number a patient.
    outcomes
        Name → SurvivalOutcome or ResponseOutcome.
    citation, licence
        To be printed wherever the cohort is used.
    simulated
        True when no patient of it exists; reports say so.

    Raises
    ------
    AlignmentError
        Patients repeat, or an assay, scan or outcome names a patient that is not in ``patients``.
    SchemaError
        An assay and an outcome have the same name, or one is called ``patients`` or ``scans``.

    Examples
    --------
    >>> patients = pd.DataFrame({"age": [61, 70]}, index=["P1", "P2"])
    >>> expression = pd.DataFrame({"KPNA2": [5.1]}, index=["P1"])
    >>> rna = FeatureTable.from_frame(expression, name="rna", unit="TPM", source="example")
    >>> Cohort("example", patients, {"rna": rna})
    Cohort('example': 2 patients; assays rna; 0 scans; outcomes none)
    """

    id: str
    patients: pd.DataFrame
    assays: Mapping[str, FeatureTable] = field(default_factory=dict)
    scans: tuple[Scan, ...] = ()
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    citation: str = ""
    licence: str = ""
    simulated: bool = False

    def __post_init__(self) -> None:
        """Check names and identifiers, and freeze the mappings."""
        doubled_names = [
            *(set(self.assays) & set(self.outcomes)),
            *({*self.assays, *self.outcomes} & {"patients", "scans"}),
        ]
        if doubled_names:
            raise SchemaError(
                f"{self.id}: expected one name for each table; found {short_list(doubled_names)} "
                "twice. Rename the assay or the outcome."
            )
        empty = int(np.asarray(self.patients.index.isna()).sum())
        index = self.patients.index.astype(str)
        doubled = index[index.duplicated()].unique()
        if empty or len(doubled):
            raise AlignmentError(
                f"{self.id}: expected one row a patient; found {len(doubled)} repeated "
                f"({short_list(doubled)}) and {empty} empty identifiers. Keep one row each."
            )
        members = {f"assay {n}": t.patient_ids for n, t in self.assays.items()}
        members |= {f"outcome {n}": o.patient_ids for n, o in self.outcomes.items()}
        members["scans"] = pd.Index([scan.patient_id for scan in self.scans], dtype=object).unique()
        for what, ids in members.items():
            strangers = ids[~ids.isin(index)]
            if len(strangers):
                raise AlignmentError(
                    f"{self.id}, {what}: expected patients of the cohort; found {len(strangers)} "
                    f"of {len(ids)} elsewhere ({short_list(strangers)}). Check the identifier "
                    "columns."
                )
        object.__setattr__(self, "patients", self.patients.set_axis(index, axis=0))
        object.__setattr__(self, "scans", tuple(self.scans))
        self._freeze("assays", "outcomes")

    @property
    def patient_ids(self) -> pd.Index[Any]:
        """All patients."""
        return self.patients.index

    def assay(self, name: str) -> FeatureTable:
        """Return an assay by name; UnknownNameError lists near matches."""
        if name not in self.assays:
            raise UnknownNameError(f"assay of cohort {self.id}", name, self.assays)
        return self.assays[name]

    def survival(self, endpoint: str) -> SurvivalOutcome:
        """Return a time-to-event outcome by its name in the cohort.

        Raises
        ------
        UnknownNameError
            There is no such outcome.
        StudyError
            It is a response.
        """
        outcome = self._outcome(endpoint)
        if not isinstance(outcome, SurvivalOutcome):
            raise StudyError(
                f"{self.id}: expected a time to an event; found that {endpoint} is a response. "
                "Name another outcome."
            )
        return outcome

    def response(self, name: str) -> ResponseOutcome:
        """Return a response outcome by name.

        Raises
        ------
        UnknownNameError
            There is no such outcome.
        StudyError
            It is a time to an event.
        """
        outcome = self._outcome(name)
        if not isinstance(outcome, ResponseOutcome):
            raise StudyError(
                f"{self.id}: expected a response outcome; found that {name} is a time to an event. "
                "Name another outcome."
            )
        return outcome

    def _outcome(self, name: str) -> Outcome:
        if name not in self.outcomes:
            raise UnknownNameError(f"outcome of cohort {self.id}", name, self.outcomes)
        return self.outcomes[name]

    def with_assay(self, table: FeatureTable) -> Cohort:
        """Return a copy that also holds ``table`` under its own name; an old one is replaced."""
        return replace(self, assays={**self.assays, table.name: table})

    def for_patients(self, patient_ids: Iterable[str]) -> Cohort:
        """Restrict everything to ``patient_ids``; an unknown one raises AlignmentError."""
        wanted = pd.Index(list(patient_ids), dtype=object)
        unknown = wanted[~wanted.isin(self.patients.index)]
        if len(unknown):
            raise AlignmentError(
                f"{self.id}: expected patients of the cohort; found {len(unknown)} that are not "
                f"({short_list(unknown)}). Check the identifiers."
            )
        kept = set(wanted)
        return replace(
            self,
            patients=self.patients.loc[wanted],
            assays={name: table.for_patients(wanted) for name, table in self.assays.items()},
            scans=tuple(scan for scan in self.scans if scan.patient_id in kept),
            outcomes={
                name: outcome.for_patients([p for p in outcome.patient_ids if p in kept])
                for name, outcome in self.outcomes.items()
            },
        )

    def flow(self) -> pd.DataFrame:
        """Cohort flow: one row for each table, indexed by its name.

        ``missing`` is the share of empty cells of patients and assays, and the share of the
        cohort's patients who lack an outcome; ``events`` is empty where there are none to count.
        """
        size = len(self.patients)
        empty = float(self.patients.isna().to_numpy().mean()) if self.patients.size else 0.0
        rows: list[tuple[object, ...]] = [
            ("patients", "patients", size, size, self.patients.shape[1], None, empty)
        ]
        for name, table in self.assays.items():
            shape = (table.n_samples, len(table.patient_ids), table.n_variables)
            rows.append((name, "assay", *shape, None, table.missing))
        if self.scans:
            people = {scan.patient_id for scan in self.scans}
            rows.append(("scans", "scans", len(self.scans), len(people), 0, None, 0.0))
        for name, outcome in self.outcomes.items():
            events = outcome.n_events if isinstance(outcome, SurvivalOutcome) else None
            known = len(outcome.patient_ids)
            rows.append((name, "outcome", known, known, 0, events, 1 - known / max(size, 1)))
        frame = pd.DataFrame(rows, columns=list(FLOW_COLUMNS)).set_index("table")
        return frame.astype({"events": "Int64"})

    def overlap(self) -> pd.DataFrame:
        """Patients shared by each pair of assays, scans and outcomes; symmetric."""
        members = {name: set(table.patient_ids) for name, table in self.assays.items()}
        if self.scans:
            members["scans"] = {scan.patient_id for scan in self.scans}
        members |= {name: set(outcome.patient_ids) for name, outcome in self.outcomes.items()}
        return pd.DataFrame(
            {a: {b: len(members[a] & members[b]) for b in members} for a in members}
        )

    def to_mudata(self) -> MuData:
        """Convert to MuData: one modality an assay, outcomes and all patients in ``uns``.

        The layout is described in :mod:`radiogenomics.core.exchange`; ``write`` of the result gives
        an ``.h5mu`` file. Needs the extra ``omics``.
        """
        from radiogenomics.core.exchange import cohort_to_mudata

        return cohort_to_mudata(self)

    @classmethod
    def from_mudata(cls, data: MuData) -> Cohort:
        """Read back what :meth:`to_mudata` wrote (scans stay behind: they are files)."""
        from radiogenomics.core.exchange import cohort_from_mudata

        return cohort_from_mudata(data)

    def __repr__(self) -> str:
        """Return patients, assays, scans and outcomes in one line."""
        return (
            f"Cohort({self.id!r}: {len(self.patients)} patients; "
            f"assays {', '.join(self.assays) or 'none'}; {len(self.scans)} scans; "
            f"outcomes {', '.join(self.outcomes) or 'none'})"
        )

    def _repr_html_(self) -> str:
        facts = {"patients": len(self.patients), "licence": self.licence, "citation": self.citation}
        title = f"Cohort {self.id}" + (" (simulated)" if self.simulated else "")
        return card(title, facts, self.flow())
