"""From all genes to a locked signature, in one estimator that a resampling can repeat."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    FallbackWarning,
    OutcomeError,
    RadiogenomicsWarning,
    short_list,
)
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import MARK
from radiogenomics.core.signature import Signature
from radiogenomics.omics.signature.gene_selector import GeneSelector, spread, standardise_by_cohort
from radiogenomics.omics.signature.grid import SignatureGrid
from radiogenomics.omics.signature.screen import SurvivalScreen
from radiogenomics.omics.signature.search import SubsetSearch
from radiogenomics.stats.inputs import Floats, survival_target
from radiogenomics.stats.survival.baseline_hazard import BaselineHazard, baseline_hazard
from radiogenomics.stats.survival.cox import fit_cox

COHORT = f"{MARK}cohort"


class SignatureDerivation(BaseEstimator):
    r"""Screen all genes, search the best together, weigh them and fix every constant.

    Each step is fitted on the training patients alone, so that a cross-validation of this estimator
    judges the whole derivation, screen and search included. Weights are log hazard ratios per
    standard deviation of a Cox model of the chosen genes, stratified by cohort, with genes
    standardised in each cohort: :math:`risk_i = \sum_g w_g (x_{ig} - m_{cg}) / s_{cg}`; those of
    the search where it offers some (``weights_`` of a :class:`GeneSelector`), so that a penalty is
    not undone. The locked signature has the means and standard deviations of one cohort,
    ``reference``; a patient of another cohort that was trained on is scored with that cohort's.

    Patients' cohorts travel in the expression as the column ``@cohort``; without it all are one.
    Genes that vary together stand in for one another, so the chosen names are less stable than what
    they say of the patients: count them over folds.

    Parameters
    ----------
    screen
        Gene selector that thins out all genes; a pooled univariate Cox screen that keeps 200.
    search
        Gene selector that chooses among those left; the best one or two genes when None, which with
        one cohort needs a splitter, a size or a rule without folds.
    candidates
        Genes to start from, those of them that are measured; all when None.
    cutoff
        Quantile of the training patients' risk above which is high: 0.5 is the median.
    reference
        Cohort whose constants are locked; the largest when None.
    name, unit
        Written into the signature.
    minimum_events
        Fewest events to derive from.

    Attributes
    ----------
    signature_ : Signature
        Locked.
    screen_, search_
        Fitted selectors.
    cox_ : CoxFit or None
        Model behind the weights; None where the search gave them.
    weights_ : Series
        Log hazard ratio of each gene per standard deviation.
    fell_back_ : bool
        Whether the search chose nothing, so that the screen's first gene stands in.
    selected_features_ : tuple of str
        Genes of the signature.
    cohort_signatures_ : dict
        Cohort → the signature with that cohort's constants.
    reference_ : str
        The cohort whose constants are locked.
    slope_, baseline_
        Log hazard ratio per unit of the score, and the :class:`BaselineHazard` of every cohort.

    References
    ----------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = pd.DataFrame(rng.normal(size=(200, 40)), columns=[f"G{i}" for i in range(40)])
    >>> y = np.array(
    ...     [(True, t) for t in rng.exponential(np.exp(-genes["G3"] - genes["G7"]))],
    ...     dtype=[("event", bool), ("time", float)],
    ... )
    >>> found = SignatureDerivation(search=SubsetSearch(2, size=2)).fit(genes, y)
    >>> found.signature_.genes, found.signature_.locked
    (('G3', 'G7'), True)
    """

    card: ClassVar[Method] = Method(
        name="signature_derivation",
        title="Screen, search, weights and cut-off of a prognostic signature",
        scope="omics: signature",
        reference="house",
        limits="Chosen genes are unstable where many vary together. Needs some fifty events to "
        "find more than chance.",
        learns=True,
    )

    def __init__(
        self,
        screen: GeneSelector | None = None,
        search: GeneSelector | None = None,
        *,
        candidates: Iterable[str] | None = None,
        cutoff: float = 0.5,
        reference: str | None = None,
        name: str = "signature",
        unit: str = "not stated",
        minimum_events: int = 20,
    ) -> None:
        self.screen = screen
        self.search = search
        self.candidates = candidates
        self.cutoff = cutoff
        self.reference = reference
        self.name = name
        self.unit = unit
        self.minimum_events = minimum_events

    def fit(self, expression: pd.DataFrame, y: Any) -> Self:
        """Derive.

        Parameters
        ----------
        expression
            Patients × genes, logarithmic, none missing; ``@cohort`` too where there are several.
        y
            Survival target (structured array of event and time in months).

        Raises
        ------
        OutcomeError
            Fewer events than ``minimum_events``, or weights without a finite maximum.
        DataError, AlignmentError
            No candidate is measured, the reference is no cohort, or a selector refuses.
        """
        time, event = survival_target(y)
        self._check(expression, time, event)
        genes, cohorts = self._parted(expression)
        groups = None if len(np.unique(cohorts)) == 1 else cohorts
        raw = genes
        if groups is not None:
            # Cohorts need not share a unit, so hazard ratios are pooled per standard deviation.
            standard = standardise_by_cohort(genes.to_numpy(dtype=float), cohorts)
            genes = pd.DataFrame(standard, index=genes.index, columns=genes.columns)
        chosen = self._choose(genes, y, groups)
        values = raw[chosen].to_numpy(dtype=float)
        standard = standardise_by_cohort(values, cohorts)
        weights = self._weigh(standard, time, event, cohorts)
        self.weights_ = pd.Series(weights, index=chosen, name="weight")
        score = standard @ weights
        cutoff = float(np.quantile(score, self.cutoff))
        source = f"derived from {len(time)} patients with {int(event.sum())} events"
        self.cohort_signatures_ = {
            str(cohort): self._signature(values[cohorts == cohort], cutoff, source)
            for cohort in np.unique(cohorts)
        }
        self.reference_ = self._reference(cohorts)
        self.signature_ = self.cohort_signatures_[self.reference_]
        self.selected_features_ = self.signature_.genes
        self.slope_, self.baseline_ = self._foretelling(score, time, event, cohorts)
        return self

    def predict(self, expression: pd.DataFrame) -> pd.Series[float]:
        """Return the risk of each patient, alone; higher is worse.

        A patient whose ``@cohort`` was trained on is standardised by it, any other by the
        reference.
        """
        check_is_fitted(self, "signature_")
        if COHORT not in expression:
            return self.signature_.score(expression)
        cohorts = expression[COHORT].astype(str)
        scores = [
            self.cohort_signatures_.get(cohort, self.signature_).score(part)
            for cohort, part in expression.groupby(cohorts, sort=False)
        ]
        return pd.concat(scores).loc[expression.index].rename(self.name)

    def decision_function(self, expression: pd.DataFrame) -> pd.Series[float]:
        """Return the risk less the locked cut-off: above 0 is high."""
        return self.predict(expression) - self.signature_.cutoff

    def predict_survival(self, expression: pd.DataFrame, times: ArrayLike) -> Floats:
        """Return the survival of each patient at months, 0 to 1, shape (n, times).

        By the baseline hazard of the patient's ``@cohort`` where that was trained on, else by that
        of the reference.

        Raises
        ------
        DataError
            A time is beyond the follow-up of that cohort, or the cohort had no event.
        """
        risk = self.predict(expression)
        cohorts = [self.reference_] * len(risk)
        if COHORT in expression:
            own = expression[COHORT].astype(str)
            cohorts = [c if c in self.cohort_signatures_ else self.reference_ for c in own]
        predictor = self.slope_ * risk.to_numpy(dtype=float)
        return self.baseline_.survival(predictor, times, strata=np.array(cohorts, dtype=object))

    def _foretelling(
        self,
        score: Floats,
        time: Floats,
        event: NDArray[np.bool_],
        cohorts: NDArray[Any],
    ) -> tuple[float, BaselineHazard]:
        """Log hazard ratio per unit of the score, and the baseline of each cohort at a score of 0.

        The slope is 1 where weights are those of a Cox model, and undoes shrinkage elsewhere.
        """
        fit = fit_cox(score, time, event, strata=cohorts)
        if not fit.converged:
            raise OutcomeError(
                f"{self.name}: expected a Cox model of the score with a finite maximum; found none "
                f"in {fit.n} patients with {fit.events} events. Derive from more patients."
            )
        slope = float(fit.coef[0])
        labels = cohorts.astype(str).astype(object)
        return slope, baseline_hazard(slope * score, time, event, strata=labels)

    def _parted(self, expression: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[Any]]:
        """Candidate genes, and the cohort of each patient as text."""
        cohorts = np.full(len(expression), "all", dtype=object)
        genes = expression
        if COHORT in expression:
            cohorts = expression[COHORT].astype(str).to_numpy(dtype=object)
            genes = expression.drop(columns=COHORT)
        if self.candidates is None:
            return genes, cohorts
        wanted = list(dict.fromkeys(self.candidates))
        measured = [gene for gene in wanted if gene in genes.columns]
        if not measured:
            raise AlignmentError(
                f"{self.name}: expected candidates among the measured genes; found none of "
                f"{len(wanted)} ({short_list(wanted)}). Check the symbols."
            )
        return genes[measured], cohorts

    def _choose(self, genes: pd.DataFrame, y: Any, groups: NDArray[Any] | None) -> list[str]:
        """Screen and search; the first gene of the screen where the search leaves none."""
        self.screen_ = clone(SurvivalScreen(alpha=1, k=200) if self.screen is None else self.screen)
        left = self.screen_.fit(genes, y, groups).transform(genes)
        self.search_ = clone(SubsetSearch(2) if self.search is None else self.search)
        chosen = list(self.search_.fit(left, y, groups).genes_)
        self.fell_back_ = not chosen
        if not self.fell_back_:
            return chosen
        first = self.screen_.genes_[0]
        warnings.warn(
            f"{self.name}: the search chose no gene; {first}, the first of the screen, was kept "
            "instead (fallback).",
            FallbackWarning,
            stacklevel=3,
        )
        return [first]

    def _weigh(
        self,
        standard: NDArray[np.float64],
        time: NDArray[np.float64],
        event: NDArray[np.bool_],
        cohorts: NDArray[Any],
    ) -> NDArray[np.float64]:
        """Weights that the search offers, or those of a Cox model."""
        self.cox_ = None
        if not self.fell_back_:
            offered = self.search_.weights_
            if offered is not None:
                return offered[list(self.search_.genes_)].to_numpy(dtype=float)
            if isinstance(self.search_, SignatureGrid) and not self.search_.linear_:
                best = type(self.search_.learner_).__name__
                warnings.warn(
                    f"{self.name}: {best}, the best learner of the grid, is not linear and cannot "
                    "be locked as weights; its genes were weighed by a Cox model, which the grid "
                    "has not judged.",
                    RadiogenomicsWarning,
                    stacklevel=3,
                )
        fit = fit_cox(standard, time, event, strata=cohorts)
        if not fit.converged:
            raise OutcomeError(
                f"{self.name}: expected a Cox model with a finite maximum; found none in {fit.n} "
                f"patients with {fit.events} events. The genes repeat each other or separate the "
                "events: search fewer."
            )
        self.cox_ = fit
        return fit.coef

    def _signature(self, values: NDArray[np.float64], cutoff: float, source: str) -> Signature:
        scale = spread(values)
        return Signature(
            name=self.name,
            genes=tuple(self.weights_.index),
            weights=tuple(map(float, self.weights_)),
            centre=tuple(map(float, values.mean(axis=0))),
            scale=tuple(map(float, np.where(scale > 0, scale, 1.0))),
            cutoff=cutoff,
            direction="risk",
            unit=self.unit,
            source=f"{source}; standardised on {len(values)} patients",
        )

    def _reference(self, cohorts: NDArray[Any]) -> str:
        names, sizes = np.unique(cohorts.astype(str), return_counts=True)
        if self.reference is None:
            return str(names[np.argmax(sizes)])
        if self.reference not in names:
            raise AlignmentError(
                f"{self.name}: expected the reference among the cohorts; found {self.reference!r} "
                f"and {short_list(names)}. Name one of them."
            )
        return self.reference

    def _check(
        self, expression: pd.DataFrame, time: NDArray[np.float64], event: NDArray[np.bool_]
    ) -> None:
        if len(time) != len(expression):
            raise AlignmentError(
                f"{self.name}: expected one outcome a patient ({len(expression)}); found "
                f"{len(time)}. Align them by patient."
            )
        if int(event.sum()) < self.minimum_events:
            raise OutcomeError(
                f"{self.name}: expected at least {self.minimum_events} events to derive from; "
                f"found {int(event.sum())} in {len(time)} patients. Use a longer follow-up, more "
                "patients or another endpoint."
            )
        if not 0 < self.cutoff < 1:
            raise DataError(
                f"cutoff: expected a quantile between 0 and 1; found {self.cutoff}. 0.5 is the "
                "median."
            )
