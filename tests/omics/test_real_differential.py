"""TCGA-LIHC, tumours against normals: by counts, by log counts and by log FPKM."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.omics.differential import compare_groups
from radiogenomics.omics.differential_counts import differential_counts
from radiogenomics.omics.differential_moderated import moderated_t_table
from radiogenomics.omics.normalise import TMM, VarianceStabilising

pytestmark = pytest.mark.real
GENES = ["KPNA2", "SMG5"]


@pytest.fixture(scope="module")
def counts(data_root) -> pd.DataFrame:
    table = pd.read_parquet(data_root / "omics/lihc/counts_5183genes_100samples.parquet").T
    assert table.shape == (100, 5183)
    return table


def is_tumour(samples: pd.DataFrame) -> pd.Series:
    return pd.Series(samples.index.str[13:15] == "01", index=samples.index)


def test_both_genes_are_raised_in_fpkm(data_root):
    name = "omics/hcc_key_genes/tcga_lihc_fpkm_log2_proteincoding_179samples.parquet"
    values = pd.read_parquet(data_root / name).T
    values = values[values.index.str[13:15].isin(["01", "11"])]
    tumour = is_tumour(values)
    with pytest.warns(RadiogenomicsWarning, match="257 of 19642 genes have no residual variance"):
        found = moderated_t_table(values, tumour, trend=True).set_index("gene")
    medians = values[GENES].astype(float).groupby(tumour).median()
    # The data's notes give differences of medians; the table's are of means.
    assert (medians.loc[True] - medians.loc[False]).round(2).tolist() == [1.47, 1.59]
    assert found.loc[GENES, "log2_fold_change"].round(2).tolist() == [1.68, 1.53]
    assert (found.loc[GENES, "low"] > 1).all() and (found.loc[GENES, "fdr"] < 1e-10).all()
    # Welch's test has the same differences, and in a cohort of this size almost the same order.
    welch = compare_groups(values, tumour).set_index("gene")
    np.testing.assert_allclose(found["log2_fold_change"], welch["difference"], atol=1e-10)
    tested = welch["t"].notna()
    assert spearmanr(found.loc[tested, "t"], welch.loc[tested, "t"]).statistic > 0.95


def test_log_counts_and_stabilised_counts_tell_the_same(counts):
    tumour = is_tumour(counts)
    assert (tumour.sum(), (~tumour).sum()) == (50, 50)
    tables = {}
    for model in (TMM(), VarianceStabilising()):
        values = model.set_output(transform="pandas").fit_transform(counts)
        tables[type(model).__name__] = moderated_t_table(values, tumour, trend=True)
    tmm, vst = (table.set_index("gene") for table in tables.values())
    for table in (tmm, vst):
        assert (table.loc[GENES, "low"] > 0.5).all() and (table.loc[GENES, "fdr"] < 1e-8).all()
    assert spearmanr(tmm["t"], vst["t"]).statistic > 0.95


def test_counts_by_negative_binomial_models(counts):
    pytest.importorskip("pydeseq2")
    tumour = is_tumour(counts)
    chosen = counts[[*GENES, *counts.columns.drop(GENES)[:600]]]
    found = differential_counts(chosen, tumour).set_index("gene")
    assert (found.loc[GENES, "low"] > 0.5).all() and (found.loc[GENES, "fdr"] < 1e-8).all()
    values = TMM().set_output(transform="pandas").fit_transform(chosen)
    logs = moderated_t_table(values, tumour, trend=True).set_index("gene")
    both = found["statistic"].notna()
    assert spearmanr(found.loc[both, "statistic"], logs.loc[both, "t"]).statistic > 0.9


def test_a_new_sample_is_stabilised_alone(counts):
    train, new = counts.iloc[:80], counts.iloc[80:]
    for model in (TMM(), VarianceStabilising()):
        model.fit(train)
        alone = np.vstack([model.transform(new.iloc[[i]]) for i in range(len(new))])
        np.testing.assert_array_equal(alone, model.transform(new))
