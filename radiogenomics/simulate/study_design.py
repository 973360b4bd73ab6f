"""What a simulated cohort of a prediction study looks like: who, measured how, with what truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from radiogenomics.core.errors import DataError, UnknownNameError

HIGHEST = 0.999
"""Largest AUC or C-index that a truth can have: a perfect one needs infinite separation."""


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
    """

    patients: int
    positives: int | None
    sites: tuple[str, ...]


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
        Whether the scan was made after the start of treatment.
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
        Months.
    hazard_ratio
        Of the worse class against the better; None for the endpoint that makes the label, and
        where there is no difference.
    censored
        Share of patients who leave before the event.
    """

    median: float
    hazard_ratio: float | None
    censored: float


@dataclass(frozen=True)
class CategoryLabel:
    """Classes that are written as categories of a response outcome."""

    outcome: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True)
class WordLabel:
    """Classes that are written as words of a fact about the patient."""

    fact: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True)
class MarkerLabel:
    """Class 1 is high in all markers, but low in those of ``low``; facts where ``assay`` is None.

    A cut-off of None is the median; positive ones are multiplied, others added to.
    """

    assay: str | None
    markers: tuple[str, ...]
    cutoffs: tuple[float | None, ...]
    low: tuple[str, ...] = ()


@dataclass(frozen=True)
class BeyondLabel:
    """Class 1 lives beyond some months of an endpoint; None: beyond its median."""

    endpoint: str
    months: float | None


@dataclass(frozen=True)
class TimeLabel:
    """No classes: a time to an event."""

    endpoint: str


LabelDesign = CategoryLabel | WordLabel | MarkerLabel | BeyondLabel | TimeLabel


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
        Share of patients without any later block.
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
    change: bool = True
    effect: bool = True

    def __post_init__(self) -> None:
        """Refuse a design that cannot be."""
        self._check_parts()
        self._check_blocks()
        self._check_truth()
        self._check_outcomes()

    @property
    def training(self) -> PartDesign:
        """The first part."""
        return next(iter(self.parts.values()))

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of all blocks, images first."""
        return (*self.images, *self.clinical)

    def carried(self, block: str) -> float:
        """Share that a block carries as the world stands, without change or effect perhaps."""
        later = block in self.images and self.images[block].later
        if not self.effect or (later and not self.change):
            return 0.0
        return self.shares.get(block, 0.0)

    def _check_parts(self) -> None:
        if not self.parts:
            raise wrong_study("at least one part", "none")
        by_lot = isinstance(self.label, BeyondLabel | TimeLabel)
        for name, part in self.parts.items():
            if not 1 <= len(set(part.sites)) <= part.patients or part.patients < 4:
                raise wrong_study(
                    f"at least 4 patients in {name}, and as many as sites",
                    f"{part.patients} patients, {len(set(part.sites))} sites",
                )
            if part.positives is None and not by_lot:
                raise wrong_study(f"a number of positives in {name}", "none")
            if part.positives is not None and not 0 < part.positives < part.patients:
                raise wrong_study(f"both classes among {part.patients} in {name}", part.positives)

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
        label = self.label
        made = label.endpoint if isinstance(label, BeyondLabel | TimeLabel) else None
        if made is not None and made not in self.endpoints:
            raise UnknownNameError("endpoint of the label", made, self.endpoints)
        for name, endpoint in self.endpoints.items():
            if not (endpoint.median > 0 and 0 <= endpoint.censored < 1):
                raise wrong_study(f"a median above 0 and events in {name}", endpoint)
            if endpoint.hazard_ratio is not None and not endpoint.hazard_ratio > 0:
                raise wrong_study(f"a hazard ratio above 0 in {name}", endpoint.hazard_ratio)
        if isinstance(label, MarkerLabel):
            _require_markers(label)
        written = self._label_facts()
        leaked = [fact for facts in self.clinical.values() for fact in facts if fact in written]
        if leaked:
            raise wrong_study("clinical facts that are not the label", ", ".join(leaked))

    def _label_facts(self) -> Iterable[str]:
        if isinstance(self.label, WordLabel):
            return (self.label.fact,)
        if isinstance(self.label, MarkerLabel) and self.label.assay is None:
            return self.label.markers
        return ()


def _require_markers(label: MarkerLabel) -> None:
    if not label.markers or len(label.markers) != len(label.cutoffs):
        raise wrong_study("a cut-off for each marker", f"{len(label.cutoffs)}")
    for marker in label.low:
        if marker not in label.markers:
            raise UnknownNameError("marker", marker, label.markers)


def wrong_study(expected: str, found: Any) -> DataError:
    """What is wrong with a design, in one sentence."""
    return DataError(f"simulated study: expected {expected}; found {found}. Correct the design.")
