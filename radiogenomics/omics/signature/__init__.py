"""Signatures: fitted, turned into labels, and held against chance."""

from radiogenomics.omics.signature.cox_signature import CoxSignature
from radiogenomics.omics.signature.label_rule import SignatureLabel
from radiogenomics.omics.signature.nulls import (
    out_of_fold_concordance,
    out_of_fold_scores,
    random_gene_sets,
)

__all__ = [
    "CoxSignature",
    "SignatureLabel",
    "out_of_fold_concordance",
    "out_of_fold_scores",
    "random_gene_sets",
]
