"""The volcano of a feature shows its links, what is found, and where chance ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from radiogenomics.core.errors import DataError, SchemaError, UnknownNameError
from radiogenomics.plots.link_volcano import boundary, draw_link_volcano, spread
from radiogenomics.plots.style import BLUE, FAINT, MUTED, VERMILION

LINKS = pd.DataFrame(
    {
        "feature": ["original_glcm_MCC"] * 6 + ["deep_1"],
        "gene": ["UP", "DOWN", "MAYBE", "NOISE", "ZERO", "NONE", "UP"],
        "rho": [0.6, -0.55, 0.4, -0.05, 0.02, 0.3, 0.9],
        "p": [1e-8, 1e-7, 1e-4, 0.6, 0.8, np.nan, 1e-9],
        "fdr": [1e-6, 1e-5, 0.01, 0.8, 0.9, np.nan, 1e-7],
        "p_family": [0.001, 0.002, 0.3, 1.0, 1.0, np.nan, 0.001],
    }
)


def draw(links: pd.DataFrame = LINKS, ax: Axes | None = None) -> Axes:
    return draw_link_volcano(links, "original_glcm_MCC", ax, value="rho")


def lines(ax: Axes) -> tuple[list[float], list[float]]:
    """Heights of level lines, and places of upright ones beside that at 0."""
    drawn = [line for line in ax.get_lines() if len(line.get_xdata()) == 2]
    level = [float(x.get_ydata()[0]) for x in drawn if x.get_ydata()[0] == x.get_ydata()[1]]
    upright = {float(x.get_xdata()[0]) for x in drawn if x.get_xdata()[0] == x.get_xdata()[1]}
    return level, sorted(upright - {0.0})


def test_points_are_the_feature_s_links_by_what_is_found() -> None:
    ax = draw()
    drawn = {c.get_label(): c for c in ax.collections if c.get_label()[0] != "_"}
    colours = {name: to_hex(c.get_facecolors()[0], keep_alpha=False) for name, c in drawn.items()}
    assert colours == {
        "not beyond chance: 2": FAINT,
        "FDR < 0.05 only: 1": MUTED,
        "family-wise p < 0.05, positive: 1": VERMILION,
        "family-wise p < 0.05, negative: 1": BLUE,
    }
    up = np.asarray(drawn["family-wise p < 0.05, positive: 1"].get_offsets())
    assert up == pytest.approx(np.array([[0.6, 8.0]]))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("rank correlation", "−log10 p")
    assert ax.get_title(loc="left") == "glcm MCC"


def test_thresholds_lie_between_what_is_found_and_what_is_not() -> None:
    level, upright = lines(draw())
    fdr = (-np.log10(1e-4) - np.log10(0.6)) / 2
    family = (7 + 4) / 2
    assert level == pytest.approx([fdr, family])
    assert not upright
    texts = {text.get_text() for text in draw().texts}
    assert {"FDR 0.05", "family-wise p 0.05"} <= texts


def test_a_threshold_of_the_effect_stands_upright() -> None:
    tied = LINKS.assign(p=LINKS["p"].clip(lower=1e-3))
    level, upright = lines(draw(tied))
    assert len(level) == 1
    assert upright == pytest.approx([-0.475, 0.475])


def test_no_line_where_nothing_or_everything_is_found() -> None:
    for share in (0.001, 0.9):
        level, upright = lines(draw(LINKS.assign(fdr=share, p_family=share)))
        assert not level and not upright
    assert boundary(np.array([1.0, 2.0]), np.array([True, False])) is None


def test_the_surest_are_named_on_their_side() -> None:
    ax = draw_link_volcano(LINKS, "original_glcm_MCC", value="rho", top=2)
    named = {t.get_text(): t.get_ha() for t in ax.texts if t.get_text() in set(LINKS["gene"])}
    assert named == {"UP": "left", "MAYBE": "left", "DOWN": "right", "NOISE": "right"}


@pytest.mark.parametrize("seed", range(3))
def test_names_do_not_overlap(seed: int, readable: Callable[[Axes], None]) -> None:
    rng = np.random.default_rng(seed)
    sets = [f"REACTOME_A_VERY_LONG_NAME_OF_A_SET_{i}" for i in range(200)]
    nes = rng.normal(size=200)
    p = np.maximum(np.exp(-6 * np.abs(nes)), 1e-3 * seed)
    table = pd.DataFrame({"feature": "deep_1", "set": sets, "nes": nes, "p": p})
    table = table.assign(fdr=np.minimum(1, 5 * p), p_family=np.minimum(1, 50 * p))
    readable(draw_link_volcano(table, "deep_1", top=8))


def test_levels_are_spread_and_stay_above_the_floor() -> None:
    found = spread(np.array([0.2, 0.1, 0.1, 0.1, 0.0]), gap=0.1)
    assert (np.diff(found) <= -0.1 + 1e-12).all()
    assert found[-1] == pytest.approx(0.05)


def test_bad_input_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="feature of these links 'original_glcm_Mcc'"):
        draw_link_volcano(LINKS, "original_glcm_Mcc", value="rho")
    with pytest.raises(SchemaError, match="found no fdr"):
        draw(LINKS.drop(columns="fdr"))
    with pytest.raises(DataError, match="at least one row"):
        draw(LINKS.iloc[:0])
    with pytest.raises(DataError, match="with a p: expected at least one row"):
        draw(LINKS.assign(p=np.nan))


def test_given_axes_are_drawn_on() -> None:
    ax, before = Figure().add_subplot(), LINKS.copy()
    assert draw(LINKS, ax) is ax
    pd.testing.assert_frame_equal(LINKS, before)
