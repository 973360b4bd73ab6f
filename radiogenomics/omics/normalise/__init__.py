"""Counts made comparable between samples: one method a file.

What needs one sample only is a function. What needs others (a reference sample, pseudo-reference or
trend) is an estimator that learns it on training samples; a new sample then gets the same values
whoever else is in its file.
"""

from radiogenomics.omics.normalise.counts import check_counts
from radiogenomics.omics.normalise.counts_per_million import counts_per_million
from radiogenomics.omics.normalise.median_of_ratios import MedianOfRatios
from radiogenomics.omics.normalise.tmm import TMM
from radiogenomics.omics.normalise.transcripts_per_million import transcripts_per_million
from radiogenomics.omics.normalise.upper_quartile import UpperQuartile, upper_quartile_scaled
from radiogenomics.omics.normalise.variance_stabilising import (
    VarianceStabilising,
    variance_stabilised,
)

__all__ = [
    "TMM",
    "MedianOfRatios",
    "UpperQuartile",
    "VarianceStabilising",
    "check_counts",
    "counts_per_million",
    "transcripts_per_million",
    "upper_quartile_scaled",
    "variance_stabilised",
]
