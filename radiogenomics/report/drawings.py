"""From the tables of a run to the pictures of its report."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import MappingProxyType

import pandas as pd

from radiogenomics.core.evidence import Metric
from radiogenomics.plots import (
    draw_calibration,
    draw_decision_curve,
    draw_flow,
    draw_forest,
    draw_labels,
    draw_learners,
    draw_null,
    draw_roc,
    draw_selection,
    draw_survival,
)
from radiogenomics.plots.style import interval
from radiogenomics.report.content import ReportContent
from radiogenomics.report.embed import Picture, picture
from radiogenomics.report.outlines import headlines, outline_of
from radiogenomics.report.parts import estimate, p_value
from radiogenomics.report.vocabulary import (
    CROSS_VALIDATION,
    EXTERNAL,
    SIGNATURE_SPLIT,
    place_of,
    split_words,
    subject_words,
    words_of,
)

Pictures = tuple[Picture, ...]
SURVIVAL_KEYS = ("split", "endpoint")
RANDOM_SIGNATURES = MappingProxyType(
    {
        "random_signatures": "random genes",
        "random_signatures_matched": "random genes of like expression",
    }
)


def flow_pictures(content: ReportContent) -> Pictures:
    """Bars of patients and events, table by table."""
    flow = content.table("cohort_flow")
    if flow is None:
        return ()
    words = "; ".join(f"{r.cohort} {r.table} {r.patients} patients" for r in flow.itertuples())
    caption = "Patients in each table (bars), and those with an event (orange)."
    ax = draw_flow(flow)
    return (picture(ax, alt=f"Cohort flow: {words}.", caption=caption, table="cohort_flow"),)


def gene_pictures(content: ReportContent) -> Pictures:
    """Hazard ratios gene by gene."""
    genes = content.table("genes")
    if genes is None:
        return ()
    table = genes.rename(columns={"gene": "term"})
    return (
        picture(
            draw_forest(table, title="single genes"),
            alt=f"Hazard ratios of single genes: {ratios(table)}.",
            caption="Univariate Cox hazard ratio per SD of each gene; above 1 is worse.",
            table="genes",
        ),
    )


def random_pictures(content: ReportContent) -> Pictures:
    """Where the signature stands among random ones, one picture a kind of them."""
    own = content.metric("signature_c_index", CROSS_VALIDATION)
    found = []
    for name, words in RANDOM_SIGNATURES.items():
        random = content.table(name)
        if random is None or own is None:
            continue
        beaten = f"{int((random['value'] < own.value).sum())} of {len(random)}"
        size = (
            f"{random['genes'].iloc[0]:g} each" if "genes" in random else "as many as this one has"
        )
        ax = draw_null(random, observed=own.value, name="out-of-fold C-index", title=words)
        found.append(
            picture(
                ax,
                alt=f"C-index of {words}; {own.value:.3f} exceeds {beaten}.",
                caption=f"Signatures of {words} ({size}), fitted in the same folds: the one found "
                f"does better than {beaten}.",
                table=name,
            )
        )
    return tuple(found)


def label_pictures(content: ReportContent) -> Pictures:
    """Score distributions, one picture a cohort, with the locked cut-off where there is one."""
    scores = content.table("label_scores")
    if scores is None:
        return ()
    cutoff = None if content.signature is None else content.signature.cutoff
    return tuple(
        picture(
            draw_labels(part, cutoff=cutoff, title=str(cohort)),
            alt=f"Label scores of {cohort}: {_counts(part['label'])}.",
            caption=f"{cohort}: scores by class, one tick a patient.",
            table="label_scores",
        )
        for cohort, part in scores.groupby("cohort", sort=False)
    )


def learner_pictures(content: ReportContent) -> Pictures:
    """AUC of the study's learner beside the others'."""
    learners = content.table("learners")
    if learners is None:
        return ()
    words = "; ".join(
        f"{r.learner} {interval(r.auc, r.low, r.high)}" for r in learners.itertuples()
    )
    return (
        picture(
            draw_learners(learners),
            alt=f"AUC by learner: {words}.",
            caption="Out-of-fold AUC of each learner. The study's own was named beforehand.",
            table="learners",
        ),
    )


def roc_pictures(content: ReportContent, *, place: str | None) -> Pictures:
    """ROC curves, one picture a split."""
    return tuple(
        _roc(content, split, part) for split, part in by_split(content, "roc", place=place)
    )


def _roc(content: ReportContent, split: str, curves: pd.DataFrame) -> Picture:
    areas, headline = _areas(content, split), None
    learners = content.table("external_learners" if split.startswith(EXTERNAL) else "learners")
    if learners is not None and "headline" in learners:
        own = learners.loc[learners["headline"].astype(bool), "learner"]
        headline = None if own.empty else str(own.iloc[0])
    ax = draw_roc(curves, areas=areas, headline=headline, title=split_words(split))
    names = ", ".join(curves["learner"].unique())
    values = "; ".join(f"{r.learner} {interval(r.auc, r.low, r.high)}" for r in areas.itertuples())
    return picture(
        ax,
        alt=f"ROC curves of {names}, {split_words(split)}. AUC: {values or 'not given'}.",
        caption=f"ROC, {split_words(split)}; AUC with 95 % interval in the legend.",
        table="roc",
    )


def _areas(content: ReportContent, split: str) -> pd.DataFrame:
    """Areas of the legend: of learners where they were compared, else of label and response."""
    columns = ["learner", "auc", "low", "high"]
    learners = content.table("learners")
    if not split.startswith(EXTERNAL) and learners is not None:
        return learners[columns]
    outside = content.table("external_learners")
    if outside is not None:
        return outside.loc[outside["split"] == split, columns]
    rows = [
        (name, m.value, m.low, m.high)
        for name, metric in (("label", "auc"), ("response", "auc_response"))
        if (m := content.metric(metric, split)) is not None
    ]
    return pd.DataFrame(rows, columns=columns)


def calibration_pictures(content: ReportContent, *, place: str | None) -> Pictures:
    """Calibration, one picture a split."""
    return tuple(
        picture(
            draw_calibration(part, title=split_words(split)),
            alt=f"Calibration, {split_words(split)}: "
            + "; ".join(
                f"predicted {r.predicted:.2f}, observed {r.observed:.2f}" for r in part.itertuples()
            )
            + ".",
            caption=f"Calibration, {split_words(split)}; grey bars count patients.",
            table="calibration",
        )
        for split, part in by_split(content, "calibration", place=place)
    )


def decision_pictures(content: ReportContent, *, place: str | None) -> Pictures:
    """Decision curves, one picture a split."""
    return tuple(
        picture(
            draw_decision_curve(part, title=split_words(split)),
            alt=f"Decision curve, {split_words(split)}: net benefit of "
            f"{', '.join(part['strategy'].unique())}.",
            caption=f"Net benefit over threshold probabilities, {split_words(split)}.",
            table="decision_curve",
        )
        for split, part in by_split(content, "decision_curve", place=place)
    )


def null_pictures(content: ReportContent) -> Pictures:
    """Permutation distributions, one picture a metric and split that the summary has."""
    nulls = content.table("null")
    if nulls is None:
        return ()
    found = []
    for (name, split), part in nulls.groupby(["metric", "split"], sort=False):
        metric = content.metric(str(name), str(split))
        if metric is None:
            continue
        title = words_of(metric.name, risk=outline_of(content).risk).title
        where = split_words(metric.split)
        observed = metric.value
        if words_of(metric.name).scale == "ratio":
            # Permuted hazard ratios are kept as coefficients, which are symmetrical around 0.
            title = title.replace("hazard ratio", "log hazard ratio")
            observed = math.log(metric.value)
        ax = draw_null(part, observed=observed, p=metric.p_permutation, name=title, title=where)
        p = p_value(metric.p_permutation)
        found.append(
            picture(
                ax,
                alt=f"{title}, {where}: {len(part)} permutations, observed {observed:.3f}, p {p}.",
                caption=f"{title}, {where}: what shuffled truth gave, and what was observed.",
                table="null",
            )
        )
    return tuple(found)


def selection_pictures(content: ReportContent) -> Pictures:
    """Selection frequency of the features."""
    table = content.table("selection")
    if table is None:
        return ()
    first = table.sort_values("frequency", ascending=False).head(5)
    words = "; ".join(f"{r.feature} {100 * r.frequency:.0f} %" for r in first.itertuples())
    return (
        picture(
            draw_selection(table),
            alt=f"Most often selected features: {words}.",
            caption="Share of training parts that chose the feature; blue: at least half of them.",
            table="selection",
        ),
    )


def survival_pictures(content: ReportContent, *, place: str | None) -> Pictures:
    """Kaplan-Meier curves, one picture a split (and endpoint); without a place, of all."""
    found = []
    for split, curves in by_split(content, "survival_curves", place=place):
        keys = [key for key in SURVIVAL_KEYS if key in curves]
        for key, part in curves.groupby(keys, sort=False, dropna=False):
            where = _where(content, split, str(key[-1]))
            ratio = _high_against_low(content, split, str(key[-1]))
            note = None if ratio is None else _ratio_words(ratio)
            groups = ", ".join(part["group"].unique())
            found.append(
                picture(
                    draw_survival(part, note=note, title=where),
                    alt=f"Kaplan-Meier curves of {groups}, {where}. {note or ''}".strip(),
                    caption=f"Survival by predicted group, {where}; bands are pointwise 95 %.",
                    table="survival_curves",
                )
            )
    return tuple(found)


def forest_pictures(content: ReportContent, *, place: str | None) -> Pictures:
    """Hazard ratios, one picture a split (and endpoint); without a place, of all."""
    found = []
    for split, table in by_split(content, "hazard_ratios", place=place):
        keys = [key for key in SURVIVAL_KEYS if key in table]
        for key, part in table.groupby(keys, sort=False, dropna=False):
            where = _where(content, split, str(key[-1]))
            found.append(
                picture(
                    draw_forest(part, title=where),
                    alt=f"Hazard ratios, {where}: {ratios(part)}.",
                    caption=f"Cox hazard ratios, {where}; above 1 is worse.",
                    table="hazard_ratios",
                )
            )
    return tuple(found)


def _where(content: ReportContent, split: str, endpoint: str) -> str:
    """What was held against which endpoint, and where; a split may name its endpoint itself."""
    words = subject_words(split, risk=outline_of(content).risk)
    named = not endpoint or endpoint == split or split.endswith(f", {endpoint}")
    return words if named else f"{words}, {endpoint}"


def by_split(
    content: ReportContent, name: str, *, place: str | None = None
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each split of a table with its rows; those of one place only, if asked."""
    table = content.table(name)
    if table is not None:
        for split, part in table.groupby("split", sort=False):
            if place in (None, place_of(str(split))):
                yield str(split), part


