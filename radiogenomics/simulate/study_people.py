"""Patients of a simulated study: their class, their true score, and when what happens to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtri

from radiogenomics.simulate.study_design import (
    BeyondLabel,
    PartDesign,
    StudyDesign,
    TimeLabel,
    wrong_study,
)
from radiogenomics.simulate.study_truth import (
    SHAPE,
    SHORTEST_FOLLOW_UP,
    StudyTruth,
    follow_up_span,
    marginal_survival,
)

Floats = NDArray[np.float64]

FEWEST_EVENTS = 10
LONGER = 1.25
MOST_DRAWS = 200
BETWEEN_ENDPOINTS = 0.8
ENDED_BY_DEATH = frozenset({"PFS", "RFS", "DFS", "EFS"})
OF_THE_DISEASE = "CSS"
ALL_CAUSES = "OS"


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
    outcomes
        Endpoint → columns ``months`` and ``event``.
    """

    positive: NDArray[np.bool_]
    score: Floats
    blocks: dict[str, Floats]
    outcomes: dict[str, pd.DataFrame]

    @property
    def size(self) -> int:
        """Number of patients."""
        return len(self.score)


@dataclass(frozen=True, eq=False)
class _Course:
    """When something happens, and until when it would be seen."""

    time: Floats
    until: Floats

    def seen(self, *, events: int = 0) -> pd.DataFrame:
        """Columns ``months, event``, after following all longer where there are too few events."""
        until = self.until
        while (self.time <= until).sum() < min(events, len(self.time)):
            until = until * LONGER
        months = rounded(np.minimum(self.time, until))
        return pd.DataFrame({"months": months, "event": self.time <= until})


def draw_people(
    design: StudyDesign, truth: StudyTruth, part: PartDesign, *, rng: np.random.Generator
) -> People:
    """Draw one part's patients.

    Raises
    ------
    DataError
        The part asks for so many positives as the endpoint's months can hardly give.
    """
    label = design.label
    courses: dict[str, _Course] = {}
    if isinstance(label, BeyondLabel | TimeLabel):
        score, positive, courses[label.endpoint] = _by_survival(design, truth, part, rng=rng)
        blocks = _given_the_whole(design, score, rng)
    else:
        positive = rng.permutation(np.arange(part.patients) < (part.positives or 0))
        blocks = _given_the_class(design, truth, positive, rng)
        score = np.zeros(part.patients)
        for block, own in blocks.items():
            score += np.sqrt(design.carried(block)) * own
    exact = isinstance(label, TimeLabel) and part.positives is not None
    outcomes = {
        name: course.seen(events=0 if exact else FEWEST_EVENTS) for name, course in courses.items()
    }
    outcomes |= _other_endpoints(design, truth, positive, made=courses, rng=rng)
    return People(positive, score, blocks, {name: outcomes[name] for name in design.endpoints})


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
) -> tuple[Floats, NDArray[np.bool_], _Course]:
    """Scores, classes and the endpoint of a label made from it, with as many of each as asked."""
    label = design.label
    endpoint = design.endpoints[label.endpoint]  # type: ignore[union-attr]
    asked, timed = part.positives, isinstance(label, TimeLabel)
    censored = endpoint.censored if asked is None or not timed else 1 - asked / part.patients
    span = endpoint.median * follow_up_span(lambda ratio: marginal_survival(truth, ratio), censored)
    months = label.months or endpoint.median if isinstance(label, BeyondLabel) else np.inf
    towards = 1.0 if timed and not design.better else -1.0

    def draw(size: int) -> tuple[Floats, NDArray[np.bool_], _Course]:
        score = rng.standard_normal(size)
        hazard = truth.hazard * np.exp(towards * truth.slope * score)
        time = endpoint.median * (rng.standard_exponential(size) / hazard) ** (1 / SHAPE)
        course = _Course(time, span * rng.uniform(SHORTEST_FOLLOW_UP, 1.0, size))
        kind = course.time <= course.until if timed else rounded(time) > months
        return score, kind, course

    score, kind, course = _drawn(draw, part.patients, asked)
    return score, (score > 0 if timed else kind), course


