"""How much a recipe's known defects would flatter its headline model on the same patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone

from radiogenomics.evaluation import PatientKFold
from radiogenomics.evaluation.flattery import TUNED, flattery_on_noise, flattery_table
from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.schema import PredictionStudy

DEALS = 5
MEMORY = "pipeline__blocks__memory"


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

    The same is done with labels dealt at random, five times, where everything above chance is
    flattery: ``auc_on_noise`` is the mean, ``noise_low`` and ``noise_high`` the extremes. Deals are
    spread over processes, each with random numbers of its own.
    """
    defects = study.legacy.value
    table = flattery_table(
        model, features, labels,
        splitter=splitter, defects=defects, jobs=jobs, rng=np.random.default_rng([seed, 4]),
    )  # fmt: skip
    dealt = _of_one_deal(model, defects)
    deals = Parallel(n_jobs=jobs)(
        delayed(flattery_on_noise)(
            dealt, features, labels,
            splitter=splitter, defects=defects, rng=np.random.default_rng([seed, 4, deal]),
        )
        for deal in range(DEALS)
    )  # fmt: skip
    spread = pd.concat(deals).groupby("procedure")["auc"].agg(["mean", "min", "max"])
    spread.columns = ["auc_on_noise", "noise_low", "noise_high"]
    table = table.join(spread, on="procedure")
    return Findings(tables={"flattery": table})


def _of_one_deal(model: BaseEstimator, defects: tuple[str, ...]) -> BaseEstimator:
    """The model without its memory of fitted steps, where none of them is fitted twice in a deal.

    Only tuning on the tested patients fits the same steps again, for each point of the grid.
    """
    if TUNED in defects or MEMORY not in model.get_params():
        return model
    uncached: BaseEstimator = clone(model).set_params(**{MEMORY: None})
    return uncached
