"""What chance gives at a size: how far from it a worthless score comes by luck.

For a score that was fixed before it met these patients. One chosen as the best of several, tuned or
cut on them gets out of these ranges far more often than the level says.
"""

from __future__ import annotations

from math import exp, sqrt

import numpy as np
from scipy.special import ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, check_level
from radiogenomics.stats.intervals import Interval

# Additions up to which the distribution of U is counted out: a fifth of a second.
_COUNTED = 4 * 10**7
# R's qwilcox lets a cumulated share reach its quantile but for rounding.
_ROUNDING = 64 * np.finfo(float).eps


def auc_chance_range(positives: int, negatives: int, *, level: float = 0.95) -> Interval:
    """Range of the AUC of a score that knows nothing.

    A share `level` of worthless scores without ties comes to lie within: quantiles of the exact
    distribution of Mann and Whitney's U over m n; beyond some hundreds of patients a class, of the
    normal with variance (m + n + 1) / (12 m n).

    Parameters
    ----------
    positives, negatives : int
    level : float

    Returns
    -------
    Interval
        Symmetric about 1/2. Less than (1 - level) / 2 lies outside either bound.

    Raises
    ------
    DataError
        If a class is empty.

    References
    ----------
    Mann & Whitney 1947, doi:10.1214/aoms/1177730491.

    Examples
    --------
    >>> [round(bound, 3) for bound in auc_chance_range(18, 66)]
    [0.35, 0.65]
    """
    m, n = whole_number(positives, "positives"), whole_number(negatives, "negatives")
    tail = (1 - check_level(level)) / 2
    if min(m, n) * (m * n) / 2 <= _COUNTED:
        chances = np.cumsum(_lower_half_of_u(min(m, n), max(m, n)))
        half = 0.5 - float(np.searchsorted(chances, tail * (1 - _ROUNDING))) / (m * n)
    else:
        half = min(0.5, float(-ndtri(tail)) * sqrt((m + n + 1) / (12 * m * n)))
    return Interval(0.5 - half, 0.5 + half)


def c_index_chance_range(events: int, patients: int, *, level: float = 0.95) -> Interval:
    """Range of the C-index of a risk that knows nothing.

    Takes all without the event for followed as long as the longest: then d (d - 1) / 2 + d (n - d)
    pairs can be compared, d events among n patients, and with t = n - d Kendall's variance
    [n (n - 1) (2 n + 5) - t (t - 1) (2 t + 5)] / 72 over their square is that of C, exactly. Where
    patients are lost early fewer pairs are left, and the range is up to a tenth wider.

    Parameters
    ----------
    events, patients : int
    level : float

    Returns
    -------
    Interval
        Normal; cut off at 0 and 1.

    Raises
    ------
    DataError
        If there are more events than patients, or fewer than two patients.

    References
    ----------
    Kendall 1945, doi:10.1093/biomet/33.3.239.

    Examples
    --------
    >>> [round(bound, 3) for bound in c_index_chance_range(120, 209)]
    [0.447, 0.553]
    """
    d, n = events_among(events, patients)
    half = min(0.5, _quantile(level) * c_index_chance_error(d, n))
    return Interval(0.5 - half, 0.5 + half)


def hazard_ratio_chance_range(
    events: int, share_high: float = 0.5, *, level: float = 0.95
) -> Interval:
    """Range of the hazard ratio of two groups that do not differ (Schoenfeld).

    The standard error of log HR is 1 / sqrt(d p (1 - p)), d events and a share p of the patients in
    the one group.

    Parameters
    ----------
    events : int
    share_high : float
        Of patients in the one group; one half at the median.
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    DataError
        If a value is out of range.

    References
    ----------
    Schoenfeld 1983, doi:10.2307/2531021.

    Examples
    --------
    >>> [round(bound, 2) for bound in hazard_ratio_chance_range(100)]
    [0.68, 1.48]
    """
    half = _quantile(level) * schoenfeld_error(events, share_high)
    return Interval(exp(-half), exp(half))


def accuracy_chance(positives: int, negatives: int) -> float:
    """Accuracy of calling everybody the larger class.

    Parameters
    ----------
    positives, negatives : int

    Returns
    -------
    float

    Raises
    ------
    DataError
        If a class is empty.

    Examples
    --------
    >>> accuracy_chance(21, 34)
    0.6182
    """
    m, n = whole_number(positives, "positives"), whole_number(negatives, "negatives")
    return max(m, n) / (m + n)


def c_index_chance_error(events: int, patients: int) -> float:
    """Return the standard error of C under chance, all others followed as long as the longest."""
    without = patients - events
    pairs = events * (events - 1) / 2 + events * without
    spread = patients * (patients - 1) * (2 * patients + 5)
    return sqrt((spread - without * (without - 1) * (2 * without + 5)) / 72) / pairs


def schoenfeld_error(events: int, share_high: float) -> float:
    """Return the standard error of log HR of two groups, 1 / sqrt(d p (1 - p))."""
    if not 0 < share_high < 1:
        raise DataError(
            f"expected share_high above 0 and below 1; found {share_high!r}; a hazard ratio needs "
            "patients in both groups."
        )
    return 1 / sqrt(whole_number(events, "events") * share_high * (1 - share_high))


def events_among(events: int, patients: int) -> tuple[int, int]:
    """Return events and patients, or say that they do not fit."""
    d, n = whole_number(events, "events"), whole_number(patients, "patients")
    if d > n or n < 2:
        raise DataError(
            f"expected at least 2 patients and no more events than patients; found {d} events in "
            f"{n}; check the order of the two."
        )
    return d, n


def whole_number(value: int, what: str) -> int:
    """Return a count of at least 1, or say that it is none."""
    if not (np.isfinite(value) and value >= 1 and value == int(value)):
        raise DataError(
            f"expected {what} as a whole number of at least 1; found {value!r}; count them anew."
        )
    return int(value)


def _lower_half_of_u(fewer: int, more: int) -> Floats:
    """Chances of U = 0, 1, ... up to the middle, without ties.

    Coefficients of the product over i of (1 - q^(more + i)) / (1 - q^i), each factor scaled so that
    they add up to 1 throughout.
    """
    length = fewer * more // 2 + 1
    chances = np.zeros(length)
    chances[0] = 1.0
    for i in range(1, fewer + 1):
        chances[more + i :] -= chances[: max(0, length - more - i)].copy()
        padded = np.zeros(-(-length // i) * i)
        padded[:length] = chances
        chances = padded.reshape(-1, i).cumsum(axis=0).ravel()[:length] * (i / (more + i))
    return chances


def _quantile(level: float) -> float:
    return float(ndtri(0.5 + check_level(level) / 2))
