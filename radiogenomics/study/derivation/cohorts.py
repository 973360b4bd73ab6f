"""Cohorts as a derivation sees them: tumours × shared genes with their survival."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    AlignmentError,
    LeakageError,
    RadiogenomicsWarning,
    StudyError,
    short_list,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.omics.signature.derivation import COHORT
from radiogenomics.study.tumours import read_tumours

FEWEST_SHARED = 2
COVERAGE = 0.8
MOSTLY = 0.5


@dataclass(frozen=True, eq=False)
class Molecules:
    """Expression of one cohort, log2, under approved symbols.

    Parameters
    ----------
    cohort
        The cohort itself.
    tumour, normal
        Samples × genes, one row a patient; ``normal`` is None where the assay has none.
    outcome
        Survival of the patients in ``tumour`` who have it, in their order.
    unit
        Of ``tumour`` and ``normal``.
    genes
        What became of each name: ``given, symbol, status, others``.
    """

    cohort: Cohort
    tumour: pd.DataFrame
    normal: pd.DataFrame | None
    outcome: SurvivalOutcome
    unit: str
    genes: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Discovery:
    """Cohorts that a signature is derived from, as one table.

    Parameters
    ----------
    parts
        The cohorts.
    expression
        Patients × shared genes and ``@cohort``; patients are named ``cohort:patient`` where there
        are several cohorts.
    outcome
        Of the same patients, in the same order.
    """

    parts: tuple[Molecules, ...]
    expression: pd.DataFrame
    outcome: SurvivalOutcome

    @property
    def cohorts(self) -> pd.Series[str]:
        """Cohort of each patient."""
        return self.expression[COHORT]

    @property
    def genes(self) -> pd.DataFrame:
        """Patients × genes, without ``@cohort``."""
        return self.expression.drop(columns=COHORT)


def read_molecules(
    cohort: Cohort, *, assay: str, endpoint: str, known: GeneNames | None = None
) -> Molecules:
    """Collect expression and outcome of one cohort, checked and under approved symbols.

    Raises
    ------
    StudyError
        The cohort lacks the assay, or has no patient with expression and outcome.
    DataError, AlignmentError, UnknownNameError
        The table is turned, in another unit, or names genes twice; the endpoint is not known.
    """
    found = read_tumours(cohort, assay=assay, known=known)
    survival = cohort.survival(endpoint)
    patients = found.values.index[found.values.index.isin(survival.patient_ids)]
    if not len(patients):
        raise StudyError(
            f"{cohort.id}, assay {assay}: expected patients with expression and {endpoint}; found "
            f"none of {len(found.values)}. Check the identifiers."
        )
    return Molecules(
        cohort,
        found.values.loc[patients],
        found.normal,
        survival.for_patients(patients),
        found.unit,
        found.genes,
    )


def join(parts: Sequence[Molecules]) -> Discovery:
    """Put cohorts under each other, with the genes that all have.

    Raises
    ------
    AlignmentError
        Cohorts share no gene.
    """
    shared = parts[0].tumour.columns
    for part in parts[1:]:
        shared = shared[shared.isin(part.tumour.columns)]
    if len(shared) < FEWEST_SHARED:
        sizes = ", ".join(f"{p.cohort.id}: {p.tumour.shape[1]}" for p in parts)
        raise AlignmentError(
            f"expected genes that all cohorts have; found {len(shared)} ({sizes}; first names: "
            f"{short_list(parts[-1].tumour.columns, limit=3)}). Use one kind of identifier."
        )
    for part in parts:
        _warn_of_lost_genes(part, len(shared), largest=max(p.tumour.shape[1] for p in parts))
    several = len(parts) > 1
    frames, times = [], []
    for part in parts:
        names = [f"{part.cohort.id}:{p}" if several else str(p) for p in part.tumour.index]
        frame = part.tumour[shared].set_axis(pd.Index(names, name="patient_id"), axis=0)
        frames.append(frame.assign(**{COHORT: part.cohort.id}))
        times.append(part.outcome.to_frame().set_axis(frame.index, axis=0))
    survival = pd.concat(times)
    first = parts[0].outcome
    outcome = SurvivalOutcome(
        time=survival["time"].astype(float),
        event=survival["event"].astype(bool),
        endpoint=first.endpoint,
        origin=first.origin,
    )
    return Discovery(tuple(parts), pd.concat(frames), outcome)


def _warn_of_lost_genes(part: Molecules, shared: int, *, largest: int) -> None:
    measured = part.tumour.shape[1]
    if measured < COVERAGE * largest:
        warnings.warn(
            f"{part.cohort.id}: {measured} genes where another cohort has {largest}; only the "
            f"{shared} genes that all cohorts have can become candidates.",
            RadiogenomicsWarning,
            stacklevel=3,
        )


def refuse_copies(cohorts: Sequence[Molecules], external: Sequence[Molecules]) -> None:
    """Raise LeakageError where a sample that was derived from is in another cohort too.

    Told by equal expression, as the same patient may have another name there. Where expression
    differs but names are shared, a warning says so: in another unit nothing is equal.
    """
    for at, part in enumerate(cohorts):
        for other in (*cohorts[at + 1 :], *external):
            copies = _equal_samples(part, other)
            if copies:
                raise LeakageError(
                    f"expected other patients in {other.cohort.id} than in {part.cohort.id}; found "
                    f"{copies} samples of equal expression in both. Leave them out of one: copies "
                    "stand on both sides of a fold, and nothing is validated where it was derived."
                )
            named = part.outcome.patient_ids.intersection(other.outcome.patient_ids)
            ours, theirs = (p.outcome.for_patients(named) for p in (part, other))
            alike = (np.abs(ours.time - theirs.time) < 1e-6) & (ours.event == theirs.event)
            if len(named) and alike.mean() > MOSTLY:
                raise LeakageError(
                    f"expected other patients in {other.cohort.id} than in {part.cohort.id}; found "
                    f"{len(named)} names in both, {int(alike.sum())} with the same follow-up. "
                    "Leave them out of one."
                )
            if len(named):
                warnings.warn(
                    f"{part.cohort.id} and {other.cohort.id}: expected patients of names of their "
                    f"own; found {len(named)} names in both. If they are the same patients, leave "
                    "them out of one.",
                    RadiogenomicsWarning,
                    stacklevel=2,
                )


def _equal_samples(part: Molecules, other: Molecules) -> int:
    shared = part.tumour.columns[part.tumour.columns.isin(other.tumour.columns)]
    if not len(shared):
        return 0
    ours, theirs = (
        {row.tobytes() for row in np.round(t[shared].to_numpy(dtype=float), 6)}
        for t in (part.tumour, other.tumour)
    )
    return len(ours & theirs)
