"""Why a run has no number that a claim could be held against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.claims import CROSS_VALIDATION, metric_of
from radiogenomics.study.prediction.claims_places import Stand
from radiogenomics.study.prediction.labels import SurvivalLabel, TimeLabel
from radiogenomics.study.prediction.obtained_scores import FORETOLD, POINTS
from radiogenomics.study.prediction.schema import PredictionStudy

SURVIVAL = ("c_index", "hazard_ratio", "median_survival_high", "median_survival_low")


def reasons(findings: Findings, study: PredictionStudy) -> Callable[[Any, Stand], str]:
    """Return what says why a claim stands against nothing, "" where no reason is known."""

    def reason(claim: Any, stand: Stand) -> str:
        metric, endpoint = metric_of(claim.metric), claim.metric.partition(":")[2]
        if metric == FORETOLD:
            return "nobody progressed and lived on there, or it was not looked at"
        if metric == "auc" and endpoint:
            return _other_label(study, endpoint)
        if stand.group:
            return _group(findings, stand)
        if len(stand.splits) > 1:
            return "of several cohorts together only the AUC of locked models is made"
        if metric == "td_auc":
            return _left_out(findings, claim.metric, stand)
        if metric in POINTS:
            return _point(study, claim.model, stand)
        if metric in SURVIVAL or metric == "brier":
            return _of_headline(study, claim, metric)
        return ""

    return reason


def _other_label(study: PredictionStudy, endpoint: str) -> str:
    label = study.label
    own = label.endpoint.value if isinstance(label, SurvivalLabel | TimeLabel) else label.name
    return f"the label is of {own} here; one of {endpoint} is another recipe"


def _group(findings: Findings, stand: Stand) -> str:
    if len(stand.splits) > 1:
        return "subgroups are held apart cohort by cohort, not in several together"
    table = findings.tables.get("subgroup_auc", pd.DataFrame(columns=["split"]))
    rows = table[table["split"] == stand.splits[0]]
    if rows.empty:
        return f"no subgroups in {stand.splits[0]}"
    levels = (rows["subgroup"] + "=" + rows["level"].astype(str)).tolist()
    return f"no subgroup {stand.group} in {stand.splits[0]}, but {', '.join(levels)}"


def _left_out(findings: Findings, metric: str, stand: Stand) -> str:
    """What the run itself says of an AUC over time that it left out."""
    months, _, endpoint = metric.partition("@")[2].partition(":")
    place = f"{stand.split}, {endpoint}: "
    for _, text in findings.notes:
        if text.startswith(place) and f"left out at {months} months" in text:
            return text.rstrip(".")
    return ""


def _point(study: PredictionStudy, model: str, stand: Stand) -> str:
    """Of what the threshold does to patients."""
    headline, learnt = study.models[0].name, isinstance(study.evaluation.threshold.value, str)
    if isinstance(study.label, TimeLabel):
        return "a time is foretold, not two classes"
    if model in {rival.name for rival in study.rivals}:
        return f"{model} gives no probabilities to cut"
    if learnt and model != headline:
        return f"the threshold is learnt for {headline} alone"
    if learnt and stand.splits == (CROSS_VALIDATION,):
        return "the threshold was learnt on these patients' own scores; other cohorts are cut by it"
    return ""


def _of_headline(study: PredictionStudy, claim: Any, metric: str) -> str:
    headline = study.models[0].name
    if metric.startswith("median_survival"):
        return "survival is compared by hazard ratios, not by medians"
    if claim.model != headline:
        return f"{claim.metric} is made of {headline} alone"
    return ""
