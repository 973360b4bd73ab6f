"""Samples unlike the training samples as a whole: failed libraries, other tissues, other scales."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts

Floats = NDArray[np.float64]

STATISTICS = ("correlation", "level", "spread")
"""Of a sample: see :class:`ExpressionOutliers`."""

# SD of a normal distribution in units of its median absolute deviation.
_PER_MAD = 1.482602218505602
_TINY = 1e-6
_CLOSEST = 1 - 1e-12


class ExpressionOutliers(OutlierMixin, BaseEstimator):
    r"""Flag samples whose profile is unlike that of the training samples.

    Three numbers of a sample, on logarithms: *correlation* r (Pearson, over genes) with the median
    profile of the training samples, as Fisher's :math:`\operatorname{artanh} r`; *level*, the
    median over genes; *spread*, the interquartile range over genes. Each is compared with the
    training samples by its robust z, (value − median) / (1.4826 · median absolute deviation). The
    distance of a sample is the largest of −z of the correlation, :math:`|z|` of the level and
    :math:`|z|` of the spread; above ``threshold`` it is an outlier.

    A sample is judged alone against what was learnt, so a new patient's verdict never depends on
    who else is in the file. Misleads where the training samples are of two kinds (tumours and
    normal tissue: learn on one kind), and after genes were standardised, when the profile says
    nothing. A sample with fewer than 2 values is infinitely far. An outlier is a reason to look,
    not to drop.

    Parameters
    ----------
    threshold
        Distance above which a sample is an outlier, in robust standard deviations.

    Attributes
    ----------
    profile_ : ndarray, shape (n_features_in_,)
        Median of each gene over the training samples.
    centre_, scale_ : ndarray, shape (3,)
        Median and robust SD of the three numbers, in the order of :data:`STATISTICS`.
    offset_ : float
        ``-threshold``.

    Raises
    ------
    DataError
        There are fewer than 3 training samples or 2 genes, or a gene has no training value.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> train = rng.normal(size=(40, 1)) * 0.1 + np.arange(200.0) + rng.normal(size=(40, 200))
    >>> new = np.vstack([np.arange(200.0), np.arange(200.0)[::-1]])
    >>> ExpressionOutliers().fit(train).predict(new)
    array([ 1, -1])
    """

    card: ClassVar[Method] = Method(
        name="expression_outliers",
        title="Samples unlike the training samples in profile, level or spread",
        scope="omics: checks",
        reference="house",
        limits="Sees a sample as a whole, not single genes. Training samples of several kinds hide "
        "outliers between them.",
        learns=True,
    )

    def __init__(self, threshold: float = 5.0) -> None:
        self.threshold = threshold

    def fit(self, X: Any, y: Any = None) -> ExpressionOutliers:
        """Learn what samples look like; ``y`` is not used."""
        if not self.threshold > 0:
            raise DataError(
                f"threshold: expected a number above 0; found {self.threshold}. Mend the recipe."
            )
        refuse_row_facts(X)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        if values.shape[0] < 3 or values.shape[1] < 2:
            raise DataError(
                "expected at least 3 samples and 2 genes; found "
                f"n_samples={values.shape[0]}, n_features={values.shape[1]}. Leave this check out."
            )
        empty = np.isnan(values).all(axis=0)
        if empty.any():
            names = getattr(self, "feature_names_in_", np.arange(values.shape[1]))
            raise DataError(
                f"expected a training value of every gene; found none of {int(empty.sum())} "
                f"({short_list(names[empty])}). Drop them."
            )
        (self.profile_,) = _quantiles(values.T, (0.5,))
        found = self._statistics(values)
        found = found[np.isfinite(found).all(axis=1)]
        if len(found) < 3:
            raise DataError(
                f"expected at least 3 samples with 2 values or more; found {len(found)} of "
                f"{len(values)}. Check the table."
            )
        self.centre_ = np.median(found, axis=0)
        deviation = np.median(np.abs(found - self.centre_), axis=0) * _PER_MAD
        self.scale_ = np.maximum(deviation, _TINY * (1 + np.abs(self.centre_)))
        self.offset_ = -float(self.threshold)
        return self

    def table(self, X: Any) -> pd.DataFrame:
        """One row a sample: the three numbers, the z of each, ``distance`` and ``outlier``."""
        values = self._checked(X)
        found = self._statistics(values)
        z = (found - self.centre_) / self.scale_
        found[:, 0] = np.tanh(found[:, 0])
        index = X.index if isinstance(X, pd.DataFrame) else None
        table = pd.DataFrame(
            np.hstack([found, z]),
            index=index,
            columns=[*STATISTICS, *(f"z_{name}" for name in STATISTICS)],
        )
        distance = _distance(z)
        return table.assign(distance=distance, outlier=distance > self.threshold)

    def score_samples(self, X: Any) -> Floats:
        """Return minus the distance: lower is stranger."""
        found = self._statistics(self._checked(X))
        return -_distance((found - self.centre_) / self.scale_)

    def decision_function(self, X: Any) -> Floats:
        """Return what is left up to the threshold: negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return 1 for samples that fit and -1 for outliers."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _checked(self, X: Any) -> Floats:
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)

    def _statistics(self, values: Floats) -> Floats:
        missing = np.isnan(values)
        usable = (~missing).sum(axis=1) >= 2
        found = np.full((len(values), len(STATISTICS)), np.nan)
        if usable.any():
            known, gaps = values[usable], missing[usable]
            low, level, high = _quantiles(known, (0.25, 0.5, 0.75))
            r = _correlations(known, self.profile_, gaps)
            found[usable] = np.column_stack([np.arctanh(r), level, high - low])
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _distance(z: Floats) -> Floats:
    distance = np.column_stack([-z[:, 0], np.abs(z[:, 1:])]).max(axis=1)
    return np.where(np.isnan(distance), np.inf, distance)


def _quantiles(rows: Floats, shares: tuple[float, ...]) -> Floats:
    """Quantiles of each row, one line a share."""
    # Leaving out missing values costs several times the time, and so do scattered ones.
    quantile = np.nanquantile if np.isnan(rows).any() else np.quantile
    return quantile(np.ascontiguousarray(rows), shares, axis=1)


def _correlations(values: Floats, profile: Floats, missing: NDArray[np.bool_]) -> Floats:
    """Pearson correlation of each row with the profile over the row's own genes; 0 if constant."""
    weight = (~missing).astype(float)
    count = weight.sum(axis=1)
    filled = np.where(missing, 0.0, values)
    ours = (filled - (filled.sum(axis=1) / count)[:, None]) * weight
    theirs = (profile - ((weight @ profile) / count)[:, None]) * weight
    product = np.einsum("ij,ij->i", ours, theirs)
    norms = np.sqrt(np.einsum("ij,ij->i", ours, ours) * np.einsum("ij,ij->i", theirs, theirs))
    r = np.divide(product, norms, out=np.zeros_like(product), where=norms > 0)
    return np.clip(r, -_CLOSEST, _CLOSEST)
