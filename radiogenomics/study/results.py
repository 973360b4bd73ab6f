"""The outcome of a run: verdict, numbers, tables; and the folder they are written to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.evidence import Metric
from radiogenomics.core.html import card
from radiogenomics.core.provenance import Provenance
from radiogenomics.io import pseudonym
from radiogenomics.io.store import OutputWriter
from radiogenomics.report import render
from radiogenomics.study.findings import Findings


@dataclass(frozen=True, eq=False)
class Results:
    """What a run found.

    Parameters
    ----------
    study
        Name of the recipe.
    cohorts
        Cohort ids, discovery first.
    verdict
        Plain-language conclusion.
    findings
        Metrics, tables, notes, locked signature and evidence.
    provenance
        Hashes of inputs and recipe, seed, versions.
    simulated
        Ids of cohorts in which no patient exists.
    folder
        Where the run was written, once it was.
    """

    study: str
    cohorts: tuple[str, ...]
    verdict: str
    findings: Findings
    provenance: Provenance
    simulated: tuple[str, ...] = ()
    folder: Path | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Headline numbers."""
        return self.findings.metrics

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Tidy tables behind the figures."""
        return self.findings.tables

    def summary(self) -> dict[str, Any]:
        """Return what programs read: the content of ``summary.json``."""
        return {
            "study": self.study,
            "cohorts": list(self.cohorts),
            "simulated": list(self.simulated),
            "seed": self.provenance.seed,
            "version": self.provenance.versions["radiogenomics"],
            "verdict": self.verdict,
            "metrics": [metric.to_record() for metric in self.metrics],
        }

    def _repr_html_(self) -> str:
        facts = {"verdict": self.verdict, "cohorts": ", ".join(self.cohorts), "folder": self.folder}
        table = pd.DataFrame([metric.to_record() for metric in self.metrics])
        return card(f"Study {self.study}", facts, table)


def write_results(results: Results, out: OutputWriter, *, recipe: str) -> None:
    """Write summary, tables and report into a folder that appears when all is done."""
    out.write_json("summary.json", results.summary())
    out.write_text("provenance.json", results.provenance.to_json())
    out.write_text("study.yaml", recipe)
    if results.findings.signature is not None:
        out.write_text("signature.json", results.findings.signature.to_json())
    for name, table in results.tables.items():
        out.write_table(f"tables/{name}.csv", _with_pseudonyms(table))
    notes = pd.DataFrame(results.findings.notes, columns=["level", "text"])
    out.write_table("tables/notes.csv", notes)
    render(out.path)


def without_identities(
    notes: Iterable[tuple[str, str]], cohorts: Iterable[Cohort]
) -> tuple[tuple[str, str], ...]:
    """Put pseudonyms for the patients that notes name, as file names of scans often do.

    An identifier of digits only is taken for one where a name goes on behind it (``017_CT.nii``),
    so that counts of patients stay readable.
    """
    known = {str(p): pseudonym(cohort.id, str(p)) for cohort in cohorts for p in cohort.patient_ids}
    longest_first = sorted(known, key=len, reverse=True)
    ends = {p: r"(?=[._-][A-Za-z])" if p.isdigit() else r"(?![A-Za-z0-9])" for p in known}
    names = "|".join(re.escape(p) + ends[p] for p in longest_first)
    if not names:
        return tuple(notes)
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{names})")
    return tuple(
        (level, pattern.sub(lambda found: known[found.group()], text)) for level, text in notes
    )


def _with_pseudonyms(table: pd.DataFrame) -> pd.DataFrame:
    if "patient_id" not in table:
        return table
    names = [pseudonym(c, p) for c, p in zip(table["cohort"], table["patient_id"], strict=True)]
    return table.assign(patient_id=names).rename(columns={"patient_id": "patient"})
