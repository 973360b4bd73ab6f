"""Each figure shows its table: what is in the table is in the artists."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.single_cell import (
    HATCHES,
    LARGEST_DOT,
    draw_composition,
    draw_dots,
    draw_map,
)
from radiogenomics.plots.style import PALETTE

DOTS = pd.DataFrame(
    {
        "group": ["T", "B", "T", "B"],
        "gene": ["CD3D", "CD3D", "MS4A1", "MS4A1"],
        "mean": [2.0, 0.1, 0.0, 1.5],
        "share": [0.8, 0.05, 0.0, 0.6],
    }
)
SHARES = pd.DataFrame(
    {
        "sample": ["P2", "P2", "P1"],
        "cell_type": ["T", "B", "B"],
        "share": [0.7, 0.3, 1.0],
    }
)


@pytest.fixture
def cells(rng) -> pd.DataFrame:
    table = pd.DataFrame(rng.normal(size=(40, 2)), columns=["x", "y"])
    return table.assign(CYT=rng.random(40), cell_type=["T", "B"] * 20)


def test_map_of_a_score_draws_the_highest_last(cells):
    ax = draw_map(cells, "CYT")
    dots = ax.collections[0]
    drawn = cells.sort_values("CYT")
    np.testing.assert_allclose(dots.get_offsets(), drawn[["x", "y"]])
    np.testing.assert_allclose(dots.get_array(), drawn["CYT"])
    assert ax.get_title(loc="left") == "CYT"
    ax.figure.canvas.draw()


def test_map_of_labels_names_each_at_its_middle(cells):
    ax = draw_map(cells, "cell_type", title="Types")
    assert [len(each.get_offsets()) for each in ax.collections] == [20, 20]
    named = {text.get_text(): text.xy for text in ax.texts}
    own = cells[cells["cell_type"] == "T"]
    np.testing.assert_allclose(named["T"], own[["x", "y"]].median())
    assert ax.get_title(loc="left") == "Types"


def test_dots_have_the_size_of_shares_and_the_colour_of_means():
    ax = draw_dots(DOTS)
    dots = ax.collections[0]
    np.testing.assert_allclose(dots.get_sizes(), LARGEST_DOT * DOTS["share"])
    np.testing.assert_allclose(dots.get_array(), DOTS["mean"])
    np.testing.assert_array_equal(dots.get_offsets(), [[0, 0], [0, 1], [1, 0], [1, 1]])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["CD3D", "MS4A1"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["T", "B"]
    ax.figure.canvas.draw()


def test_bars_are_shares_end_to_end():
    ax = draw_composition(SHARES)
    bars = [(bar.get_x(), bar.get_width()) for bar in ax.patches]
    np.testing.assert_allclose(bars, [(0, 0.7), (0, 0), (0.7, 0.3), (0, 1)])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["P2", "P1"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["T", "B"]
    ax.figure.canvas.draw()


def test_many_types_never_share_colour_and_hatch():
    n = len(PALETTE) * 3
    table = pd.DataFrame({"sample": "P1", "cell_type": [f"T{k}" for k in range(n)], "share": 1 / n})
    looks = {(bar.get_facecolor(), bar.get_hatch()) for bar in draw_composition(table).patches}
    assert len(looks) == n
    assert len(set(HATCHES)) == len(HATCHES)


def test_axes_that_are_given_are_drawn_on(cells):
    ax = draw_composition(SHARES)
    assert draw_map(cells, "CYT", ax) is ax


@pytest.mark.parametrize("draw", [draw_dots, draw_composition])
def test_missing_columns_and_rows_are_named(draw):
    table = DOTS if draw is draw_dots else SHARES
    with pytest.raises(SchemaError, match="share"):
        draw(table.drop(columns="share"))
    with pytest.raises(DataError, match="at least one row"):
        draw(table.iloc[:0])


def test_bad_values_are_named(cells):
    with pytest.raises(SchemaError, match="GEP"):
        draw_map(cells, "GEP")
    with pytest.raises(DataError, match="1 of 40"):
        draw_map(cells.assign(CYT=cells["CYT"].mask(cells.index == 3)), "CYT")
    with pytest.raises(DataError, match="percentages"):
        draw_dots(DOTS.assign(share=80.0))
    with pytest.raises(DataError, match="sum to 1"):
        draw_composition(SHARES.assign(share=10))
    with pytest.raises(DataError, match="1 rows twice"):
        draw_composition(pd.concat([SHARES, SHARES.iloc[:1]]))
