"""What the commands print."""

from __future__ import annotations

import textwrap

import pandas as pd

from radiogenomics.io import Audit
from radiogenomics.study import Results, Study


def results_text(results: Results) -> str:
    """Metrics, verdict and where the report lies."""
    lines = ["", *(f"  {metric}" for metric in results.metrics), ""]
    lines += [f"verdict: {results.verdict}"]
    if results.simulated:
        lines += [f"SIMULATED cohorts: {', '.join(results.simulated)}"]
    if results.folder is not None:
        lines += [f"report: {results.folder / 'report.html'}"]
    return "\n".join(lines)


def study_text(study: Study) -> str:
    """One recipe as text: question, source, settings with their provenance."""
    head = [
        study.study,
        textwrap.fill(study.title, 100),
        "",
        textwrap.fill(study.question, 100),
        "",
    ]
    return "\n".join(
        [*head, f"doi: {study.doi}", "", table_text(study.settings().set_index("setting"))]
    )


def audit_text(audit: Audit) -> str:
    """Cohort flow, overlaps and findings."""
    return str(audit)


def table_text(table: pd.DataFrame) -> str:
    """Return a table for the terminal."""
    return table.to_string(max_colwidth=80)
