"""Events per variable by hand, and the sizes of Riley and colleagues behind them."""

from __future__ import annotations

import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.stats.design.events_per_variable import events_per_variable
from radiogenomics.stats.design.sample_size import development_size_binary


def test_counts_by_hand():
    found = events_per_variable(190, 62, candidates=124, selected=31)
    assert (found.rarer, found.patients) == (62, 252)
    assert (found.per_candidate, found.per_selected) == (0.5, 2.0)
    assert found.shortfall == found.needed.n / 252


def test_size_is_that_of_the_candidates():
    found = events_per_variable(174, 826, candidates=24, c_statistic=0.89)
    assert found.needed == development_size_binary(24, 0.174, c_statistic=0.89)
    usual = events_per_variable(174, 826, candidates=24)
    assert usual.needed.r2_nagelkerke == pytest.approx(0.15)
    assert usual.per_selected is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": 0, "candidates": 3},
        {"candidates": 0},
        {"candidates": 2.5},
        {"candidates": 3, "selected": 4},
        {"candidates": 3, "selected": 0},
        {"candidates": 3, "c_statistic": 0.5},
    ],
    ids=str,
)
def test_wrong_counts_are_refused(wrong):
    given = {"events": 10} | wrong
    with pytest.raises(DataError, match="expected"):
        events_per_variable(given.pop("events"), 20, **given)
