"""Tests and error measures of predicted probabilities that need no curve.

A test of calibration says least where most is wanted: with few patients it misses gross errors, and
with many it rejects models that are good enough. Read them beside a curve and its slope.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtr

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.classification.calibration import _check as check_probabilities
from radiogenomics.stats.classification.calibration import quantile_groups
from radiogenomics.stats.inputs import Floats, check_scores
from radiogenomics.stats.survival.cox import ChiSquared

BINNINGS = ("count", "width")


class CalibrationError(NamedTuple):
    """Distance of observed shares from mean predictions, over bins.

    Attributes
    ----------
    value : float
        Mean over patients, 0 to 1.
    maximum : float
        Largest of any bin.
    when_calibrated : float
        What `value` is on average for labels that follow the predictions exactly: the part that
        binning and chance make up.
    n : ndarray of int, shape (bins,)
        Patients in each bin that has any.
    """

    value: float
    maximum: float
    when_calibrated: float
    n: NDArray[np.intp]


class SpiegelhalterTest(NamedTuple):
    """Spiegelhalter's test of calibration.

    Attributes
    ----------
    z : float
        Above 0 where the Brier score is worse than the predictions themselves promise.
    p : float
        Two-sided.
    """

    z: float
    p: float


def expected_calibration_error(
    probability: ArrayLike, label: ArrayLike, *, bins: int = 10, binning: str = "count"
) -> CalibrationError:
    """Mean distance of the observed share from the mean prediction, over bins of the prediction.

    ECE = sum over bins of n_b / n |observed_b - predicted_b|. Biased twice: chance within a bin
    makes it positive for calibrated models (about sqrt(2 p (1 - p) / (pi n_b)) a bin), and errors
    of opposite sign within a bin cancel. It grows with the number of bins, and so compares only
    between models on the same patients, with the same bins, and beside `when_calibrated`.

    Parameters
    ----------
    probability : array-like of shape (n,)
        Predicted probability of label 1.
    label : array-like of shape (n,)
    bins : int
    binning : {"count", "width"}
        Bins cut at quantiles of the prediction, with about as many patients each, or of equal
        width from 0 to 1, some perhaps with hardly any. A prediction on an edge is in the lower.

    Returns
    -------
    CalibrationError

    Raises
    ------
    DataError
        If probabilities lie outside 0 to 1 or are not one per label, or bins is below 1.
    OutcomeError
        If labels are not 0 and 1.
    UnknownNameError
        If the binning is not known.

    References
    ----------
    Naeini, Cooper & Hauskrecht 2015, Proc. AAAI 29, 2901-2907; Bröcker 2012,
    doi:10.1007/s00382-011-1191-1 (bias of binned scores).

    Examples
    --------
    >>> found = expected_calibration_error([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], bins=2)
    >>> round(found.value, 3), round(found.when_calibrated, 3)
    (0.15, 0.199)
    """
    if binning not in BINNINGS:
        raise UnknownNameError("binning", binning, BINNINGS)
    values, positive = check_probabilities(probability, label)
    place = _places(values, bins, by_count=binning == "count")
    n = np.bincount(place)
    gaps = np.abs(np.bincount(place, weights=positive - values))
    variances = np.bincount(place, weights=values * (1 - values))
    return CalibrationError(
        value=float(gaps.sum() / values.size),
        maximum=float((gaps / n).max()),
        when_calibrated=float(np.sqrt(2 * variances / np.pi).sum() / values.size),
        n=n,
    )


def hosmer_lemeshow(
    probability: ArrayLike, label: ArrayLike, *, groups: int = 10, external: bool = True
) -> ChiSquared:
    """Hosmer-Lemeshow test of observed against expected counts in groups of rising prediction.

    X^2 = sum over groups of (O1 - E1)^2 / E1 + (O0 - E0)^2 / E0 for positives and negatives, with
    groups cut at quantiles of the prediction (equal predictions stay together; groups left empty
    are dropped). On patients the model has not seen it has g degrees of freedom, on those it was
    fitted to g - 2. The result hangs on g, says nothing of the direction, and has little power in
    small samples. A prediction of 0 that came true gives infinity.

    Parameters
    ----------
    probability : array-like of shape (n,)
        Predicted probability of label 1.
    label : array-like of shape (n,)
        Both classes must be present.
    groups : int
    external : bool
        Whether the patients are others than those the model was fitted to.

    Returns
    -------
    ChiSquared

    Raises
    ------
    DataError
        If probabilities lie outside 0 to 1, are not one per label, or fill fewer than 2 groups
        (3 with ``external=False``).
    OutcomeError
        If labels are not 0 and 1, or one class is absent.

    References
    ----------
    Hosmer & Lemeshow 1980, doi:10.1080/03610928008827941.

    Examples
    --------
    >>> found = hosmer_lemeshow([0.1, 0.2, 0.3, 0.6, 0.7, 0.9], [0, 1, 0, 0, 1, 1], groups=3)
    >>> round(found.statistic, 3), found.df, round(found.p, 3)
    (4.058, 3, 0.255)
    """
    values, positive = check_scores(*check_probabilities(probability, label))
    place = _places(values, groups, by_count=True)
    filled, fewest = int(place.max()) + 1, 2 if external else 3
    if filled < fewest:
        raise DataError(
            f"expected predictions that fill {fewest} groups or more; found {filled}; ask for more "
            "groups, or use Spiegelhalter's test, which needs none."
        )
    observed = _sums(place, positive.astype(float))
    expected = _sums(place, values)
    # A group whose expected count is 0 says nothing when nothing was observed either.
    square = np.square(observed - expected)
    parts = np.divide(square, expected, out=np.zeros_like(square), where=expected > 0)
    parts[(expected == 0) & (observed > 0)] = np.inf
    statistic = float(parts.sum())
    df = filled if external else filled - 2
    return ChiSquared(statistic, df, float(chdtrc(df, statistic)))


def spiegelhalter_test(probability: ArrayLike, label: ArrayLike) -> SpiegelhalterTest:
    """Test whether the Brier score is what calibrated predictions would give.

    z = sum (y - p) (1 - 2 p) / sqrt(sum (1 - 2 p)^2 p (1 - p)), normal for calibrated predictions.
    Needs no groups. Blind to errors that cancel, and to all at p = 1/2; only for patients that the
    model has not seen.

    Parameters
    ----------
    probability : array-like of shape (n,)
        Predicted probability of label 1.
    label : array-like of shape (n,)

    Returns
    -------
    SpiegelhalterTest

    Raises
    ------
    DataError
        If probabilities lie outside 0 to 1, are not one per label, or are all 0, 1/2 or 1, where
        the test is undefined.
    OutcomeError
        If labels are not 0 and 1.

    References
    ----------
    Spiegelhalter 1986, doi:10.1002/sim.4780050506.

    Examples
    --------
    >>> found = spiegelhalter_test([0.1, 0.2, 0.3, 0.6, 0.7, 0.9], [0, 1, 0, 0, 1, 1])
    >>> round(found.z, 3), round(found.p, 3)
    (0.4, 0.689)
    """
    values, positive = check_probabilities(probability, label)
    lean = 1 - 2 * values
    variance = float((lean**2 * values * (1 - values)).sum())
    if variance == 0:
        raise DataError(
            "expected a prediction other than 0, 1/2 and 1; found none; the test is undefined for "
            "classes in place of probabilities."
        )
    z = float(((positive - values) * lean).sum() / np.sqrt(variance))
    return SpiegelhalterTest(z, float(2 * ndtr(-abs(z))))


def _places(values: Floats, bins: int, *, by_count: bool) -> NDArray[np.intp]:
    """Number of the bin of each prediction, those that are empty not counted."""
    if bins < 1:
        raise DataError(f"expected 1 bin or more; found {bins!r}; 5 or 10 are usual.")
    if by_count:
        place = quantile_groups(values, bins)
    else:
        place = np.searchsorted(np.arange(1, bins) / bins, values, side="left")
    return np.unique(place, return_inverse=True)[1]


def _sums(place: NDArray[np.intp], ones: Floats) -> Floats:
    """Sums of ones and of what is left of 1, by group."""
    return np.stack([np.bincount(place, weights=weights) for weights in (ones, 1 - ones)])
