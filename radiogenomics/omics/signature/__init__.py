"""Signatures: derived, fitted, turned into labels, and held against chance."""

from radiogenomics.omics.signature.cox_signature import CoxSignature
from radiogenomics.omics.signature.derivation import SignatureDerivation
from radiogenomics.omics.signature.gene_selector import GeneSelector
from radiogenomics.omics.signature.grid import SignatureGrid
from radiogenomics.omics.signature.importance import ImportanceSelector
from radiogenomics.omics.signature.label_rule import SignatureLabel
from radiogenomics.omics.signature.nulls import (
    out_of_fold_concordance,
    out_of_fold_scores,
    random_gene_sets,
)
from radiogenomics.omics.signature.penalised_cox import PenalisedCox
from radiogenomics.omics.signature.screen import SurvivalScreen
from radiogenomics.omics.signature.search import SubsetSearch
from radiogenomics.omics.signature.stability import StabilitySelector
from radiogenomics.omics.signature.stepwise import StepwiseCox

__all__ = [
    "CoxSignature",
    "GeneSelector",
    "ImportanceSelector",
    "PenalisedCox",
    "SignatureDerivation",
    "SignatureGrid",
    "SignatureLabel",
    "StabilitySelector",
    "StepwiseCox",
    "SubsetSearch",
    "SurvivalScreen",
    "out_of_fold_concordance",
    "out_of_fold_scores",
    "random_gene_sets",
]
