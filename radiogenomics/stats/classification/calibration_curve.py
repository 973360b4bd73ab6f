"""A smooth curve of observed over predicted probability, and its distance from ideal.

Distances are above 0 even for a calibrated model, the more so the fewer the patients and the more
the knots, so they compare models on the same patients and say little alone; below some 200
positives and 200 negatives the curve follows chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, ndtri

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.classification.calibration import _check as check_probabilities
from radiogenomics.stats.classification.calibration import _logistic as fit_logistic
from radiogenomics.stats.classification.calibration import _logit as position_of
from radiogenomics.stats.classification.calibration import _warn_at_edge as warn_at_edge
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_level, check_scores
from radiogenomics.stats.restricted_cubic_spline import default_knots, rcs_basis

_GRID = 100
"""Points at which the curve is drawn."""


@dataclass(frozen=True)
class FlexibleCalibration:
    """Smooth curve of observed over predicted probability, and how far it is from the diagonal.

    Attributes
    ----------
    predicted : ndarray of shape (grid,)
    observed, low, high : ndarray of shape (grid,)
        Probability by the curve at each prediction, with pointwise bounds.
    se : ndarray of shape (grid,)
        Standard error of the logit of `observed`.
    ici, e50, e90, emax : float
        Mean, median, 90th percentile and maximum over patients of |observed - predicted|, 0 to 1;
        0 when calibrated.
    knots : ndarray
        On the logit scale.
    """

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    se: Floats
    ici: float
    e50: float
    e90: float
    emax: float
    knots: Floats


def flexible_calibration(
    probability: ArrayLike,
    label: ArrayLike,
    *,
    knots: int = 3,
    at: ArrayLike | None = None,
    level: float = 0.95,
) -> FlexibleCalibration:
    """Smooth curve of observed over predicted probability.

    Logistic regression of the label on a restricted cubic spline of logit(probability), with
    bounds of Wald on the logit scale. The curve runs from the 1st to the 99th percentile of the
    predictions (from least to most below 100 patients), the distances over all patients.
    Probabilities within 1e-6 of 0 or 1 are moved to that distance, with a warning: they may rule
    the ends.

    Parameters
    ----------
    probability : array-like of shape (n,)
        Predicted probability of label 1, of patients the model has not seen.
    label : array-like of shape (n,)
        Both classes must be present.
    knots : int
        3 to 5, placed by `default_knots` on the logit scale.
    at : array-like of shape (grid,), optional
        Probabilities at which the curve is wanted; moved likewise, without a warning.
    level : float

    Returns
    -------
    FlexibleCalibration

    Raises
    ------
    DataError
        If probabilities lie outside 0 to 1, are not one per label, or take too few values.
    OutcomeError
        If labels are not 0 and 1, one class is absent, or predictions separate the classes.

    References
    ----------
    Austin & Steyerberg 2019, doi:10.1002/sim.8281; Van Calster et al. 2019,
    doi:10.1186/s12916-019-1466-7.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(0.05, 0.95, 2000)
    >>> curve = flexible_calibration(p, rng.random(2000) < p)
    >>> curve.ici < 0.03
    True
    """
    values, positive = check_scores(*check_probabilities(probability, label))
    warn_at_edge(values)
    places = default_knots(position_of(values), knots)
    grid = _grid(values) if at is None else _checked_grid(at)
    fitted, centre, se = _fit(values, positive, places, at=grid)
    half = float(ndtri(0.5 + check_level(level) / 2)) * se
    curve = (expit(centre + way * half) for way in (0, -1, 1))
    return FlexibleCalibration(grid, *curve, se, *_distances(np.abs(fitted - values)), places)


def _fit(
    values: Floats, positive: Bools, knots: Floats, *, at: Floats
) -> tuple[Floats, Floats, Floats]:
    """Fitted probabilities of all patients; logit and its error on the grid."""
    design = _design(values, knots)
    coef, _, converged = fit_logistic(design, positive, np.zeros(values.size))
    if not converged:
        raise OutcomeError(
            f"expected a curve that {int(positive.sum())} positives and {int((~positive).sum())} "
            "negatives determine; found none: the predictions separate them; use more patients or "
            "fewer knots."
        )
    asked, fitted = _design(at, knots), expit(design @ coef)
    information = design.T @ (design * (fitted * (1 - fitted))[:, None])
    spread = np.einsum("ij,ji->i", asked, np.linalg.solve(information, asked.T))
    return fitted, asked @ coef, np.sqrt(spread)


def _distances(distance: Floats) -> tuple[float, float, float, float]:
    """Mean, median, 90th percentile and maximum."""
    e50, e90 = np.quantile(distance, [0.5, 0.9])
    return float(distance.mean()), float(e50), float(e90), float(distance.max())


def _design(values: Floats, knots: Floats) -> Floats:
    return np.column_stack([np.ones(values.size), rcs_basis(position_of(values), knots)])


def _grid(values: Floats) -> Floats:
    tail = 0.01 if values.size >= 100 else 0.0
    return np.linspace(*np.quantile(values, [tail, 1 - tail]), _GRID)


def _checked_grid(at: ArrayLike) -> Floats:
    grid = np.atleast_1d(as_floats(at, "probabilities"))
    if grid.ndim != 1 or grid.size == 0 or not ((grid >= 0) & (grid <= 1)).all():
        raise DataError(
            "expected probabilities from 0 to 1 at which the curve is wanted; found shape "
            f"{grid.shape}, or values outside; leave them out for a grid over the predictions."
        )
    return grid
