"""All-relevant selection: variables that a random forest uses more than shuffled copies."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, bdtrc
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.multiplicity import adjust

Tentative = Literal["drop", "keep"]

# With few variables left, their shadows are drawn several times, so that the best means something.
LEAST_SHADOWS = 5


class HitTests(NamedTuple):
    """Which variables are better, and which are worse, than the best shadow.

    Attributes
    ----------
    confirmed, rejected : ndarray of bool, shape (p,)
    """

    confirmed: Bools
    rejected: Bools


class Boruta(FeatureSelector):
    r"""Keep every variable that carries information on the label, redundant ones among them.

    In each round every variable gets a shadow, its own values in shuffled order, and a random
    forest is grown on both. A variable scores a hit where its importance exceeds that of the best
    shadow. Were it no better than the best shadow the hits of r rounds would be binomial,
    :math:`B(r, 1/2)` at most; variables with significantly more hits are confirmed, those with
    significantly fewer are rejected and leave the forest (see :func:`hit_tests`). It ends when all
    are decided, or after ``max_iter`` rounds, where the rest stay tentative.

    This is the opposite of a minimal set: near-copies are all kept. It does not say how much a
    variable adds. With many more variables than patients each tree sees few of the good ones, and
    the best of many shadows is hard to beat by a weak variable; on noise mostly nothing is
    confirmed and the fallback steps in.

    Differences from R's Boruta: importance is the mean decrease of impurity, where R divides the
    out-of-bag loss of accuracy after shuffling by its standard error; impurity favours variables of
    many distinct values, in shadows just as in originals. ``alpha`` is 0.05, where R has 0.01.
    Rounds, hits, tests and Bonferroni's correction over all variables are the same.

    Parameters
    ----------
    n_estimators
        Trees of a forest.
    max_iter
        Rounds at most. Fewer than :math:`\log_2(p / \alpha)` can confirm nothing.
    alpha
        Level of each of the two tests, after correction.
    perc
        Percentile of the shadows' importances to beat; 100 is the best shadow, less is more
        lenient (and no longer what the test supposes).
    two_step
        Instead of Bonferroni's correction, Benjamini and Hochberg's over the undecided variables
        and Bonferroni's over the rounds.
    tentative
        ``"drop"``, or ``"keep"`` those that were not decided.
    max_depth
        Of the trees; None grows them fully.
    fallback
        How many of the best to keep when none are kept; 0 fails instead.
    n_jobs
        Cores for growing trees.
    random_state
        Seed of shadows and forests.

    Attributes
    ----------
    decision_ : ndarray of str, shape (n_features_in_,)
        "confirmed", "tentative" or "rejected".
    hits_ : ndarray of int, shape (n_features_in_,)
        Rounds in which a variable beat the shadows.
    rounds_ : ndarray of int, shape (n_features_in_,)
        Rounds in which it took part.
    n_iter_ : int
        Rounds in all.
    classes_ : ndarray
        Labels, sorted.
    support_, scores_, fell_back_
        As in :class:`FeatureSelector`; scores are importance less that of the shadow to beat, mean
        over rounds.

    Raises
    ------
    OutcomeError
        There are fewer than two classes.
    DataError
        A value is missing or infinite, or a parameter is senseless.

    References
    ----------
    Kursa and Rudnicki, J Stat Softw 2010;36(11), doi:10.18637/jss.v036.i11.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(80, 6)), np.arange(80) % 2
    >>> X[:, 1] += 2 * y
    >>> X[:, 4] = X[:, 1] + 0.1 * rng.normal(size=80)
    >>> Boruta(n_estimators=50, max_iter=20).fit(X, y).decision_[[1, 4]]
    array(['confirmed', 'confirmed'], dtype='<U9')
    """

    card: ClassVar[Method] = Method(
        name="boruta",
        title="Boruta: all variables that a random forest uses more than shuffled copies",
        scope="features: selection",
        reference="Kursa and Rudnicki, J Stat Softw 2010;36(11), doi:10.18637/jss.v036.i11",
        limits="Keeps all near-copies of a good variable. Weak with many more variables than "
        "patients. Impurity favours variables of many distinct values.",
        learns=True,
    )

    def __init__(
        self,
        n_estimators: int = 500,
        max_iter: int = 100,
        alpha: float = 0.05,
        *,
        perc: float = 100,
        two_step: bool = False,
        tentative: Tentative = "drop",
        max_depth: int | None = None,
        fallback: int = 1,
        n_jobs: int | None = 1,
        random_state: int | None = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_iter = max_iter
        self.alpha = alpha
        self.perc = perc
        self.two_step = two_step
        self.tentative = tentative
        self.max_depth = max_depth
        self.fallback = fallback
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Boruta:
        """Play the rounds; ``y`` holds the classes."""
        self._check_parameters()
        refuse_row_facts(X)
        refuse_other_order(X, y)
        values, label = validate_data(self, X, y, dtype=np.float32, ensure_min_samples=2)
        check_classification_targets(label)
        self.classes_ = np.unique(label)
        if len(self.classes_) < 2:
            raise OutcomeError(
                f"expected two or more classes; found {len(self.classes_)} class in {len(label)} "
                "patients. Use other patients or another label."
            )
        p = values.shape[1]
        self.hits_, self.rounds_ = np.zeros(p, dtype=int), np.zeros(p, dtype=int)
        lead = np.zeros(p)
        confirmed, rejected = np.zeros(p, dtype=bool), np.zeros(p, dtype=bool)
        random = check_random_state(self.random_state)
        self.n_iter_ = 0
        while self.n_iter_ < self.max_iter and not (confirmed | rejected).all():
            playing = np.flatnonzero(~rejected)
            ahead = self._play(values[:, playing], label, random)
            self.n_iter_ += 1
            self.hits_[playing] += ahead > 0
            self.rounds_[playing] += 1
            lead[playing] += ahead
            tests = hit_tests(
                self.hits_,
                self.n_iter_,
                alpha=self.alpha,
                two_step=self.two_step,
                undecided=~(confirmed | rejected),
            )
            confirmed |= tests.confirmed
            rejected |= tests.rejected
        self.decision_ = np.select([confirmed, rejected], ["confirmed", "rejected"], "tentative")
        kept = confirmed if self.tentative == "drop" else ~rejected
        self._settle(kept, lead / self.rounds_)
        return self

    def _play(self, values: Floats, label: np.ndarray, random: np.random.RandomState) -> Floats:
        """Importance of each variable less that of the shadow to beat."""
        p = values.shape[1]
        shadows = np.tile(values, (1, -(-LEAST_SHADOWS // p)))
        order = random.random_sample(shadows.shape).argsort(axis=0)
        shadows = np.take_along_axis(shadows, order, axis=0)
        forest = RandomForestClassifier(
            self.n_estimators,
            max_depth=self.max_depth,
            n_jobs=self.n_jobs,
            random_state=random.randint(2**31 - 1),
        )
        importance = forest.fit(np.hstack([values, shadows]), label).feature_importances_
        return importance[:p] - np.percentile(importance[p:], self.perc)

    def _check_parameters(self) -> None:
        for name in ("n_estimators", "max_iter"):
            value = getattr(self, name)
            if value < 1 or int(value) != value:
                raise DataError(
                    f"{name}: expected a whole number from 1; found {value}. Mend the recipe."
                )
        if not (0 < self.alpha < 1 and 0 < self.perc <= 100):
            raise DataError(
                "expected alpha between 0 and 1, and perc above 0 up to 100; found "
                f"{self.alpha} and {self.perc}. Mend the recipe."
            )
        if self.tentative not in get_args(Tentative):
            raise DataError(
                f"tentative: expected 'drop' or 'keep'; found {self.tentative!r}. Mend the recipe."
            )


def hit_tests(
    hits: ArrayLike,
    rounds: int,
    *,
    alpha: float = 0.05,
    two_step: bool = False,
    undecided: ArrayLike | None = None,
) -> HitTests:
    """Compare hits with what a variable as good as the best shadow would have.

    Two one-sided binomial tests with probability 1/2, for more hits and for fewer. Corrected by
    Bonferroni over all variables, decided ones too, as in R's Boruta; or in two steps, by Benjamini
    and Hochberg over the undecided ones and by Bonferroni over the rounds that were tested.

    Parameters
    ----------
    hits : array-like of int, shape (p,)
    rounds : int
    alpha : float
    two_step : bool
    undecided : array-like of bool, shape (p,), optional
        The others are neither confirmed nor rejected again.

    Returns
    -------
    HitTests

    References
    ----------
    Kursa and Rudnicki 2010, doi:10.18637/jss.v036.i11.

    Examples
    --------
    >>> hit_tests([10, 5, 0], 10).confirmed.tolist()
    [True, False, False]
    """
    counts = np.asarray(hits, dtype=float)
    open_ = np.ones(len(counts), dtype=bool) if undecided is None else np.asarray(undecided)
    found = []
    for p in (bdtrc(counts - 1, rounds, 0.5), bdtr(counts, rounds, 0.5)):
        if two_step:
            passed = np.zeros(len(counts), dtype=bool)
            passed[open_] = (adjust(p[open_]) <= alpha) & (p[open_] <= alpha / rounds)
        else:
            passed = open_ & (adjust(p, method="bonferroni") <= alpha)
        found.append(passed)
    return HitTests(*found)
