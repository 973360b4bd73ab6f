"""What is written about the patients of a simulated study: facts, rivals and the label itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.simulate.study_design import (
    CategoryLabel,
    MarkerLabel,
    PartDesign,
    RivalDesign,
    StudyDesign,
    TimeLabel,
    WordLabel,
    wrong_study,
)
from radiogenomics.simulate.study_images import LOADINGS, carriers_of
from radiogenomics.simulate.study_people import People
from radiogenomics.simulate.study_rivals import rival_law, word_shares
from radiogenomics.simulate.study_truth import StudyTruth

Floats = NDArray[np.float64]

TWO_WORDS = ("A", "B")
HIGH_MARKERS = 0.4
# Markers keep clear of their cut-off, so that a median of part of the patients cuts alike.
CLEAR = 0.15
OF_YES_AND_NO = (
    "sex",
    "male",
    "invasion",
    "spread",
    "thromb",
    "metasta",
    "cirrhosis",
    "hepatitis",
    "hbv",
    "hcv",
    "hbsag",
    "ascites",
    "ecog",
    "child",
    "bclc",
    "stage",
    "grade",
    "up_to",
    "capsule",
    "multiple",
    "prior",
)
AGE, AGE_SCALE = "age", (61.0, 10.0)
SCALE = (50.0, 10.0)


@dataclass(eq=False)
class Written:
    """Tables about the patients of one part.

    Parameters
    ----------
    facts
        Patients × facts.
    responses
        Outcome → category of each patient.
    markers
        Assay → patients × genes.
    """

    facts: pd.DataFrame
    responses: dict[str, NDArray[Any]] = field(default_factory=dict)
    markers: dict[str, pd.DataFrame] = field(default_factory=dict)


def write_facts(
    design: StudyDesign,
    truth: StudyTruth,
    people: People,
    *,
    part: PartDesign,
    rng: np.random.Generator,
) -> Written:
    """Draw everything that is said of patients in words and single numbers.

    Sites are dealt evenly and by lot. A fact that stands in several places is drawn once: a
    clinical block's before a rival's, so a rival that is a clinical fact carries that block's share
    and not its own AUC.
    """
    sites = rng.permutation(np.resize(np.array(part.sites, dtype=object), part.patients))
    written = Written(pd.DataFrame({"site": sites}))
    rivals = {rival.fact: rival for rival in design.rivals.values() if rival.groups is None}
    for block, facts in design.clinical.items():
        own = tuple(fact for fact in facts if fact not in written.facts)
        drawn = _clinical(design, own, people.blocks[block], rivals=rivals, rng=rng) if own else {}
        if not drawn and design.shares.get(block, 0.0) > 0:
            raise wrong_study(f"facts of its own in {block}, which carries a share", "none")
        written.facts = written.facts.assign(**drawn)
    _write_label(design, people, written, rng)
    for rival in design.rivals.values():
        known = written.responses if rival.outcome else written.facts
        if rival.fact not in known:
            _write_rival(design, truth, people, rival=rival, written=written, rng=rng)
    for fact, kind in design.facts.items():
        if fact not in written.facts:
            binary = kind == "number" and _two_valued(design, fact)
            drawn_as = "binary" if binary else kind
            weeks = kind == "weeks"
            drawn = people.visits.weeks if weeks else _unrelated(fact, drawn_as, people.size, rng)
            written.facts[fact] = drawn
    return written


def says_progression(design: StudyDesign, written: Written) -> NDArray[np.bool_]:
    """Patients with a response that says progression."""
    found = np.zeros(len(written.facts), dtype=bool)
    for categories in written.responses.values():
        found |= np.isin(categories.astype(str), design.progressive)
    return found


def informative_facts(
    design: StudyDesign, facts: tuple[str, ...], rivals: Collection[str]
) -> tuple[str, ...]:
    """Facts that carry a clinical block's score: a quarter of them, or fewer.

    Rivals first, then numbers before facts of yes and no; the age last of its kind.
    """
    order = sorted(
        facts, key=lambda fact: (fact not in rivals, _two_valued(design, fact), fact == AGE)
    )
    return tuple(order[: max(1, min(design.informative, len(facts) // 4))])


def _clinical(
    design: StudyDesign,
    facts: tuple[str, ...],
    score: Floats,
    *,
    rivals: Mapping[str, RivalDesign],
    rng: np.random.Generator,
) -> dict[str, NDArray[Any]]:
    carrying = informative_facts(design, facts, rivals)
    loading = np.linspace(*LOADINGS, len(carrying))
    carriers = dict(zip(carrying, carriers_of(score, loading, rng).T, strict=True))
    found = {}
    for fact in facts:
        if fact in carriers:
            falls = fact in rivals and rivals[fact].rises == "negative"
            location, spread = AGE_SCALE if fact == AGE else SCALE
            found[fact] = location + spread * carriers[fact] * (-1 if falls else 1)
        else:
            kind = "binary" if _two_valued(design, fact) else "number"
            found[fact] = _unrelated(fact, kind, len(score), rng)
    return found


def _unrelated(fact: str, kind: str, size: int, rng: np.random.Generator) -> NDArray[Any]:
    if kind == "binary":
        return (rng.uniform(size=size) < 0.4).astype(float)
    if kind == "words":
        return np.array(TWO_WORDS, dtype=object)[(rng.uniform(size=size) < 0.5).astype(int)]
    location, spread = AGE_SCALE if fact == AGE else SCALE
    return location + spread * rng.standard_normal(size)


def _write_label(
    design: StudyDesign, people: People, written: Written, rng: np.random.Generator
) -> None:
    label = design.label
    if isinstance(label, CategoryLabel):
        words = _words_of((label.negative, label.positive), people.positive.astype(int), rng)
        written.responses[label.outcome] = words
    elif isinstance(label, WordLabel):
        words = _words_of((label.negative, label.positive), people.positive.astype(int), rng)
        written.facts[label.fact] = words
    elif isinstance(label, MarkerLabel):
        table = _markers(label, people.positive, rng)
        if label.assay is None:
            written.facts = written.facts.assign(**table)
        else:
            written.markers[label.assay] = table.astype(np.float32)


def _write_rival(
    design: StudyDesign,
    truth: StudyTruth,
    people: People,
    *,
    rival: RivalDesign,
    written: Written,
    rng: np.random.Generator,
) -> None:
    groups, law = rival.groups, rival_law(design, truth, rival)
    noise = rng.standard_normal(people.size)
    if isinstance(design.label, TimeLabel):
        value = law.strength * people.score + np.sqrt(1 - law.strength**2) * noise
    else:
        value = people.positive * law.strength + noise
    if groups is None:
        sign = 1.0 if rival.rises == "positive" else -1.0
        written.facts[rival.fact] = SCALE[0] + SCALE[1] * sign * value
        return
    words = _words_of(groups, np.searchsorted(law.cuts, value), rng)
    if rival.outcome:
        written.responses[rival.fact] = words
    else:
        written.facts[rival.fact] = words


def _words_of(
    groups: tuple[tuple[str, ...], ...], place: NDArray[Any], rng: np.random.Generator
) -> NDArray[Any]:
    """A word of each patient's group, in plausible shares."""
    found = np.empty(len(place), dtype=object)
    for number, group in enumerate(groups):
        here = np.flatnonzero(place == number)
        share = word_shares(group)
        found[here] = rng.choice(np.array(group, dtype=object), len(here), p=share / share.sum())
    return found


