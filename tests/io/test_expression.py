from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError, UnknownNameError
from radiogenomics.core.schema import parse
from radiogenomics.io.expression import AssayReading, read_assay
from radiogenomics.io.manifest import AssayTable


def assay(root: Path, text: str, **rule: object) -> AssayReading:
    (root / "a.csv").write_text(text)
    fields = {
        "file": "a.csv",
        "orientation": "genes_by_samples",
        "identifiers": "symbol",
        "unit": "TPM",
        **rule,
    }
    return read_assay("rna", parse(AssayTable, fields, where="test"), root)


def test_both_orientations_give_the_same_table(tmp_path: Path) -> None:
    wide = assay(tmp_path, "gene,P1,P2\nKPNA2,1,2\nSMG5,3,4\n").table
    tall = assay(tmp_path, "id,KPNA2,SMG5\nP1,1,3\nP2,2,4\n", orientation="samples_by_variables")
    pd.testing.assert_frame_equal(wide.values, tall.table.values)
    assert wide.patient_ids.tolist() == ["P1", "P2"]
    assert wide.variables["unit"].tolist() == ["TPM", "TPM"]
    assert wide.variables["source"].tolist() == ["a.csv", "a.csv"]


def test_barcodes_give_patient_and_tissue_and_keep_every_sample(tmp_path: Path) -> None:
    names = ["TCGA-2Y-A9GS-01A-12R", "TCGA-2Y-A9GS-11A-12R", "TCGA-2Y-A9GT-02A-11R"]
    table = assay(tmp_path, f"gene,{','.join(names)}\nA,1,2,3\n", id={"kind": "tcga_barcode"}).table
    assert table.samples["sample_type"].tolist() == ["tumour", "normal", "recurrent"]
    assert table.samples["patient_id"].tolist() == ["TCGA-2Y-A9GS"] * 2 + ["TCGA-2Y-A9GT"]
    assert table.where("sample_type", "tumour").per_patient().to_numpy().tolist() == [[1.0]]
    with pytest.raises(AlignmentError, match="77"):
        assay(tmp_path, "gene,TCGA-2Y-A9GS-77A\nA,1\n", id={"kind": "tcga_barcode"})


def test_ensembl_versions_are_cut_and_kept_beside(tmp_path: Path) -> None:
    text = "gene,P1,P2\nENSG00000182481.9,1,2\nENSG00000198952.8,3,4\n"
    table = assay(tmp_path, text, identifiers="ensembl").table
    assert table.values.columns.tolist() == ["ENSG00000182481", "ENSG00000198952"]
    assert table.variables["gene_id"].tolist() == ["ENSG00000182481.9", "ENSG00000198952.8"]
    twice = text + "ENSG00000182481.9_PAR_Y,5,6\n"
    with pytest.raises(AlignmentError, match="ENSG00000182481"):
        assay(tmp_path, twice, identifiers="ensembl")


@pytest.mark.parametrize(
    ("rule", "expected"), [("first", [1, 9]), ("mean", [2, 7]), ("max", [3, 9])]
)
def test_repeated_genes_by_rule(tmp_path: Path, rule: str, expected: list[float]) -> None:
    text = "gene,P1,P2\nA,1,9\nB,4,4\nA,3,5\n"
    with pytest.raises(AlignmentError, match="1 repeated \\(A\\)"):
        assay(tmp_path, text)
    reading = assay(tmp_path, text, duplicates=rule)
    assert reading.table.values["A"].tolist() == expected
    assert reading.table.values.columns.tolist() == ["A", "B"]
    assert reading.repeated_variables == 1


def test_repeated_samples_by_rule(tmp_path: Path) -> None:
    text = "id,A\nP1,1\nP2,2\nP1,3\n"
    by_rows = {"orientation": "samples_by_variables"}
    with pytest.raises(AlignmentError, match="P1"):
        assay(tmp_path, text, **by_rows)
    reading = assay(tmp_path, text, repeated_samples="mean", **by_rows)
    assert reading.table.values["A"].to_dict() == {"P1": 2.0, "P2": 2.0}
    assert reading.repeated_samples == 1


