"""Distributions learnt on training patients: one for all variables, or one for each."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import DataError, UnknownNameError, short_list
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.stats.ranks import midranks

Floats = NDArray[np.float64]

_TIES = ("average", "order")
# Blom's: close to the expected normal order statistics.
_OFFSET = 3 / 8


class QuantileNormaliser(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Give every patient the distribution of values that training patients have on average.

    For variables in one unit (genes, proteins), not for radiomic features. The reference is the
    mean over training patients of their sorted values; a patient's r-th smallest value becomes the
    r-th smallest of the reference. Each patient is mapped alone, so a new one needs no other. On
    the training patients the result is that of ``limma::normalizeQuantiles``.

    Values that a patient lacks stay missing; those present are spread evenly over the reference.
    Misleads where patients truly differ in many variables at once: their distributions are made
    alike all the same.

    Parameters
    ----------
    ties
        What equal values of a patient become: ``"average"``, the reference at their mean rank; or
        ``"order"``, different values in the order of the columns, so that every patient has exactly
        the reference (equal values no longer are).

    Attributes
    ----------
    reference_ : ndarray, shape (n_features_in_,)
        Rising, in the variables' unit.

    Raises
    ------
    DataError
        A patient has fewer than two values, or there is one variable only.

    References
    ----------
    Bolstad et al. 2003, doi:10.1093/bioinformatics/19.2.185.

    Examples
    --------
    >>> normalise = QuantileNormaliser().fit(np.array([[1.0, 5.0, 3.0], [4.0, 2.0, 9.0]]))
    >>> normalise.reference_
    array([1.5, 3.5, 7. ])
    >>> normalise.transform(np.array([[10.0, 10.0, 30.0]]))
    array([[2.5, 2.5, 7. ]])
    """

    card: ClassVar[Method] = Method(
        name="quantile_normaliser",
        title="Each patient mapped to the mean distribution of the training patients",
        scope="features: normalisation",
        reference="Bolstad et al., Bioinformatics 2003;19:185, doi:10.1093/bioinformatics/19.2.185",
        limits="For variables in one unit. Hides shifts that many variables share, biological ones "
        "too.",
        learns=True,
    )

    def __init__(self, ties: str = "average") -> None:
        self.ties = ties

    def fit(self, X: Any, y: Any = None) -> QuantileNormaliser:
        """Learn the reference distribution; ``y`` is not used."""
        if self.ties not in _TIES:
            raise UnknownNameError("way with ties", str(self.ties), _TIES)
        refuse_row_facts(X)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        if values.shape[1] < 2:
            raise DataError(
                "expected at least 2 variables, since a distribution of one says nothing; found "
                "n_features=1. Leave this step out."
            )
        count = _counted(values)
        # Missing values sort to the end.
        ordered = np.sort(values, axis=1)
        places = np.linspace(0, 1, values.shape[1])
        for row in np.flatnonzero(count < values.shape[1]):
            n = count[row]
            ordered[row] = np.interp(places, np.linspace(0, 1, n), ordered[row, :n])
        self.reference_ = ordered.mean(axis=0)
        return self

    def transform(self, X: Any) -> Floats:
        """Map each patient, alone, to the reference distribution."""
        check_is_fitted(self)
        values = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False
        )
        count = _counted(values)
        if self.ties == "average":
            rank = midranks(values)
        else:
            order = np.argsort(values, axis=1, kind="stable")
            rank = np.empty(values.shape)
            np.put_along_axis(rank, order, np.arange(1.0, values.shape[1] + 1)[None, :], axis=1)
        last = values.shape[1] - 1
        place = (rank - 1) * (last / (count - 1))[:, None]
        mapped = np.interp(place, np.arange(last + 1), self.reference_)
        return np.where(np.isnan(values), np.nan, mapped)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class NormalScores(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Replace each variable by the normal score of its rank among the training patients.

    A training value of mid-rank r among n becomes :math:`\Phi^{-1}((r - 3/8) / (n + 1/4))` (Blom);
    a value between two training values is interpolated between their scores, one beyond them gets
    the score of the nearest. With 80 patients scores end at ±2.4, where scikit-learn's
    ``QuantileTransformer(output_distribution="normal")`` puts the smallest and largest value, and
    everything beyond them, at ±5.2: outliers made by the transformation.

    Order within a variable is kept, differences are not. Missing values stay missing and are not
    counted; a variable that is the same for all becomes 0.

    Attributes
    ----------
    quantiles_ : tuple of ndarray
        Distinct training values of each variable, rising.
    scores_ : tuple of ndarray
        Their scores.

    Raises
    ------
    DataError
        A variable is missing in all training patients.

    References
    ----------
    Blom 1958, Statistical Estimates and Transformed Beta-Variables (offset 3/8); Beasley, Erickson
    & Allison 2009, doi:10.1007/s10519-009-9281-0 (limits).

    Examples
    --------
    >>> scores = NormalScores().fit(np.array([[1.0], [2.0], [10.0]]))
    >>> scores.transform(np.array([[2.0], [6.0], [99.0]])).round(2).ravel()
    array([0.  , 0.43, 0.87])
    """

    card: ClassVar[Method] = Method(
        name="normal_scores",
        title="Normal scores of ranks among the training patients (Blom)",
        scope="features: scaling",
        reference="Beasley et al., Behav Genet 2009;39:580, doi:10.1007/s10519-009-9281-0",
        limits="Keeps order only: how far apart values lie is lost, and values beyond the training "
        "range cannot be told apart.",
        learns=True,
    )

    def fit(self, X: Any, y: Any = None) -> NormalScores:
        """Learn each variable's distribution; ``y`` is not used."""
        refuse_row_facts(X)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        empty = np.flatnonzero(np.isnan(values).all(axis=0))
        if len(empty):
            names = getattr(self, "feature_names_in_", np.arange(values.shape[1]))
            raise DataError(
                f"expected a training value of every variable; found none of {len(empty)} "
                f"({short_list(names[empty])}). Drop them."
            )
        learnt = [_distinct(column[~np.isnan(column)]) for column in values.T]
        self.quantiles_ = tuple(quantiles for quantiles, _ in learnt)
        self.scores_ = tuple(scores for _, scores in learnt)
        return self

    def transform(self, X: Any) -> Floats:
        """Score patients against the training patients."""
        check_is_fitted(self)
        values = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False
        )
        scored = np.empty_like(values)
        for j, (quantiles, scores) in enumerate(zip(self.quantiles_, self.scores_, strict=True)):
            scored[:, j] = np.interp(values[:, j], quantiles, scores)
        return scored

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _counted(values: Floats) -> NDArray[np.intp]:
    """How many values each patient has."""
    count = values.shape[1] - np.isnan(values).sum(axis=1)
    few = np.flatnonzero(count < 2)
    if len(few):
        raise DataError(
            f"expected at least 2 values of each patient; found fewer in {len(few)} of "
            f"{len(values)} (rows {short_list(few)}). Leave these patients out."
        )
    return count


def _distinct(values: Floats) -> tuple[Floats, Floats]:
    """Distinct values, rising, and the normal score of their mid-rank."""
    quantiles, repeated = np.unique(values, return_counts=True)
    rank = np.cumsum(repeated) - (repeated - 1) / 2
    return quantiles, ndtri((rank - _OFFSET) / (len(values) + 1 - 2 * _OFFSET))
