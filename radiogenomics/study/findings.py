"""What one stage of a run found: numbers, tables behind the figures, and remarks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pandas as pd

from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.labels import LabelSet
from radiogenomics.core.signature import Signature

Noun = TypeVar("Noun")


@dataclass(frozen=True, eq=False)
class Findings:
    """Metrics, tidy tables by name and notes (level, text) of one stage.

    Where a stage made them: ``signature`` is locked, ``labels`` are what it calls the patients it
    was fitted on, ``signature_evidence`` holds its out-of-fold risks, and ``evidence`` the
    cross-validated surrogate.
    """

    metrics: tuple[Metric, ...] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    notes: tuple[tuple[str, str], ...] = ()
    signature: Signature | None = None
    labels: LabelSet | None = None
    signature_evidence: Evidence | None = None
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
        signature=_first(part.signature for part in parts),
        labels=_first(part.labels for part in parts),
        signature_evidence=_first(part.signature_evidence for part in parts),
        evidence=_first(part.evidence for part in parts),
    )


def _first(found: Iterable[Noun | None]) -> Noun | None:
    return next((noun for noun in found if noun is not None), None)
