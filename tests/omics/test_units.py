import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError, UnknownNameError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.omics import to_log2, unit_of


@pytest.fixture
def counts() -> pd.DataFrame:
    return pd.DataFrame({"A": [10.0, 0.0], "B": [990.0, 50.0]}, index=["P1", "P2"])


def test_counts_become_log2_cpm(counts):
    # By hand: 10 of 1000 reads are 10,000 per million, 50 of 50 are a million.
    expected = np.log2([[10_001, 990_001], [1, 1_000_001]])
    np.testing.assert_allclose(to_log2(counts, "counts"), expected, rtol=1e-14)


def test_true_library_size_is_used_when_genes_were_selected(counts):
    size = pd.Series({"P2": 1e5, "P1": 1e6})
    found = to_log2(counts[["A"]], "counts", library_size=size)
    np.testing.assert_allclose(found["A"], np.log2([11, 1]), rtol=1e-14)


@pytest.mark.parametrize("unit", ["TPM", "FPKM"])
def test_linear_units_become_log2_of_x_plus_one(counts, unit):
    np.testing.assert_array_equal(to_log2(counts, unit), np.log2(counts.to_numpy() + 1))


@pytest.mark.parametrize(
    "unit",
    [
        "log2(CPM+1)",
        "log2(TPM+1)",
        "log2(FPKM+1)",
        "log2(x+1)",
        "log2(x+offset)",
        "log intensity",
        "z-score",
    ],
)
def test_logarithmic_units_stay(unit):
    values = pd.DataFrame({"A": [-1.5, 2.0]})
    pd.testing.assert_frame_equal(to_log2(values, unit), values)


def test_each_sample_stands_alone(counts):
    alone = to_log2(counts.loc[["P1"]], "counts")
    pd.testing.assert_frame_equal(alone, to_log2(counts, "counts").loc[["P1"]])


def test_misspelt_unit_names_the_near_one(counts):
    with pytest.raises(UnknownNameError, match=r"log2\(FPKM\+1\)"):
        to_log2(counts, "log2(FPKM)")


def test_negative_counts_are_refused(counts):
    with pytest.raises(DataError, match="correct its unit"):
        to_log2(counts - 100, "counts")


def test_sample_without_reads_is_refused(counts):
    with pytest.raises(DataError, match="P2"):
        to_log2(counts.assign(B=[990.0, 0.0]), "counts")


def test_library_size_must_cover_all_samples(counts):
    with pytest.raises(AlignmentError, match="P2"):
        to_log2(counts, "counts", library_size=pd.Series({"P1": 1e6}))


def test_unit_of_mixed_table_is_refused(counts):
    facts = pd.DataFrame({"unit": ["TPM", "FPKM"]}, index=["A", "B"])
    table = FeatureTable.from_frame(counts, name="rna", unit="", source="x", variables=facts)
    with pytest.raises(SchemaError, match="TPM, FPKM"):
        unit_of(table)
    assert unit_of(table.select(["B"])) == "FPKM"
