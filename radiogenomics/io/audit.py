"""Audit: what a manifest's data are, and what is wrong with them, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import RadiogenomicsError
from radiogenomics.core.html import card
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.io.clinical import OutcomeReading
from radiogenomics.io.cohort import check_root
from radiogenomics.io.findings import Finding, finding_from
from radiogenomics.io.inspection import Readings
from radiogenomics.io.manifest import read_manifest
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier


@dataclass(frozen=True, eq=False)
class Audit:
    """The result of an audit.

    Parameters
    ----------
    cohort
        Identifier, or the manifest's file name when it cannot be read.
    title, licence, citation
        As in the manifest.
    flow
        One row a table: samples, patients, variables, events, share missing.
    overlaps
        Patients that each pair of assays, scans and outcomes shares.
    outcomes
        One row an outcome: patients, events, median follow-up in months (reverse Kaplan-Meier),
        patients without it, patients left out.
    findings
        Errors first.
    """

    cohort: str
    title: str = ""
    licence: str = ""
    citation: str = ""
    flow: pd.DataFrame = field(default_factory=pd.DataFrame)
    overlaps: pd.DataFrame = field(default_factory=pd.DataFrame)
    outcomes: pd.DataFrame = field(default_factory=pd.DataFrame)
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """True when there is no error among the findings."""
        return not any(finding.level == "error" for finding in self.findings)

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "cohort": self.cohort,
            "title": self.title,
            "licence": self.licence,
            "citation": self.citation,
            "ok": self.ok,
            "flow": _records(self.flow),
            "overlaps": _records(self.overlaps),
            "outcomes": _records(self.outcomes),
            "findings": [finding.to_record() for finding in self.findings],
        }

    def __str__(self) -> str:
        """Return flow, overlaps, outcomes and findings as text for a terminal."""
        blocks = [f"{self.cohort}: {self.title}" if self.title else self.cohort]
        blocks += [f"licence: {self.licence}\ncitation: {self.citation}"] if self.licence else []
        for name, table in self._tables():
            blocks.append(f"{name}\n{table.to_string(na_rep='-', float_format='{:.3g}'.format)}")
        blocks += [str(finding) for finding in self.findings]
        blocks.append("ok" if self.ok else "not ok")
        return "\n\n".join(blocks)

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        named = [
            ("flow", self.flow),
            ("outcomes", self.outcomes),
            ("shared patients", self.overlaps),
        ]
        return [(name, table) for name, table in named if not table.empty]

    def _repr_html_(self) -> str:
        facts = {
            "title": self.title,
            "licence": self.licence,
            "citation": self.citation,
            "verdict": "ok" if self.ok else "not ok",
        }
        cards = [card(f"Audit of {self.cohort}", facts)]
        cards += [card(name, {}, table) for name, table in self._tables()]
        if self.findings:
            table = pd.DataFrame([finding.to_record() for finding in self.findings])
            cards.append(card("findings", {}, table.set_index("level")))
        return f"<div>{''.join(cards)}</div>"


def audit(manifest_path: str | Path, *, data_root: str | Path) -> Audit:
    """Read all that a manifest names and say what is there and what is off.

    Nothing is raised for bad data: what cannot be loaded is a finding, and the rest is still
    looked at.

    Parameters
    ----------
    manifest_path
        The manifest.
    data_root
        Folder that its files are relative to.

    Returns
    -------
    Audit
        Look at ``ok`` and ``findings``.
    """
    path = Path(manifest_path)
    try:
        manifest, root = read_manifest(path), check_root(data_root)
    except RadiogenomicsError as problem:
        return Audit(path.stem, findings=(finding_from("manifest", problem),))
    readings = Readings.of(manifest, root)
    cohort = readings.assembled()
    return Audit(
        manifest.cohort,
        manifest.title,
        manifest.licence,
        manifest.citation,
        flow=pd.DataFrame() if cohort is None else cohort.flow(),
        overlaps=pd.DataFrame() if cohort is None else cohort.overlap(),
        outcomes=_outcome_table(readings.outcomes),
        findings=tuple(sorted(readings.findings(cohort), key=lambda finding: finding.level)),
    )


def _outcome_table(outcomes: dict[str, OutcomeReading]) -> pd.DataFrame:
    rows = []
    for name, reading in outcomes.items():
        outcome = reading.outcome
        survival = isinstance(outcome, SurvivalOutcome)
        rows.append(
            {
                "outcome": name,
                "kind": "survival" if survival else "response",
                "patients": len(outcome.patient_ids),
                "events": outcome.n_events if isinstance(outcome, SurvivalOutcome) else pd.NA,
                "median_follow_up": _median_follow_up(outcome) if survival else np.nan,
                "categories": ""
                if isinstance(outcome, SurvivalOutcome)
                else _counts(outcome.category),
                "without": reading.blank + reading.stateless,
                "dropped": reading.dropped,
            }
        )
    if not rows:
        return pd.DataFrame()
    return pd.DataFrame(rows).astype({"events": "Int64"}).set_index("outcome")


def _median_follow_up(outcome: Any) -> float:
    """Reverse Kaplan-Meier: censoring is the event. NaN when fewer than half were censored."""
    if outcome.time.empty:
        return float("nan")
    return kaplan_meier(outcome.time, ~outcome.event).median.value


def _counts(category: pd.Series[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in category.value_counts().items())


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = table.astype(object).where(table.notna(), None)
    return [
        {
            str(key): value.item() if isinstance(value, np.generic) else value
            for key, value in row.items()
        }
        for row in plain.rename_axis(str(table.index.name or "table"))
        .reset_index()
        .to_dict("records")
    ]
