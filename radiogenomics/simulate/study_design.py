"""What a simulated cohort of a prediction study looks like: who, measured how, with what truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.simulate.study_labels import (
    BeyondLabel,
    CategoryLabel,
    LabelDesign,
    MarkerLabel,
    TimeLabel,
    WordLabel,
    require_markers,
    wrong_study,
)

__all__ = [
    "ALL_CAUSES",
    "ENDED_BY_DEATH",
    "HIGHEST",
    "MONTHS_PER_WEEK",
    "OF_THE_DISEASE",
    "BeyondLabel",
    "CategoryLabel",
    "EndpointDesign",
    "ImageDesign",
    "LabelDesign",
    "MarkerLabel",
    "PartDesign",
    "RivalDesign",
    "StudyDesign",
    "TimeLabel",
    "WordLabel",
    "wrong_study",
]

HIGHEST = 0.999
"""Largest AUC or C-index that a truth can have: a perfect one needs infinite separation."""

MONTHS_PER_WEEK = 7 / (365.25 / 12)
ENDED_BY_DEATH = frozenset({"PFS", "RFS", "DFS", "EFS"})
ENDED_BY_PROGRESSION = ENDED_BY_DEATH | {"TTP"}
OF_THE_DISEASE, ALL_CAUSES = "CSS", "OS"


@dataclass(frozen=True)
class PartDesign:
    """One cohort.

    Parameters
    ----------
    patients
        How many.
    positives
        Exactly how many are of class 1 (of a time to an event: have it); by lot if None.
    sites
        Names of the hospitals; the same name is the same scanner in every part.
    labelled
        False: what the label is read from (a fact, markers, a response or an endpoint) was not
        measured here and is in no table; classes, of which all else is drawn, are in the truth.
    """

    patients: int
    positives: int | None
    sites: tuple[str, ...]
    labelled: bool = field(default=True, kw_only=True)


@dataclass(frozen=True)
class ImageDesign:
    """Features of one region in one kind of scan.

    Parameters
    ----------
    variables
        Their names.
    repeats
        The block that this is the next time point of; it has the same variables.
    later
        Whether the scan was made after the start of treatment. All later blocks are taken to be of
        one visit; of several time points, the last.
    reread
        Patients of the first part who are measured twice.
    """

    variables: tuple[str, ...]
    repeats: str | None = None
    later: bool = False
    reread: int = 0


@dataclass(frozen=True)
class RivalDesign:
    """What nobody trains.

    Parameters
    ----------
    fact
        Column of the patients, or name of a response outcome.
    discrimination
        Its AUC, or C-index where the label is a time to an event.
    groups
        Words from the least to the most like class 1; None for numbers.
    rises
        Of numbers: which class has the higher ones.
    outcome
        Whether the fact is a response outcome.
    """

    fact: str
    discrimination: float
    groups: tuple[tuple[str, ...], ...] | None = None
    rises: Literal["positive", "negative"] = "positive"
    outcome: bool = False


@dataclass(frozen=True)
class EndpointDesign:
    """Survival.

    Parameters
    ----------
    median
        Months, of all patients.
    hazard_ratio
        Of the worse class against the better; None for the endpoint that makes the label, and
        where there is no difference.
    censored
        Share of patients who leave before the event. It is all that counts of an endpoint that is
        made from another: CSS beside OS has OS's times and some of its deaths, so that its median
        and hazard ratio follow. They are None; numbers are not used.
    progression
        Whether progression is such an event, as the response at the later scan shows it; by its
        name if None (PFS, TTP, DFS, RFS, EFS).
    """

    median: float | None
    hazard_ratio: float | None
    censored: float
    progression: bool | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class StudyDesign:
    """A study's design with the truth behind it; :mod:`study_truth` has the formulas.

    Parameters
    ----------
    study
        Name, from which cohorts are named.
    parts
        Cohorts, the training one first.
    images
        Blocks of image features; a block that repeats another stands behind it.
    clinical
        Blocks of facts about patients, which are numbers.
    label
        What is foretold and how it is written.
    better
        Whether class 1 is the better one.
    target
        AUC of the true model of all blocks; C-index for a time to an event.
    shares
        Block → share of the squared separation that it alone carries.
    informative
        Features of each block that carry it; fewer in small blocks.
    rivals, endpoints
        By name.
    facts
        Further facts → whether they are numbers, 0 and 1, words, or weeks between scans.
    without_follow_up
        Share of patients without any later block. Everyone else was alive, and followed, and had no
        event of any endpoint before the later scan.
    scanned_at
        First and last week of that scan, counted from the origin of the endpoints.
    progressive
        Categories of responses that say progression at the later scan; where there is one, it is
        the event of the endpoints of progression, and nobody else who was scanned has it before.
    change
        False: later blocks carry nothing beyond those they repeat.
    effect
        False: nothing carries anything.

    Raises
    ------
    DataError
        A number is out of its range, or names disagree.
    UnknownNameError
        A share, a repeated block or a label's endpoint is of nothing that is there.
    """

    study: str
    parts: Mapping[str, PartDesign]
    images: Mapping[str, ImageDesign]
    clinical: Mapping[str, tuple[str, ...]]
    label: LabelDesign
    better: bool
    target: float
    shares: Mapping[str, float]
    informative: int
    rivals: Mapping[str, RivalDesign] = field(default_factory=dict)
    endpoints: Mapping[str, EndpointDesign] = field(default_factory=dict)
    facts: Mapping[str, Literal["number", "binary", "words", "weeks"]] = field(default_factory=dict)
    without_follow_up: float = 0.0
    scanned_at: tuple[float, float] = field(default=(6.0, 10.0), kw_only=True)
    progressive: tuple[str, ...] = field(default=("PD",), kw_only=True)
    change: bool = True
    effect: bool = True

    def __post_init__(self) -> None:
        """Refuse a design that cannot be."""
        self._check_parts()
        self._check_blocks()
        self._check_truth()
        self._check_outcomes()
        if self.scanned_again:
            self._check_follow_up()

    @property
    def training(self) -> PartDesign:
        """The first part."""
        return next(iter(self.parts.values()))

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of all blocks, images first."""
        return (*self.images, *self.clinical)

    @property
    def scanned_again(self) -> bool:
        """Whether there is a later block."""
        return any(block.later for block in self.images.values())

    @property
    def label_endpoint(self) -> str | None:
        """Endpoint that the label is made from."""
        label = self.label
        return label.endpoint if isinstance(label, BeyondLabel | TimeLabel) else None

    @property
    def progressive_responses(self) -> tuple[str, ...]:
        """Response outcomes with a category of progression."""
        label = self.label
        groups = {r.fact: r.groups or () for r in self.rivals.values() if r.outcome}
        if isinstance(label, CategoryLabel):
            groups[label.outcome] = (label.negative, label.positive)
        return tuple(
            fact
            for fact, words in groups.items()
            if any(word in self.progressive for group in words for word in group)
        )

    @property
    def label_facts(self) -> tuple[str, ...]:
        """Facts of the patients that the label is read from."""
        if isinstance(self.label, WordLabel):
            return (self.label.fact,)
        if isinstance(self.label, MarkerLabel) and self.label.assay is None:
            return self.label.markers
        return ()

    def made_from(self, endpoint: str) -> str | None:
        """Endpoint that another is made from: OS, of CSS beside it."""
        made = endpoint == OF_THE_DISEASE and ALL_CAUSES in self.endpoints
        return ALL_CAUSES if made and endpoint != self.label_endpoint else None

    def median(self, endpoint: str) -> float:
        """Months of an endpoint that is its own."""
        months = self.endpoints[endpoint].median
        if months is None:
            raise wrong_study(f"a median above 0 of {endpoint}", "none")
        return months

    def ends_by_progression(self, endpoint: str) -> bool:
        """Whether a response that says progression is this endpoint's event."""
        said = self.endpoints[endpoint].progression
        by_name = endpoint in ENDED_BY_PROGRESSION
        return self.scanned_again and (by_name if said is None else said)

    def carried(self, block: str) -> float:
        """Share that a block carries as the world stands, without change or effect perhaps."""
        later = block in self.images and self.images[block].later
        if not self.effect or (later and not self.change):
            return 0.0
        return self.shares.get(block, 0.0)

    def _check_parts(self) -> None:
        if not self.parts:
            raise wrong_study("at least one part", "none")
        for name, part in self.parts.items():
            if not 1 <= len(set(part.sites)) <= part.patients or part.patients < 4:
                raise wrong_study(
                    f"at least 4 patients in {name}, and as many as sites",
                    f"{part.patients} patients, {len(set(part.sites))} sites",
                )
            if part.positives is None and self.label_endpoint is None:
                raise wrong_study(f"a number of positives in {name}", "none")
            if part.positives is not None and not 0 < part.positives < part.patients:
                raise wrong_study(f"both classes among {part.patients} in {name}", part.positives)
        if not self.training.labelled:
            raise wrong_study("a label in the first part, which is for training", "none")

    def _check_blocks(self) -> None:
        behind: list[str] = []
        for name, block in self.images.items():
            if block.repeats is not None:
                if block.repeats not in behind:
                    raise UnknownNameError("earlier block", block.repeats, behind)
                if self.images[block.repeats].variables != block.variables:
                    raise wrong_study(f"the variables of {block.repeats} in {name}", "others")
            if not block.variables or len(set(block.variables)) < len(block.variables):
                raise wrong_study(f"variables once each in {name}", len(block.variables))
            if not 0 <= block.reread <= self.training.patients:
                raise wrong_study(f"patients of the first part reread in {name}", block.reread)
            behind.append(name)
        for name in self.images:
            length = len(self.chain(name))
            if len(self.images[name].variables) < length:
                raise wrong_study(f"at least {length} variables in {name}", "fewer")
        for name, facts in self.clinical.items():
            if not facts or name in self.images:
                raise wrong_study("clinical blocks with facts and a name of their own", name)

    def chain(self, block: str) -> tuple[str, ...]:
        """All time points that a block belongs to, the first first."""
        root = block
        while (earlier := self.images[root].repeats) is not None:
            root = earlier
        found = [root]
        for name, other in self.images.items():
            if other.repeats in found:
                found.append(name)
        return tuple(found)

    def _check_truth(self) -> None:
        for name in self.shares:
            if name not in self.blocks:
                raise UnknownNameError("block with a share", name, self.blocks)
        total = sum(self.shares.values())
        if abs(total - 1) > 1e-6 or min(self.shares.values()) < 0:
            raise wrong_study("shares from 0 that sum to 1", f"a sum of {total:g}")
        if not 0.5 <= self.target <= HIGHEST:
            raise wrong_study(f"an AUC or C-index from 0.5 to {HIGHEST}", self.target)
        if self.informative < 1 or not 0 <= self.without_follow_up < 1:
            raise wrong_study(
                "an informative feature or more, and patients with a follow-up",
                f"{self.informative} features, {self.without_follow_up:g} without",
            )
        for name, rival in self.rivals.items():
            if not 0.5 <= rival.discrimination <= HIGHEST:
                raise wrong_study(f"an AUC from 0.5 to {HIGHEST} of {name}", rival.discrimination)
            if rival.groups is not None and (len(rival.groups) < 2 or not all(rival.groups)):
                raise wrong_study(f"two groups or more with words in {name}", rival.groups)
            if rival.outcome and rival.groups is None:
                raise wrong_study(f"groups of the response {rival.fact}", "none")

    def _check_outcomes(self) -> None:
        label, made = self.label, self.label_endpoint
        if made is not None and made not in self.endpoints:
            raise UnknownNameError("endpoint of the label", made, self.endpoints)
        for name, endpoint in self.endpoints.items():
            if not 0 <= endpoint.censored < 1:
                raise wrong_study(f"events in {name}", endpoint)
            if self.made_from(name) is not None:
                continue
            if not self.median(name) > 0:
                raise wrong_study(f"a median above 0 of {name}", endpoint)
            ratio, own = endpoint.hazard_ratio, name != made
            if ratio is not None and not (own and ratio > 0):
                expected = "a hazard ratio above 0" if own else "no hazard ratio"
                raise wrong_study(f"{expected} of {name}", ratio)
        if isinstance(label, MarkerLabel):
            require_markers(label)
        leaked = [f for facts in self.clinical.values() for f in facts if f in self.label_facts]
        if leaked:
            raise wrong_study("clinical facts that are not the label", ", ".join(leaked))

    def _check_follow_up(self) -> None:
        first, last = self.scanned_at
        if not 0 < first <= last:
            raise wrong_study("weeks above 0 of the later scan, the first first", self.scanned_at)
        months = {n: self.median(n) for n in self.endpoints if self.made_from(n) is None}
        if isinstance(self.label, BeyondLabel) and self.label.months is not None:
            months["the label"] = self.label.months
        for name, known in months.items():
            if known <= last * MONTHS_PER_WEEK:
                raise wrong_study(f"months of {name} after the later scan, at {last} weeks", known)
        made = self.label_endpoint
        if made is not None and self.ends_by_progression(made) and self.progressive_responses:
            raise wrong_study(
                f"a label that {', '.join(self.progressive_responses)} at the later scan does not "
                f"decide, or progression=False of {made}",
                made,
            )
