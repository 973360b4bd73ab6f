"""The null of the strongest link: its histogram, the threshold, and the p of what was seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.plots.link_nulls import draw_link_nulls, family_wise_threshold


@pytest.fixture
def maxima(rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({"value": rng.gumbel(0.36, 0.02, size=199)})


def places(ax: Axes) -> list[float]:
    return [float(line.get_xdata()[0]) for line in ax.get_lines()]


def p_of(value: float, maxima: pd.DataFrame) -> float:
    return (1 + (maxima["value"] >= value).sum()) / (1 + len(maxima))


def test_observed_and_threshold_stand_where_they_are(maxima: pd.DataFrame) -> None:
    ax = draw_link_nulls(maxima, observed=0.4)
    threshold = family_wise_threshold(maxima["value"].to_numpy())
    assert places(ax) == pytest.approx([0.4, threshold])
    assert sum(bar.get_height() for bar in ax.patches) == 199
    assert ax.texts[0].get_text() == f"observed 0.400, p = {p_of(0.4, maxima):.2g}"
    assert ax.get_ylabel() == "permutations (199 in all)"


def test_threshold_parts_found_from_not_found(maxima: pd.DataFrame) -> None:
    threshold = family_wise_threshold(maxima["value"].to_numpy())
    assert p_of(threshold, maxima) <= 0.05 < p_of(threshold - 1e-9, maxima) + 0.005
    below = maxima["value"][maxima["value"] < threshold].max()
    assert p_of(below, maxima) > 0.05


def test_too_few_permutations_have_no_threshold() -> None:
    few = pd.DataFrame({"value": np.linspace(0.1, 0.2, 18)})
    assert len(places(draw_link_nulls(few, observed=0.5))) == 1
    assert family_wise_threshold(few["value"].to_numpy()) is None


@pytest.mark.parametrize("observed", [0.33, 0.37, 0.42, 0.6])
def test_words_do_not_overlap(
    observed: float, maxima: pd.DataFrame, readable: Callable[[Axes], None]
) -> None:
    readable(draw_link_nulls(maxima, observed=observed, title="all features and genes"))


def test_bad_tables_are_refused(maxima: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="at least one row"):
        draw_link_nulls(maxima.iloc[:0], observed=0.4)
    with pytest.raises(SchemaError, match="found no value"):
        draw_link_nulls(maxima.rename(columns={"value": "rho"}), observed=0.4)
    with pytest.raises(DataError, match="found 1 that are not"):
        draw_link_nulls(maxima, observed=float("nan"))
    with pytest.raises(DataError, match="found 2 that are not"):
        draw_link_nulls(maxima.assign(value=maxima["value"].where(maxima.index > 1)), observed=0.4)


def test_given_axes_are_drawn_on(maxima: pd.DataFrame) -> None:
    ax, before = Figure().add_subplot(), maxima.copy()
    assert draw_link_nulls(maxima, ax, observed=0.4) is ax
    pd.testing.assert_frame_equal(maxima, before)
