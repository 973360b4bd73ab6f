from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.omics.checks import check_sex, molecular_sex
from radiogenomics.omics.units import to_log2

VALUES = pd.DataFrame(
    {
        "XIST": [4.0, 0.1, 0.0, 5.0, np.nan],
        "RPS4Y1": [0.2, 6.0, 0.1, 5.2, 1.0],
        "DDX3Y": [0.1, 3.0, 0.2, 2.0, 1.0],
    },
    index=["woman", "man", "man who lost Y", "two people", "gap"],
)
UNIT = "log2(TPM+1)"


def test_sign_of_the_difference_calls_sex() -> None:
    called = molecular_sex(VALUES, unit=UNIT)
    assert called["molecular"].tolist() == ["female", "male", "unclear", "unclear", None]
    assert called["y"].tolist() == [0.2, 6.0, 0.2, 5.2, 1.0]
    assert called.loc["man", "difference"] == pytest.approx(-5.9)


def test_background_of_an_array_changes_nothing() -> None:
    background = molecular_sex(VALUES + 4, unit="log intensity")
    assert background["molecular"].equals(molecular_sex(VALUES, unit=UNIT)["molecular"])


def test_without_xist_only_y_is_seen() -> None:
    called = molecular_sex(VALUES.drop(columns="XIST"), unit=UNIT)
    assert called["molecular"].tolist() == ["no Y", "male", "no Y", "male", "no Y"]
    assert called["xist"].isna().all()
    with pytest.raises(DataError, match="found no XIST in log intensity"):
        molecular_sex(VALUES.drop(columns="XIST"), unit="log intensity")


def test_each_sample_alone() -> None:
    whole = molecular_sex(VALUES, unit=UNIT)
    pd.testing.assert_frame_equal(molecular_sex(VALUES.iloc[2:3], unit=UNIT), whole.iloc[2:3])


def test_verdicts() -> None:
    recorded = pd.Series(["female", "female", "male", None, "male"], index=VALUES.index)
    with pytest.warns(RadiogenomicsWarning, match="1 of 3 samples .man.. Look for swapped"):
        found = check_sex(VALUES, recorded, unit=UNIT)
    assert found.table["verdict"].tolist() == ["agrees", "contradicts", "doubtful", None, None]
    assert (found.compared, found.agree, found.contradict, found.doubtful) == (3, 1, 1, 1)
    y_only = check_sex(
        VALUES.drop(columns="XIST").iloc[:3],
        pd.Series({"woman": "female", "man": "male", "man who lost Y": "male"}),
        unit=UNIT,
    )
    assert y_only.table["verdict"].tolist() == ["agrees", "agrees", "doubtful"]


def test_bad_input() -> None:
    recorded = pd.Series("male", index=VALUES.index)
    with pytest.raises(AlignmentError, match="none of 1 .man"):
        check_sex(VALUES, recorded.drop("man"), unit=UNIT)
    with pytest.raises(AlignmentError, match="1 repeated"):
        check_sex(VALUES, pd.concat([recorded, recorded[:1]]), unit=UNIT)
    with pytest.raises(OutcomeError, match="found MALE"):
        check_sex(VALUES, recorded.str.upper(), unit=UNIT)
    with pytest.raises(DataError, match="no gene of Y"):
        molecular_sex(VALUES[["XIST"]], unit=UNIT)
    for unit in ("TPM", "counts", "z-score"):
        with pytest.raises(DataError, match="expected logarithms to base 2; found"):
            molecular_sex(VALUES, unit=unit)
    with pytest.raises(DataError, match="values up to 6e.03"):
        molecular_sex(VALUES * 1000, unit=UNIT)
    with pytest.raises(UnknownNameError, match="unit of expression"):
        molecular_sex(VALUES, unit="log2")


def clinical_sex(root, samples: pd.Index) -> pd.Series:
    clinical = pd.read_csv(root / "omics/lihc/clinical_tcga_lihc.csv.gz")
    sex = clinical.set_index("bcr_patient_barcode")["gender"].str.lower()
    return pd.Series(sex.reindex(samples.str[:12]).to_numpy(), index=samples)


@pytest.mark.real
def test_tcga_lihc_agrees_with_clinical_sex_in_all_179_samples(data_root) -> None:
    file = "omics/hcc_key_genes/tcga_lihc_fpkm_log2_proteincoding_179samples.parquet"
    values = pd.read_parquet(data_root / file).T
    found = check_sex(values, clinical_sex(data_root, values.index), unit="log2(FPKM+1)")
    assert (found.compared, found.agree) == (179, 179)
    y = found.table.groupby("recorded")["y"]
    assert y.max()["female"] < 1 < y.min()["male"]


@pytest.mark.real
def test_tcga_lihc_with_xist(data_root) -> None:
    values = to_log2(pd.read_parquet(data_root / "omics/lihc/linnorm_19k_5T5N.parquet").T, "TPM")
    found = check_sex(values, clinical_sex(data_root, values.index), unit="log2(TPM+1)")
    # One woman's tumour has lost XIST; the liver beside it has not.
    assert found.table.index[found.table["verdict"] == "doubtful"].tolist() == ["TCGA-DD-A39X-01A"]
    assert (found.agree, found.contradict) == (9, 0)


@pytest.mark.real
def test_microarrays_of_gse14520(data_root) -> None:
    values = pd.read_parquet(data_root / "omics/hcc_ext/gse14520_gpl571_expr.parquet").T
    clinical = pd.read_csv(data_root / "omics/hcc_ext/gse14520_clinical_full.csv.gz")
    sex = clinical.dropna(subset="Affy_GSM").set_index("Affy_GSM")["Gender"]
    recorded = sex.map({"M": "male", "F": "female"}).reindex(values.index)
    found = check_sex(values, recorded, unit="log intensity")
    assert (found.compared, found.agree) == (21, 21)
    # The two healthy donors' samples hold both.
    assert (found.table["molecular"] == "unclear").sum() == 2


@pytest.mark.real
def test_one_man_of_hugo_2016_has_the_expression_of_a_woman(data_root) -> None:
    values = pd.read_parquet(data_root / "omics/icb/Hugo2016_full_expr.parquet").T
    clinical = pd.read_csv(data_root / "omics/icb/Hugo_clin.csv.gz", index_col=0)
    recorded = clinical["sex"].map({"M": "male", "F": "female"}).reindex(values.index)
    with pytest.warns(RadiogenomicsWarning, match="1 of 27 samples .Pt32."):
        found = check_sex(values, recorded, unit="log2(x+1)")
    assert (found.agree, found.contradict, found.doubtful) == (26, 1, 0)
