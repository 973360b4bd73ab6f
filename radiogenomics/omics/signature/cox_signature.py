"""A signature whose weights, standardisation and cut-off are learnt on the training part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.method import Method
from radiogenomics.core.signature import Signature
from radiogenomics.omics.labels.cutoff import FixedCutoff, MedianCutoff
from radiogenomics.stats import CoxFit, fit_cox
from radiogenomics.stats.inputs import survival_target


class CoxSignature(BaseEstimator):
    """Weighted sum of standardised genes, weighted by one multivariable Cox model.

    ``risk_i = Σ_g w_g · (x_ig − mean_g) / sd_g`` with the mean and the standard deviation (n − 1)
    of the training patients, and ``w`` the log hazard ratios per standard deviation of all genes
    together, unless weights are supplied. Patients without an outcome take part in the
    standardisation and the cut-off, not in the Cox model. Misleads when the genes were chosen on
    the patients it is fitted on: choose them elsewhere or inside the fold.

    Parameters
    ----------
    genes
        Columns of the expression frame.
    weights
        One number a gene; fitted when None.
    cutoff
        ``"median"`` of the training risk, or a number.
    name
        What the score measures.
    minimum_events
        Fewest events that weights are fitted on.
    unit
        Unit of expression, written into the signature.

    Attributes
    ----------
    signature_ : Signature
        Locked: scores one patient without a cohort.
    cox_ : CoxFit or None
        The model behind the weights; None when they were supplied.

    References
    ----------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x.

    Examples
    --------
    >>> genes = pd.DataFrame({"A": [1.0, 2.0, 3.0], "B": [4.0, 4.5, 3.0]}, index=["P1", "P2", "P3"])
    >>> CoxSignature(["A", "B"], weights=[1.0, 0.0]).fit(genes).classify(genes).tolist()
    [False, False, True]
    """

    card: ClassVar[Method] = Method(
        name="cox_signature",
        title="Cox-weighted sum of standardised genes",
        scope="omics: signature",
        reference="Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x",
        limits="Weights of correlated genes are unstable below about ten events a gene.",
        learns=True,
    )

    def __init__(
        self,
        genes: Sequence[str],
        *,
        weights: Sequence[float] | None = None,
        cutoff: float | str = "median",
        name: str = "IRS",
        minimum_events: int = 10,
        unit: str = "not stated",
    ) -> None:
        self.genes = genes
        self.weights = weights
        self.cutoff = cutoff
        self.name = name
        self.minimum_events = minimum_events
        self.unit = unit

    def fit(self, expression: pd.DataFrame, y: np.ndarray | pd.DataFrame | None = None) -> Self:
        """Learn standardisation, weights and cut-off.

        Parameters
        ----------
        expression
            Patients × genes, logarithmic.
        y
            Survival target (structured array of event and time), or a frame of ``time`` (months)
            and ``event`` with the same index; NaN in the frame where there is no outcome. May be
            left out when weights are supplied.

        Raises
        ------
        UnknownNameError
            A gene is absent, or the cut-off is an unknown word.
        DataError
            A gene is constant or has missing values.
        OutcomeError
            Fewer events than ``minimum_events``, or a Cox model without a finite maximum.
        """
        values = self._values(expression)
        centre, scale = values.mean(axis=0), values.std(axis=0, ddof=1)
        self._require_variation(values, scale)
        self.cox_ = None
        if self.weights is not None:
            weights = self._supplied_weights()
            source = "supplied weights"
        else:
            self.cox_ = self._fit_cox((values - centre) / scale, expression.index, y)
            weights = tuple(map(float, self.cox_.coef))
            source = f"Cox model on {self.cox_.n} patients with {self.cox_.events} events"
        risk = pd.Series(((values - centre) / scale) @ np.asarray(weights), index=expression.index)
        self.signature_ = Signature(
            name=self.name,
            genes=tuple(self.genes),
            weights=weights,
            centre=tuple(map(float, centre)),
            scale=tuple(map(float, scale)),
            cutoff=self._cutoff_rule().fit(risk).cutoff_,
            direction="risk",
            unit=self.unit,
            source=f"{source}; standardised on {len(values)} patients",
        )
        return self

    def predict(self, expression: pd.DataFrame) -> pd.Series[float]:
        """Return the risk of each patient; higher is worse."""
        check_is_fitted(self, "signature_")
        return self.signature_.score(expression)

    def decision_function(self, expression: pd.DataFrame) -> pd.Series[float]:
        """Return the risk less the learnt cut-off: above 0 is high."""
        return self.predict(expression) - self.signature_.cutoff

    def classify(self, expression: pd.DataFrame) -> pd.Series[bool]:
        """Return True (high) where the risk exceeds the learnt cut-off."""
        return self.signature_.classify(self.predict(expression))

    def _values(self, expression: pd.DataFrame) -> np.ndarray:
        for gene in self.genes:
            if gene not in expression.columns:
                raise UnknownNameError(
                    "gene in the expression matrix", gene, map(str, expression.columns)
                )
        values = expression[list(self.genes)].to_numpy(dtype=float)
        bad = ~np.isfinite(values).all(axis=1)
        if bad.any() or len(values) < 2:
            raise DataError(
                f"{self.name}: expected at least two patients with all {len(self.genes)} genes "
                f"measured; found {len(values)}, {int(bad.sum())} of them incomplete "
                f"({short_list(expression.index[bad])}). Leave them out or impute inside the fold."
            )
        return values

    def _require_variation(self, values: np.ndarray, scale: np.ndarray) -> None:
        flat = scale <= 1e-12 * np.abs(values).max(axis=0)
        if flat.any():
            constant = np.asarray(self.genes)[flat]
            raise DataError(
                f"{self.name}: expected genes that vary; found {short_list(constant)} constant in "
                f"{len(values)} training patients. Drop the gene or use more patients."
            )

    def _supplied_weights(self) -> tuple[float, ...]:
        weights = tuple(float(weight) for weight in self.weights)
        if len(weights) != len(self.genes) or not np.isfinite(weights).all() or not any(weights):
            raise SchemaError(
                f"{self.name}: expected {len(self.genes)} finite weights, not all 0; found "
                f"{weights}. Give one number a gene, or None to fit them."
            )
        return weights

    def _fit_cox(
        self,
        standard: np.ndarray,
        index: pd.Index,
        y: np.ndarray | pd.DataFrame | None,
    ) -> CoxFit:
        if y is None:
            raise OutcomeError(
                f"{self.name}: expected time and event to fit weights on; found none. "
                "Supply weights or an outcome."
            )
        time, event = self._outcome(y, index)
        known = ~(np.isnan(time) | np.isnan(event))
        events = int(event[known].sum())
        if events < self.minimum_events:
            raise OutcomeError(
                f"{self.name}: expected at least {self.minimum_events} events to fit weights on; "
                f"found {events} in {int(known.sum())} training patients. Use a longer follow-up, "
                "more patients or another endpoint, or supply weights."
            )
        fit = fit_cox(standard[known], time[known], event[known])
        if not fit.converged:
            raise OutcomeError(
                f"{self.name}: expected a Cox model with a finite maximum; found none for "
                f"{short_list(self.genes)} in {fit.n} patients with {fit.events} events. The genes "
                "repeat each other or separate the events: drop one or supply weights."
            )
        return fit

    def _outcome(
        self, y: np.ndarray | pd.DataFrame, index: pd.Index
    ) -> tuple[np.ndarray, np.ndarray]:
        """Time and event of each patient, NaN where unknown."""
        if not isinstance(y, pd.DataFrame):
            time, event = survival_target(y)
            found = f"{len(time)} outcomes for {len(index)} patients"
            same = len(time) == len(index)
        else:
            time, event = (y[name].to_numpy(dtype=float) for name in ("time", "event"))
            found, same = "other indexes", index.equals(y.index)
        if not same:
            raise AlignmentError(
                f"{self.name}: expected expression, time and event of the same patients in one "
                f"order; found {found}. Align them by patient."
            )
        return time, event.astype(float)

    def _cutoff_rule(self) -> MedianCutoff | FixedCutoff:
        if isinstance(self.cutoff, str):
            if self.cutoff != MedianCutoff.card.name:
                raise UnknownNameError("cut-off", self.cutoff, (MedianCutoff.card.name,))
            return MedianCutoff()
        return FixedCutoff(float(self.cutoff))
