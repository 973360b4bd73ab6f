"""Patients' facts, survival and response, as the latents and the effect make them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtri

RESPONSES = ("CR", "PR", "SD", "PD")


@dataclass(frozen=True)
class ClinicalConstants:
    """Coefficients of facts and outcomes; all ``*_on_*`` are multiplied by the effect.

    Parameters
    ----------
    stage_on_proliferation, afp_on_proliferation
        Change of the stage's latent score and of log10 AFP per SD.
    stage_cuts
        Quantile probabilities of a standard normal at which stages I, II and III end.
    hazard_on_proliferation, hazard_on_immune, hazard_on_hypoxia
        Log hazard ratio of death per SD.
    hazard_per_stage, hazard_per_decade
        Log hazard ratio per stage and per ten years of age; not multiplied by the effect.
    survival_shape, survival_median
        Weibull shape, and median months of a patient with average hazard.
    progression_shape, progression_median, progression_share
        The same of progression, and the share of the log hazard of death that it has.
    response_on_proliferation, response_on_immune
        Change of the latent response score per SD.
    response_cuts
        Probabilities of a standard logistic at which PD, SD and PR end.
    itls_intercept, itls_on_immune
        Logit of an intratumoral TLS: intercept, and change per SD (a fact of tissue: not
        multiplied by the effect).
    follow_up, dropout
        Shortest and longest months between entry and the end of the study; monthly rate of loss.
    """

    stage_on_proliferation: float = 0.35
    afp_on_proliferation: float = 0.35
    stage_cuts: tuple[float, float, float] = (0.35, 0.65, 0.92)
    hazard_on_proliferation: float = 0.48
    hazard_on_immune: float = -0.4
    hazard_on_hypoxia: float = 0.1
    hazard_per_stage: float = 0.35
    hazard_per_decade: float = 0.08
    survival_shape: float = 1.2
    survival_median: float = 20.0
    progression_shape: float = 1.1
    progression_median: float = 9.0
    progression_share: float = 0.8
    response_on_proliferation: float = -0.6
    response_on_immune: float = 0.9
    response_cuts: tuple[float, float, float] = (0.28, 0.70, 0.94)
    itls_intercept: float = -0.4
    itls_on_immune: float = 1.4
    follow_up: tuple[float, float] = (6.0, 39.0)
    dropout: float = 0.01


def draw_patients(
    latents: pd.DataFrame,
    sites: np.ndarray,
    *,
    constants: ClinicalConstants,
    effect: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw age, sex, stage (1 to 4), AFP (ng/mL), Child-Pugh score (5 to 9), site and iTLS.

    Stage and AFP lean on proliferation, iTLS (``"present"`` or ``"absent"``) on immune
    infiltration; the rest depends on nothing.
    """
    n, proliferation = len(latents), latents["proliferation"].to_numpy()
    slope = effect * constants.stage_on_proliferation
    severity = (slope * proliferation + rng.standard_normal(n)) / np.hypot(slope, 1.0)
    log_afp = 1.6 + effect * constants.afp_on_proliferation * proliferation
    child_pugh = 5.0 + rng.choice(5, size=n, p=[0.55, 0.22, 0.13, 0.07, 0.03])
    chance = itls_probability(latents, constants)
    return pd.DataFrame(
        {
            "site": sites,
            "age": np.clip(np.round(rng.normal(61.0, 10.0, size=n)), 20, 90),
            "sex": np.where(rng.uniform(size=n) < 0.78, "male", "female"),
            "stage": 1.0 + np.searchsorted(ndtri(constants.stage_cuts), severity),
            "afp": np.round(10.0 ** (log_afp + 0.9 * rng.standard_normal(n)), 1),
            "child_pugh": child_pugh,
            "itls": np.where(rng.uniform(size=n) < chance, "present", "absent"),
        },
        index=latents.index,
    )


