"""Genes ranked by what a handed-in survival learner loses without them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.omics.signature.gene_selector import (
    GeneSelector,
    Given,
    Positions,
    Splitter,
    deal,
    read_given,
)
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.survival.concordance import concordance_batch

# Patients predicted at once: 5,000 rows of 200 genes are 8 MB.
_ROWS = 5_000


class ImportanceSelector(GeneSelector):
    """Keep the genes whose permutation costs a learner most concordance.

    The learner, a random survival forest or boosted trees, say, is fitted; then one gene at a time
    is permuted among patients and the loss of Harrell's C is noted, averaged over permutations and
    folds. With a splitter the loss is measured in patients that the fit had not seen; without one
    in its own, where learners that can fit anything rank noise high. Correlated genes hide one
    another. The learner predicts once a gene, permutation and fold: screen first.

    Parameters
    ----------
    learner
        Survival estimator: ``fit(X, y)``, and ``predict(X)`` gives a risk, higher is worse.
    k
        Genes to keep; fewer where fewer cost anything.
    splitter
        Makes the folds, as ``PatientKFold``; None to measure in the training patients.
    n_repeats
        Permutations of each gene in each fold.
    random_state
        Seed of the permutations.

    Attributes
    ----------
    table_ : DataFrame
        ``gene, importance`` (mean loss of C), ``se`` (over folds and permutations), ``selected``;
        the largest first.
    concordance_ : float
        Mean C of the learner with all genes as they are, where the losses were measured.
    genes_ : tuple of str

    References
    ----------
    Breiman 2001, doi:10.1023/A:1010933404324; Ishwaran et al. 2008, doi:10.1214/08-AOAS169.

    Examples
    --------
    >>> from radiogenomics.omics.signature.importance import ImportanceSelector
    >>> class FirstGene(BaseEstimator):
    ...     def fit(self, X, y):
    ...         return self
    ...     def predict(self, X):
    ...         return np.asarray(X)[:, 0]
    >>> genes = pd.DataFrame({"A": [4.0, 3.0, 2.0, 1.0], "B": [0.0, 1.0, 0.0, 1.0]})
    >>> y = np.array([(True, t) for t in (1.0, 2.0, 3.0, 4.0)],
    ...              dtype=[("event", bool), ("time", float)])
    >>> ImportanceSelector(FirstGene(), k=1, random_state=0).fit(genes, y).genes_
    ('A',)
    """

    card: ClassVar[Method] = Method(
        name="importance_selector",
        title="Genes by permutation importance of a survival learner",
        scope="omics: signature",
        reference="Breiman 2001, doi:10.1023/A:1010933404324",
        limits="Correlated genes hide one another; measured in training patients, noise ranks high "
        "with a flexible learner.",
        learns=True,
    )

    def __init__(
        self,
        learner: BaseEstimator,
        k: int = 20,
        *,
        splitter: Splitter | None = None,
        n_repeats: int = 5,
        random_state: int | None = 0,
    ) -> None:
        self.learner = learner
        self.k = k
        self.splitter = splitter
        self.n_repeats = n_repeats
        self.random_state = random_state

    def fit(self, expression: pd.DataFrame, y: Any, groups: ArrayLike | None = None) -> Self:
        """Fit the learner, permute gene after gene and rank them.

        Parameters
        ----------
        expression
            Patients × genes, as the learner takes them.
        y
            Survival target (structured array of event and time in months).
        groups
            Cohort of each patient: genes are permuted and patients compared within cohorts.

        Raises
        ------
        DataError, AlignmentError, OutcomeError
            Tables do not fit, or a parameter is senseless.
        """
        if self.k < 1 or self.n_repeats < 1:
            raise DataError(
                f"expected k and n_repeats of at least 1; found {self.k} and {self.n_repeats}. "
                "Correct them."
            )
        given = read_given(expression, y, groups)
        everyone = np.arange(given.time.size)
        splits = [(everyone, everyone)]
        if self.splitter is not None:
            splits = deal(self.splitter, expression.index, given.event)
        rng = np.random.default_rng(self.random_state)
        target, losses, whole = np.asarray(y), [], []
        for train, test in splits:
            fitted = clone(self.learner).fit(expression.iloc[train], target[train])
            base, loss = self._losses(fitted, expression.iloc[test], given, test, rng)
            whole.append(base)
            losses.append(loss)
        loss = np.concatenate(losses)
        self.concordance_ = float(np.mean(whole))
        self._rank(given, loss)
        return self

    def _rank(self, given: Given, loss: Floats) -> None:
        importance = loss.mean(axis=0)
        order = np.argsort(-importance, kind="stable")
        kept = order[: self.k][importance[order[: self.k]] > 0]
        self.genes_ = tuple(given.genes[i] for i in kept)
        deviation = loss.std(axis=0, ddof=1) if len(loss) > 1 else np.full(loss.shape[1], np.nan)
        self.table_ = pd.DataFrame(
            {
                "gene": [given.genes[i] for i in order],
                "importance": importance[order],
                "se": deviation[order] / np.sqrt(len(loss)),
                "selected": np.isin(order, kept),
            }
        )

    def _losses(
        self,
        fitted: Any,
        expression: pd.DataFrame,
        given: Given,
        at: Positions,
        rng: np.random.Generator,
    ) -> tuple[float, Floats]:
        """C of the learner, and what each permutation of each gene takes off it."""
        cohorts, values = given.cohorts[at], expression.to_numpy(dtype=float)
        risks = [np.asarray(fitted.predict(expression), dtype=float)[None]]
        columns = np.repeat(np.arange(values.shape[1]), self.n_repeats)
        # Many permuted tables are predicted in one call, as calls take longer than rows.
        for block in np.array_split(columns, -(-columns.size * len(values) // _ROWS)):
            tables = np.repeat(values[None], block.size, axis=0)
            for table, column in zip(tables, block, strict=True):
                table[:, column] = values[_within(cohorts, rng), column]
            stacked = pd.DataFrame(tables.reshape(-1, values.shape[1]), columns=expression.columns)
            risk = np.asarray(fitted.predict(stacked), dtype=float)
            risks.append(risk.reshape(block.size, -1))
        outcome = (given.time[at], given.event[at])
        c = concordance_batch(np.concatenate(risks), *outcome, strata=cohorts)
        return float(c[0]), (c[0] - c[1:]).reshape(-1, self.n_repeats).T


def _within(cohorts: np.ndarray, rng: np.random.Generator) -> Positions:
    """Permute patients within their cohorts."""
    order = np.arange(cohorts.size)
    for cohort in np.unique(cohorts):
        member = np.flatnonzero(cohorts == cohort)
        order[member] = rng.permutation(member)
    return order
