"""What a recipe word of a learner stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator

from radiogenomics.core.method import Method

Grid = tuple[dict[str, tuple[Any, ...]], ...]

SCOPE = "models: binary response"


@dataclass(frozen=True)
class Learner:
    """An unfitted classifier, what is tuned in it, and its card.

    Parameters
    ----------
    estimator
        Unfitted scikit-learn classifier.
    grid
        Dictionaries of parameter → values, most regularised first: a tie goes to the earlier.
    card
        What it is for and when it misleads.
    """

    estimator: BaseEstimator
    grid: Grid
    card: Method
