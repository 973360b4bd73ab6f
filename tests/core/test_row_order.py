"""Rows that are named are never paired by position when the names say otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError
from radiogenomics.core.row_order import refuse_other_order

PATIENTS = [f"P{i}" for i in range(6)]
X = pd.DataFrame({"size": np.arange(6.0)}, index=PATIENTS)


def labelled(index: object) -> pd.Series:
    return pd.Series(np.arange(len(index)) % 2, index=index)


@pytest.mark.parametrize(
    ("table", "labels"),
    [
        (X, labelled(PATIENTS)),
        (X, labelled(PATIENTS).to_numpy()),
        (X.to_numpy(), labelled(PATIENTS[::-1])),
        (X, labelled(PATIENTS[:4][::-1])),
        (X, labelled([f"Q{i}" for i in range(6)])),
        (X, labelled(range(6))),
        (X.reset_index(drop=True), labelled([9, 0, 2, 5, 1, 7])),
        (X, None),
        (X.iloc[:0], labelled([])),
    ],
    ids=[
        "same order",
        "bare label",
        "bare table",
        "another length",
        "other names",
        "numbered label",
        "left-over row numbers",
        "no label",
        "no rows",
    ],
)
def test_rows_that_may_be_paired_pass(table, labels):
    refuse_other_order(table, labels)


def test_another_order_is_refused_with_what_to_do():
    with pytest.raises(
        AlignmentError, match=r"found 2 of 6 labels.*P1, P4\. Do: y\.loc\[X\.index\]"
    ):
        refuse_other_order(X, labelled(["P0", "P4", "P2", "P3", "P1", "P5"]))
    with pytest.raises(AlignmentError):
        refuse_other_order(X, labelled(PATIENTS[::-1]).to_frame())


def test_numbers_count_as_names_when_both_sides_have_the_same():
    numbered = X.set_axis([11, 12, 13, 14, 15, 16])
    with pytest.raises(AlignmentError, match="found 2 of 6"):
        refuse_other_order(numbered, labelled([12, 11, 13, 14, 15, 16]))


def test_parts_of_tables_in_other_orders_are_seen_through():
    """What is left of two orders in a fold: some patients on one side only."""
    shuffled = labelled(["P3", "P0", "P5", "P1", "P4", "P2"])
    with pytest.raises(AlignmentError, match="Give both the same rows, in one order"):
        refuse_other_order(X.iloc[:4], shuffled.iloc[:4])


def test_rows_of_one_patient_are_told_apart_by_place():
    scans = X.set_axis(["P0", "P0", "P1", "P1", "P2", "P2"])
    refuse_other_order(scans, labelled(scans.index))
    with pytest.raises(AlignmentError, match="Give both the same rows"):
        refuse_other_order(scans, labelled(["P0", "P1", "P0", "P1", "P2", "P2"]))


def test_several_levels_of_labels():
    rows = pd.MultiIndex.from_product([["P0", "P1", "P2"], ["before", "after"]])
    refuse_other_order(X.set_axis(rows), labelled(rows))
    with pytest.raises(AlignmentError, match="4 of 6"):
        refuse_other_order(X.set_axis(rows), labelled(rows[[2, 1, 0, 3, 5, 4]]))
