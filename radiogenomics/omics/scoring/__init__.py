"""Scores of gene sets: one file a method, each with its card.

A patient's score is the same alone and in any company: what a score needs of others is learnt on
reference samples and frozen.
"""

from radiogenomics.omics.scoring.activities import ActivityScorer
from radiogenomics.omics.scoring.aucell import AUCell
from radiogenomics.omics.scoring.frozen_reference import FrozenReference
from radiogenomics.omics.scoring.gsva import Gsva
from radiogenomics.omics.scoring.mean_z import MeanZ
from radiogenomics.omics.scoring.pc1 import PrincipalComponent
from radiogenomics.omics.scoring.plage import Plage
from radiogenomics.omics.scoring.scorer import GeneSetScorer, as_gene_sets, coverage_table
from radiogenomics.omics.scoring.singscore import Singscore
from radiogenomics.omics.scoring.ssgsea import SsGsea
from radiogenomics.omics.scoring.weighted import WeightedScore

__all__ = [
    "AUCell",
    "ActivityScorer",
    "FrozenReference",
    "GeneSetScorer",
    "Gsva",
    "MeanZ",
    "Plage",
    "PrincipalComponent",
    "Singscore",
    "SsGsea",
    "WeightedScore",
    "as_gene_sets",
    "coverage_table",
]
