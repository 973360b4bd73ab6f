"""Arrays in files: what comes back, what travels, and what is left where writing fails."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pytest

from radiogenomics.core.errors import AlignmentError, GeometryError, MissingFileError
from radiogenomics.core.kept_array import RowWriter, keep
from radiogenomics.core.scan_arrays import ScanArrays


def scans(rng, patients=5, prefix="P"):
    values = rng.normal(size=(patients, 2, 2, 3, 4)).astype(np.float32)
    names = tuple(f"{prefix}{n}" for n in range(patients))
    return ScanArrays(values, names, ("arterial", "portal"))


def test_parts_of_any_length_stand_behind_each_other(rng, tmp_path):
    parts = [rng.normal(size=(n, 3, 2)) for n in (1, 130, 64)]
    kept = keep((part for part in parts), tmp_path)
    found = kept.open()
    np.testing.assert_array_equal(found, np.concatenate(parts))
    assert not found.flags.writeable
    assert [file.name for file in tmp_path.iterdir()] == [f"{kept.sha256[:32]}.npy"]


def test_the_name_is_the_content(rng, tmp_path):
    values = rng.normal(size=(4, 3)).astype(np.float32)
    same = keep([values[:2], values[2:]], tmp_path)
    assert keep([values], tmp_path) == same
    assert keep([values.reshape(4, 3, 1)], tmp_path) != same
    assert keep([values + 1], tmp_path) != same
    assert len(list(tmp_path.iterdir())) == 3


def test_nothing_is_left_where_writing_fails(tmp_path):
    with pytest.raises(RuntimeError), RowWriter(tmp_path, (2,), np.float32) as writer:
        writer.add(np.ones((1, 2)))
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_scans_in_a_file_travel_by_its_name(rng, tmp_path):
    made = scans(rng, patients=300)
    kept = made.kept_in(tmp_path)
    sent = pickle.dumps(kept)  # our own bytes
    assert len(sent) < made.values.nbytes / 5
    back = pickle.loads(sent)
    assert (back.patient_ids, back.channels) == (made.patient_ids, made.channels)
    np.testing.assert_array_equal(back.values, made.values)
    np.testing.assert_array_equal(back.at([299, 0]), made.values[[299, 0]])
    assert joblib.hash(back) == joblib.hash(kept)
    changed = ScanArrays(made.values + 1, made.patient_ids, made.channels).kept_in(tmp_path)
    assert joblib.hash(changed) != joblib.hash(kept)


def test_scans_whose_file_is_gone_say_so(rng, tmp_path):
    kept = scans(rng).kept_in(tmp_path)
    sent = pickle.dumps(kept)
    next(tmp_path.iterdir()).unlink()
    with pytest.raises(MissingFileError, match="Keep the folder"):
        pickle.loads(sent)


def test_cohorts_are_joined_in_a_file_under_names_of_their_own(rng, tmp_path):
    near, far = scans(rng), scans(rng, patients=3)
    names = [("n1", "n2", "n3", "n4", "n5"), ("f1", "f2", "f3")]
    both = ScanArrays.kept_together([near, far], tmp_path, patient_ids=names)
    assert both.patient_ids == (*names[0], *names[1])
    np.testing.assert_array_equal(both.values, np.concatenate([near.values, far.values]))
    alike = [part.patient_ids for part in (near, far)]
    with pytest.raises(AlignmentError, match="each once"):
        ScanArrays.kept_together([near, far], tmp_path, patient_ids=alike)
    wide = ScanArrays(np.zeros((1, 2, 2, 3, 5), np.float32), ("w",), near.channels)
    with pytest.raises(GeometryError, match="same settings"):
        ScanArrays.kept_together([near, wide], tmp_path, patient_ids=alike)


def test_broken_voxels_are_found_in_a_file_too(tmp_path):
    kept = keep([np.full((2, 1, 2, 2, 2), np.nan, np.float32)], tmp_path)
    others = {"patient_ids": ("a", "b"), "channels": ("p",), "spacing_mm": (1.0, 1.0, 1.0)}
    with pytest.raises(GeometryError, match="2 of 2"):
        ScanArrays.of_file(kept, others)
