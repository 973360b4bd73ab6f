"""TCGA-LIHC: scores that others published for the same tumours and the same sets of genes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.io.gene_sets import read_gmt
from radiogenomics.omics.gene_sets.catalogue import SHIPPED
from radiogenomics.omics.scoring.pc1 import PrincipalComponent
from radiogenomics.omics.scoring.singscore import Singscore
from radiogenomics.omics.scoring.ssgsea import SsGsea
from radiogenomics.omics.scoring.weighted import WeightedScore

pytestmark = pytest.mark.real
RNA = "omics/hcc_key_genes/tcga_lihc_fpkm_log2_proteincoding_179samples.parquet"


@pytest.fixture(scope="module")
def tumours(data_root) -> pd.DataFrame:
    samples = pd.read_parquet(data_root / RNA).T
    samples.index = samples.index.str[:15]
    return samples[samples.index.str[13:15] == "01"]


@pytest.fixture(scope="module")
def every_set(data_root):
    # One list of this collection has gone through a spreadsheet.
    with pytest.warns(RadiogenomicsWarning, match=r"HLA_signature_gene.* dates \(1-Sep\)"):
        return read_gmt(data_root / "omics/genesets/all_signatures.gmt")


@pytest.fixture(scope="module")
def published(data_root) -> pd.DataFrame:
    return pd.read_parquet(data_root / "omics/lihc/immune_scores.parquet")


def test_the_collection_is_read_whole(every_set, data_root):
    index = pd.read_csv(data_root / "omics/genesets/index.csv").set_index("set")
    assert len(every_set) == len(index) == 1567
    assert all(len(every_set[name]) == count for name, count in index["n"].items())


def test_28_immune_cells_agree_with_published_scores(tumours, every_set, published):
    cells = {
        name.removeprefix("Charoentong28|"): each
        for name, each in every_set.items()
        if name.startswith("Charoentong28|")
    }
    theirs = published.filter(like="ssGSEA28|").rename(columns=lambda c: c.partition("|")[2])
    assert set(theirs.columns) == set(cells)
    found = SsGsea(cells, warn_coverage=0.75).fit_transform(tumours)
    both = found.index.intersection(theirs.index)
    rho = found.loc[both].corrwith(theirs.loc[both], method="spearman")
    # Theirs are of another release of the expression; measured: median 0.948, least 0.825.
    assert len(both) == 156
    assert rho.median() > 0.93
    assert rho.min() > 0.80


def test_one_tumour_scores_as_among_all(tumours, every_set):
    cells = [each for name, each in every_set.items() if name.startswith("Charoentong28|")]
    score = SsGsea(cells, warn_coverage=0.75).fit(tumours)
    together = score.transform(tumours)
    for sample in tumours.index[:5]:
        pd.testing.assert_frame_equal(
            score.transform(tumours.loc[[sample]]), together.loc[[sample]]
        )


def test_shipped_immune_scores_go_with_published_immune_infiltration(tumours, published):
    immune = published["ESTIMATE|ImmuneScore"].reindex(tumours.index)
    names = ("cytolytic", "ifn_gamma_6", "cytotoxic_davoli", "tls_chemokines_12")
    sets = [SHIPPED[name] for name in names]
    for score in (
        WeightedScore(sets, standardise=False),
        PrincipalComponent(sets),
        Singscore(sets),
    ):
        rho = score.fit_transform(tumours).corrwith(immune, method="spearman")
        assert (rho > 0.5).all(), rho


def test_shipped_sets_are_measured(tumours):
    coverage = (
        PrincipalComponent(list(SHIPPED.values()), min_coverage=0.4, warn_coverage=0.0)
        .fit(tumours)
        .coverage_.set_index("set")["coverage"]
    )
    # Immunoglobulin genes are not among those that code for proteins in this release.
    assert (coverage.drop("tls_imprint_29") >= 0.9).all(), coverage
    assert np.isfinite(coverage["tls_imprint_29"])
