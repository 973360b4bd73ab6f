from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from radiogenomics.core.errors import DataError, MissingFileError, SchemaError
from radiogenomics.io.hgnc import COLUMNS, HGNC_ADDRESS, read_hgnc

# Written by hand in the layout of the complete set, with its quotes around several names; the
# identifiers of HGNC are made up.
HEADER = (
    "hgnc_id\tsymbol\tname\tlocus_group\tstatus\tlocation\talias_symbol\tprev_symbol\tentrez_id\t"
    "ensembl_gene_id"
)
ROWS = (
    "HGNC:1\tKPNA2\tkaryopherin subunit alpha 2\tprotein-coding gene\tApproved\t17q24.2\t"
    '"SRP1alpha|IPOA1|QIP2"\tRCH1\t3838\tENSG00000182481',
    "HGNC:2\tMARCHF1\tmembrane associated ring-CH-type finger 1\tprotein-coding gene\tApproved\t"
    '4q32.3\t"MARCH-I|RNF171"\tMARCH1\t55016\tENSG00000145416',
    "HGNC:3\tNA\tnot a missing value\tother\tApproved\t1p1\t\t\t\t",
    "HGNC:4\tGONE\twithdrawn\twithdrawn\tEntry Withdrawn\t\t\t\t\t",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hgnc_complete_set.txt"
    path.write_text("\n".join((HEADER, *ROWS)) + "\n", encoding="utf-8")
    return path


def test_columns_as_text_without_quotes_or_withdrawn_genes(file: Path) -> None:
    table = read_hgnc(file)
    assert table.columns.tolist() == list(COLUMNS)
    assert table["symbol"].tolist() == ["KPNA2", "MARCHF1", "NA"]
    assert table["alias_symbol"].tolist() == ["SRP1alpha|IPOA1|QIP2", "MARCH-I|RNF171", ""]
    assert table["entrez_id"].tolist() == ["3838", "55016", ""]


def test_gzip(file: Path) -> None:
    packed = file.with_suffix(".txt.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert read_hgnc(packed).equals(read_hgnc(file))


def test_bad_files(tmp_path: Path, file: Path) -> None:
    with pytest.raises(MissingFileError, match=HGNC_ADDRESS):
        read_hgnc(tmp_path / "absent.txt")
    with pytest.raises(SchemaError, match="found no hgnc_id, prev_symbol"):
        other = tmp_path / "other.txt"
        other.write_text(file.read_text().replace("hgnc_id", "id").replace("prev_symbol", "prev"))
        read_hgnc(other)
    with pytest.raises(DataError, match="no approved|found none"):
        other.write_text("\n".join((HEADER, ROWS[3])))
        read_hgnc(other)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b""),
        ("a.txt.gz", b"not gzip"),
        ("b.txt", b"\xff\xfe\x00\x01\t\xff"),
        ("c.txt.gz", gzip.compress(b"symbol\tx\n" * 99)[:-12]),
    ],
    ids=["empty", "no gzip", "binary", "cut off"],
)
def test_broken_files(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match="tab-separated text"):
        read_hgnc(path)
