"""Every selector with every learner, ranked by inner resampling alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

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
from radiogenomics.stats.survival.concordance import comparable_pairs, concordance_batch

_NOTHING = 0.5


class SignatureGrid(GeneSelector):
    """Try combinations of a gene selector and a survival learner, keep the best in the folds.

    In every fold each selector chooses genes from the training patients, each learner is fitted to
    them, and Harrell's C is taken in the test patients (pairs within cohorts). The best mean is
    then refitted to all patients. Its own mean is the largest of many and therefore too high by
    itself: judge the grid as a whole, in patients that it has not seen, as an outer fold or a
    cohort put aside. Combinations within a standard error of the best are as good. As a gene
    selector it leaves the genes of the best combination, and its weights where the learner is
    linear; trees have none.

    Parameters
    ----------
    selectors
        Name → estimator with ``fit(X, y)`` that leaves ``genes_`` or has ``get_support``; selectors
        of this room also get the cohorts.
    learners
        Name → survival estimator with ``fit(X, y)``, and ``predict(X)`` gives a risk, higher is
        worse.
    splitter
        Makes the folds, as ``PatientKFold``.
    may_be_empty
        Whether to leave no gene where no combination can be fitted, instead of failing.

    Attributes
    ----------
    table_ : DataFrame
        ``selector, learner, concordance`` (mean over folds), ``se, genes`` (mean number),
        ``failed`` (folds in which nothing was selected or fitted, which count as chance, ½),
        ``within_se`` (of the best); the best first.
    fold_table_ : DataFrame
        ``selector, learner, fold, concordance, genes`` (a tuple of names), ``failure`` (what the
        error said, or empty).
    selector_, learner_
        The best combination, fitted to all patients.
    weights_ : Series or None
        What a standard deviation (n - 1) of each gene adds to the risk of the best learner, where
        that is linear; None where it is not, or, as learners know no strata, with several cohorts.
    linear_ : bool
        Whether the best learner, or the last step of its pipeline, has ``coef_``.
    genes_ : tuple of str
        Those of the best combination; where it chooses none from all patients, those of the best
        that does.

    References
    ----------
    Varma & Simon 2006, doi:10.1186/1471-2105-7-91, for why the best mean is too high.

    Examples
    --------
    >>> from sklearn.model_selection import KFold
    >>> from radiogenomics.omics.signature.stepwise import StepwiseCox
    >>> from radiogenomics.omics.signature.importance import ImportanceSelector
    >>> class Sum(BaseEstimator):
    ...     def fit(self, X, y):
    ...         return self
    ...     def predict(self, X):
    ...         return np.asarray(X).sum(axis=1)
    >>> rng = np.random.default_rng(0)
    >>> genes = pd.DataFrame(rng.normal(size=(200, 8)), columns=[f"G{i}" for i in range(8)])
    >>> y = np.array(
    ...     [(True, t) for t in rng.exponential(np.exp(-genes["G3"] - genes["G7"]))],
    ...     dtype=[("event", bool), ("time", float)],
    ... )
    >>> selectors = {"bic": StepwiseCox(criterion="bic"), "all": ImportanceSelector(Sum(), k=8)}
    >>> grid = SignatureGrid(selectors, {"sum": Sum()}, splitter=KFold(4)).fit(genes, y)
    >>> grid.table_["selector"].tolist(), sorted(grid.genes_)
    (['bic', 'all'], ['G3', 'G7'])
    """

    card: ClassVar[Method] = Method(
        name="signature_grid",
        title="Grid of selectors and learners, ranked by inner resampling",
        scope="omics: signature",
        reference="Varma & Simon 2006, doi:10.1186/1471-2105-7-91",
        limits="The best mean of many combinations is too high; only an outer fold or another "
        "cohort judges it.",
        learns=True,
    )

    def __init__(
        self,
        selectors: Mapping[str, BaseEstimator],
        learners: Mapping[str, BaseEstimator],
        *,
        splitter: Splitter,
        may_be_empty: bool = False,
    ) -> None:
        self.selectors = selectors
        self.learners = learners
        self.splitter = splitter
        self.may_be_empty = may_be_empty

    def fit(self, expression: pd.DataFrame, y: Any, groups: ArrayLike | None = None) -> Self:
        """Run the grid and refit its best combination.

        Parameters
        ----------
        expression
            Patients × genes.
        y
            Survival target (structured array of event and time in months).
        groups
            Cohort of each patient; one cohort when None.

        Raises
        ------
        DataError, AlignmentError, OutcomeError
            Tables do not fit, there is no selector or learner, a fold has no comparable pair, or
            no combination can be fitted (unless ``may_be_empty``).
        """
        if not self.selectors or not self.learners:
            raise DataError(
                "expected at least one selector and one learner; found "
                f"{len(self.selectors)} and {len(self.learners)}. Hand some in."
            )
        given = read_given(expression, y, groups)
        target, rows = np.asarray(y), []
        for fold, (train, test) in enumerate(deal(self.splitter, expression.index, given.event)):
            _check_test_part(given, test, fold)
            for name, selector in self.selectors.items():
                genes, failure = _select(selector, expression, target, given, train)
                for learner_name, learner in self.learners.items():
                    c, why = _NOTHING, failure
                    if genes:
                        chosen = expression[list(genes)]
                        c, why = _score(learner, chosen, target, given, (train, test))
                    rows.append((name, learner_name, fold, c, genes, why))
        self.fold_table_ = pd.DataFrame(
            rows, columns=["selector", "learner", "fold", "concordance", "genes", "failure"]
        )
        self.table_ = _summary(self.fold_table_)
        self._refit(expression, target, given)
        return self

    def _refit(self, expression: pd.DataFrame, target: np.ndarray, given: Given) -> None:
        """Fit the best combination that can be fitted to all patients, or none."""
        self.selector_ = self.learner_ = self.weights_ = None
        self.genes_, self.linear_ = (), False
        folds = self.fold_table_["fold"].nunique()
        fitting = self.table_[self.table_["failed"] < folds]
        everyone = np.arange(given.time.size)
        failures = [self.fold_table_["failure"].iloc[0]] if fitting.empty else []
        for best in fitting.itertuples():
            try:
                selector = self.selectors[best.selector]
                selector = _fit_selector(selector, expression, target, given, everyone)
                genes = _genes_of(selector, expression.columns)
                if genes:
                    chosen = expression[list(genes)]
                    self.learner_ = clone(self.learners[best.learner]).fit(chosen, target)
                    self.selector_, self.genes_ = selector, genes
                    weights = _weights(self.learner_, chosen)
                    self.linear_ = weights is not None
                    # Learners know no strata, so that of several cohorts the genes alone are kept.
                    self.weights_ = weights if np.unique(given.cohorts).size == 1 else None
                    return
                failures.append("selected nothing")
            except (ValueError, ArithmeticError) as error:
                failures.append(str(error))
        if not self.may_be_empty:
            raise DataError(
                "SignatureGrid: expected a combination that can be fitted; found none, the best "
                f"because: {failures[0]} Change the selectors or learners."
            )

    def predict(self, expression: pd.DataFrame) -> np.ndarray:
        """Return the risk of each patient by the best combination, shape (n,); higher is worse."""
        check_is_fitted(self, "learner_")
        if self.learner_ is None:
            raise DataError(
                "SignatureGrid: expected a fitted learner; found none, as no combination could be "
                "fitted. Change the selectors or learners."
            )
        return np.asarray(self.learner_.predict(expression[list(self.genes_)]), dtype=float)


def _select(
    selector: BaseEstimator,
    expression: pd.DataFrame,
    target: np.ndarray,
    given: Given,
    train: Positions,
) -> tuple[tuple[str, ...], str]:
    """Genes that a selector leaves in the training patients, or why it leaves none."""
    try:
        fitted = _fit_selector(selector, expression, target, given, train)
    except (ValueError, ArithmeticError) as error:
        return (), str(error)
    genes = _genes_of(fitted, expression.columns)
    return genes, "" if genes else "selected nothing"


def _fit_selector(
    selector: BaseEstimator,
    expression: pd.DataFrame,
    target: np.ndarray,
    given: Given,
    train: Positions,
) -> Any:
    fresh = clone(selector)
    if isinstance(fresh, GeneSelector):
        return fresh.fit(expression.iloc[train], target[train], given.cohorts[train])
    return fresh.fit(expression.iloc[train], target[train])


def _genes_of(fitted: Any, columns: pd.Index) -> tuple[str, ...]:
    if hasattr(fitted, "genes_"):
        return tuple(fitted.genes_)
    return tuple(columns[fitted.get_support()])


def _score(
    learner: BaseEstimator,
    chosen: pd.DataFrame,
    target: np.ndarray,
    given: Given,
    split: tuple[Positions, Positions],
) -> tuple[float, str]:
    """Concordance in the test patients, or chance and why the learner could not be fitted."""
    train, test = split
    try:
        fitted = clone(learner).fit(chosen.iloc[train], target[train])
    except (ValueError, ArithmeticError) as error:
        return _NOTHING, str(error)
    risk = np.asarray(fitted.predict(chosen.iloc[test]), dtype=float)
    outcome = (given.time[test], given.event[test])
    return float(concordance_batch(risk[None], *outcome, strata=given.cohorts[test])[0]), ""


def _weights(learner: Any, chosen: pd.DataFrame) -> pd.Series[float] | None:
    """What a standard deviation of each gene adds to the risk of a linear learner, else None."""
    last = learner[-1] if isinstance(learner, Pipeline) else learner
    if not hasattr(last, "coef_"):
        return None
    steps = np.vstack([np.zeros(chosen.shape[1]), np.eye(chosen.shape[1])])
    risk = np.asarray(learner.predict(pd.DataFrame(steps, columns=chosen.columns)), dtype=float)
    scale = chosen.std().to_numpy(dtype=float)
    return pd.Series((risk[1:] - risk[0]) * scale, index=chosen.columns, name="coef")


def _summary(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.assign(size=rows["genes"].map(len), failed=rows["failure"] != "")
    table = (
        rows.groupby(["selector", "learner"], sort=False)
        .agg(
            concordance=("concordance", "mean"),
            se=("concordance", "sem"),
            genes=("size", "mean"),
            failed=("failed", "sum"),
        )
        .reset_index()
    )
    # Where nothing was ever fitted there is no concordance, though it counts as chance.
    never = table["failed"] == rows["fold"].nunique()
    order = np.lexsort((-table["concordance"], never))
    table = table.iloc[order].reset_index(drop=True)
    best = table.iloc[0]
    return table.assign(within_se=table["concordance"] >= best["concordance"] - best["se"])


def _check_test_part(given: Given, test: Positions, fold: int) -> None:
    outcome = (given.time[test], given.event[test])
    if not (outcome[1].any() and comparable_pairs(*outcome, strata=given.cohorts[test])):
        raise DataError(
            f"splitter: expected test patients whose order of survival is known; found none in "
            f"fold {fold}. Use fewer, larger folds."
        )
