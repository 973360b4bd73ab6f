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
from radiogenomics.omics import LOG2_UNITS, rename_genes, unit_of
from radiogenomics.omics.checks import check_expression
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.omics.signature.derivation import COHORT
from radiogenomics.study.inputs import log2_per_patient

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
    if assay not in cohort.assays:
        raise StudyError(
            f"{cohort.id}: expected the assay {assay!r}; found "
            f"{', '.join(cohort.assays) or 'none'}. Name it in the plan."
        )
    table = cohort.assay(assay)
    unit = unit_of(table)
    what = f"{cohort.id}, assay {assay}"
    stated = "library_size" in table.samples
    check_expression(table.values, unit, known=known, libraries_known=stated, what=what)
    normal = None
    if "sample_type" in table.samples:
        if "normal" in set(table.samples["sample_type"]):
            normal = log2_per_patient(table.where("sample_type", "normal"))
        table = table.where("sample_type", "tumour")
    named = rename_genes(log2_per_patient(table), known=known)
    tumour = _complete(named.values, what)
    survival = cohort.survival(endpoint)
    patients = tumour.index[tumour.index.isin(survival.patient_ids)]
    if not len(patients):
        raise StudyError(
            f"{what}: expected patients with expression and {endpoint}; found none of "
            f"{len(tumour)}. Check the identifiers."
        )
    if normal is not None:
        normal = rename_genes(normal, known=known).values.reindex(columns=tumour.columns)
    return Molecules(
        cohort,
        tumour.loc[patients],
        normal,
        survival.for_patients(patients),
        LOG2_UNITS[unit],
        named.genes,
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


def _complete(values: pd.DataFrame, what: str) -> pd.DataFrame:
    """Genes that vary and that all patients have."""
    whole = values.loc[:, values.notna().all()]
    varying = whole.loc[:, whole.nunique() > 1]
    lost = values.shape[1] - varying.shape[1]
    if not varying.shape[1]:
        raise AlignmentError(
            f"{what}: expected genes with a value in every patient; found none of "
            f"{values.shape[1]}. Impute first, or drop patients."
        )
    if lost:
        warnings.warn(
            f"{what}: {lost} of {values.shape[1]} genes were left out: they lack a value in some "
            "patient, or are the same in all.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    return varying
