"""(X, y) → score: scikit-learn estimators, tuned and calibrated inside the training part."""

from __future__ import annotations

from radiogenomics.models.blend import Blend, fit_blend
from radiogenomics.models.block_scaler import BlockScaler
from radiogenomics.models.early_fusion import EarlyFusion
from radiogenomics.models.factors import BlockFactors, BlockPrediction
from radiogenomics.models.feature_budget import FeatureBudget, one_in_ten
from radiogenomics.models.late_fusion import LateFusion
from radiogenomics.models.learners import Learner, learner, learner_names
from radiogenomics.models.linear_svm import LinearSVM
from radiogenomics.models.longitudinal import BaselineFallback
from radiogenomics.models.many_targets import ManyKernelRidge, ManyPls, ManyRidge
from radiogenomics.models.nomogram import Axis, Nomogram
from radiogenomics.models.per_block import PerBlock
from radiogenomics.models.platt import PlattScaling, fit_platt
from radiogenomics.models.score_surrogate import ScoreSurrogate, score_learner_names
from radiogenomics.models.stacked_fusion import StackedFusion
from radiogenomics.models.surrogate import surrogate
from radiogenomics.models.survival import (
    BoostedCox,
    CoxModel,
    FineGrayModel,
    LassoCox,
    SurvivalForest,
    SurvivalSVM,
    TunedSurvival,
    competing_target,
    survival_learner,
    survival_learner_names,
)
from radiogenomics.models.survival_beyond import SurvivalBeyond
from radiogenomics.models.tuned import TunedClassifier

__all__ = [
    "SurvivalBeyond",
    "PerBlock",
    "BaselineFallback",
    "Axis",
    "Blend",
    "BlockFactors",
    "BlockPrediction",
    "BlockScaler",
    "BoostedCox",
    "CoxModel",
    "EarlyFusion",
    "FeatureBudget",
    "FineGrayModel",
    "LassoCox",
    "LateFusion",
    "Learner",
    "LinearSVM",
    "ManyKernelRidge",
    "ManyPls",
    "ManyRidge",
    "Nomogram",
    "PlattScaling",
    "ScoreSurrogate",
    "StackedFusion",
    "SurvivalForest",
    "SurvivalSVM",
    "TunedClassifier",
    "TunedSurvival",
    "competing_target",
    "fit_blend",
    "fit_platt",
    "learner",
    "learner_names",
    "one_in_ten",
    "score_learner_names",
    "surrogate",
    "survival_learner",
    "survival_learner_names",
]
