"""Choose a handful of variables: the most separating ones that do not repeat each other."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.stats import midranks

# Spearman's rho of a variable with its own copy may exceed 1 by rounding.
ROUNDING = 1e-12


class RankSelector(SelectorMixin, BaseEstimator):
    r"""Keep the ``k`` variables that separate two classes best and are not near-copies.

    Each variable is scored by how far its area under the ROC curve (Mann-Whitney,
    :math:`U / n_1 n_0`, ties counted half) is from 1/2, in either direction. Going down that
    ranking, a variable is kept when its :math:`|\rho|` (Spearman, mid-ranks) with every variable
    kept before is at most ``max_correlation``, until ``k`` are kept. Both use ranks, so monotone
    transformations of a variable change nothing. Ties in the ranking go to the earlier column.

    Selection uses the label: outside resampling it makes noise look like signal.

    Parameters
    ----------
    k
        Variables to keep. Fewer are kept when fewer pass; see ``n_selected_``.
    max_correlation
        Largest absolute Spearman correlation between kept variables, 0 to 1.

    Attributes
    ----------
    selected_ : ndarray of int, shape (n_selected_,)
        Kept columns, best first.
    n_selected_ : int
        How many were kept.
    ranking_ : ndarray of int, shape (n_features_in_,)
        Place of each variable, 1 is the most separating.
    auc_ : ndarray, shape (n_features_in_,)
        Area under the ROC curve of each variable for ``classes_[1]``, 0 to 1.
    classes_ : ndarray, shape (2,)
        The two labels, sorted.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes.
    DataError
        A value is missing or infinite, or every variable is constant.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 10.0, 3.0], [2.0, 20.0, 1.0], [3.0, 30.0, 4.0], [4.0, 40.0, 2.0]])
    >>> RankSelector(k=2).fit(X, [0, 0, 1, 1]).selected_
    array([0, 2])
    """

    card: ClassVar[Method] = Method(
        name="rank_selector",
        title="Variables ranked by |AUC - 1/2|, near-copies of better ones passed over",
        scope="features: selection",
        reference="Mann and Whitney, Ann Math Stat 1947;18:50, doi:10.1214/aoms/1177730491",
        limits="Univariate: misses variables that matter only together. With more variables than "
        "patients the chosen ones differ from fold to fold; report selection frequencies.",
        learns=True,
    )

    def __init__(self, k: int = 4, max_correlation: float = 0.7) -> None:
        self.k = k
        self.max_correlation = max_correlation

    def fit(self, X: Any, y: Any) -> RankSelector:
        """Rank the variables by the label and choose; ``y`` has two classes."""
        self._check_parameters()
        refuse_row_facts(X)
        refuse_other_order(X, y)
        values, label = validate_data(self, X, y, dtype=np.float64)
        self.classes_, code = two_classes(label)
        ranks = midranks(np.ascontiguousarray(values.T))
        positives = np.count_nonzero(code)
        pairs = positives * (len(code) - positives)
        # Rank sums are multiples of a half, so these are exact and ties in them are true ties.
        wins = ranks @ code.astype(float) - positives * (positives + 1) / 2
        self.auc_ = wins / pairs
        order = np.argsort(-np.abs(2 * wins - pairs), kind="stable")
        self.ranking_ = np.empty(len(order), dtype=int)
        self.ranking_[order] = np.arange(1, len(order) + 1)
        self.selected_ = _choose(ranks, order, k=self.k, max_correlation=self.max_correlation)
        self.n_selected_ = len(self.selected_)
        return self

    def _check_parameters(self) -> None:
        if self.k < 1 or int(self.k) != self.k:
            raise DataError(f"k: expected a whole number from 1; found {self.k}. Mend the recipe.")
        if not 0 <= self.max_correlation <= 1:
            raise DataError(
                f"max_correlation: expected 0 to 1; found {self.max_correlation}. Mend the recipe."
            )

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        support = np.zeros(self.n_features_in_, dtype=bool)
        support[self.selected_] = True
        return support

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


def _choose(ranks: np.ndarray, order: np.ndarray, *, k: int, max_correlation: float) -> np.ndarray:
    """Walk down ``order``; correlations are computed for kept variables only."""
    centred = ranks - (ranks.shape[1] + 1) / 2
    norms = np.sqrt(np.einsum("ij,ij->i", centred, centred))
    free = norms > 0
    if not free.any():
        raise DataError(
            f"expected a variable that varies; found {len(ranks)} constant one(s). "
            "Check the feature table."
        )
    norms[~free] = 1
    chosen: list[int] = []
    while len(chosen) < k:
        candidates = order[free[order]]
        if len(candidates) == 0:
            break
        best = candidates[0]
        chosen.append(int(best))
        rho = (centred @ centred[best]) / (norms * norms[best])
        free &= np.abs(rho) <= max_correlation + ROUNDING
        free[best] = False
    return np.array(chosen, dtype=int)
