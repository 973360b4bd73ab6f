"""Pictures of what patients of high risk are like, and of where the genes are expressed."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.evaluation.prognosis import PER_SD
from radiogenomics.plots import draw_forest
from radiogenomics.plots.contrasts import draw_contrasts
from radiogenomics.plots.enrichment import draw_enrichment
from radiogenomics.plots.response import draw_response
from radiogenomics.plots.single_cell import draw_dots
from radiogenomics.plots.style import interval, records
from radiogenomics.plots.volcano import draw_differential
from radiogenomics.report.content import ReportContent
from radiogenomics.report.derivation_drawings import signature_genes
from radiogenomics.report.drawings import Pictures, by_split, ratios
from radiogenomics.report.embed import Picture, picture
from radiogenomics.report.vocabulary import split_words

FOUND = 0.05
MOST_GENES = 20


def contrast_pictures(content: ReportContent) -> Pictures:
    """Differences of scores, one picture a split."""
    found: list[Picture] = []
    for split, part in by_split(content, "contrasts"):
        if part["difference"].isna().all():
            continue
        caption = "Scores in patients called high against low"
        ax = draw_contrasts(part, title=split_words(split))
        found.append(_picture(ax, part, split, caption=caption, table="contrasts", name="score"))
    return tuple(found)


def enrichment_pictures(content: ReportContent) -> Pictures:
    """Gene sets at both ends of the ranking by risk, one picture a split."""
    found: list[Picture] = []
    for split, part in by_split(content, "gsea"):
        if part["nes"].isna().all():
            continue
        caption = "Gene sets among genes ranked by high against low"
        ax = draw_enrichment(part, title=split_words(split))
        found.append(_picture(ax, part, split, caption=caption, table="gsea", name="set"))
    return tuple(found)


def differential_pictures(content: ReportContent) -> Pictures:
    """Genes that differ between high and low risk, one picture a split."""
    found: list[Picture] = []
    for split, part in by_split(content, "differential"):
        if part["p"].isna().all():
            continue
        caption = "Genes in patients called high against low"
        ax = draw_differential(part, named=signature_genes(content), title=split_words(split))
        found.append(_picture(ax, part, split, caption=caption, table="differential", name="gene"))
    return tuple(found)


def _picture(
    ax: Axes, part: pd.DataFrame, split: str, *, caption: str, table: str, name: str
) -> Picture:
    """One picture of many tests: how many there are, how many are found, and the first of them."""
    where = split_words(split)
    sure = part[part["fdr"] <= FOUND].sort_values("p", kind="stable")
    first = "; ".join(map(str, sure[name].head(5))) or "none"
    count = f"{len(sure):,} of {len(part):,} with an FDR of at most {FOUND:g}"
    return picture(
        ax,
        alt=f"{caption}, {where}: {count}, the first: {first}.",
        caption=f"{caption}, {where}: {count}.",
        table=table,
    )


def cohort_pictures(content: ReportContent) -> Pictures:
    """Hazard ratios of each score in the cohorts that were scored, one picture a score."""
    table = content.table("hazard_ratios")
    if table is None:
        return ()
    names = table["split"].str.rpartition(", ")
    rows = table.assign(score=names[0], term=names[2])[table["term"] == PER_SD]
    found: list[Picture] = []
    for score, part in rows[rows["hazard_ratio"] > 0].groupby("score", sort=False):
        known = part.drop(columns="model")
        found.append(
            picture(
                draw_forest(known, title=str(score)),
                alt=f"Hazard ratio per SD of {score} by cohort: {ratios(known)}.",
                caption=f"Cox hazard ratio per SD of {score} in each cohort and in all together "
                "(stratified by cohort); above 1 is worse.",
                table="hazard_ratios",
            )
        )
    return tuple(found)


def response_pictures(content: ReportContent) -> Pictures:
    """AUC for response, cohort by cohort and pooled."""
    table = content.table("response")
    if table is None or table["auc"].isna().all():
        return ()
    words = "; ".join(
        f"{r.score}, {r.cohort} {interval(r.auc, r.low, r.high)}" for r in records(table)
    )
    return (
        picture(
            draw_response(table),
            alt=f"AUC for response: {words}.",
            caption="AUC for response in each cohort, and the pooled diamond (random effects).",
            table="response",
        ),
    )


def protein_pictures(content: ReportContent) -> Pictures:
    """Hazard ratios of proteins, one picture a split."""
    found: list[Picture] = []
    for split, part in by_split(content, "protein"):
        known = part[part["hazard_ratio"] > 0].rename(columns={"gene": "term"})
        if known.empty:
            continue
        where = split_words(split)
        found.append(
            picture(
                draw_forest(known, title=where),
                alt=f"Hazard ratios of proteins, {where}: {ratios(known)}.",
                caption=f"Cox hazard ratio per SD of each protein, {where}; above 1 is worse.",
                table="protein",
            )
        )
    return tuple(found)


def cell_pictures(content: ReportContent) -> Pictures:
    """Expression of the genes by cell type, those of the signature first."""
    table = content.table("cells")
    known = None if table is None else table[table["share"].notna() & table["mean"].notna()]
    if known is None or known.empty:
        return ()
    own = [gene for gene in signature_genes(content) if gene in set(known["gene"])]
    genes = list(dict.fromkeys([*own, *known["gene"]]))[:MOST_GENES]
    drawn = known[known["gene"].isin(genes)].rename(columns={"cell_type": "group"})
    drawn = drawn.sort_values("gene", key=lambda names: names.map(genes.index), kind="stable")
    first = drawn.sort_values("share", ascending=False).drop_duplicates("gene")
    words = "; ".join(f"{r.gene} most in {r.group} ({r.share:.2f})" for r in records(first))
    more = known["gene"].nunique() - len(genes)
    return (
        picture(
            draw_dots(drawn),
            alt=f"Expression by cell type: {words}.",
            caption="Share of cells that express a gene (area) and its mean (shade), by cell type"
            + (f"; {more} genes not drawn." if more else "."),
            table="cells",
        ),
    )
