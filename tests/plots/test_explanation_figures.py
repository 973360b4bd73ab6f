from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.partial_dependence import draw_partial_dependence
from radiogenomics.plots.shap_force import draw_shap_force
from radiogenomics.plots.shap_summary import draw_shap_summary
from radiogenomics.plots.shap_waterfall import draw_shap_waterfall
from radiogenomics.plots.style import BLUE, FAINT, VERMILION

PATIENT = pd.DataFrame(
    {
        "patient": "P7",
        "feature": ["age", "rim", "size", "_noise$x$"],
        "value": [61.0, 0.9, 62.0, 1.0],
        "contribution": [0.2, 0.8, -0.5, 0.0],
        "base": 0.1,
        "output": 0.6,
        "scale": "log-odds of 1",
    }
)


def many(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    names = ["weak", "strong", "flat"]
    value = rng.normal(size=(n, 3))
    value[:, 2] = 1.0
    return pd.DataFrame(
        {
            "patient": np.repeat([f"P{i}" for i in range(n)], 3),
            "feature": np.tile(names, n),
            "value": value.ravel(),
            "contribution": (value * [0.1, -2.0, 0.0]).ravel(),
            "scale": "risk",
        }
    )


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def swarms(ax) -> list[PathCollection]:
    return [found for found in ax.collections if isinstance(found, PathCollection)]


def test_summary_draws_every_patient_largest_feature_first():
    table = many()
    ax = draw_shap_summary(table)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["strong", "weak", "flat"]
    strong = table[table["feature"] == "strong"]
    points = swarms(ax)[0]
    np.testing.assert_allclose(points.get_offsets()[:, 0], strong["contribution"])
    assert np.abs(points.get_offsets()[:, 1]).max() < 0.5
    # Its weight is negative: the highest value stands furthest left.
    ranks = points.get_array()
    assert ranks[np.argmin(strong["contribution"])] == 1 and ranks.min() == 0
    assert set(swarms(ax)[2].get_array()) == {0.5}
    assert f"{strong['contribution'].abs().mean():.3g}" in texts(ax)
    assert ax.get_xlabel() == "contribution to risk"


def test_points_of_a_swarm_keep_apart():
    table = many(300)
    points = swarms(draw_shap_summary(table))[0].get_offsets()
    assert len(np.unique(points.round(9), axis=0)) == 300


def test_summary_counts_what_it_leaves_out():
    ax = draw_shap_summary(many(), most=1, title="forest")
    assert "2 more features" in texts(ax) and len(swarms(ax)) == 1
    assert ax.get_title(loc="left") == "forest"


def test_waterfall_leads_from_base_to_output():
    ax = draw_shap_waterfall(PATIENT)
    bars = [(bar.get_x(), bar.get_width()) for bar in ax.patches]
    assert [width for _, width in bars] == [0.8, -0.5, 0.2, 0.0]
    assert bars[-1][0] == pytest.approx(0.1)
    assert sum(bars[0]) == pytest.approx(0.6)
    for upper, lower in zip(bars, bars[1:], strict=False):
        assert upper[0] == pytest.approx(sum(lower))
    assert ax.patches[0].get_facecolor() == to_rgba(VERMILION)
    assert ax.patches[1].get_facecolor() == to_rgba(BLUE)
    assert {"+0.8", "−0.5", "output 0.6", "base 0.1"} <= set(texts(ax))
    assert ax.get_title(loc="left") == "patient P7" and ax.get_xlabel() == "log-odds of 1"


def test_waterfall_sums_the_small_ones():
    ax = draw_shap_waterfall(PATIENT, most=1)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["rim = 0.9", "3 other features"]
    assert ax.patches[1].get_width() == pytest.approx(-0.3)
    named = draw_shap_waterfall(PATIENT, most=3)
    assert len(named.patches) == 4


def test_force_meets_at_the_output():
    ax = draw_shap_force(PATIENT, title="one")
    spans = [(p.get_xy()[:, 0].min(), p.get_xy()[:, 0].max()) for p in ax.patches]
    colours = [p.get_facecolor() for p in ax.patches]
    assert colours == [to_rgba(VERMILION)] * 2 + [to_rgba(BLUE)]
    assert spans[0] == pytest.approx((-0.2, 0.6))
    assert spans[1] == pytest.approx((-0.4, -0.2))
    assert spans[2] == pytest.approx((0.6, 1.1))
    assert "rim = 0.9 (+0.8)" in texts(ax) and "size = 62 (−0.5)" in texts(ax)
    assert ax.get_title(loc="left") == "one"


def test_patient_to_whom_nothing_speaks_is_drawn():
    flat = PATIENT.assign(contribution=0.0, output=0.1)
    assert not draw_shap_force(flat).patches
    assert [bar.get_width() for bar in draw_shap_waterfall(flat).patches] == [0] * 4


def curves() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient": np.repeat(["a", "b"], 3),
            "feature": "rim",
            "value": [0.0, 1.0, 2.0] * 2,
            "score": [0.0, 1.0, 4.0, 2.0, 5.0, 0.0],
            "observed": np.repeat([0.2, 7.0], 3),
            "scale": "risk",
        }
    )


def test_partial_dependence_draws_mean_and_patients():
    ax = draw_partial_dependence(curves(), title="forest")
    lines = [list(found.get_ydata()) for found in ax.get_lines()]
    assert lines[:3] == [[1, 3, 2], [0, 1, 4], [2, 5, 0]]
    assert list(ax.get_lines()[3].get_xdata()) == [0.2]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("rim", "risk")
    centred = draw_partial_dependence(curves(), centred=True)
    assert list(centred.get_lines()[2].get_ydata()) == [0, 3, -2]
    assert centred.get_ylabel() == "change of risk"


def test_bad_tables_are_refused():
    for draw, table in (
        (draw_shap_summary, many()),
        (draw_shap_waterfall, PATIENT),
        (draw_shap_force, PATIENT),
        (draw_partial_dependence, curves()),
    ):
        with pytest.raises(DataError, match="at least one row"):
            draw(table.iloc[:0])
        with pytest.raises(SchemaError, match="found no scale"):
            draw(table.drop(columns="scale"))
    with pytest.raises(DataError, match="one patient"):
        draw_shap_waterfall(pd.concat([PATIENT, PATIENT.assign(patient="P8")]))
    with pytest.raises(DataError, match="add up"):
        draw_shap_force(PATIENT.iloc[:2])
    with pytest.raises(DataError, match="one feature"):
        draw_partial_dependence(pd.concat([curves(), curves().assign(feature="size")]))
    with pytest.raises(DataError, match="finite contributions"):
        draw_shap_summary(many().assign(contribution=np.nan))


def test_values_that_are_not_known_are_drawn_in_grey():
    table = many(20)
    table.loc[table["patient"] == "P3", "value"] = np.nan
    points = swarms(draw_shap_summary(table))[0]
    ranks = np.ma.filled(points.get_array(), np.nan)
    assert np.isnan(ranks).sum() == 1 and np.nanmin(ranks) == 0 and np.nanmax(ranks) == 1
    assert len(points.get_offsets()) == 20
    points.update_scalarmappable()
    assert to_rgba(FAINT, 0.9) in {tuple(colour) for colour in points.get_facecolor()}
    unknown = PATIENT.assign(value=np.nan)
    assert "rim = – (+0.8)" in texts(draw_shap_force(unknown))
