"""Each figure shows its table: what is in the table is in the artists."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radiogenomics import plots
from radiogenomics.core.errors import DataError, SchemaError

FLOW = pd.DataFrame(
    {
        "cohort": ["a", "a", "b"],
        "table": ["patients", "OS", "patients"],
        "kind": ["patients", "outcome", "patients"],
        "patients": [60, 50, 31],
        "events": [None, 21, None],
    }
)
LABELS = pd.DataFrame(
    {
        "score": [-2.0, -1.0, 0.1, 0.4, 0.9, 2.5],
        "label": ["low", "low", "high", "low", "high", "high"],
    }
)
CURVES = pd.DataFrame(
    {
        "split": "cross-validation",
        "learner": ["svm"] * 3 + ["rf"] * 4,
        "fpr": [0.0, 0.25, 1.0, 0.0, 0.5, 0.5, 1.0],
        "tpr": [0.0, 0.75, 1.0, 0.0, 0.5, 0.9, 1.0],
    }
)
AREAS = pd.DataFrame(
    {"learner": ["svm", "rf"], "auc": [0.75, 0.6], "low": [0.61, 0.48], "high": [0.86, 0.71]}
)
BINS = pd.DataFrame(
    {
        "predicted": [0.8, 0.2, 0.5],
        "observed": [0.7, 0.3, 0.45],
        "low": [0.5, 0.1, 0.3],
        "high": [0.9, 0.5, 0.6],
        "n": [10, 30, 20],
    }
)
SURVIVAL = pd.DataFrame(
    {
        "group": ["predicted high"] * 4 + ["predicted low"] * 3,
        "time": [0.0, 3.0, 8.0, 14.0, 5.0, 20.0, 30.0],
        "survival": [1.0, 0.75, 0.5, 0.0, 0.9, 0.9, 0.6],
        "low": [1.0, 0.3, 0.2, np.nan, 0.6, 0.6, 0.2],
        "high": [1.0, 0.95, 0.8, np.nan, 0.98, 0.98, 0.9],
        "at_risk": [4, 4, 3, 2, 10, 6, 3],
        "censored": [0, 0, 0, 0, 3, 2, 2],
    }
)
NULL = pd.DataFrame({"value": np.linspace(0.4, 0.6, 99)})
FREQUENCIES = pd.DataFrame({"feature": ["size", "rim", "noise"], "frequency": [0.5, 0.96, 0.1]})
HAZARDS = pd.DataFrame(
    {
        "term": ["risk", "age", "site"],
        "hazard_ratio": [1.4, 0.8, 3.0],
        "low": [1.05, 0.5, 0.0001],
        "high": [1.9, 1.2, np.inf],
        "events": [40, 40, 40],
    }
)
LEARNERS = pd.DataFrame(
    {
        "learner": ["svm", "rf"],
        "headline": [True, False],
        "auc": [0.62, 0.55],
        "low": [0.52, 0.44],
        "high": [0.71, 0.66],
        "chance": [0.5, 0.5],
    }
)


def draw_null(values: pd.DataFrame, ax: Axes | None = None) -> Axes:
    return plots.draw_null(values, ax, observed=0.7, p=0.01)


FIGURES: list[tuple[Callable[..., Axes], pd.DataFrame]] = [
    (plots.draw_flow, FLOW),
    (plots.draw_labels, LABELS),
    (plots.draw_roc, CURVES),
    (plots.draw_calibration, BINS),
    (plots.draw_survival, SURVIVAL),
    (draw_null, NULL),
    (plots.draw_selection, FREQUENCIES),
    (plots.draw_forest, HAZARDS),
    (plots.draw_learners, LEARNERS),
]
EACH = pytest.mark.parametrize(("draw", "table"), FIGURES, ids=[f.__name__ for f, _ in FIGURES])


def texts(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [t.get_text() for t in ax.texts] + (
        [] if legend is None else [t.get_text() for t in legend.get_texts()]
    )


def line(ax: Axes, label: str) -> tuple[list[float], list[float]]:
    found = next(x for x in ax.get_lines() if str(x.get_label()).startswith(label))
    return list(found.get_xdata()), list(found.get_ydata())


@EACH
def test_empty_table_is_refused(draw: Callable[..., Axes], table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="at least one row"):
        draw(table.iloc[:0])


@EACH
def test_missing_column_is_named(draw: Callable[..., Axes], table: pd.DataFrame) -> None:
    needed = next(c for c in ("high", "tpr", "label", "value", "patients", "feature") if c in table)
    with pytest.raises(SchemaError, match=f"found no {needed}"):
        draw(table.drop(columns=needed))


@EACH
def test_given_axes_are_drawn_on(draw: Callable[..., Axes], table: pd.DataFrame) -> None:
    ax = Figure().add_subplot()
    assert draw(table, ax) is ax
    assert ax.get_xlabel()
    assert ax.get_lines() or ax.patches or ax.collections


@EACH
def test_table_and_global_state_are_left_alone(
    draw: Callable[..., Axes], table: pd.DataFrame
) -> None:
    before, settings = table.copy(), dict(matplotlib.rcParams)
    draw(table)
    pd.testing.assert_frame_equal(table, before)
    assert dict(matplotlib.rcParams) == settings


def test_flow_bars_are_patients_and_events() -> None:
    ax = plots.draw_flow(FLOW)
    assert [bar.get_width() for bar in ax.patches] == [60, 50, 21, 31]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "patients", "OS", "b", "patients"]
    assert "50, 21 with event" in texts(ax)


def test_label_histogram_holds_each_patient_once_in_its_class() -> None:
    ax = plots.draw_labels(LABELS, cutoff=0.3)
    heights = {c.get_label(): sum(bar.get_height() for bar in c) for c in ax.containers}
    assert heights == {"low: 3": 3, "high: 3": 3}
    assert any(list(x.get_xdata()) == [0.3, 0.3] for x in ax.get_lines())
    rugs = [x for x in ax.get_lines() if x.get_marker() == "|"]
    assert sorted(v for rug in rugs for v in rug.get_xdata()) == sorted(LABELS["score"])


def test_label_scores_that_are_not_finite_are_not_drawn() -> None:
    odd = LABELS.assign(score=[np.nan, np.inf, 0.0, 1.0, 2.0, 3.0])
    assert sum(bar.get_height() for bar in plots.draw_labels(odd).patches) == 4
    with pytest.raises(DataError, match="finite scores"):
        plots.draw_labels(odd.iloc[:2])


def test_roc_lines_are_the_curves_with_areas_and_diagonal() -> None:
    ax = plots.draw_roc(CURVES, areas=AREAS, headline="svm")
    assert line(ax, "chance") == ([0, 1], [0, 1])
    assert line(ax, "svm") == ([0.0, 0.25, 1.0], [0.0, 0.75, 1.0])
    assert line(ax, "rf")[1] == [0.0, 0.5, 0.9, 1.0]
    assert {"svm: 0.75 (0.61–0.86)", "rf: 0.60 (0.48–0.71)"} <= set(texts(ax))
    widths = {str(x.get_label())[:2]: x.get_linewidth() for x in ax.get_lines()}
    assert widths["sv"] > widths["rf"]


def test_roc_of_two_splits_has_a_line_each_with_its_own_area() -> None:
    other = CURVES[CURVES["learner"] == "svm"].assign(split="external:b", tpr=[0.0, 0.5, 1.0])
    both = pd.concat([CURVES[CURVES["learner"] == "svm"], other])
    areas = pd.DataFrame(
        {"learner": "svm", "split": ["external:b"], "auc": [0.6], "low": [0.5], "high": [0.7]}
    )
    ax = plots.draw_roc(both, areas=areas)
    assert line(ax, "svm · external:b")[1] == [0.0, 0.5, 1.0]
    assert "svm · external:b: 0.60 (0.50–0.70)" in texts(ax)
    assert "svm · cross-validation" in texts(ax)


def test_calibration_points_intervals_and_counts() -> None:
    ax = plots.draw_calibration(BINS)
    assert line(ax, "observed") == ([0.2, 0.5, 0.8], [0.3, 0.45, 0.7])
    segments = ax.collections[0].get_segments()
    assert [tuple(s[:, 1]) for s in segments] == [(0.1, 0.5), (0.3, 0.6), (0.5, 0.9)]
    assert texts(ax) == ["30", "20", "10"]
    assert line(ax, "ideal") == ([0, 1], [0, 1])


def test_survival_steps_are_the_table_and_start_at_one() -> None:
    ax = plots.draw_survival(SURVIVAL)
    high = SURVIVAL[SURVIVAL["group"] == "predicted high"]
    assert line(ax, "predicted high") == (list(high["time"]), list(high["survival"]))
    assert line(ax, "predicted low") == ([0, 5, 20, 30], [1.0, 0.9, 0.9, 0.6])
    steps = [x for x in ax.get_lines() if x.get_label() in ("predicted high", "predicted low")]
    assert {x.get_drawstyle() for x in steps} == {"steps-post"}


def test_survival_ticks_stand_where_patients_were_censored() -> None:
    ax = plots.draw_survival(SURVIVAL)
    ticks = [x for x in ax.get_lines() if x.get_marker() == "|" and len(x.get_xdata())]
    assert [list(x.get_xdata()) for x in ticks] == [[5.0, 20.0, 30.0]]


def test_number_at_risk_is_counted_just_before_each_tick() -> None:
    ax = plots.draw_survival(SURVIVAL)
    assert list(ax.get_xticks()) == [0, 12, 24]
    written = texts(ax)
    start = written.index("predicted high")
    assert written[start : start + 4] == ["predicted high", "4", "2", "0"]
    start = written.index("predicted low")
    assert written[start : start + 4] == ["predicted low", "10", "6", "3"]


def test_survival_axis_says_probability_and_endpoint() -> None:
    assert plots.draw_survival(SURVIVAL).get_ylabel() == "survival probability"
    table = SURVIVAL.assign(endpoint="recurrence-free")
    assert plots.draw_survival(table).get_ylabel() == "survival probability (recurrence-free)"
    label = plots.draw_survival(table, endpoint="overall").get_ylabel()
    assert label == "survival probability (overall)"
    table.loc[0, "endpoint"] = "overall"
    with pytest.raises(DataError, match="expected one endpoint; found overall, recurrence-free"):
        plots.draw_survival(table)


@pytest.mark.parametrize(
    "groups",
    [["risk: 3", "risk: 1", "risk: 2"], pd.Categorical(["c", "a", "b"], ["b", "c", "a", "d"])],
    ids=["given order", "order of categories"],
)
def test_survival_groups_stand_in_the_order_given(groups) -> None:
    table = pd.concat([SURVIVAL[4:].assign(group=name) for name in groups], ignore_index=True)
    expected = list(groups)
    if isinstance(groups, pd.Categorical):
        table["group"] = pd.Categorical(table["group"], groups.categories)
        expected = ["b", "c", "a"]
    ax = plots.draw_survival(table)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == expected
    assert [t for t in texts(ax) if t in expected] == expected * 2  # numbers at risk, legend


def test_survival_note_is_written() -> None:
    assert "HR 2.0" in texts(plots.draw_survival(SURVIVAL, note="HR 2.0"))


def test_null_histogram_counts_every_replicate_and_marks_the_observed() -> None:
    ax = draw_null(NULL)
    assert sum(bar.get_height() for bar in ax.patches) == 99
    assert list(ax.get_lines()[0].get_xdata()) == [0.7, 0.7]
    assert texts(ax) == ["observed 0.700, p = 0.01"]
    with pytest.raises(DataError, match="finite null"):
        draw_null(NULL.assign(value=np.nan))


def test_selection_is_sorted_and_says_what_it_leaves_out() -> None:
    ax = plots.draw_selection(FREQUENCIES, top=2)
    assert [bar.get_width() for bar in ax.patches] == [0.96, 0.5]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["rim", "size"]
    assert "1 rarer" in ax.get_xlabel()


def test_forest_is_logarithmic_and_open_ends_stay_inside() -> None:
    ax = plots.draw_forest(HAZARDS)
    squares = next(x for x in ax.get_lines() if x.get_marker() == "s")
    assert list(squares.get_xdata()) == [1.4, 0.8, 3.0]
    assert ax.get_xscale() == "log"
    low, high = ax.get_xlim()
    ends = [tuple(c.get_segments()[0][:, 0]) for c in ax.collections]
    assert ends[0] == (1.05, 1.9)
    assert ends[2] == (low, high)
    assert {x.get_marker() for x in ax.get_lines()} >= {"<", ">"}
    assert "1.40 (1.05–1.90)" in texts(ax)
    assert "risk  (40 events)".split() == ax.get_yticklabels()[0].get_text().split()


def test_forest_refuses_ratios_that_are_not_positive() -> None:
    with pytest.raises(DataError, match="positive hazard ratios"):
        plots.draw_forest(HAZARDS.assign(hazard_ratio=0.0))


def test_learners_stand_beside_chance_in_their_order() -> None:
    ax = plots.draw_learners(LEARNERS)
    assert list(ax.get_lines()[0].get_xdata()) == [0.5, 0.5]
    assert [list(x.get_xdata()) for x in ax.get_lines()[1:]] == [[0.62], [0.55]]
    assert ax.get_yticklabels()[0].get_text() == "svm (the study's)"
    assert [c.get_segments()[0][:, 0].tolist() for c in ax.collections] == [
        [0.52, 0.71],
        [0.44, 0.66],
    ]


def test_no_bar_of_the_histogram_lies_on_both_sides_of_the_cutoff() -> None:
    scores = np.linspace(-1.03, 2.0, 57)
    table = pd.DataFrame({"score": scores, "label": np.where(scores > 0.111, "high", "low")})
    ax = plots.draw_labels(table, cutoff=0.111)
    assert sum(bar.get_height() for bar in ax.patches) == 57
    for bar in (b for b in ax.patches if b.get_height()):
        left, right = bar.get_x(), bar.get_x() + bar.get_width()
        assert right <= 0.111 + 1e-12 or left >= 0.111 - 1e-12


def test_calibration_points_without_room_share_one_count() -> None:
    close = BINS.assign(predicted=[0.50, 0.52, 0.51])
    assert texts(plots.draw_calibration(close)) == ["10 to 30 patients a point"]
