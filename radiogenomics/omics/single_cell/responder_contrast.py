"""Which genes differ between responders and others, in each cell type."""

from __future__ import annotations

import warnings

import pandas as pd

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.omics.differential_counts import differential_counts
from radiogenomics.omics.differential_moderated import moderated_t_table
from radiogenomics.omics.normalise.tmm import TMM
from radiogenomics.omics.pseudobulk import Pseudobulk
from radiogenomics.stats.multiplicity import adjust

METHODS = ("moderated_t", "counts")
_LEAST_GENES = 3


def responder_contrast(
    bulk: Pseudobulk,
    responder: pd.Series[bool],
    *,
    method: str = "moderated_t",
    covariates: pd.DataFrame | None = None,
    min_patients: int = 2,
    min_reads: int = 10,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare the pseudobulk of two groups of patients, gene by gene within each cell type.

    ``"moderated_t"`` is limma's test with a trend on log2 CPM of TMM-corrected libraries,
    ``"counts"`` PyDESeq2's on the sums. A gene is tested where as many patients as the smaller
    group has have ``min_reads`` reads of it. Misleads where the groups were processed apart, and
    where a type is a mixture whose parts differ: composition then shows as expression.

    Parameters
    ----------
    bulk, responder, covariates
        Sums; True for group a, and columns to adjust for, both indexed by patient.
    method, level
        ``"moderated_t"`` or ``"counts"``; of the intervals.
    min_patients, min_reads
        Patients of each group, at least 2 (types with fewer: a warning); reads of a gene expressed.

    Returns
    -------
    DataFrame
        ``cell_type, patients_a, patients_b``, the columns of ``moderated_t_table`` or
        ``differential_counts`` (a − b; ``fdr`` within the type), and ``fdr_all`` over all types.

    Raises
    ------
    AlignmentError, DataError, MissingExtraError
        The response of a patient is not given, no type has enough patients and genes, or PyDESeq2
        is not installed.

    References
    ----------
    Squair et al. 2021, doi:10.1038/s41467-021-25960-2.
    """
    least = max(min_patients, 2)
    _check(bulk, responder, covariates, method=method)
    tables, thin = [], []
    for cell_type in bulk.cell_types:
        counts = bulk.of(cell_type)
        group = responder.loc[counts.index]
        a, b = int(group.sum()), int((~group).sum())
        expressed = (counts >= min_reads).sum(axis=0) >= max(min(a, b), 1)
        if min(a, b) < least or expressed.sum() < _LEAST_GENES:
            thin.append(f"{cell_type} ({a} and {b} patients)")
            continue
        counts = counts.loc[:, expressed]
        table = _compare(counts, group, method=method, covariates=covariates, level=level)
        tables.append(pd.concat([_facts(cell_type, a, b, len(table)), table], axis=1))
    _report_thin(thin, everything=not tables, min_patients=least)
    found = pd.concat(tables, ignore_index=True)
    found["fdr_all"] = adjust(found["p"].to_numpy(), method="bh")
    return found


def _compare(
    counts: pd.DataFrame,
    group: pd.Series[bool],
    *,
    method: str,
    covariates: pd.DataFrame | None,
    level: float,
) -> pd.DataFrame:
    """Genes of one cell type."""
    adjusted = None if covariates is None else covariates.loc[counts.index]
    if method == "counts":
        return differential_counts(counts, group, covariates=adjusted, level=level)
    logs = pd.DataFrame(TMM().fit(counts).transform(counts), counts.index, counts.columns)
    return moderated_t_table(logs, group, covariates=adjusted, trend=True, level=level)


def _facts(cell_type: str, a: int, b: int, n: int) -> pd.DataFrame:
    facts = {"cell_type": cell_type, "patients_a": a, "patients_b": b}
    return pd.DataFrame(facts, index=range(n))


def _check(
    bulk: Pseudobulk,
    responder: pd.Series[bool],
    covariates: pd.DataFrame | None,
    *,
    method: str,
) -> None:
    if method not in METHODS:
        raise UnknownNameError("method of contrast", method, METHODS)
    if not pd.api.types.is_bool_dtype(responder.dtype) or not responder.index.is_unique:
        raise DataError(
            f"responder: expected True or False once a patient; found {responder.dtype} with "
            f"{int(responder.index.duplicated().sum())} patients twice. Drop patients whose "
            "response is not known."
        )
    patients = pd.Index(bulk.samples["patient_id"].unique())
    for what, index in (
        ("response", responder.index),
        ("covariates", getattr(covariates, "index", None)),
    ):
        absent = () if index is None else patients.difference(index)
        if len(absent):
            raise AlignmentError(
                f"responder contrast: expected the {what} of {len(patients)} patients; found none "
                f"of {len(absent)} ({short_list(absent, limit=3)}). Add them, or drop the cells of "
                "these patients."
            )


def _report_thin(thin: list[str], *, everything: bool, min_patients: int) -> None:
    if everything:
        raise DataError(
            f"responder contrast: expected a cell type with {min_patients} patients of each group "
            f"and {_LEAST_GENES} expressed genes; found {short_list(thin)}. Lower min_cells of the "
            "pseudobulk, or use more patients."
        )
    if thin:
        warnings.warn(
            f"responder contrast: expected {min_patients} patients of each group and "
            f"{_LEAST_GENES} expressed genes in each cell type; left out {short_list(thin)}.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
