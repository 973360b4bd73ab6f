r"""How strong the truth of a simulated study must be for its true model to reach a published AUC.

Each block b of a design has a score :math:`t_b` that its features determine, with unit variance
within a class, and a share :math:`w_b` of the whole, :math:`\sum_b w_b = 1`. The true model is
:math:`S = \sum_b \sqrt{w_b}\, t_b`, higher for class 1.

**A class.** :math:`t_b \mid y \sim N(\pm\sqrt{w_b}\,\Delta/2,\ 1)`, so that S is the Bayes rule of
two normal classes with one covariance, with

.. math::

    \mathrm{AUC} = \Phi(\Delta/\sqrt 2), \qquad
    \Delta^2 = \mu'\Sigma^{-1}\mu = \sum_b w_b \Delta^2.

**Living beyond m months.** :math:`S \sim N(0, 1)`, and times are Weibull with proportional
hazards, :math:`P(T > t \mid S) = \exp(-H(t)\, e^{-\beta S})` with
:math:`H(t) = H_0\,(t/\text{median})^k`, where :math:`H_0` makes the median of all patients the
given one. With :math:`F(S) = P(T > m \mid S)` and :math:`\pi = E\,F(S)`,

.. math::

    \mathrm{AUC} = \frac{1}{\pi(1-\pi)} \iint_{s > s'} F(s)\,(1 - F(s'))\,\varphi(s)\,\varphi(s')
    \,ds'\,ds.

**A time to an event.** The same times. Of two patients with hazards :math:`h_i = e^{-\beta S_i}`
the first is seen to have the event before the other has it or leaves with probability
:math:`p_{ij} = \int h_i\, e^{-(h_i + h_j)H}\, G^2\, dH`, with G the share still followed, and

.. math::

    C = \frac{E[p_{ij}\,1(S_i < S_j)]}{E[p_{ij}]}, \qquad
    \text{without censoring}\quad C = E\left[\frac{1}{1 + e^{-\beta|d|}}\right],\ d \sim N(0, 2),

which is what Harrell's C estimates under that censoring: it sees only the early pairs, and with few
events it is the higher one.

Both are solved for :math:`\beta` by quadrature and root finding. A model that sees blocks with
shares :math:`\kappa^2 = \sum_{b\in M} w_b` has :math:`\Phi(\kappa\Delta/\sqrt 2)`, or the AUC or C
of a score with correlation :math:`\kappa` with S.

A rival is :math:`v = y\,\delta + \varepsilon`, in words after cutting at quantiles of all
patients; :math:`\delta` is solved for the AUC of the words, ties counting one half. For a time to
an event it is :math:`v = \kappa S + \sqrt{1-\kappa^2}\,\varepsilon`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.simulate.study_design import BeyondLabel, StudyDesign, TimeLabel, wrong_study

Floats = NDArray[np.float64]

SHAPE = 1.2
STEEPEST = 60.0
SHORTEST_FOLLOW_UP = 0.1
INSTANTS = 100
WIDEST = 450.0


@dataclass(frozen=True)
class StudyTruth:
    r"""What a design comes to.

    Parameters
    ----------
    separation
        :math:`\Delta` of classes; 0 where the label is made from survival.
    slope
        :math:`\beta`, log hazard ratio per SD of the true score; 0 for classes.
    hazard
        :math:`H_0`, cumulative hazard of an average patient at the endpoint's median.
    prevalence
        Share of class 1 among all patients.
    discrimination
        AUC or C-index of the true model of all blocks, without change or effect perhaps.
    """

    separation: float
    slope: float
    hazard: float
    prevalence: float
    discrimination: float


def calibrate(design: StudyDesign) -> StudyTruth:
    """Solve for the strength that gives the true model of all blocks its target.

    Examples
    --------
    >>> from radiogenomics.simulate.study_design import ImageDesign, PartDesign, WordLabel
    >>> design = StudyDesign(
    ...     study="toy",
    ...     parts={"training": PartDesign(100, 40, ("A",))},
    ...     images={"ct": ImageDesign(("f1", "f2", "f3"))},
    ...     clinical={},
    ...     label=WordLabel("itls", ("present",), ("absent",)),
    ...     better=True,
    ...     target=0.85,
    ...     shares={"ct": 1.0},
    ...     informative=2,
    ... )
    >>> truth = calibrate(design)
    >>> round(truth.separation, 3), round(truth.discrimination, 3)
    (1.466, 0.85)
    """
    target, label = design.target, design.label
    prevalence = _known_prevalence(design)
    if isinstance(label, BeyondLabel):
        ratio = _months_in_medians(design, label)
        slope = _root(lambda beta: beyond_auc(beta, ratio=ratio) - target, 0.0, STEEPEST)
        found = StudyTruth(0.0, slope, hazard_at_median(slope), prevalence, target)
        if label.months is not None and design.training.positives is None:
            beyond = float(marginal_survival(found, np.array([ratio]))[0])
            found = replace(found, prevalence=beyond)
    elif isinstance(label, TimeLabel):
        censored = label_censoring(design)
        slope = _root(lambda beta: concordance(beta, censored=censored) - target, 0.0, STEEPEST)
        found = StudyTruth(0.0, slope, hazard_at_median(slope), prevalence, target)
    else:
        found = StudyTruth(separation_of(target), 0.0, 0.0, prevalence, target)
    return replace(found, discrimination=discrimination_of(design, found, blocks=design.blocks))


def discrimination_of(design: StudyDesign, truth: StudyTruth, *, blocks: Iterable[str]) -> float:
    """AUC or C-index of the true model of some blocks, with those that they repeat.

    A later block alone shows less than its share, and some of what the block shows that it
    repeats; that has no closed form here.

    Raises
    ------
    DataError
        A block stands without the one that it repeats.
    """
    chosen = set(blocks)
    for name in chosen & set(design.images):
        earlier = design.images[name].repeats
        if earlier is not None and earlier not in chosen:
            raise wrong_study(f"{earlier} beside {name}, which repeats it", "it alone")
    kappa = float(np.sqrt(sum(design.carried(name) for name in chosen)))
    label = design.label
    if isinstance(label, BeyondLabel):
        return beyond_auc(truth.slope, ratio=_months_in_medians(design, label), kappa=kappa)
    if isinstance(label, TimeLabel):
        return concordance(truth.slope, kappa=kappa, censored=label_censoring(design))
    return float(ndtr(kappa * truth.separation / np.sqrt(2)))


def label_censoring(design: StudyDesign) -> float:
    """Share without the event that is foretold, of the training part where it is counted there."""
    part = design.training
    if isinstance(design.label, TimeLabel) and part.positives is not None:
        return 1 - part.positives / part.patients
    if isinstance(design.label, TimeLabel | BeyondLabel):
        return design.endpoints[design.label.endpoint].censored
    return 0.0


def separation_of(auc: float) -> float:
    """Distance in SD of two normal classes with an AUC."""
    return float(np.sqrt(2) * ndtri(auc))


def hazard_at_median(slope: float) -> float:
    """Solve E exp(−H₀ exp(βS)) = 1/2 for H₀."""
    z, weight = _normal_grid()

    def above(log_hazard: float) -> float:
        return float(weight @ _survived(slope * z + log_hazard)) - 0.5

    return float(np.exp(_root(above, -5.0 - 6.0 * slope, 5.0 + 6.0 * slope)))


def beyond_auc(slope: float, *, ratio: float, kappa: float = 1.0) -> float:
    """AUC, for living beyond ``ratio`` medians, of a score with correlation ``kappa`` with S."""
    z, weight = _normal_grid()
    log_hazard = np.log(hazard_at_median(slope)) + SHAPE * np.log(ratio)
    rest = np.sqrt(max(0.0, 1 - kappa**2))
    if rest < 1e-9:
        beyond = _survived(log_hazard - slope * z)
    else:
        hidden, mass = _normal_grid(401)
        score = kappa * z[:, None] + rest * hidden
        beyond = _survived(log_hazard - slope * score) @ mass
    share = weight @ beyond
    density = weight / (z[1] - z[0])
    below = cumulative_trapezoid((1 - beyond) * density, z, initial=0.0)
    return float(weight @ (beyond * below) / (share * (1 - share)))


def concordance(slope: float, *, kappa: float = 1.0, censored: float = 0.0) -> float:
    """Harrell's C, where a share is censored, of a score with correlation ``kappa`` with S."""
    z, pairs = _pairs(slope, censored)
    apart = np.subtract.outer(z, z)
    if kappa > 1 - 1e-9:
        agrees = (np.sign(apart) + 1) / 2
    else:
        agrees = ndtr(kappa * apart / np.sqrt(2 * (1 - kappa**2)))
    return float((pairs * agrees).sum() / pairs.sum())


