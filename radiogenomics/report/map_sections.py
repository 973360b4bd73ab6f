"""Sections of a radiogenomic map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from radiogenomics.report import map_drawings
from radiogenomics.report.content import ReportContent
from radiogenomics.report.map_names import between, readable
from radiogenomics.report.map_texts import (
    CONTROL_COLUMNS,
    EDGE_COLUMNS,
    GENE_COLUMNS,
    JOINT_COLUMNS,
    LIKENESS_COLUMNS,
    LINK_COLUMNS,
    MAP_COLUMNS,
    MEMBER_COLUMNS,
    MODULE_LINK_COLUMNS,
    PATHWAY_COLUMNS,
    PATIENT_COLUMNS,
    REPLICATION_COLUMNS,
    SET_LINK_COLUMNS,
    VANISHED_COLUMNS,
)
from radiogenomics.report.overlay_drawings import overlay_pictures
from radiogenomics.report.parts import Cell, Section, Table, frame_table, number, p_value
from radiogenomics.report.split_tables import MOST_ROWS, cut_caption

MODULES_LISTED = 6
MEMBERS_NAMED = 6
EDGES_LISTED = 6
SIMILAR_NAMED = 3
SAME = 1e-9


def asked_section(content: ReportContent) -> Section:
    """The question, the tables that are held against each other, and what is taken out."""
    fields = content.recipe_fields
    lines = [Cell(str(fields["question"]), "question")] if "question" in fields else []
    for side, word in (("first", "Held against each other"), ("second", "Tried again")):
        asked = fields.get(side)
        if isinstance(asked, dict):
            lines.append(Cell(f"{word}: {_tables(asked)}."))
    first = fields.get("first")
    if isinstance(first, dict):
        volume = fields.get("volume")
        taken = [*first.get("covariates", ()), *([f"volume ({volume})"] if volume else [])]
        lines.append(Cell(f"Taken out of both sides: {_listed(taken) or 'nothing'}."))
        if first.get("within"):
            lines.append(Cell(f"Patients change places within {first['within']} only."))
    return Section("map_asked", lines=tuple(lines))


def patient_section(content: ReportContent) -> Section:
    """Patients of each table, and of all."""
    flow = content.table("cohort_flow")
    if flow is None:
        return Section("map_flow")
    named = flow.assign(whose=flow["cohort"] + ", " + flow["kind"])
    shown = frame_table(
        named, caption="Patients", columns=PATIENT_COLUMNS, group_by="whose", csv="cohort_flow"
    )
    return Section("map_flow", tables=(shown, *_left_out(content)))


def map_section(content: ReportContent) -> Section:
    """What was tested, what was found and what chance gives."""
    table = content.table("map_summary")
    if table is None:
        return Section("map")
    shown = table.copy()
    if {"chance_low", "chance_high"} <= set(table):
        ends = zip(table["chance_low"], table["chance_high"], strict=True)
        shown["by_chance"] = [between(low, high) for low, high in ends]
    caption = "Kinds of link"
    if {"n", "permutations"} <= set(table):
        n, deals = table["n"].iloc[0], table["permutations"].iloc[0]
        caption = f"Kinds of link, in {n} patients who changed places {deals:,} times"
    found = frame_table(shown, caption=caption, columns=MAP_COLUMNS, csv="map_summary")
    return Section("map", pictures=map_drawings.null_pictures(content), tables=(found,))


def link_section(content: ReportContent) -> Section:
    """Features against genes."""
    tables = [
        *_first(content, "links", "Strongest links with genes", LINK_COLUMNS),
        *_first(content, "gene_links", "Strongest feature of each gene", GENE_COLUMNS),
        *_first(content, "activity_links", "Strongest links with activities", LINK_COLUMNS),
    ]
    return Section("links", pictures=map_drawings.link_pictures(content), tables=tuple(tables))


def pathway_section(content: ReportContent) -> Section:
    """Features against gene sets."""
    tables = [
        *_first(content, "set_links", "Strongest links with gene sets", SET_LINK_COLUMNS),
        *_edges(content),
        *_first(content, "pathway_links", "Strongest feature of each gene set", PATHWAY_COLUMNS),
    ]
    pictures = (*map_drawings.pathway_pictures(content), *overlay_pictures(content))
    return Section("pathways", pictures=pictures, tables=tuple(tables))


def vanished_section(content: ReportContent) -> Section:
    """Links that covariates explain."""
    tables = _first(content, "vanished", "Links that are gone beside covariates", VANISHED_COLUMNS)
    features = content.table("feature_links")
    lines: list[Cell] = []
    if features is not None and "volume_confounded" in features:
        count = int((features["volume_confounded"].astype(str) == "True").sum())
        lines = [
            Cell(f"{count} of {len(features)} features go with tumour volume, |rho| 0.6 or more.")
        ]
    adjusted = _asked_covariates(content)
    if adjusted and not tables:
        lines.append(Cell("No link was found without covariates and is nothing beside them."))
    return Section("vanished", lines=tuple(lines), tables=tables)


def module_section(content: ReportContent) -> Section:
    """Modules of features against modules of genes."""
    tables = _first(content, "module_links", "Links of modules", MODULE_LINK_COLUMNS)
    pictures = map_drawings.module_pictures(content)
    return Section("modules", pictures=pictures, tables=(*tables, *_members(content)))


def joint_section(content: ReportContent) -> Section:
    """Both tables as wholes."""
    return Section("joint", tables=_first(content, "joint", "Joint links", JOINT_COLUMNS))


def control_section(content: ReportContent) -> Section:
    """The same counts where nothing can be found."""
    tables = _first(content, "controls", "Negative controls", CONTROL_COLUMNS)
    return Section("controls", tables=tables)


def replication_section(content: ReportContent) -> Section:
    """Links tried again in a second cohort."""
    summary = content.table("replication_summary")
    lines: tuple[Cell, ...] = ()
    if summary is not None:
        row = summary.iloc[0]
        said = (
            f"{row['tried']:,} of the {row['links']:,} strongest links could be tried in "
            f"{row['n']} patients of {row['cohort']}: {row['same_direction']:,} have the same "
            f"direction (permutation p {p_value(row['p_direction'])}).",
            f"Of those, {row['found_first']:,} had been found in the first cohort, and "
            f"{row['found_again']:,} of these are found again (FDR).",
        )
        lines = tuple(Cell(each) for each in said)
    table = content.table("replication")
    if table is None:
        return Section("replication", lines=lines)
    first = table.groupby("kind", sort=False).head(MOST_ROWS // 2)
    caption = cut_caption("Links again", first, whole=table, order="strongest of the first cohort")
    shown = readable(first)
    again = frame_table(shown, caption=caption, columns=REPLICATION_COLUMNS, csv="replication")
    return Section("replication", lines=lines, tables=(again,))


def likeness_section(content: ReportContent) -> Section:
    """Features explained by others, those with the strongest pathway first."""
    table = content.table("likeness")
    if table is None:
        return Section("likeness")
    shown = readable(table)
    alike = shown["similar"] + " (" + shown["rho"].map(lambda rho: number(rho, digits=2)) + ")"
    shown = shown.assign(similar=alike)
    rows = shown.groupby("feature", sort=False).agg(
        {column: "first" for column in LIKENESS_COLUMNS if column in shown}
        | {"similar": lambda names: ", ".join(names.head(SIMILAR_NAMED))}
    )
    rows = rows.reset_index(drop=True)
    if "contrast_rho" in rows:
        order = rows["contrast_rho"].abs().sort_values(ascending=False, kind="stable").index
        rows = rows.loc[order]
    first = rows.head(MOST_ROWS)
    what = "Features, those they resemble most (rho), and their strongest gene set"
    caption = cut_caption(what, first, whole=rows, order="with the strongest sets")
    named = frame_table(first, caption=caption, columns=LIKENESS_COLUMNS, csv="likeness")
    return Section("likeness", tables=(named,))


def _tables(asked: Mapping[str, Any]) -> str:
    """Tables of one cohort in words."""
    cohort = f" of {asked['cohort']}" if asked.get("cohort") else ""
    sides = (asked.get("features", ()), asked.get("expression", ()))
    return " and ".join(_listed(side) for side in sides) + cohort


def _listed(names: Any) -> str:
    return ", ".join(map(str, names))


def _asked_covariates(content: ReportContent) -> bool:
    first = content.recipe_fields.get("first")
    covariates = first.get("covariates") if isinstance(first, dict) else None
    return bool(covariates or content.recipe_fields.get("volume"))


def _left_out(content: ReportContent) -> tuple[Table, ...]:
    """How many features, genes and sets are not in the map, and why."""
    table = content.table("left_out")
    if table is None:
        return ()
    why = table.assign(reason=table["reason"].str.partition(" (")[0])
    counts = why.groupby(["kind", "reason"], sort=False).size().rename("count").reset_index()
    columns = {"kind": "kind", "reason": "why", "count": "how many"}
    return (frame_table(counts, caption="Not in the map", columns=columns, csv="left_out"),)


def _first(
    content: ReportContent, name: str, caption: str, columns: Mapping[str, str]
) -> tuple[Table, ...]:
    """First rows of a table, which stands strongest first."""
    table = content.table(name)
    if table is None:
        return ()
    first = table.head(MOST_ROWS)
    caption = cut_caption(caption, first, whole=table, order="strongest")
    shown = readable(_without_repeats(first)).dropna(axis="columns", how="all")
    return (frame_table(shown, caption=caption, columns=columns, csv=name),)


def _without_repeats(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out what is the same without covariates, as where there are none."""
    for plain, adjusted in (
        ("rho_unadjusted", "rho"),
        ("contrast_unadjusted", "contrast_rho"),
    ):
        same = {plain, adjusted} <= set(table)
        if same and ((table[plain] - table[adjusted]).abs() < SAME).all():
            table = table.drop(columns=plain)
    return table


