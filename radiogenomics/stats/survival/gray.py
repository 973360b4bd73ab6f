"""Gray's test: do groups share the cumulative incidence of one cause?

A log-rank test of subdistribution hazards: patients who failed of another cause stay in the risk
set R = Y (1 - F(t-)) / S(t-) of their group, with Y at risk, F the cumulative incidence of the
cause and S the Kaplan-Meier curve of failure of any cause. The score d - R d_all / R_all is summed
over the failure times of each stratum; its statistic is chi-squared with k - 1 degrees of freedom.
The weight is (1 - F)^rho with rho = 0, as in R's cmprsk unless told otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from radiogenomics.core.errors import DataError, OutcomeError, short_list
from radiogenomics.stats.inputs import Floats, check_groups
from radiogenomics.stats.survival.competing_risks import (
    Codes,
    check_causes,
    require_cause,
    without_replacement,
)


@dataclass(frozen=True)
class GrayTest:
    """Gray's test of the cumulative incidence of one cause.

    Attributes
    ----------
    statistic : float
        Chi-squared.
    df : int
        Groups that were at risk when somebody failed of the cause, less one.
    p : float
    groups : ndarray of shape (g,)
        The distinct groups, sorted.
    score : ndarray of shape (g,)
        Failures of the cause seen less those expected if all groups shared one subdistribution
        hazard; positive is more than expected.
    """

    statistic: float
    df: int
    p: float
    groups: NDArray[Any]
    score: Floats


def gray_test(
    time: ArrayLike,
    cause: ArrayLike,
    group: ArrayLike,
    *,
    interest: int = 1,
    strata: ArrayLike | None = None,
) -> GrayTest:
    """Test whether k groups share the cumulative incidence of one cause.

    It tells whether the shares differ, not whether the cause is at work: a group that dies earlier
    of something else has fewer failures of this cause, too. Formulas: top of this module.

    Parameters
    ----------
    time, cause, group : array-like of shape (n,)
        Follow-up in months; 0 where censored, 1, 2, ... for what happened; the group.
    interest : int
        Code of the cause compared; all others compete.
    strata : array-like of shape (n,), optional
        Patients are compared within equal values only.

    Returns
    -------
    GrayTest

    Raises
    ------
    OutcomeError
        If time or cause cannot be analysed, or nobody failed of the cause of interest.
    DataError
        If there are not two groups at risk, or group or strata do not have one value a patient.

    References
    ----------
    Gray 1988, doi:10.1214/aos/1176350951.

    Examples
    --------
    >>> gray_test([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 1, 2, 1, 0, 2], list("aaaabbbb")).statistic
    3.7740
    """
    times, codes = check_causes(time, cause)
    wanted = require_cause(codes, interest)
    labels, member = np.unique(check_groups(group, times.size, what="group"), return_inverse=True)
    kind = np.where(codes == wanted, 1, np.where(codes > 0, 2, 0))
    tables = [
        _GroupTable.of(times[inside], kind[inside], member[inside], labels.size)
        for inside in _strata(strata, kind)
    ]
    used = np.flatnonzero(np.any([table.compared() for table in tables], axis=0))[:-1]
    if not used.size:
        raise DataError(
            "expected at least two groups at risk (in one stratum) when somebody failed of cause "
            f"{wanted}; found only {short_list(labels.tolist())}; compare other groups."
        )
    score = np.sum([table.score() for table in tables], axis=0)
    covariance = np.sum([table.covariance() for table in tables], axis=0)
    statistic = _quadratic(score[used], covariance[np.ix_(used, used)])
    return GrayTest(statistic, used.size, float(chdtrc(used.size, statistic)), labels, score)


def _strata(strata: ArrayLike | None, kind: Codes) -> list[NDArray[np.bool_]]:
    """Which patients are in each stratum in which somebody failed of the cause of interest."""
    if strata is None:
        return [np.ones(kind.size, dtype=bool)]
    values = check_groups(strata, kind.size, what="stratum")
    return [values == value for value in np.unique(values[kind == 1])]


def _quadratic(score: Floats, covariance: Floats) -> float:
    if np.linalg.matrix_rank(covariance, hermitian=True) < score.size:
        raise OutcomeError(
            "expected groups whose failures can differ; found a score without variance; merge "
            "groups with too few patients at risk."
        )
    return float(score @ np.linalg.solve(covariance, score))


class _GroupTable(NamedTuple):
    """One stratum at its distinct failure times: rows are times, columns groups.

    Attributes
    ----------
    at_risk, own, others : ndarray of shape (times, groups)
        Y, failures of the cause of interest and of others.
    before, after : ndarray of shape (times, groups)
        Kaplan-Meier of failure of any cause, S(t-) and S(t).
    incidence : ndarray of shape (times, groups)
        F(t-) of the cause of interest.
    """

    at_risk: Floats
    own: Floats
    others: Floats
    before: Floats
    after: Floats
    incidence: Floats

    @classmethod
    def of(cls, time: Floats, kind: Codes, member: Codes, groups: int) -> _GroupTable:
        moments = np.unique(time[kind > 0])
        columns = np.arange(groups)
        ordered = [np.sort(time[member == g]) for g in columns]
        gone = np.array([np.searchsorted(those, moments, side="left") for those in ordered]).T
        at_risk = np.array([those.size for those in ordered]) - gone.astype(float)
        own, others = (
            np.array(
                [
                    np.bincount(
                        np.searchsorted(moments, time[(kind == code) & (member == g)]),
                        minlength=moments.size,
                    )
                    for g in columns
                ]
            ).T.astype(float)
            for code in (1, 2)
        )
        size = np.maximum(at_risk, 1.0)
        after = np.cumprod(1 - (own + others) / size, axis=0)
        before = np.vstack([np.ones(groups), after[:-1]])
        steps = np.cumsum(before * own / size, axis=0)
        return cls(at_risk, own, others, before, after, np.vstack([np.zeros(groups), steps[:-1]]))

    def compared(self) -> NDArray[np.bool_]:
        """Which groups were at risk, and not alone, when somebody failed of the cause."""
        rows = (self.own.sum(axis=1) > 0) & ((self.at_risk > 0).sum(axis=1) > 1)
        found: NDArray[np.bool_] = (self.at_risk[rows] > 0).any(axis=0)
        return found

    def score(self) -> Floats:
        """Failures of the cause seen less expected, shape (groups,)."""
        risk = self._over_survival(self.at_risk * (1 - self.incidence))
        share = risk / risk.sum(axis=1, keepdims=True)
        gap: Floats = (self.own - self.own.sum(axis=1, keepdims=True) * share).sum(axis=0)
        return gap

    def covariance(self) -> Floats:
        """Covariance of the score where groups share one subdistribution, (groups, groups)."""
        own = self.own.sum(axis=1)
        weight = self._over_survival(self.at_risk)
        total = weight.sum(axis=1)
        incidence = np.cumsum(own / total)
        left = 1 - np.append(0.0, incidence[:-1])
        share = weight / total[:, None]
        direct = np.einsum("tg,gh->tgh", weight, np.eye(self.own.shape[1]))
        direct -= weight[:, :, None] * share[:, None, :]
        passed = np.cumsum(direct * (own / (total * left))[:, None, None], axis=0)
        ahead = passed[-1] - passed
        present, alive = self.at_risk > 0, self.after > 0
        size = np.maximum(self.at_risk, 1.0)
        kept = np.divide(
            1 - incidence[:, None], self.after, out=np.zeros_like(self.after), where=alive
        )
        drawn = without_replacement(own[:, None], total[:, None] * self.before)
        mine = drawn * self.before * own[:, None] / (total[:, None] * size)
        effect = direct + (1 - kept)[:, None, :] * ahead
        found: Floats = np.einsum("tig,tjg,tg->ij", effect, effect, np.where(present, mine, 0.0))
        drawn = without_replacement(self.others, self.at_risk)
        rest = drawn * self.before**2 * self.others / size**2
        effect = kept[:, None, :] * ahead
        found += np.einsum("tig,tjg,tg->ij", effect, effect, np.where(alive, rest, 0.0))
        return found

    def _over_survival(self, values: Floats) -> Floats:
        found = np.zeros_like(values)
        np.divide(values, self.before, out=found, where=self.at_risk > 0)
        return found
