"""Identifiers of genes: symbols old and new, Ensembl, Entrez, and dates that were symbols."""

from radiogenomics.omics.identifiers.accessions import bare_ensembl, bare_entrez, identifier_kind
from radiogenomics.omics.identifiers.collapse import RepeatedGeneSelector, collapse_repeated
from radiogenomics.omics.identifiers.coverage import coverage
from radiogenomics.omics.identifiers.hgnc import GeneMatch, GeneNames, built_in_names
from radiogenomics.omics.identifiers.mangled import former_symbols, is_date
from radiogenomics.omics.identifiers.mapping import RenamedGenes, map_genes, rename_genes

__all__ = [
    "GeneMatch",
    "GeneNames",
    "RenamedGenes",
    "RepeatedGeneSelector",
    "bare_ensembl",
    "bare_entrez",
    "built_in_names",
    "collapse_repeated",
    "coverage",
    "former_symbols",
    "identifier_kind",
    "is_date",
    "map_genes",
    "rename_genes",
]
