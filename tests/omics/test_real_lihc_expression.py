"""TCGA-LIHC, tumours against normals: the differences known from the data's own notes."""

import pandas as pd
import pytest
from scipy.stats import ttest_ind

from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.omics import compare_groups, to_log2, unit_of

pytestmark = pytest.mark.real


def test_both_genes_are_raised_in_tumours(data_root):
    name = "omics/hcc_key_genes/tcga_lihc_fpkm_log2_proteincoding_179samples.parquet"
    samples = pd.read_parquet(data_root / name).T
    samples = samples[samples.index.str[13:15].isin(["01", "11"])]
    table = FeatureTable.from_frame(samples, name="rna", unit="log2(FPKM+1)", source=name)
    values = to_log2(table.values, unit_of(table))
    tumour = pd.Series(values.index.str[13:15] == "01", index=values.index)
    assert (tumour.sum(), (~tumour).sum()) == (156, 21)
    for gene, known in (("KPNA2", 1.47), ("SMG5", 1.59)):
        medians = values[gene].groupby(tumour).median()
        assert round(medians[True] - medians[False], 2) == known

    found = compare_groups(values, tumour).set_index("gene")
    for gene in ("KPNA2", "SMG5"):
        expected = ttest_ind(values.loc[tumour, gene], values.loc[~tumour, gene], equal_var=False)
        assert found.loc[gene, "t"] == pytest.approx(expected.statistic, rel=1e-6)
        assert found.loc[gene, "p"] == pytest.approx(expected.pvalue, rel=1e-5)
    # The notes give differences of medians; these are of means.
    assert found.loc[["KPNA2", "SMG5"], "difference"].round(2).tolist() == [1.68, 1.53]
    assert (found.loc[["KPNA2", "SMG5"], "fdr"] < 1e-8).all()
