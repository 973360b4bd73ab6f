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

Where patients are scanned again, H(t) is what has passed since that scan (:mod:`study_times`), and
:math:`F`, :math:`h\,e^{-hH}` and :math:`e^{-hH}` are means over the times of scans: the AUC and C
are those of this law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid
from scipy.special import expit, ndtr, ndtri

from radiogenomics.simulate.study_design import BeyondLabel, StudyDesign, TimeLabel, wrong_study
from radiogenomics.simulate.study_times import (
    ONE_SCAN,
    SHAPE,
    SHORTEST_FOLLOW_UP,
    Scans,
    followed,
    leaving,
    left,
    log_passed,
    normal_grid,
    passed,
    root,
    scans_of,
    survived,
)

__all__ = [
    "SHAPE",
    "SHORTEST_FOLLOW_UP",
    "StudyTruth",
    "agreement",
    "beyond_auc",
    "calibrate",
    "concordance",
    "discrimination_of",
    "follow_up_span",
    "hazard_at_median",
    "label_censoring",
    "marginal_survival",
    "pairs",
    "separation_of",
    "survival_given",
]

Floats = NDArray[np.float64]

STEEPEST = 60.0
INSTANTS, INSTANTS_TO_THE_END = 100, 300
WIDEST = 450.0
LAST = 0.001


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
    scans
        When patients are scanned again, in medians of the label's endpoint.
    """

    separation: float
    slope: float
    hazard: float
    prevalence: float
    discrimination: float
    scans: Scans = ONE_SCAN


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
    prevalence, scans = _known_prevalence(design), _label_scans(design)
    if isinstance(label, BeyondLabel):
        months = _months_in_medians(design, label)
        slope = root(lambda b: beyond_auc(b, ratio=months, scans=scans) - target, 0.0, STEEPEST)
        found = StudyTruth(0.0, slope, hazard_at_median(slope, scans), prevalence, target, scans)
        if label.months is not None and design.training.positives is None:
            beyond = float(marginal_survival(found, np.array([months]))[0])
            found = replace(found, prevalence=beyond)
    elif isinstance(label, TimeLabel):
        censored = label_censoring(design)
        slope = root(
            lambda b: concordance(b, censored=censored, scans=scans) - target, 0.0, STEEPEST
        )
        found = StudyTruth(0.0, slope, hazard_at_median(slope, scans), prevalence, target, scans)
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
        months = _months_in_medians(design, label)
        return beyond_auc(truth.slope, ratio=months, kappa=kappa, scans=truth.scans)
    if isinstance(label, TimeLabel):
        censored = label_censoring(design)
        return concordance(truth.slope, kappa=kappa, censored=censored, scans=truth.scans)
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


def hazard_at_median(slope: float, scans: Scans = ONE_SCAN) -> float:
    """Solve E exp(−H₀ exp(βS)) = 1/2 for H₀, nobody having an event before a later scan."""
    z, weight = normal_grid()

    def above(log_hazard: float) -> float:
        return float(weight @ left(slope * z + log_hazard, scans, 1.0)) - 0.5

    return float(np.exp(root(above, -5.0 - 6.0 * slope, 5.0 + 6.0 * slope)))


def beyond_auc(slope: float, *, ratio: float, kappa: float = 1.0, scans: Scans = ONE_SCAN) -> float:
    """AUC, for living beyond ``ratio`` medians, of a score with correlation ``kappa`` with S."""
    z, weight = normal_grid()
    log_hazard = np.log(hazard_at_median(slope, scans))
    rest = np.sqrt(max(0.0, 1 - kappa**2))
    if rest < 1e-9:
        beyond = left(log_hazard - slope * z, scans, ratio)
    else:
        hidden, mass = normal_grid(401)
        score = kappa * z[:, None] + rest * hidden
        beyond = left(log_hazard - slope * score, scans, ratio) @ mass
    share = weight @ beyond
    density = weight / (z[1] - z[0])
    below = cumulative_trapezoid((1 - beyond) * density, z, initial=0.0)
    return float(weight @ (beyond * below) / (share * (1 - share)))


def concordance(
    slope: float, *, kappa: float = 1.0, censored: float = 0.0, scans: Scans = ONE_SCAN
) -> float:
    """Harrell's C, where a share is censored, of a score with correlation ``kappa`` with S."""
    return agreement(kappa, *pairs(slope, censored, scans))


