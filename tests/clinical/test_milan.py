"""Milan criteria."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.clinical.milan import milan_criteria
from radiogenomics.core.errors import RadiogenomicsWarning


@pytest.mark.parametrize(
    ("number", "size", "within"),
    [(1, 5.0, 1), (1, 5.01, 0), (2, 3.0, 1), (2, 3.01, 0), (3, 3.0, 1), (4, 1.0, 0)],
)
def test_burden(number: int, size: float, within: int) -> None:
    clear = {"vascular_invasion": 0, "extrahepatic_spread": 0}
    assert milan_criteria(tumour_number=number, largest_size_cm=size, **clear) == within
    for spread in clear:
        beyond = {**clear, spread: 1}
        assert milan_criteria(tumour_number=number, largest_size_cm=size, **beyond) == 0


def test_a_gap_matters_only_where_it_could_change_the_result() -> None:
    with pytest.warns(RadiogenomicsWarning, match="Milan criteria: 2 of 4"):
        found = milan_criteria(
            tumour_number=[1, 4, 1, 2],
            largest_size_cm=[np.nan, np.nan, 4, 4],
            vascular_invasion=[0, 0, None, None],
            extrahepatic_spread=0,
        )
    np.testing.assert_array_equal(found, [np.nan, 0, np.nan, 0])
