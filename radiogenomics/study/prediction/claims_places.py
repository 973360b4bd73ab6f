"""Which cohorts of a run can stand for the part of a paper's design that a claim is of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from radiogenomics.study.prediction.claims import CROSS_VALIDATION, EXTERNAL, place_of

TRAINING, OUTSIDE, JOINED = "training", f"{EXTERNAL}:", " + "


class Stand(NamedTuple):
    """What a claim is held against.

    Attributes
    ----------
    splits
        Splits of the run, one a part; empty where something is missing.
    group
        Level of a fact that the claim is about, ``fact=level``; "" where it is of all.
    why
        Why there is none.
    """

    splits: tuple[str, ...] = ()
    group: str = ""
    why: str = ""

    @property
    def split(self) -> str:
        """Name of all together, as rows of what was obtained have it."""
        joined = JOINED.join(self.splits)
        return grouped(joined, self.group) if self.group else joined


def grouped(split: str, group: str) -> str:
    """Name a level of a fact within a split.

    Examples
    --------
    >>> grouped("external:far", "regimen=A")
    'external:far (regimen=A)'
    """
    return f"{split} ({group})"


def stand_of(
    split: str, there: Collection[str], *, parts: Sequence[str] = (), apart: bool = False
) -> Stand:
    """Find the splits of a run that a claim's part, or parts, are held against.

    ``training`` and ``cross-validation`` are the cross-validation. Another part is the external
    cohort whose id ends with its name. Where none does, a cohort that no other part is named after
    stands for the part ``external``, or for the only part outside of training, if it is the only
    one.

    Parameters
    ----------
    split
        As claims have it, see :func:`radiogenomics.study.prediction.claims.place_of`.
    there
        Splits of the run.
    parts
        Of the recipe's design, training first; empty where that is not known.
    apart
        The recipe names no parts: a claim without one is of the external cohort.

    Examples
    --------
    >>> stand_of("external", ["cross-validation", "external:mine"]).split
    'external:mine'
    >>> stand_of("internal+external", ["external:x-internal", "external:x-external"]).splits
    ('external:x-internal', 'external:x-external')
    """
    place = place_of(split)
    found: list[str] = []
    for part in place.parts:
        stand = _stand(part, there, parts=parts, apart=apart)
        if stand.why:
            return stand
        found += stand.splits
    return Stand(tuple(found), f"{place.fact}={place.level}" if place.fact else "")


def _stand(part: str, there: Collection[str], *, parts: Sequence[str], apart: bool) -> Stand:
    if part in (TRAINING, CROSS_VALIDATION):
        # Where it was not cross-validated there is no such row, which is said of the metric.
        return Stand((CROSS_VALIDATION,))
    cohorts = [split for split in there if split.startswith(OUTSIDE)]
    if apart and part in ("", EXTERNAL):
        return _only(cohorts, part)
    named = [split for split in cohorts if is_named(part, split)]
    if named:
        return _only(named, part)
    others = [name for name in parts if name not in (part, TRAINING)]
    free = [split for split in cohorts if not any(is_named(name, split) for name in others)]
    if part == EXTERNAL or not cohorts or (parts and not others):
        return _only(free, part)
    return Stand(
        why=f"the id of no external cohort ends in {part}, and which of several parts one is "
        f"cannot be told otherwise (here: {', '.join(cohorts)})"
    )


def _only(cohorts: Sequence[str], part: str) -> Stand:
    """The one cohort there is; else why not."""
    if len(cohorts) == 1:
        return Stand((cohorts[0],))
    if not cohorts:
        return Stand(why=f"the run has no number of a cohort for the part {part or EXTERNAL}")
    names = ", ".join(cohorts)
    end = f"; end the id of one in {part}" if part else ""
    return Stand(why=f"several cohorts could stand for it ({names}){end}")


def is_named(part: str, split: str) -> bool:
    """Whether the id of an external cohort ends with the name of a part.

    Examples
    --------
    >>> is_named("test", "external:a-test"), is_named("test", "external:latest")
    (True, False)
    """
    cohort = split.removeprefix(OUTSIDE)
    before = cohort.removesuffix(part)
    return cohort != split and cohort != before and not before[-1:].isalnum()
