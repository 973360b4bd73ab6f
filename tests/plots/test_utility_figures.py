"""Each figure shows its table: what is in the table is in the artists."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.decision_curve import draw_decision_curve
from radiogenomics.plots.flexible_calibration import draw_flexible_calibration
from radiogenomics.plots.precision_recall import draw_precision_recall

BENEFIT = pd.DataFrame(
    {
        "strategy": ["model"] * 3 + ["treat all"] * 3 + ["treat none"] * 3,
        "threshold": [0.5, 0.1, 0.9] + [0.1, 0.5, 0.9] * 2,
        "net_benefit": [0.15, 0.3, 0.01, 0.28, -0.3, -5.5, 0.0, 0.0, 0.0],
        "low": [0.1, 0.2, -0.02, 0.2, -0.4, -6.0, np.nan, np.nan, np.nan],
        "high": [0.2, 0.4, 0.04, 0.36, -0.2, -5.0, np.nan, np.nan, np.nan],
    }
)
RECALL = pd.DataFrame(
    {
        "repeat": [0, 0, 0, 1, 1],
        "threshold": [0.9, 0.5, 0.1, 0.8, 0.2],
        "recall": [0.5, 0.5, 1.0, 0.5, 1.0],
        "precision": [1.0, 0.5, 0.5, 0.5, 0.67],
        "prevalence": [0.5, 0.5, 0.5, 0.4, 0.4],
    }
)
CURVE = pd.DataFrame(
    {
        "predicted": [0.5, 0.1, 0.3],
        "observed": [0.45, 0.2, 0.3],
        "low": [0.3, 0.1, 0.2],
        "high": [0.7, 0.4, 0.4],
    }
)
FIGURES: list[tuple[Callable[..., Axes], pd.DataFrame]] = [
    (draw_decision_curve, BENEFIT),
    (draw_precision_recall, RECALL),
    (draw_flexible_calibration, CURVE),
]
EACH = pytest.mark.parametrize(("draw", "table"), FIGURES, ids=[f.__name__ for f, _ in FIGURES])


def line(ax: Axes, label: str) -> tuple[list[float], list[float]]:
    found = next(x for x in ax.get_lines() if str(x.get_label()).startswith(label))
    return list(found.get_xdata()), list(found.get_ydata())


def legend_texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def band(ax: Axes, place: int = 0) -> set[tuple[float, float]]:
    return {tuple(point) for point in ax.collections[place].get_paths()[0].vertices.round(9)}


@EACH
def test_empty_table_is_refused(draw: Callable[..., Axes], table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="at least one row"):
        draw(table.iloc[:0])


@EACH
def test_missing_column_is_named(draw: Callable[..., Axes], table: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match=f"found no {table.columns[-1]}"):
        draw(table.drop(columns=table.columns[-1]))


@EACH
def test_given_axes_are_drawn_on_and_named(draw: Callable[..., Axes], table: pd.DataFrame) -> None:
    ax = Figure().add_subplot()
    assert draw(table, ax, title="cost $5") is ax
    assert ax.get_xlabel() and ax.get_ylabel()
    assert ax.get_title(loc="left") == r"cost \$5"


@EACH
def test_table_and_global_state_are_left_alone(
    draw: Callable[..., Axes], table: pd.DataFrame
) -> None:
    before, settings = table.copy(), dict(matplotlib.rcParams)
    draw(table)
    pd.testing.assert_frame_equal(table, before)
    assert dict(matplotlib.rcParams) == settings


def test_decision_curve_lines_run_by_rising_threshold_with_a_band_for_the_model() -> None:
    ax = draw_decision_curve(BENEFIT)
    assert line(ax, "model") == ([0.1, 0.5, 0.9], [0.3, 0.15, 0.01])
    assert line(ax, "treat all") == ([0.1, 0.5, 0.9], [0.28, -0.3, -5.5])
    assert line(ax, "treat none")[1] == [0, 0, 0]
    assert len(ax.collections) == 1
    assert {(0.1, 0.2), (0.1, 0.4), (0.9, -0.02), (0.9, 0.04)} <= band(ax)
    assert legend_texts(ax) == ["treat all", "treat none", "model"]


def test_decision_curve_ends_a_little_below_nothing() -> None:
    low, high = draw_decision_curve(BENEFIT).get_ylim()
    assert -0.2 < low < -0.05 and 0.4 < high < 0.5
    harmless = draw_decision_curve(BENEFIT[BENEFIT["strategy"] == "model"]).get_ylim()
    assert -0.05 < harmless[0] < -0.02


def test_decision_curves_of_several_models_differ_in_colour_and_dash() -> None:
    other = BENEFIT[BENEFIT["strategy"] == "model"].assign(strategy="clinical", net_benefit=0.1)
    ax = draw_decision_curve(pd.concat([BENEFIT, other]))
    assert line(ax, "clinical")[1] == [0.1, 0.1, 0.1] and len(ax.collections) == 2
    styles = {(x.get_color(), x.get_linestyle()) for x in ax.get_lines()}
    assert len(styles) == 4


def test_decision_curve_leaves_gaps_where_nothing_is_known() -> None:
    gap = BENEFIT.assign(net_benefit=BENEFIT["net_benefit"].where(BENEFIT["threshold"] < 0.9))
    assert np.isnan(line(draw_decision_curve(gap), "model")[1][-1])
    with pytest.raises(DataError, match="known net benefit"):
        draw_decision_curve(BENEFIT.assign(net_benefit=np.nan))


def test_precision_is_a_step_a_repeat_above_the_prevalence() -> None:
    ax = draw_precision_recall(RECALL)
    assert line(ax, "prevalence: 0.45")[1] == pytest.approx([0.45, 0.45])
    steps = [x for x in ax.get_lines() if x.get_drawstyle() == "steps-pre"]
    assert [list(x.get_xdata()) for x in steps] == [[0, 0.5, 0.5, 1], [0, 0.5, 1]]
    assert [list(x.get_ydata()) for x in steps] == [[1, 1, 0.5, 0.5], [0.5, 0.5, 0.67]]
    assert legend_texts(ax) == ["prevalence: 0.45", "model, 2 repeats"]
    assert ax.get_xlim() == ax.get_ylim()


def test_area_under_the_drawn_steps_is_the_average_precision() -> None:
    x, y = line(draw_precision_recall(RECALL[RECALL["repeat"] == 0]), "model")
    assert np.diff(x) @ np.array(y)[1:] == pytest.approx(0.75)


def test_calibration_curve_runs_by_rising_prediction_with_its_band() -> None:
    ax = draw_flexible_calibration(CURVE)
    assert line(ax, "smooth curve") == ([0.1, 0.3, 0.5], [0.2, 0.3, 0.45])
    assert {(0.1, 0.1), (0.1, 0.4), (0.5, 0.3), (0.5, 0.7)} <= band(ax)
    # The axes end at the largest prediction or observation, rounded up to a fifth.
    assert line(ax, "ideal") == ([0, pytest.approx(0.6)], [0, pytest.approx(0.6)])
    assert ax.get_xlim() == ax.get_ylim()


def test_calibration_groups_are_points_with_whiskers() -> None:
    bins = pd.DataFrame({"predicted": [0.2], "observed": [0.25], "low": [0.1], "high": [0.4]})
    ax = draw_flexible_calibration(CURVE, bins=bins)
    assert line(ax, "groups of patients") == ([0.2], [0.25])
    assert ax.collections[1].get_segments()[0].tolist() == [[0.2, 0.1], [0.2, 0.4]]
    with pytest.raises(SchemaError, match="found no low"):
        draw_flexible_calibration(CURVE, bins=bins.drop(columns="low"))
