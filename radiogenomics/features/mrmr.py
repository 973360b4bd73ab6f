"""Choose variables that tell the classes apart and do not repeat each other, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.features.redundancy import unit_rows
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.features.univariate import anova_f
from radiogenomics.stats.inputs import Floats

Scheme = Literal["MID", "MIQ", "FCD", "FCQ"]

# States of a variable: below, within and above this many standard deviations around its mean.
HALF_WIDTH = 0.5
# Quotients divide by at least this, so that no redundancy at all stays comparable by relevance.
LEAST_REDUNDANCY = 1e-12

Redundancy = Callable[[int], Floats]


class MRMR(FeatureSelector):
    r"""Minimum redundancy, maximum relevance: greedy choice of ``k`` variables.

    The first variable is the most relevant one. Then, with :math:`S` the chosen ones, each step
    adds the variable with the largest :math:`V - W` (schemes ending in D) or :math:`V / W` (ending
    in Q), where :math:`V` is its relevance for the classes and :math:`W` the mean of its redundancy
    with each of :math:`S`:

    - ``MID``, ``MIQ``: both are mutual information in nats, after each variable is put into three
      states, below, within and above its mean ± half a standard deviation;
    - ``FCD``, ``FCQ``: :math:`V` is the F statistic of the classes, :math:`W` the mean
      :math:`|r|` (Pearson).

    F has no upper bound and :math:`|r|` ends at 1, so ``FCD`` hardly hears redundancy where F is
    large. A quotient grows without bound as redundancy goes to 0, so ``MIQ`` may take
    a weak variable for being unlike the others. Ties go to the less redundant, then to the earlier
    column. The number ``k`` is not chosen by the method, and noise is chosen when only noise is
    left. Choosing uses the label: outside resampling it makes noise look like signal.

    Parameters
    ----------
    k
        Variables to keep; all that vary where there are fewer.
    scheme
        One of the four.

    Attributes
    ----------
    selected_ : ndarray of int
        Kept columns, in the order of choice.
    criterion_ : ndarray
        What each of them was chosen by: relevance for the first, then :math:`V - W` or
        :math:`V / W`.
    classes_ : ndarray
        Labels, sorted.
    support_, fell_back_
        As in :class:`FeatureSelector`.
    scores_ : ndarray, shape (n_features_in_,)
        Relevance :math:`V`; -inf for constants.

    Raises
    ------
    OutcomeError
        There are fewer than two classes.
    DataError
        A value is missing or infinite, a parameter is senseless, or every variable is constant.

    References
    ----------
    Ding and Peng, J Bioinform Comput Biol 2005;3:185, doi:10.1142/S0219720005001004.

    Examples
    --------
    >>> label = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> signal = np.array([1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0])
    >>> near_copy = np.array([1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0, 8.0])
    >>> weaker = np.array([4.0, 2.0, 1.0, 3.0, 8.0, 2.0, 6.0, 7.0])
    >>> MRMR(k=2).fit(np.column_stack([signal, near_copy, weaker]), label).selected_
    array([0, 2])
    """

    card: ClassVar[Method] = Method(
        name="mrmr",
        title="Minimum redundancy, maximum relevance (MID, MIQ, FCD, FCQ)",
        scope="features: selection",
        reference="Ding and Peng, J Bioinform Comput Biol 2005;3:185, "
        "doi:10.1142/S0219720005001004",
        limits="Greedy and pairwise: misses variables that matter only together. Three states lose "
        "detail, and mutual information of few patients is biased upwards. k is for the user.",
        learns=True,
    )
    # Any variable that varies can be chosen; only constants leave nothing, and that is an error.
    fallback = 0

    def __init__(self, k: int = 10, scheme: Scheme = "FCQ") -> None:
        self.k = k
        self.scheme = scheme

    def fit(self, X: Any, y: Any) -> MRMR:
        """Choose the variables; ``y`` holds the classes."""
        self._check_parameters()
        refuse_row_facts(X)
        refuse_other_order(X, y)
        values, label = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        self.classes_, code = np.unique(label, return_inverse=True)
        if not 2 <= len(self.classes_) < len(code):
            raise OutcomeError(
                "expected two or more classes, one of several patients; found "
                f"{len(self.classes_)} class(es) in {len(code)} patients. Use other patients or "
                "another label."
            )
        rows, varies = unit_rows(values, method="pearson")
        columns = np.flatnonzero(varies)
        measures = _by_information if self.scheme.startswith("MI") else _by_correlation
        relevance, redundancy = measures(rows[columns], code)
        order, self.criterion_ = _greedy(
            relevance, redundancy, k=self.k, quotient=self.scheme.endswith("Q")
        )
        self.selected_ = columns[order]
        scores = np.full(len(varies), np.nan)
        scores[columns] = relevance
        support = np.zeros(len(varies), dtype=bool)
        support[self.selected_] = True
        self._settle(support, scores)
        return self

    def _check_parameters(self) -> None:
        if self.k < 1 or int(self.k) != self.k:
            raise DataError(f"k: expected a whole number from 1; found {self.k}. Mend the recipe.")
        if self.scheme not in get_args(Scheme):
            raise DataError(
                f"scheme: expected one of {', '.join(get_args(Scheme))}; found {self.scheme!r}. "
                "Correct it."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags = ClassifierTags(multi_class=True)
        return tags


def _greedy(
    relevance: Floats, redundancy: Redundancy, *, k: int, quotient: bool
) -> tuple[NDArray[np.int_], Floats]:
    """Order of choice and what each was chosen by; redundancies are added up as variables join."""
    order: list[int] = []
    criterion: list[float] = []
    free = np.ones(len(relevance), dtype=bool)
    total = np.zeros(len(relevance))
    while len(order) < min(k, len(relevance)):
        value = relevance
        if order:
            mean = total / len(order)
            value = relevance / np.maximum(mean, LEAST_REDUNDANCY) if quotient else relevance - mean
        value = np.where(free, value, -np.inf)
        tied = np.flatnonzero(free & (value == value.max()))
        best = int(tied[np.argmin(total[tied])])
        order.append(best)
        criterion.append(float(value[best]))
        free[best] = False
        total += redundancy(best)
    return np.array(order, dtype=int), np.array(criterion)


def _by_correlation(rows: Floats, code: NDArray[np.int_]) -> tuple[Floats, Redundancy]:
    with np.errstate(divide="ignore"):
        relevance = anova_f(rows.T, code)
    return relevance, lambda chosen: np.abs(rows @ rows[chosen])


def _by_information(rows: Floats, code: NDArray[np.int_]) -> tuple[Floats, Redundancy]:
    # Rows are centred and of length 1, so their standard deviation is known.
    limit = HALF_WIDTH / np.sqrt(rows.shape[1] - 1)
    states = np.stack([rows < -limit, np.abs(rows) <= limit, rows > limit]).astype(float)
    classes = np.equal.outer(code, np.arange(code.max() + 1)).astype(float)
    return (
        _mutual_information(states, classes),
        lambda chosen: _mutual_information(states, states[:, chosen].T),
    )


def _mutual_information(states: Floats, classes: Floats) -> Floats:
    """Mutual information in nats of each variable with one classification.

    ``states`` is (states, variables, patients) and ``classes`` (patients, classes), of 0 and 1.
    """
    joint = states @ classes / len(classes)
    expected = joint.sum(axis=2, keepdims=True) * joint.sum(axis=0, keepdims=True)
    ratio = np.divide(joint, expected, where=joint > 0, out=np.ones(joint.shape))
    return np.maximum((joint * np.log(ratio)).sum(axis=(0, 2)), 0)
