"""Reclassification: whether a second model moves predictions the right way.

Read with care. Both measures reward moves and not truth. The net reclassification improvement is
positive, and "significant", for markers that carry no information at all, when the second model is
poorly calibrated or was fitted to the very patients it is judged on, and so is the integrated
discrimination improvement: even the model that made the data can be "improved" upon. Changes of
net benefit (`decision_curve`), of the Brier score or of the likelihood cannot be inflated so.
Events and non-events must be read apart, for their sum weighs them as though half of all patients
had the event; without cut-offs a move of 0.001 counts as one of 0.5. See Hilden & Gerds 2014,
doi:10.1002/sim.5804, and Kerr et al. 2014, doi:10.1097/EDE.0000000000000018.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.classification.calibration import _check as check_probabilities
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_level, check_scores
from radiogenomics.stats.survival.risk_influence import RiskInfluence, group_shares, risk_influence
from radiogenomics.stats.survival.survival_calibration import checked_risk

# A variance below this is rounding: a real one is of the order of a move over n squared.
_NO_VARIANCE = 1e-20


class Improvement(NamedTuple):
    """A change from the first to the second model, above 0 where the second is better.

    Attributes
    ----------
    value, se : float
    z, p : float
        Value over error, two-sided.
    low, high : float
        Wald bounds. With `z` and `p` NaN where all moved alike, so that there is no error to go by.
    """

    value: float
    se: float
    z: float
    p: float
    low: float
    high: float


@dataclass(frozen=True)
class NetReclassification:
    """Net reclassification improvement with its parts.

    Attributes
    ----------
    total : Improvement
        Sum of the two parts, -2 to 2; not a proportion of anything.
    events, nonevents : Improvement
        Share moved the right way less share moved the wrong way, -1 to 1.
    up_events, down_events, up_nonevents, down_nonevents : float
        Shares of those with and without the event whose prediction rose or fell.
    """

    total: Improvement
    events: Improvement
    nonevents: Improvement
    up_events: float
    down_events: float
    up_nonevents: float
    down_nonevents: float


class DiscriminationImprovement(NamedTuple):
    """Integrated discrimination improvement with its parts.

    Attributes
    ----------
    total : Improvement
        Gain in the difference of mean predictions between those with and without the event.
    events, nonevents : Improvement
        Mean rise among those with, mean fall among those without the event.
    """

    total: Improvement
    events: Improvement
    nonevents: Improvement


def net_reclassification(
    first: ArrayLike,
    second: ArrayLike,
    labels: ArrayLike,
    *,
    cutoffs: ArrayLike | None = None,
    level: float = 0.95,
) -> NetReclassification:
    """Net reclassification improvement of a second model over a first.

    NRI = [P(up | event) - P(down | event)] + [P(down | no event) - P(up | no event)], where up and
    down are moves to another risk class, or, without cut-offs, any change of the prediction. With
    U and D moved among n of a class the variance is (U + D) / n^2 - (U - D)^2 / n^3, as in Hmisc;
    the original paper leaves the second term out of its tests. With one cut-off the parts are the
    changes of sensitivity and specificity. Where it misleads: top of this module.

    Parameters
    ----------
    first, second : array-like of shape (n,)
        Predicted probability of label 1 by either model, of patients neither was fitted to.
    labels : array-like of shape (n,)
        Both classes must be present.
    cutoffs : array-like of shape (k,), optional
        Rising, above 0 and below 1; a probability equal to a cut-off is in the class above it.
    level : float

    Returns
    -------
    NetReclassification

    Raises
    ------
    DataError
        If probabilities lie outside 0 to 1 or are not one per label, or cut-offs do not rise.
    OutcomeError
        If labels are not 0 and 1, or one class is absent.

    References
    ----------
    Pencina et al. 2008, doi:10.1002/sim.2929; Pencina et al. 2011, doi:10.1002/sim.4085.

    Examples
    --------
    >>> found = net_reclassification([0.2, 0.4, 0.3, 0.6, 0.3], [0.1, 0.5, 0.4, 0.7, 0.2],
    ...                              [0, 0, 1, 1, 1], cutoffs=[0.35])
    >>> round(found.events.value, 3), found.nonevents.value
    (0.333, 0.0)
    """
    old, positive = check_scores(*check_probabilities(first, labels))
    move = _moves(old, check_probabilities(second, labels)[0], cutoffs)
    shares = [
        float(np.mean(move[part] == way)) for part in (positive, ~positive) for way in (1, -1)
    ]
    gains = []
    for part, way in ((positive, 1), (~positive, -1)):
        right = way * move[part]
        gains.append((float(right.mean()), float(right.var()) / right.size))
    return NetReclassification(*_with_total(gains, None, level=level), *shares)


def net_reclassification_survival(
    first: ArrayLike,
    second: ArrayLike,
    *,
    time: ArrayLike,
    event: ArrayLike,
    horizon: float,
    cutoffs: ArrayLike | None = None,
    level: float = 0.95,
) -> NetReclassification:
    """Net reclassification improvement for the event by a horizon, with censoring.

    With R, Ru and Rd the Kaplan-Meier risks by the horizon of all, of those moved up and of those
    moved down, and qu and qd the shares of the latter two,
    NRI = (qu Ru - qd Rd) / R + (qd (1 - Rd) - qu (1 - Ru)) / (1 - R).
    Curves of groups do not add up exactly to that of all, so shares may leave 0 to 1 a little.
    Errors come from the infinitesimal jackknife. Where it misleads: top of this module.

    Parameters
    ----------
    first, second, time, event : array-like of shape (n,)
        Predicted probability of the event by the horizon; months; 1 where the event was seen.
    horizon : float
        Months.
    cutoffs, level
        As in `net_reclassification`.

    Returns
    -------
    NetReclassification

    Raises
    ------
    DataError, OutcomeError
        As in `checked_risk`; or if cut-offs do not rise, nobody or everybody has the event by the
        horizon, or none of those moved one way is followed to it.

    References
    ----------
    Pencina et al. 2011, doi:10.1002/sim.4085.

    Examples
    --------
    >>> found = net_reclassification_survival([0.2, 0.4, 0.3, 0.6, 0.5], [0.3, 0.5, 0.2, 0.5, 0.4],
    ...     time=[9, 5, 3, 8, 7], event=[0, 1, 1, 0, 1], horizon=6)
    >>> round(found.events.value, 3), round(found.nonevents.value, 3)
    (0.0, 0.333)
    """
    old, times, events = checked_risk(first, time, event, horizon=horizon)
    move = _moves(old, checked_risk(second, time, event, horizon=horizon)[0], cutoffs)
    risk, slope = _risk_of_all(times, events, horizon=horizon)
    up, down = (_moved(move == way, times, events, horizon=horizon) for way in (1, -1))
    shares = [float(g[0][k] / base) for k, base in enumerate((risk, 1 - risk)) for g in (up, down)]
    gains, influences = [], []
    for k, base, turn, way in ((0, risk, slope, 1), (1, 1 - risk, -slope, -1)):
        value = way * float(up[0][k] - down[0][k]) / base
        influences.append((way * (up[1][k] - down[1][k]) - value * turn) / base)
        gains.append((value, float(np.square(influences[-1]).sum())))
    both = float(np.square(influences[0] + influences[1]).sum())
    return NetReclassification(*_with_total(gains, both, level=level), *shares)


def integrated_discrimination(
    first: ArrayLike, second: ArrayLike, labels: ArrayLike, *, level: float = 0.95
) -> DiscriminationImprovement:
    """Integrated discrimination improvement of a second model over a first.

    IDI = mean(second - first | event) - mean(second - first | no event), with the variance of two
    means. For a marker without effect it is far from normal, and test and interval are not to be
    trusted; further traps: top of this module.

    Parameters
    ----------
    first, second, labels, level
        As in `net_reclassification`.

    Returns
    -------
    DiscriminationImprovement

    Raises
    ------
    DataError
        If probabilities lie outside 0 to 1 or are not one per label.
    OutcomeError
        If labels are not 0 and 1, or a class has fewer than 2 patients.

    References
    ----------
    Pencina et al. 2008, doi:10.1002/sim.2929; Hilden & Gerds 2014, doi:10.1002/sim.5804.

    Examples
    --------
    >>> found = integrated_discrimination([0.2, 0.4, 0.3, 0.6], [0.1, 0.5, 0.4, 0.8], [0, 0, 1, 1])
    >>> round(found.total.value, 3), round(found.total.se, 3)
    (0.15, 0.112)
    """
    old, positive = check_scores(*check_probabilities(first, labels))
    change = check_probabilities(second, labels)[0] - old
    fewest = int(min(positive.sum(), (~positive).sum()))
    if fewest < 2:
        raise OutcomeError(
            f"expected at least 2 patients of each class; found {fewest} of one; there is no "
            "standard error with fewer."
        )
    gains = [
        (float(part.mean()), float(part.var(ddof=1)) / part.size)
        for part in (change[positive], -change[~positive])
    ]
    return DiscriminationImprovement(*_with_total(gains, None, level=level))


def risk_classes(probabilities: ArrayLike, cutoffs: ArrayLike) -> NDArray[np.intp]:
    """Class of each probability: how many cut-offs it reaches.

    Parameters
    ----------
    probabilities : array-like of shape (n,)
    cutoffs : array-like of shape (k,)
        Rising, above 0 and below 1.

    Returns
    -------
    ndarray of int, shape (n,)
        0 to k.

    Raises
    ------
    DataError
        If cut-offs are none, outside 0 to 1, or do not rise.

    Examples
    --------
    >>> risk_classes([0.05, 0.1, 0.4], [0.1, 0.3]).tolist()
    [0, 1, 2]
    """
    cuts = np.atleast_1d(as_floats(cutoffs, "cut-offs"))
    inside = (cuts > 0) & (cuts < 1)
    if cuts.ndim != 1 or cuts.size == 0 or not inside.all() or not (np.diff(cuts) > 0).all():
        raise DataError(
            f"expected rising cut-offs above 0 and below 1; found {cuts.tolist()}; sort them and "
            "drop repeats, or leave them out for the NRI without classes."
        )
    return np.searchsorted(cuts, as_floats(probabilities, "probabilities"), side="right")


def _moves(first: Floats, second: Floats, cutoffs: ArrayLike | None) -> Floats:
    """1 where the prediction rises, -1 where it falls."""
    if cutoffs is None:
        return np.sign(second - first)
    return np.sign(risk_classes(second, cutoffs) - risk_classes(first, cutoffs)).astype(float)


def _risk_of_all(times: Floats, events: Bools, *, horizon: float) -> RiskInfluence:
    found = risk_influence(times, events, horizon=horizon)
    if not 0 < found.risk < 1:
        raise OutcomeError(
            f"expected that some patients, not all, have the event by {horizon:g} months; found "
            f"{int((events & (times <= horizon)).sum())} events among {times.size}; choose another "
            "horizon."
        )
    return found


def _moved(member: Bools, times: Floats, events: Bools, *, horizon: float) -> tuple[Floats, Floats]:
    """Shares of all that moved one way, with and without the event, and their influences."""
    shares, influence = group_shares(member, times, events, horizon=horizon)
    if np.isnan(shares).any():
        raise OutcomeError(
            f"expected that of the {int(member.sum())} patients moved one way some are followed to "
            f"{horizon:g} months; found none; choose an earlier horizon."
        )
    return shares, influence


def _with_total(
    gains: list[tuple[float, float]], both: float | None, *, level: float
) -> tuple[Improvement, Improvement, Improvement]:
    """Total, events and non-events from (value, variance) of the two; `both` is that of the sum."""
    (event, event_variance), (other, other_variance) = gains
    variance = event_variance + other_variance if both is None else both
    z = float(ndtri(0.5 + check_level(level) / 2))
    found = tuple(
        _improvement(value, spread, z=z) for value, spread in ((event + other, variance), *gains)
    )
    named = zip(("the total", "events", "non-events"), found, strict=True)
    lacking = [name for name, part in named if np.isnan(part.p)]
    if lacking:
        warnings.warn(
            f"no standard error for {' and '.join(lacking)}: all moved alike; report the counts, "
            "or use more patients.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    total, events, nonevents = found
    return total, events, nonevents


def _improvement(value: float, variance: float, *, z: float) -> Improvement:
    if variance > _NO_VARIANCE:
        se = float(np.sqrt(variance))
        ratio = value / se
        return Improvement(
            value, se, ratio, float(2 * ndtr(-abs(ratio))), value - z * se, value + z * se
        )
    if value == 0:
        return Improvement(0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    nothing = float("nan")
    return Improvement(value, 0.0, nothing, nothing, nothing, nothing)
