"""The cut-off that parts survival most clearly, with the p that allows for the search."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.method import Method
from radiogenomics.omics.labels.cutoff import finite_scores
from radiogenomics.stats.inputs import survival_target
from radiogenomics.stats.survival.maximally_selected import logrank_scores, maximally_selected


class MaximallySelectedCutoff(BaseEstimator):
    """Split scores where the log-rank statistic of the training patients is largest.

    Every score that leaves between ``minprop`` and ``maxprop`` of the patients at or below it is
    tried, as by R's maxstat. The search finds a cut-off in noise too: the hazard ratio and the
    log-rank p at it, on these patients, are too good, and ``p_`` is the one that allows for it. The
    cut-off moves much from sample to sample, so look at it over folds.

    Parameters
    ----------
    minprop, maxprop
        Smallest and largest share of patients at or below the cut-off.
    method
        How ``p_`` is found, see :data:`radiogenomics.stats.survival.maximally_selected.P_METHODS`.
    random_state
        Seed, for the method ``"permutation"``.

    Attributes
    ----------
    cutoff_ : float
        Strictly above it is high.
    statistic_ : float
        Largest standardised log-rank statistic.
    p_ : float
        Chance of one so large somewhere, where scores say nothing of survival.

    References
    ----------
    Lausen & Schumacher 1992, doi:10.2307/2532740.

    Examples
    --------
    >>> scores = pd.Series([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    >>> y = np.array([(False, 9), (False, 9), (False, 9), (True, 1), (True, 2), (True, 3)],
    ...              dtype=[("event", bool), ("time", float)])
    >>> MaximallySelectedCutoff().fit(scores, y).cutoff_
    3.0
    """

    card: ClassVar[Method] = Method(
        name="maximally_selected",
        title="Cut-off with the largest log-rank statistic",
        scope="omics: label cut-off",
        reference="Lausen and Schumacher, Biometrics 1992;48:73, doi:10.2307/2532740",
        limits="Finds a cut-off in noise; effects at it are too good where it was learnt. Varies "
        "much between samples.",
        learns=True,
    )
    needs_outcome: ClassVar[bool] = True

    def __init__(
        self,
        minprop: float = 0.1,
        maxprop: float = 0.9,
        *,
        method: str = "gaussian",
        random_state: int = 0,
    ) -> None:
        self.minprop = minprop
        self.maxprop = maxprop
        self.method = method
        self.random_state = random_state

    def fit(self, scores: pd.Series[float], y: Any) -> Self:
        """Search; ``y`` is the survival target of the same patients, in the same order."""
        values = finite_scores(scores)
        time, event = survival_target(y)
        found = maximally_selected(
            values,
            logrank_scores(time, event),
            minprop=self.minprop,
            maxprop=self.maxprop,
            method=self.method,
            rng=np.random.default_rng(self.random_state),
        )
        self.cutoff_, self.statistic_, self.p_ = found.cutoff, found.statistic, found.p
        return self

    def transform(self, scores: pd.Series[float]) -> pd.Series[bool]:
        """Return True (high) where a score exceeds the cut-off."""
        check_is_fitted(self, "cutoff_")
        finite_scores(scores)
        return scores > self.cutoff_
