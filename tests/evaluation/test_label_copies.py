"""A label under another name is refused; what merely separates the classes is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import LeakageError
from radiogenomics.evaluation.label_copies import refuse_label_copies


@pytest.fixture
def labels() -> pd.Series:
    return pd.Series([0.0, 1.0, np.nan, 1.0, 0.0], index=list("abcde"))


@pytest.mark.parametrize("low, high", [(0, 1), (1, 0), (3.5, -2)])
def test_the_label_in_any_code_is_refused_by_name(labels, low, high):
    table = pd.DataFrame({"size": [1.0, 2, 3, 4, 5]}, index=labels.index)
    table["perimeter"] = labels.map({0.0: low, 1.0: high}).fillna(7)
    with pytest.raises(LeakageError, match=r"mine: .* found 1 that are .*\(perimeter\)"):
        refuse_label_copies(table, labels, where="mine")


def test_a_copy_with_gaps_is_still_one(labels):
    table = pd.DataFrame({"gaps": [0.0, 1.0, 5.0, np.nan, np.nan]}, index=labels.index)
    with pytest.raises(LeakageError, match="gaps"):
        refuse_label_copies(table, labels, where="mine")


def test_a_measurement_that_separates_the_classes_is_no_copy(labels):
    values = pd.DataFrame({"size": [1.0, 9, 5, 8, 2], "sex": [0.0, 1, 0, 0, 0]}, labels.index)
    refuse_label_copies(values, labels, where="mine")


def test_missing_values_and_constants_are_no_copy(labels):
    values = pd.DataFrame({"empty": np.nan, "constant": 1.0}, index=labels.index)
    refuse_label_copies(values, labels, where="mine")
    refuse_label_copies(values, labels.fillna(1).replace(0, 1), where="one class")
