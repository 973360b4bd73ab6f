"""Pictures of a prediction study: models beside each other, survival, what the model looks at."""

from __future__ import annotations

import numpy as np
import pandas as pd

from radiogenomics.plots import draw_forest, draw_nomogram, draw_time_dependent_auc
from radiogenomics.plots.estimates import draw_estimates
from radiogenomics.plots.group_shares import draw_group_shares
from radiogenomics.plots.model_forest import draw_model_forest
from radiogenomics.plots.style import interval, records
from radiogenomics.report.content import ReportContent
from radiogenomics.report.drawings import Pictures, by_split, ratios
from radiogenomics.report.embed import Picture, picture
from radiogenomics.report.vocabulary import CROSS_VALIDATION, EXTERNAL, split_words

CHANCE = 0.5
ROUND = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
"""Probabilities that the foot of a nomogram may be marked with."""


def place_words(content: ReportContent, split: str) -> str:
    """Say briefly where something was measured; parts of a design go by their own name."""
    where, joint, endpoint = split.partition(", ")
    if where == CROSS_VALIDATION:
        where = f"{content.cohorts[0]}, out of fold" if content.cohorts else "out of fold"
    where = where.removeprefix(EXTERNAL).removeprefix(f"{content.study}-")
    return f"{where}{joint}{endpoint}"


def every_model(content: ReportContent) -> pd.DataFrame | None:
    """Models and rivals of every split, with what the recipe says of them."""
    parts = [
        part.assign(split=part["split"] if "split" in part else CROSS_VALIDATION)
        for name in ("learners", "external_learners")
        if (part := content.table(name)) is not None
    ]
    if not parts:
        return None
    whole = pd.concat(parts, ignore_index=True)
    rivals = content.recipe_fields.get("rivals")
    names = [str(r.get("name")) for r in rivals or () if isinstance(r, dict)]
    headline = whole["headline"].eq(True) if "headline" in whole else False
    return whole.assign(rival=whole["learner"].isin(names), headline=headline)


def model_pictures(content: ReportContent) -> Pictures:
    """AUC of every model and rival in every split, in one picture."""
    models = every_model(content)
    if models is None or models["auc"].isna().all():
        return ()
    places = models["split"].map(lambda split: place_words(content, split))
    rows = models.assign(value=models["auc"], split=places)
    words = "; ".join(
        f"{r.learner}, {r.split} {interval(r.auc, r.low, r.high)}" for r in records(rows)
    )
    hollow = " Hollow: what nobody trained." if rows["rival"].any() else ""
    return (
        picture(
            draw_model_forest(rows),
            alt=f"AUC of models: {words}.",
            caption=f"AUC of each model in each cohort; bold: named beforehand.{hollow}",
            table="learners" if content.table("learners") is not None else "external_learners",
        ),
    )


def concordance_pictures(content: ReportContent) -> Pictures:
    """C-index of every model and rival in every split, in one picture."""
    risks = content.table("concordances")
    if risks is None or risks["c_index"].isna().all():
        return ()
    places = risks["split"].map(lambda split: place_words(content, split))
    rows = risks.assign(value=risks["c_index"], split=places)
    words = "; ".join(
        f"{r.learner}, {r.split} {interval(r.c_index, r.low, r.high)}" for r in records(rows)
    )
    return (
        picture(
            draw_model_forest(rows, name="C-index"),
            alt=f"C-index of models: {words}.",
            caption="C-index of each model in each cohort; bold: named beforehand.",
            table="concordances",
        ),
    )


def hazard_pictures(content: ReportContent, hazards: pd.DataFrame | None) -> Pictures:
    """Hazard ratios of every split, one picture an endpoint."""
    if hazards is None or not (hazards["hazard_ratio"] > 0).any():
        return ()
    known = hazards[hazards["hazard_ratio"] > 0]
    endpoints = known["endpoint"] if "endpoint" in known else pd.Series("", index=known.index)
    found: list[Picture] = []
    for endpoint, part in known.groupby(endpoints, sort=False):
        places = [
            place_words(content, split.removesuffix(f", {endpoint}")).partition(",")[0]
            for split in part["split"]
        ]
        rows = part.assign(term=[f"{p}: {t}" for p, t in zip(places, part["term"], strict=True)])
        found.append(
            picture(
                draw_forest(rows, title=str(endpoint) or None),
                alt=f"Hazard ratios, {endpoint}: {ratios(rows)}.",
                caption=f"Cox hazard ratios, {endpoint or 'survival'}; above 1 is worse.",
                table="hazard_ratios",
            )
        )
    return tuple(found)


