"""What is measured of a patient's lesions at one time, and what responses over time look like."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError, short_list

NON_TARGET = ("none", "CR", "non-CR/non-PD", "PD", "NE")
NODE_LIMIT_MM = 10.0
"""Short axis below which a lymph node is normal (RECIST 1.1)."""


@dataclass(frozen=True)
class Assessment:
    """Lesions of one patient on one day.

    Parameters
    ----------
    time
        Months since treatment began; the baseline is at 0 or before.
    targets
        Target lesion → diameter in mm (longest; short axis of nodes; viable part for mRECIST). 0
        where it has gone, NaN where it could not be measured.
    nodes
        Those targets that are lymph nodes.
    non_target
        Non-target lesions together: ``"none"`` (there are none), ``"CR"``, ``"non-CR/non-PD"``,
        ``"PD"`` (unequivocal progression) or ``"NE"``.
    new_lesions
        How many lesions there are that the baseline did not have.
    new_lesion_sum_mm
        Sum of diameters of new lesions that are measured, for iRECIST.

    Raises
    ------
    DataError
        A diameter or time is negative or infinite, or a node is not a target.
    UnknownNameError
        The state of non-target lesions is none of the five.
    """

    time: float
    targets: Mapping[str, float]
    nodes: frozenset[str] = field(default_factory=frozenset)
    non_target: str = "none"
    new_lesions: int = 0
    new_lesion_sum_mm: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot have been measured."""
        odd = [name for name, mm in self.targets.items() if mm < 0 or math.isinf(mm)]
        numbers = (self.time, self.new_lesions, self.new_lesion_sum_mm)
        if odd or not all(map(math.isfinite, numbers)) or min(numbers[1:]) < 0:
            raise DataError(
                f"assessment at {self.time}: expected finite diameters of at least 0 mm and a "
                f"finite time; found {len(odd)} diameters that are not ({short_list(odd) or '-'}), "
                f"{self.new_lesions} new lesions of {self.new_lesion_sum_mm} mm. Correct the entry."
            )
        if self.non_target not in NON_TARGET:
            raise UnknownNameError("state of non-target lesions", self.non_target, NON_TARGET)
        foreign = sorted(self.nodes - set(self.targets))
        if foreign:
            raise DataError(
                f"assessment at {self.time}: expected lymph nodes among the targets; found "
                f"{short_list(foreign)} elsewhere. Name them as targets."
            )

    @property
    def complete(self) -> bool:
        """True when every target was measured."""
        return not any(math.isnan(mm) for mm in self.targets.values())

    @property
    def sum_mm(self) -> float:
        """Sum of the diameters that were measured."""
        return sum(mm for mm in self.targets.values() if not math.isnan(mm))

    @property
    def gone(self) -> bool:
        """True when every target has gone, or is a node of normal size."""
        return self.complete and not self.present

    @property
    def present(self) -> bool:
        """True when a target that was measured is there; nodes count from 10 mm on."""
        return any(
            mm >= NODE_LIMIT_MM if name in self.nodes else mm > 0
            for name, mm in self.targets.items()
            if not math.isnan(mm)
        )

    def sum_beside(self, other: Assessment) -> tuple[float, float]:
        """Sums of the targets that were measured on both days, here and there."""
        both = [
            (mm, other.targets[name])
            for name, mm in self.targets.items()
            if not (math.isnan(mm) or math.isnan(other.targets[name]))
        ]
        return sum(mm for mm, _ in both), sum(mm for _, mm in both)


@dataclass(frozen=True, eq=False)
class ResponseCourse:
    """Response at each assessment after the baseline.

    Parameters
    ----------
    criterion
        ``"RECIST 1.1"``, ``"mRECIST"`` or ``"iRECIST"``.
    table
        ``time, sum_mm, change_from_baseline, change_from_nadir, target, non_target, new_lesions,
        overall``; changes are shares of the earlier sum, NaN without measurable targets.
    """

    criterion: str
    table: pd.DataFrame

    def __repr__(self) -> str:
        """Return the responses in order."""
        seen = ", ".join(f"{r.overall} at {r.time:g}" for r in self.table.itertuples())
        return f"ResponseCourse({self.criterion}: {seen or 'no follow-up'})"


def ordered(assessments: Sequence[Assessment]) -> tuple[Assessment, tuple[Assessment, ...]]:
    """Return baseline and follow-up in order of time; the last one at or before 0 is the baseline.

    Raises
    ------
    OutcomeError
        There is no baseline, it lacks a measurement, or two assessments share a day.
    DataError
        A follow-up has other targets than the baseline.
    """
    in_time = sorted(assessments, key=lambda each: each.time)
    times = [each.time for each in in_time]
    baselines = [each for each in in_time if each.time <= 0]
    if not baselines or len(set(times)) != len(times):
        raise OutcomeError(
            "expected a baseline at or before month 0 and one assessment a day; found times "
            f"{short_list(times) or 'none'}. Count months from the start of treatment."
        )
    baseline = baselines[-1]
    if not baseline.complete or baseline.new_lesions:
        raise OutcomeError(
            f"baseline at {baseline.time:g}: expected every target measured and no new lesion; "
            f"found {baseline.new_lesions} new lesions and targets "
            f"{'complete' if baseline.complete else 'incomplete'}. What is there at baseline is "
            "target or non-target."
        )
    if baseline.targets and not baseline.present:
        raise OutcomeError(
            f"baseline at {baseline.time:g}: expected targets that can be measured; found a sum of "
            f"{baseline.sum_mm:g} mm without one that is there. Enter the baseline reading, or the "
            "disease as non-target."
        )
    later = tuple(each for each in in_time if each.time > 0)
    for each in later:
        if set(each.targets) != set(baseline.targets):
            other = sorted(set(each.targets) ^ set(baseline.targets))
            raise DataError(
                f"assessment at {each.time:g}: expected the targets of the baseline; found a "
                f"difference in {short_list(other)}. Enter 0 for a lesion that has gone, NaN for "
                "one that was not measured, and count further ones as new."
            )
    return baseline, later
