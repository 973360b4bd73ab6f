"""The words of a prediction study's tables: column → heading."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from radiogenomics.report.texts import LEARNER_COLUMNS

DESIGN_COLUMNS = MappingProxyType(
    {
        "part": "part",
        "cohort": "cohort",
        "patients": "patients",
        "labelled": "with the label",
        "positives": "class 1",
        "sites": "sites",
    }
)
FOLLOW_UP_COLUMNS = MappingProxyType(
    {
        "split": "cohort",
        "patients": "patients",
        "with_follow_up": "scanned again",
        "by_baseline_model": "scored by the baseline model",
    }
)
MODEL_COLUMNS = MappingProxyType(
    {
        "learner": "model",
        **{name: words for name, words in LEARNER_COLUMNS.items() if name != "learner"},
        "positives": "class 1",
    }
)
CONCORDANCE_COLUMNS = MappingProxyType(
    {
        "learner": "model",
        "c_index": "C-index",
        "low": "low",
        "high": "high",
        "p": "p",
        "n": "n",
        "events": "events",
    }
)
PAIRED_COLUMNS = MappingProxyType(
    {
        "first": "model",
        "second": "against",
        "interval": "difference (95 %)",
        "p": "p (paired)",
        "n": "n",
    }
)
COX_COLUMNS = MappingProxyType(
    {
        "endpoint": "endpoint",
        "model": "model",
        "terms": "terms",
        "c_index": "C-index",
        "low": "low",
        "high": "high",
        "n": "n",
        "events": "events",
    }
)
SUBGROUP_AUC_COLUMNS = MappingProxyType(
    {
        "subgroup": "subgroup",
        "level": "level",
        "auc": "AUC",
        "low": "low",
        "high": "high",
        "n": "n",
        "positives": "class 1",
        "p_interaction": "p (interaction)",
    }
)
RATE_COLUMNS = MappingProxyType(
    {
        "outcome": "response",
        "group": "score",
        "responders": "responders",
        "n": "n",
        "rate": "share",
        "low": "low",
        "high": "high",
        "p": "p (Fisher)",
    }
)
PROGRESSION_COLUMNS = MappingProxyType(
    {
        "called": "score",
        "progressive": "with progression",
        "survived": "lived on",
        "died_before": "died before",
        "unknown": "not known",
        "share": "share that lived on",
        "low": "low",
        "high": "high",
        "km": "Kaplan-Meier",
    }
)
PROGRESSED_COLUMNS = MappingProxyType(
    {
        "patient": "patient",
        "called": "called",
        "score": "score",
        "category": "by the criteria",
        "months": "months",
        "event": "died",
        "happened": "what happened",
    }
)
CHECKED_COLUMNS = MappingProxyType(
    {
        "quantity": "quantity",
        "split": "where",
        "assumed": "AUC assumed",
        "source": "where it is from",
        "number": "number",
        "low": "possible from",
        "high": "to",
        "chance_low": "chance from",
        "chance_high": "to",
        "note": "note",
    }
)
CLAIM_COLUMNS = MappingProxyType(
    {
        "claim": "published number",
        "n": "n",
        "claimed_interval": "claimed",
        "possible": "possible at that n",
        "chance": "by chance",
        "obtained_interval": "obtained",
        "verdict": "claimed against obtained",
    }
)
FLATTERY_COLUMNS = MappingProxyType(
    {
        "procedure": "procedure",
        "auc": "AUC claimed",
        "low": "low",
        "high": "high",
        "width": "width",
        "auc_on_noise": "AUC on shuffled labels",
        "flaw": "what is wrong",
    }
)
CLAIMED = MappingProxyType(
    {
        "auc": "AUC",
        "auc_response": "AUC of response",
        "c_index": "C-index",
        "td_auc": "AUC over time",
        "hazard_ratio": "hazard ratio",
        "ppv": "positive predictive value",
        "npv": "negative predictive value",
        "brier": "Brier score",
        "response_rate_high": "responders, high",
        "response_rate_low": "responders, low",
        "pseudoprogression_foretold": "pseudoprogression called well",
        "median_survival_high": "median survival, high",
        "median_survival_low": "median survival, low",
        "cut_off": "cut-off",
    }
)
"""Metrics of claims in words; those that are not here are words already."""
BOUNDS = MappingProxyType({">": "more than", "<": "less than"})
PROCEDURES = MappingProxyType(
    {
        "nested": "nested, as here",
        "pooled_selection": "selection on all patients",
        "test_set_tuning": "tuned on tested patients",
        "cv_percentile_interval": "percentiles of splits",
        "apparent_percentile_interval": "percentiles of fits",
    }
)
"""Procedures of the flattery table in words; those joined by ``+`` go together."""


def metric_words(metric: str) -> str:
    """Say in words what a claim is of.

    Examples
    --------
    >>> metric_words("td_auc@12:OS"), metric_words("auc"), metric_words("c_index:PFS")
    ('AUC over time, 12 months, OS', 'AUC', 'C-index, PFS')
    """
    whole, _, endpoint = metric.partition(":")
    base, _, months = whole.partition("@")
    parts = [CLAIMED.get(base, base.replace("_", " ")), months and f"{months} months", endpoint]
    return ", ".join(part for part in parts if part)


def claim_words(claim: Any) -> str:
    """Name a claim by model, part and, where it is no AUC, metric: a row with these fields.

    Of a bound it says that the value is one.
    """
    metric = "" if claim.metric == "auc" else metric_words(claim.metric)
    named = ", ".join(part for part in (claim.model, claim.split, metric) if part) or "AUC"
    bound = BOUNDS.get(bound_of(claim))
    return f"{named} (a bound: {bound})" if bound else named


def bound_of(claim: Any) -> str:
    """Return ``>`` or ``<`` of a claim that is a bound, else nothing; an empty cell may be NaN."""
    bound = getattr(claim, "bound", "")
    return bound if isinstance(bound, str) else ""


def procedure_words(procedure: str) -> str:
    """Say in words what a procedure of the flattery table does.

    Examples
    --------
    >>> procedure_words("pooled_selection+test_set_tuning")
    'selection on all patients, tuned on tested patients'
    """
    return ", ".join(PROCEDURES.get(part, part) for part in procedure.split("+"))
