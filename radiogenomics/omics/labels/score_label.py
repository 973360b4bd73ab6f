"""High or low of a score of genes, as a target that is learnt inside the fold."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import DataError, OutcomeError, SchemaError
from radiogenomics.core.labels import LabelSet
from radiogenomics.core.method import Method
from radiogenomics.core.signature import Signature
from radiogenomics.omics.labels.cutoff import MedianCutoff
from radiogenomics.omics.labels.target import OUTCOME_COLUMNS, event_strata, genes_of
from radiogenomics.omics.scoring.linear import LinearScorer
from radiogenomics.omics.scoring.scorer import GeneSetScorer


class Cutoff(Protocol):
    """An estimator that turns scores into True (high) and False."""

    card: ClassVar[Method]
    needs_outcome: ClassVar[bool]
    cutoff_: float

    def fit(self, scores: pd.Series[float], y: object = None) -> object:
        """Learn on training patients."""

    def transform(self, scores: pd.Series[float]) -> pd.Series[bool]:
        """Apply unchanged."""


class ScoreLabel(BaseEstimator):
    """Target rule: score a gene set, call every patient high or low.

    What the score learns (standardisation, loadings) and the cut-off come from the training part
    alone, so the label of a test patient never depends on other test patients. Where the cut-off is
    learnt from survival, patients without an outcome (NaN) are labelled too.

    Parameters
    ----------
    scorer
        Unfitted, of one gene set; it is cloned, never changed.
    cutoff
        Unfitted; the median of the training patients when not given.

    Attributes
    ----------
    scorer_, cutoff_rule_
        Fitted on the training patients.

    Raises
    ------
    DataError
        The scorer holds more than one gene set.
    SchemaError, OutcomeError
        The cut-off is learnt from survival and ``time`` and ``event`` are absent, or all missing.

    Examples
    --------
    >>> from radiogenomics.omics.scoring.mean_z import MeanZ
    >>> target = pd.DataFrame({"GZMA": [1.0, 2.0, 3.0], "PRF1": [1.0, 3.0, 5.0]}, index=list("abc"))
    >>> rule = ScoreLabel(MeanZ({"CYT": ["GZMA", "PRF1"]})).fit(target)
    >>> rule.label_set(target).classes.tolist()
    ['low', 'low', 'high']
    """

    card: ClassVar[Method] = Method(
        name="score_label",
        title="High or low of a score of genes",
        scope="omics: label",
        reference="house",
        limits="Two classes are made of a number that need not have two groups.",
        learns=True,
    )

    def __init__(self, scorer: GeneSetScorer, cutoff: Cutoff | None = None) -> None:
        self.scorer = scorer
        self.cutoff = cutoff

    def fit(self, target: pd.DataFrame, y: None = None) -> Self:
        """Learn score and cut-off.

        Parameters
        ----------
        target
            Patients × genes, logarithmic; ``time`` (months) and ``event`` too where the cut-off is
            learnt from survival, NaN where unknown.
        """
        self.scorer_ = clone(self._scorer()).fit(genes_of(target))
        names = self.scorer_.get_feature_names_out()
        if len(names) != 1:
            raise DataError(
                f"{self.card.name}: expected a scorer of one gene set; found {len(names)}. Make a "
                "label of each."
            )
        self.name_ = str(names[0])
        scores = self._scored(target)
        self.cutoff_rule_ = clone(MedianCutoff() if self.cutoff is None else self.cutoff)
        if self.cutoff_rule_.needs_outcome:
            known, y_known = self._outcome(target)
            self.cutoff_rule_.fit(scores[known], y_known)
        else:
            self.cutoff_rule_.fit(scores)
        return self

    def transform(self, target: pd.DataFrame) -> NDArray[np.intp]:
        """Return 1 (high) or 0 (low) for each patient, shape (n,)."""
        check_is_fitted(self, "cutoff_rule_")
        high = self.cutoff_rule_.transform(self._scored(target))
        return np.asarray(high.to_numpy(dtype=np.intp))

    def scores(self, target: pd.DataFrame) -> NDArray[np.float64]:
        """Return the score behind the label, shape (n,)."""
        check_is_fitted(self, "cutoff_rule_")
        return self._scored(target).to_numpy(dtype=float)

    def strata(self, target: pd.DataFrame) -> NDArray[np.intp]:
        """Return what folds should balance before any label is learnt, shape (n,)."""
        return event_strata(target)

    def label_set(self, target: pd.DataFrame) -> LabelSet:
        """Scores and classes of patients, with the rule in words."""
        high = pd.Series(self.transform(target) == 1, index=target.index)
        rule = (
            f"high above {self.cutoff_rule_.cutoff_:.4g} ({self.cutoff_rule_.card.name}) of "
            f"{self.scorer_.card.name} of {self.name_}"
        )
        classes = high.map({True: "high", False: "low"})
        return LabelSet(self.card.name, self._scored(target).to_frame(), classes, rule)

    def lock(self, *, unit: str) -> Signature:
        """The fitted rule as a signature with all constants fixed, which can be kept as JSON.

        Parameters
        ----------
        unit
            Unit of the expression that was fitted.

        Raises
        ------
        DataError
            The score is not a weighted sum of genes: ranks and kernels have no such constants.
        """
        check_is_fitted(self, "cutoff_rule_")
        if not isinstance(self.scorer_, LinearScorer):
            raise DataError(
                f"{self.card.name}: expected a score that is a weighted sum of genes (mean_z, "
                f"weighted_score, pc1, plage) to be locked; found {self.scorer_.card.name}. Use "
                "one of these, or keep the reference samples."
            )
        open_ended = self.scorer_.signatures(unit=unit)[self.name_]
        return replace(open_ended, cutoff=float(self.cutoff_rule_.cutoff_))

    def _scorer(self) -> GeneSetScorer:
        return self.scorer

    def _scored(self, target: pd.DataFrame) -> pd.Series[float]:
        return self.scorer_.transform(genes_of(target)).iloc[:, 0]

    def _outcome(self, target: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.void]]:
        absent = [name for name in OUTCOME_COLUMNS if name not in target]
        if absent:
            raise SchemaError(
                f"{self.card.name}: expected columns time and event beside the genes, as the "
                f"cut-off is learnt from survival; found no {' or '.join(absent)}. Join the "
                "outcome, or use another cut-off."
            )
        time, event = (target[name].to_numpy(dtype=float) for name in OUTCOME_COLUMNS)
        known = ~(np.isnan(time) | np.isnan(event))
        if not known.any():
            raise OutcomeError(
                f"{self.card.name}: expected patients with an outcome; found none of "
                f"{len(target)}. Use another endpoint or another cut-off."
            )
        y = np.empty(int(known.sum()), dtype=[("event", bool), ("time", float)])
        y["event"], y["time"] = event[known] == 1, time[known]
        return known, y
