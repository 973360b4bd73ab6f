"""Sections of a derivation, and of what a locked signature is held against."""

from __future__ import annotations

from itertools import chain

import pandas as pd

from radiogenomics.plots.candidates import candidate_counts
from radiogenomics.report import biology_drawings, derivation_drawings
from radiogenomics.report.content import ReportContent
from radiogenomics.report.drawings import forest_pictures, survival_pictures
from radiogenomics.report.parts import Section, Table, frame_table
from radiogenomics.report.split_tables import (
    MOST_ROWS,
    cut_caption,
    first_rows,
    hazard_tables,
    split_tables,
)
from radiogenomics.report.texts import (
    CELL_COLUMNS,
    CELL_SCORE_COLUMNS,
    CONTRAST_COLUMNS,
    DIFFERENTIAL_COLUMNS,
    ENRICHMENT_COLUMNS,
    FILTER_COLUMNS,
    GENE_COLUMNS,
    GRID_COLUMNS,
    HORIZON_COLUMNS,
    RESPONSE_COLUMNS,
    SCREEN_COLUMNS,
    SEARCHED_COLUMNS,
    SIZE_COLUMNS,
    SPREAD_COLUMNS,
    STABILITY_COLUMNS,
    STEP_COLUMNS,
    SUBGROUP_COLUMNS,
    SUBSET_COLUMNS,
)
from radiogenomics.report.vocabulary import DISCOVERY, PROTEIN

MOST_SUBSETS = 5


def candidate_section(content: ReportContent) -> Section:
    """How many genes each filter leaves."""
    table = content.table("candidates")
    if table is None:
        return Section("candidates")
    counted = frame_table(
        candidate_counts(table), caption="Filters", columns=FILTER_COLUMNS, csv="candidates"
    )
    pictures = derivation_drawings.candidate_pictures(content)
    return Section("candidates", pictures=pictures, tables=(counted,))


def screen_section(content: ReportContent) -> Section:
    """Every candidate against survival."""
    table = content.table("screen")
    if table is None:
        return Section("screen")
    unit = derivation_drawings.screen_unit(table)
    first = first_rows(table, "p").dropna(axis="columns", how="all")
    caption = cut_caption(f"Hazard ratios per {unit}", first, whole=table, order="smallest p")
    pictures = derivation_drawings.screen_pictures(content)
    shown = frame_table(first, caption=caption, columns=SCREEN_COLUMNS, csv="screen")
    return Section("screen", pictures=pictures, tables=(shown,))


def search_section(content: ReportContent) -> Section:
    """Subsets, sizes, steps and combinations that were tried."""
    tables: list[Table] = []
    for name, caption, columns in (
        ("subset_sizes", "Sizes", SIZE_COLUMNS),
        ("steps", "Steps", STEP_COLUMNS),
        ("searched_genes", "What was searched", SEARCHED_COLUMNS),
        ("grid", "Selectors and learners, inner folds", GRID_COLUMNS),
    ):
        table = content.table(name)
        if table is not None:
            shown = _with_taken(table)
            first = shown.head(MOST_ROWS).dropna(axis="columns", how="all")
            caption = cut_caption(caption, first, whole=table, order="first rows")
            tables.append(frame_table(first, caption=caption, columns=columns, csv=name))
    pictures = derivation_drawings.search_pictures(content)
    return Section("search", pictures=pictures, tables=(*tables, *_subset_table(content)))


