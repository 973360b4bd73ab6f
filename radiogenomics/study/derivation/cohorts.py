"""Cohorts as a derivation sees them: tumours × shared genes with their survival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    AlignmentError,
    LeakageError,
    StudyError,
    short_list,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.omics.signature.derivation import COHORT
from radiogenomics.study.tumours import read_tumours

FEWEST_SHARED = 2


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


def refuse_copies(cohorts: Sequence[Molecules], external: Sequence[Molecules]) -> None:
    """Raise LeakageError where a sample that was derived from is in an external cohort too.

    Told by equal expression, as the same patient may have another name there.
    """
    for other in external:
        for part in cohorts:
            shared = part.tumour.columns[part.tumour.columns.isin(other.tumour.columns)]
            ours, theirs = (
                {row.tobytes() for row in np.round(t[shared].to_numpy(dtype=float), 6)}
                for t in (part.tumour, other.tumour)
            )
            if len(shared) and ours & theirs:
                raise LeakageError(
                    f"expected other patients in {other.cohort.id} than in {part.cohort.id}; found "
                    f"{len(ours & theirs)} samples of equal expression in both. Leave them out of "
                    "one: a signature cannot be validated where it was derived."
                )