def _ratio_words(ratio: Metric) -> str:
    words = f"HR {estimate(ratio)}"
    p = ratio.p_permutation
    return words if p is None else f"{words}, permutation p {p_value(p)}"


def _high_against_low(content: ReportContent, split: str, endpoint: str) -> Metric | None:
    """Return the ratio beside a picture: a second endpoint carries its name in the metric's."""
    name = "hr_high_vs_low"
    if split.startswith(SIGNATURE_SPLIT):
        name, split = f"signature_{name}", split.removeprefix(SIGNATURE_SPLIT)
    first = split.removesuffix(f", {endpoint}")
    found = (content.metric(f"{name}:{endpoint}", where) for where in (split, first))
    return next((metric for metric in found if metric), None) or content.metric(name, split)


def ratios(table: pd.DataFrame) -> str:
    """Write the hazard ratio of each ``term``."""
    return "; ".join(
        f"{r.term} {interval(r.hazard_ratio, r.low, r.high)}" for r in table.itertuples()
    )


def _counts(labels: pd.Series[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in labels.value_counts(sort=False).items())


def headline_metrics(content: ReportContent) -> tuple[Metric, ...]:
    """Numbers for the top of the page, in the order of what they are worth; four at most."""
    outside = tuple(f"{EXTERNAL}{cohort}" for cohort in content.cohorts)
    found = (
        content.metric(name, split)
        for name, where in outline_of(content).tiles
        for split in (outside if where == EXTERNAL else (where,))
    )
    known = (*headlines(content), *(metric for metric in found if metric is not None))
    return tuple(dict.fromkeys(known))[:4]
