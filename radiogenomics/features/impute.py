"""Fill gaps with the median of the training patients; drop variables with too many."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.features.kept_variables import KeptVariables


class MedianImputer(KeptVariables):
    """Impute with the training median, after dropping variables that are missing too often.

    Parameters
    ----------
    max_missing
        Largest share of missing training values, 0 to 1, at which a variable is kept. A variable
        that is missing everywhere is always dropped.

    Attributes
    ----------
    support_ : ndarray of bool, shape (n_features_in_,)
        True where the variable is kept.
    medians_ : ndarray, shape (n_kept,)
        Training medians of the kept variables, in their unit.

    Raises
    ------
    DataError
        No variable is left.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, 4.0], [8.0, 5.0]])
    >>> MedianImputer(max_missing=0.3).fit_transform(X).ravel()
    array([1., 3., 3., 8.])
    """

    card: ClassVar[Method] = Method(
        name="median_imputer",
        title="Median imputation with a cap on missingness",
        scope="features: imputation",
        reference="house",
        limits="Shrinks variances and correlations; misleads where low values are missing.",
        learns=True,
    )

    def __init__(self, max_missing: float = 0.2) -> None:
        self.max_missing = max_missing

    def fit(self, X: Any, y: Any = None) -> MedianImputer:
        """Learn which variables to keep and their medians; ``y`` is not used."""
        if not 0 <= self.max_missing <= 1:
            raise DataError(
                f"max_missing: expected a share from 0 to 1; found {self.max_missing}. "
                "Write 0.2 for 20 %."
            )
        refuse_row_facts(X)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        missing = np.isnan(values).mean(axis=0)
        self.support_ = (missing <= self.max_missing) & (missing < 1)
        if not self.support_.any():
            raise DataError(
                f"expected a variable with at most {self.max_missing:.0%} missing values; found "
                f"none of {values.shape[1]}. Raise max_missing or check the feature table."
            )
        self.medians_ = np.nanmedian(values[:, self.support_], axis=0)
        return self

    def transform(self, X: Any) -> Any:
        """Keep the variables learnt in ``fit`` and fill their gaps."""
        values = self._kept(X)
        return np.where(np.isnan(values), self.medians_, values)
