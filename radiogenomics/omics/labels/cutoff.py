"""Cut-offs that turn a score into two classes."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.core.method import Method


class MedianCutoff(BaseEstimator):
    """Split scores at the median of the training patients.

    Strictly above the median is high, so with an odd number of patients the one at the median is
    low. Misleads when read as biology: the median makes two halves of any cohort, and another
    cohort's patients need not split evenly at it.

    Attributes
    ----------
    cutoff_ : float

    Examples
    --------
    >>> cutoff = MedianCutoff().fit(pd.Series([1.0, 2.0, 6.0]))
    >>> cutoff.transform(pd.Series([1.0, 2.0, 6.0, 3.0])).tolist()
    [False, False, True, True]
    """

    card: ClassVar[Method] = Method(
        name="median",
        title="Median of the training patients",
        scope="omics: label cut-off",
        reference="house",
        limits="Halves any cohort, whether or not there are two groups in it.",
        learns=True,
    )
    needs_outcome: ClassVar[bool] = False

    def fit(self, scores: pd.Series[float], y: None = None) -> Self:
        """Learn the median of ``scores``; DataError when there are none or some are missing."""
        self.cutoff_ = float(np.median(finite_scores(scores)))
        return self

    def transform(self, scores: pd.Series[float]) -> pd.Series[bool]:
        """Return True (high) where a score exceeds the cut-off."""
        finite_scores(scores)
        return scores > self.cutoff_


class FixedCutoff(BaseEstimator):
    """Split scores at a value given beforehand, by a paper or a locked signature.

    Misleads when the score at hand is on another scale than the one the value was found on.

    Parameters
    ----------
    value
        Scores strictly above it are high.

    Attributes
    ----------
    cutoff_ : float

    Examples
    --------
    >>> FixedCutoff(2.5).fit().transform(pd.Series([2.0, 3.0])).tolist()
    [False, True]
    """

    card: ClassVar[Method] = Method(
        name="fixed",
        title="A value fixed beforehand",
        scope="omics: label cut-off",
        reference="house",
        limits="Tied to the unit and standardisation of the score that it was found on.",
        learns=False,
    )
    needs_outcome: ClassVar[bool] = False

    def __init__(self, value: float) -> None:
        self.value = value

    def fit(self, scores: pd.Series[float] | None = None, y: None = None) -> Self:
        """Check the value; nothing is learnt from ``scores``."""
        if not np.isfinite(self.value):
            raise DataError(f"expected a finite cut-off; found {self.value}. Supply a number.")
        self.cutoff_ = float(self.value)
        return self

    def transform(self, scores: pd.Series[float]) -> pd.Series[bool]:
        """Return True (high) where a score exceeds the cut-off."""
        finite_scores(scores)
        return scores > self.cutoff_


def finite_scores(scores: pd.Series[float]) -> np.ndarray:
    """Scores as an array; DataError when there are none or some are missing."""
    values = scores.to_numpy(dtype=float)
    bad = ~np.isfinite(values)
    if bad.any() or not values.size:
        raise DataError(
            f"expected a finite score of each patient; found {int(bad.sum())} of {values.size} "
            f"without ({short_list(scores.index[bad])}). Leave these patients out."
        )
    return values
