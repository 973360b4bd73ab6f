"""Numbers without nouns: arrays in, arrays out, shared by all stages."""

from __future__ import annotations

from radiogenomics.stats.agreement.bland_altman import (
    bland_altman,
    concordance_correlation,
    repeatability,
)
from radiogenomics.stats.agreement.fleiss_kappa import fleiss_kappa
from radiogenomics.stats.agreement.icc import intraclass_correlation
from radiogenomics.stats.agreement.kappa import cohen_kappa, cohen_kappa_of_counts
from radiogenomics.stats.bootstrap import (
    bootstrap_auc,
    bootstrap_counts,
    bootstrap_estimate,
)
from radiogenomics.stats.classification.auc import (
    auc,
    auc_batch,
    delong,
    delong_test,
    delong_test_unpaired,
)
from radiogenomics.stats.classification.calibration import (
    brier,
    calibration_bins,
    calibration_in_the_large,
    calibration_line,
)
from radiogenomics.stats.classification.calibration_curve import (
    flexible_calibration,
)
from radiogenomics.stats.classification.calibration_tests import (
    expected_calibration_error,
    hosmer_lemeshow,
    spiegelhalter_test,
)
from radiogenomics.stats.classification.confusion import confusion
from radiogenomics.stats.classification.decision_curve import (
    net_benefit,
    net_benefit_survival,
)
from radiogenomics.stats.classification.precision_recall import (
    average_precision,
    precision_recall_curve,
)
from radiogenomics.stats.classification.reclassification import (
    integrated_discrimination,
    net_reclassification,
    net_reclassification_survival,
    risk_classes,
)
from radiogenomics.stats.classification.roc import roc_curve, youden_threshold
from radiogenomics.stats.design.sample_size import (
    development_size_binary,
    development_size_survival,
    maximum_r2_binary,
    maximum_r2_survival,
    r2_from_c_statistic,
)
from radiogenomics.stats.design.survival_validation_size import (
    predictor_of_c,
    predictor_of_d,
    survival_precision,
    survival_validation_size,
)
from radiogenomics.stats.design.validation_size import (
    c_statistic_error,
    validation_size,
)
from radiogenomics.stats.groups.fisher import fisher_exact
from radiogenomics.stats.groups.group_tests import compare_counts, compare_numbers
from radiogenomics.stats.groups.moderated_t import moderated_t
from radiogenomics.stats.groups.standardised_difference import (
    standardised_difference,
    standardised_difference_of_counts,
)
from radiogenomics.stats.inputs import (
    check_groups,
    check_labels,
    check_level,
    check_risk,
    check_scores,
    check_survival,
    survival_target,
)
from radiogenomics.stats.intervals import bootstrap_interval, clopper_pearson, wilson
from radiogenomics.stats.linear_models.elastic_net import (
    elastic_net_path,
    penalty_sequence,
)
from radiogenomics.stats.linear_models.elastic_net_choice import choose_penalty
from radiogenomics.stats.linear_models.network_penalty import (
    network_path,
    normalised_laplacian,
)
from radiogenomics.stats.linear_models.svm_elimination import eliminate
from radiogenomics.stats.linear_models.svm_plane import hinge_plane
from radiogenomics.stats.meta_analysis import meta_analysis
from radiogenomics.stats.multiplicity import adjust
from radiogenomics.stats.p_combination import fisher_combined, stouffer_combined
from radiogenomics.stats.permutation import permutation_interval, permutation_p, permutations
from radiogenomics.stats.ranks import midranks
from radiogenomics.stats.restricted_cubic_spline import default_knots, rcs_basis
from radiogenomics.stats.survival.baseline_hazard import baseline_hazard
from radiogenomics.stats.survival.bootstrap_survival import (
    bootstrap_concordance,
    bootstrap_time_dependent_auc,
)
from radiogenomics.stats.survival.competing_risks import cumulative_incidence
from radiogenomics.stats.survival.concordance import concordance, concordance_batch
from radiogenomics.stats.survival.concordance_difference import (
    concordance_test,
    concordance_test_unpaired,
    uno_concordance_test,
)
from radiogenomics.stats.survival.cox import CoxFit, fit_cox, fit_cox_batch
from radiogenomics.stats.survival.cox_screen import cox_screen
from radiogenomics.stats.survival.cox_survival import cox_survival
from radiogenomics.stats.survival.cutpoint_scan import cutpoint_scan
from radiogenomics.stats.survival.d_calibration import d_calibration
from radiogenomics.stats.survival.fine_gray import fit_fine_gray
from radiogenomics.stats.survival.gray import gray_test
from radiogenomics.stats.survival.heagerty_auc import (
    bootstrap_heagerty_auc,
    heagerty_auc,
    heagerty_auc_interval,
)
from radiogenomics.stats.survival.ipcw import censoring_curve
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier
from radiogenomics.stats.survival.logrank import logrank, logrank_batch
from radiogenomics.stats.survival.maximally_selected import (
    logrank_scores,
    maximally_selected,
)
from radiogenomics.stats.survival.pair_bound import (
    rank_pair_by_likelihood,
    rank_pair_by_score,
)
from radiogenomics.stats.survival.proportional_hazards import (
    proportional_hazards,
)
from radiogenomics.stats.survival.restricted_mean import (
    compare_restricted_means,
    restricted_mean,
)
from radiogenomics.stats.survival.subset_search import best_subsets
from radiogenomics.stats.survival.subset_validation import (
    choose_subset_size,
    left_out_concordance,
)
from radiogenomics.stats.survival.survival_brier import survival_brier
from radiogenomics.stats.survival.survival_calibration import (
    observed_expected,
    risk_groups,
    survival_slope,
)
from radiogenomics.stats.survival.survival_calibration_curve import (
    calibration_curve,
)
from radiogenomics.stats.survival.time_dependent_auc import (
    cumulative_dynamic_auc,
    time_dependent_auc_test,
)
from radiogenomics.stats.survival.time_dependent_roc import (
    time_dependent_roc,
    youden_threshold_at,
)
from radiogenomics.stats.survival.time_grid import valid_times
from radiogenomics.stats.survival.uno import uno_concordance
from radiogenomics.stats.survival.weighted_logrank import (
    logrank_trend,
    weighted_logrank,
)

