from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.omics.identifiers import coverage, map_genes, rename_genes


def frame(*columns: object) -> pd.DataFrame:
    values = np.arange(2.0 * len(columns)).reshape(2, -1)
    return pd.DataFrame(values, index=["P1", "P2"], columns=pd.Index(columns, dtype=object))


def counted(report: pd.DataFrame) -> dict[str, int]:
    return report[report["n"] > 0].set_index("status")["n"].to_dict()


def test_columns_get_approved_symbols_and_values_stay(names) -> None:
    given = frame("RCH1", "OLD1", "C1ORF43", "NOBODY", "TWICE")
    renamed = rename_genes(given, known=names)
    assert renamed.values.columns.tolist() == ["KPNA2", "AAA1", "C1orf43", "NOBODY", "TWICE"]
    assert np.array_equal(renamed.values.to_numpy(), given.to_numpy())
    assert renamed.values.index.equals(given.index)
    assert counted(renamed.coverage) == {
        "approved": 1,
        "previous": 2,
        "ambiguous": 1,
        "unknown": 1,
        "renamed": 3,
        "contested": 1,
    }
    assert given.columns[0] == "RCH1"


def test_one_patient_is_named_as_the_cohort_is(names) -> None:
    given = frame("RCH1", "OLD1", "SHARED")
    whole = rename_genes(given, known=names).values
    pd.testing.assert_frame_equal(rename_genes(given.iloc[1:], known=names).values, whole.iloc[1:])


def test_ensembl_versions_entrez_decimals_and_pairs(names) -> None:
    ensembl = map_genes(
        ["ENSG00000182481.9", "ENSG00000143612.20_PAR_Y", "ENSG09999999999"], known=names
    )
    assert ensembl["symbol"].tolist() == ["KPNA2", "C1orf43", None]
    entrez = map_genes(["3838.0", "25912", "36951"], known=names)
    assert entrez["status"].tolist() == ["entrez", "entrez", "unknown"]
    pairs = map_genes(["KPNA2|3838", "MARC1|64757", "?|55016", "OLD1|999999"], known=names)
    assert pairs["symbol"].tolist() == ["KPNA2", "MTARC1", "MARCHF1", "AAA1"]


def test_several_genes_of_one_probe_are_not_chosen_from(names) -> None:
    genes = map_genes(["KPNA2 /// SEPT9", "KPNA2"], known=names)
    assert genes.loc[0].tolist() == ["KPNA2 /// SEPT9", None, "ambiguous", "KPNA2|SEPTIN9"]


def test_worse_name_leaves_the_symbol_to_the_better_one(names) -> None:
    genes = map_genes(["MSF", "SEPT9", "RCH1", "KPNA2"], known=names)
    assert genes["status"].tolist() == ["taken", "previous", "taken", "approved"]
    renamed = rename_genes(frame("MSF", "SEPT9"), known=names).values
    assert renamed.columns.tolist() == ["MSF", "SEPTIN9"]


def test_dates_are_mended_or_reported_and_always_warned_of(names) -> None:
    given = frame("KPNA2", "9-Sep", "1-Mar", "37688", "4-Oct")
    with pytest.warns(RadiogenomicsWarning, match=r"4 dates .* 1 mended, 3 that may") as caught:
        renamed = rename_genes(given, known=names)
    assert "1-Mar, 37688, 4-Oct" in str(caught[0].message)
    assert renamed.values.columns.tolist() == ["KPNA2", "SEPTIN9", "1-Mar", "37688", "4-Oct"]
    assert counted(renamed.coverage)["date"] == 1


def test_names_without_symbol_can_be_dropped(names) -> None:
    renamed = rename_genes(frame("KPNA2", "NOBODY", "SHARED"), known=names, unknown="drop")
    assert renamed.values.columns.tolist() == ["KPNA2"]
    assert renamed.genes["given"].tolist() == ["KPNA2"]
    assert counted(renamed.coverage)["unknown"] == 1
    with pytest.raises(AlignmentError, match="found none of 2 names .NOBODY, SHARED.*HGNC"):
        rename_genes(frame("NOBODY", "SHARED"), known=names, unknown="drop")


def test_equally_good_names_of_a_gene_need_a_rule(names) -> None:
    given = frame("KPNA2", "ENSG00000182481.9", "AAA1")
    with pytest.raises(AlignmentError, match="1 genes with several .KPNA2.*RepeatedGeneSelector"):
        rename_genes(given, known=names)
    assert rename_genes(given, known=names, repeated="mean").values["KPNA2"].tolist() == [0.5, 3.5]
    assert rename_genes(given, known=names, repeated="first").values["KPNA2"].tolist() == [0, 3]
    assert counted(rename_genes(given, known=names, repeated="first").coverage)["repeated"] == 1


@pytest.mark.parametrize("empty", ["", "  ", None, np.nan])
def test_empty_names(names, empty) -> None:
    with pytest.raises(AlignmentError, match="1 of 3 empty .positions 1"):
        rename_genes(frame("KPNA2", empty, "AAA1"), known=names)


def test_wrong_words(names) -> None:
    with pytest.raises(UnknownNameError, match="kind of gene identifier"):
        map_genes(["KPNA2"], known=names, kind="hgnc")
    with pytest.raises(UnknownNameError, match="rule for unknown genes"):
        rename_genes(frame("KPNA2"), known=names, unknown="guess")
    with pytest.raises(UnknownNameError, match="max_mean"):
        rename_genes(frame("KPNA2", "KPNA2"), known=names, repeated="max")
    with pytest.raises(DataError, match="Affymetrix"):
        rename_genes(frame("201088_at", "211762_s_at"), known=names)
    with pytest.raises(SchemaError, match="no column symbol"):
        coverage(pd.DataFrame({"given": ["A"]}))


def test_coverage_counts_every_name_once(names, rng) -> None:
    pool = ["KPNA2", "RCH1", "QIP2", "OLD1", "TWICE", "ENSG00000186205", "9-Sep", "X1", "X2"]
    genes = map_genes(rng.choice(pool, 200), known=names)
    report = coverage(genes).set_index("status")
    exclusive = report.drop(index=["renamed", "repeated", "contested"])
    assert exclusive["n"].sum() == 200
    assert exclusive["share"].sum() == pytest.approx(1, abs=1e-12)
    final = genes["symbol"].fillna(genes["given"])
    assert report.loc["repeated", "n"] == 200 - final.nunique()


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "old"),
    [
        (
            "hcc_ext/gse14520_gpl571_expr.parquet",
            {
                "INDO": "IDO1",
                "IGJ": "JCHAIN",
                "UTP11L": "UTP11",
                "C20orf20": "MRGBP",
                "CTSL2": "CTSV",
            },
        ),
        ("icb/Hugo2016_full_expr.parquet", {"SEP15": "SELENOF", "IGJ": "JCHAIN"}),
        ("nsclc_radiogenomics_rna/nsclc_expr_zscore_1000genes.parquet", {"3-Mar": "MARCHF3"}),
    ],
    ids=["array", "sequencing", "spreadsheet"],
)
def test_old_symbols_in_real_tables(data_root, file, old) -> None:
    genes = map_genes(pd.read_parquet(data_root / "omics" / file).index).set_index("given")
    assert genes.loc[list(old), "symbol"].to_dict() == old
    assert not genes["symbol"].dropna().duplicated().any()
