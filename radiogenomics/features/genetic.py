"""Search for a set of features that predict together, by breeding and mutating sets."""

from __future__ import annotations

from typing import Any, ClassVar

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
from radiogenomics.stats.inputs import Bools, Floats

# Numbers held at a time.
BLOCK = 2**20


class GeneticSelector(FeatureSelector):
    r"""Breed sets of features for the cross-validated AUC of a ridge discriminant on them.

    A population of random sets is scored (see :func:`subset_fitness`). In each generation the
    ``elite`` best live on; the others are replaced by children of two parents, each the best of
    ``tournament`` sets drawn at random. A child takes what both parents have and a random part of
    what one has (uniform crossover), and then, of its features, on average ``mutation`` are
    exchanged for others. The best set of all generations is kept, the smaller of equals.

    The fitness of the chosen set is the largest of thousands on the same folds, and so optimistic,
    on noise too: it is no estimate of anything, only a resampling around the whole selection is.
    Different seeds find different sets of like fitness; report selection frequencies. The search
    need not find the best set: with many features let ``population`` times the size of a set
    exceed their number. Standardise before: the ridge depends on the scale.

    Parameters
    ----------
    k
        Features to keep (all that vary where there are fewer); None for any number up to
        ``max_features``.
    population
        Sets alive at a time.
    generations
        How often they breed; 0 takes the best of the random sets.
    max_features
        Most features of a set where ``k`` is None.
    ridge
        Penalty of the squared weights, per patient; 0.1 shrinks a lone standardised feature by
        about a tenth. Above 0.
    mutation
        Features of a child exchanged, on average; where ``k`` is None its size may also change.
    elite, tournament
        As above.
    n_splits
        Folds, the classes spread evenly; fewer, with a warning, where a class has fewer patients.
    random_state
        Seed of the folds and of the search.

    Attributes
    ----------
    selected_ : ndarray of int
        Kept columns, rising.
    fitness_ : float
        Cross-validated AUC of the kept set, optimistic.
    history_ : ndarray, shape (generations + 1,)
        Best fitness so far after each generation.
    n_splits_ : int
        Folds used.
    classes_ : ndarray, shape (2,)
        Labels, sorted.
    support_, scores_, fell_back_
        As in :class:`FeatureSelector`; scores are the share of the last population that holds a
        feature, and it never falls back.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes, or one with a single patient.
    DataError
        A value is missing or infinite, no feature varies, or a parameter is senseless.

    References
    ----------
    Siedlecki and Sklansky, Pattern Recognit Lett 1989;10:335.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(80, 30)), np.arange(80) % 2
    >>> X[:, [3, 20]] += y[:, None]
    >>> GeneticSelector(k=2).fit(X, y).selected_
    array([ 3, 20])
    """

    card: ClassVar[Method] = Method(
        name="genetic",
        title="Genetic search for the set of features with the best cross-validated AUC",
        scope="features: selection",
        reference="Siedlecki and Sklansky, Pattern Recognit Lett 1989;10:335",
        limits="Its own fitness is optimistic, on noise too. Random: another seed finds another "
        "set. Not sure to find the best.",
        learns=True,
    )
    # The best set always has a feature.
    fallback = 0

    def __init__(
        self,
        k: int | None = None,
        population: int = 60,
        generations: int = 100,
        *,
        max_features: int = 20,
        ridge: float = 0.1,
        mutation: float = 1.0,
        elite: int = 4,
        tournament: int = 3,
        n_splits: int = 5,
        random_state: int | None = 0,
    ) -> None:
        self.k = k
        self.population = population
        self.generations = generations
        self.max_features = max_features
        self.ridge = ridge
        self.mutation = mutation
        self.elite = elite
        self.tournament = tournament
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> GeneticSelector:
        """Search; ``y`` has two classes."""
        self._check_parameters()
        refuse_row_facts(X)
        refuse_other_order(X, y)
        values, label = validate_data(self, X, y, dtype=np.float64)
        self.classes_, code = two_classes(label)
        require_variation(values)
        columns = np.flatnonzero(np.ptp(values, axis=0) > 0)
        folds = stratified_folds(code, self.n_splits, owner=self, seed=self.random_state)
        self.n_splits_ = len(folds)
        last, best = self._search(values[:, columns], code, folds)
        self.selected_ = columns[best]
        support = np.zeros(values.shape[1], dtype=bool)
        support[self.selected_] = True
        scores = np.full(values.shape[1], np.nan)
        scores[columns] = last.mean(axis=0)
        self._settle(support, scores)
        return self

    def _search(self, values: Floats, code: NDArray[np.intp], folds: Folds) -> tuple[Bools, Bools]:
        """The last population and the best set, both as members (True) of sets."""
        rng = np.random.default_rng(self.random_state)
        p = values.shape[1]
        most = min(self.max_features if self.k is None else self.k, p)
        least = 1 if self.k is None else most
        sizes = rng.integers(least, most + 1, self.population)
        sets = _largest(rng.random((self.population, p)), sizes)
        fitness = subset_fitness(values, code, sets, folds=folds, ridge=self.ridge)
        history = [float(fitness.max())]
        for _ in range(self.generations):
            order = _ranked(fitness, sets)
            sets, fitness = sets[order], fitness[order]
            children = self._breed(sets, rng, least=least, most=most)
            grown = subset_fitness(values, code, children, folds=folds, ridge=self.ridge)
            sets = np.concatenate([sets[: self.elite], children])
            fitness = np.concatenate([fitness[: self.elite], grown])
            history.append(float(fitness.max()))
        best = _ranked(fitness, sets)[0]
        self.fitness_, self.history_ = float(fitness[best]), np.array(history)
        return sets, sets[best]

    def _breed(self, sets: Bools, rng: np.random.Generator, *, least: int, most: int) -> Bools:
        """Children of sets that are ordered, the best first."""
        count, p = self.population - self.elite, sets.shape[1]
        # Of sets in order, the best of a tournament is the first.
        drawn = rng.integers(0, len(sets), (2, count, self.tournament)).min(axis=2)
        first, second = sets[drawn[0]], sets[drawn[1]]
        sizes = first.sum(axis=1)
        if least < most:
            sizes = np.where(rng.random(count) < 0.5, sizes, second.sum(axis=1))
            sizes = np.clip(sizes + rng.integers(-1, 2, count), least, most)
        # What both have comes first, then what one has; and of those chosen so, some make way.
        inside = _largest(first.astype(float) + second + rng.random((count, p)), sizes)
        rate = np.minimum(self.mutation / sizes, 1)[:, None]
        away = inside & (rng.random((count, p)) < rate)
        return _largest(2.0 * inside - 3.0 * away + rng.random((count, p)), sizes)

    def _check_parameters(self) -> None:
        wholes = [("population", 2), ("generations", 0), ("max_features", 1), ("tournament", 1)]
        wholes += [("elite", 1)] + ([] if self.k is None else [("k", 1)])
        for name, least in wholes:
            value = getattr(self, name)
            if value < least or int(value) != value:
                raise DataError(
                    f"{name}: expected a whole number from {least}; found {value}. Mend the recipe."
                )
        if self.elite >= self.population:
            raise DataError(
                f"expected fewer elite than population; found {self.elite} and {self.population}. "
                "Mend the recipe."
            )
        if not (np.isfinite(self.ridge) and self.ridge > 0 and self.mutation >= 0):
            raise DataError(
                f"expected ridge above 0 and mutation from 0; found {self.ridge} and "
                f"{self.mutation}. Mend the recipe."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


def subset_fitness(
    values: Floats, code: NDArray[np.intp], sets: Bools, *, folds: Folds, ridge: float
) -> Floats:
    r"""Cross-validated AUC of a ridge discriminant on each of many sets of features.

    In each fold the weights solve :math:`(X^T X + \lambda n I) w = X^T y` on the training patients
    (X and y centred there, n of them, y of 0 and 1): ridge regression of the label, which for two
    classes points where linear discriminant analysis with the ridge on the total scatter does. The
    AUC of the patients left out is averaged over the folds.

    Parameters
    ----------
    values : ndarray, shape (n, p)
    code : ndarray of 0 and 1, shape (n,)
    sets : ndarray of bool, shape (batch, p)
        A set of features a row.
    folds : list of (training patients, patients left out)
    ridge : float
        :math:`\lambda`, above 0.

    Returns
    -------
    ndarray, shape (batch,)
        0 to 1.

    Examples
    --------
    >>> X = np.array([[0.0, 3.0], [1.0, 1.0], [2.0, 2.0], [3.0, 4.0]])
    >>> folds = [(np.array([0, 2]), np.array([1, 3])), (np.array([1, 3]), np.array([0, 2]))]
    >>> label, sets = np.array([0, 0, 1, 1]), np.array([[True, False], [False, True]])
    >>> subset_fitness(X, label, sets, folds=folds, ridge=0.1).tolist()
    [1.0, 0.0]
    """
    width = int(sets.sum(axis=1).max())
    block = max(1, BLOCK // (len(values) * width))
    parts = [sets[i : i + block] for i in range(0, len(sets), block)]
    return np.concatenate(
        [_block_fitness(values, code, p, folds=folds, ridge=ridge) for p in parts]
    )


def _block_fitness(
    values: Floats, code: NDArray[np.intp], sets: Bools, *, folds: Folds, ridge: float
) -> Floats:
    width = int(sets.sum(axis=1).max())
    # Smaller sets are filled up with columns of zeros, which the ridge gives no weight.
    columns = np.argsort(~sets, axis=1, kind="stable")[:, :width]
    member = np.take_along_axis(sets, columns, axis=1)
    x = values.T[columns].transpose(0, 2, 1) * member[:, None, :]
    total = np.zeros(len(sets))
    for train, test in folds:
        inner = x[:, train]
        inner = inner - inner.mean(axis=1, keepdims=True)
        moments = inner.transpose(0, 2, 1) @ inner
        moments[:, np.arange(width), np.arange(width)] += ridge * len(train)
        target = code[train] - code[train].mean()
        weights = np.linalg.solve(moments, (target @ inner)[:, :, None])
        total += auc_batch((x[:, test] @ weights)[:, :, 0], code[test])
    return total / len(folds)


def _largest(worth: Floats, sizes: NDArray[np.intp]) -> Bools:
    """The ``sizes`` largest of each row."""
    falling = -np.sort(-worth, axis=1)
    return worth >= np.take_along_axis(falling, sizes[:, None] - 1, axis=1)


def _ranked(fitness: Floats, sets: Bools) -> NDArray[np.intp]:
    """Order of sets, the fittest first; of equals the smaller."""
    return np.lexsort((sets.sum(axis=1), -np.round(fitness / TIED)))