def itls_probability(latents: pd.DataFrame, constants: ClinicalConstants) -> pd.Series:
    """Probability of an intratumoral TLS; it belongs to the tissue and has no effect to scale."""
    odds = constants.itls_intercept + constants.itls_on_immune * latents["immune"]
    return expit(odds).rename("itls_probability")


def log_hazard(
    latents: pd.DataFrame, patients: pd.DataFrame, constants: ClinicalConstants, *, effect: float
) -> pd.Series:
    """Log hazard of death relative to a stage II patient of 60 with average latents.

    ``η = e (β_p p + β_i i + β_h h) + γ_s (stage − 2) + γ_a (age − 60) / 10``.
    """
    biology = (
        constants.hazard_on_proliferation * latents["proliferation"]
        + constants.hazard_on_immune * latents["immune"]
        + constants.hazard_on_hypoxia * latents["hypoxia"]
    )
    facts = constants.hazard_per_stage * (patients["stage"] - 2)
    facts = facts + constants.hazard_per_decade * (patients["age"] - 60) / 10
    return (effect * biology + facts).rename("log_hazard")


def draw_survival(
    hazard: pd.Series, constants: ClinicalConstants, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw months to death and to progression, both with censoring.

    Times are Weibull with proportional hazards, ``T = λ (E / exp η)^{1/k}`` with
    ``E ~ Exp(1)``; censoring is the earlier of the end of the study and of loss to follow-up, and
    depends on nothing. PFS ends at progression or death, whichever is first.

    Returns
    -------
    pandas.DataFrame
        Columns OS, OS_months, PFS, PFS_months; events 0 or 1.
    """
    n = len(hazard)
    death = _weibull(
        hazard.to_numpy(),
        constants.survival_shape,
        constants.survival_median,
        rng.standard_exponential(n),
    )
    progression = _weibull(
        constants.progression_share * hazard.to_numpy(),
        constants.progression_shape,
        constants.progression_median,
        rng.standard_exponential(n),
    )
    closing = rng.uniform(*constants.follow_up, size=n)
    censoring = np.minimum(closing, rng.exponential(1.0 / constants.dropout, size=n))
    first = np.minimum(death, progression)
    return pd.DataFrame(
        {
            "OS": (death <= censoring).astype(int),
            "OS_months": _months(np.minimum(death, censoring)),
            "PFS": (first <= censoring).astype(int),
            "PFS_months": _months(np.minimum(first, censoring)),
        },
        index=hazard.index,
    )


def response_probability(
    latents: pd.DataFrame, constants: ClinicalConstants, *, effect: float
) -> pd.Series:
    """Probability of CR or PR: ``1 − F(c_SD − s)`` with the logistic ``F`` and the score ``s``."""
    cut = logit(constants.response_cuts[1])
    score = _response_score(latents, constants, effect)
    return expit(score - cut).rename("response_probability")


def draw_response(
    latents: pd.DataFrame,
    constants: ClinicalConstants,
    *,
    effect: float,
    rng: np.random.Generator,
) -> pd.Series:
    """Draw the mRECIST category by an ordered logit on immune infiltration and proliferation."""
    score = _response_score(latents, constants, effect).to_numpy()
    score = score + rng.logistic(size=len(latents))
    worst_first = np.array(RESPONSES[::-1])
    return pd.Series(
        worst_first[np.searchsorted(logit(constants.response_cuts), score)],
        index=latents.index,
        name="response",
    )


def _response_score(
    latents: pd.DataFrame, constants: ClinicalConstants, effect: float
) -> pd.Series:
    return effect * (
        constants.response_on_proliferation * latents["proliferation"]
        + constants.response_on_immune * latents["immune"]
    )


def _weibull(
    hazard: np.ndarray, shape: float, median: float, exponential: np.ndarray
) -> np.ndarray:
    scale = median / np.log(2.0) ** (1.0 / shape)
    return scale * (exponential * np.exp(-hazard)) ** (1.0 / shape)


def _months(time: np.ndarray) -> np.ndarray:
    """Keep whole hundredths; nobody dies on the day of entry."""
    return np.maximum(np.round(time, 2), 0.03)
