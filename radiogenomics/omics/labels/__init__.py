"""Rules that turn scores into classes."""

from radiogenomics.omics.labels.cutoff import FixedCutoff, MedianCutoff

__all__ = ["FixedCutoff", "MedianCutoff"]
