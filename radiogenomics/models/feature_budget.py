"""No more features than the patients can bear: the last step before a learner."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.ranks import midranks

ONE_IN_TEN = "one_in_ten"
PATIENTS_PER_FEATURE = 10
LABEL, SCORE = "label", "score"


def one_in_ten(patients: int) -> int:
    """One feature for each ten patients (of the rarer class), at least one.

    A rule of thumb (Peduzzi et al., J Clin Epidemiol 1996;49:1373,
    doi:10.1016/S0895-4356(96)00236-3) for coefficients that are not shrunk and features that were
    not chosen among many; with either it is a ceiling, not a promise.

    Examples
    --------
    >>> one_in_ten(47), one_in_ten(6)
    (4, 1)
    """
    return max(1, patients // PATIENTS_PER_FEATURE)


class FeatureBudget(SelectorMixin, BaseEstimator):
    r"""Keep the features that go best with the target, as many as the budget allows.

    Features are ranked by the absolute Spearman correlation with the target; for a label of two
    classes, where a feature has no ties, that is the order of :math:`\lvert AUC - 1/2 \rvert`. One
    that does not vary comes last. Where there are fewer than the budget, all are kept.

    Each feature is judged by itself: of many that go together all may be kept. Remove redundancy in
    a step before this one.

    Parameters
    ----------
    max_features : int or "one_in_ten"
        At most so many; by the rule, one for ten patients of the rarer class (of a label) or for
        ten patients (of a score), at least one. See :func:`one_in_ten`.
    target : {"label", "score"}
        Two classes, or numbers.

    Attributes
    ----------
    max_features_ : int
        The budget.
    scores_ : ndarray, shape (n_features_in_,)
        Absolute Spearman correlation, 0 to 1; 0 where a feature does not vary.
    support_ : ndarray of bool, shape (n_features_in_,)
        True where the feature is kept.

    Raises
    ------
    DataError
        The budget is not a whole number of at least 1, or a value is missing.
    OutcomeError
        A label does not have two classes.

    References
    ----------
    Peduzzi et al., J Clin Epidemiol 1996;49:1373, doi:10.1016/S0895-4356(96)00236-3. van Smeden et
    al., BMC Med Res Methodol 2016;16:163, doi:10.1186/s12874-016-0267-3 (how little it rests on).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(50, 8)), np.arange(50) < 20
    >>> X[:, 5] += 3 * y
    >>> kept = FeatureBudget().fit(X, y)
    >>> kept.max_features_, bool(kept.support_[5])
    (2, True)
    """

    card: ClassVar[Method] = Method(
        name="feature_budget",
        title="The features that go best with the target, one for ten patients of the rarer class",
        scope="models: selection",
        reference="Peduzzi et al., J Clin Epidemiol 1996;49:1373, "
        "doi:10.1016/S0895-4356(96)00236-3; van Smeden et al., BMC Med Res Methodol 2016;16:163, "
        "doi:10.1186/s12874-016-0267-3",
        limits="A rule of thumb: chosen among hundreds, one feature for ten patients is still too "
        "many. Judges each feature by itself, so like ones are kept together.",
        learns=True,
    )

    def __init__(self, max_features: int | str = ONE_IN_TEN, *, target: str = LABEL) -> None:
        self.max_features = max_features
        self.target = target

    def fit(self, X: Any, y: Any) -> FeatureBudget:
        """Rank the features; ``y`` holds two classes, or numbers."""
        if self.target not in (LABEL, SCORE):
            raise UnknownNameError("kind of target", self.target, (LABEL, SCORE))
        refuse_row_facts(X)
        refuse_other_order(X, y)
        values, given = validate_data(
            self,
            X,
            y,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            y_numeric=self.target == SCORE,
            ensure_min_samples=2,
        )
        if np.isnan(values).any():
            raise DataError(
                f"expected features without gaps; found {int(np.isnan(values).sum())} NaN. Impute "
                "missing values in a step before this one."
            )
        if self.target == LABEL:
            numbers, patients = _coded(given)
        else:
            numbers, patients = given.astype(float), len(given)
        self.max_features_ = checked_budget(self.max_features, patients)
        self.scores_ = _rank_correlation(values, numbers)
        self.support_ = np.zeros(values.shape[1], dtype=bool)
        best = np.argsort(-self.scores_, kind="stable")
        self.support_[best[: self.max_features_]] = True
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        if self.target == LABEL:
            tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


def checked_budget(max_features: int | str, patients: int) -> int:
    """Return the number of features that are allowed, for these patients (of the rarer class).

    Raises
    ------
    DataError
        It is neither a whole number of at least 1 nor the rule's word.
    """
    if max_features == ONE_IN_TEN:
        return one_in_ten(patients)
    whole = isinstance(max_features, Integral) and not isinstance(max_features, bool)
    if not whole or max_features < 1:
        raise DataError(
            f"max_features: expected a whole number of at least 1, or {ONE_IN_TEN!r}; found "
            f"{max_features!r}. Write how many features the learner may see."
        )
    return int(max_features)


def _coded(label: np.ndarray) -> tuple[Floats, int]:
    """Classes as 0 and 1, and the size of the rarer one."""
    _, code = two_classes(label, advice="Of numbers, give target='score'.")
    return code.astype(float), int(np.bincount(code).min())


def _rank_correlation(values: Floats, target: Floats) -> Floats:
    ranks = midranks(np.ascontiguousarray(values.T))
    others = midranks(target)
    ranks, others = ranks - ranks.mean(axis=1, keepdims=True), others - others.mean()
    norm = np.sqrt(np.square(ranks).sum(axis=1) * np.square(others).sum())
    return np.abs(ranks @ others) / np.where(norm > 0, norm, 1.0)
