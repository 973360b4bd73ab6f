"""Figures of a derivation show their tables: what is in the table is in the artists."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.candidates import candidate_counts, draw_candidates
from radiogenomics.plots.contrasts import draw_contrasts
from radiogenomics.plots.enrichment import draw_enrichment
from radiogenomics.plots.estimates import draw_estimates
from radiogenomics.plots.response import draw_response
from radiogenomics.plots.search import draw_grid, draw_subset_sizes
from radiogenomics.plots.stability import draw_stability
from radiogenomics.plots.style import BLUE, FAINT, MUTED, VERMILION
from radiogenomics.plots.volcano import CROWD, draw_differential, draw_screen

CANDIDATES = pd.DataFrame(
    {
        "gene": list("ABCDE"),
        "mean": [5.0, 4, 3, 2, 0],
        "passes_expressed": [True, True, True, True, False],
        "passes_tumour_normal": [True, False, True, np.nan, True],
        "passes_protein": [True, True, False, False, True],
        "candidate": [True, False, False, False, False],
    }
)
COUNTS = candidate_counts(CANDIDATES)
SCREEN = pd.DataFrame(
    {
        "gene": ["UP", "DOWN", "NOISE", "NONE"],
        "hazard_ratio": [1.8, 0.5, 1.05, np.nan],
        "p": [1e-6, 1e-4, 0.6, np.nan],
        "selected": [True, True, False, False],
    }
)
DIFFERENTIAL = pd.DataFrame(
    {
        "gene": ["UP", "DOWN", "NOISE", "ZERO"],
        "log2_fold_change": [1.5, -2.0, 0.1, 2.5],
        "p": [1e-6, 1e-4, 0.6, 0.0],
        "fdr": [1e-5, 2e-4, 0.6, 0.0],
    }
)
SIZES = pd.DataFrame(
    {
        "size": [3, 1, 2],
        "looked_at": [161700, 100, 4950],
        "concordance": [0.62, 0.55, 0.61],
        "shortfall_se": [0.0, 0.03, 0.025],
        "chosen": [False, False, True],
    }
)
GRID = pd.DataFrame(
    {
        "selector": ["lasso", "subset"],
        "learner": ["cox", "ridge_cox"],
        "concordance": [0.58, 0.63],
        "se": [0.02, 0.03],
        "genes": [4.2, 2.0],
        "failed": [1, 0],
        "within_se": [False, True],
    }
)
STABILITY = pd.DataFrame(
    {
        "gene": ["A", "B", "C", "MINE"],
        "share": [0.3, 0.8, 0.5, 0.1],
        "low": [0.2, 0.7, 0.4, 0.05],
        "high": [0.4, 0.9, 0.6, 0.2],
    }
)
CONTRASTS = pd.DataFrame(
    {
        "score": ["H|G2M", "H|BILE", "MDSC"],
        "difference": [0.9, -0.6, 0.1],
        "low": [0.6, -0.9, -0.2],
        "high": [1.2, -0.3, 0.4],
        "fdr": [0.001, 0.01, 0.6],
    }
)
ENRICHMENT = pd.DataFrame(
    {
        "set": ["H|BILE", "H|G2M", "H|MYC", "H|COAGULATION"],
        "nes": [-1.9, 2.2, 1.1, -0.8],
        "fdr": [0.01, 0.0004, 0.3, 0.7],
        "size": [90, 180, 150, 70],
    }
)
RESPONSE = pd.DataFrame(
    {
        "score": "risk",
        "cohort": ["a", "b", "pooled (random effects)"],
        "auc": [0.6, 0.7, 0.65],
        "low": [0.5, 0.55, 0.57],
        "high": [0.7, 0.85, 0.73],
        "n": [50, 30, 80],
        "responders": [12, 9, 21],
    }
)
ROWS = RESPONSE.rename(columns={"cohort": "label", "auc": "value"})


def draw_rows(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    return draw_estimates(rows, ax, name="estimate", chance=0.5)


FIGURES: list[tuple[Callable[..., Axes], pd.DataFrame, str]] = [
    (draw_candidates, COUNTS, "together"),
    (draw_screen, SCREEN, "hazard_ratio"),
    (draw_differential, DIFFERENTIAL, "fdr"),
    (draw_subset_sizes, SIZES, "shortfall_se"),
    (draw_grid, GRID, "within_se"),
    (draw_stability, STABILITY, "high"),
    (draw_contrasts, CONTRASTS, "difference"),
    (draw_enrichment, ENRICHMENT, "nes"),
    (draw_response, RESPONSE, "responders"),
    (draw_rows, ROWS, "high"),
]
EACH = pytest.mark.parametrize(
    ("draw", "table", "needed"), FIGURES, ids=[draw.__name__ for draw, _, _ in FIGURES]
)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def rows(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def markers(ax: Axes) -> dict[float, tuple[str, str]]:
    """Place → colour of the edge and of the face, of lines that are one marker."""
    points = [x for x in ax.get_lines() if len(x.get_xdata()) == 1]
    return {
        float(x.get_xdata()[0]): (to_hex(x.get_color()), str(x.get_markerfacecolor()))
        for x in points
    }


@EACH
def test_bad_tables_are_refused(
    draw: Callable[..., Axes], table: pd.DataFrame, needed: str
) -> None:
    with pytest.raises(DataError, match="at least one row"):
        draw(table.iloc[:0])
    with pytest.raises(SchemaError, match=f"found no {needed}"):
        draw(table.drop(columns=needed))


@EACH
def test_given_axes_are_drawn_on_and_nothing_else_changes(
    draw: Callable[..., Axes], table: pd.DataFrame, needed: str
) -> None:
    before, settings = table.copy(), dict(matplotlib.rcParams)
    ax = Figure().add_subplot()
    assert draw(table, ax) is ax
    assert ax.get_xlabel()
    pd.testing.assert_frame_equal(table, before)
    assert dict(matplotlib.rcParams) == settings


def test_counts_of_filters_alone_and_together() -> None:
    assert COUNTS["filter"].tolist() == ["shared genes", "expressed", "tumour normal", "protein"]
    # What is not known does not pass.
    assert COUNTS["alone"].tolist() == [5, 4, 3, 3]
    assert COUNTS["together"].tolist() == [5, 4, 2, 1]
    ax = draw_candidates(COUNTS)
    assert [bar.get_width() for bar in ax.patches] == [5, 4, 3, 3, 5, 4, 2, 1]
    assert texts(ax) == ["5", "4", "2 (3 alone)", "1 (3 alone)"]


def test_screen_places_genes_by_ratio_and_p_and_names_the_chosen() -> None:
    ax = draw_screen(SCREEN, named=["UP", "NONE"], unit="SD")
    drawn = {c.get_label(): c.get_offsets() for c in ax.collections if c.get_label()[0] != "_"}
    assert set(drawn) == {"not kept: 1", "kept for the search: 2"}
    kept = np.asarray(drawn["kept for the search: 2"])
    assert kept == pytest.approx(np.array([[np.log(1.8), 6], [np.log(0.5), 4]]))
    assert texts(ax) == ["UP"]
    assert ax.get_xlabel() == "hazard ratio per SD"
    ticks = dict(zip([t.get_text() for t in ax.get_xticklabels()], ax.get_xticks(), strict=True))
    assert ticks["1"] == 0 and ticks["2"] == pytest.approx(np.log(2))


def test_only_crowds_become_pixels() -> None:
    rng = np.random.default_rng(0)
    many = pd.DataFrame({"gene": [f"G{i}" for i in range(CROWD + 5)], "selected": False})
    many = many.assign(hazard_ratio=rng.uniform(0.5, 2, len(many)), p=rng.uniform(size=len(many)))
    many.loc[:2, "selected"] = True
    cloud, kept = draw_screen(many).collections[:2]
    assert cloud.get_rasterized() and not kept.get_rasterized()


def test_differential_tells_directions_apart_and_keeps_p_of_zero_in_sight() -> None:
    ax = draw_differential(DIFFERENTIAL, named=["NOISE"], top=1)
    named = [c for c in ax.collections if c.get_label()[0] != "_"]
    colours = {c.get_label(): to_hex(c.get_facecolors()[0], keep_alpha=False) for c in named}
    assert colours == {
        "FDR above 0.05: 1": FAINT,
        "higher in high, FDR ≤ 0.05: 2": VERMILION,
        "higher in low, FDR ≤ 0.05: 1": BLUE,
    }
    heights = np.concatenate([np.asarray(c.get_offsets())[:, 1] for c in named])
    assert heights.max() == pytest.approx(6)
    assert ax.get_ylim()[1] < 8
    assert sorted(texts(ax)) == ["DOWN", "NOISE", "ZERO"]


def test_names_of_a_volcano_do_not_overlap() -> None:
    crowded = pd.DataFrame(
        {"gene": [f"G{i}" for i in range(8)], "log2_fold_change": 1.0, "p": 1e-5, "fdr": 1e-4}
    )
    ax = draw_differential(crowded)
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    tops = sorted(boxes, key=lambda box: -box.y0)
    assert len(tops) == 8
    assert all(
        upper.y0 >= lower.y0 + 0.8 * lower.height
        for upper, lower in zip(tops, tops[1:], strict=False)
    )


def test_subset_sizes_are_in_order_with_errors_and_the_one_taken() -> None:
    ax = draw_subset_sizes(SIZES)
    curve = ax.get_lines()[0]
    assert list(curve.get_xdata()) == [1, 2, 3]
    assert list(curve.get_ydata()) == [0.55, 0.61, 0.62]
    whiskers = [tuple(s[:, 1]) for s in ax.collections[0].get_segments()]
    assert whiskers == [pytest.approx(w) for w in ((0.55, 0.58), (0.61, 0.635), (0.62, 0.62))]
    lines = {str(x.get_label()): x for x in ax.get_lines()}
    assert lines["best"].get_ydata()[0] == pytest.approx(0.62)
    assert list(lines["taken"].get_xdata()) == [2]
    assert [t.get_text() for t in ax.get_xticklabels()][2] == "3\n161,700 tried"


def test_sizes_without_a_concordance_are_left_out() -> None:
    ax = draw_subset_sizes(SIZES.assign(concordance=[0.62, np.nan, 0.61]))
    assert list(ax.get_lines()[0].get_xdata()) == [2, 3]
    with pytest.raises(DataError, match="sizes with a concordance"):
        draw_subset_sizes(SIZES.assign(concordance=np.nan))


def test_grid_has_the_best_first_and_marks_what_is_as_good() -> None:
    ax = draw_grid(GRID)
    assert rows(ax) == ["subset + ridge_cox", "lasso + cox"]
    assert texts(ax) == ["0.630, 2 genes", "0.580, 4.2 genes, 1 folds failed"]
    assert markers(ax) == {0.63: (BLUE, BLUE), 0.58: (MUTED, "white")}
    spans = [tuple(c.get_segments()[0][:, 0]) for c in ax.collections]
    assert spans == [pytest.approx((0.6, 0.66)), pytest.approx((0.56, 0.6))]


def test_stability_keeps_the_genes_of_the_signature_in_sight() -> None:
    ax = draw_stability(STABILITY, chosen=["MINE"], top=2)
    assert rows(ax) == ["B", "C", "MINE"]
    assert [bar.get_width() for bar in ax.patches] == [0.8, 0.5, 0.1]
    assert [to_hex(bar.get_facecolor()) for bar in ax.patches] == [FAINT, FAINT, BLUE]
    assert [tuple(s[:, 0]) for s in ax.collections[0].get_segments()][0] == (0.7, 0.9)
    assert "1 rarer not drawn" in ax.get_xlabel()
    assert texts(ax) == ["80 %", "50 %", "10 %"]


def test_contrasts_are_the_largest_and_say_which_way_they_go() -> None:
    ax = draw_contrasts(CONTRASTS, top=2)
    assert rows(ax) == ["G2M", "BILE"]
    assert markers(draw_contrasts(CONTRASTS))[0.1] == (MUTED, "white")
    assert {"← higher in low", "higher in high →"} <= set(texts(ax))
    assert "−0.60 (−0.90 to −0.30)" in texts(ax)


def test_names_keep_their_collection_where_it_tells_them_apart() -> None:
    same = CONTRASTS.assign(score=["A|CYT", "B|CYT", "C|MDSC"])
    assert rows(draw_contrasts(same)) == ["A|CYT", "C|MDSC", "B|CYT"]


def test_enrichment_is_ordered_and_grey_without_evidence() -> None:
    ax = draw_enrichment(ENRICHMENT, top=1)
    assert rows(ax) == ["G2M", "BILE"]
    ax = draw_enrichment(ENRICHMENT)
    assert rows(ax) == ["G2M", "MYC", "COAGULATION", "BILE"]
    assert markers(ax) == {
        2.2: (VERMILION, VERMILION),
        1.1: (MUTED, "white"),
        -0.8: (MUTED, "white"),
        -1.9: (BLUE, BLUE),
    }
    assert "FDR < 0.001, 180 genes" in texts(ax)
    stems = [tuple(c.get_segments()[0][:, 0]) for c in ax.collections]
    assert stems[0] == (0, 2.2)


def test_response_pools_to_a_diamond_against_chance() -> None:
    ax = draw_response(RESPONSE)
    assert rows(ax) == ["a (12 of 50)", "b (9 of 30)", "pooled (random effects) (21 of 80)"]
    (diamond,) = ax.patches
    corners = diamond.get_xy()[:4, 0]
    assert (corners.min(), corners.max()) == (0.57, 0.73)
    assert set(markers(ax)) == {0.6, 0.7}
    assert list(ax.get_lines()[0].get_xdata()) == [0.5, 0.5]
    assert ax.get_title(loc="left") == "risk"
    two = pd.concat([RESPONSE, RESPONSE.assign(score="CYT")])
    ax = draw_response(two)
    assert [row for row in rows(ax) if "(" not in row] == ["risk", "CYT"]
    assert len(ax.patches) == 2


def test_estimates_without_bounds_are_points_and_without_value_nothing() -> None:
    some = ROWS.assign(low=np.nan, high=np.nan, value=[0.6, np.nan, 0.7])
    ax = draw_rows(some)
    assert rows(ax) == ["a", "pooled (random effects)"]
    assert not ax.collections
    assert ax.get_xlim()[0] < 0.5 < ax.get_xlim()[1]
    with pytest.raises(DataError, match="finite values"):
        draw_rows(ROWS.assign(value=np.nan))


def test_long_names_leave_room_for_the_data() -> None:
    ax = draw_rows(ROWS.assign(label=["x" * 60, "b", "c"]))
    assert ax.figure.get_figwidth() > draw_rows(ROWS).figure.get_figwidth()
    assert len(rows(ax)[0]) == 40
