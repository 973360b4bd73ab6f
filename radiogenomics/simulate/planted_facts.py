"""Clinical facts of SIMULATED patients that know a little of the planted score."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

YES_OR_NO = MappingProxyType(
    {
        "sex": (0.85, 0.0),
        "hepatitis_b": (0.8, 0.0),
        "cirrhosis": (0.7, 0.0),
        "local_therapy": (0.5, 0.0),
        "child_pugh_b": (0.2, 0.2),
        "ecog": (0.3, 0.2),
        "line_of_therapy": (0.25, 0.15),
        "portal_vein_invasion": (0.35, 0.35),
        "lung_metastasis": (0.25, 0.25),
        "bone_metastasis": (0.1, 0.2),
        "lymph_node_metastasis": (0.25, 0.25),
    }
)
"""Fact → share of patients with 1, and correlation of what it is cut from with the score."""
ADVANCED = (
    "portal_vein_invasion",
    "lung_metastasis",
    "bone_metastasis",
    "lymph_node_metastasis",
    "ecog",
)
AFP_CORRELATION = 0.3


def draw_clinical(
    scores: Floats, looks: pd.DataFrame, *, linked: bool, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw age, AFP (ng/mL), facts of yes (1) and no (0), and what is counted on the scan.

    BCLC is C with invasion of the portal vein, metastases or symptoms; up-to-seven is exceeded
    (1) when diameter in cm and number of lesions sum to more than 7.
    """
    size = len(scores)
    age = np.clip(np.round(rng.normal(57.0, 11.0, size)), 20, 88)
    found: dict[str, Any] = {"age": age}
    for fact, (share, correlation) in YES_OR_NO.items():
        found[fact] = (_leaning(scores, correlation * linked, rng) > ndtri(1 - share)).astype(float)
    found["bclc_c"] = np.max([found[fact] for fact in ADVANCED], axis=0)
    level = 2.2 + _leaning(scores, AFP_CORRELATION * linked, rng)
    found["afp"] = np.round(10.0**level, 1)
    diameter = looks["diameter_mm"].to_numpy() / 10
    found["size_cm"] = np.round(diameter, 1)
    found["up_to_seven"] = (diameter + 1 + looks["satellites"].to_numpy() > 7).astype(float)
    return pd.DataFrame(found, index=looks.index)


def _leaning(scores: Floats, correlation: float, rng: np.random.Generator) -> Floats:
    own: Floats = rng.standard_normal(len(scores))
    return correlation * scores + np.sqrt(1 - correlation**2) * own