def _drawn(
    draw: Callable[[int], tuple[Floats, NDArray[np.bool_], _Course]], size: int, asked: int | None
) -> tuple[Floats, NDArray[np.bool_], _Course]:
    """As many patients as asked for, with as many positives: the first of each that come."""
    if asked is None:
        return draw(size)
    found: list[tuple[Floats, NDArray[np.bool_], _Course]] = []
    for _ in range(MOST_DRAWS):
        found.append(draw(2 * size))
        kind = np.concatenate([one[1] for one in found])
        places = np.r_[np.flatnonzero(kind)[:asked], np.flatnonzero(~kind)[: size - asked]]
        if len(places) == size:
            places.sort()
            score, time, until = (
                np.concatenate(parts)[places]
                for parts in zip(*((s, c.time, c.until) for s, _, c in found), strict=True)
            )
            return score, kind[places], _Course(time, until)
    raise wrong_study(
        f"months that leave {asked} of {size} patients positive",
        f"too few in {2 * size * MOST_DRAWS} drawn",
    )


def _other_endpoints(
    design: StudyDesign,
    truth: StudyTruth,
    positive: NDArray[np.bool_],
    *,
    made: dict[str, _Course],
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame]:
    """Endpoints that depend on the class, and go together within a class."""
    shared = rng.standard_normal(len(positive))
    for course in made.values():
        shared = _normal_scores(course.time, positive)
    position = rng.uniform(SHORTEST_FOLLOW_UP, 1.0, size=len(positive))
    worse = ~positive if design.better else positive
    courses = dict(made)
    # Death of any cause comes first, as it ends others.
    for name in sorted(design.endpoints, key=lambda name: name != ALL_CAUSES):
        if name in made:
            continue
        own = rng.standard_normal(len(positive))
        z = BETWEEN_ENDPOINTS * shared + np.sqrt(1 - BETWEEN_ENDPOINTS**2) * own
        time, span = _times(design, truth, name, worse=worse, z=z)
        if name in ENDED_BY_DEATH and ALL_CAUSES in courses:
            time = np.minimum(time, courses[ALL_CAUSES].time)
        courses[name] = _Course(time, span * position)
    found = {name: course.seen(events=FEWEST_EVENTS) for name, course in courses.items()}
    if OF_THE_DISEASE in found and ALL_CAUSES in found:
        found[OF_THE_DISEASE] = _disease_deaths(design, found[ALL_CAUSES], rng)
    return {name: found[name] for name in found if name not in made}


def _times(
    design: StudyDesign, truth: StudyTruth, name: str, *, worse: NDArray[np.bool_], z: Floats
) -> tuple[Floats, float]:
    """Months, later for a higher z, and the longest follow-up."""
    endpoint = design.endpoints[name]
    ratio = endpoint.hazard_ratio if endpoint.hazard_ratio and design.effect else 1.0
    share = 1 - truth.prevalence if design.better else truth.prevalence
    hazard = _mixture_hazard(ratio, share)

    def survived(times: Floats) -> Floats:
        base = hazard * times**SHAPE
        found: Floats = (1 - share) * np.exp(-base) + share * np.exp(-ratio * base)
        return found

    cumulative = -log_ndtr(-z)
    time = endpoint.median * (cumulative / hazard / np.where(worse, ratio, 1.0)) ** (1 / SHAPE)
    return time, endpoint.median * follow_up_span(survived, endpoint.censored)


def _mixture_hazard(ratio: float, share: float) -> float:
    """Cumulative hazard of the better class when half of all patients are left."""

    def above(hazard: float) -> float:
        return float((1 - share) * np.exp(-hazard) + share * np.exp(-ratio * hazard)) - 0.5

    low, high = sorted((np.log(2) / ratio, np.log(2)))
    return low if ratio == 1 else float(brentq(above, low, high))


def _disease_deaths(
    design: StudyDesign, deaths: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Deaths of any cause, less those of another cause, which end follow-up."""
    left = 1 - design.endpoints[ALL_CAUSES].censored
    kept = min(1.0, (1 - design.endpoints[OF_THE_DISEASE].censored) / left)
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
