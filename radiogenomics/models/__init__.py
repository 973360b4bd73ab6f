"""(X, y) → score: scikit-learn estimators, tuned and calibrated inside the training part."""

from __future__ import annotations

from radiogenomics.models.learners import Learner, learner, learner_names
from radiogenomics.models.linear_svm import LinearSVM
from radiogenomics.models.platt import PlattScaling, fit_platt
from radiogenomics.models.surrogate import surrogate
from radiogenomics.models.tuned import TunedClassifier

__all__ = [
    "Learner",
    "LinearSVM",
    "PlattScaling",
    "TunedClassifier",
    "fit_platt",
    "learner",
    "learner_names",
    "surrogate",
]
