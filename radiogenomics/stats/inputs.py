"""Checks of outcomes, labels and scores at the border of the statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, OutcomeError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Times that differ by no more than this share of themselves differ by rounding only.
_ROUNDING = float(np.sqrt(np.finfo(float).eps))


def check_survival(
    time: ArrayLike, event: ArrayLike, *, need_events: bool = True
) -> tuple[Floats, Bools]:
    """Return time and event as arrays that can be analysed, or say what is wrong with them.

    Times that differ by rounding only, as 0.1 + 0.2 and 0.3 do, would break ties; they all become
    the smallest of them, as with the ``timefix`` of R's ``survfit`` and ``coxph``. That is of times
    within 1.5e-8 of one another, as a share of themselves.

    Parameters
    ----------
    time : array-like of shape (n,)
        Follow-up, in months by house rule; finite and not negative.
    event : array-like of shape (n,)
        1 or True where the event was seen at `time`, 0 or False where follow-up was censored.
    need_events : bool
        Whether at least one event is required.

    Returns
    -------
    time : ndarray of float, shape (n,)
    event : ndarray of bool, shape (n,)

    Raises
    ------
    OutcomeError
        If the two differ in length or are not one-dimensional, a time is negative or not finite, an
        event is not 0 or 1, or there is no event, or no time above 0, although one is needed.

    Examples
    --------
    >>> check_survival([3.0, 0.1 + 0.2, 0.3], [1, 0, 1])
    (array([3. , 0.3, 0.3]), array([ True, False,  True]))
    """
    times = as_floats(time, "follow-up times")
    flags = as_floats(event, "event indicators")
    if times.ndim != 1 or times.shape != flags.shape or times.size == 0:
        raise OutcomeError(
            "expected time and event as two one-dimensional arrays of one length, at least 1; "
            f"found shapes {times.shape} and {flags.shape}; pass one value of each per patient."
        )
    bad = ~(np.isfinite(times) & (times >= 0))
    if bad.any():
        raise OutcomeError(
            "expected finite follow-up times of 0 or more; "
            f"found {int(bad.sum())} others, the first {times[bad][0]!s} at position "
            f"{int(np.flatnonzero(bad)[0])}; drop or mend these patients."
        )
    odd = ~((flags == 0) | (flags == 1))
    if odd.any():
        raise OutcomeError(
            "expected events coded 1 (seen) and 0 (censored); "
            f"found {int(odd.sum())} others, the first {flags[odd][0]!s} at position "
            f"{int(np.flatnonzero(odd)[0])}; recode the event column."
        )
    if need_events:
        _require_events(times, flags)
    return _tie_rounded(times), flags.astype(bool)


def _require_events(times: Floats, flags: Floats) -> None:
    if not flags.any():
        raise OutcomeError(
            f"expected at least one event; found none among {flags.size} patients; "
            "check how the event is coded or choose another endpoint."
        )
    if not times.any():
        raise OutcomeError(
            f"expected follow-up times above zero; found all {times.size} zero; check their unit "
            "(whole years round to 0) and from when they are counted."
        )


def _tie_rounded(times: Floats) -> Floats:
    """Give times that differ by rounding only the smallest value among them.

    R's ``aeqSurv`` takes the share of the mean time, and of one month if that is longer; times far
    below it, however distinct, are one there. Nor are chains merged here, of times each near the
    next: one too far from the first of them stands for itself. See Therneau 2016, Roundoff error
    and tied times, vignette of the R package survival.
    """
    ordered = np.sort(times)
    steps = np.diff(ordered)
    if not ((steps > 0) & (steps <= _ROUNDING * ordered[:-1])).any():
        return times
    distinct = ordered[np.append(True, steps > 0)]
    bounds = distinct * (1 + _ROUNDING)
    # Runs of times, each near the next; nearly always all of a run are near its first.
    first = np.flatnonzero(np.append(True, distinct[1:] > bounds[:-1]))
    last = np.append(first[1:], distinct.size) - 1
    kept = first.tolist()
    for run in np.flatnonzero(distinct[last] > bounds[first]):
        start = np.searchsorted(distinct, bounds[first[run]], side="right")
        while start <= last[run]:
            kept.append(start)
            start = np.searchsorted(distinct, bounds[start], side="right")
    values = distinct[np.sort(kept)]
    return np.asarray(values[np.searchsorted(values, times, side="right") - 1])


def survival_target(y: Any) -> tuple[Floats, Bools]:
    """Return time and event of a structured survival target, the ``y`` of survival estimators.

    Parameters
    ----------
    y : structured ndarray of shape (n,)
        One boolean field, the event, and one numeric field, the time in months, in this order, as
        ``SurvivalOutcome.to_structured`` and scikit-survival make it.

    Returns
    -------
    time : ndarray of float, shape (n,)
    event : ndarray of bool, shape (n,)

    Raises
    ------
    OutcomeError
        If `y` is something else, or the times cannot be analysed.

    Examples
    --------
    >>> y = np.array([(True, 3.0), (False, 5.0)], dtype=[("event", bool), ("time", float)])
    >>> survival_target(y)
    (array([3., 5.]), array([ True, False]))
    """
    target = np.asarray(y)
    fields = target.dtype.names or ()
    if len(fields) != 2 or target.dtype[0] != np.bool_ or target.ndim != 1:
        raise OutcomeError(
            "expected a survival target: a structured array of event (bool) and time, one a "
            f"patient; found {target.dtype} of shape {target.shape}; use "
            "SurvivalOutcome.to_structured()."
        )
    return check_survival(target[fields[1]], target[fields[0]])


def check_scores(scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Bools]:
    """Return scores and two-class labels as arrays, or say what is wrong with them.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Finite numbers.
    labels : array-like of shape (n,)
        1 or True for the positive class, 0 or False for the other; both must be present.

    Returns
    -------
    scores : ndarray of float, shape (n,)
    labels : ndarray of bool, shape (n,)

    Raises
    ------
    DataError
        If a score is not finite or the shapes differ.
    OutcomeError
        If a label is neither 0 nor 1, or one class is absent.

    Examples
    --------
    >>> check_scores([0.2, 0.9], [0, 1])
    (array([0.2, 0.9]), array([False,  True]))
    """
    values = as_floats(scores, "scores")
    if values.ndim != 1 or not np.isfinite(values).all():
        raise DataError(
            "expected a one-dimensional array of finite scores; found shape "
            f"{values.shape} with {int((~np.isfinite(values)).sum())} values that are not finite; "
            "drop or impute them first."
        )
    classes = check_labels(labels)
    if classes.shape != values.shape:
        raise DataError(
            f"expected one label per score; found {classes.size} labels and {values.size} scores; "
            "align the two by patient."
        )
    if classes.all() or not classes.any():
        raise OutcomeError(
            f"expected both classes; found only {int(classes[0])} among {classes.size} labels; "
            "discrimination is undefined with one class."
        )
    return values, classes


def check_labels(labels: ArrayLike) -> Bools:
    """Return labels coded 0 and 1 as booleans.

    Parameters
    ----------
    labels : array-like of shape (n,)

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    OutcomeError
        If the labels are empty, not one-dimensional, or not all 0 or 1.

    Examples
    --------
    >>> check_labels([0, 1])
    array([False,  True])
    """
    values = as_floats(labels, "labels")
    odd = ~((values == 0) | (values == 1))
    if values.ndim != 1 or values.size == 0 or odd.any():
        raise OutcomeError(
            "expected a one-dimensional array of labels coded 0 and 1; found shape "
            f"{values.shape} with {int(odd.sum())} other values; recode the classes."
        )
    return values.astype(bool)


def check_risk(risk: ArrayLike, n: int) -> Floats:
    """Return one risk per patient, none missing, or say what is wrong with them.

    Parameters
    ----------
    risk : array-like of shape (n,)
        Higher is worse.
    n : int
        Patients.

    Returns
    -------
    ndarray of float, shape (n,)

    Raises
    ------
    DataError
        If there is not one per patient, or one is missing.

    Examples
    --------
    >>> check_risk([0.3, 1.2], 2)
    array([0.3, 1.2])
    """
    risks = as_floats(risk, "risks")
    if risks.shape != (n,) or np.isnan(risks).any():
        raise DataError(
            f"expected one risk per patient ({n}), none missing; found shape "
            f"{risks.shape} with {int(np.isnan(risks).sum())} missing; align and complete them."
        )
    return risks


def check_level(level: float) -> float:
    """Return a confidence level that lies strictly between 0 and 1.

    Parameters
    ----------
    level : float

    Returns
    -------
    float

    Raises
    ------
    DataError
        If it lies elsewhere, as 95 for 0.95 does.

    Examples
    --------
    >>> check_level(0.9)
    0.9
    """
    if not 0 < level < 1:
        raise DataError(
            f"expected a confidence level between 0 and 1; found {level!r}; write 0.95 for 95 %."
        )
    return float(level)


def check_groups(groups: ArrayLike, n: int, *, what: str) -> NDArray[Any]:
    """Return one group label per patient, or say what is wrong with them.

    Parameters
    ----------
    groups : array-like of shape (n,)
        Numbers or text, none missing.
    n : int
        Patients.
    what : str
        Name for the message.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    DataError
        If there is not one per patient, or one is missing.

    Examples
    --------
    >>> check_groups(["high", "low"], 2, what="group").tolist()
    ['high', 'low']
    """
    values = np.asarray(groups)
    if values.shape != (n,):
        raise DataError(
            f"expected one {what} per patient ({n}); found shape {values.shape}; "
            "align it with time and event."
        )
    missing = sum(value is None or value != value for value in values.tolist())
    if missing:
        raise DataError(
            f"expected a {what} for every patient; found {missing} missing; "
            "drop these patients or give them a group of their own."
        )
    return values


def stratum_codes(strata: ArrayLike | None, n: int) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the strata, and which of them each patient is in; without strata, all are in one.

    Parameters
    ----------
    strata : array-like of shape (n,), optional
        As the groups of `check_groups`.
    n : int
        Patients.

    Returns
    -------
    labels : ndarray of shape (strata,)
        Sorted; a single 0 without strata.
    code : ndarray of int, shape (n,)
        Positions in `labels`.

    Raises
    ------
    DataError
        If there is not one per patient, or one is missing.

    Examples
    --------
    >>> stratum_codes(["b", "a", "b"], 3)[1], stratum_codes(None, 2)[1]
    (array([1, 0, 1]), array([0, 0]))
    """
    if strata is None:
        return np.zeros(1, dtype=int), np.zeros(n, dtype=int)
    labels, code = np.unique(check_groups(strata, n, what="stratum"), return_inverse=True)
    return labels, code


def as_floats(values: ArrayLike, what: str) -> Floats:
    """Return values as an array of floats, or say that they are not numbers.

    Parameters
    ----------
    values : array-like
    what : str
        Name for the message.

    Returns
    -------
    ndarray of float

    Raises
    ------
    DataError
        If they cannot be read as numbers.

    Examples
    --------
    >>> as_floats([1, 2], "scores")
    array([1., 2.])
    """
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"expected {what} as numbers; found {type(values).__name__} that cannot be read as "
            "numbers; convert text and missing values first."
        ) from error
