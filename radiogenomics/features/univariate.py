"""Test each variable against the classes and keep those with small p-values."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc, ndtr, stdtr
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.multiplicity import adjust
from radiogenomics.stats.ranks import midranks

Test = Literal["t", "student", "welch", "mann_whitney", "anova", "welch_anova", "kruskal"]
Correction = Literal["bh", "by", "holm", "bonferroni"]
Centre = Literal["median", "mean"]
TWO_CLASSES: tuple[Test, ...] = ("t", "student", "welch", "mann_whitney")

# A range below this share of the values is rounding, not variation.
CONSTANT = 1e-13
# Above this p-value of Levene's test, variances count as equal.
EQUAL_VARIANCES = 0.05


class UnivariateFilter(FeatureSelector):
    r"""Keep variables that differ between classes by a test of each alone.

    Two classes:

    - ``"t"``: Student's t-test where Levene's test finds no difference of variances (p > 0.05),
      Welch's elsewhere;
    - ``"student"``, ``"welch"``: always that one;
    - ``"mann_whitney"``: rank sums; normal approximation with correction for ties and continuity
      (``wilcox.test(exact = FALSE)`` of R), not the exact distribution.

    Two or more classes: ``"anova"`` (equal variances), ``"welch_anova"`` (``oneway.test`` of R),
    ``"kruskal"`` (ranks, chi-squared approximation). All p-values are two-sided.

    With thousands of variables 5 % pass on noise alone; ``correction`` counts the variables given
    to this step, so put it before other filters that look at the label, not behind them. Variables
    that matter only together are missed. Testing uses the label: outside resampling it makes noise
    look like signal.

    Parameters
    ----------
    test
        One of the seven.
    alpha
        Largest p-value, after correction, at which a variable is kept; 1 for no threshold.
    correction
        None, ``"bh"``, ``"by"``, ``"holm"`` or ``"bonferroni"``; see ``stats.multiplicity.adjust``.
    k
        Keep at most so many, the smallest p-values; None for all that pass.
    levene
        Centre of Levene's test: ``"median"`` (Brown and Forsythe; the default of scipy and of
        ``car::leveneTest``) or ``"mean"``. Only for ``test="t"``.
    fallback
        How many of the smallest p-values to keep when none passes; 0 fails instead.

    Attributes
    ----------
    p_values_ : ndarray, shape (n_features_in_,)
        Before correction; NaN where a variable cannot be tested (constant), which never passes.
    adjusted_ : ndarray, shape (n_features_in_,)
        After correction.
    classes_ : ndarray
        Labels, sorted.
    support_, scores_, fell_back_
        As in :class:`FeatureSelector`; scores are ``-p_values_``.

    Raises
    ------
    OutcomeError
        Fewer than two classes, more than the test takes, or a class of one patient.
    DataError
        A value is missing or infinite, a parameter is senseless, or no variable is left.

    References
    ----------
    Brown and Forsythe 1974, doi:10.1080/01621459.1974.10482955; Welch 1947,
    doi:10.1093/biomet/34.1-2.28; Mann and Whitney 1947, doi:10.1214/aoms/1177730491; Welch 1951,
    doi:10.1093/biomet/38.3-4.330; Kruskal and Wallis 1952, doi:10.1080/01621459.1952.10483441.

    Examples
    --------
    >>> X = np.array([[1.0, 5.0], [2.0, 3.0], [3.0, 6.0], [7.0, 4.0], [8.0, 5.5], [9.0, 3.5]])
    >>> UnivariateFilter("student").fit(X, [0, 0, 0, 1, 1, 1]).p_values_
    array([0.0018, 0.7704])
    """

    card: ClassVar[Method] = Method(
        name="univariate_filter",
        title="Keep variables by t-test, Mann-Whitney or analysis of variance",
        scope="features: selection",
        reference="Brown and Forsythe 1974, doi:10.1080/01621459.1974.10482955 (choice between "
        "Student and Welch)",
        limits="Misses variables that matter only together. Choosing the test by a test of "
        "variances makes the p-value approximate. Uncorrected, 5 % of noise passes.",
        learns=True,
    )

    def __init__(
        self,
        test: Test = "t",
        alpha: float = 0.05,
        correction: Correction | None = None,
        *,
        k: int | None = None,
        levene: Centre = "median",
        fallback: int = 1,
    ) -> None:
        self.test = test
        self.alpha = alpha
        self.correction = correction
        self.k = k
        self.levene = levene
        self.fallback = fallback

    def fit(self, X: Any, y: Any) -> UnivariateFilter:
        """Test each variable; ``y`` holds the classes."""
        self._check_parameters()
        refuse_row_facts(X)
        refuse_other_order(X, y)
        values, label = validate_data(self, X, y, dtype=np.float64)
        self.classes_, code = np.unique(label, return_inverse=True)
        self._check_classes(np.bincount(code))
        self.p_values_ = _p_values(values, code, test=self.test, levene=self.levene)
        passed, self.adjusted_ = choose_by_p(
            self.p_values_, alpha=self.alpha, correction=self.correction, k=self.k
        )
        self._settle(passed, -self.p_values_)
        return self

    def _check_parameters(self) -> None:
        for name, value, known in (
            ("test", self.test, get_args(Test)),
            ("levene", self.levene, get_args(Centre)),
        ):
            if value not in known:
                raise DataError(
                    f"{name}: expected one of {', '.join(known)}; found {value!r}. Correct it."
                )
        check_choice(alpha=self.alpha, k=self.k)

    def _check_classes(self, sizes: NDArray[np.int_]) -> None:
        most = 2 if self.test in TWO_CLASSES else np.inf
        if not 2 <= len(sizes) <= most or sizes.min() < 2:
            wanted = "two classes" if most == 2 else "two or more classes"
            raise OutcomeError(
                f"{self.test}: expected {wanted} of at least 2 patients each; found {len(sizes)} "
                f"class(es) in {sizes.sum()} patients, the smallest of {sizes.min()}. Use other "
                "patients, another label or another test."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags = ClassifierTags(multi_class=self.test not in TWO_CLASSES)
        return tags


def check_choice(*, alpha: float, k: int | None) -> None:
    """Raise DataError for an ``alpha`` outside 0 to 1 or a ``k`` that is no count."""
    if not 0 < alpha <= 1:
        raise DataError(
            f"alpha: expected above 0 and at most 1; found {alpha}. Write 0.05 for 5 %, or 1 for "
            "no threshold."
        )
    if k is not None and (k < 1 or int(k) != k):
        raise DataError(f"k: expected a whole number from 1; found {k}. Mend the recipe.")


def choose_by_p(
    p: Floats, *, alpha: float, correction: Correction | None, k: int | None
) -> tuple[NDArray[np.bool_], Floats]:
    """Which variables pass: corrected p at most ``alpha``, the ``k`` smallest; and corrected p."""
    adjusted = p if correction is None else adjust(p, method=correction)
    passed = adjusted <= alpha
    if k is not None:
        passed[np.argsort(p, kind="stable")[k:]] = False
    return passed, adjusted


class _Groups(NamedTuple):
    """Size of each group; its mean and sum of squared deviations, shape (groups, variables)."""

    n: Floats
    mean: Floats
    squares: Floats

    @property
    def variance(self) -> Floats:
        return self.squares / (self.n - 1)


def _grouped(values: Floats, code: NDArray[np.int_]) -> _Groups:
    member = np.equal.outer(np.arange(code.max() + 1), code).astype(float)
    n = member.sum(axis=1, keepdims=True)
    mean = member @ values / n
    return _Groups(n, mean, member @ np.square(values - mean[code]))


def _p_values(values: Floats, code: NDArray[np.int_], *, test: Test, levene: Centre) -> Floats:
    size = np.abs(values).max(axis=0)
    varies = np.ptp(values, axis=0) > CONSTANT * size
    # No test changes with unit or zero, while squares of an odd unit may overflow.
    scaled = values[:, varies] / size[varies]
    scaled -= scaled.mean(axis=0)
    found = np.full(varies.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        if test == "t":
            equal = _levene(scaled, code, levene) > EQUAL_VARIANCES
            found[varies] = np.where(equal, _student(scaled, code), _welch(scaled, code))
        else:
            found[varies] = _TESTS[test](scaled, code)
    return found


def _levene(values: Floats, code: NDArray[np.int_], centre: Centre) -> Floats:
    """Analysis of variance of absolute deviations from the centre of one's own group."""
    middle = np.median if centre == "median" else np.mean
    centres = np.stack([middle(values[code == c], axis=0) for c in range(code.max() + 1)])
    return _anova(np.abs(values - centres[code]), code)


