"""Recursive feature elimination by a linear support vector machine, cross-validated."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.features.folds import TIED, Folds, require_variation, stratified_folds
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.stats.classification.auc import auc_batch
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.linear_models.svm_elimination import eliminate

Scoring = Literal["auc", "accuracy"]
Rule = Literal["best", "1se"]


class LinearSVMRFECV(FeatureSelector):
    r"""Keep the features that survive elimination by a linear SVM down to the best-scoring number.

    A linear support vector machine (hinge loss, intercept not penalised) is fitted, the ``step``
    features of least :math:`w_j^2` leave, and so on. This is done in each of ``n_splits`` folds,
    where every machine scores the patients left out; the number of features with the best mean
    score, the smallest of equals, is then reached by an elimination on all patients. Meaning and
    numbers are those of scikit-learn's ``RFECV(SVC(kernel="linear"))`` with the same folds; the
    dual is solved exactly and followed as features leave, which is an order of magnitude faster.

    Standardise before: weights depend on the scale. Of features that say the same, weight is
    shared, so both may leave before a worse one. The curve of scores is flat and noisy when there
    are few patients, so the number chosen varies much between folds; ``"1se"`` takes fewer. The
    score at the chosen number is the best of many and so optimistic: judge outside. Where all
    weights are zero (classes so uneven that the machine gives one answer for all) the earlier
    columns leave first.

    Parameters
    ----------
    C
        Weight of the losses beside the margin, above 0; smaller is more regularised.
    step
        Features taken out at a time, or, between 0 and 1, their share of all features.
    scoring
        ``"auc"``, or ``"accuracy"`` as is scikit-learn's default.
    n_splits
        Folds, the classes spread evenly; fewer, with a warning, where a class has fewer patients.
    min_features
        The elimination ends here; at most all.
    rule
        ``"best"``, or ``"1se"``: the fewest features whose mean score is within one standard error
        (over folds) of the best, which scikit-learn has not.
    shuffle
        False for folds in the order of the patients, as scikit-learn's default.
    random_state
        Seed of the folds.

    Attributes
    ----------
    n_features_ : int
        How many are kept.
    ranking_ : ndarray of int, shape (n_features_in_,)
        1 where kept; higher the earlier it left, those that left together alike.
    cv_n_features_ : ndarray of int, shape (sizes,)
        Numbers of features tried, rising.
    cv_mean_, cv_std_ : ndarray, shape (sizes,)
        Mean score at each over the folds, higher is better, and standard deviation (1/n).
    cv_scores_ : ndarray, shape (n_splits_, sizes)
        Score of each fold.
    n_splits_ : int
        Folds used.
    classes_ : ndarray, shape (2,)
        Labels, sorted.
    support_, scores_, fell_back_
        As in :class:`FeatureSelector`; scores are minus the ranking, and it never falls back.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes, or one with a single patient.
    DataError
        A value is missing or infinite, no feature varies, or a parameter is senseless.

    References
    ----------
    Guyon et al., Mach Learn 2002;46:389, doi:10.1023/A:1012487302797.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 40)), np.arange(60) % 2
    >>> X[:, 7] += 2 * y
    >>> X[:, 30] -= 2 * y
    >>> LinearSVMRFECV(C=0.1, rule="1se").fit(X, y).get_support(indices=True)
    array([ 7, 30])
    """

    card: ClassVar[Method] = Method(
        name="svm_rfecv",
        title="Recursive feature elimination by a linear SVM, the number by cross-validation",
        scope="features: selection",
        reference="Guyon et al., Mach Learn 2002;46:389, doi:10.1023/A:1012487302797",
        limits="Correlated features share weight and may all leave. The number of features is "
        "unstable with few patients, and its cross-validated score optimistic.",
        learns=True,
    )
    # The last feature is never eliminated, so something always passes.
    fallback = 0

    def __init__(
        self,
        C: float = 1.0,
        step: float = 1,
        scoring: Scoring = "auc",
        *,
        n_splits: int = 5,
        min_features: int = 1,
        rule: Rule = "best",
        shuffle: bool = True,
        random_state: int | None = 0,
    ) -> None:
        self.C = C
        self.step = step
        self.scoring = scoring
        self.n_splits = n_splits
        self.min_features = min_features
        self.rule = rule
        self.shuffle = shuffle
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> LinearSVMRFECV:
        """Choose how many features to keep, and which; ``y`` has two classes."""
        self._check_parameters()
        refuse_row_facts(X)
        refuse_other_order(X, y)
        values, label = validate_data(self, X, y, dtype=np.float64)
        self.classes_, code = two_classes(label)
        require_variation(values)
        p = values.shape[1]
        step = int(max(1, self.step * p)) if self.step < 1 else int(self.step)
        keep = min(int(self.min_features), p)
        folds = stratified_folds(
            code, self.n_splits, owner=self, seed=self.random_state, shuffle=self.shuffle
        )
        self.n_splits_ = len(folds)
        self._score_sizes(values, code, folds, step=step, keep=keep)
        self.n_features_ = int(self.cv_n_features_[self._chosen()])
        whole = eliminate(values, 2.0 * code - 1, C=self.C, step=step, keep=self.n_features_)
        self.ranking_ = np.maximum(len(whole.n_features) - whole.left_after, 1)
        self._settle(self.ranking_ == 1, -self.ranking_.astype(float))
        return self

    def _score_sizes(
        self, values: Floats, code: NDArray[np.intp], folds: Folds, *, step: int, keep: int
    ) -> None:
        """Eliminate in each fold and score the patients left out at every size."""
        found = []
        for train, test in folds:
            way = eliminate(
                values[train],
                2.0 * code[train] - 1,
                C=self.C,
                step=step,
                keep=keep,
                others=values[test],
            )
            if self.scoring == "auc":
                found.append(auc_batch(way.scores, code[test]))
            else:
                found.append(((way.scores > 0) == code[test]).mean(axis=1))
        self.cv_n_features_ = way.n_features[::-1]
        self.cv_scores_ = np.array(found)[:, ::-1]
        self.cv_mean_, self.cv_std_ = self.cv_scores_.mean(axis=0), self.cv_scores_.std(axis=0)

    def _chosen(self) -> int:
        """Place among the sizes, which rise."""
        best = int(np.argmax(self.cv_mean_))
        slack = TIED
        if self.rule == "1se":
            slack += self.cv_scores_[:, best].std(ddof=1) / np.sqrt(self.n_splits_)
        return int(np.flatnonzero(self.cv_mean_ >= self.cv_mean_[best] - slack)[0])

    def _check_parameters(self) -> None:
        if not (np.isfinite(self.C) and self.C > 0):
            raise DataError(f"C: expected a number above 0; found {self.C}. Mend the recipe.")
        if not (0 < self.step < 1 or (self.step >= 1 and int(self.step) == self.step)):
            raise DataError(
                f"step: expected a whole number from 1, or a share between 0 and 1; found "
                f"{self.step}. Mend the recipe."
            )
        if self.min_features < 1 or int(self.min_features) != self.min_features:
            raise DataError(
                f"min_features: expected a whole number from 1; found {self.min_features}. Mend "
                "the recipe."
            )
        for name, known in (("scoring", get_args(Scoring)), ("rule", get_args(Rule))):
            if getattr(self, name) not in known:
                raise DataError(
                    f"{name}: expected one of {', '.join(known)}; found {getattr(self, name)!r}. "
                    "Mend the recipe."
                )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags
