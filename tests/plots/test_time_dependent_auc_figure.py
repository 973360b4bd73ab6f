"""The figure of AUC over time shows its table: what is in the table is in the artists."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.time_dependent_auc import draw_time_dependent_auc

AREAS = pd.DataFrame(
    {
        "time": [24.0, 6.0, 12.0],
        "auc": [0.6, 0.8, 0.7],
        "low": [0.35, 0.7, 0.6],
        "high": [0.8, 0.9, 0.8],
    }
)
DROPPED = pd.DataFrame(
    {
        "time": [60.0, 48.0, 0.5],
        "reason": ["not before the last follow-up, at 40"] * 2 + ["before the first event, at 2"],
    }
)


def line(ax: Axes, label: str) -> tuple[list[float], list[float]]:
    found = next(x for x in ax.get_lines() if str(x.get_label()).startswith(label))
    return list(found.get_xdata()), list(found.get_ydata())


def texts(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


def test_curve_and_chance_are_the_table_in_order_of_time() -> None:
    ax = draw_time_dependent_auc(AREAS, title="validation")
    assert line(ax, "AUC") == ([6.0, 12.0, 24.0], [0.8, 0.7, 0.6])
    assert line(ax, "chance")[1] == [0.5, 0.5]
    assert (ax.get_xlabel(), ax.get_title(loc="left")) == ("months", "validation")
    assert ax.get_ylim()[0] < 0.35


def test_band_has_the_bounds_as_its_edges() -> None:
    band = draw_time_dependent_auc(AREAS).collections[0].get_paths()[0].vertices
    corners = {(float(x), float(y)) for x, y in band}
    expected = {(t, b) for t, *bs in AREAS[["time", "low", "high"]].to_numpy() for b in bs}
    assert expected <= corners


def test_one_time_is_a_point_with_its_interval() -> None:
    ax = draw_time_dependent_auc(AREAS.iloc[:1])
    assert [tuple(s[:, 1]) for s in ax.collections[0].get_segments()] == [(0.35, 0.8)]
    assert line(ax, "AUC") == ([24.0], [0.6])


def test_learners_have_a_curve_each_of_its_own_colour_and_dash() -> None:
    two = pd.concat([AREAS.assign(learner="cox"), AREAS.assign(learner="forest", auc=0.55)])
    ax = draw_time_dependent_auc(two)
    assert line(ax, "cox")[1] == [0.8, 0.7, 0.6]
    assert line(ax, "forest")[1] == [0.55] * 3
    drawn = [x for x in ax.get_lines() if x.get_label() in ("cox", "forest")]
    assert len({x.get_color() for x in drawn}) == len({x.get_linestyle() for x in drawn}) == 2


def test_dropped_times_are_said_below_the_axis_once_a_reason() -> None:
    ax = draw_time_dependent_auc(AREAS, dropped=DROPPED)
    assert texts(ax) == [
        "Not estimated at 48, 60: not before the last follow-up, at 40",
        "Not estimated at 0.5: before the first event, at 2",
    ]
    assert all(t.xyann[1] < 0 for t in ax.texts)
    many = DROPPED.iloc[[0] * 9].assign(time=np.arange(50.0, 59.0))
    assert "and 3 more: not before" in " ".join(texts(draw_time_dependent_auc(AREAS, dropped=many)))
    assert not texts(draw_time_dependent_auc(AREAS, dropped=DROPPED.iloc[:0]))


def test_figure_is_written_with_the_footnote_inside(tmp_path: Path) -> None:
    ax = draw_time_dependent_auc(AREAS, dropped=DROPPED)
    ax.figure.savefig(tmp_path / "figure.png")
    frame = ax.figure.bbox
    for text in ax.texts:
        box = text.get_window_extent()
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0


def test_table_and_global_state_are_left_alone() -> None:
    before, settings = AREAS.copy(), dict(matplotlib.rcParams)
    ax = Figure().add_subplot()
    assert draw_time_dependent_auc(AREAS, ax, dropped=DROPPED) is ax
    pd.testing.assert_frame_equal(AREAS, before)
    assert dict(matplotlib.rcParams) == settings


def test_empty_and_incomplete_tables_are_refused() -> None:
    with pytest.raises(DataError, match="at least one row"):
        draw_time_dependent_auc(AREAS.iloc[:0])
    with pytest.raises(SchemaError, match="found no high"):
        draw_time_dependent_auc(AREAS.drop(columns="high"))
    with pytest.raises(SchemaError, match="found no reason"):
        draw_time_dependent_auc(AREAS, dropped=DROPPED.drop(columns="reason"))
