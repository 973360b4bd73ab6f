from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats import (
    check_labels,
    check_level,
    check_scores,
    check_survival,
    survival_target,
)


def test_good_outcomes_pass_unchanged():
    time, event = check_survival([0, 2.5], [True, False])
    assert time.tolist() == [0.0, 2.5]
    assert event.dtype == bool
    assert check_survival([1.0], [0], need_events=False)[1].tolist() == [False]


@pytest.mark.parametrize(
    ("time", "event", "message"),
    [
        ([1, -2], [0, 1], r"found 1 others, the first -2\.0 at position 1"),
        ([1, np.nan], [0, 1], "finite follow-up times"),
        ([1, np.inf], [0, 1], "finite follow-up times"),
        ([1, 2], [0, 2], r"found 1 others, the first 2\.0"),
        ([1, 2], [0, np.nan], "recode the event column"),
        ([1, 2], [0, 0], "found none among 2 patients"),
        ([0, 0, 0], [0, 1, 1], "times above zero; found all 3 zero; check their unit"),
        ([1, 2], [1], r"shapes \(2,\) and \(1,\)"),
        ([], [], "at least 1"),
        ([[1, 2]], [[1, 1]], "one-dimensional"),
    ],
)
def test_bad_outcomes_are_named(time, event, message):
    with pytest.raises(OutcomeError, match=message):
        check_survival(time, event)


def test_times_of_zero_can_do_without_events():
    assert check_survival([0, 0], [0, 1], need_events=False)[0].tolist() == [0, 0]


def test_times_that_differ_by_rounding_become_the_smallest_of_them():
    time = [0.1 + 0.2, 1.0, 0.3, sum([0.1] * 10), 5.0, 0.3]
    assert len(set(time)) == 5
    found, _ = check_survival(time, [1, 0, 1, 1, 0, 1])
    assert found.tolist() == [0.3, min(time[1], time[3]), 0.3, min(time[1], time[3]), 5.0, 0.3]
    y = np.array(list(zip([1] * 6, time, strict=True)), dtype=[("event", bool), ("time", float)])
    assert survival_target(y)[0].tolist() == found.tolist()


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_distinct_times_stay_in_any_unit_and_beside_much_longer_ones(unit):
    time = unit * np.array([0.0, 1e-9, 2e-9, 1.0, 1.0 + 1e-7, 1e9])
    assert check_survival(time, np.ones(6))[0].tolist() == time.tolist()


def test_a_chain_of_near_times_is_not_merged_into_one():
    time = 3.0 * (1 + 1e-8 * np.arange(7))
    found, _ = check_survival(time, np.ones(7))
    assert found.tolist() == time[[0, 0, 2, 2, 4, 4, 6]].tolist()
    again, _ = check_survival(found, np.ones(7))
    assert again.tolist() == found.tolist()


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5)), min_size=1, max_size=30))
def test_ties_are_those_of_going_through_the_times_one_by_one(made):
    """Months in steps of a seventh, each off by up to five steps of half the reach."""
    time = np.array([step / 7 * (1 + half * 0.75e-8) for step, half in made])
    expected, first = np.empty(time.size), -1.0
    for place in np.argsort(time, kind="stable"):
        first = time[place] if time[place] - first > 2**-26 * first else first
        expected[place] = first
    found, _ = check_survival(time, np.ones(time.size))
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    assert np.unique(found).size == np.unique(expected).size


def test_text_is_named():
    with pytest.raises(DataError, match="convert text"):
        check_survival(["3 months", "4"], [1, 0])
    with pytest.raises(DataError, match="convert text"):
        check_labels(["high", "low"])


def test_labels_scores_and_level():
    scores, labels = check_scores([1, 2], [0, 1])
    assert (scores.dtype, labels.dtype) == (float, bool)
    with pytest.raises(OutcomeError, match="expected both classes"):
        check_scores([1, 2], [0, 0])
    with pytest.raises(OutcomeError, match="coded 0 and 1"):
        check_labels([])
    with pytest.raises(DataError, match="between 0 and 1"):
        check_level(1.0)
