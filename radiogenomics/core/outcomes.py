"""Outcomes: time to an event, and ordered response categories."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import AlignmentError, OutcomeError, UnknownNameError, short_list
from radiogenomics.core.html import card

MONTHS_PER_UNIT = (
    ("days", 12 / 365.25),
    ("weeks", 7 * 12 / 365.25),
    ("months", 1.0),
    ("years", 12.0),
)


@dataclass(frozen=True, eq=False)
class SurvivalOutcome:
    """Time to an event or to censoring, in months.

    Censoring is taken to be to the right: of a censored patient only ``T > time`` is known.

    Parameters
    ----------
    endpoint
        Short standard name: ``"OS"``, ``"PFS"``, ``"RFS"``, ``"TTP"``, ...
    time
        Months from the origin, indexed by patient; finite and not negative.
    event
        True (1) where the event was observed, False (0) where follow-up was censored.
    origin
        What time zero is, in words, for example ``"diagnosis"``.

    Raises
    ------
    OutcomeError
        A time is missing, infinite, negative or no number, an event is not 0/1, or the two series
        disagree on the patients.
    AlignmentError
        A patient identifier is empty or repeated.

    Examples
    --------
    >>> days = pd.Series([365.25, 730.5], index=["P1", "P2"])
    >>> died = pd.Series([1, 0], index=["P1", "P2"])
    >>> os = SurvivalOutcome.from_unit("OS", days, died, unit="days", origin="diagnosis")
    >>> os.to_frame()
        time  event
    P1  12.0   True
    P2  24.0  False
    """

    endpoint: str
    time: pd.Series[float]
    event: pd.Series[bool]
    origin: str = "not stated"

    def __post_init__(self) -> None:
        """Check both series and keep copies as float months and bool, with textual ids."""
        ids = _checked_ids(self.time.index, f"outcome {self.endpoint}")
        if not self.time.index.equals(self.event.index):
            raise OutcomeError(
                f"{self.endpoint}: expected the same patients in the same order in time and event; "
                f"found {len(self.time)} times and {len(self.event)} events that differ. "
                "Take both from one table."
            )
        time = _numbers(self.time, f"{self.endpoint}: expected times as numbers")
        bad = ~np.isfinite(time) | (time < 0)
        if bad.any():
            raise OutcomeError(
                f"{self.endpoint}: expected finite times of at least 0 months; found "
                f"{int(bad.sum())} missing, infinite or negative (patients "
                f"{short_list(ids[bad])}). Correct them at the source or leave these patients out."
            )
        odd = [value for value in self.event.dropna().unique() if value not in (0, 1)]
        empty = int(self.event.isna().sum())
        if odd or empty:
            raise OutcomeError(
                f"{self.endpoint}: expected events coded 0/1; found {empty} missing and "
                f"{len(odd)} other codes ({short_list(odd)}). Map them in the manifest."
            )
        event = self.event.to_numpy(dtype=bool, copy=True)
        object.__setattr__(self, "time", pd.Series(time, index=ids, name="time"))
        object.__setattr__(self, "event", pd.Series(event, index=ids, name="event"))

    @classmethod
    def from_unit(
        cls,
        endpoint: str,
        time: pd.Series[float],
        event: pd.Series[bool],
        *,
        unit: str,
        origin: str = "not stated",
    ) -> SurvivalOutcome:
        """Build from times in ``unit``; months are kept.

        A year has 365.25 days and 12 months, so a month is 30.4375 days.

        Parameters
        ----------
        endpoint, time, event, origin
            As in the class, with ``time`` in ``unit``.
        unit
            ``"days"``, ``"weeks"``, ``"months"`` or ``"years"``.

        Raises
        ------
        UnknownNameError
            The unit is none of these.
        """
        factors = dict(MONTHS_PER_UNIT)
        if unit not in factors:
            raise UnknownNameError("time unit", unit, factors)
        numbers = _numbers(time, f"{endpoint}: expected times as numbers")
        months = pd.Series(numbers * factors[unit], index=time.index)
        return cls(endpoint, months, event, origin)

    @property
    def patient_ids(self) -> pd.Index[Any]:
        """Patients with this outcome."""
        return self.time.index

    @property
    def n_events(self) -> int:
        """Observed events."""
        return int(self.event.sum())

    def for_patients(self, patient_ids: Iterable[str]) -> SurvivalOutcome:
        """Restrict to ``patient_ids`` in that order; unknown ones raise AlignmentError."""
        ids = _known_ids(self.time.index, patient_ids, self.endpoint)
        return SurvivalOutcome(self.endpoint, self.time.loc[ids], self.event.loc[ids], self.origin)

    def require_events(self, minimum: int) -> None:
        """Raise OutcomeError when fewer than ``minimum`` events were observed."""
        if self.n_events < minimum:
            raise OutcomeError(
                f"{self.endpoint}: expected at least {minimum} events; found {self.n_events} in "
                f"{len(self.time)} patients. Use a longer follow-up, another endpoint or more "
                "patients."
            )

    def to_frame(self) -> pd.DataFrame:
        """Columns ``time`` (months) and ``event``, indexed by patient."""
        return pd.concat([self.time, self.event], axis=1)

    def to_structured(self) -> np.ndarray[Any, np.dtype[Any]]:
        """Structured array (n,) of (event, time), as scikit-survival takes it."""
        out = np.empty(len(self.time), dtype=[("event", bool), ("time", float)])
        out["event"], out["time"] = self.event.to_numpy(), self.time.to_numpy()
        return out

    def __repr__(self) -> str:
        """Return endpoint, patients and events in one line."""
        return (
            f"SurvivalOutcome({self.endpoint!r}: {len(self.time)} patients, {self.n_events} events)"
        )

    def _repr_html_(self) -> str:
        facts = {
            "patients": len(self.time),
            "events": self.n_events,
            "longest time (months)": float(self.time.max()) if len(self.time) else None,
            "time zero": self.origin,
        }
        return card(f"SurvivalOutcome {self.endpoint}", facts)


@dataclass(frozen=True, eq=False)
class ResponseOutcome:
    """Ordered response categories under a named criterion.

    Parameters
    ----------
    name
        Name in the cohort, for example ``"response"``.
    category
        Category of each patient, indexed by patient.
    criterion
        ``"RECIST 1.1"``, ``"mRECIST"``, ``"pathological"``, or what the source says.
    order
        Categories from best to worst.

    Raises
    ------
    OutcomeError
        A category is missing or not in ``order``, or ``order`` repeats one.
    AlignmentError
        A patient identifier is empty or repeated.

    Examples
    --------
    >>> seen = pd.Series(["PR", "PD"], index=["P1", "P2"])
    >>> ResponseOutcome("response", seen, "mRECIST").grouped(["CR", "PR"])
    P1     True
    P2    False
    Name: response, dtype: bool
    """

    name: str
    category: pd.Series[str]
    criterion: str
    order: tuple[str, ...] = ("CR", "PR", "SD", "PD")

    def __post_init__(self) -> None:
        """Check the categories and keep a copy as text, with textual ids."""
        ids = _checked_ids(self.category.index, f"outcome {self.name}")
        order = tuple(map(str, self.order))
        if not order or len(set(order)) != len(order):
            raise OutcomeError(
                f"{self.name}: expected distinct categories from best to worst; found "
                f"{short_list(order) or 'none'}. Correct the order."
            )
        empty = int(self.category.isna().sum())
        foreign = sorted(set(map(str, self.category.dropna())) - set(order))
        if foreign or empty:
            raise OutcomeError(
                f"{self.name}: expected categories {', '.join(order)}; found {empty} missing and "
                f"{len(foreign)} others ({short_list(foreign)}). Map them in the manifest, or "
                "leave these patients out."
            )
        category = pd.Series(list(map(str, self.category)), index=ids, name=self.name, dtype=object)
        object.__setattr__(self, "category", category)
        object.__setattr__(self, "order", order)

    @property
    def patient_ids(self) -> pd.Index[Any]:
        """Patients with this outcome."""
        return self.category.index

    def grouped(self, responders: Iterable[str]) -> pd.Series[bool]:
        """True for patients whose category is among ``responders`` (for example CR and PR).

        Raises
        ------
        UnknownNameError
            A responder category is not one of ``order``.
        """
        wanted = tuple(responders)
        for category in wanted:
            if category not in self.order:
                raise UnknownNameError(f"{self.criterion} category", category, self.order)
        return self.category.isin(wanted).rename(self.name)

    def for_patients(self, patient_ids: Iterable[str]) -> ResponseOutcome:
        """Restrict to ``patient_ids`` in that order; unknown ones raise AlignmentError."""
        ids = _known_ids(self.category.index, patient_ids, self.name)
        return ResponseOutcome(self.name, self.category.loc[ids], self.criterion, self.order)

    def __repr__(self) -> str:
        """Return name, criterion and patients in one line."""
        return f"ResponseOutcome({self.name!r}, {self.criterion}: {len(self.category)} patients)"

    def _repr_html_(self) -> str:
        counts = self.category.value_counts()
        facts: dict[str, object] = {name: int(counts.get(name, 0)) for name in self.order}
        return card(f"ResponseOutcome {self.name} ({self.criterion})", facts)


Outcome = SurvivalOutcome | ResponseOutcome


def _checked_ids(index: pd.Index[Any], what: str) -> pd.Index[Any]:
    """Patient identifiers as text, none empty, none repeated."""
    empty = int(np.asarray(index.isna()).sum())
    ids = index.astype(str)
    doubled = ids[ids.duplicated()].unique()
    if empty or len(doubled):
        raise AlignmentError(
            f"{what}: expected one row a patient; found {empty} empty and {len(doubled)} repeated "
            f"identifiers ({short_list(doubled)}). Keep one row each."
        )
    return ids


def _numbers(values: pd.Series[Any], expected: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        return values.to_numpy(dtype=float, na_value=np.nan, copy=True)
    except (TypeError, ValueError) as error:
        raise OutcomeError(f"{expected}; found {error}. Map them in the manifest.") from None


def _known_ids(index: pd.Index[Any], patient_ids: Iterable[str], what: str) -> list[str]:
    ids = list(patient_ids)
    unknown = [patient for patient in ids if patient not in index]
    if unknown:
        raise AlignmentError(
            f"{what}: expected patients that have this outcome; found {len(unknown)} without "
            f"({short_list(unknown)}). Intersect the patients first."
        )
    return ids
