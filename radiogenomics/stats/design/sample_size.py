"""How many patients it takes to develop a prediction model (the criteria of Riley and colleagues).

With P candidate parameters and an anticipated Cox-Snell R2, n patients are enough when

1. predictions need shrinking by 10 % at most: n = P / ((S - 1) log(1 - R2 / S)) with the shrinkage
   S = 0.9;
2. the apparent Nagelkerke R2 is too high by 0.05 at most: the same with S = R2 / (R2 + 0.05 M), M
   the largest R2 there can be;
3. the overall risk is known to within 0.05. Of a yes-or-no outcome at prevalence p, that takes
   n = (z / 0.05)^2 p (1 - p). Times to an event are taken for exponential: the risk at a horizon t
   is 1 - exp(-rate t), the standard error of the rate sqrt(rate / (n mean follow-up)), and both
   ends of the interval of the risk are to lie within 0.05 of it (the lower one is farther off).

P counts what is considered, not what is selected: two for a spline of two terms, and every
radiomic feature that a screen looks at. The R2 decides; take one that was corrected for
optimism or found in validation, from a setting like yours, and rather too low than too high. The
criteria are a minimum for regression models; trees and networks take more.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, expm1, log, log1p

import numpy as np
from scipy.special import expit, logit, ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import check_level

# Nodes of the trapezoid rule over +-9 standard deviations, where it converges geometrically.
_NODES = 2001


@dataclass(frozen=True)
class SizeCriterion:
    """Patients one criterion asks for.

    Attributes
    ----------
    name : str
        "shrinkage", "optimism" or "overall risk".
    n : int
    events : float
        Expected among them.
    events_per_parameter : float
    """

    name: str
    n: int
    events: float
    events_per_parameter: float


@dataclass(frozen=True)
class DevelopmentSize:
    """Patients needed to develop a prediction model: the most that a criterion asks for.

    Attributes
    ----------
    n : int
    events : float
        Expected among them.
    events_per_parameter : float
    criteria : tuple of SizeCriterion
        Shrinkage, optimism, overall risk.
    parameters : int
    r2_cox_snell, r2_nagelkerke, r2_maximum : float
        Anticipated R2, on both scales, and the largest Cox-Snell R2 there can be.
    """

    n: int
    events: float
    events_per_parameter: float
    criteria: tuple[SizeCriterion, ...]
    parameters: int
    r2_cox_snell: float
    r2_nagelkerke: float
    r2_maximum: float

    @property
    def driver(self) -> str:
        """Name of the criterion that asks for the most."""
        return max(self.criteria, key=lambda criterion: criterion.n).name


def development_size_binary(
    parameters: int,
    prevalence: float,
    *,
    r2_cox_snell: float | None = None,
    r2_nagelkerke: float | None = None,
    c_statistic: float | None = None,
    shrinkage: float = 0.9,
    optimism: float = 0.05,
    margin: float = 0.05,
    level: float = 0.95,
) -> DevelopmentSize:
    """Patients needed to develop a model of a yes-or-no outcome.

    Criteria: top of this module.

    Parameters
    ----------
    parameters : int
        Candidate parameters.
    prevalence : float
        Anticipated share with the outcome.
    r2_cox_snell, r2_nagelkerke, c_statistic : float
        Give exactly one. With nothing to go by, a Nagelkerke R2 of 0.15 is the usual guess.
    shrinkage, optimism, margin : float
        What the three criteria tolerate.
    level : float
        Of the interval of the overall risk.

    Returns
    -------
    DevelopmentSize

    Raises
    ------
    DataError
        If a value is out of range, an R2 is above its maximum, or not exactly one is given.

    References
    ----------
    Riley et al. 2019, doi:10.1002/sim.7992; Riley et al. 2020, doi:10.1136/bmj.m441.

    Examples
    --------
    >>> size = development_size_binary(24, 0.174, r2_cox_snell=0.288)
    >>> size.n, [criterion.n for criterion in size.criteria]
    (662, [623, 662, 221])
    """
    maximum = maximum_r2_binary(prevalence)
    if c_statistic is not None and r2_cox_snell is None and r2_nagelkerke is None:
        r2 = r2_from_c_statistic(c_statistic, prevalence)
    elif c_statistic is None:
        r2 = _anticipated_r2(r2_cox_snell, r2_nagelkerke, maximum=maximum)
    else:
        raise _one_performance()
    risk = (_quantile(level) / _inside(margin, "margin")) ** 2 * prevalence * (1 - prevalence)
    return _development_size(
        parameters, r2, maximum=maximum, shrinkage=shrinkage, optimism=optimism, risk=risk,
        share=prevalence,
    )  # fmt: skip


def development_size_survival(
    parameters: int,
    rate: float,
    *,
    mean_follow_up: float,
    horizon: float,
    r2_cox_snell: float | None = None,
    r2_nagelkerke: float | None = None,
    shrinkage: float = 0.9,
    optimism: float = 0.05,
    margin: float = 0.05,
    level: float = 0.95,
) -> DevelopmentSize:
    """Patients needed to develop a model of the time to an event.

    Criteria: top of this module.

    Parameters
    ----------
    parameters : int
        Candidate parameters.
    rate : float
        Anticipated events per patient and unit of time.
    mean_follow_up, horizon : float
        And the time at which risk will be foretold, in that unit.
    r2_cox_snell, r2_nagelkerke : float
        Anticipated performance; give exactly one.
    shrinkage, optimism, margin : float
        What the three criteria tolerate.
    level : float

    Returns
    -------
    DevelopmentSize

    Raises
    ------
    DataError
        If a value is out of range, an R2 is above its maximum, or not exactly one is given.

    References
    ----------
    As in `development_size_binary`.

    Examples
    --------
    >>> size = development_size_survival(
    ...     30, 0.065, mean_follow_up=2.07, horizon=2, r2_cox_snell=0.051
    ... )
    >>> size.n, round(size.events_per_parameter, 2), size.driver
    (5143, 23.07, 'shrinkage')
    """
    maximum = maximum_r2_survival(rate, mean_follow_up)
    r2 = _anticipated_r2(r2_cox_snell, r2_nagelkerke, maximum=maximum)
    farther = log1p(_inside(margin, "margin") * exp(rate * _positive(horizon, "horizon")))
    risk = rate / mean_follow_up * (_quantile(level) * horizon / farther) ** 2
    return _development_size(
        parameters, r2, maximum=maximum, shrinkage=shrinkage, optimism=optimism, risk=risk,
        share=rate * mean_follow_up,
    )  # fmt: skip


def maximum_r2_binary(prevalence: float) -> float:
    """Largest Cox-Snell R2 a model of a yes-or-no outcome can have.

    1 - exp(2 l / n) with l the log-likelihood without covariates; 0.75 at a prevalence of one half
    and falling to 0 to either side.

    Parameters
    ----------
    prevalence : float

    Returns
    -------
    float

    References
    ----------
    As in `development_size_binary`.

    Examples
    --------
    >>> round(maximum_r2_binary(0.5), 3), round(maximum_r2_binary(0.05), 3)
    (0.75, 0.328)
    """
    p = _inside(prevalence, "prevalence")
    return -expm1(2 * (p * log(p) + (1 - p) * log1p(-p)))


def maximum_r2_survival(rate: float, mean_follow_up: float) -> float:
    """Largest Cox-Snell R2 a model of the time to an event can have.

    As in `maximum_r2_binary`, for exponential times in units of the mean follow-up: with
    e = rate times mean follow-up, the share with an event, 1 - exp(2 (e log e - e)).

    Parameters
    ----------
    rate, mean_follow_up : float
        In the same unit of time.

    Returns
    -------
    float

    References
    ----------
    As in `development_size_survival`.

    Examples
    --------
    >>> round(maximum_r2_survival(0.065, 2.07), 3)
    0.555
    """
    share = _positive(rate, "rate") * _positive(mean_follow_up, "mean_follow_up")
    if share > 1:
        raise DataError(
            "expected rate times mean follow-up, the share of patients with an event, of at most "
            f"1; found {share:g}; give both in the same unit of time."
        )
    return -expm1(2 * (share * log(share) - share))


def r2_from_c_statistic(c_statistic: float, prevalence: float) -> float:
    """Cox-Snell R2 of a well calibrated model of a yes-or-no outcome that has this C-statistic.

    Takes the linear predictor for normal with one variance in either class; the classes lie
    mu = sqrt(2) Phi^-1(C) standard deviations apart, the risk is then logistic in the predictor,
    and R2 = 1 - exp(-2 (l - l0) / n) is an integral. Riley and colleagues simulate a million
    patients instead; this is what they come to. Off where the predictor is skewed or in clumps.

    Parameters
    ----------
    c_statistic : float
        Above one half, below 1.
    prevalence : float

    Returns
    -------
    float

    Raises
    ------
    DataError
        If a value is out of range.

    References
    ----------
    Riley, Van Calster & Collins 2021, doi:10.1002/sim.8806.

    Examples
    --------
    >>> round(r2_from_c_statistic(0.78, 0.2), 3)
    0.159
    """
    p = _inside(prevalence, "prevalence")
    if not 0.5 < c_statistic < 1:
        raise DataError(
            f"expected a C-statistic above 0.5 and below 1; found {c_statistic!r}; a model no "
            "better than chance has no size."
        )
    apart = np.sqrt(2) * ndtri(c_statistic)
    nodes, step = np.linspace(-9, 9, _NODES, retstep=True)
    weight = np.exp(-(nodes**2) / 2) * step / np.sqrt(2 * np.pi)
    # Log odds of the outcome at a predictor that stands `nodes` from the middle of its class.
    without = logit(p) + apart * (nodes - apart / 2)
    having = without + apart**2
    log_likelihood = p * weight @ np.log(expit(having)) + (1 - p) * weight @ np.log(expit(-without))
    return float(-np.expm1(-2 * (log_likelihood - p * log(p) - (1 - p) * log1p(-p))))


def _development_size(
    parameters: int,
    r2: float,
    *,
    maximum: float,
    shrinkage: float,
    optimism: float,
    risk: float,
    share: float,
) -> DevelopmentSize:
    if not (parameters >= 1 and parameters == int(parameters)):
        raise DataError(
            f"expected a whole number of candidate parameters, at least 1; found {parameters!r}; "
            "count every parameter that is considered."
        )
    if not r2 < _inside(shrinkage, "shrinkage"):
        raise DataError(
            f"expected a shrinkage above the anticipated R2 of {r2:.4g}; found {shrinkage!r}; "
            "0.9 is usual."
        )
    tolerated = r2 / (r2 + _inside(optimism, "optimism") * maximum)
    sizes = (
        ("shrinkage", parameters / ((shrinkage - 1) * log1p(-r2 / shrinkage))),
        ("optimism", parameters / ((tolerated - 1) * log1p(-r2 / tolerated))),
        ("overall risk", risk),
    )
    criteria = tuple(
        SizeCriterion(name, ceil(n), ceil(n) * share, ceil(n) * share / parameters)
        for name, n in sizes
    )
    most = max(criteria, key=lambda criterion: criterion.n)
    return DevelopmentSize(
        most.n,
        most.events,
        most.events_per_parameter,
        criteria,
        int(parameters),
        r2_cox_snell=r2,
        r2_nagelkerke=r2 / maximum,
        r2_maximum=maximum,
    )


def _anticipated_r2(cox_snell: float | None, nagelkerke: float | None, *, maximum: float) -> float:
    if (cox_snell is None) == (nagelkerke is None):
        raise _one_performance()
    if nagelkerke is not None:
        return _inside(nagelkerke, "r2_nagelkerke") * maximum
    if cox_snell is None or not 0 < cox_snell < maximum:
        raise DataError(
            f"expected a Cox-Snell R2 above 0 and below {maximum:.4g}, the largest there can be "
            f"with so many events; found {cox_snell!r}; give a Nagelkerke R2 as r2_nagelkerke."
        )
    return cox_snell


def _quantile(level: float) -> float:
    return float(ndtri(0.5 + check_level(level) / 2))


def _one_performance() -> DataError:
    return DataError(
        "expected exactly one measure of the anticipated performance; found none or several; give "
        "r2_cox_snell, r2_nagelkerke or, for a yes-or-no outcome, c_statistic."
    )


def _inside(value: float, what: str) -> float:
    if not 0 < value < 1:
        raise DataError(f"expected {what} between 0 and 1; found {value!r}; write 0.05 for 5 %.")
    return float(value)


def _positive(value: float, what: str) -> float:
    if not 0 < value < np.inf:
        raise DataError(f"expected {what} above 0 and finite; found {value!r}; mend it.")
    return float(value)
