"""Pictures of how a signature was found, and of how well it foretells."""

from __future__ import annotations

import math

import pandas as pd

from radiogenomics.plots import (
    draw_forest,
    draw_survival_calibration,
    draw_time_dependent_auc,
)
from radiogenomics.plots.candidates import candidate_counts, draw_candidates
from radiogenomics.plots.search import draw_grid, draw_subset_sizes
from radiogenomics.plots.stability import draw_stability
from radiogenomics.plots.style import interval, records
from radiogenomics.plots.volcano import draw_screen
from radiogenomics.report.content import ReportContent
from radiogenomics.report.drawings import Pictures, by_split, ratios
from radiogenomics.report.embed import Picture, picture
from radiogenomics.report.vocabulary import split_words

MOST_ROWS = 25


def signature_genes(content: ReportContent) -> tuple[str, ...]:
    """Genes of the locked signature; none where the run made none."""
    return () if content.signature is None else content.signature.genes


def screen_unit(screen: pd.DataFrame) -> str:
    """Say what hazard ratios of a screen are per: cohorts are standardised where there are several.

    Examples
    --------
    >>> screen_unit(pd.DataFrame({"cohorts": [2, 2]}))
    'SD'
    """
    return "SD" if screen["cohorts"].max() > 1 else "unit of expression"


def candidate_pictures(content: ReportContent) -> Pictures:
    """Genes left after each filter."""
    table = content.table("candidates")
    if table is None:
        return ()
    counts = candidate_counts(table)
    words = "; ".join(
        f"{r.filter} {r.alone}, with all above {r.together}" for r in counts.itertuples()
    )
    return (
        picture(
            draw_candidates(counts),
            alt=f"Genes that pass each filter: {words}.",
            caption=f"{counts['together'].iloc[-1]:,} of {len(table):,} shared genes may enter.",
            table="candidates",
        ),
    )


def screen_pictures(content: ReportContent) -> Pictures:
    """Volcano of the candidates."""
    table = content.table("screen")
    if table is None or table["p"].isna().all():
        return ()
    unit, genes = screen_unit(table), signature_genes(content)
    named = table[table["gene"].isin(genes)]
    words = "; ".join(f"{r.gene} {r.hazard_ratio:.2f}, p {r.p:.1g}" for r in named.itertuples())
    kept = int(table["selected"].eq(True).sum())
    return (
        picture(
            draw_screen(table, named=genes, unit=unit),
            alt=f"Volcano of {len(table)} genes against survival, {kept} kept. {words}".strip(),
            caption=f"Hazard ratio per {unit} of each candidate against its p (not adjusted); "
            "with names: the genes of the signature.",
            table="screen",
        ),
    )


def search_pictures(content: ReportContent) -> Pictures:
    """Concordance by size, and by combination of methods."""
    found: list[Picture] = []
    sizes, grid = content.table("subset_sizes"), content.table("grid")
    if sizes is not None and sizes["concordance"].notna().any():
        words = "; ".join(f"{r.size} genes {r.concordance:.3f}" for r in records(sizes))
        found.append(
            picture(
                draw_subset_sizes(sizes),
                alt=f"Concordance in patients left out, by number of genes: {words}.",
                caption="Concordance of the best subset of each size in patients left out of its "
                "choice. Bars: standard error of what it falls short of the best (dotted).",
                table="subset_sizes",
            )
        )
    if grid is not None:
        words = "; ".join(f"{r.selector} + {r.learner} {r.concordance:.3f}" for r in records(grid))
        found.append(
            picture(
                draw_grid(grid),
                alt=f"Concordance in inner folds by selector and learner: {words}.",
                caption="Every selector with every learner in inner folds. The first was taken; "
                "its own number is too high, being the largest of many.",
                table="grid",
            )
        )
    return tuple(found)


def stability_pictures(content: ReportContent) -> Pictures:
    """Genes that came back in repeats, and beside them in the folds."""
    found: list[Picture] = []
    genes = signature_genes(content)
    stability, selection = content.table("stability"), content.table("selection")
    if stability is not None:
        repeats = int(stability["bootstraps"].max())
        words = "; ".join(f"{r.gene} {r.share:.2f}" for r in records(stability.head(5)))
        found.append(
            picture(
                draw_stability(stability, chosen=genes, top=MOST_ROWS),
                alt=f"Share of {repeats} repeats that chose each gene, the first five: {words}.",
                caption=f"Share of {repeats} repeats of the derivation that chose the gene, with "
                "95 % interval; blue: genes of the signature.",
                table="stability",
            )
        )
    if selection is not None:
        shares = selection.rename(columns={"feature": "gene", "frequency": "share"})
        shares = shares.assign(low=math.nan, high=math.nan)
        first = selection.sort_values("frequency", ascending=False).head(5)
        words = "; ".join(f"{r.feature} {r.frequency:.2f}" for r in records(first))
        found.append(
            picture(
                draw_stability(shares, chosen=genes, top=MOST_ROWS, of="training parts"),
                alt=f"Share of training parts that chose each gene, the first five: {words}.",
                caption="Share of training parts of the cross-validation that chose the gene; "
                "blue: genes of the signature.",
                table="selection",
            )
        )
    return tuple(found)


def accuracy_pictures(content: ReportContent) -> Pictures:
    """AUC over time, then calibration, one picture a split."""
    found: list[Picture] = []
    for split, part in by_split(content, "time_dependent_auc"):
        known = part[part["auc"].notna()].rename(columns={"horizon": "time"})
        if known.empty:
            continue
        where = split_words(split)
        words = "; ".join(
            f"{r.time:g} months {interval(r.auc, r.low, r.high)}" for r in records(known)
        )
        found.append(
            picture(
                draw_time_dependent_auc(known, title=where),
                alt=f"AUC over time, {where}: {words}.",
                caption=f"AUC for the event by each time, {where}; 95 % interval at each.",
                table="time_dependent_auc",
            )
        )
    return (*found, *_calibrations(content))


def _calibrations(content: ReportContent) -> Pictures:
    found: list[Picture] = []
    for split, part in by_split(content, "survival_calibration"):
        known = part[part["observed"].notna()]
        if known.empty:
            continue
        where = split_words(split)
        words = "; ".join(
            f"{r.horizon:g} months: predicted {r.predicted:.2f}, observed {r.observed:.2f}"
            for r in records(known)
        )
        found.append(
            picture(
                draw_survival_calibration(known, title=where),
                alt=f"Calibration of predicted survival, {where}. {words}.",
                caption=f"Predicted risk against the risk seen (Kaplan-Meier), {where}; a point is "
                "a group of patients of like risk.",
                table="survival_calibration",
            )
        )
    return tuple(found)


def subgroup_pictures(content: ReportContent) -> Pictures:
    """Forest of subgroups, one picture a split."""
    found: list[Picture] = []
    for split, part in by_split(content, "subgroups"):
        known = part[part["hazard_ratio"] > 0]
        if known.empty:
            continue
        levels = known["level"].where(known["level"] == "", ": " + known["level"])
        known = known.assign(term=known["subgroup"] + levels)
        where = split_words(split)
        found.append(
            picture(
                draw_forest(known, title=where),
                alt=f"Hazard ratios in subgroups, {where}: {ratios(known)}.",
                caption=f"Hazard ratio of the risk in each subgroup, {where}; above 1 is worse.",
                table="subgroups",
            )
        )
    return tuple(found)
