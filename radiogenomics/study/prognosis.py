"""What survival says of the out-of-fold prediction, and what it says when nothing is there."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import concordance_metric, pooled_auc, prognosis
from radiogenomics.stats import concordance, fit_cox_batch, permutation_p
from radiogenomics.study.inputs import Inputs
from radiogenomics.study.schema import Study

SPLIT = "cross-validation"
TINY = 1e-300


def same_for_all(split: str) -> str:
    """Say that a model which learnt nothing predicts the same for everybody."""
    return (
        f"{split}: the prediction is the same for all patients (the model found nothing to tell "
        "them apart by); it is not held against survival."
    )


@dataclass(frozen=True, eq=False)
class Statistics:
    """What each permutation records: the AUC and, given an outcome, what survival says.

    The outcome belongs to the patients whose molecules were permuted against the images, so the
    nulls of prognosis repeat the whole cross-validation too.
    """

    outcome: SurvivalOutcome | None
    cutoff: float

    @property
    def names(self) -> tuple[str, ...]:
        """Metric of each number; hazard ratios as logarithms."""
        survival = () if self.outcome is None else ("c_index", "hr_per_sd", "hr_high_vs_low")
        return ("auc", *survival)

    def __call__(self, predictions: pd.DataFrame) -> tuple[float, ...]:
        """Compute the numbers of one cross-validation."""
        auc = pooled_auc(predictions)
        if self.outcome is None:
            return (auc,)
        with_outcome = predictions[predictions["patient_id"].isin(self.outcome.patient_ids)]
        repeats = with_outcome.groupby("repeat")
        concordances = [self._concordance(part) for _, part in repeats]
        risk = with_outcome.groupby("patient_id")["score"].mean().loc[self.outcome.patient_ids]
        high = (risk > self.cutoff).astype(float)
        designs = np.stack([risk / max(risk.std(), TINY), high])[:, :, None]
        fitted = fit_cox_batch(designs, self.outcome.time, self.outcome.event).coef[:, 0]
        # A prediction that is the same for all says nothing: a ratio of 1, not an extreme one.
        log_ratios = np.where(np.ptp(designs, axis=1)[:, 0] == 0, 0.0, fitted)
        return (auc, float(np.mean(concordances)), *map(float, log_ratios))

    def _concordance(self, part: pd.DataFrame) -> float:
        if self.outcome is None:
            return float("nan")
        scores = part.set_index("patient_id")["score"].loc[self.outcome.patient_ids]
        return float(concordance(scores, self.outcome.time, self.outcome.event).value)


def imaged_outcome(
    study: Study, inputs: Inputs, patient_ids: pd.Index[str]
) -> SurvivalOutcome | None:
    """Outcome of the imaged patients, or None where too few had the event."""
    if inputs.outcome is None:
        return None
    outcome = inputs.outcome.for_patients(patient_ids.intersection(inputs.outcome.patient_ids))
    enough = outcome.n_events >= study.evaluation.minimum_events.value
    return outcome if enough else None


def out_of_fold_prognosis(
    evidence: Evidence, statistics: Statistics, null: NDArray[np.float64]
) -> tuple[tuple[Metric, ...], dict[str, pd.DataFrame]]:
    """Hold the out-of-fold prediction against the survival of the same patients."""
    outcome = statistics.outcome
    if outcome is None:
        return (), {}
    risk = evidence.mean_predictions()["score"].loc[outcome.patient_ids]
    if risk.nunique() < 2:
        warnings.warn(same_for_all(SPLIT), RadiogenomicsWarning, stacklevel=2)
        return (), {}
    found, tables = prognosis(
        risk,
        outcome,
        split=SPLIT,
        cutoff=statistics.cutoff,
        permutations=0,
        rng=np.random.default_rng(0),
        minimum_events=1,
    )
    shared = evidence.predictions["patient_id"].isin(outcome.patient_ids)
    values = dict(zip(statistics.names, null.T, strict=True))
    metrics = [
        replace(m, p_permutation=permutation_p(np.log(m.value), values[m.name]))
        for m in found
        if m.name != "c_index"
    ]
    c_index = concordance_metric(
        evidence.predictions[shared], outcome, split=SPLIT, null=values["c_index"]
    )
    return (*metrics, c_index), tables


def null_table(statistics: Statistics, null: NDArray[np.float64]) -> pd.DataFrame:
    """Permutation replicates in long form: split, metric, value."""
    wide = pd.DataFrame(null, columns=list(statistics.names)).assign(split=SPLIT)
    return wide.melt("split", var_name="metric", value_name="value")
