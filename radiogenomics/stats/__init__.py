"""Numbers without nouns: arrays in, arrays out, shared by all stages."""

from __future__ import annotations

from radiogenomics.stats.auc import (
    AucDifference,
    AucEstimate,
    auc,
    auc_batch,
    delong,
    delong_test,
    delong_test_unpaired,
)
from radiogenomics.stats.calibration import (
    CalibrationBins,
    CalibrationLine,
    CalibrationOffset,
    brier,
    calibration_bins,
    calibration_in_the_large,
    calibration_line,
)
from radiogenomics.stats.concordance import Concordance, concordance, concordance_batch
from radiogenomics.stats.cox import ChiSquared, CoxBatch, CoxFit, fit_cox, fit_cox_batch
from radiogenomics.stats.icc import IntraclassCorrelation, intraclass_correlation
from radiogenomics.stats.inputs import (
    check_groups,
    check_labels,
    check_level,
    check_scores,
    check_survival,
)
from radiogenomics.stats.intervals import Interval, bootstrap_interval, clopper_pearson, wilson
from radiogenomics.stats.kaplan_meier import MedianSurvival, SurvivalCurve, kaplan_meier
from radiogenomics.stats.logrank import LogRank, logrank, logrank_batch
from radiogenomics.stats.multiplicity import adjust
from radiogenomics.stats.permutation import permutation_interval, permutation_p, permutations
from radiogenomics.stats.ranks import midranks
from radiogenomics.stats.roc import RocCurve, roc_curve, youden_threshold

__all__ = [
    "AucDifference",
    "AucEstimate",
    "CalibrationBins",
    "CalibrationLine",
    "CalibrationOffset",
    "ChiSquared",
    "Concordance",
    "CoxBatch",
    "CoxFit",
    "Interval",
    "IntraclassCorrelation",
    "LogRank",
    "MedianSurvival",
    "RocCurve",
    "SurvivalCurve",
    "adjust",
    "auc",
    "auc_batch",
    "bootstrap_interval",
    "brier",
    "calibration_bins",
    "calibration_in_the_large",
    "calibration_line",
    "check_groups",
    "check_labels",
    "check_level",
    "check_scores",
    "check_survival",
    "clopper_pearson",
    "concordance",
    "concordance_batch",
    "delong",
    "delong_test",
    "delong_test_unpaired",
    "fit_cox",
    "fit_cox_batch",
    "intraclass_correlation",
    "kaplan_meier",
    "logrank",
    "logrank_batch",
    "midranks",
    "permutation_interval",
    "permutation_p",
    "permutations",
    "roc_curve",
    "wilson",
    "youden_threshold",
]
