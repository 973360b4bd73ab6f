"""Table → table, learnt: scikit-learn transformers that are fitted inside the fold.

One file a method; each estimator carries its ``card``.
"""

from __future__ import annotations

from radiogenomics.features.boruta import Boruta
from radiogenomics.features.combat import ComBat
from radiogenomics.features.constant import DropConstant
from radiogenomics.features.coxnet import CoxnetSelector
from radiogenomics.features.genetic import GeneticSelector
from radiogenomics.features.icc_filter import ICCFilter
from radiogenomics.features.impute import MedianImputer
from radiogenomics.features.lasso import LassoSelector
from radiogenomics.features.left_censored import (
    CensoredNormalImputer,
    LowNormalImputer,
    LowQuantileImputer,
)
from radiogenomics.features.longitudinal_change import LongitudinalChange
from radiogenomics.features.mrmr import MRMR
from radiogenomics.features.quantile import NormalScores, QuantileNormaliser
from radiogenomics.features.rank_selector import RankSelector
from radiogenomics.features.redundancy import CorrelationClusters
from radiogenomics.features.rfecv import LinearSVMRFECV
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.features.stability import StabilitySelection
from radiogenomics.features.univariate import UnivariateFilter
from radiogenomics.features.univariate_cox import UnivariateCox
from radiogenomics.features.variance_filter import VarianceFilter

__all__ = [
    "MRMR",
    "Boruta",
    "CensoredNormalImputer",
    "ComBat",
    "CorrelationClusters",
    "CoxnetSelector",
    "DropConstant",
    "FeatureSelector",
    "GeneticSelector",
    "ICCFilter",
    "LassoSelector",
    "LinearSVMRFECV",
    "LongitudinalChange",
    "LowNormalImputer",
    "LowQuantileImputer",
    "MedianImputer",
    "NormalScores",
    "QuantileNormaliser",
    "RankSelector",
    "StabilitySelection",
    "UnivariateCox",
    "UnivariateFilter",
    "VarianceFilter",
]
