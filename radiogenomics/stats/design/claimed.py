"""What a published number could have looked like at the size of the study behind it.

A paper prints an AUC, an interval and how many patients it had. From these alone follows how wide
an interval is at that size; `chance_ranges` says how far from chance a worthless score comes. Both
are for patients who had no part in making the score: a claim measured on the patients it was learnt
from deserves less than what is returned here.

>>> expected = auc_interval_at(0.883, 126, 126)
>>> [round(bound, 2) for bound in expected]
[0.83, 0.92]
>>> round(narrowness((0.881, 0.888), expected), 2)
0.08
"""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
from scipy.special import expit, logit, ndtri

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.design.chance_ranges import (
    c_index_chance_error,
    events_among,
    schoenfeld_error,
    whole_number,
)
from radiogenomics.stats.design.validation_size import c_statistic_error, check_positive
from radiogenomics.stats.inputs import check_level
from radiogenomics.stats.intervals import Interval, clopper_pearson, wilson


def auc_interval_at(
    auc: float,
    positives: int,
    negatives: int,
    *,
    level: float = 0.95,
    variance: str = "newcombe",
) -> Interval:
    """Interval that an AUC has among so many patients, when nothing but the AUC is known.

    With Q1 = A / (2 - A) and Q2 = 2 A^2 / (1 + A), exact for exponential scores, Hanley and McNeil
    take [A (1 - A) + (m - 1) (Q1 - A^2) + (n - 1) (Q2 - A^2)] / (m n) for the variance, m positives
    and n negatives; Newcombe puts (m + n) / 2 - 1 for m - 1 and n - 1, so that it does not matter
    which class is called positive. The interval is Wald's of logit A. Below 1/2 the classes change
    places. Scores of few levels make it a little too wide, and clumped ones too narrow.

    An AUC nearer to 1 (or 0) than half a pair has no variance; its bounds are those of Clopper and
    Pearson for as many independent pairs as the smaller class has members, as in `delong`.

    Parameters
    ----------
    auc : float
        Published.
    positives, negatives : int
        Patients it was measured on.
    level : float
    variance : {"newcombe", "hanley_mcneil"}

    Returns
    -------
    Interval

    Raises
    ------
    DataError
        If the AUC lies outside 0 to 1, or a class is empty.
    UnknownNameError
        If the variance is not known.

    References
    ----------
    Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747; Newcombe 2006, doi:10.1002/sim.2324.

    Examples
    --------
    >>> [round(bound, 3) for bound in auc_interval_at(0.8, 20, 60)]
    [0.664, 0.89]
    >>> [round(bound, 3) for bound in auc_interval_at(1.0, 18, 66)]
    [0.815, 1.0]
    """
    m, n = whole_number(positives, "positives"), whole_number(negatives, "negatives")
    value = _share(auc, "AUC")
    if min(value, 1 - value) * m * n < 0.5:
        return _of_pairs(round(value), min(m, n), level=level)
    # A score turned round has the classes change places.
    turned = (value, m, n) if value >= 0.5 else (1 - value, n, m)
    return _wald_of_logit(value, _auc_error(*turned, variance=variance), level=level)


def c_index_interval_at(
    c_index: float,
    events: int,
    patients: int,
    *,
    level: float = 0.95,
    variance: str = "pairs",
) -> Interval:
    """Interval that a C-index has among so many patients and events, when no more is known.

    ``"pairs"`` takes the variance under chance (`c_index_chance_range`) and lets it fall with C as
    Newcombe's does, by 6 C (1 - C) [(1 - C) / (2 - C) + C / (1 + C)]. In simulated cohorts with 5
    to 75 % events its error is right to within 8 % up to C of 0.76, and a sixth too wide at 0.79
    with 70 % events. ``"newcombe"`` takes patients with and without the event for two classes, as
    meta-analyses do (Debray and colleagues): right where events are few, but twice too wide where
    three in four have one, since pairs of two events count too. Wald's of logit C; C of 0 or 1 as
    in `auc_interval_at`, with as many pairs as events.

    Parameters
    ----------
    c_index : float
        Published; Harrell's.
    events, patients : int
    level : float
    variance : {"pairs", "newcombe"}

    Returns
    -------
    Interval

    Raises
    ------
    DataError
        If C lies outside 0 to 1, or events do not fit the patients.
    UnknownNameError
        If the variance is not known.

    References
    ----------
    Debray et al. 2019, doi:10.1177/0962280218785504.

    Examples
    --------
    >>> [round(bound, 3) for bound in c_index_interval_at(0.74, 120, 209)]
    [0.692, 0.783]
    """
    d, n = events_among(events, patients)
    value = _share(c_index, "C-index")
    if value in (0, 1):
        return _of_pairs(value, d, level=level)
    if variance == "pairs":
        falling = 6 * value * (1 - value) * ((1 - value) / (2 - value) + value / (1 + value))
        error = c_index_chance_error(d, n) * sqrt(falling)
    elif variance == "newcombe":
        error = _newcombe_error(
            max(value, 1 - value), d, whole_number(n - d, "patients without event")
        )
    else:
        raise UnknownNameError("variance of a C-index", variance, ("pairs", "newcombe"))
    return _wald_of_logit(value, error, level=level)