__all__ = [
    "CoxFit",
    "adjust",
    "auc",
    "auc_batch",
    "average_precision",
    "baseline_hazard",
    "best_subsets",
    "bland_altman",
    "bootstrap_auc",
    "bootstrap_concordance",
    "bootstrap_counts",
    "bootstrap_estimate",
    "bootstrap_heagerty_auc",
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
    "choose_subset_size",
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
    "cox_screen",
    "cox_survival",
    "cumulative_dynamic_auc",
    "cumulative_incidence",
    "cutpoint_scan",
    "d_calibration",
    "default_knots",
    "delong",
    "delong_test",
    "delong_test_unpaired",
    "development_size_binary",
    "development_size_survival",
    "elastic_net_path",
    "eliminate",
    "expected_calibration_error",
    "fisher_combined",
    "fisher_exact",
    "fit_cox",
    "fit_cox_batch",
    "fit_fine_gray",
    "fleiss_kappa",
    "flexible_calibration",
    "gray_test",
    "heagerty_auc",
    "heagerty_auc_interval",
    "hinge_plane",
    "hosmer_lemeshow",
    "integrated_discrimination",
    "intraclass_correlation",
    "kaplan_meier",
    "left_out_concordance",
    "logrank",
    "logrank_batch",
    "logrank_scores",
    "logrank_trend",
    "maximally_selected",
    "maximum_r2_binary",
    "maximum_r2_survival",
    "meta_analysis",
    "midranks",
    "moderated_t",
    "net_benefit",
    "net_benefit_survival",
    "net_reclassification",
    "net_reclassification_survival",
    "network_path",
    "normalised_laplacian",
    "observed_expected",
    "penalty_sequence",
    "permutation_interval",
    "permutation_p",
    "permutations",
    "precision_recall_curve",
    "predictor_of_c",
    "predictor_of_d",
    "proportional_hazards",
    "r2_from_c_statistic",
    "rank_pair_by_likelihood",
    "rank_pair_by_score",
    "rcs_basis",
    "repeatability",
    "restricted_mean",
    "risk_classes",
    "risk_groups",
    "roc_curve",
    "spiegelhalter_test",
    "standardised_difference",
    "standardised_difference_of_counts",
    "stouffer_combined",
    "survival_brier",
    "survival_precision",
    "survival_slope",
    "survival_target",
    "survival_validation_size",
    "time_dependent_auc_test",
    "time_dependent_roc",
    "uno_concordance",
    "uno_concordance_test",
    "valid_times",
    "validation_size",
    "weighted_logrank",
    "wilson",
    "youden_threshold",
    "youden_threshold_at",
]
