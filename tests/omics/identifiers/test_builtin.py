from __future__ import annotations

import re

import pytest

from radiogenomics.omics.identifiers import built_in_names

# Lists as published; sources in docs and in the shipped gene sets.
SHIPPED = {
    "twelve chemokines": "CCL2 CCL3 CCL4 CCL5 CCL8 CCL18 CCL19 CCL21 CXCL9 CXCL10 CXCL11 CXCL13",
    "Cabrita": "CD79B CD1D CCR6 LAT SKAP1 CETP EIF1AY RBP5 PTGDS",
    "imprint": "APOE C1QA C7 CD52 CD79A CXCL12 DERL3 FCRL5 IGHA1 IGHG1 IGHG2 IGHG3 IGHG4 IGHGP "
    "IGHM IGKC IGLC1 IGLC2 IGLC3 IL7R JCHAIN LUM MZB1 PIM2 PTGDS PLTP SSR4 TRBC2 XBP1",
    "Buffa": "ACOT7 ADM AK4 ALDOA ANKRD37 ANLN BNIP3 CA9 CDKN3 CHCHD2 CORO1C CTSV DDIT4 ENO1 ESRP1 "
    "GAPDH GPI HILPDA HK2 KIF20A KIF4A LDHA LRRC42 MAD2L2 MAP7D1 MCTS1 MIF MRGBP MRPL13 MRPL15 "
    "MRPS17 NDRG1 P4HA1 PFKP PGAM1 PGK1 PNP PSMA7 PSRC1 SEC61G SHCBP1 SLC16A1 SLC25A32 SLC2A1 TPI1 "
    "TUBA1B TUBA1C TUBB6 UTP11 VEGFA YKT6",
    "cytolytic, interferon": "GZMA PRF1 IFNG STAT1 CXCL9 CXCL10 IDO1 HLA-DRA",
    "Davoli": "CD247 CD2 CD3E GZMH NKG7 PRF1 GZMK",
    "checkpoints": "TNFRSF4 CD276 LAG3 CTLA4 PDCD1 NRP1 IDO1 CD274 CD8A TRAF3IP3 HIF1A",
    "myeloid, pair": "ITGAM SIGLEC1 KPNA2 SMG5",
}


@pytest.mark.parametrize("name", SHIPPED)
def test_genes_of_shipped_signatures_are_known_by_every_identifier(name: str) -> None:
    names = built_in_names()
    table = names.table.set_index("symbol")
    for gene in SHIPPED[name].split():
        assert names.by_symbol(gene).status == "approved", gene
        assert names.by_ensembl(table.loc[gene, "ensembl_gene_id"]).symbol == gene
        assert names.by_entrez(table.loc[gene, "entrez_id"]).symbol == gene


def test_identifiers_are_well_formed_and_each_gene_has_its_own() -> None:
    table = built_in_names().table
    assert all(re.fullmatch(r"ENSG\d{11}", name) for name in table["ensembl_gene_id"])
    assert all(re.fullmatch(r"[1-9]\d*", name) for name in table["entrez_id"])
    assert not any(table[c].duplicated().any() for c in ("symbol", "ensembl_gene_id", "entrez_id"))
    assert len(table) == 166


def test_no_lesser_name_is_the_symbol_of_another_gene() -> None:
    table = built_in_names().table
    lesser = table["prev_symbol"].str.split("|").explode().tolist()
    lesser += table["alias_symbol"].str.split("|").explode().tolist()
    assert not set(lesser) & set(table["symbol"])


@pytest.mark.parametrize(
    ("accession", "symbol"),
    [
        ("ENSG00000182481", "KPNA2"),  # NCBI Gene 3838
        ("ENSG00000198952", "SMG5"),  # NCBI Gene 23381
        ("ENSG00000229807", "XIST"),  # NCBI Gene 7503
        ("ENSG00000145416", "MARCHF1"),  # NCBI Gene 55016
    ],
)
def test_a_few_accessions_as_published(accession: str, symbol: str) -> None:
    assert built_in_names().by_ensembl(accession).symbol == symbol
