"""What a null of a whole cross-validation needs beside the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from radiogenomics.core.evidence import Evidence


@dataclass(frozen=True, eq=False)
class Null:
    """Whose null it is, how often it is drawn, by which stream, within which sites."""

    evidence: Evidence
    count: int
    rng: np.random.Generator
    blocks: pd.Series[str] | None
