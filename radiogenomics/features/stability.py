"""Stability selection: keep what a selector chooses in most halves of the patients."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import ClassifierTags, check_random_state
from sklearn.utils.validation import check_consistent_length, validate_data

from radiogenomics.core.errors import DataError, FallbackWarning, OutcomeError, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.stats.inputs import Bools, Floats, survival_target
from radiogenomics.stats.linear_models.elastic_net import elastic_net_path
from radiogenomics.stats.linear_models.penalised_losses import FAMILIES


class StabilitySelection(FeatureSelector):
    r"""Keep the variables that are chosen in at least a share of random subsamples.

    A selector is run on ``n_resamples`` random subsamples; :math:`\hat\Pi_j` is how often it
    chooses variable j, and those with :math:`\hat\Pi_j \ge \pi` (``threshold``) are kept. With
    ``complementary_pairs`` subsamples come as pairs of halves that share no patient. With q
    variables chosen on average of p, the expected number of falsely kept variables is at most

    .. math:: \frac{q^2}{(2 \pi - 1) p},

    for subsamples of one half, if noise variables are exchangeable and the selector does no worse
    than guessing (Meinshausen and Bühlmann); for complementary pairs the same bound holds without
    either, for variables chosen with a probability of at most q / p (Shah and Samworth), and a
    sharper one if the distribution of :math:`\hat\Pi_j` of such variables is unimodal.

    Of many like variables each is chosen seldom and all may be lost: remove redundancy first. The
    bound is on the expectation, and says nothing of one study's list, nor of truth missed. Classes
    (events) are halved separately, so that each half has both; the theory has simple halves.

    Parameters
    ----------
    base
        A selector with ``get_support()``, fitted to each subsample; one that falls back counts as
        having chosen nothing. None takes the first ``n_variables`` that come onto the path of the
        elastic net of the ``family``.
    family
        ``"binomial"`` (two classes), ``"gaussian"`` (numbers) or ``"cox"`` (survival target).
    threshold
        :math:`\pi`, above 0.5, at most 1.
    n_variables
        q. None takes as many as keep the sharper bound at 1 (with pairs; without them, or where
        there is none, the first bound), but at least 2 and at most half of the variables: shares
        add up to q, so with 1 no two variables could ever reach the threshold. Of few variables
        (fewer than 11 at a threshold of 0.6) the bound is then above 1: read ``expected_false_``.
    l1_ratio
        Of the path; above 0, up to 1.
    n_resamples
        Subsamples; an even number for pairs.
    share
        Of the patients in a subsample, above 0 and below 1; 0.5 for pairs.
    complementary_pairs
        Whether subsamples come in disjoint pairs.
    fallback
        How many of the most often chosen to keep when none passes; 0 fails instead.
    random_state
        Seed of the subsamples.

    Attributes
    ----------
    frequency_ : ndarray, shape (n_features_in_,)
        Share of subsamples in which each variable was chosen, 0 to 1.
    n_variables_ : int or None
        How many were asked of each subsample; None with a base.
    n_chosen_ : float
        q, how many were chosen on average.
    expected_false_ : float or None
        The first bound; None where ``share`` is not 0.5.
    expected_false_unimodal_ : float or None
        The sharper one; None without pairs or where ``threshold`` is too low for it.
    classes_ : ndarray, shape (2,)
        The two labels, sorted ("binomial" only).
    support_, scores_, fell_back_
        As in :class:`FeatureSelector`; scores are the frequencies.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes, or too few patients of one (or events) to halve.
    DataError
        A value is missing or infinite, no variable varies, or a parameter is senseless.

    References
    ----------
    Meinshausen and Bühlmann, J R Stat Soc B 2010;72:417, doi:10.1111/j.1467-9868.2010.00740.x. Shah
    and Samworth, J R Stat Soc B 2013;75:55, doi:10.1111/j.1467-9868.2011.01034.x.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 20)), np.arange(60) % 2
    >>> X[:, 3] += 2 * y
    >>> fitted = StabilitySelection(threshold=0.9).fit(X, y)
    >>> np.flatnonzero(fitted.support_), fitted.n_variables_, fitted.expected_false_unimodal_
    (array([3]), 6, 0.776)
    """

    card: ClassVar[Method] = Method(
        name="stability_selection",
        title="Keep what is chosen in most halves of the patients",
        scope="features: selection",
        reference="Meinshausen and Bühlmann, J R Stat Soc B 2010;72:417, "
        "doi:10.1111/j.1467-9868.2010.00740.x; Shah and Samworth, J R Stat Soc B 2013;75:55, "
        "doi:10.1111/j.1467-9868.2011.01034.x",
        limits="Like variables share their choices and may all be lost. Bounds the expected number "
        "of false variables, not those of one study; half the patients have less power.",
        learns=True,
    )

    def __init__(
        self,
        base: BaseEstimator | None = None,
        family: str = "binomial",
        threshold: float = 0.6,
        *,
        n_variables: int | None = None,
        l1_ratio: float = 1.0,
        n_resamples: int = 100,
        share: float = 0.5,
        complementary_pairs: bool = True,
        fallback: int = 1,
        random_state: int | None = 0,
    ) -> None:
        self.base = base
        self.family = family
        self.threshold = threshold
        self.n_variables = n_variables
        self.l1_ratio = l1_ratio
        self.n_resamples = n_resamples
        self.share = share
        self.complementary_pairs = complementary_pairs
        self.fallback = fallback
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> StabilitySelection:
        """Choose in every subsample and count; ``y`` is what the family takes."""
        self._check_parameters()
        refuse_row_facts(X)
        refuse_other_order(X, y)
        values, outcome, strata = self._read(X, y)
        self.n_variables_ = self._asked_of_each(values.shape[1])
        chosen = np.array(
            [self._choose(values[part], outcome[part]) for part in self._subsamples(strata)]
        )
        n_variables = values.shape[1]
        self.frequency_ = chosen.mean(axis=0)
        self.n_chosen_ = float(chosen.sum(axis=1).mean())
        self.expected_false_ = self.expected_false_unimodal_ = None
        if self.share == 0.5:
            self.expected_false_ = self.n_chosen_**2 / ((2 * self.threshold - 1) * n_variables)
        if self.complementary_pairs:
            self.expected_false_unimodal_ = unimodal_bound(
                self.n_chosen_, n_variables, self.threshold, n_pairs=int(self.n_resamples) // 2
            )
        # Frequencies are whole numbers of resamples, thresholds decimal fractions.
        passed = self.frequency_ >= self.threshold - 1e-12
        self._settle(passed, np.where(self.frequency_ > 0, self.frequency_, -np.inf))
        return self

    def _asked_of_each(self, n_variables: int) -> int | None:
        """How many of the variables each subsample chooses; None where the base decides."""
        if self.base is not None:
            return None
        if self.n_variables is not None:
            return int(self.n_variables)
        # Both bounds grow with the square of q.
        bound = 1 / ((2 * self.threshold - 1) * n_variables)
        if self.complementary_pairs:
            pairs = int(self.n_resamples) // 2
            bound = unimodal_bound(1, n_variables, self.threshold, n_pairs=pairs) or bound
        return max(1, min(n_variables // 2, max(2, int(np.sqrt(1 / bound) + 1e-9))))

    def _read(self, X: Any, y: Any) -> tuple[Floats, NDArray[Any], NDArray[Any]]:
        """Variables, outcome as the base takes it, and who must be in both halves."""
        if self.family == "cox":
            values = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
            _, event = survival_target(y)
            check_consistent_length(values, event)
            return values, np.asarray(y), event
        if self.family == "gaussian":
            values, target = validate_data(
                self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2
            )
            return values, target, np.zeros(len(target))
        values, label = validate_data(self, X, y, dtype=np.float64)
        self.classes_, _ = two_classes(label)
        return values, label, label

    def _subsamples(self, strata: NDArray[Any]) -> Iterator[NDArray[np.intp]]:
        """Positions of the patients in each subsample; the share is taken in every stratum."""
        rng = check_random_state(self.random_state)
        groups = [np.flatnonzero(strata == value) for value in np.unique(strata)]
        sizes = [int(self.share * len(group)) for group in groups]
        if self.family == "cox":
            # Censored patients may be few; events may not.
            needed = [size for size, value in zip(sizes, np.unique(strata), strict=True) if value]
        else:
            needed = sizes
        if min(needed, default=0) < 1:
            raise OutcomeError(
                f"expected patients of each class (events) in a share of {self.share}; found a "
                "class with too few to share out. Use more patients."
            )
        parts = 2 if self.complementary_pairs else 1
        for _ in range(int(self.n_resamples) // parts):
            mixed = [rng.permutation(group) for group in groups]
            for part in range(parts):
                yield np.concatenate(
                    [
                        group[part * size : (part + 1) * size]
                        for group, size in zip(mixed, sizes, strict=True)
                    ]
                )

    def _choose(self, values: Floats, outcome: NDArray[Any]) -> Bools:
        """What is chosen in one subsample."""
        if self.base is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FallbackWarning)
                fitted = clone(self.base).fit(values, outcome)
            chosen = np.asarray(fitted.get_support(), dtype=bool)
            return chosen & (not getattr(fitted, "fell_back_", False))
        # A half may hold nothing that varies, where variables or numbers are nearly constant.
        idle = not np.ptp(values, axis=0).any() or (
            self.family == "gaussian" and not np.ptp(outcome)
        )
        if idle:
            return np.zeros(values.shape[1], dtype=bool)
        event = None
        if self.family == "cox":
            outcome, event = survival_target(outcome)
        elif self.family == "binomial":
            outcome = outcome == self.classes_[1]
        path = elastic_net_path(
            values,
            outcome,
            event,
            family=self.family,
            l1_ratio=self.l1_ratio,
            max_inside=self.n_variables_,
        )
        return np.asarray(path.entry_order() <= self.n_variables_)

    def _check_parameters(self) -> None:
        if self.family not in FAMILIES:
            raise UnknownNameError("family", self.family, FAMILIES)
        if not 0.5 < self.threshold <= 1:
            raise DataError(
                f"threshold: expected above 0.5 and at most 1; found {self.threshold}. It is the "
                "share of subsamples that must choose a variable."
            )
        if not 0 < self.share < 1 or (self.complementary_pairs and self.share != 0.5):
            raise DataError(
                f"share: expected above 0 and below 1, and 0.5 for complementary pairs; found "
                f"{self.share}. Take halves, or no pairs."
            )
        least = 2 if self.complementary_pairs else 1
        if self.n_resamples < least or self.n_resamples % least:
            raise DataError(
                f"n_resamples: expected a whole number from {least}, even for pairs; found "
                f"{self.n_resamples}. 100 is usual."
            )
        if self.n_variables is not None and (
            self.base is not None
            or int(self.n_variables) != self.n_variables
            or self.n_variables < 1
        ):
            raise DataError(
                f"n_variables: expected a whole number from 1, and None with a base; found "
                f"{self.n_variables}. A base decides for itself how many it chooses."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.family == "binomial":
            tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


def unimodal_bound(
    n_chosen: float, n_variables: int, threshold: float, *, n_pairs: int
) -> float | None:
    r"""Bound on the expected number of falsely kept variables, if frequencies are unimodal.

    With :math:`\theta = q / p`, B complementary pairs and threshold :math:`\pi`, variables that are
    chosen with a probability of at most :math:`\theta` are kept :math:`C q^2 / p` times at most:

    .. math:: C = \frac{1}{2 (2 \pi - 1 - 1 / (2 B))} \text{ up to } \pi = 3/4, \qquad
              C = \frac{4 (1 - \pi + 1 / (2 B))}{1 + 1 / B} \text{ above,}

    provided that :math:`\theta \le 1 / \sqrt{3}` and :math:`\pi` is above
    :math:`1/2 + \min(\theta^2, 1 / (2 B) + 3 \theta^2 / 4)`.

    Parameters
    ----------
    n_chosen : float
        q, variables chosen on average.
    n_variables : int
        p.
    threshold : float
    n_pairs : int
        B.

    Returns
    -------
    float or None
        None where the bound does not hold.

    References
    ----------
    Shah and Samworth, J R Stat Soc B 2013;75:55, doi:10.1111/j.1467-9868.2011.01034.x.

    Examples
    --------
    >>> unimodal_bound(10, 1000, 0.9, n_pairs=50)
    0.0431373
    """
    theta, half_step = n_chosen / n_variables, 1 / (2 * n_pairs)
    lowest = 0.5 + min(theta**2, half_step + 0.75 * theta**2)
    if theta > 1 / np.sqrt(3) or threshold <= lowest:
        return None
    if threshold <= 0.75:
        room = 2 * threshold - 1 - half_step
        return None if room <= 1e-12 else n_chosen * theta / (2 * room)
    return 4 * (1 - threshold + half_step) / (1 + 2 * half_step) * n_chosen * theta
