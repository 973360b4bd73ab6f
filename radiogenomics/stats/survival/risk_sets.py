"""Sums over risk sets as one linear map, for many covariates and many models at once.

The partial likelihood needs, for every event k, a sum over those still at risk, less Efron's share
of those tied with k. That is linear in what is summed: phi = L r with L = T · C · G, where G adds
up who enters the risk set at each distinct event time (and who has an event there), C cumulates
from the last event time to the first, and T takes Efron's share away. G and T are sparse, C is a
running sum, so L costs one pass; its transpose, which the gradient needs, costs another.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Bools, Floats

# Below this width numpy's own running sum beats one vectorised addition per row.
_NARROW = 64


@dataclass(frozen=True)
class RiskSets:
    """Who is at risk at which event.

    Attributes
    ----------
    subjects : ndarray of int, shape (m,)
        Positions of the subjects that are at risk at one event time or more; the others carry no
        information and are left out.
    event : ndarray of float, shape (m,)
        1 where the subject has the event.
    weight : ndarray of float, shape (terms,)
        How often the logarithm of each denominator counts (Breslow: the events tied there).
    gather, share : csr_array
        G of shape (times + tied, m) and T of shape (terms, times + tied).
    spread, collect : csr_array
        Their transposes.
    strata : tuple of (int, int)
        Rows of the running sum that belong together.
    """

    subjects: NDArray[np.intp]
    event: Floats
    weight: Floats
    gather: Any
    share: Any
    spread: Any
    collect: Any
    strata: tuple[tuple[int, int], ...]

    def sums(self, values: Floats) -> Floats:
        """Sum over the risk set of every term.

        Parameters
        ----------
        values : ndarray of shape (m, width)

        Returns
        -------
        ndarray of shape (terms, width)
        """
        entering = self.gather @ values
        for start, stop in self.strata:
            accumulate(entering[start:stop])
        return np.asarray(self.share @ entering)

    def transposed_sums(self, values: Floats) -> Floats:
        """Sum, for every subject, over the terms in whose risk set the subject is.

        Parameters
        ----------
        values : ndarray of shape (terms, width)

        Returns
        -------
        ndarray of shape (m, width)
        """
        leaving = self.collect @ values
        for start, stop in self.strata:
            accumulate(leaving[start:stop][::-1])
        return np.asarray(self.spread @ leaving)


def build_risk_sets(time: Floats, event: Bools, *, ties: str, strata: NDArray[Any]) -> RiskSets:
    """Arrange subjects and events for `RiskSets`.

    Parameters
    ----------
    time : ndarray of float, shape (n,)
    event : ndarray of bool, shape (n,)
    ties : {"efron", "breslow"}
    strata : ndarray of shape (n,)
        Subjects are compared within equal values only.

    Returns
    -------
    RiskSets

    Raises
    ------
    DataError
        If `ties` is unknown.
    """
    if ties not in ("efron", "breslow"):
        raise DataError(
            f"expected ties='efron' or 'breslow'; found {ties!r}; choose one of the two."
        )
    code = np.unique(strata, return_inverse=True)[1].ravel()
    # One row per distinct event time of a stratum, from the last time to the first.
    order = np.lexsort((-time[event], code[event]))
    row_time, row_code = time[event][order], code[event][order]
    first = np.ones(row_time.size, dtype=bool)
    first[1:] = (np.diff(row_time) != 0) | (np.diff(row_code) != 0)
    row_time, row_code = row_time[first], row_code[first]
    edges = np.flatnonzero(np.diff(row_code)) + 1
    bounds = list(pairwise([0, *edges.tolist(), row_time.size]))

    row = np.full(time.size, -1)
    for start, stop in bounds:
        member = np.flatnonzero(code == row_code[start])
        # A subject enters at the latest event time that it lived to see.
        late = np.searchsorted(-row_time[start:stop], -time[member], side="left") + start
        row[member] = np.where(late < stop, late, -1)
    subjects = np.flatnonzero(row >= 0)
    row, died = row[subjects], event[subjects]

    deaths = np.bincount(row[died], minlength=row_time.size)
    gather, share, weight = _matrices(row, died, deaths, efron=ties == "efron")
    return RiskSets(
        subjects=subjects,
        event=died.astype(float),
        weight=weight,
        gather=gather,
        share=share,
        spread=gather.T.tocsr(),
        collect=share.T.tocsr(),
        strata=tuple(bounds),
    )


def _matrices(
    row: NDArray[np.intp], died: Bools, deaths: NDArray[np.intp], *, efron: bool
) -> tuple[Any, Any, Floats]:
    times = deaths.size
    tied = np.flatnonzero(deaths > 1) if efron else np.empty(0, dtype=int)
    slot = np.full(times, -1)
    slot[tied] = times + np.arange(tied.size)

    who = np.flatnonzero(died & (slot[row] >= 0))
    rows = np.concatenate([row, slot[row[who]]])
    columns = np.concatenate([np.arange(row.size), who])
    gather = csr_array((np.ones(rows.size), (rows, columns)), shape=(times + tied.size, row.size))

    copies = deaths if efron else np.ones(times, dtype=int)
    of_term = np.repeat(np.arange(times), copies)
    nth = np.arange(of_term.size) - np.repeat(np.cumsum(copies) - copies, copies)
    fraction = nth / deaths[of_term]
    part = np.flatnonzero(fraction > 0) if efron else np.empty(0, dtype=int)
    rows = np.concatenate([np.arange(of_term.size), part])
    columns = np.concatenate([of_term, slot[of_term[part]]])
    values = np.concatenate([np.ones(of_term.size), -fraction[part]])
    share = csr_array((values, (rows, columns)), shape=(of_term.size, times + tied.size))
    weight = np.ones(of_term.size) if efron else deaths.astype(float)
    return gather, share, weight


def accumulate(values: Floats) -> None:
    """Running sum down the rows, in place."""
    if values.shape[1] < _NARROW:
        np.cumsum(values, axis=0, out=values)
        return
    rows = list(values)
    for before, row in pairwise(rows):
        np.add(before, row, out=row)
