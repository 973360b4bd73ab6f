"""Stepwise multivariable Cox regression, as most published signatures were made."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.core.method import Method
from radiogenomics.omics.signature.gene_selector import (
    GeneSelector,
    Given,
    read_given,
    require_measured,
)
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.survival.cox import fit_cox, fit_cox_batch

Direction = Literal["forward", "backward", "both"]
Criterion = Literal["aic", "bic", "p"]
Positions = NDArray[np.intp]


class StepwiseCox(GeneSelector):
    r"""Add and remove genes of a Cox model one at a time, while a criterion improves.

    With log partial likelihood :math:`\ell` of p genes and d events:

    - ``"aic"``: lowers :math:`-2\ell + 2p`, and ``"bic"``: :math:`-2\ell + p \log d` (events, not
      patients, carry the information), by the best single addition or removal;
    - ``"p"``: adds the gene with the smallest p-value of the likelihood ratio test against the
      model without it, up to ``enter``; removes the largest beyond ``leave``.

    ``"forward"`` and ``"both"`` start without genes, ``"backward"`` with all of them. Each step
    chooses after looking, so that the p-values of the final model are too small, its coefficients
    too large and its genes unstable; AIC adds about one in six of the genes that mean nothing. For
    many candidates a penalised model or a subset search is the better choice.

    Parameters
    ----------
    direction
        ``"forward"``, ``"backward"`` or ``"both"``.
    criterion
        ``"aic"``, ``"bic"`` or ``"p"``.
    enter, leave
        For ``"p"``; ``leave`` is at least ``enter``, so that no gene comes and goes for ever.
    max_genes
        Most genes that are added; None for one in ten events.
    ties
        ``"efron"`` or ``"breslow"``.

    Attributes
    ----------
    steps_ : DataFrame
        ``step, action`` (``"start"``, ``"add"``, ``"remove"``), ``gene, size, log_likelihood,
        criterion`` (AIC, BIC or the p-value that decided).
    coef_ : Series
        Log hazard ratio of each gene per unit; empty without genes.
    genes_ : tuple of str
        In the order of their absolute Wald statistics, the largest first; may be empty.

    References
    ----------
    Akaike 1974, doi:10.1109/TAC.1974.1100705; Volinsky & Raftery 2000,
    doi:10.1111/j.0006-341X.2000.00256.x (BIC with events).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = pd.DataFrame(rng.normal(size=(200, 8)), columns=[f"G{i}" for i in range(8)])
    >>> y = np.array(
    ...     [(True, t) for t in rng.exponential(np.exp(-genes["G3"] - genes["G7"] / 2))],
    ...     dtype=[("event", bool), ("time", float)],
    ... )
    >>> StepwiseCox(criterion="bic").fit(genes, y).genes_
    ('G3', 'G7')
    """

    card: ClassVar[Method] = Method(
        name="stepwise_cox",
        title="Stepwise multivariable Cox regression",
        scope="omics: signature",
        reference="Akaike 1974, doi:10.1109/TAC.1974.1100705",
        limits="P-values and coefficients of the final model are too good, its genes unstable.",
        learns=True,
    )

    def __init__(
        self,
        direction: Direction = "both",
        criterion: Criterion = "aic",
        *,
        enter: float = 0.05,
        leave: float = 0.1,
        max_genes: int | None = None,
        ties: Literal["efron", "breslow"] = "efron",
    ) -> None:
        self.direction = direction
        self.criterion = criterion
        self.enter = enter
        self.leave = leave
        self.max_genes = max_genes
        self.ties = ties

    def fit(self, expression: pd.DataFrame, y: Any, groups: ArrayLike | None = None) -> Self:
        """Step until nothing improves.

        Parameters
        ----------
        expression
            Patients × candidate genes, none missing.
        y
            Survival target (structured array of event and time in months).
        groups
            Cohort of each patient, each with a baseline hazard of its own; one cohort when None.

        Raises
        ------
        DataError, AlignmentError
            Tables do not fit, values are missing, or a parameter is senseless.
        OutcomeError
            The outcome cannot be analysed, or ``"backward"`` has as many genes as events.
        """
        self._check()
        given = read_given(expression, y, groups)
        require_measured(given, what="StepwiseCox")
        walk = _Walk(self, given)
        while walk.step():
            pass
        self.steps_ = pd.DataFrame(walk.steps)
        names = np.asarray(given.genes, dtype=object)[walk.inside]
        self.genes_, self.coef_ = (), pd.Series(dtype=float, name="coef")
        if names.size:
            fit = fit_cox(
                given.values[:, walk.inside], given.time, given.event, ties=self.ties,
                strata=given.cohorts,
            )  # fmt: skip
            order = np.argsort(-np.abs(fit.z), kind="stable")
            self.genes_ = tuple(names[order])
            self.coef_ = pd.Series(fit.coef[order], index=list(self.genes_), name="coef")
        return self

    def _check(self) -> None:
        for name, value, known in (
            ("direction", self.direction, get_args(Direction)),
            ("criterion", self.criterion, get_args(Criterion)),
        ):
            if value not in known:
                raise DataError(
                    f"{name}: expected one of {', '.join(known)}; found {value!r}. Correct it."
                )
        if not 0 < self.enter <= self.leave < 1:
            raise DataError(
                "expected 0 < enter <= leave < 1; found "
                f"{self.enter} and {self.leave}. Correct them."
            )
        if self.max_genes is not None and self.max_genes < 1:
            raise DataError(f"max_genes: expected at least 1; found {self.max_genes}. Correct it.")


class _Walk:
    """The model at hand and the way there."""

    def __init__(self, rules: StepwiseCox, given: Given) -> None:
        self._rules, self._given = rules, given
        events = int(given.event.sum())
        self._price = 2.0 if rules.criterion == "aic" else float(np.log(events))
        self._most = rules.max_genes or max(1, events // 10)
        candidates = given.values.shape[1]
        full = rules.direction == "backward"
        if full and candidates >= events:
            raise OutcomeError(
                f"StepwiseCox: expected more events than genes to start with all of them; found "
                f"{events} events and {candidates} genes. Step forward, or offer fewer genes."
            )
        self.inside = np.arange(candidates if full else 0)
        self._value = self._fit(self.inside[None])[0]
        if not np.isfinite(self._value):
            raise DataError(
                "StepwiseCox: expected a model of all genes with a finite maximum; found none: "
                "genes repeat one another or order the events without error. Step forward."
            )
        first = np.nan if rules.criterion == "p" else self._cost(self._value, self.inside.size)
        self.steps: list[dict[str, Any]] = []
        self._note("start", "", first)

    def step(self) -> bool:
        """Change the model by one gene; False where nothing improves it."""
        return self._step_by_p() if self._rules.criterion == "p" else self._step_by_cost()

    def _step_by_cost(self) -> bool:
        added, with_each = self._additions()
        removed, without_each = self._removals()
        size = self.inside.size
        costs = np.concatenate(
            [self._cost(with_each, size + 1), self._cost(without_each, size - 1)]
        )
        if not costs.size or not costs.min() < self._cost(self._value, size) - 1e-9:
            return False
        best = int(np.argmin(costs))
        if best < added.size:
            self._add(added[best], with_each[best], costs[best])
        else:
            at = best - added.size
            self._remove(removed[at], without_each[at], costs[best])
        return True

    def _step_by_p(self) -> bool:
        removed, without_each = self._removals()
        if removed.size:
            p = chdtrc(1, np.maximum(2 * (self._value - without_each), 0))
            worst = int(np.argmax(p))
            if p[worst] > self._rules.leave:
                self._remove(removed[worst], without_each[worst], p[worst])
                return True
        added, with_each = self._additions()
        if not added.size:
            return False
        best = int(np.argmax(with_each))
        p = chdtrc(1, max(2 * (with_each[best] - self._value), 0))
        if not p <= self._rules.enter:
            return False
        self._add(added[best], with_each[best], p)
        return True

    def _additions(self) -> tuple[Positions, Floats]:
        """Genes outside and the likelihood with each; -inf without a finite maximum."""
        if self._rules.direction == "backward" or self.inside.size >= self._most:
            return np.empty(0, dtype=np.intp), np.empty(0)
        outside = np.setdiff1d(np.arange(self._given.values.shape[1]), self.inside)
        grown = np.column_stack([np.tile(self.inside, (outside.size, 1)), outside])
        return outside, self._fit(grown)

    def _removals(self) -> tuple[Positions, Floats]:
        if self._rules.direction == "forward" or not self.inside.size:
            return np.empty(0, dtype=np.intp), np.empty(0)
        shrunk = np.stack([np.delete(self.inside, at) for at in range(self.inside.size)])
        return self.inside, self._fit(shrunk)

    def _fit(self, subsets: Positions) -> Floats:
        given = self._given
        outcome = (given.time, given.event)
        if subsets.shape[1] == 0:
            empty = np.zeros((1, given.time.size, 1))
            fit = fit_cox_batch(empty, *outcome, ties=self._rules.ties, strata=given.cohorts)
            return np.full(len(subsets), fit.null_log_likelihood)
        fit = fit_cox_batch(
            given.values[:, subsets].transpose(1, 0, 2), *outcome, ties=self._rules.ties,
            strata=given.cohorts,
        )  # fmt: skip
        return np.where(fit.converged, fit.log_likelihood, -np.inf)

    def _cost(self, value: Any, size: int) -> Any:
        return -2 * value + self._price * size

    def _add(self, gene: int, value: float, criterion: float) -> None:
        self.inside = np.append(self.inside, gene)
        self._value = value
        self._note("add", self._given.genes[gene], criterion)

    def _remove(self, gene: int, value: float, criterion: float) -> None:
        self.inside = self.inside[self.inside != gene]
        self._value = value
        self._note("remove", self._given.genes[gene], criterion)

    def _note(self, action: str, gene: str, criterion: float) -> None:
        self.steps.append(
            {
                "step": len(self.steps),
                "action": action,
                "gene": gene,
                "size": self.inside.size,
                "log_likelihood": float(self._value),
                "criterion": float(criterion),
            }
        )
