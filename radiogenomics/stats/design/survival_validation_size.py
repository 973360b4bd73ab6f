"""How many patients it takes to validate a survival model elsewhere, at one horizon.

Patients have the cumulative hazard H(t) exp(b x), x being the linear predictor of the model among
the patients to come and b the calibration slope to be expected; they are censored independently,
and at the horizon t. Each measure is to be known to within an interval of a stated width:

- observed over expected, O/E: O is 1 less the Kaplan-Meier curve at t, so n times the variance of
  log(O/E) is S^2 Gamma / (1 - S)^2 with Gamma = integral of dLambda / (S G), G the share not yet
  censored (Greenwood). E counts as known; taken from the same patients it moves with O, and fewer
  patients do;
- calibration slope: regression of pseudo-observations of the event by t on x through the
  complementary log-log link, with its robust variance (Riley and colleagues);
- C-statistic: Harrell's, of the pairs that can be compared by t; the variance of its influence.

Riley and colleagues find the errors by simulating cohorts of many sizes. As errors fall as
1 / sqrt(n), here they are found once, by integration over predictor and time: no seed, no noise.
What small cohorts add is left out, some 5 % of the slope's error at 100 to 150 events. All this is
for a model that holds what it promised, and for censoring that does not depend on the predictor.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.stats.design.validation_size import (
    PredictorDistribution,
    ValidationSize,
    check_positive,
    half_width,
    most_of,
    oe_error,
)
from radiogenomics.stats.inputs import Floats, check_level

# Nodes of the predictor and of time; the error falls as their square.
_NODES, _MOMENTS = 1200, 800


@dataclass(frozen=True)
class SurvivalPrecision:
    """How precisely n patients show what a survival model is worth; variances are times n.

    Attributes
    ----------
    c_statistic : float
        Harrell's C to be expected by the horizon.
    event_share : float
        Patients whose event is seen by the horizon.
    log_oe_variance, slope_variance, c_variance : float
        n times the variance of log(O/E), of the calibration slope and of C: ``sqrt(variance / n)``
        is the standard error with n patients.
    """

    c_statistic: float
    event_share: float
    log_oe_variance: float
    slope_variance: float
    c_variance: float


def predictor_of_d(d: float) -> PredictorDistribution:
    """Normal linear predictor with Royston and Sauerbrei's D: standard deviation D / sqrt(8 / pi).

    Parameters
    ----------
    d : float
        Log hazard ratio between the upper and the lower half of the risks.

    Raises
    ------
    DataError
        If it is not above 0 and finite.

    References
    ----------
    Royston & Sauerbrei 2004, doi:10.1002/sim.1621.

    Examples
    --------
    >>> spread = predictor_of_d(1.115)
    >>> round(float(np.sqrt(spread.weights @ spread.values**2)), 3)
    0.699
    """
    return PredictorDistribution.normal(0.0, check_positive(d, "D") / sqrt(8 / pi))


def predictor_of_c(c_statistic: float) -> PredictorDistribution:
    """Normal linear predictor of a calibrated model whose C is this, were all followed to the end.

    The patient with the higher predictor, by a difference of e, fails first with chance
    1 / (1 + exp(-e)); the difference of two is normal with variance 2 sd^2.

    Parameters
    ----------
    c_statistic : float
        Above 0.5 and at most 0.95.

    Raises
    ------
    DataError
        If it lies elsewhere.

    References
    ----------
    Gonen & Heller 2005, doi:10.1093/biomet/92.4.965.

    Examples
    --------
    >>> spread = predictor_of_c(0.69)
    >>> round(float(np.sqrt(spread.weights @ spread.values**2)), 3)
    0.788
    """
    if not 0.5 < c_statistic <= 0.95:
        raise DataError(
            f"expected a C-statistic above 0.5 and up to 0.95; found {c_statistic!r}; give what "
            "is anticipated in the new place."
        )
    unit = PredictorDistribution.normal(0.0, 1.0)

    def excess(sd: float) -> float:
        return float(unit.weights @ expit(sqrt(2) * sd * np.abs(unit.values))) - c_statistic

    return PredictorDistribution.normal(0.0, float(brentq(excess, 1e-6, 50.0)))


def survival_precision(
    survival: float,
    predictor: PredictorDistribution,
    *,
    followed: float = 1.0,
    shape: float = 1.0,
    censoring_shape: float = 1.0,
    slope: float = 1.0,
) -> SurvivalPrecision:
    """Variances of the measures of a survival model at a horizon; formulas: top of this module.

    Parameters
    ----------
    survival : float
        Share of patients without the event at the horizon, were nobody censored.
    predictor : PredictorDistribution
        Of the linear predictor, a log hazard, among the patients to come: `predictor_of_d`,
        `predictor_of_c`, or ``PredictorDistribution.sample`` of a cohort; its mean does not matter.
    followed : float
        Share not censored by the horizon, were there no events; 1 for complete follow-up.
    shape, censoring_shape : float
        Of Weibull event times (given the predictor) and censoring times; 1 is exponential.
    slope : float
        Calibration slope to be expected.

    Raises
    ------
    DataError
        If a value is out of range.

    References
    ----------
    Riley et al. 2022, doi:10.1002/sim.9275.

    Examples
    --------
    >>> found = survival_precision(0.83, predictor_of_d(1.115), followed=0.2854)
    >>> round(found.c_statistic, 3), round(sqrt(found.slope_variance / 5000), 3)
    (0.687, 0.087)
    """
    shapes = (shape, censoring_shape)
    model = _Model.of(survival, predictor, followed=followed, shapes=shapes, slope=slope)
    c_statistic, c_variance = model.concordance()
    return SurvivalPrecision(
        c_statistic=c_statistic,
        event_share=float(model.seen.sum()),
        log_oe_variance=model.end**2 * model.total / (1 - model.end) ** 2,
        slope_variance=model.slope_variance(),
        c_variance=c_variance,
    )


def survival_validation_size(
    survival: float,
    predictor: PredictorDistribution,
    *,
    followed: float = 1.0,
    shape: float = 1.0,
    censoring_shape: float = 1.0,
    oe: float = 1.0,
    oe_width: float = 0.2,
    slope: float = 1.0,
    slope_width: float = 0.2,
    c_width: float = 0.1,
    level: float = 0.95,
) -> ValidationSize:
    """Patients needed to validate a survival model at a horizon; formulas: top of this module.

    Parameters
    ----------
    survival, predictor, followed, shape, censoring_shape, slope
        As in `survival_precision`.
    oe : float
        Anticipated O/E.
    oe_width, slope_width, c_width, level : float
        Of the intervals. Events of the result are those seen by the horizon.

    Raises
    ------
    DataError
        If a value is out of range.

    References
    ----------
    Riley et al. 2022, doi:10.1002/sim.9275.

    Examples
    --------
    >>> size = survival_validation_size(0.83, predictor_of_d(1.115), followed=0.2854,
    ...                                 slope_width=0.4)
    >>> size.n, size.driver
    (3788, 'O/E')
    """
    z = float(ndtri(0.5 + check_level(level) / 2))
    found = survival_precision(
        survival, predictor, followed=followed, shape=shape, censoring_shape=censoring_shape,
        slope=slope,
    )  # fmt: skip
    oe_se = oe_error(oe, oe_width, z=z)
    slope_se, c_se = half_width(slope_width, "slope_width") / z, half_width(c_width, "c_width") / z
    sizes = [
        ("O/E", found.log_oe_variance / oe_se**2, oe_se, oe_width),
        ("calibration slope", found.slope_variance / slope_se**2, slope_se, slope_width),
        ("C-statistic", found.c_variance / c_se**2, c_se, c_width),
    ]
    return most_of(sizes, found.event_share)


@dataclass(frozen=True, eq=False)
class _Model:
    """Predictor and follow-up on a grid; time runs as the cumulative hazard of x = 0.

    Attributes
    ----------
    x, weights : ndarray of shape (nodes,)
    hazard : ndarray of shape (nodes,)
        exp(b x).
    alive : ndarray of shape (nodes, moments)
        Survival given x in the middle of each step.
    seen, lost : ndarray of shape (nodes, moments)
        Chance to be of x and to have the event, or be censored, in each step.
    last : ndarray of shape (nodes,)
        Chance to be of x and to be followed to the horizon.
    at_risk, gamma : ndarray of shape (moments,)
        S G, and Gamma up to the middle of each step.
    end, total, limit : float
        S and Gamma at the horizon, and its time.
    """

    x: Floats
    weights: Floats
    hazard: Floats
    alive: Floats
    seen: Floats
    lost: Floats
    last: Floats
    at_risk: Floats
    gamma: Floats
    end: float
    total: float
    limit: float

    @classmethod
    def of(
        cls,
        survival: float,
        predictor: PredictorDistribution,
        *,
        followed: float,
        shapes: tuple[float, float],
        slope: float,
    ) -> _Model:
        """Find the hazard that leaves the survival, and lay out the grid."""
        if not (0 < survival < 1 and 0 < followed <= 1):
            raise DataError(
                f"expected survival between 0 and 1 and a share followed above 0; found "
                f"{survival!r} and {followed!r}; write 0.83 for 83 %."
            )
        power = check_positive(shapes[1], "censoring_shape") / check_positive(shapes[0], "shape")
        x, weights = _thin(predictor)
        hazard = np.exp(check_positive(slope, "slope") * x)
        limit = _limit(survival, hazard, weights)
        # Steps widen with time: the highest risks fail within a small part of it.
        edges = limit * np.linspace(0, 1, _MOMENTS + 1) ** 3
        middle = limit * ((np.arange(_MOMENTS) + 0.5) / _MOMENTS) ** 3
        alive = np.exp(-np.outer(hazard, middle))
        alive_at = np.exp(-np.outer(hazard, edges))
        uncensored, uncensored_at = (followed ** ((v / limit) ** power) for v in (middle, edges))
        seen = weights[:, None] * -np.diff(alive_at) * uncensored
        lost = weights[:, None] * alive * -np.diff(uncensored_at)
        last = weights * alive_at[:, -1] * followed
        gains = np.diff(1 / (weights @ alive_at)) / uncensored
        at_risk = (weights @ alive) * uncensored
        gamma = np.cumsum(gains) - gains / 2
        total = float(gains.sum())
        return cls(
            x, weights, hazard, alive, seen, lost, last, at_risk, gamma, survival, total, limit
        )

    def slope_variance(self) -> float:
        """n times the robust variance of the calibration slope."""
        # What a pseudo-observation differs from 1 - S by, if the event or censoring is then.
        with_event = self.end * (1 / self.at_risk - self.gamma)
        without = -self.end * self.gamma
        first = self.seen @ with_event + self.lost @ without - self.last * self.end * self.total
        second = self.seen @ with_event**2 + self.lost @ without**2
        second += self.last * (self.end * self.total) ** 2
        scatter = second / self.weights - (first / self.weights) ** 2
        steep = self.hazard * self.limit * np.exp(-self.hazard * self.limit)
        weight = self.weights * steep**2
        gap = self.x - weight @ self.x / weight.sum()
        return float((weight * gap**2) @ scatter / (weight @ gap**2) ** 2)

    def concordance(self) -> tuple[float, float]:
        """Harrell's C, and n times its variance."""

        def below(mass: Floats) -> Floats:
            """Mass of lower predictors, and half of that of the same."""
            return np.cumsum(mass, axis=0) - mass / 2

        def upto(mass: Floats) -> Floats:
            """Mass of earlier steps, and half of that of the same."""
            return np.cumsum(mass, axis=-1) - mass / 2

        uncensored = self.at_risk / (self.weights @ self.alive)
        as_first = below(self.weights[:, None] * self.alive) * uncensored
        events = self.seen.sum(axis=0)
        higher = events - below(self.seen)
        as_other, compared = upto(higher), upto(events)
        with_event = as_first + as_other, self.at_risk + compared
        at_end = higher.sum(axis=1), events.sum()
        parts = (self.seen, *with_event), (self.lost, as_other, compared), (self.last, *at_end)
        pairs = sum(float((mass * all_pairs).sum()) for mass, _, all_pairs in parts)
        c = sum(float((mass * won).sum()) for mass, won, _ in parts) / pairs
        square = sum(float((mass * (won - c * every) ** 2).sum()) for mass, won, every in parts)
        return c, 4 * square / pairs**2


