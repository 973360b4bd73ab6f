from __future__ import annotations

import gzip

import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingFileError,
    RadiogenomicsError,
    SchemaError,
)
from radiogenomics.io.signature_matrix import read_signature_matrix

GOOD = "Gene symbol\tB cells naive\tMast cells\nABCB4\t555.7\t7\nCD3D\t0\t12.5\n"


def test_lm22_format_is_read_plain_and_packed(tmp_path):
    (tmp_path / "m.txt").write_text(GOOD)
    (tmp_path / "m.txt.gz").write_bytes(gzip.compress(GOOD.encode()))
    (tmp_path / "m.csv").write_text(GOOD.replace("\t", ","))
    for name in ("m.txt", "m.txt.gz", "m.csv"):
        found = read_signature_matrix(tmp_path / name)
        assert found.to_dict() == {
            "B cells naive": {"ABCB4": 555.7, "CD3D": 0.0},
            "Mast cells": {"ABCB4": 7.0, "CD3D": 12.5},
        }
        assert (found.index.name, found.columns.name) == ("gene", "cell_type")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (GOOD + "CD3D\t1\t2\n", AlignmentError, "repeated CD3D"),
        (GOOD + "CD3D \t1\t2\n", AlignmentError, "repeated CD3D"),
        (GOOD + "\t1\t2\n", AlignmentError, "1 of 3 rows without"),
        (GOOD.replace("Mast cells", "B cells naive"), AlignmentError, "repeated .*B cells naive"),
        (GOOD.replace("12.5", ""), DataError, "1 missing or negative, in genes CD3D"),
        (GOOD.replace("12.5", "-2"), DataError, "1 missing or negative, in genes CD3D"),
        (GOOD.replace("12.5", "high"), DataError, "1 cells of text"),
        ("Gene\tB\nABCB4\t5\n", SchemaError, "two or more cell types"),
        (GOOD.replace("\t", ","), RadiogenomicsError, "Check the separator"),
        ("", DataError, "empty file"),
    ],
    ids="gene blank nameless type missing negative text one commas empty".split(),
)
def test_bad_files_are_refused(text, error, words, tmp_path):
    path = tmp_path / "m.txt"
    path.write_text(text)
    with pytest.raises(error, match=words):
        read_signature_matrix(path)


def test_no_file(tmp_path):
    with pytest.raises(MissingFileError):
        read_signature_matrix(tmp_path / "none.txt")


@pytest.mark.real
def test_lm22_itself(data_root):
    found = read_signature_matrix(data_root / "omics/genesets/LM22.csv.gz")
    assert found.shape == (547, 22)
    assert found.loc["ABCB4", "B cells naive"] == 555.7134486
