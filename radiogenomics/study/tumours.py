"""The expression of one cohort, whatever is known of its patients: checked, log2, named."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import AlignmentError, RadiogenomicsWarning, StudyError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.omics import LOG2_UNITS, rename_genes, to_log2, unit_of
from radiogenomics.omics.checks import check_expression
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.study.inputs import log2_per_patient

NAMELESS = r"unnamed_\d+"  # as a column without a name is called when it is read


class Tumours(NamedTuple):
    """Expression of the tumours of one cohort, under approved symbols.

    Attributes
    ----------
    cohort : Cohort
        The cohort itself.
    values : DataFrame
        Patients × genes that vary and that all patients have, log2.
    normal : DataFrame or None
        The same genes of normal tissue; None where the assay has none.
    unit : str
        Of ``values`` and ``normal``.
    genes : DataFrame
        What became of each name: ``given, symbol, status, others``.
    """

    cohort: Cohort
    values: pd.DataFrame
    normal: pd.DataFrame | None
    unit: str
    genes: pd.DataFrame


def read_tumours(cohort: Cohort, *, assay: str, known: GeneNames | None = None) -> Tumours:
    """Collect the expression of one cohort; outcomes are not looked at.

    Raises
    ------
    StudyError
        The cohort lacks the assay.
    DataError, AlignmentError
        The table is turned, in another unit, names genes twice, or has no gene that varies.
    """
    if assay not in cohort.assays:
        raise StudyError(
            f"{cohort.id}: expected the assay {assay!r}; found "
            f"{', '.join(cohort.assays) or 'none'}. Name it so in the manifest."
        )
    table = cohort.assay(assay)
    unit, what = unit_of(table), f"{cohort.id}, assay {assay}"
    table = _with_names(table, what)
    stated = "library_size" in table.samples
    check_expression(table.values, unit, known=known, libraries_known=stated, what=what)
    normal = None
    if "sample_type" in table.samples:
        if "normal" in set(table.samples["sample_type"]):
            normal = _normals(table.where("sample_type", "normal"))
        table = table.where("sample_type", "tumour")
    if table.values.empty:
        raise StudyError(
            f"{what}: expected samples of type tumour; found none. Correct sample_type in the "
            "manifest."
        )
    named = rename_genes(log2_per_patient(table), known=known)
    values = _complete(named.values, what)
    if normal is not None:
        normal = rename_genes(normal, known=known).values.reindex(columns=values.columns)
    return Tumours(cohort, values, normal, LOG2_UNITS[unit], named.genes)


def changed_names(genes: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What became of gene names, by cohort, where that is worth telling.

    Without the HGNC set most names are merely not known here, which says nothing of them.
    """
    every = pd.concat([table.assign(cohort=cohort) for cohort, table in genes.items()])
    return every[~every["status"].isin(["approved", "unknown"])].reset_index(drop=True)


def _with_names(table: FeatureTable, what: str) -> FeatureTable:
    """Leave out columns that the file gave no name."""
    nameless = table.values.columns.astype(str).str.fullmatch(NAMELESS)
    if not nameless.any():
        return table
    warnings.warn(
        f"{what}: expected a name for every gene; found {int(nameless.sum())} columns without, "
        "which are left out. Name them in the file.",
        RadiogenomicsWarning,
        stacklevel=3,
    )
    return FeatureTable(table.name, table.adata[:, ~nameless].copy())


def _normals(table: FeatureTable) -> pd.DataFrame:
    """Patients × genes, log2; of several normal samples of a patient the mean."""
    samples, library = table.samples, None
    if "library_size" in samples:
        library = samples["library_size"].astype(float)
    logs = to_log2(table.values, unit_of(table), library_size=library)
    return logs.groupby(samples["patient_id"].astype(str).to_numpy()).mean()


def _complete(values: pd.DataFrame, what: str) -> pd.DataFrame:
    """Genes that vary and that all patients have."""
    whole = values.loc[:, values.notna().all()]
    varying = whole.loc[:, whole.nunique() > 1]
    lost = values.shape[1] - varying.shape[1]
    if not varying.shape[1]:
        raise AlignmentError(
            f"{what}: expected genes that vary and that every patient has; found none of "
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
