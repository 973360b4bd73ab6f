"""Palette, labels that stay text, and the room's independence."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from radiogenomics.plots import draw_learners, draw_roc
from radiogenomics.plots.style import (
    PALETTE,
    interval,
    line_styles,
    name_axes,
    new_axes,
    plain,
    shorten,
    width_for,
)

# Machado, Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113: severity 1, linear RGB.
DEFICIENCIES = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colour: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_lines_differ_under_colour_deficiency(deficiency: str) -> None:
    matrix = np.array(DEFICIENCIES[deficiency])
    seen = {colour: lab(matrix @ linear(colour)) for colour in PALETTE}
    first = [np.linalg.norm(seen[a] - seen[b]) for a, b in itertools.combinations(PALETTE[:3], 2)]
    assert min(first) > 18
    styles = line_styles("abcdefg").values()
    for (colour, dash), (other, other_dash) in itertools.combinations(styles, 2):
        assert str(dash) != str(other_dash) or np.linalg.norm(seen[colour] - seen[other]) > 18


def test_colours_stand_out_from_white() -> None:
    for colour in PALETTE:
        luminance = np.array([0.2126, 0.7152, 0.0722]) @ linear(colour)
        assert 1.05 / (luminance + 0.05) > 2.8


def test_no_two_of_seven_lines_look_alike_and_high_keeps_its_colour() -> None:
    styles = line_styles(["svm", "lr", "rf", "knn", "nb", "gb", "predicted high", "high"])
    assert styles["predicted high"] == styles["high"]
    assert len({str(style) for name, style in styles.items() if name != "high"}) == 7


@pytest.mark.parametrize(
    "name", [r"a$\frac{b$", "$x_{", "_hidden", "tab\there", "bell\x07", "<b>&"]
)
def test_any_name_is_drawn_as_it_stands(name: str) -> None:
    table = pd.DataFrame({"learner": [name], "fpr": [0.0], "tpr": [0.0]})
    figure = Figure()
    ax = draw_roc(table, figure.add_subplot())
    figure.canvas.draw()
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(shown) == 2
    wanted = name.replace("\t", " ").replace("\x07", "")
    assert shown[1].lstrip("\u200b").replace(r"\$", "$") == wanted


def test_names_in_other_scripts_do_not_stop_a_figure() -> None:
    table = pd.DataFrame({"learner": ["日本"], "auc": [0.6], "low": [0.5], "high": [0.7]})
    assert draw_learners(table).get_yticklabels()[0].get_text() == "日本"


def test_long_names_keep_both_ends() -> None:
    short = shorten("wavelet_LLH_glcm_" + "x" * 60 + "_Energy", length=30)
    assert len(short) == 30
    assert short.startswith("wavelet")
    assert short.endswith("_Energy")
    assert plain("a\n b") == "a b"


def test_a_title_longer_than_its_axes_goes_on_in_a_second_line() -> None:
    words = "signature, cross-validation (out of fold), overall survival of all the patients here"
    found = {}
    for title in ("short", words):
        ax = new_axes(None)
        name_axes(ax, x="x", y="y", title=title)
        found[title] = ax.get_title(loc="left").split("\n")
    assert found["short"] == ["short"]
    assert len(found[words]) > 1 and " ".join(found[words]) == words


def test_rows_with_long_names_make_a_wider_figure() -> None:
    assert width_for(["x" * 20]) == width_for([]) == 6.4
    assert width_for(["x" * 40]) == pytest.approx(7.9)


def test_interval_leaves_out_what_is_not_there() -> None:
    assert interval(0.5, float("nan"), 0.7) == "0.50"
    assert interval(1.351, 1.02, 1.78) == "1.35 (1.02–1.78)"


def test_plots_need_neither_the_report_nor_pyplot() -> None:
    code = (
        "import sys, pandas as pd; from radiogenomics.plots import draw_selection;"
        "draw_selection(pd.DataFrame({'feature': ['a'], 'frequency': [1.0]})).figure.canvas.draw();"
        "print(*(m for m in sys.modules if m in ('matplotlib.pyplot', 'radiogenomics.report')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()
