"""Table → table, learnt: scikit-learn transformers that are fitted inside the fold.

One file a method; each estimator carries its ``card``.
"""

from __future__ import annotations

from radiogenomics.features.constant import DropConstant
from radiogenomics.features.impute import MedianImputer
from radiogenomics.features.rank_selector import RankSelector

__all__ = ["DropConstant", "MedianImputer", "RankSelector"]
