"""Up-to-seven."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.clinical.up_to_seven import up_to_seven
from radiogenomics.core.errors import DataError, RadiogenomicsWarning


@pytest.mark.parametrize(
    ("number", "size", "within"),
    [(1, 6.0, 1), (1, 6.01, 0), (5, 2.0, 1), (5, 2.1, 0), (2, 5.0, 1), (7, 0.1, 0), (3, 3.9, 1)],
)
def test_at_most_seven(number: int, size: float, within: int) -> None:
    found = up_to_seven(tumour_number=number, largest_size_cm=size)
    assert found.total == pytest.approx(number + size)
    assert found.within == within


def test_every_sum_of_tenths_that_is_seven_is_within() -> None:
    number = np.arange(1, 7)
    for tenths in (0.1, 0.3, 0.7):
        size = (7 - number) - tenths + tenths
        assert up_to_seven(tumour_number=number, largest_size_cm=size).within.all()


def test_missing_and_bad_input() -> None:
    with pytest.warns(RadiogenomicsWarning, match="up-to-seven: 1 of 2"):
        found = up_to_seven(tumour_number=[1, np.nan], largest_size_cm=[3, 4])
    np.testing.assert_array_equal(found.within, [1, np.nan])
    with pytest.raises(DataError, match="looks like mm"):
        up_to_seven(tumour_number=1, largest_size_cm=60)
