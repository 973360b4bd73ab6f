"""The outcome of a run: verdict, numbers, tables; and the folder they are written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from radiogenomics.core.evidence import Metric
from radiogenomics.core.html import card
from radiogenomics.core.provenance import Provenance
from radiogenomics.io import output_folder, pseudonym
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


def write_results(results: Results, folder: Path, *, recipe: str) -> Path:
    """Write summary, tables and report into ``folder``, all or nothing; return the report."""
    with output_folder(folder) as out:
        out.write_json("summary.json", results.summary())
        out.write_text("provenance.json", results.provenance.to_json())
        out.write_text("study.yaml", recipe)
        if results.findings.signature is not None:
            out.write_text("signature.json", results.findings.signature.to_json())
        for name, table in results.tables.items():
            out.write_table(f"tables/{name}.csv", _without_identities(table))
        notes = pd.DataFrame(results.findings.notes, columns=["level", "text"])
        out.write_table("tables/notes.csv", notes)
        render(out.path)
    return folder / "report.html"


def _without_identities(table: pd.DataFrame) -> pd.DataFrame:
    if "patient_id" not in table:
        return table
    names = [pseudonym(c, p) for c, p in zip(table["cohort"], table["patient_id"], strict=True)]
    return table.assign(patient_id=names).rename(columns={"patient_id": "patient"})
