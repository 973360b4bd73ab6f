"""Weights for those censored, and what their being estimated adds to a standard error.

For the mean over i of a_i / G, patient k moves log G by their censoring less what the hazard of
censoring expected of them: the sum over censoring times u before T_i and up to t of
(dN_k(u) - Y_k(u) c(u) / Y(u)) / (Y(u) / n), with c(u) censored of the Y(u) at risk.

Their uncertainty can enter in three ways. ``"jackknife"`` is the exact derivative of the
Kaplan-Meier weights: Y leaves out those whose event falls on u, and each term is divided by
1 - c / Y. ``"martingale"`` keeps them in and divides by nothing, as riskRegression and timeROC do:
without ties it is the same to order 1 / n, but with coarsely rounded times it makes standard errors
of the Brier score too wide. ``"known"`` takes G as given, as riskRegression does when conservative.
"""

from __future__ import annotations

import numpy as np

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.survival.ipcw import censoring_curve

WEIGHTS = ("jackknife", "martingale", "known")


def ipcw_weights(time: Floats, event: Bools, times: Floats) -> tuple[Floats, Floats]:
    """Weigh cases and controls at each time for those censored before it.

    Cases get 1(T <= t, event) / G(T-), controls 1(T > t) / G(t); at each t both together sum to n.

    Parameters
    ----------
    time, event : ndarray of shape (n,)
    times : ndarray of shape (m,)
        With G > 0.

    Returns
    -------
    case, control : ndarray of shape (m, n)

    References
    ----------
    Graf et al. 1999, doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5.

    Examples
    --------
    >>> time, event = np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, True, False])
    >>> [weights.round(2).tolist() for weights in ipcw_weights(time, event, np.array([2.5]))]
    [[[0.0, 1.33, 0.0, 0.0]], [[0.0, 0.0, 1.33, 1.33]]]
    """
    curve = censoring_curve(time, event)
    case = (event & (time <= times[:, None])).astype(float)
    np.divide(case, curve.before(time), out=case, where=case > 0)
    return case, (time > times[:, None]) / curve.at(times)[:, None]


def censoring_influence(
    terms: Floats, time: Floats, event: Bools, *, times: Floats, weights: str
) -> Floats:
    """Influence of each patient on weighted means through the censoring curve.

    Formula, and the three ways: top of this module.

    Parameters
    ----------
    terms : ndarray of shape (m, n)
        Weighted terms at each time, 0 for patients who are neither case nor control there.
    time, event : ndarray of shape (n,)
    times : ndarray of shape (m,)
    weights : {"jackknife", "martingale", "known"}

    Returns
    -------
    ndarray of shape (m, n)

    Raises
    ------
    UnknownNameError
        If `weights` is none of these.

    Examples
    --------
    >>> time, event = np.array([1.0, 2.0, 3.0]), np.array([True, False, True])
    >>> terms = np.array([[1.0, 0.0, 2.0]])
    >>> at = np.array([2.5])
    >>> censoring_influence(terms, time, event, times=at, weights="jackknife").tolist()
    [[0.0, 1.0, -1.0]]
    """
    if weights not in WEIGHTS:
        raise UnknownNameError("treatment of the weights", weights, WEIGHTS)
    moments, censored = np.unique(time[~event], return_counts=True)
    if weights == "known" or not moments.size:
        return np.zeros_like(terms)
    n, order = time.size, np.argsort(time, kind="stable")
    ordered = time[order]
    outlasting = np.cumsum(terms[:, order[::-1]], axis=1)[:, ::-1]
    outlasting = np.pad(outlasting, ((0, 0), (0, 1)))
    mass = outlasting[:, np.searchsorted(ordered, moments, side="right")] / n
    at_risk = n - np.searchsorted(ordered, moments, side="left")
    exact = weights == "jackknife"
    if exact:
        failed = np.sort(time[event])
        at_risk -= np.searchsorted(failed, moments, "right") - np.searchsorted(failed, moments)
    hazard = censored / at_risk
    # Where all at risk are censored G is 0 afterwards, and no term outlasts that.
    scale = np.where(hazard < 1, 1 - hazard, 1.0) if exact else 1.0
    step = np.where(moments <= times[:, None], mass * n / (at_risk * scale), 0.0)
    passed = np.pad(np.cumsum(step * hazard, axis=1), ((0, 0), (1, 0)))
    until = np.searchsorted(moments, time, side="right")
    if exact:
        until = np.where(event, np.searchsorted(moments, time, side="left"), until)
    found = -passed[:, until]
    found[:, ~event] += step[:, np.searchsorted(moments, time[~event])]
    return found


def standard_error(influence: Floats) -> Floats:
    """Standard deviation (n - 1) of influences over root n, along the last axis.

    Parameters
    ----------
    influence : ndarray of shape (..., n)

    Returns
    -------
    ndarray of shape (...)

    Examples
    --------
    >>> float(standard_error(np.array([-1.0, 0.0, 1.0])).round(4))
    0.5774
    """
    return np.asarray(influence.std(axis=-1, ddof=1) / np.sqrt(influence.shape[-1]))
