"""Card of one patient: what the scan suggests of the pathways, from which features, how surely."""

from __future__ import annotations

import re
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from radiogenomics.core.errors import DataError
from radiogenomics.plots.link_words import FOUND, feature_label, set_labels
from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    SMALL,
    TEXT_SIZE,
    VERMILION,
    grid,
    name_axes,
    new_axes,
    records,
    require,
    write,
)

PATHWAYS = ("pathway", "predicted", "low", "high", "percentile", "r2", "p_family")
CONTRIBUTIONS = ("pathway", "feature", "contribution")
TRAINING = ("pathway", "value")
PSEUDONYM = re.compile(r"[0-9a-f]{12}")
PREDICTABLE = "predictable from imaging"
FEATURES = 3
"""Features named for each pathway."""
ROW_INCHES, LOW_ROW = 0.62, 0.6
"""Height of a row, and the share of it that a pathway takes that is not predictable."""
NAMES, LEVELS, RANKS, WORDS, BARS = 1.85, 2.45, 0.85, 2.3, 1.15
"""Inches across: pathways, predicted levels, percentiles, names of features, contributions."""
TOP, FOOT, EDGE, LINE = 0.66, 0.62, 0.15, 0.175
"""Inches: between the rows and what is written above and below, the right edge, a line of text."""
ACROSS, ACROSS_BOLD, NAME = 132, 90, 21
"""Letters of a line of plain text and of the sentence on top, and of a pathway's name."""


@dataclass(frozen=True, eq=False)
class PatientCard:
    """What is known of one patient from the scan alone.

    Parameters
    ----------
    pseudonym
        Twelve hexadecimal digits, as outputs name patients; an identifier is refused.
    pathways
        ``pathway, predicted, low, high`` (in standard deviations of the training cohort, 0 is its
        mean), ``percentile`` (0 to 100, of the training cohort), ``r2`` (out of sample) and
        ``p_family`` (of that R² against permutations), one row a pathway.
    contributions
        ``pathway, feature, contribution``: what a feature adds to the predicted level, in standard
        deviations.
    training
        ``pathway, value``: levels of the training cohort in its standard deviations; where there
        are none, a band of one standard deviation stands for them.
    level
        That intervals hold, 0 to 1.
    """

    pseudonym: str
    pathways: pd.DataFrame
    contributions: pd.DataFrame
    training: pd.DataFrame | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse an identifier, and tables that are not what they should be."""
        if not PSEUDONYM.fullmatch(self.pseudonym):
            # What was found is not repeated: it may be the identifier of a patient.
            raise DataError(
                "patient card: expected a pseudonym of twelve hexadecimal digits; found "
                f"{len(self.pseudonym)} other characters. Pass io.pseudonym(cohort, patient)."
            )
        require(self.pathways, PATHWAYS, what="pathways of a patient")
        if not self.contributions.empty or not {*CONTRIBUTIONS} <= {*self.contributions}:
            require(self.contributions, CONTRIBUTIONS, what="contributions to pathways")
        if self.training is not None:
            require(self.training, TRAINING, what="training cohort")
        bounds = self.pathways[["low", "predicted", "high"]].to_numpy(dtype=float)
        twice = int(self.pathways["pathway"].duplicated().sum())
        if twice or not (np.diff(bounds, axis=1) >= 0).all():
            raise DataError(
                "pathways of a patient: expected each pathway once, with low, predicted and high "
                f"in this order; found {twice} pathways twice, or a level outside its interval. "
                "Pass the prediction of one patient."
            )

    @property
    def predictable(self) -> pd.Series:
        """Whether imaging foretells the pathway beyond chance, out of sample."""
        return (self.pathways["p_family"] < FOUND) & (self.pathways["r2"] > 0)


def draw_patient_card(card: PatientCard, ax: Axes | None = None) -> Axes:
    """Draw the predicted level of each pathway against the training cohort, and what it rests on.

    A level is coloured where its whole interval lies above (orange) or below (blue) the training
    cohort's mean. Pathways that imaging does not foretell beyond chance are grey, at the foot, and
    take no part in what the card says. It is an estimate from a cohort, no measurement.

    Parameters
    ----------
    card
        Of one patient.
    ax
        Axes of the predicted levels, with room on either side; new ones when not given.

    Returns
    -------
    Axes
        x: standard deviations of the training cohort; y: pathways, the highest on top.

    Examples
    --------
    >>> levels = pd.DataFrame({"pathway": ["HYPOXIA"], "predicted": [1.1], "low": [0.2],
    ...     "high": [2.0], "percentile": [87], "r2": [0.2], "p_family": [0.01]})
    >>> behind = pd.DataFrame({"pathway": ["HYPOXIA"], "feature": ["original_glcm_MCC"],
    ...                        "contribution": [0.7]})
    >>> suggestion(PatientCard("0123456789ab", levels, behind))
    'This scan suggests: HYPOXIA high (87th percentile).'
    """
    rows = _rows(card)
    said = wrap(suggestion(card), width=ACROSS_BOLD)
    sure = wrap(uncertainty(card), width=ACROSS)
    if ax is None:
        height = ROW_INCHES * (float(rows["place"].iloc[-1]) + 1.1)
        ax = _placed(height, above=len(said), below=len(sure))
    new_axes(ax)
    _draw_cohort(ax, card, rows)
    for row in records(rows):
        _draw_level(ax, row)
    ax.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    _limits(ax, rows)
    _draw_features(ax, card, rows)
    _write_about(ax, card, said, sure)
    return ax


def suggestion(card: PatientCard) -> str:
    """One sentence: the pathways whose whole interval lies to one side of the cohort's mean."""
    rows = _rows(card)
    if not rows["found"].any():
        return f"This scan suggests nothing: no pathway here is {PREDICTABLE}."
    sure = rows[rows["found"] & ((rows["low"] > 0) | (rows["high"] < 0))]
    if sure.empty:
        return "This scan suggests no pathway that is surely above or below the cohort's mean."
    said = ", ".join(
        f"{row.label} {'high' if row.predicted > 0 else 'low'} "
        f"({ordinal(row.percentile)} percentile)"
        for row in records(sure)
    )
    return f"This scan suggests: {said}."