def _student(values: Floats, code: NDArray[np.int_]) -> Floats:
    groups = _grouped(values, code)
    freedom = groups.n.sum() - 2
    error = groups.squares.sum(axis=0) / freedom * (1 / groups.n).sum()
    return _two_sided(groups.mean[1] - groups.mean[0], error, freedom)


def _welch(values: Floats, code: NDArray[np.int_]) -> Floats:
    groups = _grouped(values, code)
    part = groups.variance / groups.n
    error = part.sum(axis=0)
    freedom = error**2 / (part**2 / (groups.n - 1)).sum(axis=0)
    # Without variance in either group any degrees of freedom give the same p of 0.
    return _two_sided(
        groups.mean[1] - groups.mean[0], error, np.where(error > 0, freedom, groups.n.sum() - 2)
    )


def _two_sided(difference: Floats, error: Floats, freedom: Floats | float) -> Floats:
    return 2 * stdtr(freedom, -np.abs(difference) / np.sqrt(error))


def anova_f(values: Floats, code: NDArray[np.int_]) -> Floats:
    """F statistic of a one-way analysis of variance for each column of ``values``.

    ``code`` numbers the groups from 0. Inf where groups differ without varying, NaN where nothing
    varies.
    """
    groups = _grouped(values, code)
    total, count = groups.n.sum(), len(groups.n)
    grand = (groups.n * groups.mean).sum(axis=0) / total
    between = (groups.n * np.square(groups.mean - grand)).sum(axis=0) / (count - 1)
    return between / (groups.squares.sum(axis=0) / (total - count))


