"""A flat file with its label: what is read, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingFileError,
    OutcomeError,
    UnknownNameError,
)
from radiogenomics.io.labelled_table import read_labelled_table, read_readings


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["007", "008", "009"],
            "mtm": [0, 1, 1],
            "centre": ["A", None, "B"],
            "mean": [1.5, 2.5, np.nan],
            "energy": [10, 20, 30],
        }
    )


def written(frame: pd.DataFrame, folder, name: str = "table.csv"):
    path = folder / name
    frame.to_csv(path, index=False)
    return path


def test_everything_else_is_a_feature(frame, tmp_path):
    found = read_labelled_table(written(frame, tmp_path), label="mtm", id="id", site="centre")
    assert found.name == "table"
    assert list(found.features.index) == ["007", "008", "009"]
    assert list(found.features.columns) == ["mean", "energy", "@site"]
    assert found.features["@site"].tolist() == ["A", "not stated", "B"]
    assert found.labels.tolist() == [0, 1, 1]
    assert np.isnan(found.features.loc["009", "mean"])
    assert len(found.sha256) == 64


def test_rows_without_identifiers_are_numbered(frame, tmp_path):
    bare = frame.drop(columns=["id", "centre"])
    found = read_labelled_table(written(bare, tmp_path), label="mtm")
    assert list(found.features.index) == ["row 1", "row 2", "row 3"]


def test_bad_tables_are_refused(frame, tmp_path):
    path = written(frame, tmp_path)
    with pytest.raises(UnknownNameError, match="mtm"):
        read_labelled_table(path, label="mtn", id="id")
    with pytest.raises(DataError, match=r"text in 1 columns \(centre\)"):
        read_labelled_table(path, label="mtm", id="id")
    with pytest.raises(MissingFileError):
        read_labelled_table(tmp_path / "no.csv", label="mtm")
    odd = written(frame.assign(mtm=[0, 2, 1]), tmp_path, "odd.csv")
    with pytest.raises(OutcomeError, match=r"found 1 others \(2\)"):
        read_labelled_table(odd, label="mtm", id="id", site="centre")
    twice = written(frame.assign(id=["1", "1", "2"]), tmp_path, "twice.csv")
    with pytest.raises(AlignmentError, match="1 patients with several"):
        read_labelled_table(twice, label="mtm", id="id", site="centre")


def test_readings_share_patients_and_features(frame, tmp_path):
    numbers = frame[["id", "mean", "energy"]]
    paths = [written(numbers, tmp_path, "one.csv")]
    paths.append(written(numbers[["id", "energy", "mean"]], tmp_path, "two.csv"))
    first, second = read_readings(paths, id="id")
    assert list(second.columns) == list(first.columns)
    with pytest.raises(DataError, match="at least two readings"):
        read_readings(paths[:1], id="id")
    other = written(numbers.iloc[::-1], tmp_path, "three.csv")
    with pytest.raises(AlignmentError, match=r"another table in three.csv"):
        read_readings([paths[0], other], id="id")


def test_numbers_of_patients_are_no_feature(frame, tmp_path):
    numbered = frame[["mtm", "mean"]].assign(nr=[3, 1, 2], energy=[10.5, 20, 30])
    with pytest.raises(DataError, match="found nr, which looks like the patients' numbers"):
        read_labelled_table(written(numbered, tmp_path), label="mtm")
    named = numbered.assign(nr=[5.5, 1, 2], case=[7, 30, 100])
    with pytest.raises(DataError, match="found case"):
        read_labelled_table(written(named, tmp_path), label="mtm")


def test_infinite_values_are_refused(frame, tmp_path):
    endless = frame.assign(mean=[1.0, np.inf, 2.0])
    with pytest.raises(DataError, match=r"infinite values in 1 columns \(mean\)"):
        read_labelled_table(written(endless, tmp_path), label="mtm", id="id", site="centre")