def marginal_survival(truth: StudyTruth, ratio: Floats) -> Floats:
    """Share of all patients who live beyond ``ratio`` medians of the label's endpoint."""
    z, weight = _normal_grid(401)
    log_hazard = np.log(truth.hazard) + SHAPE * np.log(ratio)
    found: Floats = _survived(np.add.outer(log_hazard, truth.slope * z)) @ weight
    return found


def follow_up_span(survived: Callable[[Floats], Floats], censored: float) -> float:
    """Longest follow-up, in medians, that censors a share of patients.

    Follow-up is uniform between a tenth of it and all of it. Infinite where nobody is censored.
    """
    if censored == 0:
        return float("inf")
    share = SHORTEST_FOLLOW_UP + (1 - SHORTEST_FOLLOW_UP) * (np.arange(64) + 0.5) / 64

    def too_many(log_span: float) -> float:
        return float(survived(np.exp(log_span) * share).mean()) - censored

    return float(np.exp(_root(too_many, -WIDEST, WIDEST)))


def rival_shift(auc: float, shares: Floats, prevalence: float) -> tuple[float, Floats]:
    """Shift of class 1 and cuts that give words of the given shares an AUC.

    Where these shares cannot reach it, the words of the lower half of the list take the share of
    class 0 and the others that of class 1.

    Returns
    -------
    float, ndarray
        Shift in SD, and cuts of ``y shift + N(0, 1)``.
    """
    for tried in (shares, _split_at(shares, prevalence)):
        if _word_auc(STEEPEST, tried, prevalence) >= auc:
            shift = _root(lambda d, s=tried: _word_auc(d, s, prevalence) - auc, 0.0, STEEPEST)
            return shift, _cuts(shift, tried, prevalence)
    raise wrong_study("an AUC that words can reach", f"{auc:g} of {len(shares)} groups")


