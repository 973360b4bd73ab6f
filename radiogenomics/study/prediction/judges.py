"""How scores are held against the truth: two classes by AUC, a time to an event by concordance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import OutcomeError
from radiogenomics.core.evidence import Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import (
    auc_metric,
    calibration_metrics,
    comparison_table,
    concordance_comparison_table,
    concordance_metric,
    decision_curve_table,
)
from radiogenomics.evaluation.thresholds import operating_point_table
from radiogenomics.stats import adjust, auc_batch, concordance_batch
from radiogenomics.study.performance import NO_NULLS, learner_table, performance_tables

Tables = dict[str, pd.DataFrame]
Nulls = Mapping[str, NDArray[np.float64]]


class Judge(Protocol):
    """What holds the scores of one cohort's patients against what became of them."""

    @property
    def metric(self) -> str:
        """Name of the headline number."""

    @property
    def outcome(self) -> SurvivalOutcome | None:
        """What risks are held against; None where classes are told apart."""

    def judged(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """Rows of the patients whose truth is known."""

    def flaw(self, predictions: pd.DataFrame) -> str | None:
        """Why these patients cannot be judged by; None where they can."""

    def metrics(
        self, predictions: pd.DataFrame, *, split: str, null: NDArray[np.float64] | None
    ) -> tuple[Metric, ...]:
        """Numbers of the headline model, the one a claim stands or falls with first."""

    def tables(
        self,
        predictions: Mapping[str, pd.DataFrame],
        *,
        split: str,
        rivals: Sequence[str],
        nulls: Nulls = NO_NULLS,
        outside: bool = False,
    ) -> Tables:
        """Models and rivals side by side; those in ``rivals`` give no probabilities."""

    def points(
        self, predictions: pd.DataFrame, threshold: float, *, split: str
    ) -> tuple[Tables, tuple[Metric, ...]]:
        """What the locked threshold does to these patients."""

    def permuted(self, known: pd.DataFrame, orders: NDArray[np.intp]) -> NDArray[np.float64]:
        """Headline number of locked scores under permuted patients."""

    def movable(self, known: pd.DataFrame, sites: pd.Series[str]) -> bool:
        """Whether the truth differs within a site, so that permutations can move it."""


@dataclass(frozen=True, eq=False)
class ClassJudge:
    """AUC of two classes, with calibration and curves; ``label`` of the predictions says which."""

    metric: ClassVar[str] = "auc"
    outcome: ClassVar[None] = None

    def judged(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """Rows of the patients whose class is known."""
        return predictions[predictions["label"].notna()]

    def flaw(self, predictions: pd.DataFrame) -> str | None:
        """Why these patients cannot be judged by; None where both classes are there."""
        known = self.judged(predictions)
        if known["label"].nunique() == 2:
            return None
        return f"{len(known)} patients with a label, not of both classes; no AUC there."

    def metrics(
        self, predictions: pd.DataFrame, *, split: str, null: NDArray[np.float64] | None
    ) -> tuple[Metric, ...]:
        """AUC and calibration of the headline model."""
        first = auc_metric(predictions, split=split, null=null)
        return (first, *calibration_metrics(predictions, split=split))

    def tables(
        self,
        predictions: Mapping[str, pd.DataFrame],
        *,
        split: str,
        rivals: Sequence[str],
        nulls: Nulls = NO_NULLS,
        outside: bool = False,
    ) -> Tables:
        """Curves, DeLong's comparisons, and a table of models and rivals."""
        learners = learner_table(predictions, split, uncalibrated=rivals, nulls=nulls)
        models = {name: frame for name, frame in predictions.items() if name not in rivals}
        return {
            **performance_tables(predictions, split),
            "external_learners" if outside else "learners": learners,
            **_net_benefit(models, split),
            **_model_pairs(models, split),
        }

    def points(
        self, predictions: pd.DataFrame, threshold: float, *, split: str
    ) -> tuple[Tables, tuple[Metric, ...]]:
        """Sensitivity, specificity and their kin at the locked threshold."""
        table, metrics = operating_point_table(predictions, threshold, split=split)
        return {"operating_points": table}, metrics

    def permuted(self, known: pd.DataFrame, orders: NDArray[np.intp]) -> NDArray[np.float64]:
        """AUC of locked scores under permuted patients."""
        return auc_batch(known["score"].to_numpy()[orders], known["label"].to_numpy())

    def movable(self, known: pd.DataFrame, sites: pd.Series[str]) -> bool:
        """Whether some site has patients of both classes."""
        return bool((known["label"].groupby(sites.to_numpy()).nunique() > 1).any())


@dataclass(frozen=True, eq=False)
class ConcordanceJudge:
    """Harrell's C of risks against the time to an event.

    Parameters
    ----------
    outcome
        Of the cohort's patients.
    minimum_events
        Below that many events nothing is judged.
    """

    outcome: SurvivalOutcome
    minimum_events: int
    metric: ClassVar[str] = "c_index"

    def judged(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """Rows of the patients who were followed."""
        return predictions[predictions["patient_id"].isin(self.outcome.patient_ids)]

    def flaw(self, predictions: pd.DataFrame) -> str | None:
        """Why these patients cannot be judged by; None where enough have the event."""
        truth = self._truth(self.judged(predictions))
        if truth.n_events < self.minimum_events:
            return f"{truth.n_events} events, fewer than {self.minimum_events}; no C-index there."
        try:
            concordance_metric(self.judged(predictions), truth, split="")
        except OutcomeError as error:
            return str(error)
        return None

    def metrics(
        self, predictions: pd.DataFrame, *, split: str, null: NDArray[np.float64] | None
    ) -> tuple[Metric, ...]:
        """C of the headline model."""
        known = self.judged(predictions)
        return (concordance_metric(known, self._truth(known), split=split, null=null),)

    def tables(
        self,
        predictions: Mapping[str, pd.DataFrame],
        *,
        split: str,
        rivals: Sequence[str],
        nulls: Nulls = NO_NULLS,
        outside: bool = False,
    ) -> Tables:
        """C of models and rivals, and the first held against the others, patient by patient."""
        known = {name: self.judged(frame) for name, frame in predictions.items()}
        rows, compared = [], []
        first_name, first = next(iter(known.items()))
        for name, frame in known.items():
            found = concordance_metric(frame, self._truth(frame), split=split, null=nulls.get(name))
            row = {
                "split": split,
                "learner": name,
                "headline": name == first_name,
                "rival": name in rivals,
                "c_index": found.value,
                "low": found.low,
                "high": found.high,
                "chance": found.chance,
                "n": found.n,
                "events": found.events,
            }
            rows.append(row | ({"p": found.p_permutation} if name in nulls else {}))
            if name != first_name:
                shared = first[first["patient_id"].isin(frame["patient_id"])]
                pair = {first_name: shared, name: frame}
                compared.append(
                    concordance_comparison_table(
                        pair, self._truth(frame), reference=first_name, split=split
                    )
                )
        found_tables = {"concordances": pd.DataFrame(rows)}
        return found_tables | ({"comparisons": pd.concat(compared)} if compared else {})

    def points(
        self, predictions: pd.DataFrame, threshold: float, *, split: str
    ) -> tuple[Tables, tuple[Metric, ...]]:
        """Nothing: groups above and below the threshold are a read-out of survival."""
        return {}, ()

    def permuted(self, known: pd.DataFrame, orders: NDArray[np.intp]) -> NDArray[np.float64]:
        """C of locked risks under permuted patients."""
        truth = self.outcome.for_patients(known["patient_id"])
        risks = known["score"].to_numpy()[orders]
        return concordance_batch(risks, truth.time.to_numpy(), truth.event.to_numpy())

    def movable(self, known: pd.DataFrame, sites: pd.Series[str]) -> bool:
        """Whether some site has two patients or more."""
        return bool((sites.value_counts() > 1).any())

    def _truth(self, known: pd.DataFrame) -> SurvivalOutcome:
        return self.outcome.for_patients(pd.unique(known["patient_id"]))


def _net_benefit(models: Mapping[str, pd.DataFrame], split: str) -> Tables:
    """Decision curves of all models by name; those of treating all and nobody once."""
    if len(models) < 2:
        return {}
    curves: list[pd.DataFrame] = []
    for name, frame in models.items():
        table = decision_curve_table(frame)
        own = table["strategy"] == "model"
        curves.append((table if not curves else table[own]).assign(learner=name))
        curves[-1]["strategy"] = curves[-1]["strategy"].replace("model", name)
    return {"decision_curve": pd.concat(curves, ignore_index=True).assign(split=split)}


def _model_pairs(models: Mapping[str, pd.DataFrame], split: str) -> Tables:
    """DeLong's test of every pair of models; p by Holm over the pairs as well.

    The first is held against the others in the table of comparisons; of three models or more the
    others are held against each other too.
    """
    names = list(models)
    if len(names) < 3:
        return {}
    pairs = [
        comparison_table({one: models[one], other: models[other]}, reference=one, split=split)
        for one, other in combinations(names, 2)
    ]
    table = pd.concat(pairs, ignore_index=True)
    return {"model_pairs": table.assign(p_holm=adjust(table["p"], method="holm"))}
