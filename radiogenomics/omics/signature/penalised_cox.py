"""LASSO and elastic-net Cox regression that chooses genes and weighs them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.core.method import Method
from radiogenomics.omics.signature.gene_selector import (
    GeneSelector,
    Given,
    Positions,
    deal_evenly,
    read_given,
    require_measured,
    standardise_by_cohort,
)
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.linear_models.elastic_net import ElasticNetPath, elastic_net_path
from radiogenomics.stats.linear_models.elastic_net_choice import choose_penalty

Rule = Literal["min", "1se"]
# Penalties between two of the sequence, where the number of genes ends the walk between them.
_FINER = 20


class PenalisedCox(GeneSelector):
    r"""Keep the genes that a LASSO or elastic-net Cox model gives a weight.

    At each penalty :math:`\lambda` of a falling sequence the log hazard ratios minimise

    .. math:: -\frac{1}{n} \sum_c \ell_c(\beta) + \lambda \sum_g \left(\alpha |\beta_g| +
              \frac{1 - \alpha}{2} \beta_g^2\right)

    with :math:`\ell_c` the log partial likelihood of cohort c, which has a baseline hazard of its
    own (tied events: Breslow), genes standardised in each cohort, and :math:`\alpha` the
    ``l1_ratio``. Folds choose the penalty by the cross-validated partial likelihood; each has its
    share of every cohort's events. Definitions are those of R's cv.glmnet, family "cox" with
    ``stratifySurv``, given the penalties. Where more than ``max_genes`` have a weight there, the
    path is walked back to the last penalty at which so many have.

    With few events the folds often prefer no gene at all. With few genes allowed the penalty is
    larger than prediction asks for: weights are shrunk far, that of the last gene nearly to
    nothing. Weights are no hazard ratios to be read. Of genes that vary together an arbitrary one
    is kept by the LASSO.

    Parameters
    ----------
    l1_ratio
        Above 0, up to 1, the LASSO.
    rule
        ``"min"`` takes the penalty of the lowest loss, ``"1se"`` the largest within one standard
        error of it; None takes none and goes down the path to ``max_genes``, without folds.
    max_genes
        Most genes; None for as many as the rule leaves.
    n_splits
        Folds; fewer, with a warning, where there are fewer events.
    n_lambdas, smallest
        Penalties of the sequence, and the last as a share of the first, the smallest at which no
        gene has a weight. Far down the path prediction is lost and time is spent.
    random_state
        Seed of the folds.

    Attributes
    ----------
    lambda_ : float
        The penalty.
    coef_ : Series
        Log hazard ratio of each chosen gene per standard deviation (n - 1) within its cohort,
        shrunk; the largest first.
    weights_ : Series
        The same.
    table_ : DataFrame
        One row a penalty: ``lambda, genes`` (how many), ``deviance_ratio``, ``loss`` (deviance an
        event of the patients left out; NaN without a rule), ``loss_se, chosen`` (the last that is
        not below ``lambda_``).
    walked_back_ : bool
        Whether ``max_genes`` decided on the penalty.
    n_splits_ : int
        Folds used; 0 without a rule.
    genes_ : tuple of str
        The largest weight first; may be empty.

    References
    ----------
    Simon et al., J Stat Softw 2011;39(5), doi:10.18637/jss.v039.i05. Verweij and van Houwelingen,
    Stat Med 1993;12:2305.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = pd.DataFrame(rng.normal(size=(200, 30)), columns=[f"G{i}" for i in range(30)])
    >>> y = np.array(
    ...     [(True, t) for t in rng.exponential(np.exp(-genes["G3"] - genes["G7"] / 2))],
    ...     dtype=[("event", bool), ("time", float)],
    ... )
    >>> PenalisedCox(rule="1se").fit(genes, y).coef_.round(1)
    G3    0.6
    G7    0.2
    Name: coef, dtype: float64
    """

    card: ClassVar[Method] = Method(
        name="penalised_cox",
        title="LASSO or elastic-net Cox regression, penalty by cross-validated partial likelihood",
        scope="omics: signature",
        reference="Simon et al., J Stat Softw 2011;39(5), doi:10.18637/jss.v039.i05",
        limits="Below about fifty events the penalty is a lottery; weights are shrunk; of genes "
        "that vary together an arbitrary one is kept.",
        learns=True,
    )

    def __init__(
        self,
        l1_ratio: float = 1.0,
        rule: Rule | None = "min",
        *,
        max_genes: int | None = None,
        n_splits: int = 5,
        n_lambdas: int = 60,
        smallest: float = 0.05,
        random_state: int | None = 0,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.rule = rule
        self.max_genes = max_genes
        self.n_splits = n_splits
        self.n_lambdas = n_lambdas
        self.smallest = smallest
        self.random_state = random_state

    def fit(self, expression: pd.DataFrame, y: Any, groups: ArrayLike | None = None) -> Self:
        """Choose the penalty and keep the genes that have a weight there.

        Parameters
        ----------
        expression
            Patients × candidate genes, logarithmic, none missing.
        y
            Survival target (structured array of event and time in months).
        groups
            Cohort of each patient; one cohort when None.

        Raises
        ------
        DataError, AlignmentError
            Tables do not fit, values are missing, no gene varies, or a parameter is senseless.
        OutcomeError
            The outcome cannot be analysed, or fewer than two events are there to deal to folds.
        """
        self._check()
        given = read_given(expression, y, groups)
        require_measured(given, what="PenalisedCox")
        # One stratum alone is left out, as a single risk set is summed faster.
        several = np.unique(given.cohorts).size > 1
        problem = _Problem(
            standardise_by_cohort(given.values, given.cohorts),
            given,
            given.cohorts if several else None,
            self.l1_ratio,
        )
        path, at, loss, loss_se = self._follow(problem, expression.index)
        coef, self.lambda_ = path.coef[at], float(path.lambdas[at])
        inside = np.count_nonzero(path.coef, axis=1)
        self.walked_back_ = self.max_genes is not None and bool(inside[at] > self.max_genes)
        if self.walked_back_:
            coef, self.lambda_ = self._walk_back(problem, path.lambdas, inside[: at + 1])
        self._keep(given, coef)
        self.table_ = pd.DataFrame(
            {
                "lambda": path.lambdas,
                "genes": inside,
                "deviance_ratio": path.deviance_ratio,
                "loss": loss,
                "loss_se": loss_se,
                "chosen": np.arange(inside.size) == (path.lambdas >= self.lambda_).sum() - 1,
            }
        )
        return self

    def _follow(
        self, problem: _Problem, patients: pd.Index
    ) -> tuple[ElasticNetPath, int, Floats | float, Floats | float]:
        """The path, the place on it that the rule takes, and what the folds say of each penalty."""
        given = problem.given
        lambdas = problem.largest() * np.geomspace(1, self.smallest, self.n_lambdas)
        if self.rule is None:
            self.n_splits_ = 0
            most = None if self.max_genes is None else self.max_genes + 1
            path = problem.path(lambdas, max_inside=most)
            return path, len(path.lambdas) - 1, np.nan, np.nan
        choice = choose_penalty(
            problem.values, given.time, given.event, family="cox", strata=problem.strata,
            folds=self._folds(given, patients), l1_ratio=self.l1_ratio, lambdas=lambdas,
        )  # fmt: skip
        at = choice.at_min if self.rule == "min" else choice.at_1se
        return choice.path, at, choice.mean, choice.se

    def _folds(self, given: Given, patients: pd.Index) -> Positions:
        events = len(patients[given.event].unique())
        self.n_splits_ = min(self.n_splits, events)
        if self.n_splits_ < 2:
            raise OutcomeError(
                f"PenalisedCox: expected at least 2 patients with an event to deal to folds; found "
                f"{events}. Use more patients, or rule=None."
            )
        if self.n_splits_ < self.n_splits:
            warnings.warn(
                f"PenalisedCox: {self.n_splits_} folds instead of {self.n_splits}, as there are "
                f"only {events} events.",
                RadiogenomicsWarning,
                stacklevel=4,
            )
        rng = np.random.default_rng(self.random_state)
        return deal_evenly(given, patients, self.n_splits_, rng=rng)

    def _walk_back(
        self, problem: _Problem, lambdas: Floats, inside: Positions
    ) -> tuple[Floats, float]:
        """Weights and penalty where the path last had ``max_genes`` or fewer."""
        last = np.flatnonzero(inside <= self.max_genes)[-1]
        between = np.geomspace(lambdas[last], lambdas[last + 1], _FINER + 1)[:-1]
        finer = problem.path(between, max_inside=self.max_genes + 1)
        kept = np.count_nonzero(finer.coef, axis=1)
        at = np.flatnonzero(kept <= self.max_genes)[-1]
        return finer.coef[at], float(finer.lambdas[at])

    def _keep(self, given: Given, coef: Floats) -> None:
        order = np.argsort(-np.abs(coef), kind="stable")[: np.count_nonzero(coef)]
        self.genes_ = tuple(given.genes[i] for i in order)
        self.coef_ = pd.Series(coef[order], index=list(self.genes_), name="coef", dtype=float)
        self.weights_ = self.coef_

    def _check(self) -> None:
        if self.rule is not None and self.rule not in get_args(Rule):
            raise DataError(
                f"rule: expected 'min', '1se' or None; found {self.rule!r}. Correct it."
            )
        if self.max_genes is not None and self.max_genes < 1:
            raise DataError(f"max_genes: expected at least 1; found {self.max_genes}. Correct it.")
        if self.n_lambdas < 2 or not 0 < self.smallest < 1:
            raise DataError(
                "expected n_lambdas of at least 2 and smallest between 0 and 1; found "
                f"{self.n_lambdas} and {self.smallest}. Correct them."
            )
        if self.n_splits < 2:
            raise DataError(f"n_splits: expected at least 2; found {self.n_splits}. 5 is usual.")


@dataclass(frozen=True, eq=False)
class _Problem:
    """What is solved: genes in standard deviations of their cohort, outcomes, strata if several."""

    values: Floats
    given: Given
    strata: NDArray[Any] | None
    l1_ratio: float

    def path(self, lambdas: Floats | None, *, max_inside: int | None) -> ElasticNetPath:
        """Solutions at the penalties, to the first with ``max_inside`` genes."""
        return elastic_net_path(
            self.values, self.given.time, self.given.event, family="cox", strata=self.strata,
            l1_ratio=self.l1_ratio, lambdas=lambdas, max_inside=max_inside,
        )  # fmt: skip

    def largest(self) -> float:
        """Smallest penalty at which no gene has a weight."""
        return float(self.path(None, max_inside=0).lambdas[0])