def horizon_pictures(content: ReportContent) -> Pictures:
    """AUC over time of the score and the survival models, one picture a split and endpoint."""
    found: list[Picture] = []
    for split, rows in by_split(content, "time_dependent_auc"):
        endpoints = rows["endpoint"] if "endpoint" in rows else pd.Series("", index=rows.index)
        for endpoint, part in rows[rows["auc"].notna()].groupby(endpoints, sort=False):
            where = split_words(split) + (f", {endpoint}" if endpoint else "")
            known = part.rename(columns={"horizon": "time", "model": "learner"})
            words = "; ".join(
                f"{getattr(r, 'learner', '')} {r.time:g} months {interval(r.auc, r.low, r.high)}"
                for r in records(known)
            )
            found.append(
                picture(
                    draw_time_dependent_auc(known, title=where),
                    alt=f"AUC over time, {where}: {words}.",
                    caption=f"AUC for the event by each time, {where}; bands: 95 % at each.",
                    table="time_dependent_auc",
                )
            )
    return tuple(found)


def cox_pictures(content: ReportContent) -> Pictures:
    """Concordance of the survival models in every split, one picture an endpoint."""
    table = content.table("cox_models")
    if table is None:
        return ()
    found: list[Picture] = []
    for endpoint, part in table[table["c_index"].notna()].groupby("endpoint", sort=False):
        rows = part.assign(
            learner=part["model"],
            value=part["c_index"],
            split=[place_words(content, split) for split in part["split"]],
        )
        words = "; ".join(
            f"{r.learner}, {r.split} {interval(r.value, r.low, r.high)}" for r in records(rows)
        )
        found.append(
            picture(
                draw_model_forest(rows, name=f"C-index, {endpoint}"),
                alt=f"C-index of survival models, {endpoint}: {words}.",
                caption=f"C-index of each survival model, {endpoint}.",
                table="cox_models",
            )
        )
    return tuple(found)


def nomogram_pictures(content: ReportContent) -> Pictures:
    """One nomogram a model that has points and totals."""
    points, totals = content.table("nomogram_points"), content.table("nomogram_totals")
    if points is None or totals is None:
        return ()
    found: list[Picture] = []
    for model, part in points.groupby("model", sort=False):
        below = totals[totals["model"] == model]
        scales = round_totals(below)
        if scales.empty:
            continue
        terms = ", ".join(part["term"].unique())
        found.append(
            picture(
                draw_nomogram(_variables(part), scales, title=str(model)),
                alt=f"Nomogram of {model}: points of {terms}, and survival by their sum.",
                caption=f"{model}: read the points of each value upwards, add them up, and read "
                "the probability to live on below their total. Of the cohort learnt from.",
                table="nomogram_points",
            )
        )
    return tuple(found)


def _variables(points: pd.DataFrame) -> pd.DataFrame:
    """Rulers with numbers where all values of a term are numbers, and levels where not."""
    parts = []
    for term, part in points.groupby("term", sort=False):
        numbers = pd.to_numeric(part["value"], errors="coerce")
        values = part["value"] if numbers.isna().any() else numbers
        parts.append(part.assign(variable=str(term), value=values.astype(object)))
    return pd.concat(parts)


