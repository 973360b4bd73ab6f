"""What the whole procedure finds when images and molecules, or outcomes, are strangers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from radiogenomics.core.errors import StudyError
from radiogenomics.core.log import progress
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.core.row_facts import MARK
from radiogenomics.evaluation.fold import (
    LabelledSplit,
    Rows,
    Splitter,
    Target,
    TargetRule,
    label_splits,
    score_test_part,
    take_rows,
)
from radiogenomics.evaluation.repeats import of_patients, require_comparable
from radiogenomics.evaluation.resampling import predictions_frame
from radiogenomics.evaluation.splits import Split
from radiogenomics.evaluation.survival_fold import (
    deal_patients,
    fit_part,
    held_out_rows,
    score_part,
)
from radiogenomics.stats import concordance_batch, permutations

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
    labelled = label_splits(features, target, splitter=splitter, target_rule=target_rule)
    table = _quick_to_slice(features, named=getattr(estimator, "needs_names", False))
    orders = _orders(features.index, count, rng, blocks=blocks)
    work = partial(_replicate, estimator, table, features.index, labelled, statistic)
    return _over_orders(work, orders, jobs=jobs)


def cross_validation_survival_null(
    estimator: BaseEstimator,
    features: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    splitter: Splitter,
    count: int,
    rng: np.random.Generator,
    blocks: pd.Series | None = None,
    strata: pd.Series | None = None,
    statistic: Statistic | None = None,
    jobs: int = 1,
) -> NDArray[np.float64]:
    """Concordance of a cross-validated survival model under patients whose outcomes were permuted.

    As :func:`cross_validation_null`: time and event of a patient stay together, as do the features;
    folds belong to the outcomes' side; selection, tuning and fit are redone in every fold of every
    permutation. Out-of-fold risks owe something to all outcomes, so that permuting the risks alone
    would be no null.

    Parameters
    ----------
    estimator, features, outcome, splitter
        The same as handed to :func:`cross_validate_survival`.
    count, rng, blocks, jobs
        As in :func:`cross_validation_null`.
    strata
        The same as handed to :func:`concordance_metric`. They say who is compared, blocks who
        changes places: with sites as strata, give them as blocks too.
    statistic
        What to compute instead of C: predictions of :func:`cross_validate_survival` → number.

    Returns
    -------
    ndarray of shape (count,)
        C, mean over repeats: the ``null`` of :func:`concordance_metric`; or the statistic.

    Raises
    ------
    StudyError, AlignmentError, LeakageError
        ``count`` is less than 1; a patient has no block or stratum; else as in
        :func:`cross_validate_survival`.
    OutcomeError
        No two patients of a repeat can be compared.

    References
    ----------
    As in :func:`cross_validation_null`.
    """
    splits = deal_patients(features, outcome, splitter=splitter)
    judged = _judged(features.index, outcome, splits, strata=strata)
    table = _quick_to_slice(features, named=getattr(estimator, "needs_names", True))
    orders = _orders(features.index, count, rng, blocks=blocks)
    if statistic is None:
        work = partial(_survival_replicate, estimator, table, outcome.to_structured(), judged)
    else:
        rows = held_out_rows(features.index, splits).assign(label=np.nan)
        target = outcome.to_structured()
        work = partial(_predicted_replicate, estimator, table, target, splits, rows, statistic)
    return _over_orders(work, orders, jobs=jobs)


class _Judged(NamedTuple):
    """The splits of one repeat and, in the order of their test parts, what risks are held to."""

    splits: tuple[Split, ...]
    time: NDArray[np.float64]
    event: NDArray[np.bool_]
    strata: NDArray[Any] | None


def _judged(
    patient_ids: pd.Index,
    outcome: SurvivalOutcome,
    splits: Sequence[Split],
    *,
    strata: pd.Series | None,
) -> tuple[_Judged, ...]:
    repeats = []
    number = attrgetter("repeat")
    for _, part in groupby(sorted(splits, key=number), key=number):
        of_repeat = tuple(part)
        tested = patient_ids[np.concatenate([split.test for split in of_repeat])]
        truth = outcome.for_patients(tested)
        within = None if strata is None else of_patients(strata, tested, what="stratum")
        require_comparable(truth, within, split="null of the cross-validation")
        repeats.append(_Judged(of_repeat, truth.time.to_numpy(), truth.event.to_numpy(), within))
    return tuple(repeats)


def _orders(
    patient_ids: pd.Index, count: int, rng: np.random.Generator, *, blocks: pd.Series | None
) -> NDArray[np.intp]:
    if count < 1:
        raise StudyError(f"expected at least 1 permutation; found {count}. Use 199 or more.")
    members = None if blocks is None else of_patients(blocks, patient_ids, what="block")
    return permutations(len(patient_ids), count, rng, blocks=members)


def _over_orders(
    work: Callable[..., float | Sequence[float]], orders: NDArray[np.intp], *, jobs: int
) -> NDArray[np.float64]:
    parallel = Parallel(n_jobs=jobs, return_as="generator")
    replicates = parallel(delayed(work)(order=order) for order in orders)
    return np.array(list(progress(replicates, "permutations", total=len(orders))), dtype=float)


def _quick_to_slice(features: pd.DataFrame, *, named: bool) -> Rows:
    """Leave names out unless a step needs them: checking them costs more than the fits."""
    facts = any(str(name).startswith(MARK) for name in features.columns)
    return features.copy() if named or facts else features.to_numpy(dtype=float)


def _replicate(
    estimator: BaseEstimator,
    features: Rows,
    patient_ids: pd.Index,
    labelled: tuple[LabelledSplit, ...],
    statistic: Statistic,
    *,
    order: NDArray[np.intp],
) -> float | Sequence[float]:
    shuffled = take_rows(features, order)
    scores = [score_test_part(estimator, shuffled, part)[0] for part in labelled]
    return statistic(predictions_frame(patient_ids, labelled, scores))


def _survival_replicate(
    estimator: BaseEstimator,
    features: Rows,
    target: NDArray[np.void],
    judged: tuple[_Judged, ...],
    *,
    order: NDArray[np.intp],
) -> float:
    shuffled = take_rows(features, order)
    found = []
    for splits, time, event, strata in judged:
        fits = ((fit_part(estimator, shuffled, target, split=split), split) for split in splits)
        risks = np.concatenate([score_part(fitted, shuffled, split) for fitted, split in fits])
        found.append(concordance_batch(risks[None], time, event, strata=strata)[0])
    return float(np.mean(found))


def _predicted_replicate(
    estimator: BaseEstimator,
    features: Rows,
    target: NDArray[np.void],
    splits: Sequence[Split],
    rows: pd.DataFrame,
    statistic: Statistic,
    *,
    order: NDArray[np.intp],
) -> float | Sequence[float]:
    shuffled = take_rows(features, order)
    fits = ((fit_part(estimator, shuffled, target, split=split), split) for split in splits)
    risks = [score_part(fitted, shuffled, split) for fitted, split in fits]
    return statistic(rows.assign(score=np.concatenate(risks)))
