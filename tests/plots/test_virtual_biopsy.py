"""The ranking of the virtual biopsy against its null, with the AUC beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.style import BLUE, FAINT, MUTED
from radiogenomics.plots.virtual_biopsy import draw_virtual_biopsy

BIOPSY = pd.DataFrame(
    {
        "target": ["H|NONE", "H|LIKELY", "H|SURE", "H|FAILED"],
        "r2": [-0.05, 0.1, 0.3, np.nan],
        "auc": [0.45, np.nan, 0.8, 0.5],
        "auc_low": [0.3, np.nan, 0.7, 0.4],
        "auc_high": [0.6, np.nan, 0.9, 0.6],
        "fdr": [0.8, 0.04, 0.001, np.nan],
        "p_family": [1.0, 0.2, 0.01, np.nan],
    }
)


def markers(ax: Axes) -> dict[float, tuple[float, str, str]]:
    points = [line for line in ax.get_lines() if len(line.get_xdata()) == 1]
    return {
        float(x.get_xdata()[0]): (
            float(x.get_ydata()[0]),
            to_hex(x.get_color()),
            str(x.get_markerfacecolor()),
        )
        for x in points
        if np.isfinite(x.get_xdata()[0])
    }


def rows(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def test_targets_are_ranked_and_grey_where_not_beyond_chance() -> None:
    ax = draw_virtual_biopsy(BIOPSY)
    assert rows(ax) == ["SURE", "LIKELY", "NONE"]
    assert markers(ax) == {
        0.3: (0, BLUE, BLUE),
        0.1: (1, BLUE, BLUE),
        -0.05: (2, MUTED, "white"),
    }
    assert [text.get_text() for text in ax.texts][:3] == ["0.30 ★", "0.10", "−0.05"]


def test_auc_stands_level_with_its_target() -> None:
    ax = draw_virtual_biopsy(BIOPSY)
    (beside,) = ax.child_axes
    assert beside.get_ylim() == ax.get_ylim()
    assert markers(beside) == {0.8: (0, BLUE, BLUE), 0.45: (2, MUTED, "white")}
    assert "0.80 (0.70–0.90)" in [text.get_text() for text in beside.texts]
    assert list(beside.get_lines()[0].get_xdata()) == [0.5, 0.5]


def test_a_target_without_auc_says_so() -> None:
    (beside,) = draw_virtual_biopsy(BIOPSY).child_axes
    assert [text.get_text() for text in beside.texts][1] == "not known"


def test_band_is_the_middle_of_the_permutations(rng: np.random.Generator) -> None:
    null = pd.DataFrame(
        [(name, v) for name in ("H|SURE", "H|NONE") for v in rng.normal(-0.1, 0.05, 400)],
        columns=["target", "r2"],
    )
    ax = draw_virtual_biopsy(BIOPSY, null=null)
    bands = [bar for bar in ax.patches if to_hex(bar.get_facecolor()) == FAINT]
    drawn = {
        round(bar.get_y() + bar.get_height() / 2): (bar.get_x(), bar.get_x() + bar.get_width())
        for bar in bands
        if np.isfinite(bar.get_width())
    }
    expected = {
        row: tuple(np.quantile(null.loc[null["target"] == name, "r2"], (0.025, 0.975)))
        for row, name in ((0, "H|SURE"), (2, "H|NONE"))
    }
    assert drawn.keys() == expected.keys()
    assert all(drawn[row] == pytest.approx(expected[row]) for row in drawn)
    assert ax.get_xlim()[0] < min(low for low, _ in expected.values())
    assert any("grey band" in text.get_text() for text in ax.texts)


def test_intervals_of_r2_are_drawn_where_there_are_some() -> None:
    bounds = BIOPSY.assign(r2_low=BIOPSY["r2"] - 0.1, r2_high=BIOPSY["r2"] + 0.1)
    ax = draw_virtual_biopsy(bounds)
    spans = [tuple(c.get_segments()[0][:, 0]) for c in ax.collections]
    assert spans == [pytest.approx(s) for s in ((0.2, 0.4), (0.0, 0.2), (-0.15, 0.05))]
    assert not draw_virtual_biopsy(BIOPSY).collections


def test_the_best_are_drawn_and_the_rest_is_counted() -> None:
    ax = draw_virtual_biopsy(BIOPSY, top=2)
    assert rows(ax) == ["SURE", "LIKELY"]
    assert ax.get_xlabel() == "R² out of sample, the 2 best of 3"


def test_nothing_overlaps(readable: Callable[[Axes], None], rng: np.random.Generator) -> None:
    r2 = rng.normal(scale=0.2, size=40)
    table = pd.DataFrame({"target": [f"REACTOME_A_LONG_NAME_OF_A_SET_{i}" for i in range(40)]})
    table = table.assign(r2=r2, auc=0.6, auc_low=0.5, auc_high=0.7, fdr=0.01, p_family=0.01)
    readable(draw_virtual_biopsy(table, title="virtual biopsy"))
    readable(draw_virtual_biopsy(BIOPSY))


def test_bad_tables_are_refused() -> None:
    with pytest.raises(DataError, match="at least one row"):
        draw_virtual_biopsy(BIOPSY.iloc[:0])
    with pytest.raises(DataError, match="targets with an R²"):
        draw_virtual_biopsy(BIOPSY.tail(1))
    with pytest.raises(SchemaError, match="found no p_family"):
        draw_virtual_biopsy(BIOPSY.drop(columns="p_family"))
    with pytest.raises(SchemaError, match="found no target"):
        draw_virtual_biopsy(BIOPSY, null=pd.DataFrame({"r2": [0.1]}))
    with pytest.raises(DataError, match="found none of the 3 targets"):
        draw_virtual_biopsy(BIOPSY, null=pd.DataFrame({"target": ["SURE"], "r2": [0.1]}))


def test_given_axes_are_drawn_on() -> None:
    ax, before = Figure().add_subplot(), BIOPSY.copy()
    assert draw_virtual_biopsy(BIOPSY, ax) is ax
    pd.testing.assert_frame_equal(BIOPSY, before)
