"""Times at which accuracy under censoring can be estimated, and why others cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_survival
from radiogenomics.stats.survival.ipcw import CensoringCurve, censoring_curve


class DroppedTime(NamedTuple):
    """A time at which nothing is estimated.

    Attributes
    ----------
    time : float
    reason : str
        In words, with the number that decided.
    """

    time: float
    reason: str


@dataclass(frozen=True)
class TimeGrid:
    """Times that can be used, and those that cannot.

    Attributes
    ----------
    times : ndarray of shape (m,)
        Times kept, rising, each once.
    positions : ndarray of int, shape (m,)
        Place of each among the times asked for, so that columns can be chosen.
    n_asked : int
    n_cases, n_controls : ndarray of int, shape (m,)
        Patients with the event up to each time, and patients followed beyond it.
    followed : ndarray of shape (m,)
        Censoring curve G at each time; no weight there exceeds 1 / G.
    valid_from, valid_before : float
        Every time t with ``valid_from <= t < valid_before`` can be used.
    dropped : tuple of DroppedTime
    rule : str
        How the times came about, in words.
    """

    times: Floats
    positions: NDArray[np.intp]
    n_asked: int
    n_cases: NDArray[np.intp]
    n_controls: NDArray[np.intp]
    followed: Floats
    valid_from: float
    valid_before: float
    dropped: tuple[DroppedTime, ...]
    rule: str

    def without(self, leave_out: Bools, reason: str) -> TimeGrid:
        """Return the grid without some of its times, which join the dropped ones.

        Parameters
        ----------
        leave_out : ndarray of bool, shape (m,)
        reason : str

        Returns
        -------
        TimeGrid

        Raises
        ------
        OutcomeError
            If no time would be left.
        """
        keep = ~leave_out
        more = tuple(DroppedTime(float(t), reason) for t in self.times[leave_out])
        if not keep.any():
            raise OutcomeError(
                f"expected a time that can be used; found none: {reason}. "
                "Ask for other times, or use more patients."
            )
        return replace(
            self,
            times=self.times[keep],
            positions=self.positions[keep],
            n_cases=self.n_cases[keep],
            n_controls=self.n_controls[keep],
            followed=self.followed[keep],
            dropped=self.dropped + more,
        )


def valid_times(
    time: ArrayLike,
    event: ArrayLike,
    *,
    times: ArrayLike | None = None,
    train_time: ArrayLike | None = None,
    train_event: ArrayLike | None = None,
    minimum_cases: int = 5,
    minimum_at_risk: int = 5,
    minimum_followed: float = 0.05,
    points: int = 10,
) -> TimeGrid:
    """Choose times at which accuracy can be estimated, or sort out those asked for.

    A time t is kept when `minimum_cases` had their event up to t, `minimum_at_risk` are followed
    beyond t and the censoring curve G(t) is `minimum_followed` or more. All three are monotone in
    t, so what is kept is one stretch of time. Without `times` the grid is made of event times of
    that stretch: all of them when they are no more than `points`, else `points` of their quantiles
    at equal steps, the first and the last among them.

    Parameters
    ----------
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    times : array-like of shape (m,), optional
        Times asked for, in any order; one asked for twice counts once.
    train_time, train_event : array-like, optional
        The patients whose censoring curve gives the weights, where they are not these.
    minimum_cases, minimum_at_risk, points : int
        Limits, and most times of a grid that is chosen here.
    minimum_followed : float
        0.05 lets no patient stand for more than 20.

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed, there is no event, or no time is left.
    DataError
        If a time is not finite or a limit is out of range.

    Examples
    --------
    >>> grid = valid_times([1, 2, 3, 4, 5, 6], [1, 0, 1, 1, 0, 0], times=[0.5, 3, 9],
    ...                    minimum_cases=1, minimum_at_risk=1)
    >>> grid.times.tolist(), [each.reason for each in grid.dropped]
    ([3.0], ['before the first event, at 1', 'not before the last follow-up, at 6'])
    """
    months, events = check_survival(time, event)
    limits = _check_limits(minimum_cases, minimum_at_risk, minimum_followed, points)
    curve, last = _censoring(months, events, train_time, train_event)
    judge = _Judge(months, events, curve, last, limits)
    if times is None:
        return judge.sort(*judge.choose(points))
    return judge.sort(np.atleast_1d(as_floats(times, "times")), "the times asked for")


def grid_of(times: ArrayLike | TimeGrid | None, time: ArrayLike, event: ArrayLike) -> TimeGrid:
    """Return the grid of these patients for times, a grid chosen before, or nothing.

    A grid was chosen with limits of its own: here it loses only the times at which these patients
    cannot be weighted at all, for want of a case or a control, or because G = 0; its own times are
    then those asked for.

    Parameters
    ----------
    times : array-like, TimeGrid or None
    time, event : array-like of shape (n,)

    Returns
    -------
    TimeGrid

    Raises
    ------
    DataError, OutcomeError
        As in `valid_times`.

    Examples
    --------
    >>> time, event = [1, 2, 3, 4, 5, 6], [1, 0, 1, 1, 0, 0]
    >>> grid = valid_times(time, event, minimum_cases=1, minimum_at_risk=1)
    >>> grid_of(grid, time[2:], event[2:]).times.tolist()
    [3.0, 4.0]
    """
    if not isinstance(times, TimeGrid):
        return valid_times(time, event, times=times)
    found = valid_times(
        time,
        event,
        times=times.times,
        minimum_cases=1,
        minimum_at_risk=1,
        minimum_followed=np.finfo(float).tiny,
    )
    return replace(found, dropped=times.dropped + found.dropped, rule=times.rule)


class _Limits(NamedTuple):
    cases: int
    at_risk: int
    followed: float


class _Judge(NamedTuple):
    """What decides whether a time can be used."""

    time: Floats
    event: Bools
    curve: CensoringCurve
    last: float
    limits: _Limits

    def stretch(self) -> tuple[float, float]:
        """First time that can be used, and the first beyond which nothing can."""
        cases, everyone = np.sort(self.time[self.event]), np.sort(self.time)[::-1]
        enough, left = cases[self.limits.cases - 1 :], everyone[self.limits.at_risk - 1 :]
        lost = self.curve.time[self.curve.survival < self.limits.followed]
        # A curve from other patients is known up to and including their last follow-up.
        ends = (np.nextafter(self.last, np.inf), *left[:1], *lost[:1])
        return float(enough[0]) if enough.size else np.inf, float(min(ends)) if left.size else 0.0

    def choose(self, points: int) -> tuple[Floats, str]:
        """Event times that can be used, with the rule in words."""
        begin, end = self.stretch()
        cases = np.sort(self.time[self.event & (self.time > 0)])
        inside = cases[(cases >= begin) & (cases < end)]
        if not inside.size:
            # None can be used: these are sorted out, each with its reason.
            return np.unique(cases), "event times"
        if np.unique(inside).size <= points:
            return np.unique(inside), "all event times that can be used"
        places = np.linspace(0, inside.size - 1, points).round().astype(int)
        return np.unique(inside[places]), f"{points} quantiles of the event times that can be used"

    def sort(self, asked: Floats, rule: str) -> TimeGrid:
        """Keep what can be used and say of the rest why it cannot."""
        if asked.ndim != 1 or asked.size == 0 or not np.isfinite(asked).all():
            raise DataError(
                "expected a one-dimensional array of finite times, at least one; found shape "
                f"{asked.shape} with {int((~np.isfinite(asked)).sum())} that are not finite; "
                "leave them out, or pass None to have times chosen."
            )
        distinct, first = np.unique(asked, return_index=True)
        begin, end = self.stretch()
        keep = (distinct >= begin) & (distinct < end) & (distinct > 0)
        dropped = tuple(DroppedTime(float(t), self.reason(float(t))) for t in distinct[~keep])
        if not keep.any():
            raise OutcomeError(self.nothing_left(dropped))
        kept = distinct[keep]
        return TimeGrid(
            times=kept,
            positions=first[keep],
            n_asked=asked.size,
            n_cases=np.searchsorted(np.sort(self.time[self.event]), kept, side="right"),
            n_controls=self.time.size - np.searchsorted(np.sort(self.time), kept, side="right"),
            followed=self.curve.at(kept),
            valid_from=begin,
            valid_before=end,
            dropped=dropped,
            rule=rule,
        )

    def reason(self, t: float) -> str:
        """Return the first reason against a time, in words."""
        first, final = self.time[self.event].min(), self.time.max()
        if t < first:
            return f"before the first event, at {first:.4g}"
        if t <= 0:
            return "not after time 0, at which nobody has been followed"
        if t >= final:
            return f"not before the last follow-up, at {final:.4g}"
        if t > self.last:
            return f"after the last follow-up of the training patients, at {self.last:.4g}"
        followed = float(self.curve.at([t])[0])
        if followed == 0:
            return "the censoring curve is 0: nobody is left to stand for those censored"
        if followed < self.limits.followed:
            return f"the censoring curve is {followed:.2g}, below {self.limits.followed:g}"
        cases = int((self.event & (self.time <= t)).sum())
        if cases < self.limits.cases:
            return f"cases (event up to then): {cases}, fewer than {self.limits.cases}"
        controls = int((self.time > t).sum())
        return f"controls (followed beyond): {controls}, fewer than {self.limits.at_risk}"

    def nothing_left(self, dropped: tuple[DroppedTime, ...]) -> str:
        """Say what was needed, what each time lacks, and what would do."""
        begin, end = self.stretch()
        reasons = "; ".join(f"at {each.time:g} months: {each.reason}" for each in dropped[:3])
        advice = (
            f"times from {begin:g} to just below {end:g} months can be used"
            if begin < end
            else f"no time can be used with {self.time.size} patients and "
            f"{int(self.event.sum())} events; take more patients, longer follow-up or lower limits"
        )
        return (
            f"expected times with {self.limits.cases} cases, {self.limits.at_risk} controls and a "
            f"censoring curve of {self.limits.followed:g} or more; found none among "
            f"{len(dropped)} ({reasons}); {advice}."
        )


def _check_limits(cases: int, at_risk: int, followed: float, points: int) -> _Limits:
    if min(cases, at_risk, points) < 1 or not 0 < followed < 1:
        raise DataError(
            "expected at least 1 case, 1 patient at risk and 1 point, and a least censoring curve "
            f"between 0 and 1; found {cases}, {at_risk}, {points} and {followed}; mend the limits."
        )
    return _Limits(cases, at_risk, followed)


def _censoring(
    time: Floats, event: Bools, train_time: ArrayLike | None, train_event: ArrayLike | None
) -> tuple[CensoringCurve, float]:
    """Censoring curve, and the last time at which it is known."""
    if train_time is None and train_event is None:
        return censoring_curve(time, event), np.inf
    if train_time is None or train_event is None:
        raise DataError(
            "expected train_time and train_event together; found one of the two; pass both."
        )
    months, events = check_survival(train_time, train_event, need_events=False)
    return censoring_curve(months, events), float(months.max())
