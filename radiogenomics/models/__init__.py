"""(X, y) → score: scikit-learn estimators, tuned and calibrated inside the training part."""

from __future__ import annotations

from radiogenomics.models.blend import Blend, fit_blend
from radiogenomics.models.block_scaler import BlockScaler
from radiogenomics.models.early_fusion import EarlyFusion
from radiogenomics.models.late_fusion import LateFusion
from radiogenomics.models.learners import Learner, learner, learner_names
from radiogenomics.models.linear_svm import LinearSVM
from radiogenomics.models.platt import PlattScaling, fit_platt
from radiogenomics.models.stacked_fusion import StackedFusion
from radiogenomics.models.surrogate import surrogate
from radiogenomics.models.tuned import TunedClassifier

__all__ = [
    "Blend",
    "BlockScaler",
    "EarlyFusion",
    "LateFusion",
    "Learner",
    "LinearSVM",
    "PlattScaling",
    "StackedFusion",
    "TunedClassifier",
    "fit_blend",
    "fit_platt",
    "learner",
    "learner_names",
    "surrogate",
]
