r"""The law of an endpoint that depends on the class, with progression at the later scan and deaths.

Times are Weibull in each class g, given that nobody who was scanned again has an event before that
scan (:mod:`study_times`), but for those, a share :math:`q_g`, whose response at the scan, v, is
progression, where that is an event:

.. math::

    P(T > t \mid g, c, v) = q_g\,1(t < v) + (1 - q_g)\,\exp\left(-r_g\,[H(t) - H(c)]_+\right).

Where death ends the endpoint early, the exponential is the probability that neither has happened,
of two times whose normal scores in a class correlate by :math:`\rho`.

:math:`H_0` gives all patients together the stated median. The hazard ratio :math:`r` of the worse
class is the stated one, but where there is progression at the scan or death, which have more to do
with the worse class: there it is solved so that a Cox model of the class, of this law and its
censoring, has the stated ratio. :math:`\beta = \log` (stated) makes the model's expected score,

.. math::

    \int \left(dN_1 - \frac{e^\beta A_1}{e^\beta A_1 + A_0}\,(dN_0 + dN_1)\right),

zero, with :math:`dN_g` the events seen and :math:`A_g` those at risk. These may make more than the
stated ratio already; the classes do not differ otherwise then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr, ndtri_exp

from radiogenomics.simulate.study_design import (
    ALL_CAUSES,
    ENDED_BY_DEATH,
    BeyondLabel,
    StudyDesign,
    wrong_study,
)
from radiogenomics.simulate.study_rivals import progressed_shares, without_progression
from radiogenomics.simulate.study_times import (
    SHAPE,
    Scans,
    followed,
    normal_grid,
    passed,
    root,
    scans_of,
    survived,
)
from radiogenomics.simulate.study_truth import LAST, StudyTruth, follow_up_span, survival_given

Floats = NDArray[np.float64]

BETWEEN_ENDPOINTS = 0.8
"""Correlation of the normal scores of an endpoint, in a class, with what all endpoints share."""

INSTANTS = 400
LARGEST_RATIO = 60.0
FURTHEST = 9.0
POINTS_SHARED = 73
MONTHS_OF_DEATHS = (0.01, 1e4, 800)


@dataclass(frozen=True)
class EndpointLaw:
    """Times to one endpoint, of those whom neither death nor progression at the scan ends before.

    Parameters
    ----------
    median
        Months, of the endpoint with both.
    hazard
        Cumulative hazard of the better class in that time.
    ratio
        Hazard of the worse class against it.
    span
        Longest follow-up, in months.
    """

    median: float
    hazard: float
    ratio: float
    span: float

    def times(self, z: Floats, *, worse: NDArray[np.bool_], start: Floats) -> Floats:
        """Months, later for a higher standard normal z, and after the start."""
        risk = self.hazard * np.where(worse, self.ratio, 1.0)
        since = -log_ndtr(-z) / risk + (start / self.median) ** SHAPE
        found: Floats = self.median * since ** (1 / SHAPE)
        return found


def endpoint_law(design: StudyDesign, truth: StudyTruth, name: str) -> EndpointLaw:
    """Solve for the law of an endpoint that the label is not made from.

    Raises
    ------
    DataError
        Half of the patients progress at the later scan, or die, before the stated median; or no
        hazard ratio of the others makes the stated one.
    """
    endpoint, median = design.endpoints[name], design.median(name)
    stated = endpoint.hazard_ratio if endpoint.hazard_ratio and design.effect else 1.0
    gone = np.zeros(2)
    if design.ends_by_progression(name):
        gone = np.array(progressed_shares(design, truth))
    shares = np.array([1 - truth.prevalence, truth.prevalence])
    if design.better:
        gone, shares = gone[::-1], shares[::-1]
    ended = name in ENDED_BY_DEATH and ALL_CAUSES in design.endpoints
    world = _World(
        name=name,
        median=median,
        censored=endpoint.censored,
        shares=shares,
        gone=gone,
        scans=scans_of(design).in_medians(median),
        deaths=_deaths(design, truth, name) if ended else None,
    )
    ratio = world.ratio(stated)
    hazard = world.hazard(ratio)
    return EndpointLaw(median, hazard, ratio, median * world.span(hazard, ratio, endpoint.censored))


@dataclass(frozen=True, eq=False)
class _Deaths:
    """Normal scores of deaths, class × points of the scans × times, and what goes with them."""

    log_months: Floats
    scores: Floats
    correlation: float

    def neither(self, log_left: Floats, months: Floats) -> Floats:
        """Probability that neither death nor what has these survival functions has come."""
        log_months = np.log(np.maximum(months, np.exp(self.log_months[0])))
        wide = np.broadcast_to(log_months, log_left.shape)
        death = np.empty(log_left.shape)
        for place in np.ndindex(log_left.shape[:2]):
            death[place] = np.interp(wide[place], self.log_months, self.scores[place])
        z, weight = normal_grid(POINTS_SHARED)
        both, rest = np.sqrt(self.correlation) * z, np.sqrt(1 - self.correlation)
        free = ndtr((both - death[..., None]) / rest) * ndtr(
            (both + _normal(log_left)[..., None]) / rest
        )
        found: Floats = free @ weight
        return found


def _deaths(design: StudyDesign, truth: StudyTruth, name: str) -> _Deaths:
    """Deaths of those whom progression at the scan does not end before."""
    months = np.geomspace(*MONTHS_OF_DEATHS)
    time = months / design.median(ALL_CAUSES)
    start = np.array(scans_of(design).in_medians(design.median(ALL_CAUSES)).start)[:, None]
    correlation = BETWEEN_ENDPOINTS**2
    if design.label_endpoint == ALL_CAUSES:
        left = _left_of_label(design, truth, time=time, start=start, name=name)
        correlation = BETWEEN_ENDPOINTS
    else:
        law = endpoint_law(design, truth, ALL_CAUSES)
        risk = law.hazard * np.array([1.0, law.ratio])
        left = np.exp(-np.multiply.outer(risk, passed(time, start)))
    with np.errstate(divide="ignore"):
        scores = -_normal(np.log(left))
    return _Deaths(np.log(months), scores, correlation)


def _left_of_label(
    design: StudyDesign, truth: StudyTruth, *, time: Floats, start: Floats, name: str
) -> Floats:
    """Survival in each class, the better first, to the endpoint that the label is made from."""
    label = design.label
    if isinstance(label, BeyondLabel):
        median = design.median(label.endpoint)
        at_once = np.full((1, 1), (label.months or median) / median)
        beyond = survival_given(truth, at_once, start)
        all_left = survival_given(truth, time[None], start)
        other = np.clip((all_left - beyond) / (1 - beyond), 0.0, 1.0)
        left = np.array([other, np.minimum(all_left / beyond, 1.0)])
        return left[::-1] if design.better else left
    z, weight = normal_grid(401)
    log_hazard = np.log(truth.hazard * np.maximum(passed(time, start), np.finfo(float).tiny))
    share = survived(np.add.outer(log_hazard, truth.slope * z))
    # Higher hazards are the worse half; the true score is higher for class 1.
    if design.ends_by_progression(name):
        weight = weight * without_progression(design, truth, -z if design.better else z)
    halves = [weight * np.heaviside(side * z, 0.5) for side in (-1, 1)]
    return np.array([share @ half / half.sum() for half in halves])


def _normal(log_probability: Floats) -> Floats:
    """Quantiles of a standard normal that end where nothing more is to be seen."""
    found: Floats = np.clip(ndtri_exp(np.minimum(log_probability, 0.0)), -FURTHEST, FURTHEST)
    return found


@dataclass(frozen=True, eq=False)
class _World:
    """The better class, then the worse: shares of patients, and of progression at the scan."""

    name: str
    median: float
    censored: float
    shares: Floats
    gone: Floats
    scans: Scans
    deaths: _Deaths | None

    def hazard(self, ratio: float) -> float:
        """H₀ of the better class that leaves half of all patients at the median."""
        now = np.ones((len(self.scans.share), 1))

        def above(log_hazard: float) -> float:
            alive = self.alive(now, hazard=float(np.exp(log_hazard)), ratio=ratio)
            return float(self.shares @ alive[..., 0] @ self.scans.share) - 0.5

        if above(-30.0) <= 0:
            raise wrong_study(
                f"more than half without progression at the later scan and alive at the median "
                f"of {self.name}",
                f"{above(-30.0) + 0.5:.2f}",
            )
        return float(np.exp(root(above, -30.0, 30.0)))

    def alive(self, time: Floats, *, hazard: float, ratio: float) -> Floats:
        """Class × points of the scans × times, which are given for each point."""
        start, visit = (np.array(each)[:, None] for each in (self.scans.start, self.scans.visit))
        log_left = -hazard * np.multiply.outer(np.array([1.0, ratio]), passed(time, start))
        if self.deaths is None:
            others = np.exp(log_left)
        else:
            others = self.deaths.neither(log_left, time * self.median)
        gone = self.gone[:, None, None]
        found: Floats = gone * (time < visit) + (1 - gone) * others
        return found

    def span(self, hazard: float, ratio: float, censored: float) -> float:
        """Longest follow-up, in medians."""

        def alive(time: Floats) -> Floats:
            return np.tensordot(self.shares, self.alive(time, hazard=hazard, ratio=ratio), 1)

        return follow_up_span(alive, censored, self.scans)

    def ratio(self, stated: float) -> float:
        """Hazard ratio, but for deaths and progression at the scan, that makes the stated one."""
        if stated < 1 or (self.deaths is None and not self.gone.any()):
            return stated
        if self._excess(1.0, stated) >= 0:
            return 1.0
        if self._excess(LARGEST_RATIO, stated) <= 0:
            raise wrong_study(f"a hazard ratio of {self.name} that its law can have", stated)
        return float(
            np.exp(
                root(lambda r: self._excess(float(np.exp(r)), stated), 0.0, np.log(LARGEST_RATIO))
            )
        )

    def _excess(self, ratio: float, stated: float) -> float:
        """Expected score of the Cox model at the stated ratio; above 0 if its own is higher."""
        hazard = self.hazard(ratio)
        span = self.span(hazard, ratio, self.censored or LAST)
        ends = span * (np.arange(INSTANTS + 1) / INSTANTS) ** 2
        middle = (ends[1:] + ends[:-1]) / 2
        weight = np.array(self.scans.share)[:, None]
        if self.censored:
            weight = weight * followed(middle, span, np.array(self.scans.start)[:, None])
        alive = self.alive(ends[None], hazard=hazard, ratio=ratio)
        shares = self.shares[:, None]
        events = -shares * (weight * np.diff(alive)).sum(axis=1)
        at_risk = shares * (weight * (alive[..., 1:] + alive[..., :-1]) / 2).sum(axis=1)
        expected = stated * at_risk[1] / np.maximum(stated * at_risk[1] + at_risk[0], 1e-300)
        return float((events[1] - expected * events.sum(axis=0)).sum())
