"""Simulated survival times with the ties of real follow-up, which is recorded in whole months."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MEAN_MONTHS = 40


def monthly_survival(
    risk: NDArray[Any], *, events: int, rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw exponential times with log hazard ``risk`` and censor all but ``events`` at random.

    Returns
    -------
    time, event : ndarray of shape (n,)
        Whole months from 1; 1 where the event was seen.
    """
    n = risk.size
    months = rng.exponential(MEAN_MONTHS * np.exp(-risk))
    event = np.ones(n, dtype=int)
    event[rng.choice(n, size=n - events, replace=False)] = 0
    followed = np.where(event == 1, months, months * rng.uniform(size=n))
    return np.ceil(followed), event
