r"""How much worse a model ranks new patients when a feature is shuffled among them.

:math:`I_g = D - \frac1R \sum_r D(X^{(g, r)})` with D the discrimination and :math:`X^{(g, r)}` the
table whose columns of group g were shuffled together. Breiman, Mach Learn 2001;45:5,
doi:10.1023/A:1010933404324. Fisher, Rudin and Dominici, J Mach Learn Res 2019;20(177).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError, UnknownNameError
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.models.explain.opened_model import aligned, feature_names, score, score_words
from radiogenomics.stats.classification.auc import auc_batch
from radiogenomics.stats.inputs import Floats, check_labels, check_level, survival_target
from radiogenomics.stats.ranks import midranks
from radiogenomics.stats.survival.concordance import concordance_batch

METRICS = ("auto", "auc", "concordance")
_CELLS = 2**22


@dataclass(frozen=True, eq=False)
class PermutationImportance:
    """Loss of discrimination under shuffling, a row a group of features.

    Parameters
    ----------
    drops
        Discrimination less that after shuffling, shape (groups, repeats); negative where shuffling
        happened to help.
    groups
        Name → features shuffled together.
    baseline
        Discrimination unshuffled, 0 to 1.
    metric
        "auc" or "concordance".
    level
        Of the interval.
    """

    drops: Floats
    groups: Mapping[str, tuple[str, ...]]
    baseline: float
    metric: str
    level: float

    def table(self) -> pd.DataFrame:
        """Tidy table, most important first.

        Returns
        -------
        DataFrame
            ``feature`` (or group), ``importance`` (mean drop), ``low, high`` (quantiles over the
            repeats: chance of the shuffling, not of the patients), ``sd``, ``baseline, metric``.
        """
        tail = (1 - self.level) / 2
        low, high = np.quantile(self.drops, [tail, 1 - tail], axis=1)
        importance = self.drops.mean(axis=1)
        frame = pd.DataFrame(
            {
                "feature": np.asarray(list(self.groups), dtype=object),
                "importance": importance,
                "low": low,
                "high": high,
                "sd": self.drops.std(axis=1, ddof=1),
                "baseline": self.baseline,
                "metric": self.metric,
            }
        )
        return frame.iloc[np.argsort(-importance, kind="stable")].reset_index(drop=True)


def permutation_importance(
    model: Any,
    X: Any,
    y: Any,
    *,
    rng: np.random.Generator,
    metric: str = "auto",
    groups: Mapping[str, Sequence[str]] | None = None,
    n_repeats: int = 50,
    level: float = 0.95,
) -> PermutationImportance:
    """Drop of AUC or concordance when features are shuffled among held-out patients.

    Positive: the model ranks worse without it. Features enter before the transformers: one that no
    step lets through has importance exactly 0. `X` and `y` have to be patients the model was not
    fitted on, or it measures what the model has learnt by heart. Features that go together stand
    in for each other and seem to matter little: shuffle them as a group (`correlated_groups`).

    Parameters
    ----------
    model
        Fitted; anything with ``decision_function``, ``predict_proba``, or a ``predict`` of risk.
    X, y
        Held-out patients and their label or structured survival target, in one order.
    metric
        "auc", "concordance", or "auto": the one for `y`.
    groups
        Name → features to shuffle together; those not named stand alone.
    n_repeats, level
        Shuffles of each group, at least 2, and level of the interval over them.

    Raises
    ------
    DataError, AlignmentError
        Under two repeats; scores not finite; features not in `X`; other orders of `X` and `y`.
    OutcomeError
        `y` has one class only, no comparable pair, or does not fit the metric.

    Examples
    --------
    >>> from radiogenomics.models.linear_svm import LinearSVM
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(120, 2)), np.repeat([0, 1], 60)
    >>> X[:, 0] += y
    >>> model = LinearSVM().fit(X[::2], y[::2])
    >>> permutation_importance(model, X[1::2], y[1::2], rng=rng).table()["feature"].tolist()
    ['x0', 'x1']
    """
    check_level(level)
    if n_repeats < 2:
        raise DataError(f"n_repeats: expected at least 2; found {n_repeats}. Repeat more often.")
    metric, target = _target(model, X, y, metric=metric)
    baseline = _baseline(model, X, metric=metric, target=target)
    named = _groups(feature_names(X), groups)
    drops = np.empty((len(named), n_repeats))
    for row, columns in enumerate(named.values()):
        orders = rng.permuted(np.tile(np.arange(len(X)), (n_repeats, 1)), axis=1)
        shuffled = _shuffled_scores(model, X, columns, orders=orders)
        drops[row] = baseline - _discrimination(shuffled, metric, target)
    return PermutationImportance(drops, MappingProxyType(named), baseline, metric, level)


def correlated_groups(X: pd.DataFrame, *, threshold: float = 0.7) -> dict[str, list[str]]:
    """Groups of features that go together, for :func:`permutation_importance`.

    Complete linkage on one less the absolute Spearman correlation: within a group every pair
    reaches the threshold. Learn them from training patients. A constant feature stands alone.

    Parameters
    ----------
    X
        Training patients × features, finite.
    threshold
        Least absolute correlation within a group, above 0, at most 1.

    Returns
    -------
    dict
        Group, named after its features in their order ("a + b"), → features; those alone included.

    Raises
    ------
    DataError
        The threshold is out of range, or a value is missing.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [4.0, 3, 2, 1.5], "c": [2.0, 1, 4, 1]})
    >>> correlated_groups(X)
    {'a + b': ['a', 'b'], 'c': ['c']}
    """
    if not 0 < threshold <= 1:
        raise DataError(f"threshold: expected above 0, at most 1; found {threshold}. Mend it.")
    values = X.to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise DataError("expected finite features; found NaN or infinite values; impute first.")
    names = [str(name) for name in X.columns]
    if len(names) == 1:
        return {names[0]: names}
    ranks = midranks(np.ascontiguousarray(values.T))
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    norm = np.sqrt(np.square(centred).sum(axis=1))
    # A constant feature has no correlation, and so distance 1 to all others.
    scaled = centred / np.where(norm > 0, norm, 1.0)[:, None]
    distance = np.clip(1 - np.abs(scaled @ scaled.T), 0, 1)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), method="complete")
    members = fcluster(tree, 1 - threshold + 1e-12, criterion="distance")
    found: dict[int, list[str]] = {}
    for name, member in zip(names, members, strict=True):
        found.setdefault(int(member), []).append(name)
    return {" + ".join(group): group for group in found.values()}


def _target(model: Any, X: Any, y: Any, *, metric: str) -> tuple[str, tuple[Any, ...]]:
    """Metric, and the outcome as it takes it, in the order of `X`."""
    refuse_other_order(X, y)
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    survival = np.asarray(y).dtype.names is not None
    if metric == "auto":
        metric = "concordance" if survival else "auc"
    if survival != (metric == "concordance"):
        raise OutcomeError(
            f"{metric}: expected {'a label' if survival else 'a structured survival target'}; "
            f"found {np.asarray(y).dtype}. Name the other metric, or leave it out."
        )
    if survival:
        return metric, survival_target(y)
    classes = getattr(model, "classes_", None)
    if classes is None:
        return metric, (check_labels(y),)
    unknown = ~np.isin(np.asarray(y), classes)
    if unknown.any():
        raise OutcomeError(
            f"expected labels among {list(classes)}; found {int(unknown.sum())} others. Code the "
            "label as in training."
        )
    return metric, (np.asarray(y) == classes[1],)


def _baseline(model: Any, X: Any, *, metric: str, target: tuple[Any, ...]) -> float:
    """Discrimination unshuffled."""
    score_words(model)
    aligned(model, X, what="X")
    if len(target[0]) != len(X):
        raise AlignmentError(
            f"expected one outcome a patient ({len(X)}); found {len(target[0])}; align the two."
        )
    found = float(_discrimination(_finite(score(model, X))[None], metric, target)[0])
    if np.isnan(found):
        raise OutcomeError(
            f"expected patients who can be ranked by {metric}; found one class only, or no "
            f"comparable pair, among {len(X)}. Use more patients."
        )
    return found


def _groups(
    names: tuple[str, ...], groups: Mapping[str, Sequence[str]] | None
) -> dict[str, tuple[str, ...]]:
    """Groups, and each feature that is in none as a group of its own."""
    named = {str(group): tuple(map(str, members)) for group, members in (groups or {}).items()}
    listed = [member for members in named.values() for member in members]
    for member in listed:
        if member not in names:
            raise AlignmentError(str(UnknownNameError("feature in a group", member, names)))
    twice = {member for member in listed if listed.count(member) > 1}
    if twice:
        raise AlignmentError(
            f"expected each feature in one group; found {sorted(twice)[0]} in several. Merge them."
        )
    return named | {name: (name,) for name in names if name not in set(listed)}


def _shuffled_scores(model: Any, X: Any, columns: tuple[str, ...], *, orders: np.ndarray) -> Floats:
    """Scores with the columns shuffled in each order, shape (orders, n); many tables at once."""
    n = len(X)
    at_once = max(1, _CELLS // max(1, n * np.shape(X)[1]))
    scores = np.empty(orders.shape)
    where = [feature_names(X).index(name) for name in columns]
    for start in range(0, len(orders), at_once):
        part = orders[start : start + at_once]
        every = np.tile(np.arange(n), len(part))
        if hasattr(X, "columns"):
            table = X.iloc[every].reset_index(drop=True)
            for name in columns:
                table[name] = X[name].to_numpy()[part.ravel()]
        else:
            table = np.asarray(X)[every]
            table[:, where] = np.asarray(X)[part.ravel()][:, where]
        scores[start : start + at_once] = _finite(score(model, table)).reshape(len(part), n)
    return scores


def _discrimination(scores: Floats, metric: str, target: tuple[Any, ...]) -> Floats:
    batch = auc_batch if metric == "auc" else concordance_batch
    return batch(scores, *target)


def _finite(scores: Floats) -> Floats:
    if not np.isfinite(scores).all():
        raise DataError(
            f"expected finite scores; found {int((~np.isfinite(scores)).sum())} that are not. "
            "Impute missing features in a step before the learner."
        )
    return scores
