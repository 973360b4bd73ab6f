"""The three hidden traits of a tumour that everything else depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

LATENTS = ("proliferation", "immune", "hypoxia")


@dataclass(frozen=True)
class LatentModel:
    """Correlations of the latents, each standard normal.

    Parameters
    ----------
    proliferation_immune, proliferation_hypoxia, immune_hypoxia
        Pairwise correlations; together they must be positive definite.
    """

    proliferation_immune: float = 0.0
    proliferation_hypoxia: float = 0.35
    immune_hypoxia: float = -0.25

    def correlation(self) -> np.ndarray:
        """Correlation matrix in the order of ``LATENTS``."""
        pi, ph, ih = self.proliferation_immune, self.proliferation_hypoxia, self.immune_hypoxia
        return np.array([[1.0, pi, ph], [pi, 1.0, ih], [ph, ih, 1.0]])


def draw_latents(
    patient_ids: pd.Index, model: LatentModel, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw proliferation, immune infiltration and hypoxia of each patient.

    ``z ~ N(0, R)`` with the correlation matrix ``R`` of ``model``.

    Parameters
    ----------
    patient_ids
        Patients, one row each.
    model
        Correlations.
    rng
        Source of randomness.

    Returns
    -------
    pandas.DataFrame
        Patients × ``LATENTS``, in standard deviations.
    """
    root = np.linalg.cholesky(model.correlation())
    values = rng.standard_normal((len(patient_ids), len(LATENTS))) @ root.T
    return pd.DataFrame(values, index=patient_ids, columns=list(LATENTS))
