"""Pictures of a radiogenomic map."""

from __future__ import annotations

import pandas as pd

from radiogenomics.plots.link_heat_map import draw_link_heat_map
from radiogenomics.plots.link_nulls import draw_link_nulls
from radiogenomics.plots.link_volcano import draw_link_volcano
from radiogenomics.plots.link_words import feature_label
from radiogenomics.plots.module_network import draw_module_network
from radiogenomics.plots.style import new_axes
from radiogenomics.report.content import ReportContent
from radiogenomics.report.drawings import Pictures
from radiogenomics.report.embed import Picture, picture
from radiogenomics.report.map_names import set_names

# Rows below which a heat map shows less than the table, and at most.
FEWEST, MOST = 4, 30
# Inches of a null: two stand in a row.
HALF = (4.2, 2.7)


def null_pictures(content: ReportContent) -> Pictures:
    """Strongest link of each deal and of the data, one picture a kind."""
    summary, null = content.table("map_summary"), content.table("map_null")
    if summary is None or null is None:
        return ()
    found: list[Picture] = []
    for row in summary.itertuples():
        own = null[(null["kind"] == row.kind) & null["value"].notna()]
        if own.empty:
            continue
        name = f"strongest {_statistic(str(row.kind))}, {row.kind}"
        ax = draw_link_nulls(own, new_axes(None, size=HALF), observed=row.strongest, name=name)
        caption = (
            f"{str(row.kind).capitalize()}: strongest {row.strongest:.2f}, by chance "
            f"{row.chance_low:.2f} to {row.chance_high:.2f} (95 %); family-wise p "
            f"{row.p_family:.2g}"
        )
        found.append(picture(ax, alt=caption, caption=caption, table="map_null"))
    return tuple(found)


def link_pictures(content: ReportContent) -> Pictures:
    """Volcano of the strongest feature against all genes, or those that the table keeps."""
    return _volcano(content, "feature_genes", "links", value="rho", target="gene")


def pathway_pictures(content: ReportContent) -> Pictures:
    """Heat map of the strongest features and sets, and a volcano of the strongest feature."""
    return (
        *_heat_map(content),
        *_volcano(content, "feature_sets", "set_links", value="contrast_rho", target="set"),
    )


def module_pictures(content: ReportContent) -> Pictures:
    """Modules of both sides and what goes with what."""
    table = content.table("module_links")
    if table is None:
        return ()
    table = table[table["rho"].notna()]
    if table.empty:
        return ()
    sure = int((table["p_family"] <= 0.05).sum())
    caption = f"{sure} of {len(table):,} links of modules have a family-wise p of at most 0.05"
    ax = draw_module_network(table)
    return (picture(ax, alt=caption, caption=caption, table="module_links"),)


def _heat_map(content: ReportContent) -> Pictures:
    links, features, sets = (
        content.table(name) for name in ("set_links", "feature_links", "pathway_links")
    )
    if links is None:
        return ()
    rows, columns = (_strongest(table, name, links) for table, name in
                     ((features, "feature"), (sets, "set")))  # fmt: skip
    known = links[links["contrast_rho"].notna()]
    block = known[known["feature"].isin(rows) & known["set"].isin(columns)]
    if min(block["feature"].nunique(), block["set"].nunique()) < FEWEST:
        return ()
    whole = [len(own if table is None else table) for own, table in
             ((rows, features), (columns, sets))]  # fmt: skip
    caption = (
        f"The {len(rows)} features and {len(columns)} gene sets with the strongest links, of "
        f"{whole[0]:,} and {whole[1]:,}: mean correlation with the genes of a set, less that with "
        "all other genes. They were chosen for it, so that chance, too, would give dark cells: the "
        "marks count all pairs"
    )
    named = block.assign(set=block["set"].map(set_names(block["set"])))
    ax = draw_link_heat_map(named, value="contrast_rho", features=MOST, targets=MOST)
    return (picture(ax, alt=caption, caption=caption, table="set_links"),)


def _strongest(table: pd.DataFrame | None, name: str, links: pd.DataFrame) -> list[str]:
    """Names with the strongest links with sets; the table of pairs keeps all among those."""
    ranked = links if table is None or "contrast_rho" not in table else table
    order = ranked["contrast_rho"].abs().sort_values(ascending=False, kind="stable").index
    return list(ranked.loc[order, name].drop_duplicates().head(MOST))


def _volcano(content: ReportContent, whole: str, kept: str, *, value: str, target: str) -> Pictures:
    """Every target of one feature where its table is there, else those of the strongest pairs."""
    name = whole if content.table(whole) is not None else kept
    table = content.table(name)
    if table is None or table[value].isna().all():
        return ()
    table = table[table[value].notna()]
    feature = str(table["feature"].iloc[0])
    own = table[table["feature"] == feature]
    if len(own) < FEWEST:
        return ()
    which = "all" if name == whole else "the strongest"
    caption = (
        f"{feature_label(feature, length=60, family=True)}, the feature with the strongest link, "
        f"and {which} {len(own):,} {target}s; what is found counts all features"
    )
    rate = "fdr" if value == "rho" else "fdr_contrast"
    # Rates are in the table where they are found; the others are above.
    own = own.fillna({rate: 1.0})
    if target == "set":
        own = own.assign(set=own["set"].map(set_names(own["set"])))
    ax = draw_link_volcano(own, feature, value=value)
    return (picture(ax, alt=caption, caption=caption, table=name),)


def _statistic(kind: str) -> str:
    return "|NES|" if kind.endswith("running sum") else "|rho|"
