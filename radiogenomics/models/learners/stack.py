"""Several kinds of learners on the same features, added up as their out-of-fold scores deserve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.core.method import Method
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.models.blend import Blend, fit_blend
from radiogenomics.models.learners.bayes import naive_bayes
from radiogenomics.models.learners.entry import SCOPE, Learner
from radiogenomics.models.learners.kernel import rbf_svm
from radiogenomics.models.learners.linear import ridge_logistic
from radiogenomics.models.learners.trees import pruned_tree
from radiogenomics.models.ordered_classifier import OrderedClassifier
from radiogenomics.models.out_of_fold import out_of_fold_scores, score
from radiogenomics.models.platt import PlattScaling, fit_platt

Members = Sequence[tuple[str, Any]]


class LearnerStack(OrderedClassifier, BaseEstimator):
    """Two-class stack: members scored out of fold, and a ridge logistic regression on top.

    Each member scores every patient of the training part by a fit without that patient. Platt
    scaling brings these scores to log-odds, and a ridge logistic regression with weights of 0 or
    more adds the log-odds up. Then the members are fitted again on all. What is fitted on top sees
    out-of-fold scores only, and all of it sees the training part only. Rows are patients.

    Parameters
    ----------
    members
        Named, unfitted classifiers. None: ridge logistic regression, radial support vector machine,
        naive Bayes and a pruned tree, each at a middle setting.
    C
        Weight of the likelihood beside the penalty on the weights, above 0.
    n_splits
        Folds within the training part; fewer when the smaller class has fewer patients.
    random_state
        Seed of the folds and of the members of None.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        Labels, sorted; scores are for ``classes_[1]``.
    members_ : list of (name, classifier)
        Fitted on all; they know the classes as 0 and 1.
    calibrations_ : list of PlattScaling
        From each member's score to log-odds.
    blend_ : Blend
        Weights of the members, in their order.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes of two or more patients.

    References
    ----------
    Wolpert, Neural Netw 1992;5:241, doi:10.1016/S0893-6080(05)80023-1. Breiman, Mach Learn
    1996;24:49, doi:10.1007/BF00117832.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> stack = LearnerStack().fit(X, X[:, 0] > 0)
    >>> [name for name, _ in stack.members_]
    ['lr', 'svm_rbf', 'nb', 'tree']
    >>> bool((stack.blend_.weights >= 0).all())
    True
    """

    card: ClassVar[Method] = Method(
        name="stacking",
        title="Stack of ridge logistic regression, radial SVM, naive Bayes and a pruned tree",
        scope=SCOPE,
        reference="Wolpert, Neural Netw 1992;5:241, doi:10.1016/S0893-6080(05)80023-1",
        limits="With tens of patients the weights are mostly chance, and the best member alone "
        "does as well. Members are not tuned: each stands at a middle setting.",
        learns=True,
    )

    def __init__(
        self,
        members: Members | None = None,
        *,
        C: float = 1.0,
        n_splits: int = 5,
        random_state: int | None = 0,
    ) -> None:
        self.members = members
        self.C = C
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> LearnerStack:
        """Score out of fold, weigh, and fit the members on all; ``y`` has two classes."""
        refuse_other_order(X, y)
        values, label = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(label)
        self.classes_, target = np.unique(label, return_inverse=True)
        folds = self._folds(target)
        members = default_members(self.random_state) if self.members is None else self.members
        if not members:
            raise DataError("members: expected at least one; found none. Name a learner.")
        columns = []
        self.calibrations_: list[PlattScaling] = []
        for _, member in members:
            scores = out_of_fold_scores(
                member, values, target, n_splits=folds, random_state=self.random_state
            )
            self.calibrations_.append(fit_platt(scores, target == 1))
            columns.append(self.calibrations_[-1].log_odds(scores))
        self.blend_: Blend = fit_blend(np.column_stack(columns), target == 1, C=self.C)
        self.members_ = [(name, clone(member).fit(values, target)) for name, member in members]
        return self

    def _folds(self, target: np.ndarray) -> int:
        if self.n_splits < 2:
            raise DataError(f"n_splits: expected at least 2; found {self.n_splits}. Give more.")
        counts = np.bincount(target)
        if len(self.classes_) != 2 or counts.min() < 2:
            raise OutcomeError(
                f"expected two classes of at least 2 patients; found {len(self.classes_)} "
                f"class(es), the smallest of {counts.min()}. Only binary classification is "
                "supported. Use more patients or another cut-off."
            )
        return min(self.n_splits, int(counts.min()))

    def decision_function(self, X: Any) -> np.ndarray:
        """Log-odds of ``classes_[1]``, shape (n,)."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        columns = [
            calibration.log_odds(score(member, values))
            for (_, member), calibration in zip(self.members_, self.calibrations_, strict=True)
        ]
        return self.blend_.log_odds(np.column_stack(columns))

    def predict(self, X: Any) -> np.ndarray:
        """Return the more probable class."""
        above = self.decision_function(X) > 0
        return self.classes_[above.astype(int)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def default_members(random_state: int | None) -> list[tuple[str, Any]]:
    """Four kinds of learners, quick to fit, each at a middle setting."""
    return [
        ("lr", ridge_logistic(random_state).estimator.set_params(C=0.1)),
        ("svm_rbf", rbf_svm(random_state).estimator.set_params(C=1.0)),
        ("nb", naive_bayes(random_state).estimator.set_params(var_smoothing=0.1)),
        ("tree", pruned_tree(random_state).estimator.set_params(ccp_alpha=0.02)),
    ]


def learner_stack(random_state: int | None) -> Learner:
    """Build ``stacking``."""
    return Learner(LearnerStack(random_state=random_state), ({"C": (1.0,)},), LearnerStack.card)
