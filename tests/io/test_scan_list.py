from __future__ import annotations

from pathlib import Path

import pytest

from radiogenomics.core.errors import DataError, MissingFileError, SchemaError, UnknownNameError
from radiogenomics.io.scan_list import ScanRow, content_hash, read_scan_list

HEAD = "patient_id,image_path,mask_path,label,time_point,phase,roi,remark\n"


def listed(folder: Path, text: str) -> tuple[ScanRow, ...]:
    path = folder / "scans.csv"
    path.write_text(text)
    return read_scan_list(path)


def test_rows_are_read_with_their_prefix(tmp_path: Path) -> None:
    text = "007,a.nii.gz,m.nii.gz,2,Pre,A,liver,x\n007,/b.nii.gz,n.nii.gz,,Post,,,\n"
    first, second = listed(tmp_path, HEAD + text)
    assert first == ScanRow(
        "007",
        tmp_path / "a.nii.gz",
        tmp_path / "m.nii.gz",
        label=2,
        structure="liver",
        time_point="Pre",
        phase="A",
        roi="liver",
        listed=("a.nii.gz", "m.nii.gz"),
    )
    assert (first.prefix, second.prefix) == ("Pre_A_liver_", "Post_")
    assert second.image == Path("/b.nii.gz")
    assert second.label is None


def test_the_key_is_of_the_row_and_not_of_its_place(tmp_path: Path) -> None:
    lines = ["P1,a,m,,Pre,A,,\n", "P1,a,m,,Post,A,,\n", "P2,a,m,,Pre,A,,\n"]
    there = [row.key for row in listed(tmp_path, HEAD + "".join(lines))]
    back = [row.key for row in listed(tmp_path, HEAD + "".join(reversed(lines)))]
    assert len(set(there)) == 3
    assert there == back[::-1]


@pytest.mark.parametrize(
    ("text", "error", "found"),
    [
        ("patient_id,image,mask_path\nP1,a,b\n", UnknownNameError, "image_path"),
        (HEAD, DataError, "rows of data"),
        (HEAD + "P1,a,,,,,,\n", SchemaError, "line 2: expected mask_path"),
        (HEAD + "P1,a,b,one,,,,\n", SchemaError, "'one'"),
        (HEAD + "P1,a,b,0,,,,\n", SchemaError, "above 0"),
        (HEAD + "P1,a,b,,Pre,,,\nP2,a,b,,,,,\nP1,c,d,,Pre,,,\n", SchemaError, "lines 2, 4"),
    ],
    ids=["column", "empty", "cell", "word_label", "zero_label", "twice"],
)
def test_bad_lists_are_named(tmp_path: Path, text: str, error: type[Exception], found: str) -> None:
    with pytest.raises(error, match=found):
        listed(tmp_path, text)


def test_an_absent_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="list of scans"):
        read_scan_list(tmp_path / "none.csv")


def test_the_hash_follows_content_of_files_folders_and_archives(tmp_path: Path) -> None:
    series = tmp_path / "series"
    series.mkdir()
    (series / "1.dcm").write_bytes(b"one")
    (tmp_path / "masks.zip").write_bytes(b"zip")
    row = ScanRow("P1", series, tmp_path / "masks.zip" / "inner" / "liver")
    before = content_hash(row)
    assert content_hash(row) == before
    (series / "2.dcm").write_bytes(b"two")
    assert content_hash(row) != before
    header = tmp_path / "a.mhd"
    header.write_text("ElementDataFile = b.raw\n")
    (tmp_path / "b.raw").write_bytes(b"one")
    apart = ScanRow("P1", header, header)
    before = content_hash(apart)
    (tmp_path / "b.raw").write_bytes(b"two")
    assert content_hash(apart) != before, "voxels beside their header count"
    with pytest.raises(MissingFileError, match="'absent'"):
        content_hash(ScanRow("P1", series, tmp_path / "absent"))
