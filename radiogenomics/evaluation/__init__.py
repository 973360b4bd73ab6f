"""Predictions → evidence: splits, resampling, nulls, metrics with intervals, verdicts."""

from __future__ import annotations

from radiogenomics.evaluation import association
from radiogenomics.evaluation.adjustment import adjusted_hazard_ratio
from radiogenomics.evaluation.agreement import reader_agreement
from radiogenomics.evaluation.baseline_table import BaselineTable, baseline_table
from radiogenomics.evaluation.calibration import calibration_metrics, calibration_table
from radiogenomics.evaluation.comparison import (
    comparison_table,
    concordance_comparison_table,
    unpaired_comparison,
)
from radiogenomics.evaluation.cox_table import multivariable_cox_table, univariable_cox_table
from radiogenomics.evaluation.declared_splits import FixedSplit, LeaveOneSiteOut, TemporalSplit
from radiogenomics.evaluation.discrimination import (
    auc_metric,
    auc_within_folds,
    pooled_auc,
    roc_table,
)
from radiogenomics.evaluation.flattery import flattery_on_noise, flattery_table
from radiogenomics.evaluation.flexible_calibration import (
    flexible_calibration_metrics,
    flexible_calibration_table,
)
from radiogenomics.evaluation.fold import LockedModel, TargetRule
from radiogenomics.evaluation.label_copies import refuse_label_copies
from radiogenomics.evaluation.nulls import (
    cross_validation_null,
    cross_validation_survival_null,
)
from radiogenomics.evaluation.precision_recall import (
    average_precision_metric,
    precision_recall_table,
)
from radiogenomics.evaluation.prognosis import concordance_metric, prognosis
from radiogenomics.evaluation.pseudoprogression import Pseudoprogression, pseudoprogression_table
from radiogenomics.evaluation.reclassification import (
    reclassification_cross_table,
    reclassification_table,
    survival_reclassification_table,
)
from radiogenomics.evaluation.reliability import reliability_summary, reliability_table
from radiogenomics.evaluation.resampling import cross_validate, cross_validate_survival
from radiogenomics.evaluation.site_probe import pairwise_auc, site_probe
from radiogenomics.evaluation.splits import PatientKFold, Split, check_disjoint
from radiogenomics.evaluation.subgroups import subgroup_table
from radiogenomics.evaluation.survival_calibration import (
    survival_calibration_curves,
    survival_calibration_summary,
    survival_calibration_table,
)
from radiogenomics.evaluation.survival_fold import predicted_survival
from radiogenomics.evaluation.thresholds import lock_threshold, operating_point_table
from radiogenomics.evaluation.time_dependent import survival_accuracy, time_dependent_auc
from radiogenomics.evaluation.transport import (
    prediction_agreement,
    transport_differences,
    transport_table,
)
from radiogenomics.evaluation.utility import decision_curve_survival_table, decision_curve_table
from radiogenomics.evaluation.verdict import Verdict, verdict

__all__ = [
    "pseudoprogression_table",
    "Pseudoprogression",
    "refuse_label_copies",
    "flattery_table",
    "flattery_on_noise",
    "BaselineTable",
    "FixedSplit",
    "LeaveOneSiteOut",
    "LockedModel",
    "PatientKFold",
    "Split",
    "TargetRule",
    "TemporalSplit",
    "Verdict",
    "adjusted_hazard_ratio",
    "association",
    "auc_metric",
    "auc_within_folds",
    "average_precision_metric",
    "baseline_table",
    "calibration_metrics",
    "calibration_table",
    "check_disjoint",
    "comparison_table",
    "concordance_comparison_table",
    "concordance_metric",
    "cross_validate",
    "cross_validate_survival",
    "cross_validation_null",
    "cross_validation_survival_null",
    "decision_curve_survival_table",
    "decision_curve_table",
    "flexible_calibration_metrics",
    "flexible_calibration_table",
    "lock_threshold",
    "multivariable_cox_table",
    "operating_point_table",
    "pairwise_auc",
    "pooled_auc",
    "precision_recall_table",
    "predicted_survival",
    "prediction_agreement",
    "prognosis",
    "reader_agreement",
    "reclassification_cross_table",
    "reclassification_table",
    "reliability_summary",
    "reliability_table",
    "roc_table",
    "site_probe",
    "subgroup_table",
    "survival_accuracy",
    "survival_calibration_curves",
    "survival_calibration_summary",
    "survival_calibration_table",
    "survival_reclassification_table",
    "time_dependent_auc",
    "transport_differences",
    "transport_table",
    "univariable_cox_table",
    "unpaired_comparison",
    "verdict",
]
