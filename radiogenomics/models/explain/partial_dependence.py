r"""How the score of a model moves with one feature, on average and patient by patient.

:math:`\bar f(t) = \frac1n \sum_i f(t, x_{i, -j})`: every patient is given the value t of feature j
and keeps the rest. The score is the model's own; higher speaks for the second class, or is worse.
Curves of patients that cross show an interaction that the mean hides. Features that go together
make impossible patients, and the ends of the curves are then guesses of the model.

Friedman, Ann Stat 2001;29:1189, doi:10.1214/aos/1013203451. Goldstein et al., J Comput Graph Stat
2015;24:44, doi:10.1080/10618600.2014.907095 (curves of patients).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats.mstats import mquantiles

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.models.explain.opened_model import (
    aligned,
    feature_names,
    patients_of,
    score,
    score_words,
)
from radiogenomics.stats.inputs import Floats

_CELLS = 2**22


@dataclass(frozen=True, eq=False)
class PartialDependence:
    """Curves of the score over one feature.

    Parameters
    ----------
    feature
        Name.
    grid
        Values it was set to, ascending, shape (g,), in its own unit.
    curves
        Score of each patient at each, shape (n, g): individual conditional expectations.
    patients
        Identifiers, n.
    observed
        Values the patients have, shape (n,).
    scale
        What the score is, in words.
    """

    feature: str
    grid: Floats
    curves: Floats
    patients: pd.Index
    observed: Floats
    scale: str

    @property
    def mean(self) -> Floats:
        """Partial dependence, shape (g,)."""
        return self.curves.mean(axis=0)

    def table(self) -> pd.DataFrame:
        """Tidy table: ``feature, value, score, scale``, one row a grid point."""
        return pd.DataFrame(
            {
                "feature": self.feature,
                "value": self.grid,
                "score": self.mean,
                "scale": self.scale,
            }
        )

    def curve_table(self) -> pd.DataFrame:
        """Tidy table of the curves: ``patient, feature, value, score, observed, scale``."""
        n, g = self.curves.shape
        return pd.DataFrame(
            {
                "patient": np.repeat(np.asarray(self.patients, dtype=object), g),
                "feature": self.feature,
                "value": np.tile(self.grid, n),
                "score": self.curves.ravel(),
                "observed": np.repeat(self.observed, g),
                "scale": self.scale,
            }
        )


def partial_dependence(
    model: Any,
    X: Any,
    *,
    feature: str,
    grid: Sequence[float] | None = None,
    points: int = 50,
    tails: tuple[float, float] = (0.05, 0.95),
) -> PartialDependence:
    """Partial dependence of a model's score on one feature, with the curve of each patient.

    The usual `X` is the training part: what is drawn is the model, not its success. Features enter
    before the transformers, so the grid is in the unit of the table.

    Parameters
    ----------
    model
        Fitted; anything with ``decision_function``, ``predict_proba``, or a ``predict`` of risk.
    X
        Patients, with the features of the model in its order.
    feature
        Name; x0, x1, ... in an array.
    grid
        Values to set it to; by default `points` (2 or more) between the quantiles `tails`, or the
        values there are, where fewer than `points`.

    Raises
    ------
    UnknownNameError
        There is no such feature.
    DataError
        The feature is constant or missing in some, or a parameter is out of range.

    Examples
    --------
    >>> from radiogenomics.models.linear_svm import LinearSVM
    >>> X = pd.DataFrame({"rim": [0.0, 1.0, 2.0, 3.0]})
    >>> model = LinearSVM().fit(X, [0, 0, 1, 1])
    >>> found = partial_dependence(model, X, feature="rim", grid=[0.0, 3.0])
    >>> bool(found.mean[0] < 0 < found.mean[1])
    True
    """
    words = score_words(model)
    aligned(model, X, what="X")
    names = feature_names(X)
    if feature not in names:
        raise UnknownNameError("feature", feature, names)
    column = names.index(feature)
    observed = np.asarray(X[feature] if hasattr(X, "columns") else X[:, column], dtype=float)
    if not np.isfinite(observed).all():
        raise DataError(
            f"{feature}: expected finite values; found {int((~np.isfinite(observed)).sum())} that "
            "are not. Impute or drop these patients first."
        )
    at = _grid(observed, grid, points=points, tails=tails)
    width = max(1, _CELLS // max(1, len(observed) * len(names)))
    parts = [at[start : start + width] for start in range(0, len(at), width)]
    curves = np.column_stack([_curves(model, X, column, part=part) for part in parts])
    return PartialDependence(feature, at, curves, patients_of(X), observed, words)


def _curves(model: Any, X: Any, column: int, *, part: Floats) -> Floats:
    """Scores of every patient at some values of a feature, shape (n, values), in one call."""
    n = len(X)
    every, asked = np.tile(np.arange(n), len(part)), np.repeat(part, n)
    table: Any
    if hasattr(X, "columns"):
        table = X.iloc[every].reset_index(drop=True)
        table[feature_names(X)[column]] = asked
    else:
        table = np.array(X, dtype=float)[every]
        table[:, column] = asked
    return score(model, table).reshape(len(part), n).T


def _grid(
    observed: Floats, grid: Sequence[float] | None, *, points: int, tails: tuple[float, float]
) -> Floats:
    """Values to set the feature to, ascending."""
    if grid is not None:
        asked = np.unique(np.asarray(grid, dtype=float))
        if asked.size < 1 or not np.isfinite(asked).all():
            raise DataError(f"grid: expected finite values, at least one; found {list(grid)}.")
        return asked
    if points < 2 or not 0 <= tails[0] < tails[1] <= 1:
        raise DataError(
            f"expected at least 2 points between two quantiles; found {points} and {tails}."
        )
    present = np.unique(observed)
    if present.size == 1:
        raise DataError(
            f"expected a feature that varies; found {present[0]:g} in every patient. Give a grid, "
            "or take another feature."
        )
    if present.size < points:
        return present
    low, high = mquantiles(observed, prob=tails)
    return np.linspace(low, high, points)
