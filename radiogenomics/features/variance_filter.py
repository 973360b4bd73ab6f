"""Keep variables that vary enough beside their own size."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

import numpy as np
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.stats.inputs import Floats

Measure = Literal["cv", "relative_iqr", "iqr"]
MEASURES: tuple[Measure, ...] = get_args(Measure)

# A spread or centre below this share of the largest value is rounding.
ROUNDING = 1e-13


class VarianceFilter(FeatureSelector):
    r"""Keep variables whose spread over the training patients exceeds a threshold.

    - ``cv``: coefficient of variation, :math:`s / |\bar x|`, with the sample standard deviation;
    - ``relative_iqr``: interquartile range over :math:`|\mathrm{median}|`, deaf to a few outliers;
    - ``iqr``: interquartile range in the unit of the variable.

    The first two do not change with the unit (mm or cm, HU or scaled), so one threshold serves a
    table of many units. They do change with the zero: a variable around 0 has a large relative
    spread whatever it says, one with a far zero (age in years since 1900) a small one. ``iqr`` is
    for tables of one unit, such as log expression. For the plain variance use scikit-learn's
    ``VarianceThreshold``; for constants, :class:`DropConstant`.

    Spread is not relevance: this thins out, it does not select.

    Parameters
    ----------
    measure
        One of the three.
    threshold
        Variables above it are kept; at least 0.
    k
        Keep at most so many, the most varying; None for all above the threshold.
    fallback
        How many of the most varying to keep when none is above the threshold; 0 fails instead.

    Attributes
    ----------
    spread_ : ndarray, shape (n_features_in_,)
        The measure, at least 0; inf where a variable varies around a centre of 0.
    support_, scores_, fell_back_
        As in :class:`FeatureSelector`; scores are ``spread_``.

    Raises
    ------
    DataError
        A value is missing or infinite, a parameter is senseless, or no variable is left.

    Examples
    --------
    >>> X = np.array([[1.0, 100.0], [2.0, 101.0], [3.0, 102.0]])
    >>> VarianceFilter(threshold=0.05).fit(X).spread_
    array([0.5 , 0.0099])
    """

    card: ClassVar[Method] = Method(
        name="variance_filter",
        title="Keep variables by coefficient of variation or interquartile range",
        scope="features: selection",
        reference="house",
        limits="Relative measures depend on where a variable has its zero, and are large for any "
        "variable around 0. A rare but telling binary variable has an interquartile range of 0.",
        learns=True,
    )

    def __init__(
        self,
        measure: Measure = "cv",
        threshold: float = 0.1,
        *,
        k: int | None = None,
        fallback: int = 1,
    ) -> None:
        self.measure = measure
        self.threshold = threshold
        self.k = k
        self.fallback = fallback

    def fit(self, X: Any, y: Any = None) -> VarianceFilter:
        """Measure the spread of each variable; ``y`` is not used."""
        self._check_parameters()
        refuse_row_facts(X)
        values = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self.spread_ = _spread(values, self.measure)
        passed = self.spread_ > self.threshold
        if self.k is not None:
            order = np.argsort(-self.spread_, kind="stable")
            passed[order[self.k :]] = False
        self._settle(passed, self.spread_)
        return self

    def _check_parameters(self) -> None:
        if self.measure not in MEASURES:
            raise DataError(
                f"measure: expected one of {', '.join(MEASURES)}; found {self.measure!r}. For the "
                "variance itself use scikit-learn's VarianceThreshold."
            )
        if not self.threshold >= 0:
            raise DataError(
                f"threshold: expected at least 0; found {self.threshold}. Write 0.1 for 10 % of "
                "the mean."
            )
        if self.k is not None and (self.k < 1 or int(self.k) != self.k):
            raise DataError(f"k: expected a whole number from 1; found {self.k}. Mend the recipe.")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags


def _spread(values: Floats, measure: Measure) -> Floats:
    if measure == "cv":
        spread, centre = values.std(axis=0, ddof=1), values.mean(axis=0)
    else:
        low, centre, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
        spread = high - low
    rounding = ROUNDING * np.abs(values).max(axis=0)
    spread = np.where(spread > rounding, spread, 0.0)
    if measure == "iqr":
        return spread
    relative = np.full(spread.shape, np.inf)
    np.divide(spread, np.abs(centre), out=relative, where=np.abs(centre) > rounding)
    return np.where(spread > 0, relative, 0.0)
