"""High in every one of some markers, as a target that is learnt inside the fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import DataError, UnknownNameError, short_list
from radiogenomics.core.method import Method

MEDIAN = "median"


class HighMarkers(BaseEstimator):
    """Target rule: 1 for patients above the cut-off of every marker, 0 for all others.

    Made for a few stained or measured markers of which the study names a combination: CD8 density
    and PD-L1, or a gene high where another is low. Two cut-offs at the median of independent
    markers call a quarter of patients, so that class 1 is the rarer one.

    Parameters
    ----------
    markers
        Columns of the target.
    cutoffs
        One a marker, in its unit, or ``"median"``, learnt on the training patients.
    low
        Markers that must be at or below their cut-off instead.

    Attributes
    ----------
    cutoffs_ : dict
        Marker → cut-off.

    Raises
    ------
    DataError
        Not one cut-off for each marker, a marker twice, an odd cut-off, or a value is missing.
    UnknownNameError
        A marker is not a column; ``low`` names none of the markers.

    References
    ----------
    Teng et al. 2015, doi:10.1158/0008-5472.CAN-15-0255 (types by CD8 and PD-L1).

    Examples
    --------
    >>> stained = pd.DataFrame({"CD8": [100.0, 300.0, 500.0], "PDL1": [0.0, 5.0, 1.0]})
    >>> HighMarkers(("CD8", "PDL1"), ("median", 0.5)).fit(stained).transform(stained).tolist()
    [0, 0, 1]
    """

    card: ClassVar[Method] = Method(
        name="high_markers",
        title="High in each of some markers",
        scope="omics: label",
        reference="Teng et al., Cancer Res 2015;75:2139, doi:10.1158/0008-5472.CAN-15-0255",
        limits="Cut-offs of stains depend on antibody and reader; medians move with the cohort.",
        learns=True,
    )

    def __init__(
        self,
        markers: Sequence[str],
        cutoffs: Sequence[float | Literal["median"]],
        *,
        low: Sequence[str] = (),
    ) -> None:
        self.markers = markers
        self.cutoffs = cutoffs
        self.low = low

    def fit(self, target: pd.DataFrame, y: object = None) -> HighMarkers:
        """Learn the medians that are asked for."""
        if len(self.markers) != len(self.cutoffs) or not len(self.markers):
            raise DataError(
                f"expected one cut-off for each marker; found {len(self.cutoffs)} for "
                f"{len(self.markers)}. List them in the same order."
            )
        if len(set(self.markers)) < len(self.markers):
            raise DataError(
                f"expected each marker once; found {short_list(self.markers)}. Name it once."
            )
        for name in self.low:
            if name not in self.markers:
                raise UnknownNameError("marker that must be low", name, self.markers)
        wrong = [cut for cut in self.cutoffs if isinstance(cut, str) and cut != MEDIAN]
        if wrong:
            raise DataError(
                f"expected numbers or {MEDIAN!r} as cut-offs; found {short_list(map(repr, wrong))}."
                " Correct them."
            )
        values = self._values(target)
        self.cutoffs_ = {
            name: float(values[name].median()) if cut == MEDIAN else float(cut)
            for name, cut in zip(self.markers, self.cutoffs, strict=True)
        }
        return self

    def transform(self, target: pd.DataFrame) -> NDArray[np.intp]:
        """Call patients 1 or 0 by the learnt cut-offs, shape (n,)."""
        check_is_fitted(self)
        values = self._values(target)
        above = values > pd.Series(self.cutoffs_)
        wanted = np.array([name not in self.low for name in self.cutoffs_])
        called: NDArray[np.intp] = (above.to_numpy() == wanted).all(axis=1).astype(int)
        return called

    def _values(self, target: pd.DataFrame) -> pd.DataFrame:
        for name in self.markers:
            if name not in target:
                raise UnknownNameError("marker", name, target.columns)
        values = target[list(self.markers)].astype(float)
        empty = values.index[values.isna().any(axis=1)]
        if len(empty):
            raise DataError(
                f"expected every marker of each patient; found {len(empty)} patients without "
                f"({short_list(empty)}). Leave them out."
            )
        return values
