"""Pictures of what a model looks at, in all patients and in single ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from radiogenomics.plots import draw_shap_force, draw_shap_summary
from radiogenomics.plots.patient_card import PSEUDONYM
from radiogenomics.plots.style import records
from radiogenomics.report.content import ReportContent
from radiogenomics.report.drawings import Pictures
from radiogenomics.report.embed import Picture, picture

LOG_ODDS = "log-odds of the score"
SUMMARY, FORCE, MOST_PATIENTS = 15, 7, 6
EDGE = 1e-6


def shown_names(patients: pd.Series) -> pd.Series:
    """Pseudonyms as they are; whatever else stands for a patient becomes a number of its own.

    Examples
    --------
    >>> shown_names(pd.Series(["Jane", "0123456789ab", "Jane"])).tolist()
    ['no. 1', '0123456789ab', 'no. 1']
    """
    others = [p for p in patients.unique() if not PSEUDONYM.fullmatch(str(p))]
    names = {patient: f"no. {place}" for place, patient in enumerate(others, start=1)}
    return patients.map(lambda patient: names.get(patient, patient))


def explained(content: ReportContent) -> pd.DataFrame | None:
    """Contributions as figures take them, with base and output where the table has none.

    The output is then the log-odds of the score, and the base what the contributions leave of it.
    """
    whole = content.table("explanation")
    if whole is None:
        return None
    table: pd.DataFrame = whole[np.isfinite(whole["contribution"].to_numpy(dtype=float))]
    if table.empty:
        return None
    keys = [table["cohort"], table["patient"]]
    if not {"base", "output"} <= set(table):
        score = table["score"].clip(EDGE, 1 - EDGE)
        output = np.log(score / (1 - score))
        base = output - table["contribution"].groupby(keys).transform("sum")
        table = table.assign(base=base, output=output)
    scale = table["scale"] if "scale" in table else LOG_ODDS
    return table.assign(patient=shown_names(table["patient"]), scale=scale)


def explanation_pictures(content: ReportContent) -> Pictures:
    """A summary of all explained patients of a cohort, then single ones."""
    table = explained(content)
    if table is None:
        return ()
    found: list[Picture] = []
    for cohort, part in table.groupby("cohort", sort=False):
        size = part["contribution"].abs().groupby(part["feature"], sort=False).mean()
        first = size.sort_values(ascending=False, kind="stable").head(5)
        words = "; ".join(f"{name} {value:.3g}" for name, value in first.items())
        count = part["patient"].nunique()
        found.append(
            picture(
                draw_shap_summary(part, most=SUMMARY, title=str(cohort)),
                alt=f"Features by mean size of their contribution, {cohort}: {words}.",
                caption=f"Shapley values of {count} patients of {cohort}, a point a patient; the "
                "largest on average on top.",
                table="explanation",
            )
        )
    return (*found, *_single_patients(table))


def _single_patients(table: pd.DataFrame) -> Pictures:
    """Those marked for drawing; else, of the last cohort, from the lowest to the highest score."""
    if "shown" in table and table["shown"].eq(True).any():
        chosen = table[table["shown"].eq(True)]
    else:
        last = table[table["cohort"] == table["cohort"].iloc[-1]]
        scores = last.groupby("patient", sort=False)["score"].first().sort_values(kind="stable")
        ranks = np.linspace(0, len(scores) - 1, min(4, len(scores))).round().astype(int)
        chosen = last[last["patient"].isin(scores.index[ranks])]
    parts = [part for _, part in chosen.groupby(["cohort", "patient"], sort=False)]
    ordered = sorted(parts, key=lambda part: -float(part["score"].iloc[0]))
    return tuple(_force(part) for part in ordered[:MOST_PATIENTS])


def _force(part: pd.DataFrame) -> Picture:
    row = part.iloc[0]
    why = f", {row['why']}" if "why" in part and str(row["why"]) not in ("", "nan") else ""
    order = part["contribution"].abs().sort_values(ascending=False, kind="stable").index[:3]
    words = "; ".join(f"{r.feature} {r.contribution:+.2g}" for r in records(part.loc[order]))
    told = f"Patient {row['patient']} of {row['cohort']}{why}: score {row['score']:.2f}"
    return picture(
        draw_shap_force(part, most=FORCE, title=f"patient {row['patient']}{why}"),
        alt=f"{told}. Largest contributions: {words}.",
        caption=f"{told}. Orange raises the score, blue lowers it.",
        table="explanation",
    )
