"""Factors behind several blocks of variables, learnt and read off with blocks missing."""

from radiogenomics.models.factors.block_factors import BlockFactors
from radiogenomics.models.factors.reader import BlockPrediction

__all__ = ["BlockFactors", "BlockPrediction"]
