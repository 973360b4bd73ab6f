from __future__ import annotations

import gzip

import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingFileError,
    RadiogenomicsWarning,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.io import gene_sets
from radiogenomics.io.gene_sets import read_gmt, write_gmt


@pytest.fixture
def gmt(tmp_path):
    def write(text, *, encoding="utf-8"):
        path = tmp_path / "sets.gmt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def test_sets_are_read_in_file_order(gmt):
    found = read_gmt(gmt("B\thttp://x\tGZMA\tPRF1\nA\t\tIFNG\n"))
    assert list(found) == ["B", "A"]
    assert found["B"] == GeneSet("B", ("GZMA", "PRF1"), source="http://x")
    assert found["A"].source == "not stated"


def test_what_spreadsheets_and_windows_leave_is_passed_over(gmt):
    text = "\ufeffA\td\tGZMA\tPRF1 \t\t\t\r\n\r\nB\td\tIFNG\t\r\n"
    found = read_gmt(gmt(text))
    assert (found["A"].genes, found["B"].genes) == (("GZMA", "PRF1"), ("IFNG",))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", SchemaError, "at least one gene set; found none"),
        ("\n \n", SchemaError, "at least one gene set; found none"),
        ("A\td\tX\nB\td\n", SchemaError, "line 2: expected a name, a description .* found 'B"),
        ("A d X Y Z", SchemaError, "line 1: .* parted by tabs; found 'A d X Y Z'"),
        ("A,d,X,Y" + "Y" * 90, SchemaError, r"found 'A,d,X,YY+\.\.\.'"),
        ("\td\tX", SchemaError, "line 1: .* found name '' and 0 empty"),
        ("A\td\tX\t\tY", SchemaError, "line 1: .* found name 'A' and 1 empty"),
        ("A\td\tX\tY\tX", AlignmentError, "'A': expected each gene once; found X several"),
        ("A\td\tX\nB\td\tX\nA\td\tY", AlignmentError, "line 3: .* found 'A' again"),
        ("A\td\tGZMA,1.0\tPRF1,0.5", SchemaError, r"symbols with weights \(GZMA,1.0, PRF1,0.5\)"),
        ("A\td\tX".encode("utf-16"), DataError, "text in UTF-8; found something else"),
        (gzip.compress(b"A\td\tX"), DataError, "text in UTF-8; found something else. Unpack"),
        (b"A\td\tX\0", DataError, "text in UTF-8"),
    ],
    ids=[
        "empty", "blank", "empty set", "blanks for tabs", "commas", "no name", "empty cell",
        "repeated gene", "repeated set", "weights", "UTF-16", "gzip", "binary",
    ],
)  # fmt: skip
def test_bad_lines_say_which_and_why(text, error, message, gmt):
    with pytest.raises(error, match=message):
        read_gmt(gmt(text))


def test_repeated_genes_by_stated_rule(gmt):
    path = gmt("A\td\tX\tY\tX\n")
    assert read_gmt(path, repeated_genes="first")["A"].genes == ("X", "Y")
    with pytest.raises(UnknownNameError, match="way with repeated genes 'drop'"):
        read_gmt(path, repeated_genes="drop")


@pytest.mark.parametrize("mangled", ["1-Mar", "2-Sep", "Mar-01"])
def test_symbols_that_became_dates_are_named(mangled, gmt):
    with pytest.warns(RadiogenomicsWarning, match=rf"line 1, 'A': .* dates \({mangled}\)"):
        read_gmt(gmt(f"A\td\tX\t{mangled}\tNkx2-5\n"))


def test_sizes_are_limited(gmt, monkeypatch):
    path = gmt("A\td\tX\tY\tZ\n")
    monkeypatch.setattr(gene_sets, "LONGEST_SET", 2)
    with pytest.raises(SchemaError, match="at most 2 genes; found 3 in 'A'"):
        read_gmt(path)
    monkeypatch.setattr(gene_sets, "LARGEST_FILE", 5)
    with pytest.raises(DataError, match="at most 5 bytes of gene sets; found 10"):
        read_gmt(path)


def test_absent_file_is_said(tmp_path):
    with pytest.raises(MissingFileError, match="expected a GMT file at"):
        read_gmt(tmp_path / "none.gmt")
    with pytest.raises(MissingFileError, match="expected a GMT file at"):
        read_gmt(tmp_path)


def test_what_is_written_is_read_again(tmp_path):
    sets = {
        "TLS": GeneSet("TLS", ("CCL2", "HLA-DRA"), source="someone 2011, doi:10.1/x"),
        "γ": GeneSet("γ", ("IFNG",)),
    }
    path = write_gmt(sets, tmp_path / "out.gmt")
    assert read_gmt(path) == sets
    assert path.read_bytes().count(b"\n") == 2
    write_gmt([sets["γ"]], path)
    assert list(read_gmt(path)) == ["γ"]
    assert [left.name for left in tmp_path.iterdir()] == ["out.gmt"]


@pytest.mark.parametrize(
    ("sets", "error", "message"),
    [
        ([], SchemaError, "a gene set to write; found none"),
        ([GeneSet("A", ("X",)), GeneSet("A", ("Y",))], AlignmentError, "found A several times"),
        ([GeneSet("A", ("X",), weights=(1,))], StudyError, "found weights or genes that are down"),
        ([GeneSet("A", ("X",), directions=("down",))], StudyError, "two sets"),
        ([GeneSet("A\tB", ("X",))], SchemaError, "without tabs and line breaks; found 'A.tB'"),
        ([GeneSet("A", ("X",), source="a\nb")], SchemaError, "without tabs and line breaks"),
    ],
    ids=["none", "same name", "weights", "down", "tab", "line break"],
)
def test_what_the_format_cannot_hold_is_refused(sets, error, message, tmp_path):
    with pytest.raises(error, match=message):
        write_gmt(sets, tmp_path / "out.gmt")
    assert not list(tmp_path.iterdir())


def test_absent_folder_is_said(tmp_path):
    with pytest.raises(MissingFileError, match="expected a folder at"):
        write_gmt([GeneSet("A", ("X",))], tmp_path / "none" / "out.gmt")
