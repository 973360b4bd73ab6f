"""Uno's concordance index, which does not depend on how many were censored, and its influences.

Harrell's C sees only pairs whose earlier time is an event, so heavier censoring changes what it
estimates. Uno weighs each such pair by the inverse squared probability of not being censored before
its event; the index then estimates P(higher risk fails first | one fails by tau).

The value is that of R ``survival::concordance(timewt="n/G2", ymax=tau)``, which takes G for known.
scikit-survival weighs by G(T) in place of G(T-) and leaves out events at tau itself, so differs
where events tie with censorings or with tau.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtri

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Bools, Floats, check_level, check_risk, check_survival
from radiogenomics.stats.intervals import clopper_pearson
from radiogenomics.stats.survival.concordance import Concordance
from radiogenomics.stats.survival.ipcw import censoring_curve

_PAIRS_AT_ONCE = 2**20
# A standard error below this is rounding.
_NO_ERROR = 1e-10


@dataclass(frozen=True)
class UnoConcordance(Concordance):
    """Uno's concordance index; `value` to `n` as in `Concordance`, all up to `tau`.

    Attributes
    ----------
    tau : float
        Events up to and including this time were judged, in months.
    followed : float
        G(T-) at the last event judged: the share not censored before it. That event weighs
        1 / followed^2 times an early one, so below about 0.1 a handful of late events decides.
    """

    tau: float
    followed: float


class Influence(NamedTuple):
    """A concordance index and what each patient contributes to its error.

    Attributes
    ----------
    value : float
    each : ndarray of shape (n,) or (n + m,)
        Derivative of the index by the weight of each patient, then of each patient of a separate
        censoring cohort. Sums to 0; its sum of squares is the infinitesimal jackknife variance.
    n_comparable : int
        Pairs.
    n_disjoint : int
        At most as many pairs as can be formed without using a patient twice.
    """

    value: float
    each: Floats
    n_comparable: int
    n_disjoint: int


@dataclass(frozen=True)
class CensoringWeights:
    """1 / G(T-)^2 of the events up to tau, and through whom G was learnt.

    Attributes
    ----------
    weight : ndarray of shape (n,)
        0 for those censored and for events after tau.
    tau, followed : float
        As in `UnoConcordance`.
    train_time, train_event : ndarray of shape (m,)
        The patients behind G.
    separate : bool
        Whether they are others than those judged.
    known : bool
        Whether G is taken for the truth, so that it adds no error.
    """

    weight: Floats
    tau: float
    followed: float
    train_time: Floats
    train_event: Bools
    separate: bool
    known: bool


def uno_concordance(
    risk: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    tau: float | None = None,
    level: float = 0.95,
    train_time: ArrayLike | None = None,
    train_event: ArrayLike | None = None,
    known_weights: bool = False,
) -> UnoConcordance:
    """Concordance of a risk with survival up to tau, corrected for censoring.

    C = sum_i w_i sum_j s_ij / sum_i w_i sum_j c_ij over events i up to tau, where c_ij = 1 if j
    outlived i (as in `concordance`), s_ij is 1, 1/2 or 0 as i has the higher, equal or lower risk,
    w_i = 1 / G(T_i-)^2, and G is the Kaplan-Meier curve of the censoring times.

    The infinitesimal jackknife error holds the influence of each patient through pairs and through
    G; the interval is as in `concordance`. Misleads where censoring depends on risk, or when
    indices at different tau are compared.

    Parameters
    ----------
    risk, time, event : array-like of shape (n,)
        Higher risk is worse; months; 1 where the event was seen.
    tau : float, optional
        By default the last event time within the follow-up behind G at which G(T-) is above 0.
    level : float
    train_time, train_event : array-like of shape (m,), optional
        Other patients from whom G is learnt; by default it is learnt from those judged.
    known_weights : bool
        Leave the influence of G out, as R does; on average the interval is a little wider.

    Raises
    ------
    OutcomeError, DataError
        If an input cannot be analysed, or G is 0 or unknown at an event up to tau.

    References
    ----------
    Uno et al. 2011, doi:10.1002/sim.4154.

    Examples
    --------
    >>> found = uno_concordance([5, 2, 3, 1, 4], [1, 2, 3, 4, 5], [1, 0, 1, 1, 0])
    >>> round(found.value, 3), found.tau, round(found.followed, 2)
    (0.619, 4.0, 0.75)
    """
    times, events = check_survival(time, event)
    weights = censoring_weights(
        times, events, tau=tau, train_time=train_time, train_event=train_event, known=known_weights
    )
    found = uno_influence(check_risk(risk, times.size), times, events, weights=weights)
    if found.n_comparable == 0:
        _warn_no_pair(weights.tau)
    se = float(np.sqrt(np.square(found.each).sum()))
    low, high = _interval(found, se, check_level(level))
    return UnoConcordance(
        found.value, se, low, high, found.n_comparable, times.size, weights.tau, weights.followed
    )


def censoring_weights(
    time: Floats,
    event: Bools,
    *,
    tau: float | None = None,
    train_time: ArrayLike | None = None,
    train_event: ArrayLike | None = None,
    known: bool = False,
) -> CensoringWeights:
    """Weigh each event up to tau by 1 / G(T-)^2; parameters as in `uno_concordance`."""
    if (train_time is None) != (train_event is None):
        raise DataError(
            "expected train_time and train_event together; found one of them; pass both or none."
        )
    fitted = (time, event)
    if train_time is not None and train_event is not None:
        fitted = check_survival(train_time, train_event, need_events=False)
    followed = censoring_curve(*fitted).before(time)
    valid = event & (followed > 0) & (time <= fitted[0].max())
    if tau is None and not valid.any():
        raise OutcomeError(
            "expected an event within the follow-up from which the censoring curve is learnt; found"
            f" none up to {fitted[0].max():g}; learn it from patients followed up for longer."
        )
    last = float(time[valid].max(initial=0.0) if tau is None else tau)
    if not 0 < last < np.inf and tau is not None:
        raise DataError(f"expected tau as a positive number of months; found {tau!r}.")
    judged = event & (time <= last)
    if (judged & ~valid).any():
        raise OutcomeError(
            f"expected somebody under observation at each event up to tau ({last:g}); found "
            f"{int((judged & ~valid).sum())} events past the censoring curve; lower tau to at "
            f"most {time[valid].max(initial=0.0):g}."
        )
    weight = np.where(judged, 1 / np.square(np.where(judged, followed, 1.0)), 0.0)
    smallest = float(followed[judged].min(initial=1.0))
    return CensoringWeights(weight, last, smallest, *fitted, train_time is not None, known)


def uno_influence(
    risk: Floats, time: Floats, event: Bools, *, weights: CensoringWeights
) -> Influence:
    """Uno's index with the influence of each patient, for standard errors and joint tests."""
    found, owed = _through_pairs(risk, time, event, weights.weight)
    if weights.known:
        return found
    through_curve = _through_curve(owed, time, weights)
    if weights.separate:
        return found._replace(each=np.concatenate([found.each, through_curve]))
    return found._replace(each=found.each + through_curve)


