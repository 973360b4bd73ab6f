"""The words of the page: titles and leads of its sections, headings of its tables."""

from __future__ import annotations

from types import MappingProxyType

SECTIONS = MappingProxyType(
    {
        "asked": ("What was asked", ""),
        "flow": (
            "Cohort flow",
            "Who was there to be studied. A patient counts in an analysis only with every table "
            "it needs.",
        ),
        "signature": (
            "The genes and the signature",
            "What the molecules say on their own, before any image is looked at.",
        ),
        "labels": (
            "Label distribution",
            "Score of each patient by the locked signature, and the class it gives. In "
            "cross-validation weights and cut-off are learnt anew in each training part, so the "
            "class of a patient near the cut-off may vary.",
        ),
        "performance": (
            "Performance",
            "A number counts as beyond chance only when its whole 95 % interval lies on the better "
            "side of chance and shuffled truth gives as much in at most one permutation of twenty.",
        ),
        "learners": (
            "Learners compared",
            "Whether the choice of learner mattered. The best of several, picked afterwards, looks "
            "better than it is.",
        ),
        "roc": (
            "ROC",
            "Sensitivity against its price in false alarms, from predictions of patients held out.",
        ),
        "calibration": (
            "Calibration",
            "Whether a predicted 30 % happens in 30 of 100. On the diagonal it does; below it, "
            "predictions are too high.",
        ),
        "utility": (
            "Clinical utility",
            "Net benefit of treating by the prediction, beside treating everybody and nobody, over "
            "the probabilities at which one would treat. It asks for calibrated probabilities.",
        ),
        "nulls": (
            "Null distributions",
            "Grey: what the same procedure finds when the truth is shuffled among patients. The "
            "orange line is what it found with the truth in place.",
        ),
        "selection": (
            "Selected features",
            "Features are chosen again in every training part. One that comes and goes depends on "
            "who happened to be in it.",
        ),
        "prognosis": (
            "Prognosis in the discovery cohort",
            "Survival of patients by what was predicted while they were held out: by the molecular "
            "signature, by the image surrogate, or by both. High is higher risk.",
        ),
        "external": (
            "External validation",
            "The locked model and its locked cut-off in patients who took no part in making them.",
        ),
        "settings": (
            "Settings",
            "Where each value comes from. A default stands in for what is not public: it is our "
            "choice, not the study's.",
        ),
        "provenance": (
            "Provenance",
            "Two results with the same hashes, versions and seed come from the same work.",
        ),
        "remarks": ("Warnings and remarks", ""),
    }
)
"""Anchor → title and lead, in the order of the page."""

FLOW_COLUMNS = MappingProxyType(
    {
        "table": "table",
        "kind": "kind",
        "samples": "samples",
        "patients": "patients",
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
PROVENANCE_WORDS = MappingProxyType(
    {
        "paper": "from the paper",
        "abstract": "from the abstract",
        "code": "from the authors' code",
        "derived": "derived",
        "default": "by default",
    }
)
