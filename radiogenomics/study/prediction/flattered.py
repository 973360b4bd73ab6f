"""How much a recipe's known defects would flatter its headline model on the same patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from radiogenomics.evaluation import PatientKFold
from radiogenomics.evaluation.flattery import flattery_on_noise, flattery_table
from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.schema import PredictionStudy

DEALS = 10


def flattered(
    study: PredictionStudy,
    model: BaseEstimator,
    *,
    features: pd.DataFrame,
    labels: pd.Series[int],
    splitter: PatientKFold,
    seed: int,
    jobs: int,
) -> Findings:
    """Evaluate one model by the honest way and by the recipe's ``legacy`` defects.

    The same is done with labels dealt at random, ten times, where everything above chance is
    flattery: ``auc_on_noise`` is the mean, ``noise_low`` and ``noise_high`` the extremes.
    """
    defects = study.legacy.value
    rng = np.random.default_rng([seed, 4])
    table = flattery_table(
        model, features, labels, splitter=splitter, defects=defects, jobs=jobs, rng=rng
    )
    noise = flattery_on_noise(
        model, features, labels,
        splitter=splitter, defects=defects, count=DEALS, jobs=jobs, rng=rng,
    )  # fmt: skip
    spread = noise.groupby("procedure")["auc"].agg(["mean", "min", "max"])
    spread.columns = ["auc_on_noise", "noise_low", "noise_high"]
    table = table.join(spread, on="procedure")
    return Findings(tables={"flattery": table})
