"""Patients of a simulated study: their class, their true score, and when what happens to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from radiogenomics.simulate.study_design import (
    ALL_CAUSES,
    ENDED_BY_DEATH,
    BeyondLabel,
    PartDesign,
    StudyDesign,
    TimeLabel,
    wrong_study,
)
from radiogenomics.simulate.study_endpoints import BETWEEN_ENDPOINTS, endpoint_law
from radiogenomics.simulate.study_times import (
    SHAPE,
    SHORTEST_FOLLOW_UP,
    Visits,
    draw_visits,
    leaving,
)
from radiogenomics.simulate.study_truth import StudyTruth, follow_up_span, survival_given

Floats = NDArray[np.float64]

FEWEST_EVENTS = 10
LONGER = 1.25
MOST_DRAWS = 200


@dataclass(frozen=True, eq=False)
class Course:
    """When something happens to each patient, and until when it would be seen, in months."""

    time: Floats
    until: Floats

    def seen(self, *, events: int = 0) -> pd.DataFrame:
        """Columns ``months, event``, after following all longer where there are too few events."""
        until = self.until
        while (self.time <= until).sum() < min(events, len(self.time)):
            until = until * LONGER
        months = rounded(np.minimum(self.time, until))
        return pd.DataFrame({"months": months, "event": self.time <= until})


@dataclass(frozen=True, eq=False)
class People:
    """Patients without names.

    Parameters
    ----------
    positive
        Whether class 1; of a time to an event: whether of the half that class 1 would be.
    score
        The true model's score if nothing of it were hidden, higher for class 1.
    blocks
        Block → its own score, variance 1 within a class.
    visits
        Each patient's later scan.
    courses
        Endpoint → what happens; at first that of the label alone, if it is made from one.
    outcomes
        Endpoint → columns ``months`` and ``event``.
    """

    positive: NDArray[np.bool_]
    score: Floats
    blocks: dict[str, Floats]
    visits: Visits
    courses: dict[str, Course]
    outcomes: dict[str, pd.DataFrame]

    @property
    def size(self) -> int:
        """Number of patients."""
        return len(self.score)


_Drawn = tuple[Floats, NDArray[np.bool_], Course, Visits]


def draw_people(
    design: StudyDesign, truth: StudyTruth, part: PartDesign, *, rng: np.random.Generator
) -> People:
    """Draw one part's patients, with no endpoint yet but that of the label.

    Raises
    ------
    DataError
        The part asks for so many positives as the endpoint's months can hardly give.
    """
    label = design.label
    if isinstance(label, BeyondLabel | TimeLabel):
        score, positive, course, visits = _by_survival(design, truth, part, rng=rng)
        blocks = _given_the_whole(design, score, rng)
        exact = isinstance(label, TimeLabel) and part.positives is not None
        seen = course.seen(events=0 if exact else FEWEST_EVENTS)
        made, outcomes = {label.endpoint: course}, {label.endpoint: seen}
        return People(positive, score, blocks, visits, made, outcomes)
    positive = rng.permutation(np.arange(part.patients) < (part.positives or 0))
    blocks = _given_the_class(design, truth, positive, rng)
    score = np.zeros(part.patients)
    for block, own in blocks.items():
        score += np.sqrt(design.carried(block)) * own
    return People(positive, score, blocks, draw_visits(design, part.patients, rng), {}, {})


def with_endpoints(
    design: StudyDesign,
    truth: StudyTruth,
    people: People,
    *,
    progressed: NDArray[np.bool_],
    rng: np.random.Generator,
) -> People:
    """Draw the other endpoints, which depend on the class and go together within a class.

    Parameters
    ----------
    progressed
        Whose response at the later scan says progression. It is the event of endpoints of
        progression; who has such a response without a scan has it when that was due, unless it
        came, or they left, before.
    """
    worse = ~people.positive if design.better else people.positive
    start, due = people.visits.start, people.visits.months
    luck = rng.standard_normal(people.size)
    position = rng.uniform(SHORTEST_FOLLOW_UP, 1.0, size=people.size)
    courses, outcomes = dict(people.courses), dict(people.outcomes)
    # Death of any cause comes first, as it ends others.
    for name in sorted(design.endpoints, key=lambda name: name != ALL_CAUSES):
        if name in people.courses or design.made_from(name) is not None:
            continue
        ends = design.ends_by_progression(name)
        groups = people.positive + 2 * (progressed & ends)
        shared = luck
        for course in people.courses.values():
            shared = _normal_scores(course.time, groups)
        own = rng.standard_normal(people.size)
        z = BETWEEN_ENDPOINTS * shared + np.sqrt(1 - BETWEEN_ENDPOINTS**2) * own
        law = endpoint_law(design, truth, name)
        time = law.times(z, worse=worse, start=start)
        if name in ENDED_BY_DEATH and ALL_CAUSES in courses:
            time = np.minimum(time, courses[ALL_CAUSES].time)
        if ends:
            time = np.where(progressed, np.minimum(time, due), time)
        courses[name] = Course(time, leaving(law.span, start, position))
        outcomes[name] = courses[name].seen(events=FEWEST_EVENTS)
    for name in design.endpoints:
        of = design.made_from(name)
        if of is not None:
            outcomes[name] = _part_of_the_events(design, name, outcomes[of], rng=rng)
    known = {name: outcomes[name] for name in design.endpoints}
    return replace(people, courses=courses, outcomes=known)


def _given_the_class(
    design: StudyDesign, truth: StudyTruth, positive: NDArray[np.bool_], rng: np.random.Generator
) -> dict[str, Floats]:
    side = positive - 0.5
    return {
        block: side * np.sqrt(design.carried(block)) * truth.separation
        + rng.standard_normal(len(positive))
        for block in design.blocks
    }


def _given_the_whole(
    design: StudyDesign, score: Floats, rng: np.random.Generator
) -> dict[str, Floats]:
    """Standard normal scores of blocks whose weighted sum, with what is hidden, is the score."""
    weight = np.sqrt([design.carried(block) for block in design.blocks])
    hidden = np.sqrt(max(0.0, 1 - weight @ weight))
    weight = np.r_[weight, hidden]
    free = rng.standard_normal((len(score), len(weight)))
    free += np.outer(score - free @ weight, weight)
    return {block: free[:, place] for place, block in enumerate(design.blocks)}


def _by_survival(
    design: StudyDesign, truth: StudyTruth, part: PartDesign, *, rng: np.random.Generator
) -> _Drawn:
    """Scores, classes and the endpoint of a label made from it, with as many of each as asked."""
    label = design.label
    endpoint = design.endpoints[label.endpoint]  # type: ignore[union-attr]
    median = design.median(label.endpoint)  # type: ignore[union-attr]
    asked, timed = part.positives, isinstance(label, TimeLabel)
    censored = endpoint.censored if asked is None or not timed else 1 - asked / part.patients
    starts = np.array(truth.scans.start)[:, None]
    span = median * follow_up_span(
        lambda ratio: survival_given(truth, ratio, starts), censored, truth.scans
    )
    months = label.months or median if isinstance(label, BeyondLabel) else np.inf
    towards = 1.0 if timed and not design.better else -1.0

    def draw(size: int) -> _Drawn:
        score = rng.standard_normal(size)
        hazard = truth.hazard * np.exp(towards * truth.slope * score)
        since = rng.standard_exponential(size) / hazard
        position = rng.uniform(SHORTEST_FOLLOW_UP, 1.0, size)
        visits = draw_visits(design, size, rng)
        time = median * (since + (visits.start / median) ** SHAPE) ** (1 / SHAPE)
        course = Course(time, leaving(span, visits.start, position))
        kind = course.time <= course.until if timed else rounded(time) > months
        return score, kind, course, visits

    score, kind, course, visits = _drawn(draw, part.patients, asked)
    return score, (score > 0 if timed else kind), course, visits


def _drawn(draw: Callable[[int], _Drawn], size: int, asked: int | None) -> _Drawn:
    """As many patients as asked for, with as many positives: the first of each that come."""
    if asked is None:
        return draw(size)
    found: list[_Drawn] = []
    for _ in range(MOST_DRAWS):
        found.append(draw(2 * size))
        kind = np.concatenate([one[1] for one in found])
        places = np.r_[np.flatnonzero(kind)[:asked], np.flatnonzero(~kind)[: size - asked]]
        if len(places) == size:
            places.sort()
            score, time, until, weeks, scanned = (
                np.concatenate(parts)[places]
                for parts in zip(
                    *((s, c.time, c.until, v.weeks, v.scanned) for s, _, c, v in found), strict=True
                )
            )
            return score, kind[places], Course(time, until), Visits(weeks, scanned)
    raise wrong_study(
        f"months that leave {asked} of {size} patients positive",
        f"too few in {2 * size * MOST_DRAWS} drawn",
    )


def _part_of_the_events(
    design: StudyDesign, name: str, deaths: pd.DataFrame, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Deaths of any cause, less those of another cause, which end follow-up."""
    left = 1 - design.endpoints[ALL_CAUSES].censored
    kept = min(1.0, (1 - design.endpoints[name].censored) / left)
    died = deaths["event"].to_numpy()
    event = died & (rng.uniform(size=len(deaths)) < kept)
    if event.sum() < FEWEST_EVENTS:
        event = died
    return pd.DataFrame({"months": deaths["months"], "event": event})


def rounded(time: Floats) -> Floats:
    """Hundredths of a month; nobody has an event on the first day."""
    return np.maximum(np.round(time, 2), 0.03)


def _normal_scores(values: Floats, groups: NDArray[Any]) -> Floats:
    """Ranks within each group as standard normal scores."""
    grouped = pd.Series(values).groupby(groups)
    ranks = (grouped.rank(method="first") - 0.5) / grouped.transform("size")
    found: Floats = ndtri(ranks.to_numpy())
    return found