def agreement(kappa: float, z: Floats, weight: Floats) -> float:
    """Share of weighted pairs that a score with correlation ``kappa`` with z puts in order."""
    apart = np.subtract.outer(z, z)
    if kappa > 1 - 1e-9:
        agrees = (np.sign(apart) + 1) / 2
    else:
        agrees = ndtr(kappa * apart / np.sqrt(2 * (1 - kappa**2)))
    return float((weight * agrees).sum() / weight.sum())


def marginal_survival(truth: StudyTruth, ratio: Floats) -> Floats:
    """Share of all patients who live beyond ``ratio`` medians of the label's endpoint."""
    found: Floats = np.zeros(np.shape(ratio))
    for start, share in zip(truth.scans.start, truth.scans.share, strict=True):
        found += share * survival_given(truth, ratio, start)
    return found


def survival_given(truth: StudyTruth, ratio: Floats, start: Floats | float) -> Floats:
    """Share who live beyond ``ratio`` medians of those who have no event until the start."""
    z, weight = normal_grid(401)
    log_hazard = np.log(truth.hazard) + log_passed(ratio, start)
    found: Floats = survived(np.add.outer(log_hazard, truth.slope * z)) @ weight
    return found


def follow_up_span(
    alive: Callable[[Floats], Floats], censored: float, scans: Scans = ONE_SCAN
) -> float:
    """Longest follow-up, in medians, that censors a share of patients.

    Follow-up is uniform between a tenth of it and all of it, of those who were scanned again
    between their scan and all of it where that is later. Infinite where nobody is censored.

    Parameters
    ----------
    alive
        Share without an event at some medians; a row for each point of the scans.
    censored
        The share.
    scans
        In medians.
    """
    if censored == 0:
        return float("inf")
    middles = (np.arange(64) + 0.5) / 64
    position = SHORTEST_FOLLOW_UP + (1 - SHORTEST_FOLLOW_UP) * middles
    start, share = np.array(scans.start)[:, None], np.array(scans.share)

    def too_many(log_span: float) -> float:
        until = leaving(float(np.exp(log_span)), start, position[None])
        return float(share @ alive(until).mean(axis=1)) - censored

    low, high = -1.0, 1.0
    while too_many(low) < 0 and low > -WIDEST:
        low *= 2
    while too_many(high) > 0 and high < WIDEST:
        high *= 2
    return float(np.exp(root(too_many, low, high)))


def pairs(slope: float, censored: float, scans: Scans = ONE_SCAN) -> tuple[Floats, Floats]:
    """Scores, higher for a higher hazard, and weights of pairs whose first is seen to go first."""
    z, weight = normal_grid(241)
    both = np.outer(weight, weight)
    if censored == 0 and scans == ONE_SCAN:
        return z, both * expit(slope * np.subtract.outer(z, z))
    at_median = hazard_at_median(slope, scans)
    truth = StudyTruth(0.0, slope, at_median, 0.5, 0.5, scans)
    starts = np.array(scans.start)[:, None]
    span = follow_up_span(lambda r: survival_given(truth, r, starts), censored or LAST, scans)
    # Most is decided early where hazards differ much: instants lie closer there.
    instants = INSTANTS if censored else INSTANTS_TO_THE_END
    ends = span * (np.arange(instants + 1) / instants) ** 3
    time = (ends[1:] + ends[:-1]) / 2
    hazard = at_median * np.exp(slope * z)
    gone, remain = np.zeros((2, instants, len(z)))
    for start, share in zip(scans.start, scans.share, strict=True):
        log_hazard = np.log(at_median) + log_passed(time, start)
        alive = share * survived(np.add.outer(log_hazard, slope * z))
        if censored:
            alive *= followed(time, span, start)[:, None]
        gone += alive * hazard * np.diff(passed(ends, start))[:, None]
        remain += alive
    return z, both * (gone.T @ remain)


def _known_prevalence(design: StudyDesign) -> float:
    """Share of class 1 in the training part; a half where it is left to lot."""
    known = design.training.positives
    if known is None or isinstance(design.label, TimeLabel):
        return 0.5
    return known / design.training.patients


def _label_scans(design: StudyDesign) -> Scans:
    """Points of scans in medians of the label's endpoint; one for all who were not scanned."""
    if design.label_endpoint is None:
        return ONE_SCAN
    scans = scans_of(design).in_medians(design.median(design.label_endpoint))
    shares: dict[float, float] = {}
    for start, share in zip(scans.start, scans.share, strict=True):
        shares[start] = shares.get(start, 0.0) + share
    return Scans(tuple(shares), tuple(shares), tuple(shares.values()))


def _months_in_medians(design: StudyDesign, label: BeyondLabel) -> float:
    median = design.median(label.endpoint)
    return (label.months or median) / median
