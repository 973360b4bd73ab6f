"""The bootstrap as matrix products: how often each patient is drawn, times what each pair says.

A statistic of pairs of patients on a resample is a weighted sum over the pairs of the cohort, the
weight being how often both were drawn. So pairs are compared once, and all replicates are one
product. The numbers are those of a loop over resampled rows; statistics made from the same counts
are paired.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Floats, as_floats, check_labels, stratum_codes
from radiogenomics.stats.intervals import bootstrap_interval
from radiogenomics.stats.resampled_pairs import (
    beats,
    blocks,
    check_counts,
    check_score_rows,
    chunks,
    exact_type,
    ratio,
    sum_products,
)


@dataclass(frozen=True, eq=False)
class BootstrapEstimate:
    """A statistic with its bootstrap error and percentile interval.

    Attributes
    ----------
    value : ndarray of shape (...)
        On the cohort itself.
    se : ndarray of shape (...)
        Standard deviation over the replicates.
    low, high : ndarray of shape (...)
        Percentile bounds.
    replicates : int
    skipped : ndarray of int, shape (...)
        Replicates in which the statistic was undefined, left out of `se` and the bounds.
    """

    value: Floats
    se: Floats
    low: Floats
    high: Floats
    replicates: int
    skipped: NDArray[np.intp]


def bootstrap_counts(
    n: int, replicates: int, rng: np.random.Generator, *, strata: ArrayLike | None = None
) -> NDArray[np.int32]:
    """Draw n patients with replacement, many times, and count how often each was drawn.

    With strata (outcome classes, sites) each stratum is resampled on its own, so that all keep
    their size; the interval is then for cohorts of just this make-up. Where patients have several
    rows, draw patients and not rows.

    Parameters
    ----------
    n : int
        Patients.
    replicates : int
        2000 for the bounds of a 95 % interval.
    rng : numpy.random.Generator
    strata : array-like of shape (n,), optional
        Stratum of each patient, none missing.

    Returns
    -------
    ndarray of int, shape (replicates, n)
        Rows sum to n. ``np.repeat(np.arange(n), counts[b])`` lists the patients of resample b.

    Raises
    ------
    DataError
        If a number is below 1, or there is not one stratum a patient.

    References
    ----------
    Efron 1979, doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> counts = bootstrap_counts(5, 2, np.random.default_rng(0), strata=[0, 0, 1, 1, 1])
    >>> counts[:, :2].sum(axis=1).tolist(), counts.sum(axis=1).tolist()
    ([2, 2], [5, 5])
    """
    if min(n, replicates) < 1:
        raise DataError(
            f"expected at least 1 patient and 1 replicate; found {n} and {replicates}; "
            "2000 replicates are usual."
        )
    labels, member = stratum_codes(strata, n)
    counts = np.empty((replicates, n), dtype=np.int32)
    for stratum in range(labels.size):
        places = np.flatnonzero(member == stratum)
        for part in chunks(replicates, places.size):
            rows = part.stop - part.start
            drawn = rng.integers(places.size, size=(rows, places.size))
            drawn += places.size * np.arange(rows)[:, None]
            found = np.bincount(drawn.ravel(), minlength=rows * places.size)
            counts[part, places] = found.reshape(rows, places.size)
    return counts


def bootstrap_auc(scores: ArrayLike, labels: ArrayLike, counts: ArrayLike) -> Floats:
    """Area under the ROC curve on every resample.

    With M the comparison of each positive p with each negative q (1, 1/2 or 0) and W the counts,
    AUC_b = sum_pq W_bp M_pq W_bq / (sum_p W_bp sum_q W_bq). Counted in whole and half numbers, so
    exactly the value of `auc` on the resampled rows.

    Parameters
    ----------
    scores : array-like of shape (n,) or (scores, n)
        Higher speaks for the positive class; finite.
    labels : array-like of shape (n,)
        1 for positive, 0 for negative; both present.
    counts : array-like of int, shape (replicates, n)
        From `bootstrap_counts`; a row of ones gives the value on the cohort itself.

    Returns
    -------
    ndarray of shape (replicates,) or (replicates, scores)
        NaN where a resample has one class only.

    Raises
    ------
    DataError
        If scores are not finite, counts are not whole numbers, or the shapes do not fit.
    OutcomeError
        If labels are not 0 and 1, or one class is absent.

    References
    ----------
    Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747; Efron 1979,
    doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> bootstrap_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], [[1, 1, 1, 1], [1, 0, 0, 3]]).tolist()
    [0.75, 1.0]
    """
    positive = check_labels(labels)
    if positive.all() or not positive.any():
        raise OutcomeError(
            f"expected both classes; found only {int(positive[0])} among {positive.size} labels; "
            "discrimination is undefined with one class."
        )
    values = check_score_rows(scores, positive.size, what="score")
    drawn = check_counts(counts, positive.size)
    first, other = np.flatnonzero(positive), np.flatnonzero(~positive)
    kind = exact_type(drawn)
    areas = np.empty((drawn.shape[0], values.shape[0]))
    for part in chunks(drawn.shape[0], positive.size):
        weights = drawn[part].astype(kind)
        losing = weights[:, other]
        pairs = weights[:, first].sum(axis=1, dtype=float) * losing.sum(axis=1, dtype=float)
        for column, row in enumerate(values):
            won = np.zeros(len(weights))
            for i in blocks(first, other.size):
                score = beats(row[i], row[other], kind)
                won += sum_products(losing @ score.T, weights[:, i])
            areas[part, column] = ratio(won, pairs)
    return areas if np.ndim(scores) == 2 else areas[:, 0]


def bootstrap_estimate(
    value: ArrayLike, replicates: ArrayLike, *, level: float = 0.95
) -> BootstrapEstimate:
    """Put a percentile interval around an estimate.

    For a paired difference give the difference of the two values and of their replicates, made from
    the same counts. Percentile bounds are too narrow in small samples; undefined replicates are
    left out and counted, and when they are many the interval is for easier resamples.

    Parameters
    ----------
    value : array-like of shape (...)
        The statistic on the cohort itself.
    replicates : array-like of shape (replicates, ...)
        On each resample; NaN where undefined.
    level : float

    Returns
    -------
    BootstrapEstimate
        Error and bounds are NaN, with a warning, where fewer than two replicates are defined.

    Raises
    ------
    DataError
        If value and replicates do not have the same shape, but for the first axis.

    References
    ----------
    Efron 1979, doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> found = bootstrap_estimate(0.5, np.append(np.linspace(0, 1, 101), np.nan))
    >>> float(found.low), float(found.high), int(found.skipped)
    (0.025, 0.975, 1)
    """
    centre, values = as_floats(value, "an estimate"), as_floats(replicates, "replicates")
    if values.ndim == 0 or len(values) == 0 or values.shape[1:] != centre.shape:
        raise DataError(
            f"expected replicates of shape (replicates, *{centre.shape}), as the value; found "
            f"{values.shape}; pass one value a resample along the first axis."
        )
    skipped = np.isnan(values).sum(axis=0)
    lacking = len(values) - skipped < 2
    if lacking.any():
        warnings.warn(
            f"expected at least 2 of {len(values)} replicates to be defined; found fewer for "
            f"{int(lacking.sum())} statistics, whose error and bounds are NaN; resample within "
            "strata of the outcome, or take another horizon.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    usable = np.where(lacking, 0.0, values)
    se = np.where(lacking, np.nan, np.nanstd(usable, axis=0, ddof=min(1, len(values) - 1)))
    low, high = bootstrap_interval(usable, level=level)
    low, high = (np.where(lacking, np.nan, bound) for bound in (low, high))
    return BootstrapEstimate(centre, se, low, high, len(values), skipped)