def rival_correlation(
    target: float, slope: float, *, shares: Floats | None, censored: float
) -> float:
    """Correlation with S that gives numbers (None), or words of the given shares, a C-index.

    Raises
    ------
    DataError
        Not even the true model has it.
    """

    def found(kappa: float) -> float:
        if shares is None:
            return concordance(slope, kappa=kappa, censored=censored)
        return _word_concordance(kappa, shares, *_pairs(slope, censored))

    if found(1.0) < target:
        raise DataError(
            f"simulated study: expected a rival below the true model (a C-index of at most "
            f"{found(1.0):.3f}); found {target:g}. Lower it."
        )
    return _root(lambda kappa: found(kappa) - target, 0.0, 1.0)


def _known_prevalence(design: StudyDesign) -> float:
    """Share of class 1 in the training part; a half where it is left to lot."""
    known = design.training.positives
    if known is None or isinstance(design.label, TimeLabel):
        return 0.5
    return known / design.training.patients


def _months_in_medians(design: StudyDesign, label: BeyondLabel) -> float:
    median = design.endpoints[label.endpoint].median
    return (label.months or median) / median


def _word_auc(shift: float, shares: Floats, prevalence: float) -> float:
    cuts = _cuts(shift, shares, prevalence)
    low, high = (np.diff(ndtr(np.r_[-np.inf, cuts - move, np.inf])) for move in (0.0, shift))
    below = np.cumsum(low) - low
    return float(high @ (below + low / 2))


