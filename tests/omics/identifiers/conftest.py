"""A small table of names with everything that is awkward in the large one."""

from __future__ import annotations

import pandas as pd
import pytest

from radiogenomics.omics.identifiers import GeneNames

ROWS = [
    ("KPNA2", "RCH1", "IPOA1|QIP2", "ENSG00000182481", "3838"),
    ("AAA1", "OLD1", "SHARED", "ENSG00000000001", "1"),
    ("AAA2", "OLD2|TWICE", "SHARED|OLD1", "ENSG00000000002", "2"),
    ("AAA3", "TWICE", "", "", "3"),
    ("C1orf43", "", "HSPC012", "ENSG00000143612", "25912"),
    ("MARCHF1", "MARCH1", "", "ENSG00000145416", "55016"),
    ("MTARC1", "MARC1", "", "ENSG00000186205", "64757"),
    ("SEPTIN9", "SEPT9", "MSF", "ENSG00000184640", "10801"),
]


@pytest.fixture
def names() -> GeneNames:
    columns = ["symbol", "prev_symbol", "alias_symbol", "ensembl_gene_id", "entrez_id"]
    return GeneNames(pd.DataFrame(ROWS, columns=columns), "a test")