def _edges(content: ReportContent) -> tuple[Table, ...]:
    """Genes that make the strongest links with sets, in a table of their own: they are many."""
    table = content.table("set_links")
    if table is None or "leading_edge" not in table:
        return ()
    caption = f"Leading edges of the {min(EDGES_LISTED, len(table))} strongest"
    shown = readable(table.head(EDGES_LISTED))
    return (frame_table(shown, caption=caption, columns=EDGE_COLUMNS, csv="set_links"),)


def _members(content: ReportContent) -> tuple[Table, ...]:
    """What is in the modules of the strongest links."""
    modules, links = content.table("modules"), content.table("module_links")
    if modules is None:
        return ()
    named = list(dict.fromkeys(modules["module"]))
    if links is not None:
        first = links.head(MODULES_LISTED)
        named = list(dict.fromkeys([*first["feature_module"], *first["gene_module"]]))
    rows = []
    for module in named[: 2 * MODULES_LISTED]:
        own = modules[modules["module"] == module]
        rows.append({"module": module, "members": len(own), "named": _typical(own)})
    table = pd.DataFrame(rows)
    return (frame_table(table, caption="Members", columns=MEMBER_COLUMNS, csv="modules"),)


def _typical(own: pd.DataFrame) -> str:
    order = own["membership"].abs().sort_values(ascending=False, kind="stable").index
    first = own.loc[order].head(MEMBERS_NAMED)
    names = readable(first.assign(feature=first["member"]))["feature"]
    more = len(own) - len(first)
    return ", ".join(names) + (f" and {more} more" if more else "")