def share_interval_at(share: float, n: int, *, level: float = 0.95) -> Interval:
    """Wilson's interval of a share of n patients: a sensitivity, an accuracy, a response rate.

    Parameters
    ----------
    share : float
        Published; need not be a whole number of patients, as it was rounded.
    n : int
        Patients it is a share of: for a sensitivity, the positives.
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    DataError
        If the share lies outside 0 to 1, or there is no patient.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> [round(bound, 3) for bound in share_interval_at(0.786, 14)]
    [0.524, 0.924]
    """
    trials = whole_number(n, "patients")
    found = wilson(_share(share, "share") * trials, trials, level=level)
    return Interval(float(found.low), float(found.high))


def hazard_ratio_interval_at(
    hazard_ratio: float, events: int, share_high: float = 0.5, *, level: float = 0.95
) -> Interval:
    """Interval that the hazard ratio of two groups has with so many events (Schoenfeld).

    The standard error of log HR is 1 / sqrt(d p (1 - p)), d events and a share p of the patients in
    the one group. Near HR = 1 that is exact but for small samples; a large HR, which empties one
    group sooner, is known a little less well. Not for a hazard ratio per unit of a number.

    Parameters
    ----------
    hazard_ratio : float
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
    >>> [round(bound, 2) for bound in hazard_ratio_interval_at(2.0, 100)]
    [1.35, 2.96]
    """
    middle = log(check_positive(hazard_ratio, "hazard ratio"))
    half = _quantile(level) * schoenfeld_error(events, share_high)
    return Interval(exp(middle - half), exp(middle + half))


def narrowness(claimed: tuple[float, float], expected: tuple[float, float]) -> float:
    """Width of a published interval over the width that is to be expected at its size.

    Parameters
    ----------
    claimed, expected : pair of float
        Lower and upper bound, of one level.

    Returns
    -------
    float
        1 where the interval is as wide as it should be, less where it is too narrow.

    Raises
    ------
    DataError
        If an interval is upside down or not finite, or the expected one has no width.

    Examples
    --------
    >>> round(narrowness((0.858, 0.895), (0.76, 0.94)), 2)
    0.21
    """
    widths = [high - low for low, high in (claimed, expected)]
    if not (np.isfinite(widths).all() and widths[0] >= 0 and widths[1] > 0):
        raise DataError(
            "expected two intervals, low before high, the second of some width; found "
            f"{tuple(claimed)} and {tuple(expected)}; give the bounds in this order."
        )
    return float(widths[0] / widths[1])


def _auc_error(higher: float, first: int, second: int, *, variance: str) -> float:
    if variance == "newcombe":
        return _newcombe_error(higher, first, second)
    if variance != "hanley_mcneil":
        raise UnknownNameError("variance of an AUC", variance, ("newcombe", "hanley_mcneil"))
    above = (first - 1) * (higher / (2 - higher) - higher**2)
    below = (second - 1) * (2 * higher**2 / (1 + higher) - higher**2)
    return sqrt((higher * (1 - higher) + above + below) / (first * second))


def _newcombe_error(higher: float, first: int, second: int) -> float:
    n = first + second
    # At 1/2 itself the formula holds, but nobody plans for it: `c_statistic_error` wants more.
    return c_statistic_error(max(higher, float(np.nextafter(0.5, 1))), first / n, n=n)


def _wald_of_logit(value: float, error: float, *, level: float) -> Interval:
    half = _quantile(level) * error / (value * (1 - value))
    return Interval(float(expit(logit(value) - half)), float(expit(logit(value) + half)))


def _of_pairs(value: float, pairs: int, *, level: float) -> Interval:
    found = clopper_pearson(value * pairs, pairs, level=level)
    return Interval(float(found.low), float(found.high))


def _quantile(level: float) -> float:
    return float(ndtri(0.5 + check_level(level) / 2))


def _share(value: float, what: str) -> float:
    if not 0 <= value <= 1:
        raise DataError(f"expected {what} between 0 and 1; found {value!r}; write 0.8 for 80 %.")
    return float(value)
