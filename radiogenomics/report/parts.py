"""What a page is made of: sections with figures and tables, tables of cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from radiogenomics.core.evidence import Metric
from radiogenomics.report.embed import Picture
from radiogenomics.report.vocabulary import SURROGATE, reading, split_words, words_of

LONG_TEXT = 45
"""From so many letters on, a column of text keeps a width of its own."""
WIDEST_RATIO = 8.0
"""Hazard ratios beyond 8 or below 1/8 end at the edge of their bar."""


@dataclass(frozen=True)
class Whisker:
    """An interval as a small bar: positions from 0 to 100."""

    low: float
    value: float
    high: float
    chance: float
    kind: str


@dataclass(frozen=True)
class Cell:
    """One cell: text, its kind (``text``, ``number``, ``code``, ``badge``, ...), tone and note."""

    text: str
    kind: str = "text"
    tone: str = ""
    note: str = ""
    whisker: Whisker | None = None


Rows = tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Table:
    """A table with its caption and the name of its CSV, if it has one.

    Rows stand in groups, each under its heading; a plain table is one group without a heading.
    """

    caption: str
    columns: tuple[Cell, ...]
    groups: tuple[tuple[str, Rows], ...]
    csv: str | None = None


@dataclass(frozen=True)
class Section:
    """One section of the page; ``lines`` are paragraphs, two that are ``half`` stand in one row.

    Title and lead are those of the page's outline.
    """

    anchor: str
    title: str = ""
    lead: str = ""
    lines: tuple[Cell, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    text: str = ""
    half: bool = False


def number(value: object, *, digits: int | None = None) -> str:
    """Write a number for readers, with three significant digits unless told how many decimals.

    An en dash stands where there is none.
    """
    if value is None or pd.isna(value):
        return "–"
    if isinstance(value, str):
        return value
    plain = float(value)  # type: ignore[arg-type]
    if math.isinf(plain):
        return "∞" if plain > 0 else "−∞"
    if digits is not None:
        return f"{plain:.{digits}f}".replace("-", "−")
    if plain.is_integer() and abs(plain) < 1e7:
        return f"{int(plain)}".replace("-", "−")
    return f"{plain:.3g}".replace("-", "−")


def unbroken(text: str) -> str:
    """Text that stays on one line: an estimate and its interval belong together.

    Examples
    --------
    >>> " " in unbroken("0.71 (0.60–0.80)")
    False
    """
    return text.replace(" ", "\u00a0").replace("–", "\u2060–\u2060")


def p_value(value: float | None) -> str:
    """Write a p-value: three significant digits are more than it knows."""
    if value is None or pd.isna(value):
        return "–"
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"


def frame_table(
    frame: pd.DataFrame,
    *,
    caption: str,
    columns: Mapping[str, str],
    group_by: str | None = None,
    csv: str | None = None,
) -> Table:
    """Turn the columns that the frame has into a table for readers.

    Parameters
    ----------
    columns
        Column → heading. A heading that begins with ``p`` and a space, or is ``p``, is a p-value.
    group_by
        Column whose values become the headings of groups of rows.
    csv
        Name of the table behind it.
    """
    present = {column: heading for column, heading in columns.items() if column in frame}
    cells = {column: _column_cells(frame[column], heading) for column, heading in present.items()}
    heads = tuple(
        Cell(heading, cells[column][0].kind if cells[column] else "text")
        for column, heading in present.items()
    )
    groups: dict[str, list[tuple[Cell, ...]]] = {}
    names = [""] * len(frame) if group_by is None else [str(name) for name in frame[group_by]]
    for name, *row in zip(names, *cells.values(), strict=True):
        groups.setdefault(name, []).append(tuple(row))
    return Table(caption, heads, _frozen(groups), csv)


def _column_cells(column: pd.Series, heading: str) -> list[Cell]:
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        texts = [number(value) for value in column]
        long = max(map(len, texts), default=0) >= LONG_TEXT
        return [Cell(text, "long" if long else "text") for text in texts]
    if heading == "p" or heading.startswith("p "):
        return [Cell(p_value(value), "number") for value in column]
    # Counts among shares stay counts, and do not coarsen the shares.
    counts = (column % 1 == 0) & (column.abs() > 1)
    digits = _decimals(column if counts.all() else column[~counts])
    places = [0 if count and digits is not None else digits for count in counts]
    return [
        Cell(number(value, digits=place), "number")
        for value, place in zip(column, places, strict=True)
    ]


def _decimals(column: pd.Series) -> int | None:
    """Decimals that suit a whole column; None where one count of decimals does not."""
    values = column.dropna().astype(float)
    sizes = values[values.abs() < math.inf].abs()
    if sizes.empty or (sizes % 1 == 0).all():
        return 0
    digits = next(
        d for limit, d in ((0.3, 3), (20, 2), (1000, 1), (math.inf, 0)) if sizes.max() < limit
    )
    return digits if sizes[sizes > 0].min() >= 0.5 * 10**-digits else None


def _frozen(groups: Mapping[str, Sequence[tuple[Cell, ...]]]) -> tuple[tuple[str, Rows], ...]:
    return tuple((name, tuple(rows)) for name, rows in groups.items())


def metric_table(metrics: Sequence[Metric], *, caption: str, risk: str = SURROGATE) -> Table:
    """Every metric with its interval, its chance level, its permutation p and what that says.

    ``risk`` is what the page calls the risk that images give.
    """
    heads = (
        Cell("metric"),
        Cell("estimate (95 % interval)", "number"),
        Cell("against chance"),
        Cell("chance", "number"),
        Cell("permutation p", "number"),
        Cell("n (events)", "number"),
        Cell("reading"),
    )
    groups: dict[str, list[tuple[Cell, ...]]] = {}
    for metric in metrics:
        groups.setdefault(split_words(metric.split), []).append(_metric_row(metric, risk))
    return Table(caption, heads, _frozen(groups))


def estimate(metric: Metric) -> str:
    """Write value and interval."""
    if not (math.isfinite(metric.low) and math.isfinite(metric.high)):
        return f"{number(metric.value, digits=2)} (no finite interval)"
    bounds = (metric.value, metric.low, metric.high)
    digits = 3 if max(map(abs, bounds)) < 0.1 else 2
    value, low, high = (number(x, digits=digits) for x in bounds)
    joint = " to " if "−" in low + high else "–"
    return f"{value} ({low}{joint}{high})"


def _metric_row(metric: Metric, risk: str) -> tuple[Cell, ...]:
    tone, says = reading(metric)
    size = f"{metric.n}" if metric.events is None else f"{metric.n} ({metric.events})"
    return (
        Cell(words_of(metric.name, risk=risk).title, "metric", note=metric.name),
        Cell(estimate(metric), "number"),
        Cell("", "whisker", whisker=whisker(metric)),
        Cell(number(metric.chance, digits=2), "number"),
        Cell(p_value(metric.p_permutation), "number"),
        Cell(size, "number"),
        Cell(says, "reading", tone),
    )


def whisker(metric: Metric) -> Whisker | None:
    """Place a metric on a bar from 0 to 100; None where there is nothing to place."""
    words = words_of(metric.name)
    numbers = (metric.low, metric.value, metric.high)
    if metric.chance is None or not all(math.isfinite(x) for x in numbers) or not words.judged:
        return None
    if words.scale == "ratio":
        if min(numbers) <= 0:
            return None
        numbers = tuple(math.log(x) for x in numbers)  # type: ignore[assignment]
        low, high = -math.log(WIDEST_RATIO), math.log(WIDEST_RATIO)
        chance = math.log(metric.chance)
    elif words.scale == "share":
        low, high, chance = 0.0, 1.0, metric.chance
    else:
        reach = max(abs(x - metric.chance) for x in numbers) * 1.15 or 1.0
        low, high, chance = metric.chance - reach, metric.chance + reach, metric.chance
    places = [
        round(100 * (min(max(x, low), high) - low) / (high - low), 2) for x in (*numbers, chance)
    ]
    return Whisker(places[0], places[1], places[2], places[3], reading(metric)[0])
