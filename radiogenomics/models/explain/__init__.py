"""Explanations: what each feature adds to the score of a patient, and to the model's worth."""

from radiogenomics.models.explain.explanation import Explanation
from radiogenomics.models.explain.partial_dependence import PartialDependence, partial_dependence
from radiogenomics.models.explain.permutation_importance import (
    PermutationImportance,
    permutation_importance,
)

__all__ = [
    "Explanation",
    "PartialDependence",
    "PermutationImportance",
    "partial_dependence",
    "permutation_importance",
]
