"""Labels and scores of real tumours, held against what others published of the same samples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from radiogenomics.omics.gene_sets import SHIPPED
from radiogenomics.omics.labels import ImmuneHypoxiaLabel, TimeTypeLabel, TLSLabel
from radiogenomics.omics.scoring import MeanZ, PrincipalComponent
from radiogenomics.stats.classification.auc import delong
from radiogenomics.stats.meta_analysis import meta_analysis

pytestmark = pytest.mark.real
INHIBITED = (
    "Hugo", "Liu", "Mariathasan", "Miao", "Nathanson", "Padron", "Riaz", "Van_Allen",
)  # fmt: skip


@pytest.fixture(scope="module")
def tumours(data_root) -> pd.DataFrame:
    """156 primary tumours of TCGA-LIHC × genes, log2(FPKM + 1)."""
    name = "tcga_lihc_fpkm_log2_proteincoding_179samples.parquet"
    table = pd.read_parquet(data_root / "omics" / "hcc_key_genes" / name)
    table = table.loc[:, table.columns.str.contains("-01")].T
    table.index = table.index.str[:12]
    return table.loc[:, table.nunique() > 1]


@pytest.fixture(scope="module")
def subtypes(data_root, tumours) -> pd.Series:
    """Published microenvironment: IE(/F) immune-enriched, F fibrotic, D depleted."""
    path = data_root / "omics" / "lihc" / "mfp_tme_annotation_lihc.csv.gz"
    return pd.read_csv(path, index_col=0)["MFP"].reindex(tumours.index)


def test_tls_high_tumours_are_those_published_as_immune_enriched(data_root, tumours, subtypes):
    rule = TLSLabel().fit(tumours)
    table = pd.crosstab(rule.label_set(tumours).classes, subtypes)
    enriched = table["IE"] + table["IE/F"]
    assert enriched["high"] > 3 * enriched["low"]
    assert table["D"]["low"] > 3 * table["D"]["high"]
    scores = pd.read_parquet(data_root / "omics" / "lihc" / "immune_scores.parquet")
    scores = scores[scores.index.str[13:15] == "01"]
    immune = scores["ESTIMATE|ImmuneScore"].set_axis(scores.index.str[:12])
    immune = immune[~immune.index.duplicated()].reindex(tumours.index)
    rho = spearmanr(rule.scores(tumours), immune, nan_policy="omit").statistic
    assert rho == pytest.approx(0.816, abs=0.002)


@pytest.mark.parametrize("method", ["cutoffs", "kmeans", "gaussian_mixture"])
def test_hin_tumours_are_immune_enriched_and_lih_ones_are_not(tumours, subtypes, method):
    classes = ImmuneHypoxiaLabel(method=method).fit(tumours).classes(tumours)
    table = pd.crosstab(classes, subtypes)
    share = (table["IE"] + table["IE/F"]) / table.sum(axis=1)
    assert share["HIN"] > 0.6 and share["LIH"] < 0.15


def test_time_types_follow_the_published_subtypes(tumours, subtypes):
    table = pd.crosstab(TimeTypeLabel().fit(tumours).classes(tumours), subtypes)
    assert table.loc["I", "IE"] > 5 * table.loc["II", "IE"]
    assert table.loc["II", "D"] > 5 * table.loc["I", "D"]


def test_immune_scores_hardly_tell_responders_to_checkpoint_inhibitors(data_root):
    """Eight cohorts, none of them liver: pooled areas near chance, as docs/real_runs.md says."""
    folder = data_root / "omics" / "icb"
    scorers = {
        "tls_chemokines_12": PrincipalComponent,
        "cytolytic": MeanZ,
        "ifn_gamma_6": MeanZ,
    }
    pooled = {}
    for name, scorer in scorers.items():
        logits, errors = [], []
        for cohort in INHIBITED:
            genes = pd.read_parquet(folder / f"{cohort}_expr.parquet").T
            clinical = pd.read_csv(folder / f"{cohort}_clin.csv.gz").set_index("patientid")
            response = clinical["response"].reindex(genes.index).map({"R": 1, "NR": 0})
            genes, response = genes[response.notna()], response.dropna().astype(int)
            score = scorer(SHIPPED[name]).fit_transform(genes).iloc[:, 0]
            found = delong(score, response)
            assert found.value == pytest.approx(roc_auc_score(response, score), rel=1e-12)
            low, high = (np.log(x / (1 - x)) for x in (found.low, found.high))
            logits.append(np.log(found.value / (1 - found.value)))
            errors.append((high - low) / (2 * 1.959964))
        together = meta_analysis(np.array(logits)[:, None], np.array(errors)[:, None])
        pooled[name] = 1 / (1 + np.exp(-together.estimate[0]))
    expected = {"tls_chemokines_12": 0.568, "cytolytic": 0.577, "ifn_gamma_6": 0.580}
    assert pooled == pytest.approx(expected, abs=0.002)
