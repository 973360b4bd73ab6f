from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    ChecksumError,
    DataError,
    MissingFileError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.provenance import hash_file
from radiogenomics.io.layout import Layout, Part
from radiogenomics.io.tables import column_of, read_table, to_number

FRAME = pd.DataFrame(
    {"id": ["007", "08", "9"], "x": [0.1, np.nan, 3.0], "word": ["a", "None", "c"]}
)


def read(path: Path, *, text: str | int | None = None, **layout: object) -> pd.DataFrame:
    return read_table(
        Part(name="", file=path.name), Layout(**layout), path.parent, text_column=text
    )


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.parquet", "t.xlsx"])
def test_formats_give_the_same_cells(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        FRAME.to_parquet(path)
    elif name.endswith("xlsx"):
        FRAME.to_excel(path, index=False)
    else:
        FRAME.to_csv(path, index=False, sep="\t" if "tsv" in name else ",")
    pd.testing.assert_frame_equal(read(path, text="id"), FRAME)


def test_floats_survive_a_text_file(tmp_path: Path, rng: np.random.Generator) -> None:
    values = pd.DataFrame({"x": rng.normal(size=500) * 10.0 ** rng.integers(-12, 12, 500)})
    values.to_csv(tmp_path / "x.csv", index=False)
    np.testing.assert_array_equal(read(tmp_path / "x.csv")["x"], values["x"])


def test_parquet_index_becomes_the_first_column(tmp_path: Path) -> None:
    FRAME.set_index("id").rename_axis(None).to_parquet(tmp_path / "t.parquet")
    assert list(read(tmp_path / "t.parquet").columns) == ["unnamed_0", "x", "word"]


def test_words_none_and_declared_missing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,x\nP1,None\nP2,NA\nP3,[Unknown]\nP4,-9\n")
    cells = read(tmp_path / "t.csv", missing=["[Unknown]", -9])["x"]
    assert cells.tolist()[0] == "None"
    assert cells.isna().tolist() == [False, True, True, True]


def test_missing_words_in_a_workbook(tmp_path: Path) -> None:
    pd.DataFrame({"x": [1, "unknown", 2.5]}).to_excel(tmp_path / "t.xlsx", index=False)
    cells = read(tmp_path / "t.xlsx", missing=["unknown"])["x"]
    assert cells.dtype == float and cells.isna().sum() == 1


def test_three_header_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(",shape,shape\n,a,b\nid,,\n01,1,2\n02,3,4\n")
    frame = read(tmp_path / "t.csv", header_row=1, skip_rows=[2], text=0)
    assert frame.to_dict("list") == {"unnamed_0": ["01", "02"], "a": [1, 3], "b": [2, 4]}


def test_r_leaves_the_name_of_row_names_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\nP1,1,2\nP2,3,4\n")
    assert list(read(tmp_path / "t.csv").columns) == ["unnamed_0", "a", "b"]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_names_in_another_file(tmp_path: Path, suffix: str) -> None:
    body, names = pd.DataFrame([[1.5, 2.0], [3.0, 4.0]]), pd.DataFrame([[None, "volume"]])
    for frame, name in ((body, "body"), (names, "names")):
        if suffix == "csv":
            frame.to_csv(tmp_path / f"{name}.csv", header=False, index=False)
        else:
            frame.to_excel(tmp_path / f"{name}.xlsx", header=False, index=False)
    layout = {"header_row": None, "names_file": f"names.{suffix}"}
    frame = read(tmp_path / f"body.{suffix}", **layout)
    assert list(frame.columns) == ["unnamed_0", "volume"]
    assert frame["volume"].tolist() == [2.0, 4.0]
    moved = read(tmp_path / f"body.{suffix}", **layout, names_without_gaps=True)
    assert list(moved.columns) == ["volume", "unnamed_1"]
    assert moved["volume"].tolist() == [1.5, 3.0]
    (tmp_path / "three.csv").write_text("a,b,c\n")
    with pytest.raises(DataError, match="3 names and 2 columns"):
        read(tmp_path / f"body.{suffix}", header_row=None, names_file="three.csv")


def test_byte_order_mark_and_latin_text(tmp_path: Path) -> None:
    (tmp_path / "bom.csv").write_bytes("name,x\nP1,1\n".encode("utf-8-sig"))
    assert list(read(tmp_path / "bom.csv").columns) == ["name", "x"]
    (tmp_path / "latin.csv").write_bytes("name\nMüller\n".encode("latin-1"))
    with pytest.raises(DataError, match="encoding"):
        read(tmp_path / "latin.csv")
    assert read(tmp_path / "latin.csv", encoding="latin-1")["name"].tolist() == ["Müller"]


def test_checksum_and_absence(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    FRAME.to_csv(path, index=False)
    right = Part(name="", file="t.csv", sha256=hash_file(path).upper())
    assert len(read_table(right, Layout(), tmp_path)) == 3
    with pytest.raises(ChecksumError, match="expected SHA-256 000000"):
        read_table(Part(name="", file="t.csv", sha256="0" * 64), Layout(), tmp_path)
    with pytest.raises(MissingFileError, match="gone.csv"):
        read(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("b.csv", b"id,x\n"),
        ("c.xlsx", b"<html>not a workbook</html>"),
        ("d.xls", b"PK no"),
        ("e.parquet", b"PAR1 but no"),
        ("f.csv.gz", b"plain text"),
        ("g.csv.gz", gzip.compress(b"id,x\n" + b"P1,1\n" * 5000, mtime=0)[:40]),
        ("h.csv", b'id,x\nP1,"open\n'),
        ("i.csv", b"id,x\nP1,1\nP2,1,2,3\n"),
        ("j.bin", b"1"),
        ("k.csv", b"id,x\n\xff\xfe,1\n"),
        ("l.csv", b"id,x\nP1,\x002\n"),
        ("m.csv", "id,x\nP1,2\n".encode("utf-16")),
        ("n.csv", b"\n\n"),
    ],
)
def test_empty_and_broken_files(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name.replace(".", r"\.")) as caught:
        read(tmp_path / name)
    assert "expected" in str(caught.value) and "found" in str(caught.value)


def test_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    FRAME.to_excel(tmp_path / "t.xlsx", index=False, sheet_name="data")
    assert len(read(tmp_path / "t.xlsx", sheet="data")) == 3
    with pytest.raises(DataError, match="notes"):
        read(tmp_path / "t.xlsx", sheet="notes")


def test_repeated_column_names(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("gene,P1,P1\nA,1,2\n")
    with pytest.raises(AlignmentError, match="1 repeated \\(P1\\)"):
        read(tmp_path / "t.csv")


def test_a_path_out_of_the_root(tmp_path: Path) -> None:
    part = Part(name="", file="t.csv").model_copy(update={"file": "../t.csv"})
    with pytest.raises(SchemaError, match="below the data root"):
        read_table(part, Layout(), tmp_path)


def test_unknown_column_names_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="'OS.time'"):
        column_of(pd.DataFrame({"OS.time": [1]}), "OS_time", what="t.csv")


def test_text_among_numbers_is_pointed_out() -> None:
    numbers, odd = to_number(pd.Series(["1.5", " 2 ", "n.d.", None], dtype=object))
    np.testing.assert_array_equal(numbers, [1.5, 2, np.nan, np.nan])
    assert odd.tolist() == [False, False, True, False]
