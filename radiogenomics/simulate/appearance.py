"""From latents to what a lesion looks like: the only way biology reaches the pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.special import expit

from radiogenomics.simulate.latents import LATENTS

SIZE_AFTER = MappingProxyType(
    {"CR": (0.6, 0.8), "PR": (0.45, 0.7), "SD": (0.85, 1.12), "PD": (1.22, 1.6)}
)
"""Range of follow-up diameter / baseline diameter by mRECIST category."""


@dataclass(frozen=True)
class Trait:
    """One property of a lesion: ``centre + e Σ_k β_k z_k + σ ε``, then ``transform``.

    Parameters
    ----------
    centre
        Value of an average patient, before the transform.
    slopes
        ``β``: change per SD of each of ``LATENTS``; multiplied by the effect.
    noise
        ``σ``: SD of what the latents do not explain.
    transform
        ``"identity"``, ``"exp"`` or ``"logistic"``.
    """

    centre: float
    slopes: tuple[float, float, float]
    noise: float
    transform: str = "identity"

    def draw(self, latents: np.ndarray, effect: float, rng: np.random.Generator) -> np.ndarray:
        """Draw the property for each patient (rows of ``latents``)."""
        linear = self.centre + effect * (latents @ np.array(self.slopes))
        linear = linear + self.noise * rng.standard_normal(len(latents))
        if self.transform == "exp":
            return np.exp(linear)
        if self.transform == "logistic":
            return expit(linear)
        return linear


@dataclass(frozen=True)
class AppearanceConstants:
    """How latents shape lesions; HU of CT in the arterial phase, mm.

    Parameters
    ----------
    diameter_mm
        Diameter of the largest lesion.
    heterogeneity_hu, texture_mm
        SD and correlation length of the texture inside lesions.
    enhancement_hu
        Lesion minus liver in the arterial phase.
    rim_hu
        Height of the enhancing rim at the lesion's border.
    core_fraction
        Necrotic share of the lesion's volume.
    liver_hu
        Liver in the arterial phase.
    lesions
        Probabilities of one, two, three and four lesions; depends on nothing.
    """

    diameter_mm: Trait = Trait(math.log(42.0), (0.17, 0.0, 0.0), 0.26, "exp")
    heterogeneity_hu: Trait = Trait(math.log(16.0), (0.3, 0.0, 0.0), 0.23, "exp")
    texture_mm: Trait = Trait(math.log(6.0), (-0.1, 0.0, 0.0), 0.15, "exp")
    enhancement_hu: Trait = Trait(26.0, (6.0, 0.0, -2.0), 8.0)
    rim_hu: Trait = Trait(math.log(14.0), (0.0, 0.45, 0.0), 0.4, "exp")
    core_fraction: Trait = Trait(-3.0, (0.0, 0.0, 0.7), 0.8, "logistic")
    liver_hu: Trait = Trait(66.0, (0.0, 0.0, 0.0), 7.0)
    lesions: tuple[float, float, float, float] = (0.55, 0.25, 0.12, 0.08)


@dataclass(frozen=True)
class Appearance:
    """What a patient's lesions look like; see :class:`AppearanceConstants` for the units.

    Parameters
    ----------
    lesions
        Number of lesions.
    diameter_mm, heterogeneity_hu, texture_mm, enhancement_hu, rim_hu, core_fraction, liver_hu
        Traits of the lesions and the liver.
    size_after
        Diameter at follow-up relative to baseline.
    viable_after
        False when no tumour enhances at follow-up (complete response).
    """

    lesions: int
    diameter_mm: float
    heterogeneity_hu: float
    texture_mm: float
    enhancement_hu: float
    rim_hu: float
    core_fraction: float
    liver_hu: float
    size_after: float
    viable_after: bool


def draw_appearance(
    latents: pd.DataFrame,
    response: pd.Series,
    *,
    constants: AppearanceConstants,
    effect: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw what the lesions of each patient look like.

    With ``effect=0`` the same generator gives the same lesions whatever the latents. Follow-up size
    reads the response category at every effect, because that is what the category says.

    Parameters
    ----------
    latents
        Patients × latents.
    response
        mRECIST category of each patient.
    constants
        Traits.
    effect
        Multiplies every slope.
    rng
        Source of randomness.

    Returns
    -------
    pandas.DataFrame
        Patients × fields of :class:`Appearance`.
    """
    states = latents[list(LATENTS)].to_numpy()
    out = pd.DataFrame(index=latents.index)
    out["lesions"] = 1 + rng.choice(4, size=len(out), p=constants.lesions)
    for trait in fields(AppearanceConstants):
        rule = getattr(constants, trait.name)
        if isinstance(rule, Trait):
            out[trait.name] = rule.draw(states, effect, rng)
    low, high = np.array([SIZE_AFTER[category] for category in response]).T
    out["size_after"] = rng.uniform(low, high)
    out["viable_after"] = (response != "CR").to_numpy()
    return out


def appearances(table: pd.DataFrame) -> list[Appearance]:
    """One :class:`Appearance` for each row."""
    return [Appearance(**row) for row in table.to_dict("records")]
