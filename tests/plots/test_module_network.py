"""The network of modules shows its links: widths, signs, evidence, and that there may be none."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.module_network import NOTHING, draw_module_network, ordered
from radiogenomics.plots.style import BLUE, VERMILION

LINKS = pd.DataFrame(
    {
        "feature_module": ["F1", "F1", "F2", "F2"],
        "gene_module": ["G1", "G2", "G1", "G2"],
        "rho": [0.5, -0.1, -0.25, 0.2],
        "p_family": [0.001, 0.9, 0.04, 0.2],
        "features": [12, 12, 1400, 1400],
        "genes": [80, 9, 80, 9],
    }
)


def curves(ax: Axes) -> list[PathPatch]:
    return [patch for patch in ax.patches if isinstance(patch, PathPatch)]


def dashed(curve: PathPatch) -> bool:
    return curve.get_linestyle() != "-" and curve.get_linestyle() != "solid"


def crossings(links: pd.DataFrame, left: list[str], right: list[str]) -> int:
    ends = [
        (left.index(a), right.index(b))
        for a, b in zip(links["feature_module"], links["gene_module"], strict=True)
    ]
    return sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in combinations(ends, 2))


def test_lines_show_size_sign_and_evidence() -> None:
    # Drawn from the least sure to the surest.
    drawn = curves(draw_module_network(LINKS))
    order = [-0.1, 0.2, -0.25, 0.5]
    widths = np.array([curve.get_linewidth() for curve in drawn])
    assert widths / widths[-1] == pytest.approx(np.abs(order) / 0.5, rel=1e-6)
    colours = [to_hex(curve.get_edgecolor(), keep_alpha=False) for curve in drawn]
    assert colours == [VERMILION if rho > 0 else BLUE for rho in order]
    assert [dashed(curve) for curve in drawn] == [True, True, False, False]


def test_links_end_inside_the_bars_of_their_modules() -> None:
    ax = draw_module_network(LINKS)
    bars = [patch for patch in ax.patches if not isinstance(patch, PathPatch)]
    spans = [(bar.get_x() < 0.5, bar.get_y(), bar.get_y() + bar.get_height()) for bar in bars]
    assert len(bars) == 4
    for curve in curves(ax):
        (_, start), (_, stop) = curve.get_path().vertices[[0, -1]]
        for left, end in ((True, start), (False, stop)):
            assert sum(on == left and low <= end <= high for on, low, high in spans) == 1


def test_modules_are_named_with_their_members() -> None:
    texts = [text.get_text() for text in draw_module_network(LINKS).texts]
    assert {"F1 (12 features)", "F2 (1,400 features)", "G1 (80 genes)", "G2 (9 genes)"} <= {*texts}
    assert {"+0.50", "−0.25"} <= {*texts}
    assert "+0.20" not in texts
    assert texts[0] == "2 links beyond chance; drawn: all 4; width: size of rho"


def test_it_says_when_nothing_is_beyond_chance() -> None:
    ax = draw_module_network(LINKS.assign(p_family=0.3), most=3)
    words = ax.texts[0]
    assert words.get_text() == (f"{NOTHING}; drawn: the 3 surest of 4 pairs; width: size of rho")
    assert words.get_fontweight() == "bold"
    assert all(dashed(curve) for curve in curves(ax)) and len(curves(ax)) == 3


def test_links_beyond_chance_are_counted_drawn_or_not() -> None:
    ax = draw_module_network(LINKS, most=1)
    assert len(curves(ax)) == 1
    assert ax.texts[0].get_text().startswith("2 links beyond chance; drawn: the 1 surest of 4")


def test_order_of_modules_crosses_few_lines() -> None:
    rng = np.random.default_rng(2)
    modules = rng.permutation(8)
    chain = [(f"F{i}", f"G{j}") for i in range(8) for j in range(8) if abs(i - j) < 2]
    links = pd.DataFrame(chain, columns=["feature_module", "gene_module"]).assign(rho=0.3)
    links = links.sample(frac=1, random_state=1).reset_index(drop=True)
    shuffled = [f"F{i}" for i in modules], [f"G{i}" for i in modules[::-1]]
    # Neighbours in a chain cross once each at best.
    assert crossings(links, *ordered(links)) == 7 < crossings(links, *shuffled)


def test_nothing_overlaps(readable: Callable[[Axes], None], rng: np.random.Generator) -> None:
    pairs = [(f"texture module {i}", f"gene module {j}") for i in range(9) for j in range(14)]
    links = pd.DataFrame(pairs, columns=["feature_module", "gene_module"])
    rho = rng.normal(scale=0.2, size=len(links))
    links = links.assign(
        rho=rho, p_family=np.where(np.abs(rho) > 0.4, 0.01, 0.5), features=31, genes=1000
    )
    readable(draw_module_network(links, title="modules"))
    readable(draw_module_network(LINKS))


def test_bad_tables_are_refused() -> None:
    with pytest.raises(DataError, match="at least one row"):
        draw_module_network(LINKS.iloc[:0])
    with pytest.raises(DataError, match="with a rho: expected at least one row"):
        draw_module_network(LINKS.assign(rho=np.nan))
    with pytest.raises(SchemaError, match="found no genes"):
        draw_module_network(LINKS.drop(columns="genes"))
    with pytest.raises(DataError, match="found 1 rows more"):
        draw_module_network(pd.concat([LINKS, LINKS.head(1)]))
    with pytest.raises(DataError, match="0 asked for"):
        draw_module_network(LINKS, most=0)


def test_given_axes_are_drawn_on() -> None:
    ax, before = Figure().add_subplot(), LINKS.copy()
    assert draw_module_network(LINKS, ax) is ax
    pd.testing.assert_frame_equal(LINKS, before)
