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
from radiogenomics.stats.baseline_hazard import BaselineHazard, EventTimes, baseline_hazard
from radiogenomics.stats.bland_altman import (
    BlandAltman,
    ConcordanceCorrelation,
    Repeatability,
    bland_altman,
    concordance_correlation,
    repeatability,
)
from radiogenomics.stats.bootstrap import (
    BootstrapEstimate,
    bootstrap_auc,
    bootstrap_counts,
    bootstrap_estimate,
)
from radiogenomics.stats.bootstrap_survival import (
    bootstrap_concordance,
    bootstrap_time_dependent_auc,
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
from radiogenomics.stats.calibration_curve import FlexibleCalibration, flexible_calibration
from radiogenomics.stats.calibration_tests import (
    CalibrationError,
    SpiegelhalterTest,
    expected_calibration_error,
    hosmer_lemeshow,
    spiegelhalter_test,
)
from radiogenomics.stats.competing_risks import CumulativeIncidence, cumulative_incidence
from radiogenomics.stats.concordance import Concordance, concordance, concordance_batch
from radiogenomics.stats.concordance_difference import (
    ConcordanceDifference,
    concordance_test,
    concordance_test_unpaired,
    uno_concordance_test,
)
from radiogenomics.stats.confusion import Confusion, Share, confusion
from radiogenomics.stats.cox import ChiSquared, CoxBatch, CoxFit, fit_cox, fit_cox_batch
from radiogenomics.stats.cox_survival import PatientCurves, cox_survival
from radiogenomics.stats.d_calibration import DCalibration, d_calibration
from radiogenomics.stats.decision_curve import (
    BenefitCurve,
    NetBenefit,
    net_benefit,
    net_benefit_survival,
)
from radiogenomics.stats.elastic_net import ElasticNetPath, elastic_net_path, penalty_sequence
from radiogenomics.stats.elastic_net_choice import PenaltyChoice, choose_penalty
from radiogenomics.stats.fine_gray import FineGrayFit, fit_fine_gray
from radiogenomics.stats.fisher import FisherTest, fisher_exact
from radiogenomics.stats.fleiss_kappa import FleissKappa, fleiss_kappa
from radiogenomics.stats.gray import GrayTest, gray_test
from radiogenomics.stats.group_tests import GroupTest, compare_counts, compare_numbers
from radiogenomics.stats.heagerty_auc import HeagertyAuc, heagerty_auc
from radiogenomics.stats.icc import IntraclassCorrelation, intraclass_correlation
from radiogenomics.stats.inputs import (
    check_groups,
    check_labels,
    check_level,
    check_risk,
    check_scores,
    check_survival,
    survival_target,
)
from radiogenomics.stats.intervals import Interval, bootstrap_interval, clopper_pearson, wilson
from radiogenomics.stats.ipcw import CensoringCurve, censoring_curve
from radiogenomics.stats.kaplan_meier import MedianSurvival, SurvivalCurve, kaplan_meier
from radiogenomics.stats.kappa import CohenKappa, cohen_kappa, cohen_kappa_of_counts
from radiogenomics.stats.logrank import LogRank, logrank, logrank_batch
from radiogenomics.stats.multiplicity import adjust
from radiogenomics.stats.permutation import permutation_interval, permutation_p, permutations
from radiogenomics.stats.precision_recall import (
    PrecisionRecall,
    average_precision,
    precision_recall_curve,
)
from radiogenomics.stats.proportional_hazards import ProportionalHazards, proportional_hazards
from radiogenomics.stats.ranks import midranks
from radiogenomics.stats.reclassification import (
    DiscriminationImprovement,
    Improvement,
    NetReclassification,
    integrated_discrimination,
    net_reclassification,
    net_reclassification_survival,
    risk_classes,
)
from radiogenomics.stats.restricted_cubic_spline import default_knots, rcs_basis
from radiogenomics.stats.restricted_mean import (
    Contrast,
    RestrictedMean,
    RestrictedMeanComparison,
    compare_restricted_means,
    restricted_mean,
)
from radiogenomics.stats.roc import RocCurve, roc_curve, youden_threshold
from radiogenomics.stats.sample_size import (
    DevelopmentSize,
    SizeCriterion,
    development_size_binary,
    development_size_survival,
    maximum_r2_binary,
    maximum_r2_survival,
    r2_from_c_statistic,
)
from radiogenomics.stats.standardised_difference import (
    standardised_difference,
    standardised_difference_of_counts,
)
from radiogenomics.stats.survival_brier import SurvivalBrier, survival_brier
from radiogenomics.stats.survival_calibration import (
    CalibrationSlope,
    ObservedExpected,
    RiskGroups,
    observed_expected,
    risk_groups,
    survival_slope,
)
from radiogenomics.stats.survival_calibration_curve import CalibrationCurve, calibration_curve
from radiogenomics.stats.time_dependent_auc import (
    SurvivalEstimate,
    TimeDependentAuc,
    TimeDependentAucDifference,
    cumulative_dynamic_auc,
    time_dependent_auc_test,
)
from radiogenomics.stats.time_grid import DroppedTime, TimeGrid, valid_times
from radiogenomics.stats.uno import UnoConcordance, uno_concordance
from radiogenomics.stats.validation_size import (
    NetBenefitTarget,
    PrecisionCriterion,
    PredictorDistribution,
    ValidationSize,
    c_statistic_error,
    validation_size,
)
from radiogenomics.stats.weighted_logrank import (
    TrendTest,
    WeightedLogRank,
    logrank_trend,
    weighted_logrank,
)

__all__ = [
    "AucDifference",
    "AucEstimate",
    "BaselineHazard",
    "BenefitCurve",
    "BlandAltman",
    "BootstrapEstimate",
    "CalibrationBins",
    "CalibrationCurve",
    "CalibrationError",
    "CalibrationLine",
    "CalibrationOffset",
    "CalibrationSlope",
    "CensoringCurve",
    "ChiSquared",
    "CohenKappa",
    "Concordance",
    "ConcordanceCorrelation",
    "ConcordanceDifference",
    "Confusion",
    "Contrast",
    "CoxBatch",
    "CoxFit",
    "CumulativeIncidence",
    "DCalibration",
    "DevelopmentSize",
    "DiscriminationImprovement",
    "DroppedTime",
    "ElasticNetPath",
    "EventTimes",
    "FineGrayFit",
    "FisherTest",
    "FleissKappa",
    "FlexibleCalibration",
    "GrayTest",
    "GroupTest",
    "HeagertyAuc",
    "Improvement",
    "Interval",
    "IntraclassCorrelation",
    "LogRank",
    "MedianSurvival",
    "NetBenefit",
    "NetBenefitTarget",
    "NetReclassification",
    "ObservedExpected",
    "PatientCurves",
    "PenaltyChoice",
    "PrecisionCriterion",
    "PrecisionRecall",
    "PredictorDistribution",
    "ProportionalHazards",
    "Repeatability",
    "RestrictedMean",
    "RestrictedMeanComparison",
    "RiskGroups",
    "RocCurve",
    "Share",
    "SizeCriterion",
    "SpiegelhalterTest",
    "SurvivalBrier",
    "SurvivalCurve",
    "SurvivalEstimate",
    "TimeDependentAuc",
    "TimeDependentAucDifference",
    "TimeGrid",
    "TrendTest",
    "UnoConcordance",
    "ValidationSize",
    "WeightedLogRank",
    "adjust",
    "auc",
    "auc_batch",
    "average_precision",
    "baseline_hazard",
    "bland_altman",
    "bootstrap_auc",
    "bootstrap_concordance",
    "bootstrap_counts",
    "bootstrap_estimate",
    "bootstrap_interval",
    "bootstrap_time_dependent_auc",
    "brier",
    "c_statistic_error",
    "calibration_bins",
    "calibration_curve",
    "calibration_in_the_large",
    "calibration_line",
    "censoring_curve",
    "check_groups",
    "check_labels",
    "check_level",
    "check_risk",
    "check_scores",
    "check_survival",
    "choose_penalty",
    "clopper_pearson",
    "cohen_kappa",
    "cohen_kappa_of_counts",
    "compare_counts",
    "compare_numbers",
    "compare_restricted_means",
    "concordance",
    "concordance_batch",
    "concordance_correlation",
    "concordance_test",
    "concordance_test_unpaired",
    "confusion",
    "cox_survival",
    "cumulative_dynamic_auc",
    "cumulative_incidence",
    "d_calibration",
    "default_knots",
    "delong",
    "delong_test",
    "delong_test_unpaired",
    "development_size_binary",
    "development_size_survival",
    "elastic_net_path",
    "expected_calibration_error",
    "fisher_exact",
    "fit_cox",
    "fit_cox_batch",
    "fit_fine_gray",
    "fleiss_kappa",
    "flexible_calibration",
    "gray_test",
    "heagerty_auc",
    "hosmer_lemeshow",
    "integrated_discrimination",
    "intraclass_correlation",
    "kaplan_meier",
    "logrank",
    "logrank_batch",
    "logrank_trend",
    "maximum_r2_binary",
    "maximum_r2_survival",
    "midranks",
    "net_benefit",
    "net_benefit_survival",
    "net_reclassification",
    "net_reclassification_survival",
    "observed_expected",
    "penalty_sequence",
    "permutation_interval",
    "permutation_p",
    "permutations",
    "precision_recall_curve",
    "proportional_hazards",
    "r2_from_c_statistic",
    "rcs_basis",
    "repeatability",
    "restricted_mean",
    "risk_classes",
    "risk_groups",
    "roc_curve",
    "spiegelhalter_test",
    "standardised_difference",
    "standardised_difference_of_counts",
    "survival_brier",
    "survival_slope",
    "survival_target",
    "time_dependent_auc_test",
    "uno_concordance",
    "uno_concordance_test",
    "valid_times",
    "validation_size",
    "weighted_logrank",
    "wilson",
    "youden_threshold",
]
