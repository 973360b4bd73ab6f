from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats import check_labels, check_level, check_scores, check_survival


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
        ([1, 2], [1], r"shapes \(2,\) and \(1,\)"),
        ([], [], "at least 1"),
        ([[1, 2]], [[1, 1]], "one-dimensional"),
    ],
)
def test_bad_outcomes_are_named(time, event, message):
    with pytest.raises(OutcomeError, match=message):
        check_survival(time, event)


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
