r"""The virtual biopsy: how well images foretell each gene, set or score out of sample.

Of each target, over the test parts of a repeat and then the mean over repeats:

- :math:`R^2 = 1 - \sum_i (y_i - \hat y_i)^2 / \sum_i (y_i - \bar y_{(i)})^2`, with
  :math:`\bar y_{(i)}` the mean of the training part that patient i is not in: 0 is no better than
  to foretell that mean, below 0 is worse;
- rho, and the AUC of patients above the training median, comparing patients of one test part only,
  as :mod:`radiogenomics.evaluation.within_folds` says why: 0 and 1/2 are chance;
- p of R², one-sided: the whole procedure, tuning included, is repeated with whole patients of the
  target table permuted against the features. All targets share the permutations, so p_family,
  against the strongest target of each permutation, allows for their correlation.

A learner that keeps to the mean has an R² of 0. Many permutations tie with that; ties count against
the target, and p is then conservative (never small). Each learner gets rows of its own, and fdr and
p_family count the targets of one learner: to quote the best of several learners for a target is to
choose by the outer folds. No p is below 1 / (1 + permutations), so that finding a share s of the
targets at an fdr of 0.05 takes 20 / s permutations or more.

The half-width is a quantile of absolute out-of-fold errors, the ⌈level (n + 1)⌉-th smallest (mean
over repeats). The interval prediction ± half-width, of a surrogate locked on all these patients,
covers about that share of *like* patients, on average and not for each kind of them; nothing is
promised for another scanner or cohort.

References
----------
Varma and Simon 2006, doi:10.1186/1471-2105-7-91 (nested); Parker et al. 2007,
doi:10.1186/1471-2105-8-326 (folds pooled); Barber et al. 2021, doi:10.1214/20-AOS1965 (intervals
from out-of-fold errors).

Examples
--------
>>> from sklearn.linear_model import RidgeCV
>>> from radiogenomics.evaluation.splits import PatientKFold
>>> from radiogenomics.stats.permutation import permutations
>>> rng = np.random.default_rng(0)
>>> X = pd.DataFrame(rng.normal(size=(60, 4)))
>>> Y = pd.DataFrame({"seen": X[1] + rng.normal(size=60), "unseen": rng.normal(size=60)})
>>> orders = permutations(60, 19, rng)
>>> found = virtual_biopsy({"ridge": RidgeCV()}, X, Y, folds=PatientKFold(5), orders=orders)
>>> found.biopsy[["target", "r2", "p", "p_family"]].round(2).values.tolist()
[['seen', 0.29, 0.05, 0.05], ['unseen', -0.08, 0.8, 1.0]]
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.evaluation.fold import Splitter, checked_splits, require_one_row_each
from radiogenomics.evaluation.permuted_folds import PermutedFolds
from radiogenomics.evaluation.splits import Split
from radiogenomics.evaluation.within_folds import HeldOut, auc_of_high, rank_correlation
from radiogenomics.stats.inputs import Floats, as_floats, check_level
from radiogenomics.stats.multiplicity import adjust
from radiogenomics.stats.permutation import permutation_p

KINDS = ("gene", "set", "score")
COLUMNS = ("target", "kind", "learner", "r2", "rho", "rho_low", "rho_high")
COLUMNS += ("auc", "auc_low", "auc_high", "p", "fdr", "p_family", "n")

_FEWEST = 4


@dataclass(frozen=True, eq=False)
class VirtualBiopsy:
    """What images foretell of targets, out of sample.

    Parameters
    ----------
    biopsy
        One row a learner and target, learners in the order given, within each the best R² first:
        ``target, kind, learner, r2, rho, rho_low, rho_high, auc, auc_low, auc_high, p, fdr,
        p_family, n``.
    predictions
        Learner → patients x targets: out-of-fold predictions, mean over repeats, in units of the
        target.
    residuals
        ``learner, target, half_width, level, n``: half the width of an interval for a new patient.
    null_strongest
        Learner → the highest R² of any target in each permutation, shape (count,).
    """

    biopsy: pd.DataFrame
    predictions: Mapping[str, pd.DataFrame]
    residuals: pd.DataFrame
    null_strongest: Mapping[str, Floats]


def virtual_biopsy(
    estimators: Mapping[str, BaseEstimator],
    features: pd.DataFrame,
    targets: pd.DataFrame,
    *,
    folds: Splitter,
    orders: NDArray[np.intp],
    kinds: Mapping[str, str] | str = "gene",
    level: float = 0.95,
    jobs: int = 1,
) -> VirtualBiopsy:
    """Cross-validate each learner on all targets, and repeat it with the patients permuted.

    Definitions, and how they mislead, stand at the head of this module.

    Parameters
    ----------
    estimators
        Name → regressor of several targets, tuned inside. One with ``prepare`` (see
        :class:`radiogenomics.evaluation.permuted_folds.Preparing`) is decomposed once a fold for
        all permutations; any other is refitted in each.
    features, targets
        Patients x features and patients x targets, indexed by the same patients in one order.
    folds
        Deals patients, whatever their targets, to test parts of 4 or more.
    orders
        Permutations of patients, shape (count, n), as of
        :func:`radiogenomics.stats.permutation.permutations`, within sites if these differ.
    kinds
        Of each target, or of all: ``"gene"``, ``"set"`` or ``"score"``.
    level
        Of the intervals.
    jobs
        Processes; results do not depend on it.

    Raises
    ------
    AlignmentError, OutcomeError, DataError
        Patients differ in number or order, or are there twice; a target does not vary, is missing
        for a patient or foretold as infinite; an order is no permutation.
    StudyError, LeakageError, UnknownNameError
        A part has fewer than 4 patients, a patient is tested twice in a repeat, or there are too
        few for the level; one is on both sides; a kind is not known.
    """
    values = _checked_targets(features, targets)
    kind_of = _kinds(kinds, list(map(str, targets.columns)))
    shuffled = _checked_orders(orders, len(values))
    splits = _checked_folds(folds, features.index, level=level)
    if not estimators:
        raise StudyError("expected one or more learners; found none. Give a ridge, for example.")
    found = {
        name: PermutedFolds.of(each, features, values, splits=splits, orders=shuffled, jobs=jobs)
        for name, each in estimators.items()
    }
    return _told(found, splits, targets, kind_of=kind_of, level=level)


def _told(
    found: Mapping[str, PermutedFolds],
    splits: Sequence[Split],
    targets: pd.DataFrame,
    *,
    kind_of: Sequence[str],
    level: float,
) -> VirtualBiopsy:
    """Tables of what each learner found."""
    names, values = list(map(str, targets.columns)), targets.to_numpy(dtype=float)
    tested = np.unique(np.concatenate([split.test for split in splits]))
    tables, widths, predictions = [], [], {}
    for name, judged in found.items():
        repeats = _repeats(splits, judged.predicted, values)
        table = _rows(judged, repeats, level=level).assign(target=names, kind=kind_of, learner=name)
        tables.append(table.sort_values("r2", ascending=False, kind="stable"))
        half = _half_widths(repeats, level=level)
        widths.append(pd.DataFrame({"learner": name, "target": names, "half_width": half}))
        means = _mean_predictions(splits, judged.predicted, values.shape)[tested]
        predictions[name] = pd.DataFrame(means, index=targets.index[tested], columns=names)
    biopsy = pd.concat(tables, ignore_index=True).assign(n=tested.size)[list(COLUMNS)]
    _warn_of_one_class(biopsy)
    return VirtualBiopsy(
        biopsy=biopsy,
        predictions=predictions,
        residuals=pd.concat(widths, ignore_index=True).assign(level=level, n=tested.size),
        null_strongest={name: judged.null.max(axis=1) for name, judged in found.items()},
    )


def _repeats(
    splits: Sequence[Split], predicted: Sequence[Floats], targets: Floats
) -> list[list[HeldOut]]:
    pairs = sorted(zip(splits, predicted, strict=True), key=lambda pair: pair[0].repeat)
    return [
        [
            HeldOut(found, targets[s.test], targets[s.test] > np.median(targets[s.train], axis=0))
            for s, found in group
        ]
        for _, group in groupby(pairs, key=lambda pair: pair[0].repeat)
    ]


def _rows(judged: PermutedFolds, repeats: list[list[HeldOut]], *, level: float) -> pd.DataFrame:
    rho = rank_correlation(repeats, level=level)
    auc = auc_of_high(repeats, level=level)
    strongest = judged.null.max(axis=1)
    p = [permutation_p(r2, null) for r2, null in zip(judged.r2, judged.null.T, strict=True)]
    return pd.DataFrame(
        {
            "r2": judged.r2,
            **{"rho": rho.value, "rho_low": rho.low, "rho_high": rho.high},
            **{"auc": auc.value, "auc_low": auc.low, "auc_high": auc.high},
            "p": p,
            "fdr": adjust(p),
            "p_family": [permutation_p(r2, strongest) for r2 in judged.r2],
        }
    )


def _half_widths(repeats: list[list[HeldOut]], *, level: float) -> Floats:
    """Quantile of absolute errors, corrected for the patients being few; mean over repeats."""
    widths = []
    for parts in repeats:
        errors = np.sort(np.abs(np.vstack([part.predicted - part.measured for part in parts])), 0)
        widths.append(errors[_place(len(errors), level) - 1])
    return np.asarray(np.mean(widths, axis=0))


def _place(n: int, level: float) -> int:
    return math.ceil(level * (n + 1) - 1e-9)


def _mean_predictions(
    splits: Sequence[Split], predicted: Sequence[Floats], shape: tuple[int, ...]
) -> Floats:
    """Mean over the repeats that tested a patient; 0 where none did."""
    total, times = np.zeros(shape), np.zeros((shape[0], 1))
    for split, found in zip(splits, predicted, strict=True):
        total[split.test] += found
        times[split.test] += 1
    return total / np.maximum(times, 1)


def _checked_targets(features: pd.DataFrame, targets: pd.DataFrame) -> Floats:
    require_one_row_each(features, targets)
    if targets.columns.has_duplicates or not len(targets.columns):
        raise AlignmentError(
            f"expected one or more targets, each once; found {targets.shape[1]} columns of which "
            f"{targets.columns.nunique()} differ. Keep one column a target."
        )
    values = as_floats(targets, "targets")
    bad = ~np.isfinite(values).all(axis=0)
    if bad.any():
        raise DataError(
            f"expected targets known of all patients; found {int(bad.sum())} with missing or "
            f"infinite values ({short_list(targets.columns[bad])}). Leave these targets, or the "
            "patients, out."
        )
    constant = np.ptp(values, axis=0) <= 0
    if constant.any():
        raise OutcomeError(
            f"expected targets that vary; found {int(constant.sum())} with one value for all "
            f"{len(values)} patients ({short_list(targets.columns[constant])}). Leave them out."
        )
    return values


def _kinds(kinds: Mapping[str, str] | str, names: Sequence[str]) -> list[str]:
    given = dict.fromkeys(names, kinds) if isinstance(kinds, str) else kinds
    for name in names:
        if name not in given:
            raise UnknownNameError("target among the kinds", name, given)
        if given[name] not in KINDS:
            raise UnknownNameError("kind of target", given[name], KINDS)
    return [given[name] for name in names]


def _checked_orders(orders: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    table = np.asarray(orders)
    fits = table.ndim == 2 and table.shape[1] == n and len(table) > 0
    whole = fits and np.issubdtype(table.dtype, np.integer)
    if not whole or not (np.sort(table, axis=1) == np.arange(n)).all():
        raise DataError(
            f"orders: expected one or more permutations of {n} patients, shape (count, {n}); found "
            f"{table.dtype} of shape {table.shape}. Draw them with stats.permutation.permutations."
        )
    return table


def _checked_folds(folds: Splitter, patients: pd.Index, *, level: float) -> tuple[Split, ...]:
    splits = tuple(checked_splits(patients, folds, None))
    smallest = min((min(s.train.size, s.test.size) for s in splits), default=0)
    if smallest < _FEWEST:
        raise StudyError(
            f"expected {_FEWEST} or more patients in each training and test part; found "
            f"{smallest}. Use fewer folds or more patients."
        )
    for repeat, rows in _tested(splits):
        if np.unique(rows).size < rows.size:
            raise StudyError(
                f"repeat {repeat}: expected each patient in one test part at most; found "
                f"{rows.size - np.unique(rows).size} tested again. Number the repeats."
            )
        if _place(rows.size, check_level(level)) > rows.size:
            raise StudyError(
                f"repeat {repeat}: expected enough tested patients for an interval of level "
                f"{level:g}; found {rows.size}. Use a lower level, or more patients."
            )
    return splits


def _tested(splits: Sequence[Split]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    for repeat in sorted({split.repeat for split in splits}):
        yield repeat, np.concatenate([s.test for s in splits if s.repeat == repeat])


def _warn_of_one_class(biopsy: pd.DataFrame) -> None:
    lost = biopsy.loc[biopsy["auc"].isna(), "target"].unique()
    if lost.size:
        warnings.warn(
            f"{lost.size} target(s) ({short_list(lost)}) have no test part with patients above and "
            "not above the training median: their AUC is left empty. Read R² and rho instead.",
            RadiogenomicsWarning,
            stacklevel=4,
        )
