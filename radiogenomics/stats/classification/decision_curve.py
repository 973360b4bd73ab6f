"""Net benefit: what deciding by a predicted probability is worth, at each threshold.

The threshold is the probability at which one would be indifferent whether to treat, so its odds say
how many false positives one true positive is worth: choose its range from what the treatment does,
before looking at the curve. A model is of use where it beats treating all and treating none.
Miscalibration costs net benefit; on the patients that a model was fitted to the curve is too high.
Bounds hold for each threshold alone.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.bootstrap import bootstrap_estimate
from radiogenomics.stats.classification.calibration import _check as check_probabilities
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_level, check_scores
from radiogenomics.stats.resampled_pairs import check_counts, chunks
from radiogenomics.stats.survival.risk_influence import GroupShares, group_shares
from radiogenomics.stats.survival.survival_calibration import checked_risk


class BenefitCurve(NamedTuple):
    """Net benefit of one strategy over the thresholds.

    Attributes
    ----------
    value : ndarray of shape (thresholds,)
        In true positives a patient: 0.02 is two more true positives among 100 patients, at no more
        false positives.
    se : ndarray of shape (thresholds,)
    low, high : ndarray of shape (thresholds,)
        Pointwise bounds; without width where nobody is at or above the threshold.
    """

    value: Floats
    se: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class NetBenefit:
    """Net benefit of a model beside that of treating everybody or nobody.

    Attributes
    ----------
    thresholds : ndarray of shape (thresholds,)
    model, treat_all, treat_none : BenefitCurve
        Treating nobody is 0 throughout.
    gain : BenefitCurve
        Model less treating all, with the error of the paired difference: two intervals that overlap
        say little of it.
    """

    thresholds: Floats
    model: BenefitCurve
    treat_all: BenefitCurve
    treat_none: BenefitCurve
    gain: BenefitCurve


def net_benefit(
    probabilities: ArrayLike,
    labels: ArrayLike,
    thresholds: ArrayLike,
    *,
    level: float = 0.95,
    counts: ArrayLike | None = None,
) -> NetBenefit:
    """Net benefit of treating those whose predicted probability reaches a threshold.

    NB(t) = TP / n - FP / n * t / (1 - t), TP and FP being the positives and negatives with a
    probability of t or more. Errors are those of the mean over patients (Pfeiffer & Gail), bounds
    are Wald's; with few true positives prefer percentile bounds, from the counts of a bootstrap.

    Parameters
    ----------
    probabilities : array-like of shape (n,)
        Predicted probability of label 1.
    labels : array-like of shape (n,)
        Both classes must be present.
    thresholds : array-like of shape (thresholds,)
        Above 0 and below 1.
    level : float
    counts : array-like of int, shape (replicates, n), optional
        From `bootstrap_counts`.

    Returns
    -------
    NetBenefit

    Raises
    ------
    DataError
        If probabilities are not from 0 to 1, one per label, or thresholds not between 0 and 1.
    OutcomeError
        If labels are not 0 and 1, or one class is absent.

    References
    ----------
    Vickers & Elkin 2006, doi:10.1177/0272989X06295361; Pfeiffer & Gail 2020,
    doi:10.1002/bimj.201800240.

    Examples
    --------
    >>> found = net_benefit([0.1, 0.3, 0.4, 0.9], [0, 1, 0, 1], [0.2, 0.5])
    >>> found.model.value.tolist(), found.treat_all.value.tolist()
    ([0.4375, 0.25], [0.375, 0.0])
    """
    values, positive = check_scores(*check_probabilities(probabilities, labels))
    cuts = check_thresholds(thresholds)
    if counts is not None:
        return _resampled(values, positive, cuts, counts=counts, level=level)
    true, false = (_at_or_above(values[part], cuts) for part in (positive, ~positive))
    missed, spared = positive.sum() - true, (~positive).sum() - false
    z = float(ndtri(0.5 + check_level(level) / 2))
    model, treat_all, gain = (
        _mean_curve(*pair, cuts / (1 - cuts), n=values.size, z=z)
        for pair in ((true, false), (true + missed, false + spared), (-missed, -spared))
    )
    return NetBenefit(cuts, model, treat_all, _nothing(cuts), gain)


def net_benefit_survival(
    risk_at_horizon: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    horizon: float,
    thresholds: ArrayLike,
    level: float = 0.95,
) -> NetBenefit:
    """Net benefit of treating those whose predicted risk by a horizon reaches a threshold.

    NB(t) = q R - q (1 - R) t / (1 - t), q being the share of patients with a risk of t or more and
    R their risk by one minus the Kaplan-Meier curve at the horizon. Rests on censoring that owes
    nothing to the outcome among those above each threshold; deaths of another cause, if censored,
    make R too high. Errors come from the infinitesimal jackknife of share and curve.

    Parameters
    ----------
    risk_at_horizon, time, event : array-like of shape (n,)
        Predicted probability of the event by the horizon; months; 1 where the event was seen.
    horizon : float
        Months.
    thresholds, level
        As in `net_benefit`.

    Returns
    -------
    NetBenefit
        Model and gain are NaN, with a warning, where nobody above the threshold is followed to the
        horizon.

    Raises
    ------
    DataError, OutcomeError
        As in `checked_risk`, or if a threshold is not between 0 and 1.

    References
    ----------
    Vickers et al. 2008, doi:10.1186/1472-6947-8-53.

    Examples
    --------
    >>> found = net_benefit_survival([0.1, 0.3, 0.6, 0.9], [9, 5, 8, 2], [0, 1, 0, 1], horizon=6,
    ...                              thresholds=[0.5])
    >>> found.model.value.tolist(), found.treat_all.value.tolist()
    ([0.0], [0.0])
    """
    values, times, events = checked_risk(risk_at_horizon, time, event, horizon=horizon)
    cuts = check_thresholds(thresholds)
    sizes, place = np.unique(_at_or_above(values, cuts), return_inverse=True)
    members = [values >= cuts[place == row].min() for row in range(sizes.size)]
    groups = [group_shares(member, times, events, horizon=horizon) for member in members]
    model, moves = _worth([groups[row] for row in place], cuts)
    everybody = group_shares(values >= 0, times, events, horizon=horizon)
    treat_all, all_moves = _worth([everybody] * cuts.size, cuts)
    _warn_of_unknown(model, horizon=horizon)
    pairs = (model, moves), (treat_all, all_moves), (model - treat_all, moves - all_moves)
    z = float(ndtri(0.5 + check_level(level) / 2))
    curves = [_wald(value, np.sqrt(np.square(each).sum(axis=1)), z=z) for value, each in pairs]
    return NetBenefit(cuts, curves[0], curves[1], _nothing(cuts), curves[2])


def check_thresholds(thresholds: ArrayLike) -> Floats:
    """Return threshold probabilities as an array, or say what is wrong with them.

    Parameters
    ----------
    thresholds : array-like of shape (thresholds,) or ()

    Returns
    -------
    ndarray of shape (thresholds,)

    Raises
    ------
    DataError
        If there is none, or one is not above 0 and below 1.

    Examples
    --------
    >>> check_thresholds(0.2)
    array([0.2])
    """
    cuts = np.atleast_1d(as_floats(thresholds, "thresholds"))
    bad = ~((cuts > 0) & (cuts < 1))
    if cuts.ndim != 1 or cuts.size == 0 or bad.any():
        raise DataError(
            "expected thresholds above 0 and below 1, at least one; found shape "
            f"{cuts.shape} with {int(bad.sum())} others; at 0 everybody is treated, and at 1 a "
            "false positive would cost infinitely much."
        )
    return cuts


def _at_or_above(values: Floats, cuts: Floats) -> Floats:
    return (values.size - np.searchsorted(np.sort(values), cuts, side="left")).astype(float)


def _mean_curve(true: Floats, false: Floats, odds: Floats, *, n: int, z: float) -> BenefitCurve:
    """Mean over patients that count 1, -odds or 0; both counts are negative for what is lost."""
    value = (true - odds * false) / n
    square = (np.abs(true) + odds**2 * np.abs(false)) / n
    return _wald(value, np.sqrt(np.maximum(square - value**2, 0) / n), z=z)


def _wald(value: Floats, se: Floats, *, z: float) -> BenefitCurve:
    se = np.where(np.isnan(value), np.nan, se)
    return BenefitCurve(value, se, value - z * se, value + z * se)


def _nothing(cuts: Floats) -> BenefitCurve:
    return BenefitCurve(*np.zeros((4, cuts.size)))


def _warn_of_unknown(model: Floats, *, horizon: float) -> None:
    unknown = int(np.isnan(model).sum())
    if unknown:
        warnings.warn(
            f"{unknown} of {model.size} thresholds have nobody at or above them who is followed to "
            f"{horizon:g} months: the net benefit there is unknown; choose lower thresholds or an "
            "earlier horizon.",
            RadiogenomicsWarning,
            stacklevel=3,
        )


def _worth(groups: list[GroupShares], cuts: Floats) -> tuple[Floats, Floats]:
    """Net benefit of treating one group at each threshold, and its influences."""
    odds = cuts / (1 - cuts)
    value = [group.shares[0] - w * group.shares[1] for group, w in zip(groups, odds, strict=True)]
    moves = [g.influence[0] - w * g.influence[1] for g, w in zip(groups, odds, strict=True)]
    return np.array(value), np.array(moves)


def _resampled(
    values: Floats, positive: Bools, cuts: Floats, *, counts: ArrayLike, level: float
) -> NetBenefit:
    drawn = check_counts(counts, values.size)
    worth = np.where(positive[:, None], 1.0, -cuts / (1 - cuts))
    treated = worth * (values[:, None] >= cuts)
    columns = np.hstack([treated, worth, treated - worth])
    replicates = np.empty((len(drawn), columns.shape[1]))
    for part in chunks(len(drawn), values.size):
        weights = drawn[part].astype(float)
        replicates[part] = weights @ columns / weights.sum(axis=1, keepdims=True)
    found = bootstrap_estimate(columns.mean(axis=0), replicates, level=level)
    parts = (np.split(each, 3) for each in (found.value, found.se, found.low, found.high))
    model, treat_all, gain = (BenefitCurve(*curve) for curve in zip(*parts, strict=True))
    return NetBenefit(cuts, model, treat_all, _nothing(cuts), gain)
