"""What every selector shares: parameters checked, variables named, and a way out when none pass."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import DataError, FallbackWarning


class FeatureSelector(SelectorMixin, BaseEstimator):
    """Base of the selectors: keep what passes, or the best few when nothing does.

    On real tables a penalty or a threshold often leaves nothing in some folds. Failing there would
    throw the whole cross-validation away, and dropping such folds would flatter the rest, so the
    ``fallback`` best variables by the selector's own score are kept, ``fell_back_`` says so, and
    cross-validation counts it.

    A subclass has the parameter ``fallback`` and ends its ``fit`` with :meth:`_settle`.

    Attributes
    ----------
    support_ : ndarray of bool, shape (n_features_in_,)
        True where the variable is kept.
    scores_ : ndarray, shape (n_features_in_,)
        What variables were ranked by, higher is better; -inf where there is none.
    fell_back_ : bool
        True when nothing passed and the best ``fallback`` variables were kept instead.
    """

    fallback: int

    def _settle(self, passed: np.ndarray, scores: np.ndarray) -> None:
        """Set what was learnt from what passed (bool) and how variables rank (higher is better)."""
        if int(self.fallback) != self.fallback or self.fallback < 0:
            raise DataError(
                f"fallback: expected a whole number of at least 0; found {self.fallback}. "
                "Write how many of the best variables to keep when none pass, or 0 to fail."
            )
        self.scores_ = np.where(np.isnan(scores), -np.inf, np.asarray(scores, dtype=float))
        self.support_ = np.asarray(passed, dtype=bool).copy()
        self.fell_back_ = not self.support_.any()
        if not self.fell_back_:
            return
        best = np.argsort(-self.scores_, kind="stable")[: int(self.fallback)]
        best = best[np.isfinite(self.scores_[best])]
        name, n_features = type(self).__name__, len(self.support_)
        if not len(best):
            raise DataError(
                f"{name}: expected a variable that passes; found none of {n_features}. Loosen the "
                "threshold, allow a fallback, or accept that there is nothing to select."
            )
        self.support_[best] = True
        warnings.warn(
            f"{name}: none of {n_features} variables passed; the best {len(best)} were kept "
            "instead (fallback).",
            FallbackWarning,
            stacklevel=3,
        )

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
