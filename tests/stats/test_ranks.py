from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.stats import rankdata

from radiogenomics.stats import midranks


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.sampled_from([2, 5, 10**6]))
@settings(max_examples=50, deadline=None)
def test_matches_scipy(seed, n, levels):
    values = np.random.default_rng(seed).integers(0, levels, (4, n))
    assert_array_equal(midranks(values), rankdata(values, axis=1))
    assert_array_equal(midranks(values[0]), rankdata(values[0]))


def test_ranks_do_not_depend_on_the_block(rng):
    values = np.round(rng.normal(size=(2, 700, 30)), 1)
    assert_array_equal(midranks(values), rankdata(values, axis=2))
