"""What the whole procedure finds when images and molecules are strangers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from radiogenomics.core.errors import StudyError
from radiogenomics.core.log import progress
from radiogenomics.core.row_facts import MARK
from radiogenomics.evaluation.fold import (
    LabelledSplit,
    Splitter,
    Target,
    TargetRule,
    label_splits,
    score_test_part,
)
from radiogenomics.evaluation.resampling import predictions_frame
from radiogenomics.stats import permutations

Statistic = Callable[[pd.DataFrame], float | Sequence[float]]


def cross_validation_null(
    estimator: BaseEstimator,
    features: pd.DataFrame,
    target: Target,
    *,
    splitter: Splitter,
    target_rule: TargetRule | None = None,
    statistic: Statistic,
    count: int,
    rng: np.random.Generator,
    blocks: pd.Series | None = None,
    jobs: int = 1,
) -> NDArray[np.float64]:
    """Repeat a cross-validation with patients' targets permuted against their features.

    Whole patients are permuted: genes, time and event of a patient stay together, as do a patient's
    features; only the link between them is broken. Everything inside ``estimator`` is redone. Folds
    and target rule belong to the target's side, so labels are learnt once. Where images *and*
    labels differ between sites, a site effect passes for a link unless the sites are ``blocks``.

    Parameters
    ----------
    estimator, features, target, splitter, target_rule
        The same as handed to :func:`cross_validate`.
    statistic
        Predictions frame → number (or several), as :func:`~radiogenomics.evaluation.pooled_auc`.
    count
        Permutations: 199 give p-values down to 0.005.
    rng
        Draws the permutations, all before the work is shared out.
    blocks
        Site or scanner of each patient, same index: patients change places within it only.
    jobs
        Processes; results do not depend on it.

    Returns
    -------
    ndarray of shape (count,) or (count, statistics)
        The statistic in each permutation.

    Raises
    ------
    StudyError, AlignmentError, OutcomeError, LeakageError
        ``count`` is less than 1; else as in :func:`cross_validate`.

    References
    ----------
    Ojala & Garriga 2010, https://www.jmlr.org/papers/v11/ojala10a.html.
    """
    if count < 1:
        raise StudyError(f"expected at least 1 permutation; found {count}. Use 199 or more.")
    labelled = label_splits(features, target, splitter=splitter, target_rule=target_rule)
    table = _quick_to_slice(features, named=getattr(estimator, "needs_names", False))
    members = None if blocks is None else blocks.loc[features.index].to_numpy(dtype=object)
    orders = permutations(len(table), count, rng, blocks=members)
    work = partial(_replicate, estimator, table, features.index, labelled, statistic)
    parallel = Parallel(n_jobs=jobs, return_as="generator")
    replicates = parallel(delayed(work)(order=order) for order in orders)
    return np.array(list(progress(replicates, "permutations", total=count)), dtype=float)


def _quick_to_slice(features: pd.DataFrame, *, named: bool) -> pd.DataFrame | NDArray[np.float64]:
    """Leave names out unless a step needs them: checking them costs more than the fits."""
    facts = any(str(name).startswith(MARK) for name in features.columns)
    return features.copy() if named or facts else features.to_numpy(dtype=float)


def _replicate(
    estimator: BaseEstimator,
    features: pd.DataFrame | NDArray[np.float64],
    patient_ids: pd.Index,
    labelled: tuple[LabelledSplit, ...],
    statistic: Statistic,
    *,
    order: NDArray[np.intp],
) -> float | Sequence[float]:
    shuffled = features.iloc[order] if isinstance(features, pd.DataFrame) else features[order]
    scores = [score_test_part(estimator, shuffled, part)[0] for part in labelled]
    return statistic(predictions_frame(patient_ids, labelled, scores))
