"""How many patients it takes to validate a prediction model of a yes-or-no outcome elsewhere.

Each measure of performance is to be known to within an interval of a stated width; its standard
error follows from what is anticipated, and n from that (Riley and colleagues):

- observed over expected, O/E: log(O/E) has the variance (1 - prevalence) / (n prevalence);
- calibration slope: the inverse information of a logistic regression on the linear predictor,
  whose distribution among the patients to come must be anticipated;
- C-statistic: Newcombe's variance (see `c_statistic_error`);
- standardised net benefit, sensitivity - w (1 - specificity) with w = (1 - p) / p t / (1 - t) at
  prevalence p and threshold t: n times its variance is sens (1 - sens) / p
  + w^2 spec (1 - spec) / (1 - p) + w^2 (1 - spec)^2 / (p (1 - p)).

The slope asks for the most as a rule, and the more the less the predictor spreads. All this is for
a model that holds what it promised: one that does not is often found out with fewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asinh, ceil, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, expit, log_expit, logit, ndtri, polygamma

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, as_floats, check_level

# Name, patients, standard error and width.
_Size = tuple[str, float, float, float]
# The trapezoid rule converges geometrically for these smooth densities.
_NODES = 20001


@dataclass(frozen=True)
class PredictorDistribution:
    """Anticipated distribution of the linear predictor, the log odds that the model foretells.

    Attributes
    ----------
    values : ndarray of shape (k,)
    weights : ndarray of shape (k,)
        Adding up to 1.
    """

    values: Floats
    weights: Floats

    @classmethod
    def sample(cls, values: ArrayLike) -> PredictorDistribution:
        """Take it as it is among patients at hand, say those of development.

        Parameters
        ----------
        values : array-like of shape (n,)

        Raises
        ------
        DataError
            If there are not two distinct finite values.

        Examples
        --------
        >>> PredictorDistribution.sample([-2.0, 0.0]).mean_risk
        0.3096
        """
        found = as_floats(values, "linear predictors")
        if found.ndim != 1 or not np.isfinite(found).all() or np.unique(found).size < 2:
            raise DataError(
                "expected a one-dimensional array of finite linear predictors that vary; found "
                f"shape {found.shape}; pass log odds, one a patient."
            )
        return cls(found, np.full(found.size, 1 / found.size))

    @classmethod
    def normal(cls, mean: float, sd: float) -> PredictorDistribution:
        """Normal log odds.

        Examples
        --------
        >>> PredictorDistribution.normal(-1.75, 1.22).mean_risk
        0.2013
        """
        if not (np.isfinite(mean) and 0 < sd < np.inf):
            raise DataError(
                f"expected a finite mean and a standard deviation above 0; found {mean!r} and "
                f"{sd!r}; give log odds, not risks."
            )
        values = mean + sd * np.linspace(-12, 12, _NODES)
        return cls._of_log_density(values, -(((values - mean) / sd) ** 2) / 2)

    @classmethod
    def beta(cls, first: float, second: float) -> PredictorDistribution:
        """Risks with a beta distribution of these two shapes.

        Examples
        --------
        >>> PredictorDistribution.beta(2.0, 6.0).mean_risk
        0.25
        """
        if not (first >= 0.05 and second >= 0.05 and max(first, second) < np.inf):
            raise DataError(
                f"expected two shapes of at least 0.05; found {first!r} and {second!r}; risks "
                "that are nearly always 0 or 1 cannot be validated so."
            )
        middle = digamma(first) - digamma(second)
        spread = 12 * np.sqrt(polygamma(1, first) + polygamma(1, second))
        ends = (middle - spread - 40 / first, middle + spread + 40 / second)
        values = np.linspace(*ends, _NODES)
        return cls._of_log_density(values, first * log_expit(values) + second * log_expit(-values))

    @classmethod
    def from_c_statistic(cls, c_statistic: float, prevalence: float) -> PredictorDistribution:
        """Log odds that are calibrated and have this C-statistic, normal with one variance a class.

        Examples
        --------
        >>> PredictorDistribution.from_c_statistic(0.8, 0.018).mean_risk
        0.018
        """
        c, p = _check_c_statistic(c_statistic), _check_share(prevalence, "prevalence")
        variance = 2 * float(ndtri(c)) ** 2
        low, sd = float(logit(p)) - variance / 2, sqrt(variance)
        values = np.linspace(low - 12 * sd, low + variance + 12 * sd, _NODES)
        without, having = ((values - low) / sd) ** 2, ((values - low - variance) / sd) ** 2
        density = (1 - p) * np.exp(-without / 2) + p * np.exp(-having / 2)
        return cls(values, density / density.sum())

    @classmethod
    def _of_log_density(cls, values: Floats, log_density: Floats) -> PredictorDistribution:
        density = np.exp(log_density - log_density.max())
        return cls(values, density / density.sum())

    @property
    def mean_risk(self) -> float:
        """Mean of the risks foretold; far from the prevalence, the model is not calibrated."""
        return float(self.weights @ expit(self.values))


@dataclass(frozen=True)
class PrecisionCriterion:
    """Patients it takes to know one measure of performance well enough.

    Attributes
    ----------
    name : str
        "O/E", "calibration slope", "C-statistic" or "standardised net benefit".
    n : int
    events : float
        Expected among them.
    se : float
        Standard error asked for, of log(O/E) for the first.
    width : float
        Width of the interval asked for.
    """

    name: str
    n: int
    events: float
    se: float
    width: float


@dataclass(frozen=True)
class ValidationSize:
    """Patients needed to validate a model: the most that a criterion asks for.

    Attributes
    ----------
    n : int
    events : float
        Expected among them.
    criteria : tuple of PrecisionCriterion
    """

    n: int
    events: float
    criteria: tuple[PrecisionCriterion, ...]

    @property
    def driver(self) -> str:
        """Name of the criterion that asks for the most."""
        return max(self.criteria, key=lambda criterion: criterion.n).name


@dataclass(frozen=True)
class NetBenefitTarget:
    """Net benefit that is to be known, at a threshold of risk.

    Attributes
    ----------
    threshold, sensitivity, specificity : float
        Anticipated at that threshold.
    width : float
        Width of the interval of the net benefit over the prevalence.
    """

    threshold: float
    sensitivity: float
    specificity: float
    width: float = 0.2


def validation_size(
    prevalence: float,
    c_statistic: float,
    *,
    predictor: PredictorDistribution | None = None,
    oe: float = 1.0,
    oe_width: float = 0.2,
    slope: float = 1.0,
    intercept: float = 0.0,
    slope_width: float = 0.2,
    c_width: float = 0.1,
    net_benefit: NetBenefitTarget | None = None,
    level: float = 0.95,
) -> ValidationSize:
    """Patients needed to validate a model of a yes-or-no outcome; formulas: top of this module.

    Parameters
    ----------
    prevalence, c_statistic : float
        Anticipated in the new place.
    predictor : PredictorDistribution, optional
        Of the log odds foretold there; without it, `from_c_statistic`.
    oe, slope, intercept : float
        Anticipated O/E, and regression of the outcome on the log odds.
    oe_width, slope_width, c_width, level : float
        Of the intervals. An O/E to within 0.2 asks for much where the outcome is rare.
    net_benefit : NetBenefitTarget, optional

    Returns
    -------
    ValidationSize

    Raises
    ------
    DataError
        If a value is out of range.

    References
    ----------
    Riley et al. 2021, doi:10.1002/sim.9025; Newcombe 2006, doi:10.1002/sim.2324.

    Examples
    --------
    >>> validation_size(0.2, 0.78, predictor=PredictorDistribution.normal(-1.75, 1.22)).n
    2957
    """
    p, c = _check_share(prevalence, "prevalence"), _check_c_statistic(c_statistic)
    z = float(ndtri(0.5 + check_level(level) / 2))
    spread = PredictorDistribution.from_c_statistic(c, p) if predictor is None else predictor
    variance = _slope_variance(spread, slope=slope, intercept=intercept)
    oe_se = oe_error(oe, oe_width, z=z)
    slope_se, c_se = half_width(slope_width, "slope_width") / z, half_width(c_width, "c_width") / z
    sizes = [
        ("O/E", (1 - p) / (p * oe_se**2), oe_se, oe_width),
        ("calibration slope", variance / slope_se**2, slope_se, slope_width),
        ("C-statistic", _c_statistic_size(c, p, se=c_se), c_se, c_width),
    ]
    if net_benefit is not None:
        sizes.append(_net_benefit_size(net_benefit, p, z=z))
    return most_of(sizes, p)


def most_of(sizes: list[_Size], share: float) -> ValidationSize:
    """Return the most that a criterion asks for, `share` of the patients having events."""
    criteria = [
        PrecisionCriterion(name, ceil(n), ceil(n) * share, se, width)
        for name, n, se, width in sizes
    ]
    most = max(criteria, key=lambda criterion: criterion.n)
    return ValidationSize(most.n, most.events, tuple(criteria))


def c_statistic_error(c_statistic: float, prevalence: float, *, n: int) -> float:
    """Standard error of the C-statistic that is to be expected (Newcombe).

    The variance is C (1 - C) [1 + (n / 2 - 1) ((1 - C) / (2 - C) + C / (1 + C))]
    / (n^2 prevalence (1 - prevalence)); a good guess also where predictors are not normal.

    Parameters
    ----------
    c_statistic, prevalence : float
    n : int
        Patients.

    Returns
    -------
    float

    References
    ----------
    Newcombe 2006, doi:10.1002/sim.2324.

    Examples
    --------
    >>> round(c_statistic_error(0.8, 0.018, n=4252), 4)
    0.0255
    """
    c, p = _check_c_statistic(c_statistic), _check_share(prevalence, "prevalence")
    if n < 2:
        raise DataError(f"expected at least 2 patients; found {n!r}; give a sample size.")
    return sqrt(c * (1 - c) * (1 + (n / 2 - 1) * _newcombe(c)) / (n**2 * p * (1 - p)))


def _newcombe(c: float) -> float:
    return (1 - c) / (2 - c) + c / (1 + c)


def _c_statistic_size(c: float, p: float, *, se: float) -> float:
    """Positive root of `c_statistic_error` squared = se^2, which is quadratic in n."""
    square, share = se**2 * p * (1 - p) / (c * (1 - c)), _newcombe(c)
    return (share / 2 + sqrt(share**2 / 4 + 4 * square * (1 - share))) / (2 * square)


def _slope_variance(predictor: PredictorDistribution, *, slope: float, intercept: float) -> float:
    """Variance of the calibration slope, times the number of patients."""
    if not (np.isfinite(intercept) and 0 < slope < np.inf):
        raise DataError(
            f"expected a finite intercept and a slope above 0; found {intercept!r} and {slope!r}; "
            "1 and 0 are those of a calibrated model."
        )
    values = predictor.values
    risk = expit(intercept + slope * values)
    weight = predictor.weights * risk * (1 - risk)
    mean = weight @ values / weight.sum()
    return float(1 / (weight @ (values - mean) ** 2))


def half_width(width: float, what: str) -> float:
    """Return half the width of an interval, or say that it is not above 0."""
    return check_positive(width, what) / 2


def oe_error(oe: float, width: float, *, z: float) -> float:
    """Return the se of log(O/E) at which O/E exp(-+ z se), 2 O/E sinh(z se) apart, is as wide."""
    return asinh(check_positive(width, "oe_width") / (2 * check_positive(oe, "oe"))) / z


def _net_benefit_size(target: NetBenefitTarget, p: float, *, z: float) -> _Size:
    se = half_width(target.width, "net benefit width") / z
    t = _check_share(target.threshold, "threshold")
    sensitivity = _check_share(target.sensitivity, "sensitivity")
    specificity = _check_share(target.specificity, "specificity")
    odds = (1 - p) / p * t / (1 - t)
    false = odds**2 * specificity * (1 - specificity) / (1 - p)
    share = odds**2 * (1 - specificity) ** 2 / (p * (1 - p))
    variance = sensitivity * (1 - sensitivity) / p + false + share
    return "standardised net benefit", variance / se**2, se, target.width


def _check_share(value: float, what: str) -> float:
    if not 0 < value < 1:
        raise DataError(f"expected {what} between 0 and 1; found {value!r}; write 0.05 for 5 %.")
    return float(value)


def _check_c_statistic(value: float) -> float:
    if not 0.5 < value < 1:
        raise DataError(
            f"expected a C-statistic above 0.5 and below 1; found {value!r}; give what is "
            "anticipated in the new place."
        )
    return float(value)


def check_positive(value: float, what: str) -> float:
    """Return a number above 0 and finite, or say that it is not."""
    if not 0 < value < np.inf:
        raise DataError(f"expected {what} above 0 and finite; found {value!r}; mend it.")
    return float(value)