def round_totals(totals: pd.DataFrame) -> pd.DataFrame:
    """Totals of points at round probabilities, which is what the foot of a nomogram is marked with.

    A table of round probabilities is taken as it is. Between the totals of another the log of the
    cumulative hazard is a straight line in a Cox model, so that nothing is lost.

    Examples
    --------
    >>> table = pd.DataFrame({"horizon": 12.0, "points": [0, 100], "survival": [0.901, 0.5003]})
    >>> round_totals(table)[["outcome", "probability"]].values.tolist()[-1]
    ['survival at 12 months', 0.9]
    """
    parts = []
    for horizon, part in totals.groupby("horizon", sort=False):
        inside = part[(part["survival"] > 0) & (part["survival"] < 1)]
        if len(inside):
            found = _round_marks(inside["points"], inside["survival"])
            parts.append(found.assign(outcome=f"survival at {horizon:g} months"))
    whole = pd.concat(parts) if parts else pd.DataFrame(columns=["total_points", "probability"])
    return whole.reset_index(drop=True)


def _round_marks(points: pd.Series, survival: pd.Series) -> pd.DataFrame:
    """Totals and round probabilities of one horizon."""
    chances = survival.to_numpy(dtype=float)
    if np.allclose(chances, chances.round(3), rtol=0, atol=1e-12):
        return pd.DataFrame({"total_points": points, "probability": chances.round(3)})
    order = np.argsort(-chances, kind="stable")
    hazard = np.log(-np.log(chances[order]))
    wanted = np.array([p for p in ROUND if chances.min() <= p <= chances.max()])
    places = np.interp(np.log(-np.log(wanted)), hazard, points.to_numpy(dtype=float)[order])
    return pd.DataFrame({"total_points": places, "probability": wanted})


def subgroup_auc_pictures(content: ReportContent) -> Pictures:
    """AUC within kinds of patients, one picture a split."""
    found: list[Picture] = []
    for split, part in by_split(content, "subgroup_auc"):
        known = part[part["auc"].notna()]
        if known.empty:
            continue
        where = split_words(split)
        rows = known.assign(
            value=known["auc"],
            heading=known["subgroup"],
            label=[f"{r.level} ({r.positives:g} of {r.n:g})" for r in records(known)],
        )
        words = "; ".join(
            f"{r.subgroup} {r.level} {interval(r.auc, r.low, r.high)}" for r in records(rows)
        )
        found.append(
            picture(
                draw_estimates(rows, name="AUC (95 % interval)", chance=CHANCE, title=where),
                alt=f"AUC in subgroups, {where}: {words}.",
                caption=f"AUC in each subgroup, {where}; in brackets: class 1 of patients.",
                table="subgroup_auc",
            )
        )
    return tuple(found)


def response_pictures(content: ReportContent) -> Pictures:
    """Responders by high and low score, one picture a response."""
    table = content.table("response_by_score")
    if table is None:
        return ()
    found: list[Picture] = []
    for outcome, part in table.groupby("outcome", sort=False):
        rows = _in_places(content, part.rename(columns={"responders": "count", "rate": "share"}))
        found.append(
            picture(
                draw_group_shares(rows, name="share of responders", title=str(outcome)),
                alt=f"Responders, {outcome}: {_shares(rows)}.",
                caption=f"{outcome}: share of responders by the score, with 95 % intervals.",
                table="response_by_score",
            )
        )
    return tuple(found)


def progression_pictures(content: ReportContent) -> Pictures:
    """Who lived on among patients with progression, by what the score called them."""
    table = content.table("pseudoprogression_summary")
    if table is None or table["share"].isna().all():
        return ()
    known = table.assign(
        group=table["called"], count=table["survived"], n=table["progressive"] - table["unknown"]
    )
    rows = _in_places(content, known[known["n"] > 0])
    return (
        picture(
            draw_group_shares(rows, name="share that lived on"),
            alt=f"Patients with progression who lived on: {_shares(rows)}.",
            caption="Patients with progression by the criteria: who lived on, of those known.",
            table="pseudoprogression_summary",
        ),
    )


def _in_places(content: ReportContent, rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(split=[place_words(content, split) for split in rows["split"]])


def _shares(rows: pd.DataFrame) -> str:
    named = rows.rename(columns={"count": "counted"})
    return "; ".join(f"{r.split}, {r.group} {r.counted:g} of {r.n:g}" for r in records(named))
