"""How well out-of-fold predictions order patients, compared only within the folds they come from.

Predictions of two folds come from two models. A test part of high values leaves a training part of
lower mean behind, and is foretold lower for it: pooled over folds, predictions that know nothing go
against the truth (Parker et al. 2007). So patients are compared with those of their own fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtri

from radiogenomics.stats.association.units import correlation_interval
from radiogenomics.stats.inputs import Bools, Floats, check_level
from radiogenomics.stats.intervals import Interval, clopper_pearson
from radiogenomics.stats.ranks import midranks, spearman

# Below this a variance is rounding: everything is separated, or all predictions are equal.
_NO_VARIANCE = 1e-20


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What was foretold and found in one test part.

    Parameters
    ----------
    predicted, measured
        Shape (patients, targets).
    high
        Whether the measured value is above the median of the training part, same shape.
    """

    predicted: Floats
    measured: Floats
    high: Bools


class Bounded(NamedTuple):
    """Estimates with bounds, each of shape (targets,)."""

    value: Floats
    low: Floats
    high: Floats


def rank_correlation(repeats: Sequence[Sequence[HeldOut]], *, level: float = 0.95) -> Bounded:
    """Spearman's correlation within test parts, weighted by their patients, mean over repeats.

    A part in which all are foretold alike, or are alike, counts as 0. Bounds as of
    :func:`spearman_interval` with the patients of one repeat, each test part spending three of
    them: they leave out that the training parts are a sample too.
    """
    value = np.mean([_rho(parts) for parts in repeats], axis=0)
    spent = np.mean([sum(len(part.measured) - 3 for part in parts) for parts in repeats])
    bounds = spearman_interval(value, float(spent) + 3, level=level)
    return Bounded(value, bounds.low, bounds.high)


def auc_of_high(repeats: Sequence[Sequence[HeldOut]], *, level: float = 0.95) -> Bounded:
    """Share of pairs of a high and a low patient of one test part that are foretold in that order.

    Ties count half. The variance of a repeat is DeLong's, taken over the parts as over strata with
    one variance of placements in all of them; repeats average the value and not the choice of
    patients, so their mean variance stays. Wald's interval on the logit scale; where it has no
    width, that of Clopper and Pearson for as many pairs as the smaller class has patients. NaN
    where no part has patients of both classes.

    References
    ----------
    DeLong et al. 1988, doi:10.2307/2531595.
    """
    found = [_auc(parts) for parts in repeats]
    value = np.mean([auc for auc, _, _ in found], axis=0)
    variance = np.mean([spread for _, spread, _ in found], axis=0)
    pairs = np.min([smaller for _, _, smaller in found], axis=0)
    z = float(ndtri(0.5 + check_level(level) / 2))
    usual = (variance > _NO_VARIANCE) & (value > 0) & (value < 1)
    inside = np.where(usual, value, 0.5)
    half = z * np.sqrt(np.where(usual, variance, 0.0)) / (inside * (1 - inside))
    known = np.where(np.isnan(value), 0.5, value)
    exact = clopper_pearson(known * pairs, pairs, level=level)
    low = np.where(usual, expit(logit(inside) - half), exact.low)
    high = np.where(usual, expit(logit(inside) + half), exact.high)
    lost = np.isnan(value)
    return Bounded(value, np.where(lost, np.nan, low), np.where(lost, np.nan, high))


def spearman_interval(rho: ArrayLike, n: float, *, level: float = 0.95) -> Interval:
    """Interval of Spearman's rank correlation in so many patients.

    That of :func:`~radiogenomics.stats.association.units.correlation_interval`: an approximation,
    good from about 25 patients and for correlations up to 0.9.

    Parameters
    ----------
    rho : array-like
    n
        Patients, more than 3.
    level
        Of the interval.

    Examples
    --------
    >>> [round(float(bound), 3) for bound in spearman_interval(0.5, 50)]
    [0.241, 0.692]
    """
    return Interval(*correlation_interval(rho, n - 2, level=check_level(level), method="spearman"))


def _rho(parts: Sequence[HeldOut]) -> Floats:
    sizes = [len(part.measured) for part in parts]
    found = [np.nan_to_num(spearman(part.predicted, part.measured).rho) for part in parts]
    return np.asarray(np.average(found, axis=0, weights=sizes))


def _auc(parts: Sequence[HeldOut]) -> tuple[Floats, Floats, Floats]:
    """AUC, its variance, and patients of the smaller class, for each target."""
    positives, negatives, wins, spread_wins, spread_losses = (
        np.array(column) for column in zip(*map(_placements, parts), strict=True)
    )
    pairs = positives * negatives
    total = pairs.sum(axis=0)
    both = pairs > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        value = wins.sum(axis=0) / total
        of_wins = spread_wins.sum(axis=0) / np.where(both, positives - 1, 0).sum(axis=0)
        of_losses = spread_losses.sum(axis=0) / np.where(both, negatives - 1, 0).sum(axis=0)
        each = np.where(both, pairs**2 * (of_wins / positives + of_losses / negatives), 0.0)
        variance = each.sum(axis=0) / total**2
    smaller = np.minimum(positives.sum(axis=0), negatives.sum(axis=0))
    return value, np.nan_to_num(variance), smaller


def _placements(part: HeldOut) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Positives, negatives, pairs won, and squared deviations of both kinds of placements."""
    high, scores = part.high.T, part.predicted.T
    positives, negatives = high.sum(axis=1).astype(float), (~high).sum(axis=1).astype(float)
    ranks = midranks(scores)
    # Those of the other class stand behind all and do not touch the ranks of this one.
    beaten = np.where(high, ranks - midranks(np.where(high, scores, np.inf)), 0.0)
    by = np.where(high, 0.0, ranks - midranks(np.where(high, np.inf, scores)))
    wins = beaten.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share_won = np.where(high, beaten / negatives[:, None], np.nan)
        share_lost = np.where(high, np.nan, by / positives[:, None])
    return positives, negatives, wins, _squares(share_won), _squares(share_lost)


def _squares(values: Floats) -> Floats:
    """Squared deviations from the mean of each row, NaN left out; 0 where there is no other."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    mean = filled.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.asarray(np.square(np.where(known, filled - mean[:, None], 0.0)).sum(axis=1))
