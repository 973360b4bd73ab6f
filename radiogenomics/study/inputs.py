"""What a cohort offers to a recipe: expression, outcome and image features, patient by patient."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import StudyError, UnknownNameError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.core.row_facts import MARK
from radiogenomics.imaging import extract_features, settings_preset
from radiogenomics.omics import LOG2_UNITS, to_log2, unit_of
from radiogenomics.study.schema import Study
from radiogenomics.study.words import row_facts_of


@dataclass(frozen=True, eq=False)
class Inputs:
    """One cohort as the recipe sees it; what the cohort lacks is None.

    Parameters
    ----------
    cohort
        The cohort itself.
    assay
        Name of its expression assay.
    expression
        Tumours × genes, log2, one row a patient.
    normal
        The same of normal tissue, where the assay has it.
    outcome
        The endpoint on which the signature is fitted.
    images
        Patients × image features; single values may be missing.
    notes
        Remarks (level, text) for the report.
    """

    cohort: Cohort
    assay: str
    expression: pd.DataFrame | None
    normal: pd.DataFrame | None
    outcome: SurvivalOutcome | None
    images: pd.DataFrame | None
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def unit(self) -> str:
        """Unit of ``expression``."""
        return LOG2_UNITS[unit_of(self.cohort.assay(self.assay))]

    def target(self, genes: tuple[str, ...]) -> pd.DataFrame:
        """Genes with ``time`` and ``event`` (missing where the outcome is) of patients with RNA."""
        if self.expression is None:
            raise StudyError(
                f"{self.cohort.id}: expected expression of {genes}; found no such assay."
            )
        frame = self.expression[list(genes)].dropna()
        survival = (
            pd.DataFrame(columns=["time", "event"], dtype=float)
            if self.outcome is None
            else self.outcome.to_frame()
        )
        return frame.join(survival.astype(float))


def read_inputs(cohort: Cohort, study: Study, *, jobs: int) -> Inputs:
    """Collect what the recipe needs from ``cohort``, extracting image features if need be."""
    expression, normal = _expression(cohort, study)
    endpoint = study.label.endpoint.value
    outcome = cohort.survival(endpoint) if endpoint in cohort.outcomes else None
    images, notes = _images(cohort, study, jobs=jobs)
    return Inputs(cohort, study.label.assay.value, expression, normal, outcome, images, notes)


def response_of(cohort: Cohort, study: Study) -> pd.Series[bool] | None:
    """Responders as True, or None when the cohort has no such outcome."""
    outcome = cohort.outcomes.get(study.response.outcome.value)
    if not isinstance(outcome, ResponseOutcome):
        return None
    return outcome.grouped(study.response.responders.value)


def sites_of(cohort: Cohort, patient_ids: pd.Index[str]) -> pd.Series[str] | None:
    """Site of each patient, or None when the cohort names no or only one site."""
    if "site" not in cohort.patients:
        return None
    sites = cohort.patients["site"].loc[patient_ids].fillna("not stated").astype(str)
    return sites if sites.nunique() > 1 else None


def covariates_of(cohort: Cohort, study: Study) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the recipe's covariates that the cohort has, and the names of those it lacks."""
    wanted = study.prognosis.adjust_for.value
    lacking = tuple(name for name in wanted if name not in cohort.patients)
    return cohort.patients[[name for name in wanted if name not in lacking]], lacking


def _expression(cohort: Cohort, study: Study) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    name = study.label.assay.value
    if name not in cohort.assays:
        return None, None
    table = cohort.assay(name)
    for gene in study.label.genes.value:
        if gene not in table.adata.var_names:
            raise UnknownNameError(
                f"gene of {cohort.id}, assay {name}", gene, table.adata.var_names
            )
    if "sample_type" not in table.adata.obs:
        return log2_per_patient(table), None
    kinds = set(table.samples["sample_type"])
    normal = log2_per_patient(table.where("sample_type", "normal")) if "normal" in kinds else None
    return log2_per_patient(table.where("sample_type", "tumour")), normal


def log2_per_patient(table: FeatureTable) -> pd.DataFrame:
    """Patients × genes; counts by the library sizes that the samples state, if they do."""
    values, samples = table.per_patient(), table.samples
    library = None
    if "library_size" in samples:
        library = samples["library_size"].astype(float).set_axis(values.index, axis=0)
    return to_log2(values, unit_of(table), library_size=library)


def _images(
    cohort: Cohort, study: Study, *, jobs: int
) -> tuple[pd.DataFrame | None, tuple[tuple[str, str], ...]]:
    features = study.features
    if features.assay.value in cohort.assays:
        table = cohort.assay(features.assay.value)
    else:
        scans = [
            scan
            for scan in cohort.scans
            if scan.phase == features.phase.value
            and scan.time_point == features.time_point.value
            and features.modality.value in (None, scan.modality)
        ]
        if not scans:
            return None, ()
        table = extract_features(
            scans,
            settings_preset(features.settings.value),
            region=features.region.value,
            name=features.assay.value,
            jobs=jobs,
        )
    images, notes = _imaged(table.per_patient(), cohort.id)
    return _with_row_facts(images, cohort, row_facts_of(study)), notes


def _with_row_facts(images: pd.DataFrame, cohort: Cohort, facts: tuple[str, ...]) -> pd.DataFrame:
    """Add what the recipe's steps want to know of patients, as columns named ``@...``."""
    for fact in facts:
        name = fact.removeprefix(MARK)
        if name not in cohort.patients:
            raise StudyError(
                f"{cohort.id}: expected the patients' column {name!r}, which a step of the recipe "
                f"needs; found {', '.join(map(str, cohort.patients.columns)) or 'none'}. Declare "
                "it in the manifest, or leave the step out."
            )
        known = cohort.patients[name].loc[images.index]
        images = images.assign(**{fact: known.astype(object).fillna("not stated")})
    return images


def _imaged(frame: pd.DataFrame, cohort: str) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...]]:
    """Patients who have any feature; single missing values are imputed inside the fold."""
    imaged = frame.loc[frame.notna().any(axis=1)]
    if imaged.empty:
        raise StudyError(
            f"{cohort}: expected image features; found missing values only in {len(frame)} patients"
            ". Extract them again."
        )
    if len(imaged) == len(frame):
        return imaged, ()
    text = f"{cohort}: {len(frame) - len(imaged)} patients without any image feature were left out."
    return imaged, (("warning", text),)
