from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

from radiogenomics.core.errors import AlignmentError, GeometryError, SchemaError
from radiogenomics.core.scan_arrays import ScanArrays, row_column


def scans(rng, patients=5, shape=(2, 3, 4)):
    values = rng.normal(size=(patients, 2, *shape)).astype(np.float32)
    return ScanArrays(values, tuple(f"P{n}" for n in range(patients)), ("arterial", "portal"))


def test_rows_of_the_table_find_their_patients(rng):
    made = scans(rng)
    shuffled = made.table().sample(frac=1, random_state=3)
    expected = np.stack([made.values[int(name[1:])] for name in shuffled.index])
    assert np.array_equal(made.at(shuffled["row"]), expected)


def test_selecting_and_joining_keep_patients_with_their_scans(rng):
    made = scans(rng)
    first, rest = made.select(["P3", "P0"]), made.select(["P4"])
    both = first.join(rest)
    assert both.patient_ids == ("P3", "P0", "P4")
    assert np.array_equal(both.values, made.values[[3, 0, 4]])


def test_nothing_can_be_changed_and_clones_share_the_voxels(rng):
    made = scans(rng)
    with pytest.raises(ValueError, match="read-only"):
        made.values[0] = 0
    assert copy.deepcopy(made) is made

    class Holder(BaseEstimator):
        def __init__(self, scans):
            self.scans = scans

    assert clone(Holder(made)).scans is made


def test_it_can_be_sent_to_another_process(rng):
    made = scans(rng)
    back = pickle.loads(pickle.dumps(made))  # our own bytes
    assert back.patient_ids == made.patient_ids
    assert np.array_equal(back.values, made.values)


@pytest.mark.parametrize("rows", [[-1.0], [5.0], [0.5], [np.nan], [np.inf]])
def test_rows_that_were_scaled_or_imputed_are_refused(rng, rows):
    with pytest.raises(AlignmentError, match="neither scaled nor imputed"):
        scans(rng).at(rows)


@pytest.mark.parametrize(
    ("values", "ids", "channels", "error", "words"),
    [
        (np.zeros((2, 1, 2, 2), np.float32), ("a", "b"), ("p",), GeometryError, "five|patients,"),
        (np.zeros((2, 1, 2, 2, 2)), ("a", "b"), ("p",), GeometryError, "float64"),
        (np.full((2, 1, 2, 2, 2), np.nan, np.float32), ("a", "b"), ("p",), GeometryError, "2 of 2"),
        (np.zeros((2, 1, 2, 2, 2), np.float32), ("a", "a"), ("p",), AlignmentError, "1 of them"),
        (np.zeros((2, 1, 2, 2, 2), np.float32), ("a",), ("p",), AlignmentError, "1 names"),
        (np.zeros((2, 1, 2, 2, 2), np.float32), ("a", "b"), (), SchemaError, "none"),
    ],
)
def test_arrays_that_are_none(values, ids, channels, error, words):
    with pytest.raises(error, match=words):
        ScanArrays(values, ids, channels)


def test_other_patients_shapes_and_columns_are_refused(rng):
    made = scans(rng)
    with pytest.raises(AlignmentError, match="none of 1"):
        made.select(["P0", "somebody"])
    with pytest.raises(GeometryError, match="same settings"):
        made.join(scans(rng, shape=(2, 3, 5)))
    with pytest.raises(AlignmentError, match="each once"):
        made.join(made)
    with pytest.raises(SchemaError, match="found 2"):
        row_column(["a|row", "b|row"])
    with pytest.raises(SchemaError, match="found 0"):
        row_column(["arrow", "row|a"])
