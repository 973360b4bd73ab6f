"""Figures of a prediction study show their tables: what is in the table is in the artists."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.claims import POSSIBLE, draw_claims
from radiogenomics.plots.flattery import draw_flattery
from radiogenomics.plots.group_shares import draw_group_shares
from radiogenomics.plots.model_forest import draw_model_forest
from radiogenomics.plots.style import BLUE, FAINT, MUTED, VERMILION

LONG = "a model whose name is far longer than any axis has room for"
MODELS = pd.DataFrame(
    [
        ("all", "training", 0.88, 0.83, 0.92),
        ("all", "external", 0.81, 0.70, 0.89),
        (LONG, "training", 0.70, 0.62, 0.77),
        (LONG, "external", 0.58, 0.45, 0.70),
        ("_mRECIST$x$", "external", 0.61, np.nan, np.nan),
        ("_mRECIST$x$", "training", np.nan, np.nan, np.nan),
    ],
    columns=["learner", "split", "value", "low", "high"],
)
CLAIMS = pd.DataFrame(
    [
        ("first, external", 0.875, 0.87, 0.88, 0.79, 0.93, 0.81, 0.71, 0.89, 0.37, 0.63),
        ("second, external", 0.65, *[np.nan] * 4, 0.6, 0.5, 0.7, np.nan, np.nan),
        ("third", 0.7, np.nan, np.nan, 0.58, 0.8, *[np.nan] * 3, 0.37, 0.63),
        ("nobody knows", *[np.nan] * 10),
    ],
    columns=[
        "label", "claimed", "claimed_low", "claimed_high", "possible_low", "possible_high",
        "obtained", "obtained_low", "obtained_high", "chance_low", "chance_high",
    ],
)  # fmt: skip
FLATTERY = pd.DataFrame(
    {
        "procedure": ["nested", "selection on all patients", "both, and percentiles of splits"],
        "auc": [0.61, 0.93, 0.95],
        "low": [0.52, 0.89, 0.94],
        "high": [0.7, 0.97, 0.96],
        "auc_on_noise": [0.49, 0.9, np.nan],
    }
)
SHARES = pd.DataFrame(
    {
        "split": ["training", "training", "external", "external"],
        "group": ["high", "low", "high", "low"],
        "count": [36, 12, 9, 0],
        "n": [80, 80, 20, 0],
        "share": [0.45, 0.15, 0.45, np.nan],
        "low": [0.35, 0.09, 0.26, np.nan],
        "high": [0.56, 0.24, 0.66, np.nan],
    }
)


def shares(table: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None) -> Axes:
    return draw_group_shares(table, ax, name="share", title=title)


FIGURES: list[tuple[Callable[..., Axes], pd.DataFrame, str]] = [
    (draw_model_forest, MODELS, "value"),
    (draw_claims, CLAIMS, "possible_low"),
    (draw_flattery, FLATTERY, "auc_on_noise"),
    (shares, SHARES, "share"),
]


def spans(ax: Axes, colour: str | None = None) -> list[tuple[float, float]]:
    """Ends of the horizontal whiskers, of one colour if asked."""
    found = []
    for lines in ax.collections:
        if not hasattr(lines, "get_segments"):
            continue
        if colour is None or to_hex(lines.get_colors()[0]) == colour:
            found += [(float(s[0, 0]), float(s[1, 0])) for s in lines.get_segments()]
    return found


def points(ax: Axes) -> list[tuple[float, float]]:
    """Places of marks: lines of a single point."""
    drawn = [line for line in ax.get_lines() if len(line.get_xdata()) == 1]
    return [(float(x.get_xdata()[0]), float(x.get_ydata()[0])) for x in drawn]


def labels(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(("draw", "table", "needed"), FIGURES)
def test_figures_are_readable_and_leave_everything_alone(
    draw: Callable[..., Axes], table: pd.DataFrame, needed: str, readable: Callable[[Axes], None]
) -> None:
    before, settings = table.copy(), dict(matplotlib.rcParams)
    readable(draw(table, title="a title"))
    ax = Figure().add_subplot()
    assert draw(table, ax) is ax
    pd.testing.assert_frame_equal(table, before)
    assert dict(matplotlib.rcParams) == settings
    with pytest.raises(DataError, match="at least one row"):
        draw(table.iloc[:0])
    with pytest.raises(SchemaError, match=f"found no {needed}"):
        draw(table.drop(columns=needed))


def test_models_have_a_block_each_and_a_line_a_split() -> None:
    ax = draw_model_forest(MODELS.assign(headline=MODELS["learner"] == "all"))
    known = MODELS[MODELS["value"].notna()]
    assert sorted(spans(ax)) == sorted(
        known[known["low"].notna()][["low", "high"]].itertuples(index=False, name=None)
    )
    drawn = points(ax)
    assert [x for x, _ in drawn[:5]] == known["value"].tolist()
    # Within its row, the first split stands above the second.
    assert [round(y) for _, y in drawn[:5]] == [0, 0, 1, 1, 2]
    assert drawn[0][1] < 0 < drawn[1][1]
    assert "0.88 (0.83–0.92)" in texts(ax) and "0.61" in texts(ax)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["training", "external"]
    weights = [label.get_fontweight() for label in ax.get_yticklabels()]
    assert weights == ["bold", "normal", "normal"]


def test_rivals_are_hollow_and_chance_is_in_sight() -> None:
    table = MODELS[MODELS["split"] == "training"].head(2)
    ax = draw_model_forest(table.assign(rival=[False, True]), name="C-index", chance=0.3)
    marks = [line for line in ax.get_lines() if len(line.get_xdata()) == 1]
    assert [to_hex(m.get_markerfacecolor()) for m in marks[:2]] == [BLUE, "#ffffff"]
    assert ax.get_xlim()[0] < 0.3 and ax.get_xlabel().startswith("C-index")


def test_a_model_twice_in_a_split_is_refused() -> None:
    with pytest.raises(DataError, match="several of 'all' in 'training'"):
        draw_model_forest(pd.concat([MODELS, MODELS.iloc[:1]]))
    with pytest.raises(DataError, match="finite values"):
        draw_model_forest(MODELS.assign(value=np.nan))


def test_a_claim_lies_on_what_is_possible_above_what_was_obtained() -> None:
    ax = draw_claims(CLAIMS)
    assert labels(ax) == ["first, external", "second, external", "third"]
    assert spans(ax, POSSIBLE) == [(0.79, 0.93), (0.58, 0.8)]
    assert spans(ax, VERMILION) == [(0.87, 0.88)]
    assert spans(ax, BLUE) == [(0.71, 0.89), (0.5, 0.7)]
    assert [x for x, _ in points(ax)] == [0.875, 0.81, 0.65, 0.6, 0.7]
    heights = [y for _, y in points(ax)]
    assert heights[0] < 0 < heights[1] and heights[2] < 1 < heights[3]
    shaded = [c for c in ax.collections if not hasattr(c, "get_segments")]
    reach = [c.get_paths()[0].get_extents() for c in shaded]
    assert [(b.x0, b.x1) for b in reach] == [(0.37, 0.63)] * 2
    assert {to_hex(c.get_facecolor()[0]) for c in shaded} == {FAINT}
    # Published intervals are thousandths wide: three decimals tell them from points.
    assert {"0.875 (0.870–0.880)", "0.810 (0.710–0.890)"} <= set(texts(ax))


def test_ratios_are_logarithmic_and_positive() -> None:
    numbers = CLAIMS.columns[1:]
    ratios = CLAIMS.assign(**{name: 2 * CLAIMS[name] for name in numbers})
    ax = draw_claims(ratios, name="hazard ratio", ratio=True)
    assert ax.get_xscale() == "log" and ax.get_xlim()[0] < 1 < ax.get_xlim()[1]
    assert "1.75 (1.74–1.76)" in texts(ax)
    with pytest.raises(DataError, match="positive ratios"):
        draw_claims(ratios.assign(chance_low=0.0), ratio=True)


def test_defects_stand_beside_the_honest_way_and_on_noise() -> None:
    ax = draw_flattery(FLATTERY)
    assert spans(ax, BLUE) == [(0.52, 0.7)]
    assert spans(ax, VERMILION) == [(0.89, 0.97), (0.94, 0.96)]
    honest, chance = ax.get_lines()[:2]
    assert list(honest.get_xdata()) == [0.61, 0.61] and list(chance.get_xdata()) == [0.5, 0.5]
    marks = points(ax)
    assert [x for x, y in marks if y == round(y)] == [0.61, 0.93, 0.95]
    assert [x for x, y in marks if y != round(y)] == [0.49, 0.9]
    assert labels(ax) == FLATTERY["procedure"].tolist()
    assert "0.93 (0.89–0.97)" in texts(ax)


def test_shares_stand_under_their_split() -> None:
    ax = shares(SHARES)
    assert labels(ax) == [
        "training", "high (36 of 80)", "low (12 of 80)",
        "external", "high (9 of 20)", "low (0 of 0)",
    ]  # fmt: skip
    assert points(ax) == [(0.45, 1), (0.15, 2), (0.45, 4)]
    assert spans(ax, BLUE) == [(0.35, 0.56), (0.26, 0.66)]
    assert spans(ax, MUTED) == [(0.09, 0.24)]
    weights = [label.get_fontweight() for label in ax.get_yticklabels()]
    assert weights == ["bold", "normal", "normal"] * 2