def uncertainty(card: PatientCard) -> str:
    """Say in plain words how far the card can be trusted.

    Examples
    --------
    >>> levels = pd.DataFrame({"pathway": ["HYPOXIA"], "predicted": [1.1], "low": [0.2],
    ...     "high": [2.0], "percentile": [87], "r2": [0.2], "p_family": [0.7]})
    >>> nothing = pd.DataFrame(columns=["pathway", "feature", "contribution"])
    >>> uncertainty(PatientCard("0123456789ab", levels, nothing))[:56]
    'How sure is this? No pathway here can be predicted from '
    """
    rows = card.pathways[card.predictable]
    measured = (
        "Levels are estimated from the scan, not measured: they replace no tissue, and no decision "
        "should rest on them alone."
    )
    if rows.empty:
        return f"How sure is this? No pathway here can be predicted from imaging. {measured}"
    share = sorted({round(100 * float(r2)) for r2 in (rows["r2"].min(), rows["r2"].max())})
    open_ = int(((rows["low"] <= 0) & (rows["high"] >= 0)).sum())
    crossing = (
        f"{open_} of {len(rows)} reach across the cohort's mean, so that their direction is open."
        if open_
        else "none reaches across the cohort's mean."
    )
    return (
        "How sure is this? In patients that the model had not seen, imaging explained "
        f"{'–'.join(map(str, share))} % of how these pathways vary (R²); the rest does not show on "
        f"the scan. Lines are {100 * card.level:g} % intervals: {crossing} {measured}"
    )


