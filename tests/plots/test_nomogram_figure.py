"""The drawn nomogram shows its tables: every ruler, every tick, every level."""

from __future__ import annotations

import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError
from radiogenomics.plots.nomogram import draw_nomogram
from radiogenomics.plots.style import BLUE, VERMILION, shorten

POINTS = pd.DataFrame(
    {
        "variable": ["age"] * 7 + ["stage"] * 4 + ["radiomics_wavelet-HLL_glszm_LargeArea"] * 3,
        "value": [*range(20, 90, 10), "very early", "early", "intermediate", "late", -0.5, 0, 0.5],
        "points": [0, 5, 10, 15, 20, 25, 30, 0, 2, 40, 41, 100, 50, 0],
    }
)
CHANCES = pd.DataFrame(
    {
        "outcome": ["12-month survival"] * 4 + ["24-month survival"] * 2,
        "total_points": [20.0, 80.0, 85.0, 160.0, 10.0, 120.0],
        "probability": [0.9, 0.5, 0.49, 0.1, 0.8, 0.2],
    }
)
PATIENT = {"age": 10.0, "stage": 40.0, "radiomics_wavelet-HLL_glszm_LargeArea": 25.0}


def rulers(ax: Axes) -> dict[int, list[float]]:
    """Places of the marks on each row, from their artists."""
    found: dict[int, list[float]] = {}
    for collection in ax.collections:
        for segment in collection.get_segments():
            (x0, y0), (x1, y1) = segment
            if x0 == x1 and y0 == round(y0) and 0 < y1 - y0 < 0.2:
                found.setdefault(int(y0), []).append(float(x0))
    return found


def test_rows_are_points_variables_total_and_outcomes() -> None:
    ax = draw_nomogram(POINTS, CHANCES, title="Survival")
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "Points",
        "age",
        "stage",
        shorten("radiomics_wavelet-HLL_glszm_LargeArea", length=30),
        "Total points",
        "12-month survival",
        "24-month survival",
    ]
    assert ax.get_title(loc="left") == "Survival"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_marks_stand_where_the_tables_say() -> None:
    ax = draw_nomogram(POINTS, CHANCES)
    marks = rulers(ax)
    for row, name in enumerate(POINTS["variable"].unique(), start=1):
        expected = POINTS.loc[POINTS["variable"] == name, "points"] / 100
        np.testing.assert_allclose(sorted(marks[row]), sorted(expected))
    # The largest total, 30 + 41 + 100, is rounded up to 180 for the ruler.
    np.testing.assert_allclose(sorted(marks[5]), CHANCES["total_points"][:4] / 180)
    np.testing.assert_allclose(sorted(marks[6]), CHANCES["total_points"][4:] / 180)
    outcome = [c for c in ax.collections if to_hex(c.get_color()[0]) == BLUE]
    assert len(outcome) == 4  # a line and its marks, twice


def labels_of(ax: Axes, row: int) -> list[str]:
    return [t.get_text() for t in ax.texts if row - 0.05 <= t.xy[1] <= row + 0.2]


def test_every_level_is_named_and_numbers_have_true_minus_signs() -> None:
    ax = draw_nomogram(POINTS, CHANCES)
    words = ", ".join(labels_of(ax, 2))
    for level in ("very early", "early", "intermediate", "late"):
        assert level in words.split(", ")
    assert set(labels_of(ax, 3)) == {"\N{MINUS SIGN}0.5", "0", "0.5"}
    assert labels_of(ax, 6) == ["0.8", "0.2"]


@pytest.mark.parametrize("width", [5.0, 7.4, 12.0])
def test_labels_never_touch(width: float) -> None:
    figure = Figure(figsize=(width, 4), layout="constrained")
    matplotlib.backends.backend_agg.FigureCanvasAgg(figure)
    crowded = pd.concat(
        [
            POINTS,
            pd.DataFrame(
                {
                    "variable": "tumours",
                    "value": ["single", "two", "three", "four", "more"],
                    "points": [0, 20, 21, 22, 22.5],
                }
            ),
        ]
    )
    ax = draw_nomogram(crowded, CHANCES, figure.add_subplot())
    figure.canvas.draw()
    boxes = [t.get_window_extent() for t in ax.texts]
    overlapping = [
        (a.get_text(), b.get_text())
        for (a, x), (b, y) in itertools.combinations(zip(ax.texts, boxes, strict=True), 2)
        if x.overlaps(y)
    ]
    assert not overlapping
    names = [t.get_window_extent() for t in ax.get_yticklabels()]
    assert not any(x.overlaps(y) for x in boxes for y in names)


def test_patient_is_marked_at_points_and_total() -> None:
    ax = draw_nomogram(POINTS, CHANCES, patient=PATIENT)
    marked = [line for line in ax.get_lines() if line.get_color() == VERMILION]
    assert [list(map(float, line.get_xdata())) for line in marked] == [
        [0.1, 0.4, 0.25],
        [75 / 180],
        [75 / 180] * 2,
    ]
    assert "75" in [t.get_text() for t in ax.texts]
    with pytest.raises(AlignmentError, match="expected points of age, stage"):
        draw_nomogram(POINTS, CHANCES, patient={"age": 10.0})


def test_tables_and_global_state_are_left_alone() -> None:
    before, settings = POINTS.copy(), dict(matplotlib.rcParams)
    ax = Figure().add_subplot()
    assert draw_nomogram(POINTS, CHANCES, ax) is ax
    pd.testing.assert_frame_equal(POINTS, before)
    assert dict(matplotlib.rcParams) == settings


def test_empty_and_incomplete_tables_are_refused() -> None:
    with pytest.raises(DataError, match="points: expected at least one row"):
        draw_nomogram(POINTS.iloc[:0], CHANCES)
    with pytest.raises(DataError, match="probabilities: expected at least one row"):
        draw_nomogram(POINTS, CHANCES.iloc[:0])
    with pytest.raises(SchemaError, match="found no value"):
        draw_nomogram(POINTS.drop(columns="value"), CHANCES)
    with pytest.raises(SchemaError, match="found no probability"):
        draw_nomogram(POINTS, CHANCES.drop(columns="probability"))


def test_round_probabilities_are_drawn_and_a_table_of_round_totals_is_refused() -> None:
    rows = [
        (f"{months}-month survival", total, np.exp(-months * np.exp(total / 40 - 5)))
        for total in range(0, 161, 40)
        for months in (1, 2)
    ]
    table = pd.DataFrame(rows, columns=CHANCES.columns)
    with pytest.raises(DataError, match=r"found 10 of 10 that are not, the first 0\.99328.*_axes"):
        draw_nomogram(POINTS, table)
    with pytest.raises(DataError, match="found 1 of 6"):
        draw_nomogram(POINTS, CHANCES.replace({"probability": {0.1: np.nan}}))
    fine = CHANCES.assign(probability=[0.9998, 0.50125, 0.3 * 3, 0.1, 1e-5, 0.2])
    assert labels_of(draw_nomogram(POINTS, fine), 5)[0] == "0.9998"
