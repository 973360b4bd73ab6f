from __future__ import annotations

import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.omics.identifiers import bare_ensembl, bare_entrez, identifier_kind


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("ENSG00000182481", "ENSG00000182481"),
        ("ENSG00000182481.9", "ENSG00000182481"),
        ("ENSG00000182378.14_PAR_Y", "ENSG00000182378_PAR_Y"),
        ("ENST00000330459.5", None),
        ("ENSG0182481", None),
        ("KPNA2", None),
    ],
)
def test_ensembl(name, bare) -> None:
    assert bare_ensembl(name) == bare


@pytest.mark.parametrize(
    ("name", "bare"), [("3838", "3838"), ("3838.0", "3838"), ("0", None), ("1.5", None)]
)
def test_entrez(name, bare) -> None:
    assert bare_entrez(name) == bare


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["ENSG00000182481.9", "ENSG00000198952.8", "N_unmapped"], "ensembl"),
        (["3838", "23381", "?"], "entrez"),
        (["KPNA2", "SMG5", "ENSG00000229807"], "symbol"),
        (["KPNA2|3838", "?|100130426"], "symbol"),
    ],
)
def test_kind_by_majority(names, kind) -> None:
    assert identifier_kind(names) == kind


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["ENST00000330459.5", "ENST00000537025"], "Ensembl transcripts in 2 of 2"),
        (["ENSP00000332455", "ENSP00000438483"], "Ensembl proteins"),
        (["ENSMUSG00000018362", "ENSMUSG00000001415"], "genes of another species"),
        (["201088_at", "211762_s_at", "AFFX-BioB-5_at"], "Affymetrix probe sets"),
        (["ILMN_1708160", "ILMN_2108160"], "Illumina probes"),
        (["A_23_P35219", "A_24_P43588"], "Agilent probes"),
    ],
)
def test_what_is_no_gene_is_refused_by_name(names, what) -> None:
    with pytest.raises(DataError, match=what):
        identifier_kind(names)


def test_no_names() -> None:
    with pytest.raises(DataError, match="found none"):
        identifier_kind([])
