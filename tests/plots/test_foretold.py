"""Foretold against measured: the points, and the two lines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.foretold import draw_foretold


@pytest.fixture
def table(rng) -> pd.DataFrame:
    predicted = rng.normal(size=40)
    measured = 2 * predicted + rng.normal(size=40)
    return pd.DataFrame({"predicted": predicted, "measured": measured})


def test_points_and_lines_are_those_of_the_table(table):
    ax = draw_foretold(table, unit="SD", title="HYPOXIA")
    (points,) = ax.collections
    assert np.asarray(points.get_offsets()) == pytest.approx(table.to_numpy())
    identity, line = ax.get_lines()
    assert identity.get_xdata() == pytest.approx(identity.get_ydata())
    slope = np.cov(table["predicted"], table["measured"])[0, 1] / table["predicted"].var()
    rise = np.diff(line.get_ydata()) / np.diff(line.get_xdata())
    assert rise == pytest.approx(slope)
    assert line.get_label() == f"slope {slope:.2f}"
    assert ax.get_xlabel() == "foretold from images, SD" and ax.get_title(loc="left") == "HYPOXIA"


def test_predictions_that_do_not_vary_have_no_line(table):
    ax = draw_foretold(table.assign(predicted=0.5))
    assert len(ax.get_lines()) == 1
    assert ax.get_xlim()[0] < 0.5 < ax.get_xlim()[1]


def test_patients_without_a_measurement_are_not_drawn(table):
    table.loc[:9, "measured"] = np.nan
    assert len(draw_foretold(table).collections[0].get_offsets()) == 30
    with pytest.raises(DataError, match="found none of 10"):
        draw_foretold(table.head(10))
    with pytest.raises(SchemaError):
        draw_foretold(table[["predicted"]])
