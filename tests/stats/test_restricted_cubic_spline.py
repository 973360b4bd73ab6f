from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.restricted_cubic_spline import default_knots, rcs_basis


@pytest.fixture
def samples(table, values) -> dict[str, np.ndarray]:
    x = table("survival_calibration_input")["x"].to_numpy()
    return {
        "many": x,
        "few": x[:60],
        "tied": np.round(x * 2) / 2,
        "clumped": values("restricted_cubic_spline", "clumped", "sample"),
        "low": values("restricted_cubic_spline", "low", "sample"),
    }


# The tied values have too few quantiles of their own for more than five knots.
KNOTS = [(key, count) for key in ("many", "few", "clumped", "low") for count in range(3, 8)]
KNOTS += [("tied", count) for count in (3, 4, 5)]


@pytest.mark.parametrize(("key", "count"), KNOTS)
def test_knots_match_r_hmisc(key, count, samples, values):
    found = default_knots(samples[key], count)
    assert_allclose(
        found, values("restricted_cubic_spline", f"{key}_{count}", "knots"), rtol=1e-12, atol=1e-15
    )


@pytest.mark.parametrize("count", [3, 4, 5])
def test_basis_matches_r_hmisc(count, samples, values):
    grid = values("restricted_cubic_spline", "basis", "grid")
    found = rcs_basis(grid, default_knots(samples["many"], count))
    expected = values("restricted_cubic_spline", f"basis_{count}", "basis")
    assert_allclose(found.ravel(), expected, rtol=1e-11, atol=1e-13)


def test_curve_is_straight_outside_and_smooth_inside(rng):
    knots = np.array([0.0, 1.0, 2.5, 4.0])
    weights = rng.normal(size=3)

    def curve(x: np.ndarray) -> np.ndarray:
        return rcs_basis(x, knots) @ weights

    for side in (np.linspace(-5, 0, 9), np.linspace(4, 9, 9)):
        assert_allclose(np.diff(curve(side), 2), 0, atol=1e-11)
    h = 1e-4
    for knot in knots:
        x = knot + h * np.arange(-3, 4)
        second = np.diff(curve(x), 2) / h**2
        assert np.abs(np.diff(second)).max() < 0.01


def test_few_distinct_values_give_fewer_knots_with_a_warning():
    with pytest.warns(RadiogenomicsWarning, match="3 knots instead of 5"):
        assert default_knots([1, 2, 3, 4, 5] * 4, 5).tolist() == [2, 3, 4]


def test_bad_input_says_what_is_expected():
    for x, count in (([1, 2, 3, 4, 5], 3), (range(50), 2)):
        with pytest.raises(DataError, match="use a straight line"):
            default_knots(x, count)
    with pytest.raises(DataError, match="use a straight line or classes"):
        default_knots([1.0] * 50, 3)
    with pytest.raises(DataError, match="use a straight line or classes"):
        default_knots([0, 1] * 20, 3)
    for x in ([np.nan] * 9, [[1.0, 2.0]], [], ["a", "b"]):
        with pytest.raises(DataError, match="expected x"):
            default_knots(x, 3)
    for knots in ([0, 1], [0, 0, 1], [2, 1, 0], [0, np.nan, 1]):
        with pytest.raises(DataError, match="knots"):
            rcs_basis([1.0], knots)
