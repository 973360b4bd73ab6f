"""The cut-off with the largest sensitivity + specificity for an event up to a horizon."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.omics.labels.cutoff import finite_scores
from radiogenomics.stats.inputs import survival_target
from radiogenomics.stats.survival.time_dependent_roc import youden_threshold_at


class YoudenCutoff(BaseEstimator):
    """Split scores where they best tell who has the event up to a horizon.

    Cases have the event up to the horizon, controls are followed beyond it, and weights stand for
    those censored before. At or above the best score is high; the learnt cut-off lies just below
    it, so that "strictly above" means the same as everywhere. Sensitivity and specificity on the
    patients it was learnt on are too good.

    Parameters
    ----------
    horizon
        In months, above 0.
    ties
        ``"highest"`` or ``"lowest"`` of equally good scores.

    Attributes
    ----------
    cutoff_ : float
        The largest number below the best score: strictly above it is high.

    References
    ----------
    Youden 1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3; Uno et al. 2007,
    doi:10.1198/016214507000000149.

    Examples
    --------
    >>> scores = pd.Series([1.0, 2.0, 3.0, 4.0])
    >>> y = np.array([(True, 9), (True, 8), (True, 2), (True, 1)],
    ...              dtype=[("event", bool), ("time", float)])
    >>> YoudenCutoff(horizon=5).fit(scores, y).transform(scores).tolist()
    [False, False, True, True]
    """

    card: ClassVar[Method] = Method(
        name="youden",
        title="Cut-off with the largest Youden index at a horizon",
        scope="omics: label cut-off",
        reference="Youden, Cancer 1950;3:32, "
        "doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3",
        limits="Learnt from outcomes: accuracy at it is too good where it was learnt. Unstable "
        "with few events before the horizon.",
        learns=True,
    )
    needs_outcome: ClassVar[bool] = True

    def __init__(self, horizon: float, *, ties: str = "highest") -> None:
        self.horizon = horizon
        self.ties = ties

    def fit(self, scores: pd.Series[float], y: Any) -> Self:
        """Search; ``y`` is the survival target of the same patients, in the same order."""
        if not (np.isfinite(self.horizon) and self.horizon > 0):
            raise DataError(
                f"horizon: expected months above 0; found {self.horizon}. Mend the recipe."
            )
        time, event = survival_target(y)
        best = youden_threshold_at(
            finite_scores(scores), time, event, horizon=self.horizon, ties=self.ties
        )
        self.cutoff_ = float(np.nextafter(best, -np.inf))
        return self

    def transform(self, scores: pd.Series[float]) -> pd.Series[bool]:
        """Return True (high) where a score exceeds the cut-off."""
        check_is_fitted(self, "cutoff_")
        finite_scores(scores)
        return scores > self.cutoff_
