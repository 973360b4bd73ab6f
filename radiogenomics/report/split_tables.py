"""Tables whose rows belong to splits: each split under its name, the first rows of long ones."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from radiogenomics.plots.style import shorten, unprefixed
from radiogenomics.report.content import ReportContent
from radiogenomics.report.outlines import outline_of
from radiogenomics.report.parts import Table, frame_table
from radiogenomics.report.texts import HAZARD_COLUMNS
from radiogenomics.report.vocabulary import place_of, split_words, subject_words

MOST_ROWS = 12
LONG_NAMES, LONGEST = ("score", "set"), 34
LEADING_EDGE = 36


def split_tables(
    content: ReportContent,
    name: str,
    *,
    caption: str,
    columns: Mapping[str, str],
    place: str | None = None,
    order: str | None = None,
) -> tuple[Table, ...]:
    """Return a table with each split under its name; nothing where there are no rows.

    Parameters
    ----------
    name, caption, columns
        Of the table, and its headings.
    place
        Splits of this place only.
    order
        Column by which each split shows only its first rows.
    """
    table = content.table(name)
    if table is None:
        return ()
    splits = table.groupby("split", sort=False)
    parts = [part for split, part in splits if place in (None, place_of(str(split)))]
    if not parts:
        return ()
    whole = pd.concat(parts)
    shown = whole if order is None else pd.concat([first_rows(part, order) for part in parts])
    if len(shown) < len(whole):
        each = " in each" if len(parts) > 1 else ""
        caption = f"{caption}: the {MOST_ROWS} smallest p{each}, of {len(whole):,} in all"
    shown = shown.assign(split=shown["split"].map(split_words))
    for column in set(LONG_NAMES) & set(shown):
        shown[column] = [shorten(text, length=LONGEST) for text in unprefixed(shown[column])]
    if "leading_edge" in shown:
        shown["leading_edge"] = shown["leading_edge"].map(_beginning)
    shown = shown.dropna(axis="columns", how="all")
    return (frame_table(shown, caption=caption, columns=columns, group_by="split", csv=name),)


def hazard_tables(content: ReportContent, *, place: str | None) -> tuple[Table, ...]:
    """Return the hazard ratios of one place, each split under what was held against survival.

    Without a place, those of all.
    """
    table = content.table("hazard_ratios")
    if table is None:
        return ()
    mine = table if place is None else table[table["split"].map(place_of) == place]
    if mine.empty:
        return ()
    mine = mine.dropna(axis="columns", how="all")
    risk = outline_of(content).risk
    mine = mine.assign(split=[subject_words(split, risk=risk) for split in mine["split"]])
    return (
        frame_table(
            mine,
            caption="Cox hazard ratios",
            columns=HAZARD_COLUMNS,
            group_by="split",
            csv="hazard_ratios",
        ),
    )


def first_rows(table: pd.DataFrame, order: str, *, ascending: bool = True) -> pd.DataFrame:
    """Return the rows of a long table that are shown."""
    return table.sort_values(order, ascending=ascending, kind="stable").head(MOST_ROWS)


def cut_caption(what: str, shown: pd.DataFrame, *, whole: pd.DataFrame, order: str) -> str:
    """Say of a table what its rows were chosen by, where not all are shown."""
    cut = len(shown) < len(whole)
    return f"{what}: the {len(shown)} {order} of {len(whole):,}" if cut else what


def _beginning(text: str) -> str:
    return text if len(text) <= LEADING_EDGE else f"{text[:LEADING_EDGE]}…"
