r"""When nobody can have had an event yet, and the law of times that this leaves.

Who was scanned again during treatment was alive and followed at that scan, c. Times are Weibull
with proportional hazards, given that:

.. math::

    P(T > t \mid S, c) = \exp\left(-[H(t) - H(c)]_+\, e^{-\beta S}\right), \qquad
    H(t) = H_0\,(t/\text{median})^k.

After the scan the hazard, and so the hazard ratio, is that of everyone; :math:`H_0` is solved so
that half of all patients, scanned again or not, live beyond the stated median. (With a delay, T = c
plus a Weibull time, the hazard at any t would depend on when the scan was.) For the others c is 0:
they may have had the event before they could be scanned. Scans are spread evenly between the
design's weeks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from radiogenomics.simulate.study_design import MONTHS_PER_WEEK, StudyDesign, wrong_study

Floats = NDArray[np.float64]

SHAPE = 1.2
SHORTEST_FOLLOW_UP = 0.1
POINTS_OF_SCANS = 8


@dataclass(frozen=True)
class Scans:
    """When patients of a design are scanned again, as a few points.

    Parameters
    ----------
    visit
        Months, or medians of an endpoint, until the later scan was due.
    start
        Until then nobody has an event: the visit, or 0 for those who were not scanned.
    share
        Of all patients.
    """

    visit: tuple[float, ...]
    start: tuple[float, ...]
    share: tuple[float, ...]

    def in_medians(self, median: float) -> Scans:
        """Months as medians."""
        visit, start = (
            tuple(time / median for time in times) for times in (self.visit, self.start)
        )
        return Scans(visit, start, self.share)


ONE_SCAN = Scans((0.0,), (0.0,), (1.0,))


@dataclass(frozen=True, eq=False)
class Visits:
    """Each patient's later scan.

    Parameters
    ----------
    weeks
        When it was due.
    scanned
        Whether it was made.
    """

    weeks: Floats
    scanned: NDArray[np.bool_]

    @property
    def months(self) -> Floats:
        """Weeks as hundredths of a month, rounded up: nothing comes before them."""
        found: Floats = np.ceil(np.round(self.weeks * MONTHS_PER_WEEK * 100, 6)) / 100
        return found

    @property
    def start(self) -> Floats:
        """Months until which a patient has had no event."""
        return np.where(self.scanned, self.months, 0.0)


def scans_of(design: StudyDesign) -> Scans:
    """Points of the law of a design's later scans, in months."""
    if not design.scanned_again:
        return ONE_SCAN
    node, weight = np.polynomial.legendre.leggauss(POINTS_OF_SCANS)
    first, last = (week * MONTHS_PER_WEEK for week in design.scanned_at)
    visit = (first + last) / 2 + node * (last - first) / 2
    away = design.without_follow_up
    parts = [(visit, (1 - away) * weight / 2), (0 * visit, away * weight / 2)]
    kept = parts if away > 0 else parts[:1]
    return Scans(
        tuple(visit.tolist() * len(kept)),
        tuple(np.concatenate([start for start, _ in kept]).tolist()),
        tuple(np.concatenate([share for _, share in kept]).tolist()),
    )


def draw_visits(design: StudyDesign, size: int, rng: np.random.Generator) -> Visits:
    """When each patient was due again, and who came; nobody where the design has no later scan."""
    if not design.scanned_again and "weeks" not in design.facts.values():
        return Visits(np.zeros(size), np.zeros(size, dtype=bool))
    weeks = np.round(rng.uniform(*design.scanned_at, size), 1)
    came = rng.uniform(size=size) >= design.without_follow_up
    return Visits(weeks, came & design.scanned_again)


def passed(ratio: Floats | float, start: Floats | float) -> Floats:
    """Cumulative hazard since the start, where it is 1 in the first median."""
    found: Floats = np.maximum(np.power(ratio, SHAPE) - np.power(start, SHAPE), 0.0)
    return found


def log_passed(ratio: Floats | float, start: Floats | float) -> Floats:
    """Its logarithm; minus infinity up to the start."""
    with np.errstate(divide="ignore"):
        found: Floats = np.log(passed(ratio, start))
    return found


def left(log_hazard: Floats, scans: Scans, ratio: float) -> Floats:
    """Share without an event after some medians, for logarithms of H₀ times a relative hazard."""
    found: Floats = np.zeros_like(log_hazard)
    for start, share in zip(scans.start, scans.share, strict=True):
        found += share * survived(log_hazard + log_passed(ratio, start))
    return found


def survived(log_hazard: Floats) -> Floats:
    """exp(−exp(log hazard)); beyond 700 it is 0 anyway."""
    return np.exp(-np.exp(np.minimum(log_hazard, 50.0)))


def leaving(span: float, start: Floats | float, position: Floats) -> Floats:
    """Until when patients are followed, by their position from a tenth of the longest to all of it.

    Nobody leaves before the start, so that positions are spread over what is left after it.
    """
    if np.isinf(span):
        return np.broadcast_to(span, np.broadcast_shapes(np.shape(start), position.shape))
    first = np.maximum(SHORTEST_FOLLOW_UP * span, start)
    along = (position - SHORTEST_FOLLOW_UP) / (1 - SHORTEST_FOLLOW_UP)
    found: Floats = first + np.maximum(span - first, 0.0) * along
    return found


def followed(time: Floats, span: float, start: Floats | float) -> Floats:
    """Share of patients still followed at a time."""
    first = np.maximum(SHORTEST_FOLLOW_UP * span, start)
    width = np.maximum(span - first, 1e-9 * first)
    found: Floats = np.clip(1 - (time - first) / width, 0.0, 1.0)
    return found


def normal_grid(points: int = 3001) -> tuple[Floats, Floats]:
    """Points and weights of a standard normal; sums over them are exact for smooth functions."""
    z = np.linspace(-9.0, 9.0, points)
    weight = np.exp(-(z**2) / 2)
    return z, weight / weight.sum()


def root(function: Callable[[Any], float], low: float, high: float) -> float:
    """A root between two ends, or the lower end where the function starts at it."""
    start, end = function(low), function(high)
    if abs(start) < 1e-9:
        return low
    if start * end > 0:
        raise wrong_study("a target within reach", f"a gap of {min(abs(start), abs(end)):.3g}")
    return float(brentq(function, low, high, xtol=1e-12, rtol=1e-12))
