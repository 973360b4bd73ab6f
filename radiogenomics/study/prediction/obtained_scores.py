"""Numbers that papers claim and that a run's scores and read-outs answer only when asked.

Operating points of every model, the AUC of a level of a fact, that of several cohorts together, and
how many of those who lived on after progression were called well.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import OutcomeError, RadiogenomicsWarning
from radiogenomics.evaluation import auc_metric
from radiogenomics.evaluation.thresholds import operating_point_table
from radiogenomics.stats import wilson
from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.claims import CROSS_VALIDATION
from radiogenomics.study.prediction.claims_places import Stand, grouped
from radiogenomics.study.prediction.labels import TimeLabel
from radiogenomics.study.prediction.schema import PredictionStudy

# Sensitivity and specificity of the headline are metrics of the run.
SHARES = ("accuracy", "ppv", "npv")
POINTS = ("sensitivity", "specificity", *SHARES)
FORETOLD = "pseudoprogression_foretold"
SCORES = ("patient_id", "repeat", "label", "score")


def point_rows(findings: Findings, study: PredictionStudy) -> Iterator[dict[str, object]]:
    """Operating points: of the headline as the run has them, of other models where they are cut.

    A threshold that the recipe fixes cuts every model; one that is learnt is the headline's own.
    """
    headline, *others = [model.name for model in study.models]
    table = findings.tables.get("operating_points", pd.DataFrame(columns=["metric"]))
    for row in table[table["metric"].isin(SHARES)].to_dict("records"):
        yield _point(row, headline)
    threshold = study.evaluation.threshold.value
    if isinstance(threshold, str) or isinstance(study.label, TimeLabel):
        return
    scores = _scores(findings)
    for (split, model), rows in scores[scores["model"].isin(others)].groupby(["split", "model"]):
        for point in _points(rows, threshold, str(split)):
            yield _point(point, str(model))


def group_rows(findings: Findings, study: PredictionStudy) -> Iterator[dict[str, object]]:
    """AUC of the headline within each level of a fact."""
    table = findings.tables.get("subgroup_auc", pd.DataFrame())
    for row in table.to_dict("records"):
        yield {
            "metric": "auc",
            "model": study.models[0].name,
            "split": grouped(row["split"], f"{row['subgroup']}={row['level']}"),
            "value": row["auc"],
            **{name: row[name] for name in ("low", "high", "n", "positives")},
            "chance": 0.5,
        }


def pooled_auc_row(findings: Findings, model: str, stand: Stand) -> dict[str, object] | None:
    """AUC of a locked model in several cohorts together; None where one of them has no scores."""
    scores = _scores(findings)
    rows = scores[(scores["model"] == model) & scores["split"].isin(stand.splits)]
    if CROSS_VALIDATION in stand.splits or rows["split"].nunique() < len(stand.splits):
        return None
    names = rows["cohort"].astype(str) + "/" + rows["patient_id"].astype(str)
    try:
        found = auc_metric(rows.assign(patient_id=names)[list(SCORES)], split=stand.split)
    except OutcomeError:
        return None
    return {
        "metric": "auc",
        "model": model,
        "split": stand.split,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "chance": found.chance,
        "n": found.n,
        "positives": found.events,
    }


def foretold_row(
    findings: Findings, study: PredictionStudy, stand: Stand
) -> dict[str, object] | None:
    """Share called well among those who progressed by the criteria and lived on.

    None where nobody did, or where a cohort was not looked at.
    """
    table = findings.tables.get("pseudoprogression_summary", pd.DataFrame(columns=["split"]))
    rows = table[table["split"].isin(stand.splits)]
    if rows["split"].nunique() < len(stand.splits):
        return None
    well = "high" if study.label.meaning.value == "better" else "low"
    lived = int(rows["survived"].sum())
    if not lived:
        return None
    called = int(rows.loc[rows["called"] == well, "survived"].sum())
    low, high = wilson(called, lived)
    return {
        "metric": FORETOLD,
        "model": study.models[0].name,
        "split": stand.split,
        "value": called / lived,
        "low": float(low),
        "high": float(high),
        "n": lived,
        "positives": called,
    }


def _scores(findings: Findings) -> pd.DataFrame:
    """Scores of all models and rivals, of the patients whose class is known."""
    columns = ["cohort", "split", "model", *SCORES]
    table = findings.tables.get("model_scores", pd.DataFrame(columns=columns))
    return table[table["label"].notna()]


def _points(rows: pd.DataFrame, threshold: float, split: str) -> Sequence[Mapping[Any, Any]]:
    if rows["label"].nunique() < 2:
        return []
    with warnings.catch_warnings():
        # That it calls nobody is in the numbers themselves.
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        table, _ = operating_point_table(rows, threshold, split=split)
    return table[table["metric"].isin(POINTS)].to_dict("records")


def _point(row: Mapping[Any, Any], model: str) -> dict[str, object]:
    names = ("metric", "split", "value", "low", "high", "n")
    return {"model": model, "positives": np.nan, **{name: row[name] for name in names}}
