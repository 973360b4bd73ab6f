"""What further facts become: heads, targets and answers on the scale of the user."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError
from radiogenomics.models.deep.auxiliary_heads import HeadPlan, auxiliary_table

from . import network_worlds as worlds

IDS = ("A", "B", "C", "D")
ALL = np.arange(4)


def plan_of(table, learning=ALL):
    return HeadPlan.of(table, np.asarray(learning), main="survival", kind="cox")


def test_by_patient_and_by_row_are_the_same_table():
    frame = pd.DataFrame({"age": [50.0, 60.0, 70.0, np.nan], "sex": [0, 1, 1, 0]})
    by_row = auxiliary_table(frame, IDS)
    by_patient = auxiliary_table(frame.set_axis(list(IDS)).iloc[::-1], IDS)
    pd.testing.assert_frame_equal(by_row, by_patient)
    assert by_row.index.tolist() == list(IDS)


def test_endpoint_as_two_columns_or_as_an_array():
    pfs = worlds.survival_array([1, 0, 1, 1], [1.0, 2.0, 3.0, 4.0])
    frame = pd.DataFrame({"pfs_event": [1, 0, 1, 1], "pfs_time": [1.0, 2.0, 3.0, 4.0]})
    pd.testing.assert_frame_equal(auxiliary_table({"pfs": pfs}, IDS), auxiliary_table(frame, IDS))


def test_kinds_and_scale_are_of_the_training_part_alone():
    table = auxiliary_table({"a": [0, 1, 1, 5], "b": [1.0, 3.0, np.nan, 99.0]}, IDS)
    plan = plan_of(table, [0, 1, 2])
    assert (plan.findings, plan.numbers) == (("a",), ("b",))
    assert (plan.center, plan.spread) == ((2.0,), (1.0,))
    assert plan_of(table).numbers == ("a", "b")


def test_heads_and_their_losses():
    table = auxiliary_table(
        {
            "pfs": worlds.survival_array([1, 0, 1, 1], [1.0, 2.0, 3.0, 4.0]),
            "sex": pd.Series([True, None, False, True], dtype=object),
            "age": [4, 5, 6, 7],
            "hbv": [0, 1, 0, 1],
        },
        IDS,
    )
    plan = plan_of(table)
    assert plan.sizes() == {"survival": 1, "pfs": 1, "findings": 2, "numbers": 1}
    assert plan.kinds(reconstruction=True) == {
        "survival": "cox",
        "pfs": "cox",
        "findings": "binary",
        "numbers": "number",
        "reconstruction": "reconstruction",
    }
    facts = plan.auxiliary_targets(table)
    np.testing.assert_array_equal(facts["findings"], [[1, 0], [np.nan, 1], [0, 0], [1, 1]])
    np.testing.assert_allclose(facts["numbers"][:, 0], (np.arange(4) - 1.5) / np.sqrt(1.25))
    assert HeadPlan.from_words(plan.words()) == plan


def test_an_unknown_event_makes_the_time_unknown():
    frame = {"pfs_event": [1, np.nan, 0, 1], "pfs_time": [1.0, 2.0, 3.0, np.nan]}
    table = auxiliary_table(frame, IDS)
    found = plan_of(table).survival_targets(table)["pfs"]
    np.testing.assert_array_equal(found["time"], [1.0, np.nan, 3.0, np.nan])


def test_answers_are_on_the_scale_of_the_user():
    table = auxiliary_table({"sex": [0, 1, 1, 0], "age": [40.0, 50.0, 60.0, 70.0]}, IDS)
    said = {
        "survival": np.array([[0.5], [-1.0]]),
        "findings": np.array([[2.0], [0.0]]),
        "numbers": np.array([[0.0], [1.0]]),
    }
    found = plan_of(table).table(said, pd.Index(["X", "Y"]))
    np.testing.assert_allclose(found["sex"], [expit(2.0), 0.5])
    np.testing.assert_allclose(found["age"], [55.0, 55.0 + np.sqrt(125.0)])
    assert found["survival"].tolist() == [0.5, -1.0]


def test_a_constant_number_does_no_harm():
    table = auxiliary_table({"dose": [8.0] * 4}, IDS)
    assert plan_of(table).auxiliary_targets(table)["numbers"].tolist() == [[0.0]] * 4


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (np.zeros((4, 2)), SchemaError, "found ndarray"),
        ({"age": [1.0, 2.0]}, AlignmentError, "4 patients"),
        (pd.DataFrame({"age": [1.0] * 4}, index=list("WXYZ")), AlignmentError, "W, X"),
        (pd.DataFrame({"age": [1.0] * 4}, index=list("AABC")), AlignmentError, "each once"),
        ({"sex": ["m", "f", "m", "f"]}, SchemaError, "Code words as 0 and 1"),
        ({"x_event": [1] * 4, "x_time": [1] * 4, "x": np.zeros(4, "?,f8")}, SchemaError, "twice"),
    ],
)
def test_refuses_what_is_no_table_of_facts(given, error, words):
    with pytest.raises(error, match=words):
        auxiliary_table(given, IDS)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"pfs_time": [1.0] * 4}, SchemaError, "pfs"),
        ({"survival_event": [1] * 4, "survival_time": [1.0] * 4}, SchemaError, "rename"),
        ({"age": [np.nan, np.nan, np.nan, 1.0]}, DataError, "age unknown in all 3"),
    ],
)
def test_refuses_heads_that_cannot_be(given, error, words):
    with pytest.raises(error, match=words):
        plan_of(auxiliary_table(given, IDS), [0, 1, 2])


def test_refuses_events_coded_otherwise():
    table = auxiliary_table({"pfs_event": [1, 2, 2, 1], "pfs_time": [1.0] * 4}, IDS)
    with pytest.raises(DataError, match="coded 0 and 1; found 2"):
        plan_of(table).survival_targets(table)
