from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from radiogenomics.omics.scoring.ranks import rank_ranges, ranks_in_order


@pytest.mark.parametrize("digits", [0, 1, 12], ids=["heavy ties", "ties", "no ties"])
def test_ranks_agree_with_scipy(digits, rng):
    values = np.round(rng.normal(size=(9, 300)), digits)
    asked = rng.choice(300, 40, replace=False)
    found = rank_ranges(values, asked)
    for method, ranks in (("min", found.lowest), ("max", found.highest)):
        assert np.array_equal(ranks, rankdata(values, method=method, axis=1)[:, asked])
    # Equal values: the earlier column ranks higher.
    backwards = rankdata(values[:, ::-1], method="ordinal", axis=1)[:, ::-1]
    assert np.array_equal(ranks_in_order(values, asked), backwards[:, asked])


def test_rows_with_and_without_ties_do_not_mix():
    values = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 0.0], [0.0, -0.0, 5.0]])
    found = rank_ranges(values, np.arange(3))
    assert found.lowest.tolist() == [[3, 1, 2], [2, 2, 1], [1, 1, 3]]
    assert found.highest.tolist() == [[3, 1, 2], [3, 3, 1], [2, 2, 3]]
