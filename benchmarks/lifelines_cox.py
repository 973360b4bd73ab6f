"""The peer's Cox model, as it comes and run to convergence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd


def lifelines_cox(
    frame: pd.DataFrame, *, converged: bool, strata: Sequence[str] | None = None
) -> Any:
    """Fit ``time`` and ``event`` on the other columns, those of ``strata`` apart.

    By default the search ends at a step of 1e-7 or when the log-likelihood changes by less than
    1e-9 of itself, while its first steps are still shortened: coefficients near 0 may then be 5 %
    from the maximum, far less than their standard error. ``converged`` goes on until nothing moves.
    """
    from lifelines import CoxPHFitter

    options = {"precision": 1e-20, "r_precision": 0.0} if converged else None
    return CoxPHFitter(strata=strata).fit(frame, "time", "event", fit_options=options)
