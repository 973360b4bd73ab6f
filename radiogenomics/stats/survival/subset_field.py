"""Candidates of a subset search, arranged once for all the models that are fitted to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_groups, check_survival
from radiogenomics.stats.survival.cox import CoxBatch, fit_cox_batch
from radiogenomics.stats.survival.risk_sets import RiskSets, build_risk_sets


@dataclass(frozen=True)
class SubsetField:
    """Standardised candidates and the risk sets that they are compared in.

    Attributes
    ----------
    x : ndarray of shape (m, genes)
        Candidates of the subjects in `sets`, less their mean in the stratum (which the stratified
        likelihood does not see), in units of the standard deviation that is left.
    scale : ndarray of shape (genes,)
        That standard deviation; 1 where nothing varies, and `x` is 0 there.
    reach : ndarray of shape (genes,)
        Largest difference between two subjects of one stratum, in units of `scale`.
    total : ndarray of shape (genes,)
        Sum over events.
    sets : RiskSets
    """

    x: Floats
    scale: Floats
    reach: Floats
    total: Floats
    sets: RiskSets


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates and outcome, checked.

    Attributes
    ----------
    values : ndarray of shape (n, candidates)
    time, event, strata : ndarray of shape (n,)
    ties : {"efron", "breslow"}
    """

    values: Floats
    time: Floats
    event: Bools
    strata: NDArray[Any]
    ties: str

    def fit(self, subsets: NDArray[np.intp]) -> CoxBatch:
        """Fit the stratified Cox model of each subset, one a row."""
        designs = self.values[:, subsets].transpose(1, 0, 2)
        return fit_cox_batch(designs, self.time, self.event, ties=self.ties, strata=self.strata)

    def of(self, patients: Bools) -> Candidates:
        """Return those of some patients."""
        chosen = (array[patients] for array in (self.values, self.time, self.event, self.strata))
        return Candidates(*chosen, self.ties)

    def field(self, candidates: NDArray[np.intp]) -> SubsetField:
        """Arrange some candidates for a search, in the order asked for."""
        sets = build_risk_sets(self.time, self.event, ties=self.ties, strata=self.strata)
        x, code = self.values[:, candidates][sets.subjects], self.strata[sets.subjects]
        size = np.abs(x).max(axis=0)
        reach = np.zeros(x.shape[1])
        for stratum in np.unique(code):
            member = code == stratum
            x[member] -= x[member].mean(axis=0)
            reach = np.maximum(reach, np.ptp(x[member], axis=0))
        scale = np.sqrt(np.square(x).mean(axis=0))
        flat = scale <= 1e-13 * size
        x[:, flat], scale[flat], reach[flat] = 0.0, 1.0, 0.0
        x /= scale
        return SubsetField(x, scale, reach / scale, sets.event @ x, sets)


def check_candidates(
    values: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    strata: ArrayLike | None,
    ties: str,
) -> Candidates:
    """Return candidates, outcome and strata that a search can use, or say what is wrong with them.

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.
    DataError
        If candidates are not a table of finite numbers, one row a patient, or a stratum is missing.
    """
    times, events = check_survival(time, event)
    x = as_floats(values, "candidates")
    if x.ndim != 2 or len(x) != times.size or x.shape[1] == 0:
        raise DataError(
            f"expected candidates of shape ({times.size} patients, candidates); found {x.shape}. "
            "Put patients in rows."
        )
    bad = ~np.isfinite(x).all(axis=0)
    if bad.any():
        raise DataError(
            "expected candidates measured in every patient; found "
            f"{int(bad.sum())} of {bad.size} with missing or infinite values, the first at "
            f"position {int(np.argmax(bad))}. Drop them or impute inside the training part."
        )
    groups = np.zeros(times.size, dtype=int)
    if strata is not None:
        groups = check_groups(strata, times.size, what="stratum")
    return Candidates(x, times, events, groups, ties)
