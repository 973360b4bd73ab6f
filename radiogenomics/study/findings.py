"""What one stage of a run found: numbers, tables behind the figures, and remarks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.signature import Signature


@dataclass(frozen=True, eq=False)
class Findings:
    """Metrics, tidy tables by name and notes (level, text) of one stage.

    ``signature`` is the locked signature and ``evidence`` the cross-validated surrogate, where the
    stage made one.
    """

    metrics: tuple[Metric, ...] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    notes: tuple[tuple[str, str], ...] = ()
    signature: Signature | None = None
    evidence: Evidence | None = None

    def metric(self, name: str, *, split: str) -> Metric | None:
        """Return the metric of that name and split, or None when the run had no such number."""
        return next((m for m in self.metrics if (m.name, m.split) == (name, split)), None)


def merge(stages: Iterable[Findings]) -> Findings:
    """Join stages in order; tables of one name are stacked."""
    parts = list(stages)
    stacked: dict[str, list[pd.DataFrame]] = {}
    for part in parts:
        for name, table in part.tables.items():
            stacked.setdefault(name, []).append(table)
    return Findings(
        metrics=tuple(metric for part in parts for metric in part.metrics),
        tables={
            name: pd.concat([t for t in tables if len(t)] or tables[:1], ignore_index=True)
            for name, tables in stacked.items()
        },
        notes=tuple(note for part in parts for note in part.notes),
        signature=next((part.signature for part in parts if part.signature), None),
        evidence=next((part.evidence for part in parts if part.evidence), None),
    )
