"""Area under the ROC curve, with DeLong's variance and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, ndtri, stdtr

from radiogenomics.core.errors import AlignmentError, DataError, UnknownNameError
from radiogenomics.stats.inputs import (
    Bools,
    Floats,
    as_floats,
    check_labels,
    check_level,
    check_scores,
)
from radiogenomics.stats.intervals import clopper_pearson
from radiogenomics.stats.ranks import midranks

_CHUNK = 2**20
# A DeLong variance below this is rounding: the smallest real one is of the order n^-3.
_NO_VARIANCE = 1e-20


@dataclass(frozen=True)
class AucEstimate:
    """An area under the ROC curve with its uncertainty.

    Attributes
    ----------
    value : float
        Probability that a positive scores above a negative, ties one half; 1/2 is chance.
    variance : float
        DeLong's; 0 when the classes are separated, NaN when a class has one member.
    low, high : float
        Bounds between 0 and 1.
    n_positive, n_negative : int
    """

    value: float
    variance: float
    low: float
    high: float
    n_positive: int
    n_negative: int


class AucDifference(NamedTuple):
    """Comparison of two areas under the ROC curve.

    Attributes
    ----------
    difference : float
        First less second.
    z : float
        Difference over its standard error.
    p : float
        Two-sided.
    se : float
        Standard error of the difference.
    """

    difference: float
    z: float
    p: float
    se: float


def auc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Area under the ROC curve.

    The share of pairs of a positive and a negative in which the positive scores higher, ties one
    half (Mann-Whitney U over n1 n0). Never turned round: a score that points the wrong way gives
    less than 1/2. Says nothing of calibration, nor of the threshold one would use.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Higher speaks for the positive class.
    labels : array-like of shape (n,)
        1 for positive, 0 for negative.

    Returns
    -------
    float

    Raises
    ------
    DataError
        If scores are not finite or not one per label.
    OutcomeError
        If labels are not 0 and 1, or one class is absent.

    References
    ----------
    Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747.

    Examples
    --------
    >>> auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    values, positive = check_scores(scores, labels)
    return float(_areas(midranks(values), positive))


def auc_batch(scores: ArrayLike, labels: ArrayLike) -> Floats:
    """Areas under many ROC curves.

    Parameters
    ----------
    scores : array-like of shape (batch, n) or (n,)
        Finite; a row that holds NaN gives NaN.
    labels : array-like of shape (n,) or (batch, n)
        1 for positive, 0 for negative. One score with many rows of labels is a permutation null,
        many scores with one row of labels a screen.

    Returns
    -------
    ndarray of shape (batch,)
        NaN where a row has one class only.

    Raises
    ------
    DataError
        If the shapes do not fit.
    OutcomeError
        If labels are not 0 and 1.

    References
    ----------
    As in `auc`.

    Examples
    --------
    >>> auc_batch([0.1, 0.4, 0.35, 0.8], [[0, 0, 1, 1], [1, 1, 1, 1]]).tolist()
    [0.75, nan]
    """
    values = np.atleast_2d(as_floats(scores, "scores"))
    classes = np.atleast_2d(np.asarray(labels))
    batch, n = max(len(values), len(classes)), classes.shape[-1]
    if any(a.ndim != 2 or a.shape[1] != n or len(a) not in (1, batch) for a in (values, classes)):
        raise DataError(
            "expected scores and labels of shape (n,) or (batch, n), with one batch where both "
            f"have it; found {values.shape} and {classes.shape}; put one patient a column in both."
        )
    positive = check_labels(classes.ravel()).reshape(classes.shape)
    # What is shared is ranked once.
    shared = midranks(values[0]) if len(values) == 1 else None
    areas = np.empty(batch)
    width = max(1, _CHUNK // n)
    for start in range(0, batch, width):
        part = slice(start, start + width)
        ranks = midranks(values[part]) if shared is None else shared
        areas[part] = _areas(ranks, positive[part] if len(positive) > 1 else positive[0])
    areas[np.broadcast_to(np.isnan(values).any(axis=1), areas.shape)] = np.nan
    return areas


def delong(
    scores: ArrayLike, labels: ArrayLike, *, level: float = 0.95, scale: str = "logit"
) -> AucEstimate:
    """Area under the ROC curve with DeLong's variance and an interval.

    With V10 the share of negatives that each positive beats and V01 the share of positives that
    beat each negative (ties one half), the variance is var(V10) / n1 + var(V01) / n0, computed from
    midranks in n log n. The interval is a Wald interval of logit AUC, or of the AUC itself cut off
    at 0 and 1 with ``scale="linear"``.

    Where the variance has nothing to say (classes separated, all scores equal, a class of one) the
    bounds are those of Clopper and Pearson for as many independent pairs as the smaller class has
    members, which is cautious: separation of 10 against 30 gives 0.69 to 1.

    Each patient must count once: pooled repeats of cross-validation make the interval too narrow.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Higher speaks for the positive class.
    labels : array-like of shape (n,)
        1 for positive, 0 for negative.
    level : float
    scale : {"logit", "linear"}

    Returns
    -------
    AucEstimate

    Raises
    ------
    DataError
        If scores are not finite or not one per label.
    OutcomeError
        If labels are not 0 and 1, or one class is absent.
    UnknownNameError
        If the scale is not known.

    References
    ----------
    DeLong et al. 1988, doi:10.2307/2531595; Sun & Xu 2014, doi:10.1109/LSP.2014.2337313.

    Examples
    --------
    >>> found = delong([0.1, 0.4, 0.35, 0.8, 0.7, 0.2], [0, 0, 1, 1, 1, 0])
    >>> round(found.value, 3), round(found.low, 2), round(found.high, 2)
    (0.889, 0.26, 0.99)
    """
    if scale not in ("logit", "linear"):
        raise UnknownNameError("interval scale", scale, ("linear", "logit"))
    z = ndtri(0.5 + check_level(level) / 2)
    values, positive = check_scores(scores, labels)
    wins, losses = _placements(values, positive)
    value, variance = float(wins.mean()), _variance(wins, losses)
    if variance > _NO_VARIANCE:
        low, high = _wald(value, z * np.sqrt(variance), scale)
    else:
        pairs = min(wins.size, losses.size)
        low, high = clopper_pearson(value * pairs, pairs, level=level)
    return AucEstimate(value, variance, float(low), float(high), wins.size, losses.size)


def delong_test(scores_a: ArrayLike, scores_b: ArrayLike, labels: ArrayLike) -> AucDifference:
    """Compare two scores of the same patients by their areas under the ROC curve.

    The difference over the square root of var A + var B - 2 cov(A, B), normal under the null that
    the areas are equal. Not valid for nested models judged on the patients they were fitted to.

    Parameters
    ----------
    scores_a, scores_b, labels : array-like of shape (n,)

    Returns
    -------
    AucDifference
        p is 1 when the scores rank all patients alike; z and p are NaN when the areas differ but
        the variance is zero (both constant or separating), where only a permutation test would do.

    Raises
    ------
    DataError
        If scores are not finite or not one per label.
    OutcomeError
        If labels are not 0 and 1, or one class is absent.

    References
    ----------
    DeLong et al. 1988, doi:10.2307/2531595.

    Examples
    --------
    >>> a, b = [0.1, 0.4, 0.35, 0.8, 0.7, 0.2], [0.3, 0.1, 0.2, 0.9, 0.4, 0.35]
    >>> [round(x, 3) for x in delong_test(a, b, [0, 0, 1, 1, 1, 0])]
    [0.111, 0.447, 0.655, 0.248]
    """
    first, positive = check_scores(scores_a, labels)
    second, _ = check_scores(scores_b, labels)
    wins_a, losses_a = _placements(first, positive)
    wins_b, losses_b = _placements(second, positive)
    difference = float(wins_a.mean() - wins_b.mean())
    # var A + var B - 2 cov(A, B) is the variance of the differences of the placements.
    variance = _variance(wins_a - wins_b, losses_a - losses_b)
    z = _standardised(difference, variance)
    return AucDifference(difference, z, float(2 * ndtr(-abs(z))), float(np.sqrt(variance)))


def delong_test_unpaired(a: AucEstimate, b: AucEstimate) -> AucDifference:
    """Compare areas under the ROC curve of two independent groups of patients.

    The difference over the square root of var A + var B, referred to Student's t with Welch's
    degrees of freedom, (vA + vB)^2 / (vA^2 / (nA - 1) + vB^2 / (nB - 1)), n being all patients of a
    group. For two scores of the same patients use `delong_test`.

    Parameters
    ----------
    a, b : AucEstimate
        From `delong`, on groups without a patient in common.

    Returns
    -------
    AucDifference
        `z` holds the t statistic; NaN with p when a variance is not positive and the areas differ.

    Raises
    ------
    AlignmentError
        If either is not an `AucEstimate`.

    References
    ----------
    DeLong et al. 1988, doi:10.2307/2531595; Welch 1947, doi:10.1093/biomet/34.1-2.28.

    Examples
    --------
    >>> labels = [0, 0, 1, 1, 1, 0]
    >>> a = delong([0.1, 0.4, 0.35, 0.8, 0.7, 0.2], labels)
    >>> b = delong([0.3, 0.1, 0.2, 0.9, 0.4, 0.35], labels)
    >>> [round(x, 3) for x in delong_test_unpaired(a, b)]
    [0.111, 0.378, 0.715, 0.294]
    """
    for each in (a, b):
        if not isinstance(each, AucEstimate):
            raise AlignmentError(
                f"expected two AucEstimate; found {type(each).__name__}; call delong on each group."
            )
    difference = a.value - b.value
    n_a, n_b = a.n_positive + a.n_negative, b.n_positive + b.n_negative
    variance = a.variance + b.variance
    z, se = _standardised(difference, variance), float(np.sqrt(variance))
    if not variance > _NO_VARIANCE:
        return AucDifference(difference, z, float(2 * ndtr(-abs(z))), se)
    df = variance**2 / (a.variance**2 / (n_a - 1) + b.variance**2 / (n_b - 1))
    return AucDifference(difference, z, float(2 * stdtr(df, -abs(z))), se)


def _wald(value: float, half: float, scale: str) -> Floats:
    if scale == "linear":
        return np.clip([value - half, value + half], 0, 1)
    half = half / (value * (1 - value))
    return np.asarray(expit(logit(value) + np.array([-half, half])))


def _areas(ranks: Floats, positive: Bools) -> Floats:
    n_positive = positive.sum(axis=-1)
    n_negative = positive.shape[-1] - n_positive
    if ranks.ndim == 2 and positive.ndim == 2:
        total = np.einsum("bn,bn->b", ranks, positive)
    else:
        total = ranks @ positive.T.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(
            (total - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative), dtype=float
        )


def _placements(values: Floats, positive: Bools) -> tuple[Floats, Floats]:
    """Share of negatives each positive beats, and share of positives that beat each negative."""
    ranks = midranks(values)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    wins = (ranks[positive] - midranks(values[positive])) / n_negative
    losses = 1 - (ranks[~positive] - midranks(values[~positive])) / n_positive
    return wins, losses


def _variance(wins: Floats, losses: Floats) -> float:
    if min(wins.size, losses.size) < 2:
        return float("nan")
    return float(wins.var(ddof=1) / wins.size + losses.var(ddof=1) / losses.size)


def _standardised(difference: float, variance: float) -> float:
    if variance > _NO_VARIANCE:
        return difference / float(np.sqrt(variance))
    return 0.0 if difference == 0 else float("nan")
