r"""How strong what nobody trains must be for its published AUC, and what its words say.

A rival is :math:`v = y\,\delta + \varepsilon`, in words after cutting at quantiles of all
patients; :math:`\delta` is solved for the AUC of the words, ties counting one half. For a time to
an event it is :math:`v = \kappa S + \sqrt{1-\kappa^2}\,\varepsilon`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.simulate.study_design import (
    CategoryLabel,
    RivalDesign,
    StudyDesign,
    TimeLabel,
    wrong_study,
)
from radiogenomics.simulate.study_times import ONE_SCAN, Scans, normal_grid, root
from radiogenomics.simulate.study_truth import (
    STEEPEST,
    StudyTruth,
    agreement,
    label_censoring,
    pairs,
    separation_of,
)

Floats = NDArray[np.float64]

RESPONSE_SHARES = (("CR", 0.03), ("PR", 0.22), ("SD", 0.5), ("PD", 0.25))


@dataclass(frozen=True, eq=False)
class RivalLaw:
    r"""How a rival depends on the label.

    Parameters
    ----------
    strength
        :math:`\delta`, or :math:`\kappa` for a time to an event.
    cuts
        Between words; none for numbers.
    """

    strength: float
    cuts: Floats


def rival_law(design: StudyDesign, truth: StudyTruth, rival: RivalDesign) -> RivalLaw:
    """Solve for a rival's strength and cuts; a null world has no strength.

    Raises
    ------
    DataError
        No strength gives the rival its AUC or C-index.
    """
    groups = rival.groups
    shares = None if groups is None else np.array([word_shares(group).sum() for group in groups])
    aim = rival.discrimination if design.effect else 0.5
    if isinstance(design.label, TimeLabel):
        kappa = rival_correlation(
            aim, truth.slope, shares=shares, censored=label_censoring(design), scans=truth.scans
        )
        return RivalLaw(kappa, np.zeros(0) if shares is None else rival_shift(0.5, shares, 0.5)[1])
    if shares is None:
        return RivalLaw(separation_of(aim), np.zeros(0))
    return RivalLaw(*rival_shift(aim, shares, truth.prevalence))


def word_shares(words: tuple[str, ...]) -> Floats:
    """Shares of response categories, and equal ones of any other words."""
    known = dict(RESPONSE_SHARES)
    return np.array([known.get(word, 0.25) for word in words])


def progressed_shares(design: StudyDesign, truth: StudyTruth) -> tuple[float, float]:
    """Share of class 0, and of class 1, whose response at the later scan is progression.

    Of a time to an event these are the lower and the higher half of scores.
    """
    if isinstance(design.label, TimeLabel):
        z, weight = normal_grid()
        spared = without_progression(design, truth, z) * weight
        low, high = (2 * float(spared @ np.heaviside(side * z, 0.5)) for side in (-1, 1))
        return 1 - low, 1 - high
    low, high = without_progression(design, truth, np.array([0.0, 1.0])).tolist()
    return 1 - low, 1 - high


def without_progression(design: StudyDesign, truth: StudyTruth, given: Floats) -> Floats:
    """Share whose responses do not say progression, given their classes.

    Parameters
    ----------
    given
        Classes, 0 or 1; true scores where the label is a time to an event.
    """
    known, spared = set(), np.ones(len(given))
    label = design.label
    if isinstance(label, CategoryLabel):
        known.add(label.outcome)
        words = (label.negative, label.positive)
        spared *= 1 - np.interp(given, (0, 1), [_progressive_share(design, one) for one in words])
    for rival in design.rivals.values():
        if rival.outcome and rival.groups is not None and rival.fact not in known:
            known.add(rival.fact)
            said = np.array([_progressive_share(design, group) for group in rival.groups])
            if not said.any():
                continue
            law = rival_law(design, truth, rival)
            noise = np.sqrt(1 - law.strength**2) if isinstance(label, TimeLabel) else 1.0
            ends = np.r_[-np.inf, law.cuts, np.inf] - law.strength * given[:, None]
            spared *= 1 - np.diff(ndtr(ends / max(noise, 1e-6))) @ said
    return spared


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
            shift = root(lambda d, s=tried: _word_auc(d, s, prevalence) - auc, 0.0, STEEPEST)
            return shift, _cuts(shift, tried, prevalence)
    raise wrong_study("an AUC that words can reach", f"{auc:g} of {len(shares)} groups")


def rival_correlation(
    target: float,
    slope: float,
    *,
    shares: Floats | None,
    censored: float,
    scans: Scans = ONE_SCAN,
) -> float:
    """Correlation with S that gives numbers (None), or words of the given shares, a C-index.

    Raises
    ------
    DataError
        Not even the true model has it.
    """

    z, weight = pairs(slope, censored, scans)

    def found(kappa: float) -> float:
        if shares is None:
            return agreement(kappa, z, weight)
        return _word_concordance(kappa, shares, z, weight)

    if found(1.0) < target:
        raise DataError(
            f"simulated study: expected a rival below the true model (a C-index of at most "
            f"{found(1.0):.3f}); found {target:g}. Lower it."
        )
    return root(lambda kappa: found(kappa) - target, 0.0, 1.0)


def _progressive_share(design: StudyDesign, words: tuple[str, ...]) -> float:
    """Share of a group of words that say progression."""
    share = word_shares(words)
    said = [word in design.progressive for word in words]
    return float(share[said].sum() / share.sum())


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

        return root(above, -10.0, 10.0 + shift)

    return np.array([quantile(float(end)) for end in ends])


def _split_at(shares: Floats, prevalence: float) -> Floats:
    half = len(shares) // 2
    low, high = shares[:half], shares[half:]
    return np.r_[low / low.sum() * (1 - prevalence), high / high.sum() * prevalence]


def _word_concordance(kappa: float, shares: Floats, z: Floats, weight: Floats) -> float:
    cuts = np.r_[-np.inf, ndtri(np.cumsum(shares)[:-1] / np.sum(shares)), np.inf]
    rest = np.sqrt(max(1e-12, 1 - kappa**2))
    word = np.diff(ndtr((cuts - kappa * z[:, None]) / rest), axis=1)
    below = np.cumsum(word, axis=1) - word
    agrees = word @ (below + word / 2).T
    return float((weight * agrees).sum() / weight.sum())
