"""Gene sets whose genes are published facts, and named slots that the user fills."""

from radiogenomics.omics.gene_sets.catalogue import SHIPPED, find_gene_set, gene_set_table
from radiogenomics.omics.gene_sets.slots import SLOTS, GeneSetSlot

__all__ = ["SHIPPED", "SLOTS", "GeneSetSlot", "find_gene_set", "gene_set_table"]
