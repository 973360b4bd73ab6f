from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.stats.agreement.ratings import coded_ratings


def test_codes_are_places_among_the_categories_and_missing_is_minus_one() -> None:
    order, codes = coded_ratings(
        [["SD", None, "CR"], ["PR", np.nan, "SD"]], categories=["CR", "PR", "SD"], ordered=True
    )
    assert order == ("CR", "PR", "SD")
    assert codes.tolist() == [[2, -1, 0], [1, -1, 2]]


def test_whole_numbers_booleans_and_floats_that_are_equal_are_one_category() -> None:
    order, codes = coded_ratings([[1, 2], np.array([1.0, 2.0])], categories=None, ordered=True)
    assert len(order) == 2
    assert codes[0].tolist() == codes[1].tolist()
    assert coded_ratings([[True], [False]], categories=None, ordered=True)[0] == (False, True)


@pytest.mark.parametrize("readers", [[], [["a"], ["a", "b"]], [["a", 1]]])
def test_bad_input_says_what_is_expected(readers) -> None:
    with pytest.raises(DataError, match="expected"):
        coded_ratings(readers, categories=None, ordered=False)
