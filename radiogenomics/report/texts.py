"""The words of the page's tables: column → heading."""

from __future__ import annotations

from types import MappingProxyType

FLOW_COLUMNS = MappingProxyType(
    {
        "table": "table",
        "kind": "kind",
        "samples": "samples",
        "patients": "patients",
        "shared": "in all tables",
        "variables": "variables",
        "events": "events",
        "missing": "share missing",
    }
)
GENE_COLUMNS = MappingProxyType(
    {
        "gene": "gene",
        "hazard_ratio": "hazard ratio per SD",
        "low": "low",
        "high": "high",
        "p": "p",
        "n": "n",
        "events": "events",
    }
)
TISSUE_COLUMNS = MappingProxyType(
    {
        "gene": "gene",
        "tumour_mean": "mean in tumour",
        "normal_mean": "mean in normal tissue",
        "difference": "difference",
        "low": "low",
        "high": "high",
        "t": "t (Welch)",
        "p": "p",
        "fdr": "p adjusted (FDR)",
    }
)
SIGNATURE_COLUMNS = MappingProxyType(
    {"gene": "gene", "weights": "weight", "centre": "centre", "scale": "scale"}
)
LEARNER_COLUMNS = MappingProxyType(
    {
        "learner": "learner",
        "auc": "AUC",
        "low": "low",
        "high": "high",
        "brier": "Brier score",
        "calibration_intercept": "calibration intercept",
        "calibration_slope": "calibration slope",
        "n": "n",
        "positives": "positives",
    }
)
POINT_COLUMNS = MappingProxyType(
    {
        "threshold": "threshold",
        "metric": "metric",
        "value": "value",
        "low": "low",
        "high": "high",
        "n": "n",
    }
)
COMPARISON_COLUMNS = MappingProxyType(
    {
        "first": "learner",
        "second": "against",
        "difference": "difference of AUC",
        "low": "low",
        "high": "high",
        "p": "p (DeLong)",
        "n": "n",
    }
)
SITE_COLUMNS = MappingProxyType(
    {
        "variant": "features",
        "learnt_on": "learnt on",
        "metric": "metric",
        "value": "value",
        "low": "lowest 2.5 % of repeats",
        "high": "highest 2.5 %",
        "chance": "chance",
        "p": "p (permutation, two-sided)",
        "patients": "patients",
        "sites": "sites",
    }
)
HAZARD_COLUMNS = MappingProxyType(
    {
        "endpoint": "endpoint",
        "model": "model",
        "term": "term",
        "hazard_ratio": "hazard ratio",
        "low": "low",
        "high": "high",
        "p": "p",
        "p_logrank": "p (log-rank)",
        "n": "n",
        "events": "events",
        "left_out": "left out",
    }
)
FILTER_COLUMNS = MappingProxyType(
    {"filter": "filter", "alone": "genes that pass it", "together": "and all above"}
)
SCREEN_COLUMNS = MappingProxyType(
    {
        "gene": "gene",
        "cohorts": "cohorts",
        "hazard_ratio": "hazard ratio",
        "low": "low",
        "high": "high",
        "p": "p",
        "adjusted_p": "p adjusted (FDR)",
        "i2": "I²",
    }
)
SIZE_COLUMNS = MappingProxyType(
    {
        "size": "genes",
        "looked_at": "subsets tried",
        "ebic": "extended BIC",
        "concordance": "concordance left out",
        "concordance_se": "standard error",
        "shortfall": "short of the best",
        "shortfall_se": "its standard error",
        "taken": "taken",
    }
)
SUBSET_COLUMNS = MappingProxyType(
    {
        "rank": "rank",
        "genes": "genes",
        "log_likelihood": "log-likelihood",
        "gain": "gain over none",
        "concordance": "concordance (flattered)",
        "concordance_se": "standard error",
    }
)
STEP_COLUMNS = MappingProxyType(
    {
        "step": "step",
        "action": "what was done",
        "gene": "gene",
        "size": "genes",
        "log_likelihood": "log-likelihood",
        "criterion": "criterion",
    }
)
SEARCHED_COLUMNS = MappingProxyType(
    {
        "gene": "gene",
        "frequency": "share of halves",
        "both": "share of pairs, both",
        "importance": "loss of concordance",
        "se": "standard error",
        "lambda": "penalty",
        "genes": "genes",
        "deviance_ratio": "deviance explained",
        "loss": "loss left out",
        "loss_se": "its standard error",
        "taken": "taken",
    }
)
CHECK_COLUMNS = MappingProxyType(
    {"patient": "patient", "what": "what is odd", "value": "robust SD, or log2 difference"}
)
GRID_COLUMNS = MappingProxyType(
    {
        "selector": "selector",
        "learner": "learner",
        "concordance": "concordance",
        "se": "standard error",
        "genes": "genes (mean)",
        "failed": "folds failed",
    }
)
STABILITY_COLUMNS = MappingProxyType(
    {
        "gene": "gene",
        "genes": "genes together",
        "share": "share of repeats",
        "low": "low",
        "high": "high",
        "bootstraps": "repeats",
    }
)
HORIZON_COLUMNS = MappingProxyType(
    {
        "horizon": "months",
        "auc": "AUC",
        "low": "low",
        "high": "high",
        "n": "n",
        "events": "events",
    }
)
SUBGROUP_COLUMNS = MappingProxyType(
    {
        "subgroup": "subgroup",
        "level": "level",
        "n": "n",
        "events": "events",
        "hazard_ratio": "hazard ratio",
        "low": "low",
        "high": "high",
        "p": "p",
        "p_interaction": "p (interaction)",
        "note": "note",
    }
)
CONTRAST_COLUMNS = MappingProxyType(
    {
        "score": "score",
        "difference": "difference (SD)",
        "low": "low",
        "high": "high",
        "auc": "AUC",
        "p": "p",
        "fdr": "p adjusted (FDR)",
        "n_high": "n high",
        "n_low": "n low",
    }
)
ENRICHMENT_COLUMNS = MappingProxyType(
    {
        "set": "set",
        "nes": "normalised score",
        "p": "p",
        "fdr": "p adjusted (FDR)",
        "size": "genes",
        "leading_edge": "leading edge",
    }
)
DIFFERENTIAL_COLUMNS = MappingProxyType(
    {
        "gene": "gene",
        "log2_fold_change": "log2 fold change",
        "low": "low",
        "high": "high",
        "t": "t",
        "p": "p",
        "fdr": "p adjusted (FDR)",
    }
)
RESPONSE_COLUMNS = MappingProxyType(
    {
        "cohort": "cohort",
        "auc": "AUC",
        "low": "low",
        "high": "high",
        "p": "p",
        "n": "n",
        "responders": "responders",
    }
)
CELL_COLUMNS = MappingProxyType(
    {
        "gene": "gene",
        "cell_type": "cell type",
        "share": "share of cells",
        "mean": "mean",
        "log2_fold_change": "responders, log2 fold change",
        "p": "p",
        "fdr": "p adjusted (FDR)",
    }
)
CELL_SCORE_COLUMNS = MappingProxyType(
    {"cell_type": "cell type", "cells": "cells", "score": "mean score"}
)
SPREAD_COLUMNS = MappingProxyType(
    {
        "score": "score",
        "cohorts": "cohorts",
        "tau2": "τ²",
        "i2": "I²",
        "i2_low": "low",
        "i2_high": "high",
        "q_p": "p (heterogeneity)",
        "prediction_low": "in a further cohort, low",
        "prediction_high": "high",
    }
)
PROVENANCE_WORDS = MappingProxyType(
    {
        "paper": "from the paper",
        "abstract": "from the abstract",
        "code": "from the authors' code",
        "derived": "derived",
        "default": "by default",
        "plan": "by the plan",
    }
)