def _cuts(shift: float, shares: Floats, prevalence: float) -> Floats:
    """Quantiles of the mixture of both classes."""
    ends = np.cumsum(shares)[:-1] / np.sum(shares)

    def quantile(end: float) -> float:
        def above(v: float) -> float:
            mixed = (1 - prevalence) * ndtr(v) + prevalence * ndtr(v - shift)
            return float(mixed - end)

        return _root(above, -10.0, 10.0 + shift)

    return np.array([quantile(float(end)) for end in ends])


def _split_at(shares: Floats, prevalence: float) -> Floats:
    half = len(shares) // 2
    low, high = shares[:half], shares[half:]
    return np.r_[low / low.sum() * (1 - prevalence), high / high.sum() * prevalence]


def _word_concordance(kappa: float, shares: Floats, z: Floats, pairs: Floats) -> float:
    cuts = np.r_[-np.inf, ndtri(np.cumsum(shares)[:-1] / np.sum(shares)), np.inf]
    rest = np.sqrt(max(1e-12, 1 - kappa**2))
    word = np.diff(ndtr((cuts - kappa * z[:, None]) / rest), axis=1)
    below = np.cumsum(word, axis=1) - word
    agrees = word @ (below + word / 2).T
    return float((pairs * agrees).sum() / pairs.sum())


def _pairs(slope: float, censored: float) -> tuple[Floats, Floats]:
    """Scores, higher for a higher hazard, and weights of pairs whose first is seen to go first."""
    z, weight = _normal_grid(241)
    both = np.outer(weight, weight)
    if censored == 0:
        return z, both * expit(slope * np.subtract.outer(z, z))
    at_median = hazard_at_median(slope)
    truth = StudyTruth(0.0, slope, at_median, 0.5, 0.5)
    span = follow_up_span(lambda ratio: marginal_survival(truth, ratio), censored)
    # Most is decided early where hazards differ much: instants lie closer there.
    ends = span * (np.arange(INSTANTS + 1) / INSTANTS) ** 3
    time = (ends[1:] + ends[:-1]) / 2
    followed = np.minimum(1.0, (1 - time / span) / (1 - SHORTEST_FOLLOW_UP))
    passed = at_median * np.diff(ends**SHAPE)
    hazard = np.exp(slope * z)
    left = _survived(np.add.outer(np.log(at_median) + SHAPE * np.log(time), slope * z))
    first = (left * hazard * (passed * followed**2)[:, None]).T @ left
    return z, both * first


def _survived(log_hazard: Floats) -> Floats:
    """exp(−exp(log hazard)); beyond 700 it is 0 anyway."""
    return np.exp(-np.exp(np.minimum(log_hazard, 50.0)))


def _normal_grid(points: int = 3001) -> tuple[Floats, Floats]:
    """Points and weights of a standard normal; sums over them are exact for smooth functions."""
    z = np.linspace(-9.0, 9.0, points)
    weight = np.exp(-(z**2) / 2)
    return z, weight / weight.sum()


def _root(function: Callable[[Any], float], low: float, high: float) -> float:
    """A root between two ends, or the lower end where the function starts at it."""
    start, end = function(low), function(high)
    if abs(start) < 1e-9:
        return low
    if start * end > 0:
        raise wrong_study("a target within reach", f"a gap of {min(abs(start), abs(end)):.3g}")
    return float(brentq(function, low, high, xtol=1e-12, rtol=1e-12))
