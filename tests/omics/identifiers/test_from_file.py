"""The complete set of gene names, read from a file, in use."""

from __future__ import annotations

from pathlib import Path

from radiogenomics.io.hgnc import read_hgnc
from radiogenomics.omics.identifiers import GeneNames, map_genes

HEADER = (
    "hgnc_id symbol name locus_group location prev_symbol alias_symbol entrez_id ensembl_gene_id"
)
ROWS = (
    "HGNC:1 KPNA2 karyopherin protein-coding 17q24.2 RCH1 IPOA1|QIP2 3838 ENSG00000182481",
    "HGNC:2 SMG5 decay protein-coding 1q22 - EST1B|LPTS-RP1 23381 ENSG00000198952",
)


def test_table_of_the_reader_names_genes(tmp_path: Path) -> None:
    lines = [line.replace(" ", "\t").replace("\t-\t", "\t\t") for line in (HEADER, *ROWS)]
    (tmp_path / "hgnc.txt").write_text("\n".join(lines), encoding="utf-8")
    known = GeneNames(read_hgnc(tmp_path / "hgnc.txt"), "HGNC of today")
    genes = map_genes(["EST1B", "ENSG00000182481.9", "XIST"], known=known)
    assert genes["symbol"].tolist() == ["SMG5", "KPNA2", None]
