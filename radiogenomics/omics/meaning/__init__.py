"""What patients called high have that patients called low have not."""

from radiogenomics.omics.meaning.contrasts import contrast_table
from radiogenomics.omics.meaning.enrichment import enrichment_table, gene_ranking

__all__ = ["contrast_table", "enrichment_table", "gene_ranking"]
