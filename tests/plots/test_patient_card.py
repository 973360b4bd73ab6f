"""The card of a patient says what is foretold, greys what is not, and never names anybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.patient_card import (
    PatientCard,
    draw_patient_card,
    suggestion,
    uncertainty,
)
from radiogenomics.plots.style import BLUE, INK, MUTED, VERMILION

PATHWAYS = pd.DataFrame(
    {
        "pathway": ["H|HALLMARK_LOW", "H|HALLMARK_GREY", "H|HALLMARK_OPEN", "H|HALLMARK_HIGH"],
        "predicted": [-1.2, 2.0, 0.3, 1.5],
        "low": [-2.0, 1.0, -0.9, 0.2],
        "high": [-0.4, 3.0, 1.5, 2.8],
        "percentile": [11.0, 98.0, 62.0, 93.0],
        "r2": [0.24, 0.02, 0.12, 0.31],
        "p_family": [0.003, 0.6, 0.04, 0.001],
    }
)
CONTRIBUTIONS = pd.DataFrame(
    [
        (pathway, f"wavelet-LLH_glcm_{name}", value)
        for pathway in PATHWAYS["pathway"]
        for name, value in (("A", 0.1), ("B", -0.5), ("C", 0.3), ("D", 0.2))
    ],
    columns=["pathway", "feature", "contribution"],
)
CARD = PatientCard("0123456789ab", PATHWAYS, CONTRIBUTIONS)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for axes in (ax, *ax.child_axes) for text in axes.texts]


def levels(ax: Axes) -> dict[float, tuple[float, str, str]]:
    """Predicted level → row, colour, and colour of the face."""
    points = [line for line in ax.get_lines() if len(line.get_xdata()) == 1]
    return {
        float(x.get_xdata()[0]): (
            float(x.get_ydata()[0]),
            to_hex(x.get_color()),
            str(x.get_markerfacecolor()),
        )
        for x in points
    }


def test_levels_are_coloured_where_the_whole_interval_is_on_one_side() -> None:
    drawn = levels(draw_patient_card(CARD))
    assert {value: row[1:] for value, row in drawn.items()} == {
        1.5: (VERMILION, VERMILION),
        0.3: (INK, INK),
        -1.2: (BLUE, BLUE),
        2.0: (MUTED, "white"),
    }
    # From high to low, and what is not foretold at the foot.
    assert sorted(drawn, key=lambda value: drawn[value][0]) == [1.5, 0.3, -1.2, 2.0]


def test_intervals_are_drawn_whole() -> None:
    ax = draw_patient_card(CARD)
    spans = {
        tuple(segment[:, 0])
        for lines in ax.collections
        if hasattr(lines, "get_segments")
        for segment in lines.get_segments()
    }
    assert spans == {*zip(PATHWAYS["low"], PATHWAYS["high"], strict=True)}
    low, high = ax.get_xlim()
    assert low == -high and high > 3.0


def test_what_is_not_foretold_is_grey_and_says_so() -> None:
    drawn = draw_patient_card(CARD)
    assert "not predictable from imaging (R² 0.02, family-wise p 0.6)" in texts(drawn)
    names = {text.get_text(): text.get_color() for text in drawn.texts}
    assert names["GREY"] == MUTED and names["HIGH"] == INK
    assert "98th" not in texts(drawn)
    assert "GREY" not in suggestion(CARD)


@pytest.mark.parametrize("column", [{"r2": -0.2}, {"p_family": np.nan}, {"p_family": 0.05}])
def test_no_pathway_is_foretold_without_evidence(column: dict[str, float]) -> None:
    card = replace(CARD, pathways=PATHWAYS.assign(**column))
    assert suggestion(card) == (
        "This scan suggests nothing: no pathway here is predictable from imaging."
    )
    assert {face for _, _, face in levels(draw_patient_card(card)).values()} == {"white"}
    assert "No pathway here can be predicted" in uncertainty(card)


def test_the_sentence_names_what_is_surely_off_the_mean() -> None:
    assert suggestion(CARD) == (
        "This scan suggests: HIGH high (93rd percentile), LOW low (11th percentile)."
    )
    wide = replace(CARD, pathways=PATHWAYS.assign(low=-5.0, high=5.0))
    assert suggestion(wide).startswith("This scan suggests no pathway that is surely")


def test_uncertainty_is_told_in_words() -> None:
    words = uncertainty(CARD)
    assert "explained 12–31 % of how" in words
    assert "95 % intervals: 1 of 3 reach across" in words
    assert "not measured" in words
    assert "80 % intervals" in uncertainty(replace(CARD, level=0.8))
    lines = texts(draw_patient_card(CARD))
    start = next(i for i, line in enumerate(lines) if line.startswith("How sure is this?"))
    assert " ".join(lines[start : start + len(words) // 100 + 2]).startswith(words)


def test_the_largest_contributions_stand_beside_their_pathway() -> None:
    ax = draw_patient_card(CARD)
    (bars,) = ax.child_axes
    assert [bar.get_width() for bar in bars.patches] == 3 * [-0.5, 0.3, 0.2]
    rows = levels(ax)
    for bar, value in zip(bars.patches[::3], (1.5, 0.3, -1.2), strict=True):
        assert abs(bar.get_y() + bar.get_height() / 2 - rows[value][0]) < 0.5
    assert {"B · wav LLH", "−0.50", "+0.30"} <= {*texts(ax)}
    assert "A · wav LLH" not in texts(ax)


def test_the_training_cohort_is_drawn_as_it_is(rng: np.random.Generator) -> None:
    training = pd.DataFrame(
        [(name, v) for name in PATHWAYS["pathway"] for v in rng.normal(size=80)],
        columns=["pathway", "value"],
    )
    ax = draw_patient_card(replace(CARD, training=training))
    assert len([c for c in ax.collections if not hasattr(c, "get_segments")]) == 4
    assert not ax.patches
    plain = draw_patient_card(CARD)
    assert [(bar.get_x(), bar.get_width()) for bar in plain.patches] == 4 * [(-1, 2)]
    assert any("grey: one SD of the training cohort" in text for text in texts(plain))


@pytest.mark.parametrize("name", ["TCGA-2Y-A9GS", "", "0123456789AB", "0123456789abc", "12 34"])
def test_identifiers_are_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(DataError, match="twelve hexadecimal digits") as caught:
        PatientCard(name, PATHWAYS, CONTRIBUTIONS)
    assert not name or name not in str(caught.value)


def test_bad_tables_are_refused() -> None:
    with pytest.raises(SchemaError, match="found no percentile"):
        replace(CARD, pathways=PATHWAYS.drop(columns="percentile"))
    with pytest.raises(DataError, match="at least one row"):
        replace(CARD, pathways=PATHWAYS.iloc[:0])
    with pytest.raises(SchemaError, match="found no contribution"):
        replace(CARD, contributions=CONTRIBUTIONS.drop(columns="contribution"))
    with pytest.raises(SchemaError, match="found no value"):
        replace(CARD, training=PATHWAYS)
    with pytest.raises(DataError, match="1 pathways twice"):
        replace(CARD, pathways=pd.concat([PATHWAYS, PATHWAYS.head(1)]))
    with pytest.raises(DataError, match="outside its interval"):
        replace(CARD, pathways=PATHWAYS.assign(high=-3.0))


@pytest.mark.parametrize("rows", [1, 4])
def test_nothing_overlaps(rows: int, readable: Callable[[Axes], None]) -> None:
    long = {
        name: f"H|HALLMARK_A_LONG_NAME_OF_A_PATHWAY_{name[-3:]}" for name in PATHWAYS["pathway"]
    }
    pathways, behind = (
        table.assign(pathway=table["pathway"].map(long)) for table in (PATHWAYS, CONTRIBUTIONS)
    )
    features = "arterial_log-sigma-3-0-mm-3D_gldm_SmallDependenceHighGrayLevelEmphasis"
    card = PatientCard("0123456789ab", pathways.tail(rows), behind.assign(feature=features))
    readable(draw_patient_card(card))


def test_a_card_without_contributions_is_drawn_on_given_axes() -> None:
    ax = Figure().add_subplot()
    assert draw_patient_card(replace(CARD, contributions=CONTRIBUTIONS.iloc[:0]), ax) is ax
