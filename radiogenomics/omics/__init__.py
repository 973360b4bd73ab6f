"""Expression → scores → labels and signatures."""

from radiogenomics.omics.differential import compare_groups
from radiogenomics.omics.labels import FixedCutoff, MedianCutoff
from radiogenomics.omics.signature import (
    CoxSignature,
    SignatureLabel,
    out_of_fold_concordance,
    out_of_fold_scores,
    random_gene_sets,
)
from radiogenomics.omics.units import LOG2_UNITS, to_log2, unit_of

__all__ = [
    "LOG2_UNITS",
    "CoxSignature",
    "FixedCutoff",
    "MedianCutoff",
    "SignatureLabel",
    "compare_groups",
    "out_of_fold_concordance",
    "out_of_fold_scores",
    "random_gene_sets",
    "to_log2",
    "unit_of",
]
