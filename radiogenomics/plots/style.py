"""What all figures share: a colour-blind-safe palette, quiet axes, and the check of a table.

Nothing here touches pyplot or ``rcParams``: a figure drawn in a notebook, a test or a thread looks
the same and leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from textwrap import wrap
from types import MappingProxyType
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from radiogenomics.core.errors import DataError, SchemaError, short_list

INK = "#1f2a37"
MUTED = "#5b6775"
FAINT = "#c9d1d9"
PALE = "#eef1f4"
BLUE = "#0072b2"
VERMILION = "#d55e00"
GREEN = "#00795b"

# After Okabe and Ito 2008, without the yellow, which is too faint on white; green and purple are
# darkened for the same reason. In this order two colours that look alike to somebody never share a
# dash pattern.
PALETTE = (BLUE, VERMILION, "#a3487e", GREEN, "#b87700", "#4a9fd0", INK)
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
ADVERSE = MappingProxyType({"high": VERMILION, "low": BLUE})

TEXT_SIZE = 9.0
SMALL = 8.0
LINE = 12.0
"""Points from line to line of small text."""
TITLE_LETTER = 0.6
"""Mean width of a bold letter, in its size."""


def new_axes(ax: Axes | None, *, size: tuple[float, float] = (4.6, 3.6)) -> Axes:
    """Return ``ax`` with the house's look, or quiet axes on a new figure of ``size`` inches.

    A new figure carries its own Agg canvas, so it needs no display and pyplot never learns of it.
    """
    if ax is None:
        figure = Figure(figsize=size, layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        ax = figure.add_subplot()
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(FAINT)
    ax.tick_params(colors=MUTED, labelsize=SMALL, length=3, width=0.8, color=FAINT)
    ax.set_axisbelow(True)
    return ax


def name_axes(ax: Axes, *, x: str, y: str, title: str | None = None, raised: int = 0) -> None:
    """Write the axis names, and the title if there is one; ``raised`` lines stay free below it.

    A title that is longer than the axes goes on in a second line.
    """
    ax.set_xlabel(plain(x), color=INK, fontsize=TEXT_SIZE)
    ax.set_ylabel(plain(y), color=INK, fontsize=TEXT_SIZE)
    if title is not None:
        ax.set_title(
            "\n".join(wrap(plain(title), width=_letters_across(ax))),
            color=INK,
            fontsize=TEXT_SIZE + 1,
            fontweight="bold",
            loc="left",
            pad=6 + LINE * raised,
        )


def _letters_across(ax: Axes) -> int:
    """Letters of a title that go on the axes; from what is known before they are laid out."""
    inches = ax.figure.bbox.width / ax.figure.dpi * ax.get_position().width
    return max(12, int(inches * 72 / (TITLE_LETTER * (TEXT_SIZE + 1))))


def grid(ax: Axes, *, axis: str = "both") -> None:
    """Draw the faint grid behind the data."""
    ax.grid(True, axis=axis, color=PALE, linewidth=0.9)


def bare_rows(ax: Axes, labels: Sequence[str]) -> None:
    """Turn the y axis into named rows, the first on top, without a spine or ticks."""
    ax.set_yticks(range(len(labels)), [plain(label) for label in labels])
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(len(labels) - 0.4, -0.6)


def write(
    ax: Axes,
    text: str,
    at: tuple[float, float],
    *,
    coords: Any = "data",
    offset: tuple[float, float] = (0, 0),
    colour: str = INK,
    size: float = SMALL,
    across: str = "left",
    upright: str = "center",
) -> None:
    """Write small text at a point of ``coords``, moved by ``offset`` points; never clipped."""
    ax.annotate(
        plain(text),
        at,
        xycoords=coords,
        xytext=offset,
        textcoords="offset points",
        ha=across,
        va=upright,
        fontsize=size,
        color=colour,
        annotation_clip=False,
    )


def width_for(names: Iterable[str], *, free: int = 20) -> float:
    """Inches of a figure whose rows have these names: wider from ``free`` letters on."""
    longest = max((len(name) for name in names), default=0)
    return 6.4 + 0.075 * max(0, longest - free)


def write_beside(ax: Axes, row: int, text: str) -> None:
    """Write to the right of the axes, level with a row."""
    write(ax, text, (1.02, row), coords=("axes fraction", "data"))


def write_sides(ax: Axes, sides: tuple[str, str]) -> None:
    """Write above the axes what lies to the left and to the right; an empty side stays so."""
    left, right = sides
    for words, place, across in (
        (left and f"← {left}", 0, "left"),
        (right and f"{right} →", 1, "right"),
    ):
        if words:
            write(
                ax, words, (place, 1), coords="axes fraction", offset=(0, 8), colour=MUTED,
                across=across,
            )  # fmt: skip


def legend(ax: Axes, *, place: str = "best") -> None:
    """Draw a legend without a box around it."""
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        ax.legend(
            handles,
            labels,
            loc=place,
            fontsize=SMALL,
            labelcolor=INK,
            frameon=True,
            framealpha=0.85,
            edgecolor="none",
            borderpad=0.3,
            handlelength=2.0,
        )


def legend_above(ax: Axes, handles: Sequence[Any], *, columns: int = 1) -> None:
    """Draw a legend above the axes, where no row can lie; its lines are to stay free of titles."""
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        fontsize=SMALL,
        labelcolor=INK,
        frameon=False,
        borderpad=0.2,
        borderaxespad=0.2,
        labelspacing=0.25,
        columnspacing=1.5,
    )


def line_styles(names: Iterable[str]) -> dict[str, tuple[str, Any]]:
    """Give each name a colour and a dash pattern; high and low keep theirs on every figure.

    Colour alone never tells two lines apart.
    """
    names = list(dict.fromkeys(names))
    fixed = {name: _adverse(name) for name in names}
    others = [name for name in names if fixed[name] is None]
    free = iter(zip(islice(cycle(PALETTE), len(others)), cycle(DASHES), strict=False))
    return {name: fixed[name] or next(free) for name in names}


def _adverse(name: str) -> tuple[str, Any] | None:
    for word, colour in ADVERSE.items():
        if name.lower() == word or name.lower().endswith(f" {word}"):
            return colour, "-" if word == "high" else (0, (4, 0.9))
    return None


def plain(text: object) -> str:
    """Text that is drawn as it stands: no mathematics between dollars, one line, never hidden."""
    words = _one_line(text).replace("$", r"\$")
    # Matplotlib leaves labels that begin with an underscore out of legends.
    return f"\u200b{words}" if words.startswith("_") else words


def shorten(text: object, *, length: int = 38) -> str:
    """Cut a long name in its middle, where names of features differ least."""
    words = _one_line(text)
    if len(words) <= length:
        return words
    head = (length - 1) // 2
    return f"{words[:head]}…{words[len(words) - (length - 1 - head) :]}"


def records(table: pd.DataFrame) -> list[Any]:
    """Rows whose fields are the names of the columns."""
    return list(table.itertuples())


def unprefixed(names: Iterable[object]) -> list[str]:
    """Names without the collection in front of the bar, where they stay distinct without it.

    Examples
    --------
    >>> unprefixed(["HALLMARKS|HYPOXIA", "CYT"]), unprefixed(["A|CYT", "B|CYT"])
    (['HYPOXIA', 'CYT'], ['A|CYT', 'B|CYT'])
    """
    whole = [str(name) for name in names]
    bare = [name.rpartition("|")[2] for name in whole]
    return bare if len(set(bare)) == len(set(whole)) else whole


def _one_line(text: object) -> str:
    """Words with single spaces; control characters, which no SVG may hold, are left out."""
    return "".join(c for c in " ".join(str(text).split()) if c.isprintable())


def interval(value: float, low: float, high: float, *, digits: int = 2) -> str:
    """Write an estimate with its interval, or alone where there is none.

    Examples
    --------
    >>> interval(0.71, 0.6, 0.8), interval(-0.3, -0.5, -0.1)
    ('0.71 (0.60–0.80)', '−0.30 (−0.50 to −0.10)')
    """
    # Zero is added so that what rounds to zero has no sign.
    rounded = (round(x, digits) + 0.0 for x in (value, low, high))
    estimate, lower, upper = (f"{x:.{digits}f}".replace("-", "−") for x in rounded)
    if pd.isna(low) or pd.isna(high):
        return estimate
    return f"{estimate} ({lower}{' to ' if '−' in lower + upper else '–'}{upper})"


def require(table: pd.DataFrame, columns: Sequence[str], *, what: str) -> pd.DataFrame:
    """Return the table when it has rows and the columns a figure draws.

    Raises
    ------
    SchemaError
        A column is missing.
    DataError
        There is no row.
    """
    missing = [column for column in columns if column not in table]
    if missing:
        raise SchemaError(
            f"{what}: expected the columns {', '.join(columns)}; found no {short_list(missing)}. "
            "Pass the tidy table of that name."
        )
    if table.empty:
        raise DataError(
            f"{what}: expected at least one row to draw; found none. "
            "Leave the figure out when the run had nothing of the kind."
        )
    return table
