r"""How much the effects of cohorts differ beyond their errors, for many genes at once.

Effects :math:`y_i` of cohorts with error variances :math:`v_i` are taken as
:math:`y_i \sim N(\mu, v_i + \tau^2)`. With weights :math:`w_i = 1 / (v_i + \tau^2)` and
:math:`\hat\mu = \sum w_i y_i / \sum w_i`, the generalised heterogeneity

.. math:: Q(\tau^2) = \sum w_i (y_i - \hat\mu)^2

falls as :math:`\tau^2` rises. All functions here take arrays of shape (cohorts, genes); a cohort
that lacks a gene has weight 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from radiogenomics.stats.inputs import Bools, Floats

# Newton's method takes fewer than ten steps; it stops when a step no longer counts.
_STEPS, _CLOSE = 60, 1e-14
# Enough halvings for any bracket to shrink to the last digit of its solution.
_HALVINGS = 200
# Points of the likelihood that are looked at before the highest is followed up, and their spacing.
_GRID, _RATIO = 44, 1.6


@dataclass(frozen=True, eq=False)
class CohortEffects:
    """Effects of genes in cohorts.

    Parameters
    ----------
    effect, variance
        Shape (cohorts, genes); 0 and 1 where missing.
    present
        Shape (cohorts, genes), with at least two cohorts of each gene.
    """

    effect: Floats
    variance: Floats
    present: Bools

    @property
    def freedom(self) -> Floats:
        """Number of cohorts of each gene, less one."""
        return self.present.sum(axis=0) - 1.0

    def weights(self, tau2: Floats | float) -> Floats:
        """Weights at a between-cohort variance; 0 where missing."""
        return np.where(self.present, 1 / (self.variance + tau2), 0.0)

    def q(self, tau2: Floats | float) -> Floats:
        """Heterogeneity that is left when cohorts differ with variance ``tau2``."""
        w = self.weights(tau2)
        return (w * self._deviation(w) ** 2).sum(axis=0)

    def squares(self, tau2: Floats | float) -> Floats:
        """How fast ``q`` falls as ``tau2`` rises."""
        w = self.weights(tau2)
        return ((w * self._deviation(w)) ** 2).sum(axis=0)

    def score(self, tau2: Floats | float) -> Floats:
        """Derivative of twice the restricted log-likelihood in ``tau2``."""
        w = self.weights(tau2)
        total = w.sum(axis=0)
        return self.squares(tau2) - total + (w * w).sum(axis=0) / total

    def likelihood(self, tau2: Floats | float) -> Floats:
        """Twice the restricted log-likelihood, but for a constant."""
        w = self.weights(tau2)
        logs = np.where(self.present, np.log(self.variance + tau2), 0.0).sum(axis=0)
        return -logs - np.log(w.sum(axis=0)) - (w * self._deviation(w) ** 2).sum(axis=0)

    def spread(self) -> Floats:
        """Number of cohorts times the squared range of their effects."""
        highest = np.where(self.present, self.effect, -np.inf).max(axis=0)
        lowest = np.where(self.present, self.effect, np.inf).min(axis=0)
        return (self.freedom + 1) * (highest - lowest) ** 2

    def _deviation(self, w: Floats) -> Floats:
        return self.effect - (w * self.effect).sum(axis=0) / w.sum(axis=0)


def tau2_dersimonian_laird(data: CohortEffects) -> Floats:
    """Between-cohort variance by moments of Q; closed form, too low when it is large.

    References
    ----------
    DerSimonian & Laird 1986, doi:10.1016/0197-2456(86)90046-2.
    """
    w = data.weights(0.0)
    total = w.sum(axis=0)
    excess = data.q(0.0) - data.freedom
    return np.maximum(excess / (total - (w * w).sum(axis=0) / total), 0.0)


def tau2_paule_mandel(data: CohortEffects) -> Floats:
    """Between-cohort variance at which Q is what it should be: its degrees of freedom.

    References
    ----------
    Paule & Mandel 1982, doi:10.6028/jres.087.022.
    """
    return _tau2_at(data, data.freedom)


def tau2_restricted_likelihood(data: CohortEffects) -> Floats:
    """Between-cohort variance of the highest restricted likelihood (REML).

    The likelihood may have more than one peak. It is looked at on a grid of 45 points, from 0 to a
    bound above which it only falls, and the highest is followed up to the last digit.

    References
    ----------
    Viechtbauer 2005, doi:10.3102/10769986030003261.
    """
    # Above the root of t^2 = a (t + v), v the largest error variance, the score is negative.
    a = data.spread() / data.freedom
    largest = np.where(data.present, data.variance, 0.0).max(axis=0)
    bound = (a + np.sqrt(a * a + 4 * a * largest)) / 2
    best, height = np.zeros(bound.shape), data.likelihood(0.0)
    for step in range(_GRID):
        point = bound * _RATIO**-step
        there = data.likelihood(point)
        best = np.where(there > height, point, best)
        height = np.maximum(there, height)
    rising = data.score(best) > 0
    nearest = bound * _RATIO ** (1 - _GRID)
    above = np.where(best > 0, best * _RATIO, nearest)
    below = np.where(best > nearest, best / _RATIO, 0.0)
    low, high = np.where(rising, best, below), np.where(rising, above, best)
    return _falling_root(data.score, low, high)


def tau2_interval(data: CohortEffects, level: float) -> tuple[Floats, Floats]:
    """Values of the between-cohort variance that Q does not contradict (Q-profile).

    Exact when effects are normal. Both bounds are 0 where Q is small even for equal cohorts.

    References
    ----------
    Viechtbauer 2007, doi:10.1002/sim.2514.
    """
    tail = (1 - level) / 2
    low = _tau2_at(data, chdtri(data.freedom, tail))
    return low, _tau2_at(data, chdtri(data.freedom, 1 - tail))


def _tau2_at(data: CohortEffects, q: Floats) -> Floats:
    """Solve Q(tau2) = q; 0 where Q(0) is not above q.

    1 / Q rises and is concave in tau2, so Newton's steps on it climb to the solution from 0.
    """
    tau2 = np.zeros(q.shape)
    for _ in range(_STEPS):
        now, slope = data.q(tau2), data.squares(tau2)
        climb = np.where(now > q, (now / q - 1) * now / np.where(slope > 0, slope, 1.0), 0.0)
        tau2 = tau2 + climb
        if (climb <= _CLOSE * tau2).all():
            break
    return tau2


def _falling_root(f: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Halve brackets, one for each gene, until they are as narrow as numbers can be."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = f(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
        if (high - low <= 2 * np.spacing(high)).all():
            break
    return (low + high) / 2