def _rows(card: PatientCard) -> pd.DataFrame:
    """Pathways as they are drawn: the predictable ones from high to low, then the others."""
    rows = card.pathways.assign(
        found=card.predictable, label=set_labels(card.pathways["pathway"], length=2 * NAME)
    ).sort_values(["found", "predicted"], ascending=False, kind="stable")
    heights = np.where(rows["found"], 1.0, LOW_ROW)
    return rows.assign(place=np.cumsum(heights) - heights / 2 - 0.5).reset_index(drop=True)


def _placed(height: float, *, above: int, below: int) -> Axes:
    """Axes placed by the inch, as what stands around them is measured in their size."""
    foot, top = FOOT + LINE * below, TOP + 1.3 * LINE * above
    whole = (NAMES + LEVELS + RANKS + WORDS + BARS + EDGE, foot + height + top)
    figure = Figure(figsize=whole, facecolor="white")
    FigureCanvasAgg(figure)
    place = (NAMES / whole[0], foot / whole[1], LEVELS / whole[0], height / whole[1])
    return figure.add_axes(place)


def _draw_cohort(ax: Axes, card: PatientCard, rows: pd.DataFrame) -> None:
    """Draw how the training cohort spreads, row by row."""
    for row in records(rows):
        reach = 0.42 if row.found else 0.3 * LOW_ROW
        values = np.empty(0)
        if card.training is not None:
            own = card.training["pathway"] == row.pathway
            values = card.training.loc[own, "value"].dropna().to_numpy(dtype=float)
        if np.unique(values).size > 2:
            at = np.linspace(values.min() - 0.5, values.max() + 0.5, 120)
            density = gaussian_kde(values)(at)
            top = row.place + 0.36 * reach / 0.42
            ax.fill_between(
                at, top, top - 1.7 * reach * density / density.max(), color=FAINT, alpha=0.6,
                linewidth=0, zorder=0,
            )  # fmt: skip
        else:
            ax.barh(row.place, 2, left=-1, height=1.4 * reach, color=FAINT, alpha=0.45, zorder=0)


def _draw_level(ax: Axes, row: Any) -> None:
    sure = row.found and (row.low > 0 or row.high < 0)
    colour = (VERMILION if row.predicted > 0 else BLUE) if sure else INK if row.found else MUTED
    ax.hlines(row.place, row.low, row.high, color=colour, linewidth=2 if row.found else 1, zorder=3)
    face = colour if row.found else "white"
    ax.plot(
        [row.predicted], [row.place], "o", markersize=6.5 if row.found else 4.5, color=colour,
        markerfacecolor=face, zorder=4,
    )  # fmt: skip


def _limits(ax: Axes, rows: pd.DataFrame) -> None:
    """Rows with their names and how well each is foretold; the x axis symmetrical about 0."""
    reach = max(2.6, 1.05 * float(rows[["low", "high"]].abs().to_numpy().max()))
    ax.set_xlim(-reach, reach)
    ax.set_ylim(float(rows["place"].iloc[-1]) + (0.6 if rows["found"].iloc[-1] else 0.4), -0.5)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    grid(ax, axis="x")
    name_axes(ax, x="SD of the training cohort", y="")
    for row in records(rows):
        lines = [(words, INK if row.found else MUTED) for words in wrap(row.label, width=NAME)]
        if row.found:
            lines.append((f"R² {row.r2:.2f} out of sample", MUTED))
        for place, (words, colour) in enumerate(lines):
            drop = 72 * 0.155 * ((len(lines) - 1) / 2 - place)
            write(ax, words, (0, row.place), coords=("axes fraction", "data"), offset=(-8, drop),
                  colour=colour, across="right")  # fmt: skip


