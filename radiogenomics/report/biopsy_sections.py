"""Sections of a virtual biopsy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from radiogenomics.plots.style import interval, shorten
from radiogenomics.report import biopsy_drawings
from radiogenomics.report.biopsy_texts import (
    AGREEMENT_COLUMNS,
    BIOPSY_COLUMNS,
    DIFFERENCE_COLUMNS,
    LEARNER_HEADS,
    TRANSPORT_COLUMNS,
)
from radiogenomics.report.content import ReportContent
from radiogenomics.report.parts import Cell, Section, Table, frame_table, unbroken
from radiogenomics.report.split_tables import MOST_ROWS, cut_caption
from radiogenomics.report.vocabulary import SIGNIFICANCE

LONGEST = 34
KINDS = MappingProxyType({"set": "Gene sets", "gene": "Genes", "score": "Scores"})
INTERVALS = ("rho", "auc", "ccc", "difference")
ROUNDED = ("r2", "slope", "ccc", "kappa")
SMALL, FINE = 0.3, 0.1
"""Numbers below which two decimals are few; width of an interval that needs four of them."""


def biopsy_section(content: ReportContent) -> Section:
    """Targets by how well they are foretold, and the best of them patient by patient."""
    rows = biopsy_drawings.judged(content)
    if rows is None:
        return Section("biopsy")
    targets = content.table("targets")
    tables = []
    for kind, words in KINDS.items():
        own = rows[rows["kind"] == kind]
        if kind == "set" and targets is not None:
            own = own.merge(targets[["target", "measured"]], on="target", how="left")
        if len(own):
            tables.append(_first(own, "biopsy", f"{words}, out of sample", BIOPSY_COLUMNS))
    return Section(
        "biopsy",
        lines=(Cell(_counts(rows)),),
        pictures=biopsy_drawings.biopsy_pictures(content),
        tables=tuple(tables),
    )


def chance_section(content: ReportContent) -> Section:
    """Best R² of every permutation, and of the data."""
    return Section("chance", pictures=biopsy_drawings.chance_pictures(content))


def learner_section(content: ReportContent) -> Section:
    """Each learner with its best target; only where there are several."""
    table, null = content.table("biopsy"), content.table("biopsy_null")
    if table is None or null is None or table["learner"].nunique() < 2:
        return Section("foretellers")
    rows = []
    for learner, own in table.groupby("learner", sort=False):
        best = own.sort_values("r2", ascending=False, kind="stable").iloc[0]
        found = (own["p_family"] <= SIGNIFICANCE) & (own["r2"] > 0)
        chance = null.loc[null["learner"] == learner, "value"].mean()
        rows.append(
            {
                "learner": learner,
                "found": int(found.sum()),
                "above": int((own["r2"] > 0).sum()),
                "target": best["target"],
                "r2": best["r2"],
                "chance": chance,
                "p_family": best["p_family"],
            }
        )
    shown = _named(pd.DataFrame(rows))
    caption = f"Learners, each with the best of its {table['target'].nunique():,} targets"
    table_shown = frame_table(shown, caption=caption, columns=LEARNER_HEADS, csv="biopsy")
    return Section("foretellers", tables=(table_shown,))


def transport_section(content: ReportContent) -> Section:
    """Predictions of locked surrogates against measurements, and against other scans."""
    shown, tables = biopsy_drawings.worth_showing(content), []
    for name, caption, columns in (
        ("transport", "Foretold and measured", TRANSPORT_COLUMNS),
        ("agreement", "The same patients foretold from another scan", AGREEMENT_COLUMNS),
    ):
        table = content.table(name)
        if table is not None:
            own = biopsy_drawings.by_target(table, shown)
            tables.append(_first(own, name, _in(caption, table), columns))
    name = "transport_differences"
    table = content.table(name)
    if table is not None:
        own = biopsy_drawings.by_target(table, shown).sort_values("p", kind="stable")
        caption = _in("Groups held against each other, p of one comparison", own)
        tables.append(_first(own, name, caption, DIFFERENCE_COLUMNS, order="smallest p"))
    pictures = biopsy_drawings.transport_pictures(content)
    return Section("transport", pictures=pictures, tables=tuple(tables))


def card_section(content: ReportContent) -> Section:
    """Cards of single patients."""
    pictures = biopsy_drawings.card_pictures(content)
    if not pictures:
        return Section("cards")
    return Section("cards", lines=(Cell(_whose(content, len(pictures))),), pictures=pictures)


def _counts(rows: pd.DataFrame) -> str:
    found = (rows["p_family"] <= SIGNIFICANCE) & (rows["r2"] > 0)
    likely = rows["fdr"] <= SIGNIFICANCE
    n = int(rows["n"].iloc[0])
    return (
        f"Learner {rows['learner'].iloc[0]}, {n} patients. Of {len(rows):,} targets "
        f"{int(found.sum())} are foretold beyond chance by the family-wise p, {int(likely.sum())} "
        f"by a false discovery rate of {SIGNIFICANCE:g}; {int((rows['r2'] > 0).sum())} have an R² "
        "above 0."
    )


def _whose(content: ReportContent, cards: int) -> str:
    applied = content.table("applied")
    cohort = "" if applied is None else applied["cohort"].iloc[0]
    trained = cohort == content.cohorts[0]
    how = "held out of what foretells them" if trained else "from whom nothing was learnt"
    if biopsy_drawings.found_targets(content):
        return (
            f"{cards} of {_patients(applied)} patients of {cohort}, {how}: from the lowest to the "
            "highest predicted level of the target that is foretold best."
        )
    return (
        f"No target is foretold beyond chance, so that the cards of all {_patients(applied)} "
        f"patients of {cohort} say the same: nothing. One stands for them."
    )


def _patients(applied: pd.DataFrame | None) -> int:
    return 0 if applied is None else int(applied["patient"].nunique())


def _in(caption: str, table: pd.DataFrame) -> str:
    return f"{caption}, {', '.join(table['cohort'].unique())}"


def _first(
    table: pd.DataFrame,
    name: str,
    caption: str,
    columns: Mapping[str, str],
    *,
    order: str = "best foretold",
) -> Table:
    """First rows of a table, which stands best foretold first."""
    first = table.head(MOST_ROWS)
    caption = cut_caption(caption, first, whole=table, order=order)
    return frame_table(_named(first), caption=caption, columns=columns, csv=name)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Targets under short names, and estimates with their intervals in one column."""
    names = [shorten(n, length=LONGEST) for n in biopsy_drawings.short_names(table["target"])]
    shown = table.assign(target=names)
    for name in INTERVALS:
        bounds = [name, f"{name}_low", f"{name}_high"]
        bounds = [name, "low", "high"] if name == "difference" else bounds
        if set(bounds) <= set(table):
            numbers = table[bounds].astype(float).itertuples(index=False)
            fine = FINE if name == "difference" else 0.0
            shown[f"{name}_interval"] = [_interval(*row, fine=fine) for row in numbers]
    for name in set(ROUNDED) & set(shown):
        values = shown[name].astype(float)
        # As many decimals as the page then writes; what rounds to nothing has no minus.
        shown[name] = values.round(3 if values.abs().max() < SMALL else 2) + 0.0
    return shown


def _interval(value: float, low: float, high: float, *, fine: float) -> str:
    if math.isnan(value):
        return "–"
    return unbroken(interval(value, low, high, digits=4 if high - low < fine else 2))
