"""What the imputers share: some variables are kept, and gaps are no error."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from radiogenomics.stats.inputs import Bools, Floats


class KeptVariables(TransformerMixin, BaseEstimator):
    """Base of the transformers that fill the gaps of the variables they keep.

    Attributes
    ----------
    support_ : ndarray of bool, shape (n_features_in_,)
        True where the variable is kept; a subclass learns it in ``fit``.
    """

    support_: Bools

    def _kept(self, X: Any) -> Floats:
        """Return the kept variables of new patients, gaps among them."""
        check_is_fitted(self)
        values = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False
        )
        return values[:, self.support_]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the kept variables."""
        check_is_fitted(self)
        return _check_feature_names_in(self, input_features)[self.support_]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