def test_columns_that_are_no_variables(tmp_path: Path) -> None:
    text = "gene,type,P1\nA,coding,1\n"
    with pytest.raises(DataError, match="text in 1 columns \\(type: 'coding'\\)"):
        assay(tmp_path, text)
    assert assay(tmp_path, text, drop=["type"]).table.n_samples == 1
    with pytest.raises(DataError, match="found 0 and 1"):
        assay(tmp_path, text, drop=["type", "P1"])
    with pytest.raises(UnknownNameError, match="'type'"):
        assay(tmp_path, text, drop=["typ"])


def test_missing_words_infinities_and_names(tmp_path: Path) -> None:
    values = assay(tmp_path, "gene,P1,P2\nA,n.d.,2\n", missing=["n.d."]).table.values
    np.testing.assert_array_equal(values["A"], [np.nan, 2])
    with pytest.raises(DataError, match="infinite"):
        assay(tmp_path, "gene,P1\nA,inf\n")
    with pytest.raises(AlignmentError, match="1 without"):
        assay(tmp_path, "gene,P1\nA,1\n,2\n")


def test_sample_table_links_and_describes(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("gsm,who,tissue\nG2,B,Normal\nG1,A,Tumor\nG9,C,Tumor\n")
    samples = {
        "file": "s.csv",
        "sample": "gsm",
        "patient": "who",
        "facts": {
            "sample_type": {"column": "tissue", "map": {"Tumor": "tumour", "Normal": "normal"}}
        },
    }
    table = assay(tmp_path, "gene,G1,G2\nA,1,2\n", samples=samples).table
    assert table.samples["patient_id"].tolist() == ["A", "B"]
    assert table.samples["sample_type"].tolist() == ["tumour", "normal"]
    with pytest.raises(AlignmentError, match="1 of 2 absent \\(assay: G7; table: G2, G1"):
        assay(tmp_path, "gene,G1,G7\nA,1,2\n", samples=samples)


def test_stacked_parts_number_their_rows_and_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "y.csv").write_text("a,b\n5,6\n")
    parts = [
        {"name": "training", "file": "x.csv", "prefix": "X-"},
        {"name": "internal", "file": "y.csv", "prefix": "Y-"},
    ]
    rule = {
        "file": None,
        "parts": parts,
        "orientation": "samples_by_variables",
        "identifiers": "feature",
        "unit": "feature",
        "id": {"row": True},
    }
    table = assay(tmp_path, "-", **rule).table
    assert table.patient_ids.tolist() == ["X-1", "X-2", "Y-1"]
    assert table.where("part", "internal").values.to_numpy().tolist() == [[5.0, 6.0]]
    (tmp_path / "y.csv").write_text("a,c\n5,6\n")
    with pytest.raises(SchemaError, match="\\(b, c\\)"):
        assay(tmp_path, "-", **rule)


def test_repeated_readings_are_samples_of_one_patient(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n2\n")
    parts = [{"name": name, "file": "x.csv"} for name in ("first", "second")]
    rule = {
        "file": None,
        "parts": parts,
        "orientation": "samples_by_variables",
        "identifiers": "feature",
        "unit": "feature",
        "id": {"row": True, "prefix": "R"},
    }
    table = assay(tmp_path, "-", **rule).table
    assert table.values.index.tolist() == ["R1:first", "R2:first", "R1:second", "R2:second"]
    assert table.patient_ids.tolist() == ["R1", "R2"]
    with pytest.raises(AlignmentError, match="one sample a patient"):
        table.per_patient()


def test_facts_of_samples_leave_the_variables(tmp_path: Path) -> None:
    text = "id,scanner,A\nP1,x,1\nP2,y,2\n"
    table = assay(
        tmp_path, text, orientation="samples_by_variables", facts={"site": "scanner"}
    ).table
    assert table.samples["site"].tolist() == ["x", "y"]
    assert table.values.columns.tolist() == ["A"]
