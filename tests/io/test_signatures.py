from __future__ import annotations

import pytest

from radiogenomics.core.errors import MissingFileError, SchemaError
from radiogenomics.core.signature import Signature
from radiogenomics.io import read_signature, write_signature

LOCKED = Signature(
    "IRS",
    ("KPNA2", "SMG5"),
    (0.1 + 0.2, 1 / 3),
    (4.0, 5.0),
    (1.0, 1.5),
    0.25,
    "risk",
    "log2(FPKM+1)",
)


def test_a_signature_survives_exactly(tmp_path) -> None:
    path = write_signature(LOCKED, tmp_path / "signature.json")
    again = read_signature(path)
    assert again.locked and again.weights == LOCKED.weights and again.unit == LOCKED.unit
    assert [file.name for file in tmp_path.iterdir()] == ["signature.json"]


def test_an_earlier_file_is_replaced(tmp_path) -> None:
    path = tmp_path / "signature.json"
    path.write_text("old")
    write_signature(LOCKED, path)
    assert read_signature(path).name == "IRS"


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"\xff\xfe", b'{"format": 1, "name": "x", "genes": 5}']
)
def test_files_that_hold_no_signature(tmp_path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(SchemaError, match="expected"):
        read_signature(path)


def test_absent_file_and_folder(tmp_path) -> None:
    with pytest.raises(MissingFileError):
        read_signature(tmp_path / "x.json")
    with pytest.raises(MissingFileError):
        write_signature(LOCKED, tmp_path / "nowhere" / "x.json")