def _with_taken(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a column that says what the search took, if it does; of genes, those first."""
    for column in ("chosen", "selected"):
        if column in table:
            taken = table[column].eq(True)
            shown = table.assign(taken=taken.map({True: "yes", False: ""}))
            return shown if "size" in table else pd.concat([shown[taken], shown[~taken]])
    return table


def _subset_table(content: ReportContent) -> tuple[Table, ...]:
    subsets = content.table("subsets")
    if subsets is None:
        return ()
    best = subsets[subsets["rank"] <= MOST_SUBSETS]
    best = best.assign(size=best["size"].map(lambda n: f"{n} gene{'s' if n > 1 else ''}"))
    caption = f"The {MOST_SUBSETS} best subsets of each size"
    return (
        frame_table(best, caption=caption, columns=SUBSET_COLUMNS, group_by="size", csv="subsets"),
    )


def stability_section(content: ReportContent) -> Section:
    """Which genes come back."""
    tables = []
    for name, what in (("stability", "Genes"), ("stability_sets", "Genes chosen together")):
        table = content.table(name)
        if table is not None:
            first = first_rows(table, "share", ascending=False)
            caption = cut_caption(what, first, whole=table, order="most frequent")
            tables.append(frame_table(first, caption=caption, columns=STABILITY_COLUMNS, csv=name))
    pictures = derivation_drawings.stability_pictures(content)
    return Section("stability", pictures=pictures, tables=tuple(tables))


def accuracy_section(content: ReportContent) -> Section:
    """Discrimination and calibration at the horizons."""
    return Section(
        "accuracy",
        pictures=derivation_drawings.accuracy_pictures(content),
        tables=split_tables(
            content, "time_dependent_auc", caption="AUC over time", columns=HORIZON_COLUMNS
        ),
    )


def subgroup_section(content: ReportContent) -> Section:
    """The risk within kinds of patients."""
    return Section(
        "subgroups",
        pictures=derivation_drawings.subgroup_pictures(content),
        tables=split_tables(content, "subgroups", caption="Subgroups", columns=SUBGROUP_COLUMNS),
    )


def survival_section(content: ReportContent) -> Section:
    """Scores that were fixed beforehand against survival."""
    return Section(
        "survival",
        pictures=(
            *survival_pictures(content, place=DISCOVERY),
            *biology_drawings.cohort_pictures(content),
        ),
        tables=hazard_tables(content, place=DISCOVERY),
    )


def biology_section(content: ReportContent) -> Section:
    """What differs between patients called high and low."""
    asked = (
        ("contrasts", "Scores", CONTRAST_COLUMNS),
        ("gsea", "Gene sets", ENRICHMENT_COLUMNS),
        ("differential", "Genes", DIFFERENTIAL_COLUMNS),
    )
    tables = (
        split_tables(content, name, caption=caption, columns=columns, order="p")
        for name, caption, columns in asked
    )
    return Section(
        "biology",
        pictures=(
            *biology_drawings.contrast_pictures(content),
            *biology_drawings.enrichment_pictures(content),
            *biology_drawings.differential_pictures(content),
        ),
        tables=tuple(chain.from_iterable(tables)),
    )


def response_section(content: ReportContent) -> Section:
    """Scores against response to treatment."""
    tables = []
    table, spread = content.table("response"), content.table("response_heterogeneity")
    if table is not None:
        caption = "AUC for response"
        tables.append(
            frame_table(
                table, caption=caption, columns=RESPONSE_COLUMNS, group_by="score", csv="response"
            )
        )
    if spread is not None:
        caption, name = "How far cohorts agree", "response_heterogeneity"
        tables.append(frame_table(spread, caption=caption, columns=SPREAD_COLUMNS, csv=name))
    pictures = biology_drawings.response_pictures(content)
    return Section("response", pictures=pictures, tables=tuple(tables))


def protein_section(content: ReportContent) -> Section:
    """The genes as proteins."""
    return Section(
        "protein",
        pictures=(
            *biology_drawings.protein_pictures(content),
            *survival_pictures(content, place=PROTEIN),
            *forest_pictures(content, place=PROTEIN),
        ),
        tables=(
            *split_tables(content, "protein", caption="Proteins", columns=GENE_COLUMNS),
            *hazard_tables(content, place=PROTEIN),
        ),
    )


def cell_section(content: ReportContent) -> Section:
    """Where the genes are expressed."""
    tables = []
    table, scores = content.table("cells"), content.table("cell_scores")
    if table is not None:
        first = first_rows(table, "share", ascending=False).dropna(axis="columns", how="all")
        caption = cut_caption(
            "Genes and types of cells", first, whole=table, order="largest shares"
        )
        tables.append(frame_table(first, caption=caption, columns=CELL_COLUMNS, csv="cells"))
    if scores is not None:
        caption = "Score of the signature by type; 0: the mean of all cells"
        ordered = scores.sort_values("score", ascending=False, kind="stable")
        tables.append(
            frame_table(ordered, caption=caption, columns=CELL_SCORE_COLUMNS, csv="cell_scores")
        )
    return Section("cells", pictures=biology_drawings.cell_pictures(content), tables=tuple(tables))