def _limit(survival: float, hazard: Floats, weights: Floats) -> float:
    """Cumulative hazard of x = 0 at which so many survive."""
    mean = float(weights @ hazard)

    def excess(logarithm: float) -> float:
        return float(weights @ np.exp(-hazard * np.exp(logarithm))) - survival

    start = log(-log(survival) / mean)
    width = 1.0
    while excess(start + width) > 0:
        width *= 2
    return float(np.exp(brentq(excess, start - 1e-9, start + width, xtol=1e-13)))


def _thin(predictor: PredictorDistribution) -> tuple[Floats, Floats]:
    """Distinct values less their mean, rising; close ones joined where there are very many."""
    values, where = np.unique(predictor.values, return_inverse=True)
    weights = np.bincount(where, weights=predictor.weights)
    some = weights > 1e-15
    values, weights = values[some], weights[some] / weights[some].sum()
    if values.size > _NODES:
        place = np.minimum(
            ((values - values[0]) / (values[-1] - values[0]) * _NODES).astype(np.intp), _NODES - 1
        )
        joined = np.bincount(place, weights=weights)
        means = np.bincount(place, weights=weights * values)[joined > 0] / joined[joined > 0]
        values, weights = means, joined[joined > 0]
    return values - weights @ values, np.asarray(weights)
