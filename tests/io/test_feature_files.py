"""Features, expression and covariates from single files, and the patients that they share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingFileError,
    UnknownNameError,
)
from radiogenomics.io.feature_files import (
    read_covariate_file,
    read_expression_file,
    read_feature_file,
)
from radiogenomics.io.shared_patients import shared_patients, tcga_patients

PATIENTS = [f"R01-{n:03d}" for n in range(1, 8)]
FEATURES = ["original_shape_MeshVolume", "wavelet-LLH_glcm_Idmn", "original_firstorder_Mean"]


@pytest.fixture
def features() -> pd.DataFrame:
    values = np.random.default_rng(1).normal(size=(7, 3))
    return pd.DataFrame(values, index=PATIENTS, columns=FEATURES)


@pytest.fixture
def expression() -> pd.DataFrame:
    values = np.random.default_rng(2).normal(size=(7, 4))
    return pd.DataFrame(values, index=PATIENTS[::-1], columns=["KPNA2", "NAA38", "TP53", "DLG2"])


def write(frame: pd.DataFrame, path: Path, **options: object) -> Path:
    if path.name.endswith(".parquet"):
        frame.to_parquet(path)
    elif path.suffix == ".xlsx":
        frame.to_excel(path, **options)
    else:
        frame.to_csv(path, sep="\t" if ".tsv" in path.name else ",", **options)
    return path


@pytest.mark.parametrize("name", ["f.csv", "f.tsv", "f.csv.gz", "f.tsv.gz", "f.parquet", "f.xlsx"])
def test_every_format_gives_the_same_table_either_way(features, tmp_path, name) -> None:
    rows = read_feature_file(write(features, tmp_path / name))
    pd.testing.assert_frame_equal(rows.values, features, check_exact=".xlsx" not in name)
    assert rows.notes == ()
    turned = read_feature_file(write(features.T, tmp_path / f"turned_{name}"))
    pd.testing.assert_frame_equal(turned.values, features, check_exact=".xlsx" not in name)
    assert turned.notes == (
        f"turned_{name}: patients are in columns, as 3 names of variables tell",
    )


def test_another_table_tells_where_patients_are_before_names_do(expression, tmp_path) -> None:
    odd = expression.rename(columns={"KPNA2": "A", "TP53": "B"})
    path = write(odd.T, tmp_path / "rna.csv")
    told = read_expression_file(path, among=PATIENTS[:2])
    pd.testing.assert_frame_equal(told.values, odd)
    assert told.notes == (
        "rna.csv: patients are in columns, as 2 identifiers of the other table tell",
    )
    guessed = read_expression_file(path)
    assert guessed.values.index.tolist() == ["A", "NAA38", "B", "DLG2"]
    assert guessed.notes == ("rna.csv: patients taken to be in rows; no name in the file tells",)
    said = read_expression_file(path, patients_in="columns")
    pd.testing.assert_frame_equal(said.values, odd)
    assert said.notes == ()
    by_symbols = read_expression_file(write(expression.T, tmp_path / "symbols.csv"))
    pd.testing.assert_frame_equal(by_symbols.values, expression)
    ensembl = expression.set_axis([f"ENSG0000000000{n}.3" for n in range(4)], axis=1)
    assert read_expression_file(write(ensembl.T, tmp_path / "e.tsv")).values.shape == (7, 4)


def test_identifiers_are_found_wherever_they_stand_and_keep_their_zeros(features, tmp_path) -> None:
    numbered = features.reset_index(drop=True)
    numbered.insert(1, "Patient ID", [f"{n:03d}" for n in range(7)])
    path = write(numbered, tmp_path / "f.csv", index=False)
    assert read_feature_file(path).values.index.tolist() == [f"{n:03d}" for n in range(7)]
    other = write(numbered.rename(columns={"Patient ID": "who"}), tmp_path / "g.csv", index=False)
    with pytest.raises(AlignmentError, match="found numbers in the first column"):
        read_feature_file(other)
    named = read_feature_file(other, id="who")
    assert named.values.index[3] == "003"
    assert list(named.values) == FEATURES
    with pytest.raises(UnknownNameError, match="did you mean 'who'"):
        read_feature_file(other, id="whoo")


def test_row_numbers_are_no_identifiers_and_a_count_of_lesions_is_none(features, tmp_path) -> None:
    path = write(features.reset_index(drop=True), tmp_path / "f.csv")
    with pytest.raises(AlignmentError, match="found row numbers in the first column"):
        read_feature_file(path)
    counted = features.assign(number=[1, 2, 1, 1, 3, 1, 1])
    assert read_feature_file(write(counted, tmp_path / "g.csv")).values.index.tolist() == PATIENTS
    seven = features.set_axis([1007, 1003, 1004, 1001, 1011, 1002, 1009])
    assert read_feature_file(write(seven, tmp_path / "h.csv")).values.index[0] == "1007"


def test_diagnostics_and_bookkeeping_are_left_out_and_said(features, tmp_path) -> None:
    full = features.assign(
        diagnostics_Versions_PyRadiomics="3.0.1",
        diagnostics_Image_original_Mean=5.0,
        lesions="largest",
        Image="/scans/x.nii",
    )
    expected = "4 columns left out (diagnostics_Versions_PyRadiomics"
    for name, table in (("f.csv", full), ("g.csv", full.T)):
        found = read_feature_file(write(table, tmp_path / name, index_label="patient_id"))
        pd.testing.assert_frame_equal(found.values, features)
        assert any(expected in note for note in found.notes)


def test_strange_names_and_empty_cells_are_said(features, tmp_path) -> None:
    features["EGFR mutation status"] = 1.0
    features["original_glcm_Imc1"] = np.nan
    features.iloc[2, 0] = np.nan
    found = read_feature_file(write(features, tmp_path / "f.csv"))
    assert list(found.values) == [*FEATURES, "EGFR mutation status"]
    assert "1 columns without any value left out (original_glcm_Imc1)" in found.notes[0]
    assert "1 cells are empty" in found.notes[1]
    assert "not called like the other image features" in found.notes[2]
    assert "EGFR mutation status" in found.notes[2]
    fewer = read_feature_file(tmp_path / "f.csv", drop=["EGFR mutation status"])
    assert list(fewer.values) == FEATURES
    deep = pd.DataFrame(np.eye(3), index=list("abc"), columns=[f"deep_{n}" for n in range(3)])
    assert read_feature_file(write(deep, tmp_path / "d.csv")).notes == ()


def test_bad_feature_files_are_refused_with_counts(features, tmp_path) -> None:
    with pytest.raises(MissingFileError):
        read_feature_file(tmp_path / "none.csv")
    text = write(features.assign(Gender="Male", Smoking="No"), tmp_path / "a.csv")
    with pytest.raises(DataError, match="text in 2 of 5 columns .Gender: 'Male', Smoking: 'No'"):
        read_feature_file(text)
    assert list(read_feature_file(text, drop=["Gender", "Smoking"]).values) == FEATURES
    with pytest.raises(UnknownNameError, match="did you mean 'Gender'"):
        read_feature_file(text, drop=["Gendre"])
    twice = pd.concat([features, features.iloc[:2]])
    with pytest.raises(
        AlignmentError, match="found 0 of 9 without a name, and 2 several times, in 4"
    ):
        read_feature_file(write(twice, tmp_path / "b.csv"))
    lesions = write(twice.assign(lesion=1), tmp_path / "c.csv")
    with pytest.raises(AlignmentError, match="Measure lesions together"):
        read_feature_file(lesions)
    unnamed = write(features.set_axis([*PATIENTS[:6], ""]), tmp_path / "d.csv")
    with pytest.raises(AlignmentError, match="found 1 of 7 without a name"):
        read_feature_file(unnamed)
    double = pd.concat([features, features[FEATURES[:1]]], axis=1)
    with pytest.raises(AlignmentError, match="1 several times, in 2.*original_shape_MeshVolume"):
        read_feature_file(write(double.T, tmp_path / "e.csv"))
    with pytest.raises(AlignmentError, match="columns with distinct names"):
        read_feature_file(write(double, tmp_path / "f.csv"))
    endless = features.mask(features == features.iloc[0, 0], np.inf)
    with pytest.raises(DataError, match="1 infinite ones in 1 columns"):
        read_feature_file(write(endless, tmp_path / "g.csv"))
    with pytest.raises(DataError, match="0 of 3 columns with a value"):
        read_feature_file(write(features * np.nan, tmp_path / "h.csv"))
    with pytest.raises(DataError, match="found 7 patients and 0 of 0 columns"):
        read_feature_file(write(features[[]], tmp_path / "i.csv"))
    with pytest.raises(UnknownNameError, match="did you mean 'rows'"):
        read_feature_file(tmp_path / "g.csv", patients_in="row")


def test_covariates_become_numbers_and_words_columns(tmp_path) -> None:
    table = pd.DataFrame(
        {
            "volume": [3.0, 9.5, np.nan, 4, 7, 1, 2],
            "site": [1, 1, 2, 3, 1, 2, 1],
            "sex": ["f", "m", "m", None, "m", "f", "m"],
            "resected": [True, False, True, True, False, True, True],
            "grade": [1, 2, 3, 1, 2, 3, 1],
            "modality": "CT",
        },
        index=pd.Index(PATIENTS, name="case_id"),
    )
    found = read_covariate_file(write(table, tmp_path / "c.csv"))
    values = found.values
    assert list(values) == ["volume", "site=2", "site=3", "sex=f", "resected", "grade"]
    assert values["site=2"].tolist() == [0, 0, 1, 0, 0, 1, 0]
    np.testing.assert_array_equal(values["sex=f"], [1, 0, 0, np.nan, 0, 1, 0])
    assert values["resected"].tolist() == [1, 0, 1, 1, 0, 1, 1]
    assert values["grade"].tolist() == table["grade"].tolist()
    assert found.notes == (
        "c.csv: site has 3 levels, each against 1 (4)",
        "c.csv: sex has 2 levels, each against m (4)",
        "c.csv: modality does not vary and is left out",
        "c.csv: 2 cells are empty",
    )
    graded = read_covariate_file(tmp_path / "c.csv", words=["grade"], drop=["site", "sex"]).values
    assert list(graded) == ["volume", "resected", "grade=2", "grade=3"]


def test_bad_covariates_are_refused(tmp_path) -> None:
    frame = pd.DataFrame({"afp": ["5", ">1000", "7", "Unknown", "3"]}, index=list("abcde"))
    path = write(frame, tmp_path / "c.csv")
    with pytest.raises(DataError, match="found 3 numbers and 2 words .>1000, Unknown"):
        read_covariate_file(path)
    with pytest.raises(DataError, match="found 4 for 4 patients"):
        read_covariate_file(path, missing=["Unknown"], words=["afp"])
    found = read_covariate_file(path, missing=["Unknown", ">1000"]).values
    np.testing.assert_array_equal(found["afp"], [5, np.nan, 7, np.nan, 3])
    with pytest.raises(DataError, match="expected a covariate that varies"):
        read_covariate_file(write(frame.assign(afp=1), tmp_path / "d.csv"))
    with pytest.raises(UnknownNameError, match="afp"):
        read_covariate_file(path, words=["apf"])


def test_shared_patients_are_counted_and_in_one_order(features, expression) -> None:
    found = shared_patients(
        {"features": features.iloc[:5], "expression": expression, "covariates": features.iloc[3:]}
    )
    assert len(found) == 2
    for table in found.tables.values():
        assert table.index.tolist() == PATIENTS[3:5]
    pd.testing.assert_frame_equal(found.tables["expression"], expression.loc[PATIENTS[3:5]])
    assert found.counts["patients"].tolist() == [5, 7, 4]
    assert found.note == (
        "2 patients are in all tables: 2 of 5 of features, 2 of 7 of expression, "
        "2 of 4 of covariates"
    )


def test_what_would_share_more_is_said_and_not_done(features, expression) -> None:
    written = expression.set_axis([name.replace("-", "_").lower() for name in expression.index])
    with pytest.raises(AlignmentError, match="found none.* 7 would be shared if case and separat"):
        shared_patients({"features": features, "expression": written})
    barcodes = [f"TCGA-A1-A0S{n}" for n in range(7)]
    ct = features.set_axis(barcodes)
    rna = expression.set_axis([f"{code}-01A-11R" for code in barcodes])
    with pytest.raises(AlignmentError, match="7 would be shared if TCGA barcodes were cut"):
        shared_patients({"features": ct, "expression": rna})
    mixed = rna.set_axis([*rna.index[:6], barcodes[6]])
    assert "7 would be shared if TCGA" in shared_patients({"ct": ct, "rna": mixed}).note
    with pytest.raises(AlignmentError, match="found none .ct: R01-001, R01-002 and 5 more; rna"):
        shared_patients({"ct": features, "rna": rna})
    with pytest.raises(AlignmentError, match="1 patients with several .2 rows"):
        shared_patients({"ct": pd.concat([ct, ct.iloc[:1]])})
    with pytest.raises(DataError, match="found none"):
        shared_patients({})


def test_barcodes_are_cut_when_asked_and_only_tumours_stay() -> None:
    names = ["TCGA.A1.A0SB.01A", "TCGA-A1-A0SB-11A", "TCGA-A1-A0SC-01B-22R"]
    table = pd.DataFrame({"KPNA2": [1.0, 2.0, 3.0]}, index=names)
    cut, note = tcga_patients(table, what="rna")
    assert cut["KPNA2"].to_dict() == {"TCGA-A1-A0SB": 1.0, "TCGA-A1-A0SC": 3.0}
    assert note.startswith("rna: TCGA barcodes cut to the patient, 1 of 3 samples")
    short = table.set_axis([name[:12] for name in names])
    with pytest.raises(AlignmentError, match="1 patients with several .2 samples"):
        tcga_patients(short, what="rna")
    with pytest.raises(AlignmentError, match="found 1 other identifiers"):
        tcga_patients(table.set_axis([*names[:2], "R01-003"]), what="rna")


@pytest.mark.real
def test_the_public_cohort_with_ct_and_rna_is_read(data_root) -> None:
    folder = data_root / "omics" / "nsclc_radiogenomics_rna"
    rna = read_expression_file(folder / "nsclc_KPNA2_SMG5_fpkm.csv")
    assert rna.values.shape == (130, 2)
    facts = ["Gender", "Smoking status", "EGFR mutation status"]
    ct = read_feature_file(folder / "nsclc_radiomics_117.csv.gz", drop=facts)
    assert ct.values.shape == (117, 1316)
    thousand = read_expression_file(
        folder / "nsclc_expr_zscore_1000genes.parquet", among=ct.values.index
    )
    assert thousand.values.shape == (130, 1000)
    other = read_feature_file(folder / "nsclc_pyradiomics_60.parquet")
    assert other.values.shape == (60, 1764)
    both = shared_patients({"features": ct.values, "expression": rna.values})
    assert both.note == (
        "94 patients are in all tables: 94 of 117 of features, 94 of 130 of expression"
    )
    assert len(shared_patients({"features": other.values, "expression": thousand.values})) == 60
