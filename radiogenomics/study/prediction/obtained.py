"""What a run obtained, in the words of claims, and both side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.claims_compared import compared
from radiogenomics.study.prediction.claims_places import stand_of
from radiogenomics.study.prediction.not_computed import reasons
from radiogenomics.study.prediction.obtained_scores import (
    FORETOLD,
    foretold_row,
    group_rows,
    point_rows,
    pooled_auc_row,
)
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.results import Results

COLUMNS = ("metric", "model", "split", "value", "low", "high", "chance", "p", "n", "positives")
SAME: Mapping[str, str] = MappingProxyType(
    {
        "sensitivity": "sensitivity",
        "specificity": "specificity",
        "brier": "brier",
        "c_index": "c_index",
        "hr_high_vs_low": "hazard_ratio",
    }
)
OF_SCORE = "score"


def with_claims(results: Results, study: PredictionStudy, claims: pd.DataFrame) -> Results:
    """Return results with the tables of claims beside what was obtained."""
    findings = results.findings
    parts = {
        name: (part.patients.value, part.positives.value) for name, part in study.design.items()
    }
    obtained = with_asked(obtained_table(findings, study), findings, study=study, claims=claims)
    table = compared(claims, obtained, parts=parts, reason=reasons(findings, study))
    return replace(results, findings=replace(findings, tables={**findings.tables, "claims": table}))


def obtained_table(findings: Findings, study: PredictionStudy) -> pd.DataFrame:
    """Every number of a run that a paper might have claimed.

    Returns
    -------
    DataFrame
        ``metric, model, split, value, low, high, chance, p, n, positives``; empty cells where a
        number has none of these.
    """
    headline = study.models[0].name
    rows = [*_learners(findings), *_concordances(findings), *_metrics(findings, headline)]
    rows += _over_time(findings, headline)
    rows += _responses(findings, headline)
    rows += [*point_rows(findings, study), *group_rows(findings, study)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def with_asked(
    obtained: pd.DataFrame, findings: Findings, *, study: PredictionStudy, claims: pd.DataFrame
) -> pd.DataFrame:
    """Add what is made for a claim alone: AUCs of cohorts together, and pseudoprogression."""
    splits = [split for split in obtained["split"].unique() if " " not in split]
    rows = []
    for claim in claims.drop_duplicates(["metric", "model", "split"]).itertuples():
        stand = stand_of(str(claim.split), splits, parts=tuple(study.design))
        if not claim.split or stand.why or stand.group:
            continue
        if claim.metric == FORETOLD:
            rows.append(foretold_row(findings, study, stand))
        if claim.metric == "auc" and len(stand.splits) > 1:
            rows.append(pooled_auc_row(findings, str(claim.model), stand))
    made = pd.DataFrame([row for row in rows if row is not None], columns=list(COLUMNS))
    return obtained if made.empty else pd.concat([obtained, made], ignore_index=True)


def _learners(findings: Findings) -> Iterator[dict[str, object]]:
    for name in ("learners", "external_learners"):
        table = findings.tables.get(name, pd.DataFrame())
        for row in table.to_dict("records"):
            yield {
                "metric": "auc",
                "model": row["learner"],
                **{key: row[key] for key in ("split", "low", "high", "chance", "n", "positives")},
                "value": row["auc"],
                "p": _p_of(findings, row["split"]) if row["headline"] else None,
            }


def _concordances(findings: Findings) -> Iterator[dict[str, object]]:
    """Models beside the headline, whose own number is among the metrics."""
    table = findings.tables.get("concordances", pd.DataFrame())
    for row in table.to_dict("records"):
        if not row["headline"]:
            yield {
                "metric": "c_index",
                "model": row["learner"],
                **{key: row[key] for key in ("split", "low", "high", "chance", "n")},
                "value": row["c_index"],
                "p": row.get("p"),
                "positives": row["events"],
            }


def _p_of(findings: Findings, split: str) -> float | None:
    metric = findings.metric("auc", split=split)
    return None if metric is None else metric.p_permutation


def _metrics(findings: Findings, headline: str) -> Iterator[dict[str, object]]:
    for metric in findings.metrics:
        name, colon, endpoint = metric.name.partition(":")
        if name in SAME:
            yield {
                "metric": f"{SAME[name]}{colon}{endpoint}",
                "model": headline,
                "split": metric.split,
                "value": metric.value,
                "low": metric.low,
                "high": metric.high,
                "chance": metric.chance,
                "p": metric.p_permutation,
                "n": metric.n,
                "positives": metric.events,
            }


def _over_time(findings: Findings, headline: str) -> Iterator[dict[str, object]]:
    table = findings.tables.get("time_dependent_auc", pd.DataFrame())
    for row in table.to_dict("records"):
        yield {
            "metric": f"td_auc@{row['horizon']:g}:{row['endpoint']}",
            "model": headline if row["model"] == OF_SCORE else row["model"],
            "split": row["split"],
            "value": row["auc"],
            "low": row["low"],
            "high": row["high"],
            "chance": 0.5,
            "n": row["n"],
            "positives": row["events"],
        }


def _responses(findings: Findings, headline: str) -> Iterator[dict[str, object]]:
    table = findings.tables.get("response_by_score", pd.DataFrame())
    for row in table.to_dict("records"):
        yield {
            "metric": f"response_rate_{row['group']}",
            "model": headline,
            "split": row["split"],
            "value": row["rate"],
            "low": row["low"],
            "high": row["high"],
            "p": row["p"],
            "n": row["n"],
            "positives": row["responders"],
        }
