"""Predictions → evidence: splits, resampling, nulls, metrics with intervals, verdicts."""

from radiogenomics.evaluation.adjustment import adjusted_hazard_ratio
from radiogenomics.evaluation.calibration import calibration_metrics, calibration_table
from radiogenomics.evaluation.discrimination import auc_metric, pooled_auc, roc_table
from radiogenomics.evaluation.fold import LockedModel, TargetRule
from radiogenomics.evaluation.nulls import cross_validation_null
from radiogenomics.evaluation.prognosis import concordance_metric, prognosis
from radiogenomics.evaluation.resampling import cross_validate, cross_validate_survival
from radiogenomics.evaluation.splits import PatientKFold, Split, check_disjoint
from radiogenomics.evaluation.verdict import Verdict, verdict

__all__ = [
    "LockedModel",
    "PatientKFold",
    "Split",
    "TargetRule",
    "Verdict",
    "adjusted_hazard_ratio",
    "auc_metric",
    "calibration_metrics",
    "calibration_table",
    "check_disjoint",
    "concordance_metric",
    "cross_validate",
    "cross_validate_survival",
    "cross_validation_null",
    "pooled_auc",
    "prognosis",
    "roc_table",
    "verdict",
]
