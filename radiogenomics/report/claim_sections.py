"""Sections that hold published numbers and procedures against what was obtained."""

from __future__ import annotations

import pandas as pd

from radiogenomics.plots.style import interval, records
from radiogenomics.report import claim_drawings
from radiogenomics.report.content import ReportContent
from radiogenomics.report.parts import Cell, Section, frame_table, unbroken
from radiogenomics.report.prediction_texts import (
    CHECKED_COLUMNS,
    CLAIM_COLUMNS,
    FLATTERY_COLUMNS,
    bound_of,
    claim_words,
    metric_words,
    procedure_words,
)
from radiogenomics.report.split_tables import cut_caption

MOST_CLAIMS, MANY = 40, 2
NARROW = 0.5
"""Of the width that is possible: below it an interval is called too narrow."""


def claim_section(content: ReportContent) -> Section:
    """Published numbers beside those obtained."""
    table = content.table("claims")
    if table is None:
        return Section("claims")
    shown = table.sort_values("obtained", key=lambda o: o.isna(), kind="stable")
    shown = _in_words(shown.head(MOST_CLAIMS))
    caption = cut_caption("Published numbers", shown, whole=table, order="first")
    return Section(
        "claims",
        lines=_claim_lines(content, table),
        pictures=claim_drawings.claim_pictures(content),
        tables=(frame_table(shown, caption=caption, columns=CLAIM_COLUMNS, csv="claims"),),
    )


def _in_words(claims: pd.DataFrame) -> pd.DataFrame:
    """Claims with their intervals in one column each."""
    names = [
        claim_words(row) + (f", {metric_words(row.metric)}" if row.metric == "auc" else "")
        for row in records(claims)
    ]
    columns = {
        "claimed_interval": ("claimed", "claimed_low", "claimed_high"),
        "obtained_interval": ("obtained", "obtained_low", "obtained_high"),
    }
    shown = claims.assign(claim=names, verdict=claims["verdict"].map(_verdict))
    for name, bounds in columns.items():
        shown[name] = [_bounds(*row) for row in claims[list(bounds)].itertuples(index=False)]
    signs = [bound_of(row) for row in records(claims)]
    shown["claimed_interval"] = [
        unbroken(f"{sign} {text}") if sign else text
        for sign, text in zip(signs, shown["claimed_interval"], strict=True)
    ]
    for name, (low, high) in {
        "possible": ("low_at_n", "high_at_n"),
        "chance": ("chance_low", "chance_high"),
    }.items():
        pairs = claims[[low, high]].astype(float).itertuples(index=False)
        shown[name] = [_range(*pair) for pair in pairs]
    return shown


def _verdict(text: str) -> str:
    """Where a claim lies, without the words that the heading says."""
    for long, short in (
        ("claimed is ", ""),
        (" the obtained interval", ""),
        ("not obtained: ", ""),
    ):
        text = text.replace(long, short)
    return text


def _range(low: float, high: float) -> str:
    if pd.isna(low) or pd.isna(high):
        return "–"
    digits = _digits(high)
    return unbroken(f"{low:.{digits}f}–{high:.{digits}f}")


def _bounds(value: float, low: float, high: float) -> str:
    """An estimate with its interval; counts as they are."""
    if pd.isna(value):
        return "–"
    if value >= MANY and float(value).is_integer():
        return f"{value:g}"
    return unbroken(interval(value, low, high, digits=_digits(value)))


def _digits(value: float) -> int:
    """Decimals that papers print: three of a share, two of a ratio."""
    return 3 if abs(value) <= 1 else 2


def _claim_lines(content: ReportContent, claims: pd.DataFrame) -> tuple[Cell, ...]:
    """How many claims were met, and how many printed intervals cannot be."""
    verdicts = claims["verdict"].astype(str)
    held = claims["obtained"].notna()
    places = {
        word: int(verdicts.str.startswith(f"claimed is {word} the").sum())
        for word in ("inside", "above", "below")
    }
    lines = [
        f"{int(held.sum())} of {len(claims)} published numbers could be held against this run: "
        f"{places['inside']} lie inside the interval obtained, {places['above']} above it and "
        f"{places['below']} below."
    ]
    bounds = int(verdicts.str.startswith("claimed bound").sum())
    if bounds:
        lines.append(
            f"{bounds} claimed {'bound is' if bounds == 1 else 'bounds are'} met by all or part of "
            "it."
        )
    lucky = int(verdicts.str.contains("within chance").sum())
    if lucky:
        lines.append(f"{lucky} of them a worthless score reaches at that size as well.")
    if "narrowness" in claims and claims["narrowness"].notna().any():
        printed = claims["narrowness"].dropna()
        lines.append(
            f"Of {len(printed)} printed intervals {int((printed < NARROW).sum())} are less than "
            f"half as wide as so many patients allow."
        )
    if content.simulated:
        lines.append(
            "Cohorts that are simulated were given the published AUC as the truth: they say what "
            "such a study can show, not whether the paper is right."
        )
    return (Cell(" ".join(lines)),)


def check_section(content: ReportContent) -> Section:
    """What the size of the study allows."""
    table = content.table("design_checks")
    if table is None:
        return Section("design_checks")
    shown = table.dropna(axis="columns", how="all")
    caption, name = "What the size allows", "design_checks"
    return Section(
        "design_checks",
        tables=(frame_table(shown, caption=caption, columns=CHECKED_COLUMNS, csv=name),),
    )


def flattery_section(content: ReportContent) -> Section:
    """The honest number, and what known defects make of the same patients."""
    table = content.table("flattery")
    if table is None:
        return Section("flattery")
    shown = table.assign(procedure=table["procedure"].map(procedure_words))
    honest, worst = shown.iloc[0], shown.sort_values("auc", kind="stable").iloc[-1]
    lines: tuple[Cell, ...] = ()
    if worst["auc"] > honest["auc"]:
        noise = worst["auc_on_noise"]
        nothing = (
            "" if pd.isna(noise) else f", and {_of_noise(worst)} where there is nothing to find"
        )
        text = (
            f"The honest way finds {interval(honest['auc'], honest['low'], honest['high'])}. "
            f"{str(worst['procedure'])[:1].upper()}{str(worst['procedure'])[1:]} would claim "
            f"{interval(worst['auc'], worst['low'], worst['high'])}{nothing}."
        )
        lines = (Cell(text),)
    return Section(
        "flattery",
        lines=lines,
        pictures=claim_drawings.flattery_pictures(content),
        tables=(
            frame_table(shown, caption="Procedures", columns=FLATTERY_COLUMNS, csv="flattery"),
        ),
    )


def _of_noise(row: pd.Series) -> str:
    """Mean over shuffled labels and, where there were several, the extremes."""
    mean = f"{row['auc_on_noise']:.2f}"
    if "noise_low" not in row or pd.isna(row["noise_low"]):
        return mean
    return f"{mean} ({row['noise_low']:.2f} to {row['noise_high']:.2f})"