def _markers(
    label: MarkerLabel, positive: NDArray[np.bool_], rng: np.random.Generator
) -> pd.DataFrame:
    """Values on the sides of their cut-offs that make the class, half of them high by a median."""
    agrees = _agreeing(label, positive, rng)
    found = {}
    for marker, cutoff, as_asked in zip(label.markers, label.cutoffs, agrees, strict=True):
        high = ~as_asked if marker in label.low else as_asked
        away = np.where(high, 1, -1) * (CLEAR + np.abs(rng.standard_normal(len(high))))
        if cutoff is None or cutoff <= 0:
            found[marker] = (6.0 if cutoff is None else cutoff) + away
        else:
            found[marker] = cutoff * np.exp(away / 2)
    return pd.DataFrame(found)


def _agreeing(
    label: MarkerLabel, positive: NDArray[np.bool_], rng: np.random.Generator
) -> list[NDArray[np.bool_]]:
    """Who is on the asked side of each marker: all of class 1, and nobody else of all markers."""
    negative = rng.permutation(np.flatnonzero(~positive))
    found = []
    for number, cutoff in enumerate(label.cutoffs):
        others = round(HIGH_MARKERS * len(negative))
        if cutoff is None:
            others = max(0, len(positive) // 2 - int(positive.sum()))
        if len(label.markers) == 1:
            others = 0
        # The first and the second marker never meet in a negative patient.
        pool = negative if number == 0 else negative[::-1]
        chosen = pool[: min(others, len(negative) // 2)] if number < 2 else None
        if chosen is None:
            chosen = rng.choice(negative, min(others, len(negative)), replace=False)
        side = positive.copy()
        side[chosen] = True
        found.append(side)
    return found


def _two_valued(design: StudyDesign, fact: str) -> bool:
    """Whether the design says so, or the name sounds like yes and no."""
    name = fact.casefold()
    sounds = any(word in name for word in OF_YES_AND_NO) or name.endswith(("_b", "_c"))
    return sounds or design.facts.get(fact) == "binary"
