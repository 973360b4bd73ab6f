from __future__ import annotations

import matplotlib
import numpy as np
import pingouin
import pytest

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.agreement.bland_altman import (
    bland_altman,
    concordance_correlation,
    repeatability,
)

matplotlib.use("Agg")


@pytest.fixture
def expected(table):
    return table("agreement").set_index(["case", "name"])["value"]


@pytest.fixture
def lengths(table):
    return table("agreement_lengths")


@pytest.mark.parametrize("interval", ["exact", "approximate"])
def test_limits_match_r(lengths, expected, interval) -> None:
    found = bland_altman(lengths["x"], lengths["y"], interval=interval)
    for case in ("bland", interval):
        for name, value in expected[case].items():
            assert getattr(found, name) == pytest.approx(value, rel=1e-9), name
    assert (found.subjects, found.left_out) == (43, 2)


def test_limits_are_those_pingouin_draws(lengths) -> None:
    complete = lengths.dropna()
    axes = pingouin.plot_blandaltman(complete["x"], complete["y"], agreement=1.959963984540054)
    drawn = sorted(float(line.get_ydata()[0]) for line in axes.get_lines())
    matplotlib.pyplot.close(axes.figure)
    found = bland_altman(lengths["x"], lengths["y"])
    wanted = sorted([0.0, found.lower, found.bias, found.upper])
    assert drawn == pytest.approx(wanted, rel=1e-9)


def test_intervals_of_the_limits_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    draws = rng.normal(1, 2, (1500, 12))
    truth = 1 + 1.959964 * 2
    bases = rng.normal(size=draws.shape)
    found = [bland_altman(row + base, base) for row, base in zip(draws, bases, strict=True)]
    inside = np.mean([one.upper_low <= truth <= one.upper_high for one in found])
    assert 0.933 <= inside <= 0.967  # 3 standard errors
    mirrored = np.mean([one.lower_low <= 2 - truth <= one.lower_high for one in found])
    assert 0.933 <= mirrored <= 0.967


def test_swapping_the_readers_turns_the_signs(lengths) -> None:
    one, other = (bland_altman(lengths[a], lengths[b]) for a, b in ("xy", "yx"))
    assert (other.bias, other.slope) == pytest.approx((-one.bias, -one.slope))
    assert (other.lower, other.lower_low) == pytest.approx((-one.upper, -one.upper_high))


def test_copies_have_no_test_and_a_warning() -> None:
    with pytest.warns(RadiogenomicsWarning, match="copies"):
        found = bland_altman([1.0, 2, 3, 4], [1.0, 2, 3, 4])
    assert (found.bias, found.lower, found.upper, found.sd) == (0, 0, 0, 0)
    assert np.isnan([found.bias_p, found.slope, found.slope_p]).all()
    with pytest.warns(RadiogenomicsWarning, match="no test"):
        assert bland_altman([0.1, 0.2, 0.3], [0.2, 0.3, 0.4]).sd == 0


def test_concordance_matches_r_epir(lengths, expected) -> None:
    found = concordance_correlation(lengths["x"], lengths["y"])
    for name, value in expected["lin"].items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-10), name
    assert found.value == pytest.approx(found.precision * found.accuracy)
    assert (found.subjects, found.left_out) == (43, 2)


def test_concordance_at_its_ends() -> None:
    same = concordance_correlation([1.0, 2, 3, 5], [1.0, 2, 3, 5])
    assert (same.value, same.low, same.high) == (1, 1, 1)
    mirrored = concordance_correlation([1.0, 2, 3, 4], [4.0, 3, 2, 1])
    assert (mirrored.value, mirrored.low, mirrored.high) == pytest.approx((-1, -1, -1))
    shifted = concordance_correlation([1.0, 2, 3, 4], [101.0, 102, 103, 104])
    assert shifted.precision == pytest.approx(1)
    assert shifted.value == pytest.approx(2 * 1.25 / (2 * 1.25 + 1e4))
    unrelated = concordance_correlation([1.0, 1, 2, 2], [1.0, 2, 1, 2])
    assert unrelated.value == 0
    assert unrelated.low == -unrelated.high < 0


def test_repeatability_matches_r(lengths, expected) -> None:
    found = repeatability(lengths.dropna().to_numpy())
    for name, value in expected["repeat"].items():
        assert getattr(found, name)[0] == pytest.approx(value, rel=1e-10), name


def test_repeatability_treats_each_variable_on_its_own(rng) -> None:
    values = rng.normal(size=(9, 3, 4)) * [1, 10, 100, 0]
    together = repeatability(values)
    for number in range(4):
        alone = repeatability(values[..., number])
        assert together.high[number] == pytest.approx(alone.high[0], rel=1e-12)
    assert together.within_sd[3] == 0


@pytest.mark.parametrize("function", [bland_altman, concordance_correlation])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([1.0, 2, 3], [1.0, 2]),
        ([1.0, np.nan, 3], [1.0, 2, 3]),
        ([1.0, 2, np.inf], [1.0, 2, 3]),
        (["a", "b", "c"], ["a", "b", "c"]),
    ],
)
def test_bad_input_says_what_is_expected(function, first, second) -> None:
    with pytest.raises(DataError, match="expected"):
        function(first, second)


def test_other_bad_input() -> None:
    with pytest.raises(DataError, match="'exact' or 'approximate'"):
        bland_altman([1, 2, 3], [1, 2, 4], interval="wide")
    with pytest.raises(DataError, match="second reader's"):
        concordance_correlation([1, 2, 3], [7, 7, 7])
    for values in ([1, 2], [[1], [2]], [[1, np.nan]]):
        with pytest.raises(DataError, match="expected finite values"):
            repeatability(values)