def _draw_features(ax: Axes, card: PatientCard, rows: pd.DataFrame) -> None:
    """Draw percentiles, and the features behind each pathway with what they contribute."""
    at, start = ("axes fraction", "data"), 1 + RANKS / LEVELS
    bars = ax.inset_axes((start + WORDS / LEVELS, 0, BARS / LEVELS, 1))
    bars.set(ylim=ax.get_ylim(), yticks=[], xticks=[], frame_on=False)
    largest = _largest(card, rows)
    reach = 1.1 * max(float(largest["contribution"].abs().max()) if len(largest) else 0, 0.05)
    bars.set_xlim(-reach, 2.2 * reach)
    for row in records(rows):
        if not row.found:
            words = f"not {PREDICTABLE} (R² {row.r2:.2f}, family-wise p {row.p_family:.2g})"
            minus = words.replace("R² -", "R² −")
            write(ax, minus, (1, row.place), coords=at, offset=(10, 0), colour=MUTED)
            continue
        write(ax, ordinal(row.percentile), (1, row.place), coords=at, offset=(10, 0))
        own = largest[largest["pathway"] == row.pathway]
        bars.vlines(0, row.place - 0.42, row.place + 0.42, color=FAINT, linewidth=0.9)
        for place, feature in enumerate(records(own)):
            level = row.place + 0.29 * (place - (len(own) - 1) / 2)
            colour = VERMILION if feature.contribution > 0 else BLUE
            bars.barh(level, feature.contribution, height=0.19, color=colour)
            name = feature_label(feature.feature, length=38)
            write(ax, name, (start, level), coords=at, size=SMALL - 0.5)
            number = f"{feature.contribution:+.2f}".replace("-", "−")
            write(bars, number, (1, level), coords=at, across="right", colour=colour)


def _largest(card: PatientCard, rows: pd.DataFrame) -> pd.DataFrame:
    """The largest contributions to each pathway that is foretold."""
    found = card.contributions[
        card.contributions["pathway"].isin(rows.loc[rows["found"], "pathway"])
    ]
    size = found["contribution"].astype(float).abs()
    order = size.sort_values(ascending=False, kind="stable").index
    return found.loc[order].groupby("pathway", sort=False).head(FEATURES)


def _write_about(ax: Axes, card: PatientCard, said: list[str], sure: list[str]) -> None:
    """Write the sentence above, the heads of the columns, and how sure all of it is."""
    left, start = -(NAMES - 0.15) / LEVELS, 1 + RANKS / LEVELS
    at = "axes fraction"
    for place, words, across in (
        (0.5, "predicted level", "center"),
        (1 + 0.14 / LEVELS, "percentile", "left"),
        (start, "features behind it, and what they add in SD", "left"),
    ):
        write(ax, words, (place, 1), coords=at, offset=(0, 9), colour=MUTED, across=across)
    kind = "training cohort" if card.training is not None else "one SD of the training cohort"
    write(ax, f"Patient {card.pseudonym}; grey: {kind}", (left, 1), coords=at,
          offset=(0, 72 * 0.4), colour=MUTED)  # fmt: skip
    for place, words in enumerate(reversed(said)):
        lift = 72 * (0.63 + place * 1.25 * LINE)
        write(ax, words, (left, 1), coords=at, offset=(0, lift), size=TEXT_SIZE + 1.5)
        ax.texts[-1].set_fontweight("bold")
    for place, words in enumerate(sure):
        write(ax, words, (left, 0), coords=at, offset=(0, -72 * (FOOT + place * LINE)))


def ordinal(percentile: float) -> str:
    """Write a percentile; a cohort tells its ends no better than as the first and the last.

    Examples
    --------
    >>> [ordinal(p) for p in (0.2, 1, 12, 22.4, 99.8)]
    ['< 1st', '1st', '12th', '22nd', '> 99th']
    """
    whole = round(float(percentile))
    if not 1 <= whole <= 99:
        return "< 1st" if whole < 1 else "> 99th"
    ending = "th" if whole in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th")
    return f"{whole}{ending}"
