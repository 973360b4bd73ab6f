from __future__ import annotations

import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, SchemaError
from radiogenomics.omics.identifiers import GeneNames


@pytest.mark.parametrize(
    ("name", "status", "symbol", "others"),
    [
        ("KPNA2", "approved", "KPNA2", ()),
        ("RCH1", "previous", "KPNA2", ()),
        ("QIP2", "alias", "KPNA2", ()),
        ("OLD1", "previous", "AAA1", ("AAA2",)),  # a former symbol outranks an alias, and says so
        ("TWICE", "ambiguous", None, ("AAA2", "AAA3")),
        ("SHARED", "ambiguous", None, ("AAA1", "AAA2")),
        ("C1ORF43", "approved", "C1orf43", ()),
        ("kpna2", "approved", "KPNA2", ()),
        ("Kpna2", "unknown", None, ()),  # a gene of the mouse
        ("NOBODY", "unknown", None, ()),
    ],
)
def test_names_by_rank_and_never_guessed(names, name, status, symbol, others) -> None:
    assert names.by_symbol(name) == (status, symbol, others)


def test_accessions(names) -> None:
    assert names.by_ensembl("ENSG00000182481").symbol == "KPNA2"
    assert names.by_entrez("3838") == ("entrez", "KPNA2", ())
    assert names.by_ensembl("").status == names.by_entrez("99").status == "unknown"
    assert names.knows("ENSG00000182481") and names.knows("SHARED") and not names.knows("P1")


def test_two_genes_with_one_accession_stay_ambiguous(names) -> None:
    table = names.table.assign(entrez_id="7")
    assert GeneNames(table, "a test").by_entrez("7").status == "ambiguous"


def test_bad_tables(names) -> None:
    with pytest.raises(SchemaError, match="found no prev_symbol"):
        GeneNames(names.table.drop(columns="prev_symbol"), "a test")
    with pytest.raises(AlignmentError, match="1 repeated \\(KPNA2\\)"):
        GeneNames(pd.concat([names.table, names.table.iloc[:1]]), "a test")
    with pytest.raises(AlignmentError, match="1 empty"):
        GeneNames(names.table.replace("AAA3", ""), "a test")


def test_representation(names) -> None:
    assert repr(names) == "GeneNames(8 genes of a test)"
