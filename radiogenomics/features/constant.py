"""Drop variables that say the same of everybody."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts


class DropConstant(SelectorMixin, BaseEstimator):
    """Drop variables whose range is negligible beside their size.

    A variable is dropped when ``max - min <= tolerance * max(|min|, |max|)`` in the training
    patients, so the rule does not change with the unit. Missing values are passed over; a variable
    that is missing everywhere is dropped.

    Parameters
    ----------
    tolerance
        Largest relative range that counts as constant, from 0 (exactly constant) to below 1. The
        default removes what rounding makes of a constant and nothing else.

    Attributes
    ----------
    support_ : ndarray of bool, shape (n_features_in_,)
        True where the variable is kept.

    Raises
    ------
    DataError
        No variable is left.

    Examples
    --------
    >>> import numpy as np
    >>> DropConstant().fit_transform(np.array([[1.0, 5.0], [2.0, 5.0]]))
    array([[1.],
           [2.]])
    """

    card: ClassVar[Method] = Method(
        name="drop_constant",
        title="Drop variables that are constant to numerical precision",
        scope="features: selection",
        reference="house",
        limits="A variable that varies in one patient only is kept; so is a rare binary one.",
        learns=True,
    )

    def __init__(self, tolerance: float = 1e-10) -> None:
        self.tolerance = tolerance

    def fit(self, X: Any, y: Any = None) -> DropConstant:
        """Learn which variables vary; ``y`` is not used."""
        if not 0 <= self.tolerance < 1:
            raise DataError(
                f"tolerance: expected at least 0 and below 1; found {self.tolerance}. "
                "It is a relative range, for example 1e-10."
            )
        refuse_row_facts(X)
        values = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2
        )
        low, high = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
        size = np.maximum(np.abs(low), np.abs(high))
        # NaN (missing everywhere) compares False and so is dropped.
        self.support_ = high - low > self.tolerance * size
        if not self.support_.any():
            raise DataError(
                f"expected at least one variable that varies; found {values.shape[1]} constant "
                f"one(s) in {len(values)} patient(s). Check the feature table, or lower tolerance "
                f"({self.tolerance})."
            )
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
