from __future__ import annotations

import pandas as pd
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.omics.checks import check_orientation


def table(rows: list[object], columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(1.0, index=rows, columns=columns)


@pytest.mark.parametrize(
    ("genes", "samples"),
    [
        (["KPNA2", "SMG5", "CXCL9", "LOC1"], ["P1", "P2"]),
        (["ENSG00000182481.9", "ENSG00000198952.8"], ["P1", "P2"]),
        (["KPNA2", "other"], ["TCGA-2Y-A9GS-01A", "TCGA-2Y-A9GT-01A"]),
        (["NOT1", "NOT2"], ["GSM362947", "GSM362948"]),
        (["NOT1", "NOT2"], ["SRR3184279", "SRR3184280"]),
        (["KPNA2"], ["P1", "P2", "P3"]),
    ],
)
def test_turned_tables_are_refused_and_right_ones_pass(genes, samples) -> None:
    check_orientation(table(samples, genes))
    with pytest.raises(DataError, match="rna: expected samples as rows.*genes_by_samples"):
        check_orientation(table(genes, samples), what="rna")


def test_names_without_meaning_pass() -> None:
    check_orientation(table(["a", "b"], ["c", "d"]))
    check_orientation(table([0, 1], [0, 1, 2]))
    check_orientation(table([], []))


def test_one_patient_named_like_a_gene_is_no_gene() -> None:
    check_orientation(table(["LAT", "P2", "P3", "P4"], ["x1", "x2"]))


@pytest.mark.real
@pytest.mark.parametrize(
    "file",
    [
        "hcc_key_genes/tcga_lihc_fpkm_log2_proteincoding_179samples",
        "hcc_ext/gse14520_gpl571_expr",
        "icb/Hugo2016_full_expr",
        "lihc/expr_log2fpkm_196genes_tumor",
        "nsclc_radiogenomics_rna/nsclc_expr_zscore_1000genes",
    ],
)
def test_real_tables_hold_genes_as_rows(data_root, file) -> None:
    values = pd.read_parquet(data_root / "omics" / f"{file}.parquet")
    check_orientation(values.T)
    with pytest.raises(DataError, match="found genes as rows"):
        check_orientation(values)
