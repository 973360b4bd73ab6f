"""One cohort with what every model and rival says of its patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.study.prediction.labels import Meaning


@dataclass(frozen=True, eq=False)
class Scored:
    """Out-of-sample scores of one cohort.

    Parameters
    ----------
    cohort
        Whose patients they are.
    split
        ``cross-validation`` or ``external:<cohort>``.
    predictions
        Model or rival → ``patient_id, repeat, fold, label, score``; the headline model first.
        ``label`` is NaN where the class is not known, ``score`` is higher for class 1.
    threshold
        Locked on the training cohort: scores of at least this are called high.
    meaning
        What class 1 means for the patient.
    """

    cohort: Cohort
    split: str
    predictions: Mapping[str, pd.DataFrame]
    threshold: float
    meaning: Meaning

    @property
    def headline(self) -> str:
        """Name of the first model."""
        return next(iter(self.predictions))

    def score(self, name: str | None = None) -> pd.Series[float]:
        """Score of each patient, mean over repeats, higher for class 1; the headline's if open."""
        frame = self.predictions[name or self.headline]
        found: pd.Series[float] = frame.groupby("patient_id", sort=False)["score"].mean()
        return found

    def risk(self, name: str | None = None) -> pd.Series[float]:
        """Turn the score so that higher is worse: 1 - score where class 1 is better."""
        score = self.score(name)
        return 1 - score if self.meaning == "better" else score

    def high(self) -> pd.Series[bool]:
        """Whether the headline's score reaches the threshold."""
        found: pd.Series[bool] = self.score() >= self.threshold
        return found

    def everyone(self) -> pd.DataFrame:
        """Every patient's scores by every model and rival, and the risk that each score stands for.

        Returns
        -------
        DataFrame
            ``cohort, patient_id, split, model, repeat, fold, label, score, risk``; risk is higher
            for the worse, as of :meth:`risk`.
        """
        parts = [
            frame.assign(
                model=name, risk=1 - frame["score"] if self.meaning == "better" else frame["score"]
            )
            for name, frame in self.predictions.items()
        ]
        whole = pd.concat(parts, ignore_index=True)
        risk = 1 - whole["score"] if self.meaning == "better" else whole["score"]
        whole = whole.assign(cohort=self.cohort.id, split=self.split, risk=risk)
        columns = ("cohort", "patient_id", "split", "model", "repeat", "fold", "label", "score")
        return whole[[*columns, "risk"]]
