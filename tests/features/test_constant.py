from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.features import DropConstant


def test_drops_constants_and_rounding_of_constants(rng):
    X = np.column_stack(
        [
            np.full(20, 0.1),
            0.1 * 3 + rng.choice([0, 1e-17, 5e-17], size=20),
            rng.normal(size=20),
            1e9 + rng.choice([0, 1e-3], size=20),
            np.r_[1.0, np.zeros(19)],
        ]
    )
    assert DropConstant().fit(X).support_.tolist() == [False, False, True, False, True]


def test_unit_does_not_matter(rng):
    X = rng.normal(size=(20, 3)) * [1e-4, 1.0, 1e-9] + [1.0, 1.0, 1.0]
    for scale in (1e-30, 1.0, 1e30):
        support = DropConstant(tolerance=1e-6).fit(X * scale).support_
        assert support.tolist() == [True, True, False]


def test_missing_values_are_passed_over():
    X = np.array([[np.nan, 1.0, np.nan], [2.0, np.nan, np.nan], [2.0, 3.0, np.nan]])
    assert DropConstant().fit(X).support_.tolist() == [False, True, False]


def test_choice_of_the_training_part_holds_for_new_patients():
    fitted = DropConstant().fit(np.array([[1.0, 5.0], [2.0, 5.0]]))
    assert fitted.transform(np.array([[7.0, 8.0]])).tolist() == [[7.0]]


def test_nothing_left_says_what_to_do():
    with pytest.raises(DataError, match="found 2 constant one.*lower tolerance"):
        DropConstant().fit(np.ones((5, 2)))


@pytest.mark.parametrize("tolerance", [-0.1, 1.0])
def test_senseless_tolerance_is_refused(tolerance):
    with pytest.raises(DataError, match="tolerance"):
        DropConstant(tolerance=tolerance).fit(np.eye(3))