def _anova(values: Floats, code: NDArray[np.int_]) -> Floats:
    groups = int(code.max()) + 1
    return fdtrc(groups - 1, len(code) - groups, anova_f(values, code))


def _welch_anova(values: Floats, code: NDArray[np.int_]) -> Floats:
    groups = _grouped(values, code)
    count = len(groups.n)
    weight = groups.n / groups.variance
    total = weight.sum(axis=0)
    mean = (weight * groups.mean).sum(axis=0) / total
    unequal = (np.square(1 - weight / total) / (groups.n - 1)).sum(axis=0) / (count**2 - 1)
    between = (weight * np.square(groups.mean - mean)).sum(axis=0) / (count - 1)
    statistic = between / (1 + 2 * (count - 2) * unequal)
    return fdtrc(count - 1, 1 / (3 * unequal), statistic)


def _mann_whitney(values: Floats, code: NDArray[np.int_]) -> Floats:
    ranks, squares = _centred_ranks(values)
    n, positives = len(code), int(code.sum())
    variance = positives * (n - positives) * squares / (n * (n - 1))
    distance = np.abs(ranks @ code.astype(float))
    return np.minimum(2 * ndtr(-(distance - 0.5) / np.sqrt(variance)), 1.0)


def _kruskal(values: Floats, code: NDArray[np.int_]) -> Floats:
    ranks, squares = _centred_ranks(values)
    groups = _grouped(ranks.T, code)
    between = (groups.n * np.square(groups.mean)).sum(axis=0)
    return chdtrc(len(groups.n) - 1, (len(code) - 1) * between / squares)


def _centred_ranks(values: Floats) -> tuple[Floats, Floats]:
    """Mid-ranks less their mean, variables × patients, and their sums of squares."""
    ranks = midranks(np.ascontiguousarray(values.T)) - (len(values) + 1) / 2
    return ranks, np.einsum("ij,ij->i", ranks, ranks)


_TESTS: MappingProxyType[str, Callable[[Floats, NDArray[np.int_]], Floats]] = MappingProxyType(
    {
        "student": _student,
        "welch": _welch,
        "mann_whitney": _mann_whitney,
        "anova": _anova,
        "welch_anova": _welch_anova,
        "kruskal": _kruskal,
    }
)
