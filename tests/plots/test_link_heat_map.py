"""The heat map of links shows its table: cells, order, marks, and how many were left out."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import leaves_list, linkage

from radiogenomics.core.errors import DataError, SchemaError, UnknownNameError
from radiogenomics.plots.link_heat_map import draw_link_heat_map, tree_of

ROWS, COLUMNS = 12, 9
FAMILIES = ("glcm", "gldm", "glrlm", "firstorder")


@pytest.fixture
def links() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    features = [f"wavelet-LLH_{FAMILIES[i % 4]}_Feature{i}" for i in range(ROWS)]
    sets = [f"H|HALLMARK_SET_{i}" for i in range(COLUMNS)]
    table = pd.DataFrame(
        [(feature, name) for feature in features for name in sets], columns=["feature", "set"]
    )
    size = len(table)
    nes = rng.normal(scale=1.5, size=size)
    p = np.exp(-3 * np.abs(nes))
    return table.assign(
        nes=nes,
        p=p,
        fdr=np.minimum(1, 2 * p),
        p_family=np.minimum(1, 20 * p),
        contrast_rho=-nes / 9,
        p_contrast=p,
        fdr_contrast=1.0,
        p_contrast_family=1.0,
    )


def cells(ax: Axes) -> np.ndarray:
    mesh = ax.collections[0]
    return mesh.get_array().reshape(len(ax.get_yticks()), len(ax.get_xticks()))


def marks(ax: Axes, kind: str) -> set[tuple[int, int]]:
    """(row, column) of the cells with a mark."""
    found = [c.get_offsets() for c in ax.collections if c.get_label() == f"_{kind}"]
    return {(int(y), int(x)) for offsets in found for x, y in np.asarray(offsets)}


def names(ax: Axes) -> tuple[list[str], list[str]]:
    return (
        [label.get_text() for label in ax.get_yticklabels()],
        [label.get_text() for label in ax.get_xticklabels()],
    )


def test_cells_and_order_are_those_of_the_table_and_of_scipy(links: pd.DataFrame) -> None:
    ax = draw_link_heat_map(links)
    ranked = links.iloc[np.lexsort((-links["nes"].abs(), links["p_family"]))]
    wide = links.pivot(index="feature", columns="set", values="nes")
    wide = wide.loc[ranked["feature"].unique(), ranked["set"].unique()]
    order = [
        leaves_list(linkage(values, "average", optimal_ordering=True))
        for values in (wide.to_numpy(), wide.to_numpy().T)
    ]
    expected = wide.iloc[order[0], order[1]]
    assert np.asarray(cells(ax)) == pytest.approx(expected.to_numpy())
    rows, columns = names(ax)
    assert rows == [f"{name.split('_')[2]} · wav LLH" for name in expected.index]
    assert columns == [f"SET {name[-1]}" for name in expected.columns]


def test_marks_are_the_significant_cells(links: pd.DataFrame) -> None:
    ax = draw_link_heat_map(links)
    rows, columns = names(ax)
    found = {"dot": set(), "star": set()}
    for row in links.itertuples():
        place = (
            rows.index(f"{row.feature.split('_')[2]} · wav LLH"),
            columns.index(f"SET {row.set[-1]}"),
        )
        if row.p_family < 0.05:
            found["star"].add(place)
        elif row.fdr < 0.05:
            found["dot"].add(place)
    assert len(found["star"]) > 5 and len(found["dot"]) > 5
    assert marks(ax, "star") == found["star"]
    assert marks(ax, "dot") == found["dot"]
    contrast = draw_link_heat_map(links, value="contrast_rho")
    assert not marks(contrast, "star") and not marks(contrast, "dot")


def test_colours_are_symmetrical_about_nothing(links: pd.DataFrame) -> None:
    ax = draw_link_heat_map(links.assign(nes=links["nes"] + 1))
    mesh = ax.collections[0]
    assert mesh.norm.vmin == -mesh.norm.vmax == -cells(ax).max()
    assert mesh.cmap(0.5) == pytest.approx((1, 1, 1, 1), abs=0.01)
    words = [t.get_text() for axes in ax.child_axes for t in axes.texts]
    assert "normalised enrichment score" in words


def test_the_strongest_are_drawn_and_the_rest_is_counted(links: pd.DataFrame) -> None:
    ax = draw_link_heat_map(links, features=4, targets=3)
    rows, columns = names(ax)
    assert (len(rows), len(columns)) == (4, 3)
    said = " ".join(ax.get_xlabel().split())
    assert said == "4 of 12 features and 3 of 9 gene sets: those with the strongest links"
    assert draw_link_heat_map(links).get_xlabel() == "features and gene sets"
    best = links.loc[links["p_family"].idxmin()]
    assert f"{best['feature'].split('_')[2]} · wav LLH" in rows
    assert np.abs(cells(ax)).max() == pytest.approx(links["nes"].abs().max())


def test_families_stand_beside_their_rows(links: pd.DataFrame) -> None:
    ax = draw_link_heat_map(links)
    drawn = [t.get_text() for t in next(a for a in ax.child_axes if len(a.patches) == ROWS).texts]
    rows, _ = names(ax)
    of = {f"Feature{i} · wav LLH": FAMILIES[i % 4] for i in range(ROWS)}
    assert drawn == [of[row].replace("firstorder", "first order") for row in rows]


def test_pairs_that_are_not_in_the_table_are_grey_and_said(links: pd.DataFrame) -> None:
    part = links[links.index % 5 != 0].rename(columns={"set": "gene", "nes": "rho"})
    ax = draw_link_heat_map(part, value="rho")
    assert np.ma.count_masked(cells(ax)) == ROWS * COLUMNS - len(part)
    assert "not in the table" in [t.get_text() for t in ax.get_legend().get_texts()]
    whole = draw_link_heat_map(links)
    assert "not in the table" not in [t.get_text() for t in whole.get_legend().get_texts()]


def test_one_link_has_no_tree(links: pd.DataFrame) -> None:
    assert cells(draw_link_heat_map(links.head(1))) == pytest.approx(links["nes"].iloc[0])
    assert tree_of(np.ones((1, 3))) == ([0], [])


def test_dendrograms_end_at_their_leaves() -> None:
    tree = tree_of(np.array([[0.0], [5.0], [0.1], [5.2]]))
    ends = {float(x) for line in tree.lines for x, y in line if y == 0}
    assert ends == {0.0, 1.0, 2.0, 3.0}
    assert {*tree.order[:2]} in ({0, 2}, {1, 3})


@pytest.mark.parametrize("shape", [(40, 40), (3, 40), (12, 2), (1, 1)], ids=str)
def test_nothing_overlaps(
    shape: tuple[int, int], readable: Callable[[Axes], None], rng: np.random.Generator
) -> None:
    features = [f"log-sigma-2-0-mm-3D_glszm_SmallAreaHighGrayLevelEmphasis{i}" for i in range(50)]
    sets = [f"A_LONG_NAME_OF_A_GENE_SET_OF_A_COLLECTION_{i}" for i in range(50)]
    table = pd.DataFrame([(f, s) for f in features for s in sets], columns=["feature", "set"])
    table = table.assign(nes=rng.normal(size=len(table)), p=0.5, fdr=0.5, p_family=0.5)
    readable(draw_link_heat_map(table, features=shape[0], targets=shape[1], title=9 * "links "))


def test_bad_tables_are_refused(links: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="at least one row"):
        draw_link_heat_map(links.iloc[:0])
    with pytest.raises(SchemaError, match="found no p_family"):
        draw_link_heat_map(links.drop(columns="p_family"))
    with pytest.raises(UnknownNameError, match="quantity of links"):
        draw_link_heat_map(links, value="r")
    with pytest.raises(DataError, match="at least 1 feature"):
        draw_link_heat_map(links, features=0)


def test_given_axes_are_drawn_on_and_nothing_else_changes(links: pd.DataFrame) -> None:
    before, settings = links.copy(), dict(matplotlib.rcParams)
    ax = Figure().add_subplot()
    assert draw_link_heat_map(links, ax) is ax
    pd.testing.assert_frame_equal(links, before)
    assert dict(matplotlib.rcParams) == settings
