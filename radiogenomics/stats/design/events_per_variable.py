"""Events for each variable that a published model looked at, and how many it would have taken."""

from __future__ import annotations

from dataclasses import dataclass

from radiogenomics.core.errors import DataError
from radiogenomics.stats.design.chance_ranges import whole_number
from radiogenomics.stats.design.sample_size import DevelopmentSize, development_size_binary

# What Riley and colleagues take for R2 (Nagelkerke's) where nothing is known.
_USUAL_R2 = 0.15


@dataclass(frozen=True)
class EventsPerVariable:
    """How many events there were for each variable that was looked at.

    Attributes
    ----------
    rarer : int
        Patients of the rarer class.
    patients : int
    per_candidate : float
        `rarer` for each variable considered: the number that matters.
    per_selected : float or None
        `rarer` for each variable kept: the number that is usually printed.
    needed : DevelopmentSize
        What the candidates would have taken.
    """

    rarer: int
    patients: int
    per_candidate: float
    per_selected: float | None
    needed: DevelopmentSize

    @property
    def shortfall(self) -> float:
        """Patients needed for each patient there was; 1 or less is enough."""
        return self.needed.n / self.patients


def events_per_variable(
    events: int,
    non_events: int,
    *,
    candidates: int,
    selected: int | None = None,
    c_statistic: float | None = None,
) -> EventsPerVariable:
    """Count events per variable, and the patients that the candidates would have taken.

    Each variable that was looked at had its chance to fit the noise, whether it was kept or not, so
    the candidates count (Riley and colleagues). That is for regression without shrinkage: a penalty
    that is tuned well gets by with fewer, though never with as few as the variables it kept.

    Parameters
    ----------
    events, non_events : int
        Patients with and without, of those learnt from.
    candidates : int
        Variables that were considered, before any screen that looked at the outcome.
    selected : int, optional
        Variables kept.
    c_statistic : float, optional
        Published; without it a Nagelkerke R2 of 0.15 is anticipated. A flattered one makes the
        size look smaller than it is.

    Returns
    -------
    EventsPerVariable

    Raises
    ------
    DataError
        If a count is not a whole number of at least 1, or more are selected than considered.

    References
    ----------
    Riley et al. 2019, doi:10.1002/sim.7992; Riley et al. 2020, doi:10.1136/bmj.m441.

    Examples
    --------
    >>> found = events_per_variable(126, 126, candidates=5264, selected=27)
    >>> round(found.per_candidate, 3), round(found.per_selected, 1), round(found.shortfall)
    (0.024, 4.7, 1564)
    """
    m, n = whole_number(events, "events"), whole_number(non_events, "non_events")
    considered = whole_number(candidates, "candidates")
    if selected is not None and whole_number(selected, "selected") > considered:
        raise DataError(
            f"expected at most the {considered} candidates to be selected; found {selected}; count "
            "every variable that was looked at."
        )
    rarer, share = min(m, n), m / (m + n)
    if c_statistic is None:
        needed = development_size_binary(considered, share, r2_nagelkerke=_USUAL_R2)
    else:
        needed = development_size_binary(considered, share, c_statistic=c_statistic)
    kept = None if selected is None else rarer / selected
    return EventsPerVariable(rarer, m + n, rarer / considered, kept, needed)