def harrell_influence(risk: Floats, time: Floats, event: Bools) -> Influence:
    """Harrell's index with the influence of each patient; its squares sum to `concordance`'s."""
    return _through_pairs(risk, time, event, event.astype(float))[0]


def _warn_no_pair(tau: float) -> None:
    warnings.warn(
        f"expected comparable pairs up to {tau:g}; found none, so the index is NaN; it takes an "
        "event by tau that somebody outlived.",
        RadiogenomicsWarning,
        stacklevel=3,
    )


def _through_pairs(
    risk: Floats, time: Floats, event: Bools, weight: Floats
) -> tuple[Influence, Floats]:
    """Index and influences under fixed weights, and what each event's weight does to the index."""
    n = time.size
    first = np.flatnonzero(weight)
    won, pairs = np.zeros((2, n)), np.zeros((2, n))
    height = max(1, _PAIRS_AT_ONCE // n)
    for low in range(0, first.size, height):
        i = first[low : low + height]
        outlived = (time > time[i, None]) | ((time == time[i, None]) & ~event)
        score = outlived * ((risk < risk[i, None]) + 0.5 * (risk == risk[i, None]))
        won[0, i], pairs[0, i] = score.sum(axis=1), outlived.sum(axis=1)
        won[1] += weight[i] @ score
        pairs[1] += weight[i] @ outlived
    total = float(weight @ pairs[0])
    n_comparable = int(pairs[0].sum())
    if n_comparable == 0:
        return Influence(np.nan, np.full(n, np.nan), 0, 0), np.full(n, np.nan)
    value = float(weight @ won[0]) / total
    owed = weight * (won[0] - value * pairs[0]) / total
    each = owed + (won[1] - value * pairs[1]) / total
    disjoint = min(int((pairs[0] > 0).sum()), int((pairs.sum(axis=0) > 0).sum()) // 2)
    return Influence(value, each, n_comparable, max(1, disjoint)), owed


def _through_curve(owed: Floats, time: Floats, weights: CensoringWeights) -> Floats:
    """Influence of each patient behind G, by what G does to the weights of later events.

    Of the factor 1 - L / Y of G at a censoring time the logarithm changes by L / (Y (Y - L)) with
    the weight of one who stays and by -1 / Y with that of one who leaves; w is G to the power -2.
    """
    train_time, train_event = weights.train_time, weights.train_event
    steps, leaving = np.unique(train_time[~train_event], return_counts=True)
    staying = train_time.size - np.searchsorted(np.sort(train_time), steps, side="right")
    order = np.argsort(time)
    before = np.searchsorted(time[order], steps, side="right")
    later = np.append(np.cumsum(owed[order][::-1])[::-1], 0.0)[before]
    at_risk = leaving + staying
    # Nobody is left to be weighed after the step that takes G to 0.
    stayed = later * leaving / (at_risk * np.maximum(staying, 1)) * (staying > 0)
    place = np.searchsorted(steps, train_time, side="left")
    passed = np.concatenate([[0.0], np.cumsum(stayed)])[place]
    own = np.append(later / at_risk, 0.0)[place]
    return -2 * (passed - np.where(train_event, 0.0, own))


def _interval(found: Influence, se: float, level: float) -> tuple[float, float]:
    if found.n_comparable == 0:
        return np.nan, np.nan
    value = found.value
    if se > _NO_ERROR and 0 < value < 1:
        half = ndtri(0.5 + level / 2) * se / (value * (1 - value))
        low, high = expit(logit(value) + np.array([-half, half]))
    else:
        low, high = clopper_pearson(value * found.n_disjoint, found.n_disjoint, level=level)
    return float(low), float(high)
