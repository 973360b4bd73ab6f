"""One variable of each group of near-copies."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.ranks import midranks

Correlation = Literal["spearman", "pearson"]
Linkage = Literal["average", "complete", "single"]
Representative = Literal["medoid", "first", "label"]

# A correlation of copies may differ from 1 by rounding.
ROUNDING = 1e-12
# A range below this share of the values is rounding, not variation.
CONSTANT = 1e-13
# Variables correlated with all others at a time; bounds the memory.
BLOCK = 512


class CorrelationClusters(FeatureSelector):
    r"""Cluster variables by correlation and keep one representative of each cluster.

    Hierarchical clustering of the distance :math:`1 - |\rho|`, cut at height
    :math:`1 - \mathrm{threshold}`. What a cluster promises depends on the linkage: with
    ``"complete"`` every pair in it reaches the threshold; with ``"average"`` pairs do so on
    average; with ``"single"`` there is a chain of pairs that do, and its ends may be unrelated.
    Representatives of two clusters may still correlate above the threshold, except with
    ``"single"``. Constant variables correlate with nothing and are dropped.

    Which of many copies is kept is nearly arbitrary and differs from fold to fold: read the
    cluster, not the name. Every cluster lies within one connected component of the graph of pairs
    at or above the threshold, so clustering goes component by component and the full distance
    matrix is never needed.

    Parameters
    ----------
    threshold
        Smallest :math:`|\rho|` that joins, above 0 and at most 1.
    method
        ``"spearman"`` (mid-ranks) or ``"pearson"``.
    linkage
        ``"average"``, ``"complete"`` or ``"single"``.
    representative
        ``"medoid"``: the largest mean :math:`|\rho|` with the rest of its cluster; ``"first"``: the
        earliest column; ``"label"``: the area under the ROC curve farthest from 1/2, for a label of
        two classes. Ties go to the earlier column. ``"label"`` looks at the label: outside
        resampling it makes noise look like signal; the others do not.

    Attributes
    ----------
    cluster_ : ndarray of int, shape (n_features_in_,)
        Cluster of each variable, numbered from 1 in the order of their first columns; 0 for
        constants.
    n_clusters_ : int
        How many there are, and so how many variables are kept.
    support_, fell_back_
        As in :class:`FeatureSelector`.
    scores_ : ndarray, shape (n_features_in_,)
        What chose within clusters: :math:`|AUC - 1/2|` with ``"label"``, else the mean
        :math:`|\rho|` with the rest of the cluster (1 alone); -inf for constants.

    Raises
    ------
    DataError
        A value is missing or infinite, a parameter is senseless, or every variable is constant.
    OutcomeError
        ``"label"`` without a label of two classes.

    References
    ----------
    Hastie, Tibshirani and Friedman 2009, doi:10.1007/978-0-387-84858-7, section 14.3.12.

    Examples
    --------
    >>> X = np.array([[1.0, 2.0, 5.0], [2.0, 4.1, 3.0], [3.0, 6.2, 6.0], [4.0, 8.0, 4.0]])
    >>> CorrelationClusters().fit(X).cluster_
    array([1, 1, 2])
    """

    card: ClassVar[Method] = Method(
        name="correlation_clusters",
        title="One representative of each cluster of correlated variables",
        scope="features: selection",
        reference="Hastie, Tibshirani and Friedman 2009, doi:10.1007/978-0-387-84858-7",
        limits="The kept one of several copies is nearly arbitrary. With few patients and "
        "thousands of variables, some of the unrelated reach any threshold by chance.",
        learns=True,
    )
    # A cluster always has a representative; only constants leave nothing, and that is an error.
    fallback = 0

    def __init__(
        self,
        threshold: float = 0.9,
        method: Correlation = "spearman",
        linkage: Linkage = "average",
        *,
        representative: Representative = "medoid",
    ) -> None:
        self.threshold = threshold
        self.method = method
        self.linkage = linkage
        self.representative = representative

    def fit(self, X: Any, y: Any = None) -> CorrelationClusters:
        """Cluster the variables and choose; ``y`` is used with ``representative="label"`` only."""
        self._check_parameters()
        refuse_row_facts(X)
        if self.representative == "label":
            refuse_other_order(X, y)
            values, label = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
            preference = _distance_from_chance(values, label)
        else:
            values = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
            preference = None
        rows, varies = unit_rows(values, method=self.method)
        columns = np.flatnonzero(varies)
        cluster, closeness = _clusters(
            rows[varies], height=1 - self.threshold + ROUNDING, method=self.linkage
        )
        self.cluster_ = np.zeros(len(varies), dtype=int)
        self.cluster_[columns] = cluster
        self.n_clusters_ = int(cluster.max(initial=0))
        scores = np.full(len(varies), np.nan)
        scores[columns] = closeness if preference is None else preference[columns]
        choice = np.zeros(len(columns)) if self.representative == "first" else scores[columns]
        # By cluster, then best first; rounding, lest the last digit of a sum decide between twins.
        order = np.lexsort((columns, -np.round(choice, 12), cluster))
        best = order[np.unique(cluster[order], return_index=True)[1]]
        support = np.zeros(len(varies), dtype=bool)
        support[columns[best]] = True
        self._settle(support, scores)
        return self

    def _check_parameters(self) -> None:
        choices = (
            ("method", self.method, get_args(Correlation)),
            ("linkage", self.linkage, get_args(Linkage)),
            ("representative", self.representative, get_args(Representative)),
        )
        for name, value, known in choices:
            if value not in known:
                raise DataError(
                    f"{name}: expected one of {', '.join(known)}; found {value!r}. Correct it."
                )
        if not 0 < self.threshold <= 1:
            raise DataError(
                f"threshold: expected above 0 and at most 1; found {self.threshold}. It is an "
                "absolute correlation, for example 0.9."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.representative == "label"
        if tags.target_tags.required:
            tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


def unit_rows(values: Floats, *, method: Correlation) -> tuple[Floats, NDArray[np.bool_]]:
    """Columns of ``values`` (patients × variables) as centred rows of length 1.

    The inner product of two of them is their correlation. Also returns which variables vary; rows
    of those that do not are 0.
    """
    rows = np.ascontiguousarray(values.T)
    size = np.abs(rows).max(axis=1, keepdims=True)
    varies = np.ptp(rows, axis=1) > CONSTANT * size[:, 0]
    rows = midranks(rows) if method == "spearman" else rows / np.where(size > 0, size, 1)
    rows -= rows.mean(axis=1, keepdims=True)
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.where(varies, norms, 1)[:, np.newaxis]
    rows[~varies] = 0
    return rows, varies


def _clusters(rows: Floats, *, height: float, method: Linkage) -> tuple[NDArray[np.int_], Floats]:
    """Cluster of each row, and its mean absolute correlation with the rest of the cluster."""
    component = _components(rows, height)
    cluster = np.zeros(len(rows), dtype=int)
    closeness = np.ones(len(rows))
    by_component = np.split(np.argsort(component, kind="stable"), np.bincount(component).cumsum())
    used = 0
    for members in by_component:
        if len(members) < 2:
            cluster[members] = used + 1
            used += len(members)
            continue
        correlation = np.abs(rows[members] @ rows[members].T)
        local = np.ones(len(members), dtype=int)
        if method != "single":
            distance = np.clip(1 - correlation, 0, None)
            np.fill_diagonal(distance, 0)
            tree = linkage(squareform(distance, checks=False), method=method)
            local = fcluster(tree, height, criterion="distance")
        cluster[members] = used + local
        used += int(local.max())
        together = local[:, np.newaxis] == local
        others = together.sum(axis=1) - 1
        total = np.where(together, correlation, 0).sum(axis=1) - np.diagonal(correlation)
        np.divide(total, others, out=total, where=others > 0)
        closeness[members] = np.where(others > 0, total, 1)
    return _numbered_by_first(cluster), closeness


def _components(rows: Floats, height: float) -> NDArray[np.int_]:
    """Connected component of each row in the graph of pairs that are near enough to join.

    Average, complete and single linkage never join across components below ``height``: each merge
    there needs at least one pair that near.
    """
    count = len(rows)
    left, right = [np.zeros(0, dtype=int)], [np.zeros(0, dtype=int)]
    for start in range(0, count, BLOCK):
        near = np.abs(rows[start : start + BLOCK] @ rows[start:].T) >= 1 - height
        i, j = np.nonzero(near)
        left.append(i + start)
        right.append(j + start)
    pairs = np.concatenate(left), np.concatenate(right)
    graph = coo_array((np.ones(len(pairs[0]), dtype=bool), pairs), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _numbered_by_first(cluster: NDArray[np.int_]) -> NDArray[np.int_]:
    """Renumber from 1 in the order in which clusters first appear."""
    _, first, position = np.unique(cluster, return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=int)
    number[np.argsort(first)] = np.arange(1, len(first) + 1)
    return number[position]


def _distance_from_chance(values: Floats, label: Any) -> Floats:
    """Distance of the area under the ROC curve from 1/2, for each variable."""
    _, code = two_classes(label, advice="Choose the representative by 'medoid' instead.")
    positives = int(code.sum())
    wins = midranks(values.T) @ code.astype(float) - positives * (positives + 1) / 2
    return np.abs(wins / (positives * (len(code) - positives)) - 0.5)
