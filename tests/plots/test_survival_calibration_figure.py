from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.survival_calibration import draw_survival_calibration

GROUPS = pd.DataFrame(
    {
        "horizon": [12.0, 12.0, 24.0, 24.0],
        "predicted": [0.3, 0.1, 0.2, 0.5],
        "observed": [0.25, 0.12, np.nan, 0.4],
        "low": [0.1, np.nan, np.nan, 0.3],
        "high": [0.4, np.nan, np.nan, 0.55],
        "n": [20, 22, 21, 20],
        "events": [5, 2, 1, 8],
    }
)
CURVES = pd.DataFrame(
    {
        "horizon": np.repeat([12.0, 24.0], 3),
        "predicted": [0.1, 0.2, 0.3, 0.1, 0.3, 0.5],
        "observed": [0.12, 0.2, 0.26, 0.1, 0.25, 0.4],
        "low": [0.05, 0.1, 0.2, 0.05, 0.2, 0.3],
        "high": [0.2, 0.3, 0.4, 0.2, 0.3, 0.5],
    }
)


def lines(ax: Axes, label: str) -> list[list[float]]:
    return [list(x.get_ydata()) for x in ax.get_lines() if x.get_label() == label]


def test_known_points_are_drawn_by_rising_prediction_with_their_bounds():
    ax = draw_survival_calibration(GROUPS)
    assert lines(ax, "12 months") == [[0.12, 0.25]]
    assert lines(ax, "24 months") == [[0.4]]
    whiskers = [path.vertices[:, 1].tolist() for c in ax.collections for path in c.get_paths()]
    assert whiskers == [[0.1, 0.4], [0.3, 0.55]]
    # The axes end above the largest bound; the diagonal crosses them.
    assert lines(ax, "ideal") == [[0, pytest.approx(0.6)]]
    assert ax.get_xlim() == ax.get_ylim()
    assert any("20–22 patients and 2–8 events a point" in t.get_text() for t in ax.texts)


def test_curves_carry_the_line_and_points_stay():
    ax = draw_survival_calibration(GROUPS, curves=CURVES, title="OS")
    assert lines(ax, "12 months") == [[0.12, 0.2, 0.26]]
    points = [x for x in ax.get_lines() if x.get_marker() in ("o", "s")]
    assert [list(x.get_ydata()) for x in points] == [[0.12, 0.25], [0.4]]
    styles = {
        (x.get_color(), x.get_linestyle()) for x in ax.get_lines() if "months" in x.get_label()
    }
    assert len(styles) == 2
    assert ax.get_title(loc="left") == "OS"


def test_bad_tables_are_refused():
    with pytest.raises(DataError, match="at least one row"):
        draw_survival_calibration(GROUPS.iloc[:0])
    with pytest.raises(DataError, match="observed risk"):
        draw_survival_calibration(GROUPS.iloc[[2]])
    with pytest.raises(SchemaError, match="found no n\\."):
        draw_survival_calibration(GROUPS.drop(columns="n"))
    with pytest.raises(DataError, match="same horizons"):
        draw_survival_calibration(GROUPS, curves=CURVES[CURVES["horizon"] == 12])
