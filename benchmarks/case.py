"""What a benchmark case is: the same work done by us and by a peer, on the same input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
Work = Callable[[Arrays, int], Arrays]


@dataclass(frozen=True)
class Agreement:
    """How far the two results lie apart.

    Parameters
    ----------
    max_rel_diff
        Largest |a - b| / max(|a|, |b|); None where the two are not meant to be the same numbers.
    remark
        What is said in its place, or beside it.
    """

    max_rel_diff: float | None
    remark: str = ""


def relative_agreement(ours: Arrays, theirs: Arrays) -> Agreement:
    """Compare every array of the peer with the same first rows of ours."""
    largest = 0.0
    for name, reference in theirs.items():
        found = ours[name][: len(reference)]
        if found.shape != reference.shape or not np.isfinite([found, reference]).all():
            raise ValueError(
                f"{name}: expected finite results of shape {reference.shape}; found {found.shape} "
                f"with {int((~np.isfinite(found)).sum())} not finite in ours. Mend the case."
            )
        size = np.maximum(np.abs(found), np.abs(reference))
        difference = np.abs(found - reference) / np.where(size > 0, size, 1.0)
        largest = max(largest, float(difference.max()))
    return Agreement(largest)


@dataclass(frozen=True)
class Case:
    """One job with a size, done by us and by a peer.

    Its sides are functions of the inputs and of a count: they do the first ``count`` items. What
    they need is imported inside them, so that no process carries the libraries of another.

    Parameters
    ----------
    name
        Word for ``--case``.
    job
        What is done, in words; ``{items}`` stands for the number.
    unit
        What an item is, in the plural unless ``sample`` is 1.
    items
        Size of the job.
    sample
        Items that the peer does; below ``items``, its time is extrapolated linearly.
    warm_up
        Items done by both before the clock starts; 0 where even one takes long, and the sides then
        do a small part of one.
    package
        Distribution of the peer.
    peer
        What of the peer is used.
    inputs
        Number of items → arrays, the same each time.
    ours, theirs
        The two sides.
    compare
        Ours and the peer's → agreement.
    reference
        The peer at its most exact, where what is timed stops early; ours is compared with it, and
        it is not timed.
    remark
        What a reader of the ratio must know.
    most_rounds
        Rounds at most, where one takes long.
    on_request
        Runs only where it is named: it takes minutes.
    """

    name: str
    job: str
    unit: str
    items: int
    sample: int
    warm_up: int
    package: str
    peer: str
    inputs: Callable[[int], Arrays]
    ours: Work
    theirs: Work
    compare: Callable[[Arrays, Arrays], Agreement] = relative_agreement
    reference: Work | None = None
    remark: str = ""
    most_rounds: int = 100
    on_request: bool = False

    def peer_version(self) -> str:
        """Package, version and what of it is used."""
        return f"{self.package} {version(self.package)}: {self.peer}"
