"""Exact contributions of linear models, in closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from radiogenomics.core.errors import DataError
from radiogenomics.models.explain.explanation import Contributions
from radiogenomics.stats.inputs import Floats

# How far, as a share of the scores, a model may be from the line through its weights.
_ROUNDING = 1e-9


def linear_shap(
    values: Floats, background: Floats, *, weights: Floats, intercept: float = 0.0
) -> Contributions:
    r"""SHAP values of a linear score, exactly and at once.

    For :math:`f(x) = w \cdot x + b` the interventional Shapley value of feature j for patient i is
    :math:`\phi_{ij} = w_j (x_{ij} - \bar z_j)` with :math:`\bar z` the mean of the background; the
    base value is :math:`f(\bar z)`. Kernel SHAP with the same background converges to it.

    The background has to come from training patients: with test patients in it, what is said of
    one of them depends on the others. Features that go together are treated as if each could be
    changed alone, so two copies of one thing share its credit as the weights do.

    Parameters
    ----------
    values : ndarray of shape (n, p)
        Patients to explain.
    background : ndarray of shape (m, p)
        Training patients.
    weights : ndarray of shape (p,)
        Per unit of each feature.
    intercept : float

    Returns
    -------
    Contributions
        In the unit of the score; positive raises it.

    Raises
    ------
    DataError
        The background is empty, or shapes do not fit.

    References
    ----------
    Štrumbelj and Kononenko, Knowl Inf Syst 2014;41:647, doi:10.1007/s10115-013-0679-x.

    Examples
    --------
    >>> found = linear_shap(np.array([[3.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 2.0]]),
    ...                     weights=np.array([2.0, 5.0]), intercept=-1.0)
    >>> found.values, found.base
    (array([[4., 0.]]), 6.0)
    """
    if len(background) == 0 or background.shape[1] != values.shape[1]:
        raise DataError(
            f"expected a background of at least one training patient with {values.shape[1]} "
            f"features; found shape {background.shape}. Pass the training patients."
        )
    if weights.shape != (values.shape[1],):
        raise DataError(
            f"expected one weight a feature ({values.shape[1]}); found shape {weights.shape}."
        )
    centre = background.mean(axis=0)
    return Contributions((values - centre) * weights, float(centre @ weights + intercept))


def linear_weights(
    learner: Any, score: Callable[[Floats], Floats], probes: Floats
) -> tuple[Floats, float] | None:
    """Weights and intercept of a learner whose score is linear in the features; else None.

    A learner with ``coef_`` need not be linear (its link may bend the score) and need not count in
    the direction of its score, so both are tried on the probes.

    Parameters
    ----------
    learner
        Fitted.
    score
        Features (n, p) → score (n,).
    probes
        Rows on which the line must hold, shape (k, p), at least one.

    Examples
    --------
    >>> from radiogenomics.models.linear_svm import LinearSVM
    >>> model = LinearSVM().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> weights, intercept = linear_weights(model, model.decision_function, np.eye(1))
    >>> bool(weights[0] == model.coef_[0, 0])
    True
    """
    coefficients = getattr(learner, "coef_", None)
    if coefficients is None or np.size(coefficients) != probes.shape[1]:
        return None
    weights = np.asarray(coefficients, dtype=float).reshape(-1)
    # The middle of the probes, half way and twice as far: a bent score leaves the line somewhere.
    middle = probes.mean(axis=0)
    rows = np.concatenate([probes, middle[None], (probes + middle) / 2, 2 * probes - middle])
    found = score(rows)
    intercept = float(np.mean(found - rows @ weights))
    size = np.abs(rows) @ np.abs(weights) + abs(intercept) + np.abs(found)
    if (np.abs(rows @ weights + intercept - found) > _ROUNDING * (1 + size)).any():
        return None
    return weights, intercept
