"""Risk by a horizon from censored follow-up, and how far each patient moves it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from radiogenomics.stats.inputs import Bools, Floats


class RiskInfluence(NamedTuple):
    """One minus the Kaplan-Meier curve at a horizon, with what each patient adds to its error.

    Attributes
    ----------
    risk : float
        NaN where follow-up ends before the horizon with patients left.
    influence : ndarray of shape (n,)
        Derivative of the risk by the weight of each patient; the squares sum to its variance.
    """

    risk: float
    influence: Floats


class GroupShares(NamedTuple):
    """Shares of all patients that are in a group and will, or will not, have the event.

    Attributes
    ----------
    shares : ndarray of shape (2,)
        In the group with the event, and without; 0 for an empty group, NaN where the risk of the
        group is not known.
    influence : ndarray of shape (2, n)
        As in `RiskInfluence`.
    """

    shares: Floats
    influence: Floats


def risk_influence(time: Floats, event: Bools, *, horizon: float) -> RiskInfluence:
    r"""Risk of the event by the horizon and its infinitesimal jackknife.

    With d events among Y at risk at each time s, log S is the sum over s up to the horizon of
    log(Y - d) - log Y. A patient followed to T, with or without event, moves it by the sum over s
    up to T and the horizon of 1 / (Y - d) - 1 / Y, less 1 / (Y - d) at T if the event fell on it.
    The squares sum to Greenwood's variance, and because the influences of two curves of the same
    patients can be added, so can be had the error of any smooth function of several curves.
    Without censoring the influence is (1(T <= horizon) - risk) / n.

    Parameters
    ----------
    time : ndarray of shape (n,)
        Checked follow-up in months; n at least 1.
    event : ndarray of bool, shape (n,)
    horizon : float
        Months.

    Returns
    -------
    RiskInfluence

    References
    ----------
    Kaplan & Meier 1958, doi:10.1080/01621459.1958.10501452; Efron 1982,
    doi:10.1137/1.9781611970319 (chapter 6).

    Examples
    --------
    >>> found = risk_influence(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, True]),
    ...                        horizon=3.5)
    >>> found.risk, found.influence.round(3).tolist()
    (0.625, [0.094, -0.031, 0.156, -0.219])
    """
    moments, place = np.unique(time, return_inverse=True)
    count = np.bincount(place, minlength=moments.size)
    events = np.bincount(place[event], minlength=moments.size) * (moments <= horizon)
    at_risk = np.cumsum(count[::-1])[::-1]
    left = at_risk - events
    survival = float(np.prod(left / at_risk))
    if survival > 0 and moments[-1] < horizon:
        return RiskInfluence(float("nan"), np.zeros(time.size))
    if survival == 0:
        return RiskInfluence(1.0, np.zeros(time.size))
    followed = np.cumsum(1 / left - 1 / at_risk)[place]
    fell = (event & (time <= horizon)) / left[place]
    return RiskInfluence(1 - survival, survival * (fell - followed))


def group_shares(member: Bools, time: Floats, event: Bools, *, horizon: float) -> GroupShares:
    """Split a group's share of all patients by its risk of the event by the horizon.

    Parameters
    ----------
    member : ndarray of bool, shape (n,)
    time, event, horizon
        As in `risk_influence`.

    Returns
    -------
    GroupShares

    References
    ----------
    As in `risk_influence`.

    Examples
    --------
    >>> member = np.array([True, False, True, True])
    >>> found = group_shares(member, np.array([1.0, 2.0, 3.0, 4.0]), member, horizon=2.5)
    >>> found.shares.tolist()
    [0.25, 0.5]
    """
    if not member.any():
        return GroupShares(np.zeros(2), np.zeros((2, member.size)))
    risk, slope = risk_influence(time[member], event[member], horizon=horizon)
    share = member.mean()
    through_risk = np.zeros(member.size)
    through_risk[member] = share * slope
    through_share = (member - share) / member.size
    moves = [risk * through_share + through_risk, (1 - risk) * through_share - through_risk]
    return GroupShares(share * np.array([risk, 1 - risk]), np.stack(moves))
