"""How well searched subsets rank patients of a cohort that took no part in the search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, check_groups
from radiogenomics.stats.survival.concordance import comparable_pairs, concordance_batch
from radiogenomics.stats.survival.subset_field import Candidates, check_candidates
from radiogenomics.stats.survival.subset_search import SubsetLevel, best_subsets


@dataclass(frozen=True, eq=False)
class SubsetSizes:
    """Concordance of the best subset of each size where it was not searched.

    Attributes
    ----------
    folds : ndarray of shape (folds,)
        What was left out, one label each.
    subsets : tuple of ndarray of int, shape (folds, size)
        The best subset of each size without that fold.
    concordance : ndarray of shape (sizes, folds)
        Harrell's C in the fold, pairs of patients formed within cohorts.
    mean, se : ndarray of shape (sizes,)
        Over folds; se is the standard deviation between folds over the root of their number.
    shortfall, shortfall_se : ndarray of shape (sizes,)
        Of the best mean, fold by fold: how much the folds differ in level plays no part in it.
    best_size : int
        The size of the best mean.
    size : int
        The smallest size whose shortfall is at most one standard error of it.
    """

    folds: NDArray[Any]
    subsets: tuple[NDArray[np.intp], ...]
    concordance: Floats
    mean: Floats
    se: Floats
    shortfall: Floats
    shortfall_se: Floats
    best_size: int
    size: int


def choose_subset_size(
    values: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    folds: ArrayLike | None = None,
    max_size: int = 3,
    beam: int = 1000,
    exhaustive: int = 200,
    ties: str = "efron",
) -> SubsetSizes:
    """Repeat the search without each fold, and see how many candidates the fold rewards.

    The whole of `best_subsets` is done anew without the fold, so that the fold knows nothing of
    what was chosen; coefficients come from the others too. With cohorts as folds the concordance
    says what to expect of one more cohort; with two to four its standard error is rough.

    Parameters
    ----------
    values, time, event, strata, max_size, beam, exhaustive, ties
        As in `best_subsets`.
    folds : array-like of shape (n,), optional
        What is left out together; the strata where left out.

    Raises
    ------
    OutcomeError, DataError
        As in `best_subsets`; if there are fewer than two folds, or a fold has no comparable pair.

    References
    ----------
    Breiman et al. 1984, Classification and Regression Trees, Wadsworth: one standard error.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes, site = rng.normal(size=(300, 10)), np.repeat([0, 1, 2], 100)
    >>> time = rng.exponential(np.exp(-genes[:, 3] - genes[:, 7]))
    >>> found = choose_subset_size(genes, time, np.ones(300), strata=site, max_size=2)
    >>> found.size, found.subsets[1].tolist()
    (2, [[3, 7], [3, 7], [3, 7]])
    """
    given = check_candidates(values, time, event, strata=strata, ties=ties)
    fold, labels = _check_folds(given, folds)
    searches, concordance = [], []
    for label in labels:
        rest = given.of(fold != label)
        found = best_subsets(
            rest.values, rest.time, rest.event, strata=rest.strata, max_size=max_size, keep=1,
            beam=beam, exhaustive=exhaustive, ties=ties,
        )  # fmt: skip
        searches.append(found.levels)
        concordance.append(_concordance(given.of(fold == label), found.levels))
    subsets = tuple(
        np.stack([level.subsets[0] for level in levels]) for levels in zip(*searches, strict=True)
    )
    return _sizes(labels, subsets, np.stack(concordance, axis=1))


def left_out_concordance(
    values: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    subsets: ArrayLike,
    strata: ArrayLike | None = None,
    folds: ArrayLike | None = None,
    ties: str = "efron",
) -> Floats:
    """Concordance of given subsets in each fold, with coefficients from the others.

    Honest for subsets that were fixed beforehand. For subsets that a search over all folds found it
    is too high, as every fold had a say in the choice: it compares them, and says little about
    what to expect elsewhere (`choose_subset_size` does).

    Parameters
    ----------
    values, time, event, strata, folds, ties
        As in `choose_subset_size`.
    subsets : array-like of int, shape (subsets, size)
        Positions of candidates.

    Returns
    -------
    ndarray of shape (subsets, folds)
        In the sorted order of fold labels; NaN where the model without the fold has no finite
        maximum.

    Raises
    ------
    OutcomeError, DataError
        As in `choose_subset_size`; if a subset names no candidate.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes, site = rng.normal(size=(300, 10)), np.repeat([0, 1, 2], 100)
    >>> time = rng.exponential(np.exp(-genes[:, 3] - genes[:, 7]))
    >>> left_out_concordance(genes, time, np.ones(300), subsets=[[3, 7]], strata=site).round(2)
    array([[0.8 , 0.81, 0.75]])
    """
    given = check_candidates(values, time, event, strata=strata, ties=ties)
    chosen = _check_subsets(subsets, given.values.shape[1])
    fold, labels = _check_folds(given, folds)
    concordance = np.empty((len(chosen), labels.size))
    for at, label in enumerate(labels):
        fit, out = given.of(fold != label).fit(chosen), given.of(fold == label)
        coef = np.where(fit.converged[:, None], fit.coef, np.nan)
        risks = np.einsum("nbp,bp->bn", out.values[:, chosen], coef)
        concordance[:, at] = concordance_batch(risks, out.time, out.event, strata=out.strata)
    return concordance


def _concordance(out: Candidates, levels: tuple[SubsetLevel, ...]) -> Floats:
    """Of the best subset of each level in patients that were left out."""
    risks = np.stack([out.values[:, level.subsets[0]] @ level.coef[0] for level in levels])
    return concordance_batch(risks, out.time, out.event, strata=out.strata)


def _sizes(
    labels: NDArray[Any], subsets: tuple[NDArray[np.intp], ...], concordance: Floats
) -> SubsetSizes:
    mean, se = _mean_and_se(concordance)
    best = int(np.argmax(mean))
    shortfall, shortfall_se = _mean_and_se(concordance[best] - concordance)
    size = int(np.argmax(shortfall <= shortfall_se)) + 1
    return SubsetSizes(
        labels, subsets, concordance, mean, se, shortfall, shortfall_se, best + 1, size
    )


def _mean_and_se(values: Floats) -> tuple[Floats, Floats]:
    """Over folds, the last axis."""
    return values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])


def _check_folds(given: Candidates, folds: ArrayLike | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Fold of each patient, and the labels of all folds."""
    fold = given.strata if folds is None else check_groups(folds, given.time.size, what="fold")
    labels = np.unique(fold)
    if labels.size < 2:
        raise DataError(
            f"expected at least two folds or cohorts to leave out in turn; found {labels.size}. "
            "Give folds: one label a patient, as a splitter makes them."
        )
    for label in labels:
        out = given.of(fold == label)
        if not (out.event.any() and comparable_pairs(out.time, out.event, strata=out.strata)):
            raise DataError(
                "expected patients in every fold whose order of survival is known; found none in "
                f"{label!s}. Use fewer, larger folds."
            )
    return fold, labels


def _check_subsets(subsets: ArrayLike, candidates: int) -> NDArray[np.intp]:
    chosen = np.asarray(subsets)
    inside = chosen.ndim == 2 and chosen.size and chosen.dtype.kind in "iu"
    if not inside or chosen.min() < 0 or chosen.max() >= candidates:
        raise DataError(
            "expected subsets as a table of positions from 0 to "
            f"{candidates - 1}, one subset a row; found shape {chosen.shape} of {chosen.dtype}. "
            "Take them from best_subsets."
        )
    return chosen.astype(np.intp)
