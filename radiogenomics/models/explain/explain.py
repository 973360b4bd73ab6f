"""One way in: explain a fitted model by the most exact method that applies to it.

Explained are the features that reach the learner, behind the transformers of its pipeline, and they
are what ``data`` holds: standardised, where a step does so (``with_units_of`` shows them as they
were). The scale is that of the model's own score, stands in ``scale``, and positive contributions
raise it:

* calibrated log-odds of the second class, of a tuned classifier;
* log-odds, decision score or probability of the second class, of a plain classifier;
* log hazard ratio, or a survival forest's risk, the expected number of events: higher is worse.

XGBoost is explained in the log-odds its trees add up to, before any calibration, as a calibration
of its probability bends them. A calibration that is not informative leaves next to nothing to
explain and raises a warning. Shapley values are relative to the background, which has to be
training patients: with test patients there, one patient's explanation would depend on the others.

The closed form and tree SHAP are exact, kernel SHAP is up to 11 features. Lundberg and Lee, NIPS
2017. Lundberg et al., Nat Mach Intell 2020;2:56, doi:10.1038/s42256-019-0138-9.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.models.explain.explanation import Contributions, Explanation
from radiogenomics.models.explain.kernel_shap import COALITIONS, EXACT_FEATURES, kernel_shap
from radiogenomics.models.explain.linear_shap import linear_shap, linear_weights
from radiogenomics.models.explain.opened_model import OpenedModel, open_model, patients_of
from radiogenomics.models.explain.tree_shap import tree_shap
from radiogenomics.models.explain.tree_tables import TreeEnsemble, read_trees
from radiogenomics.stats.inputs import Floats

METHODS = ("auto", "linear", "tree", "kernel")


class _Asked(NamedTuple):
    method: str
    coalitions: int
    rng: np.random.Generator


def explain(
    model: Any,
    X: Any,
    *,
    background: Any,
    rng: np.random.Generator,
    method: str = "auto",
    coalitions: int = COALITIONS,
) -> Explanation:
    """SHAP values of a fitted model: what each feature adds to the score of each patient.

    ``auto`` takes the closed form for a linear learner, tree SHAP where trees can be read, and else
    kernel SHAP. Scale, direction and background are told at the head of this module.

    Parameters
    ----------
    model
        Fitted learner, Pipeline, tuned classifier or tuned survival model.
    X, background
        Patients to explain, and training patients, with the features of the model in its order.
        Without a background (None) there are path-dependent values of trees only.
    rng, coalitions
        For kernel SHAP beyond 11 features; else not used.
    method : {"auto", "linear", "tree", "kernel"}

    Raises
    ------
    AlignmentError
        `X` or the background has other features than the model, or another order.
    DataError
        A value is missing, the background is empty, or the method does not apply to the model.
    OutcomeError
        The model has more than two classes.

    Examples
    --------
    >>> from radiogenomics.models.linear_svm import LinearSVM
    >>> X = (rng := np.random.default_rng(0)).normal(size=(60, 3))
    >>> model = LinearSVM().fit(X[:40], X[:40, 0] > 0)
    >>> explain(model, X[40:], background=X[:40], rng=rng).scale
    'decision score of True'
    """
    if method not in METHODS:
        raise UnknownNameError("method of explanation", method, METHODS)
    opened = open_model(model, X)
    values = opened.values(X, what="X")
    others = None if background is None else opened.values(background, what="background")
    asked = _Asked(method, coalitions, rng)
    found, output, used = _explained(opened, values, others, asked=asked)
    slope, intercept = _line_of_calibration(opened)
    return Explanation(
        values=slope * found.values,
        base=slope * found.base + intercept,
        output=slope * output + intercept,
        data=values,
        features=opened.features,
        patients=patients_of(X),
        scale=opened.scale,
        method=used,
    )


def _line_of_calibration(opened: OpenedModel) -> tuple[float, float]:
    """Slope and intercept from the learner's score to what is explained."""
    if opened.calibration is None:
        return 1.0, 0.0
    if not opened.calibration.informative:
        warnings.warn(
            "the calibration is not informative: inner folds ranked no better than chance, "
            "everybody gets nearly the prevalence, and all contributions are next to 0.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    return opened.calibration.slope, opened.calibration.intercept


def _explained(
    opened: OpenedModel,
    values: Floats,
    others: Floats | None,
    *,
    asked: _Asked,
) -> tuple[Contributions, Floats, str]:
    """Contributions to the uncalibrated score, that score, and how they were found."""
    method = asked.method
    probes = values if others is None else np.concatenate([values, others])
    if method in ("auto", "linear"):
        line = linear_weights(opened.learner, opened.raw, probes)
        if line is not None:
            weights, intercept = line
            found = linear_shap(values, _required(others), weights=weights, intercept=intercept)
            return found, opened.raw(values), "linear"
    if method in ("auto", "tree"):
        trees = _readable(opened, probes, strict=method == "tree")
        if trees is not None:
            used = "tree, path-dependent" if others is None else "tree, against a background"
            return tree_shap(values, others, trees=trees), trees.predict(values), used
    if method in ("auto", "kernel"):
        found = kernel_shap(
            values,
            _required(others),
            score=opened.raw,
            coalitions=asked.coalitions,
            rng=asked.rng,
        )
        exact = values.shape[1] <= EXACT_FEATURES
        used = "kernel, exact" if exact else f"kernel, {asked.coalitions} coalitions"
        return found, opened.raw(values), used
    raise DataError(
        f"expected a learner that {'is linear' if method == 'linear' else 'has readable trees'} "
        f"for method={method!r}; found {type(opened.learner).__name__}. Use method='auto'."
    )


def _readable(opened: OpenedModel, probes: Floats, *, strict: bool) -> TreeEnsemble | None:
    """Trees of the learner; None, unless `strict`, where they do not make up its score."""
    try:
        return read_trees(opened.learner, opened.raw, probes)
    except DataError:
        if strict:
            raise
        return None


def _required(background: Floats | None) -> Floats:
    if background is None:
        raise DataError(
            "expected a background of training patients; found none. Pass the training part of X; "
            "only trees can do without."
        )
    return background
