"""From hazard ratios to survival: the baseline hazard of a proportional hazards model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.stats.inputs import (
    Bools,
    Floats,
    as_floats,
    check_groups,
    check_survival,
    stratum_codes,
)
from radiogenomics.stats.survival.risk_sets import RiskSets, build_risk_sets


@dataclass(frozen=True)
class EventTimes:
    """The distinct event times of every stratum, strata in order and times rising within.

    Attributes
    ----------
    who : ndarray of int, shape (events,)
        Patients with events, in this order; those tied stay as they came.
    unit : ndarray of int, shape (events,)
        Which of the distinct times each event has.
    time, code : ndarray of shape (times,)
        Each distinct time and its stratum.
    of_term : ndarray of int, shape (terms,)
        Which of the distinct times each term of `RiskSets` belongs to.
    """

    who: NDArray[np.intp]
    unit: NDArray[np.intp]
    time: Floats
    code: NDArray[np.intp]
    of_term: NDArray[np.intp]


def event_times(
    sets: RiskSets, time: Floats, event: Bools, *, code: NDArray[np.intp]
) -> EventTimes:
    """Tell which event time each term of the partial likelihood belongs to.

    Parameters
    ----------
    sets : RiskSets
        Made of the next three.
    time, event, code : ndarray of shape (n,)
        Follow-up, events and the strata as 0, 1, ...

    Returns
    -------
    EventTimes
    """
    who = np.flatnonzero(event)
    who = who[np.lexsort((time[who], code[who]))]
    new = np.append(True, (np.diff(time[who]) != 0) | (np.diff(code[who]) != 0))
    unit = np.cumsum(new) - 1
    # Terms keep the order of strata but run from the last time to the first.
    of_term = unit[np.lexsort((-time[who], code[who]))]
    if sets.weight.size < who.size:
        of_term = of_term[np.append(True, np.diff(of_term) != 0)]
    return EventTimes(who, unit, time[who][new], code[who][new], of_term)


@dataclass(frozen=True)
class BaselineHazard:
    """Cumulative hazard of a patient whose linear predictor is 0, one step function a stratum.

    Attributes
    ----------
    strata : ndarray of shape (strata,)
        Labels; a single 0 without strata.
    time : tuple of ndarray
        Distinct event times of each stratum, rising.
    cumulative : tuple of ndarray
        Cumulative hazard from each of these times on; 0 before the first.
    last : ndarray of shape (strata,)
        Last time of follow-up; beyond it the hazard is unknown.
    """

    strata: NDArray[Any]
    time: tuple[Floats, ...]
    cumulative: tuple[Floats, ...]
    last: Floats

    def at(self, times: ArrayLike, *, stratum: Any = None) -> Floats:
        """Cumulative baseline hazard of one stratum.

        Parameters
        ----------
        times : array-like of shape (m,)
            Months, from 0 to the stratum's last follow-up.
        stratum : optional
            Needed when there are several.

        Returns
        -------
        ndarray of shape (m,)

        Raises
        ------
        DataError
            If a time lies outside follow-up, or the stratum is unknown.
        """
        index = 0 if stratum is None and self.strata.size == 1 else self._index([stratum])[0]
        asked = _check_times(times, self.last[index])
        steps = np.append(0.0, self.cumulative[index])
        return steps[np.searchsorted(self.time[index], asked, side="right")]

    def survival(
        self, linear_predictor: ArrayLike, times: ArrayLike, *, strata: ArrayLike | None = None
    ) -> Floats:
        """Survival of patients, exp(-H0(t) exp(linear predictor)).

        Parameters
        ----------
        linear_predictor : array-like of shape (n,)
            On the scale on which the baseline was estimated.
        times : array-like of shape (m,)
            Months.
        strata : array-like of shape (n,), optional
            Needed when there are several.

        Returns
        -------
        ndarray of shape (n, m)

        Raises
        ------
        DataError
            If a predictor is not finite, a time lies outside follow-up, or a stratum is unknown.
        """
        predictor = _check_predictor(linear_predictor)
        place = self.places(strata, predictor.size)
        asked = np.atleast_1d(as_floats(times, "times"))
        hazard = np.empty((predictor.size, asked.size))
        for index in np.unique(place):
            hazard[place == index] = self.at(asked, stratum=self.strata[index])
        with np.errstate(over="ignore"):
            return np.exp(-hazard * np.exp(predictor)[:, None])

    def places(self, strata: ArrayLike | None, n: int) -> NDArray[np.intp]:
        """Position in `strata` of the stratum of each of n patients."""
        if strata is None and self.strata.size == 1:
            return np.zeros(n, dtype=int)
        return self._index(check_groups([] if strata is None else strata, n, what="stratum"))

    def _index(self, strata: Any) -> NDArray[np.intp]:
        known = self.strata.tolist()
        foreign = [label for label in np.asarray(strata).tolist() if label not in known]
        if foreign:
            raise DataError(
                f"expected strata that had events in the training data ({short_list(known)}); "
                f"found {short_list(dict.fromkeys(foreign))}; fit with these strata, or without."
            )
        return np.array([known.index(label) for label in np.asarray(strata).tolist()], dtype=int)


def baseline_hazard(
    linear_predictor: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    ties: str = "efron",
    strata: ArrayLike | None = None,
) -> BaselineHazard:
    """Estimate the cumulative baseline hazard that belongs to given log hazards.

    H0 rises at an event time by d over the sum of exp(linear predictor) of those at risk
    (Breslow); Efron's form takes the share (k - 1) / d of the d tied out of the sum for the k-th.
    Works for any proportional hazards model, penalised or deep, that was fitted to these patients;
    an overfitted predictor makes survival too extreme.

    Parameters
    ----------
    linear_predictor : array-like of shape (n,)
        Log hazard up to a constant, x' b; higher is worse.
    time, event : array-like of shape (n,)
    ties : {"efron", "breslow"}
        As the model was fitted.
    strata : array-like of shape (n,), optional
        Each with a baseline of its own; one without events has none.

    Returns
    -------
    BaselineHazard

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.
    DataError
        If predictor or strata do not fit, or `ties` is unknown.

    References
    ----------
    Breslow 1974, doi:10.2307/2529620; Efron 1977, doi:10.1080/01621459.1977.10480613.

    Examples
    --------
    >>> base = baseline_hazard([0, 0, 0, 0], [1, 2, 3, 4], [1, 1, 0, 1])
    >>> base.at([0.5, 2, 4]).round(3).tolist()
    [0.0, 0.583, 1.583]
    """
    times, events = check_survival(time, event)
    predictor = _check_predictor(linear_predictor, n=times.size)
    labels, code = stratum_codes(strata, times.size)
    sets = build_risk_sets(times, events, ties=ties, strata=code)
    at_risk = sets.sums(np.exp(predictor)[sets.subjects][:, None])[:, 0]
    found = event_times(sets, times, events, code=code)
    steps = np.bincount(found.of_term, weights=sets.weight / at_risk)
    had = np.unique(found.code)
    return BaselineHazard(
        strata=labels[had],
        time=tuple(found.time[found.code == index] for index in had),
        cumulative=tuple(np.cumsum(steps[found.code == index]) for index in had),
        last=np.array([times[code == index].max() for index in had]),
    )


def _check_predictor(linear_predictor: ArrayLike, *, n: int | None = None) -> Floats:
    values = as_floats(linear_predictor, "linear predictors")
    size = values.size if n is None else n
    if values.shape != (size,) or not np.isfinite(values).all():
        raise DataError(
            f"expected one finite linear predictor per patient; found shape {values.shape} with "
            f"{int((~np.isfinite(values)).sum())} not finite; pass log hazards, one a patient."
        )
    return values


def _check_times(times: ArrayLike, last: float) -> Floats:
    asked = np.atleast_1d(as_floats(times, "times"))
    outside = ~((asked >= 0) & (asked <= last))
    if outside.any():
        raise DataError(
            f"expected times from 0 to {last:g} months, the last follow-up behind the model; found "
            f"{int(outside.sum())} outside, the first {asked[outside][0]:g}; choose earlier times."
        )
    return asked
