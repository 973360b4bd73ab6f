"""Proteome: log intensities that follow the RNA loosely and go missing where they are low."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from radiogenomics.simulate.genes import NAMED
from radiogenomics.simulate.streams import WORLD, stream


@dataclass(frozen=True)
class ProteomeConstants:
    """How protein follows RNA and how it goes missing.

    Parameters
    ----------
    detectable
        Share of the genes without a program whose protein can be measured.
    slope, noise
        Change of log2 intensity per log2 of RNA, and SD of what RNA does not explain.
    base, base_slope, base_spread
        Mean log2 intensity: base, slope on the protein's mean RNA, SD of the rest.
    missing_midpoint, missing_steepness
        Log2 intensity at which half of the values are missing, and slope of the logit.
    """

    detectable: float = 0.6
    slope: float = 0.6
    noise: float = 0.6
    base: float = 25.0
    base_slope: float = 0.8
    base_spread: float = 1.0
    missing_midpoint: float = 22.5
    missing_steepness: float = 1.5


def simulate_proteome(
    rna: pd.DataFrame, constants: ProteomeConstants, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw log2 intensities with values missing not at random.

    ``x_ig = c_g + s (r_ig − r̄_g) + σ ε`` and ``P(missing) = 1 / (1 + exp(k (x_ig − x₅₀)))``: the
    lower a value, the likelier it is missing, so means of what was seen are too high.

    Parameters
    ----------
    rna
        Samples × genes, log2.
    constants
        Slopes, noise and missingness.
    rng
        Source of randomness.

    Returns
    -------
    pandas.DataFrame
        Samples × proteins (by gene symbol), log2 intensity, NaN where missing.
    """
    genes = rna.columns
    fixed = stream(WORLD, "proteome")
    # Drawn gene by gene in one order, so that a longer genome begins with the shorter one.
    draws = fixed.uniform(size=(len(genes), 2))
    seen = (draws[:, 0] < constants.detectable) | genes.isin(NAMED)
    seen_rna = rna.loc[:, seen]
    mean = seen_rna.mean()
    # Uniform with the wanted SD.
    offset = (draws[seen, 1] - 0.5) * np.sqrt(12.0) * constants.base_spread
    base = constants.base + constants.base_slope * (mean - mean.mean()) + offset
    noise = constants.noise * rng.standard_normal(seen_rna.shape)
    intensity = base + constants.slope * (seen_rna - mean) + noise
    chance = expit(constants.missing_steepness * (constants.missing_midpoint - intensity))
    return intensity.mask(rng.uniform(size=chance.shape) < chance)
