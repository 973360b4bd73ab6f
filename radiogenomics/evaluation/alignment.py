"""Checks at the border of the room: the same patients, in one order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import AlignmentError, DataError, short_list
from radiogenomics.core.outcomes import SurvivalOutcome


def require_same_patients(left: pd.Index, right: pd.Index, *, what: str) -> None:
    """Raise AlignmentError unless both name the same patients in one order.

    Examples
    --------
    >>> require_same_patients(pd.Index(["P1"]), pd.Index(["P1"]), what="risk and outcome")
    """
    if left.equals(right):
        return
    only = left.symmetric_difference(right)
    found = f"{len(only)} on one side only ({short_list(only)})" if len(only) else "another order"
    raise AlignmentError(
        f"expected {what} of the same patients in one order; found {found}. "
        "Intersect the patients and bring both into one order."
    )


def checked_risk(
    risk: pd.Series[float], outcome: SurvivalOutcome, *, minimum_events: int
) -> NDArray[np.float64]:
    """Return the risk as an array that can be held against the outcome.

    Raises
    ------
    AlignmentError
        Risk and outcome have other patients or another order.
    OutcomeError
        Fewer events than ``minimum_events``.
    DataError
        A risk is missing, or all are equal.
    """
    require_same_patients(risk.index, outcome.patient_ids, what=f"risk and {outcome.endpoint}")
    outcome.require_events(minimum_events)
    values = risk.to_numpy(dtype=float)
    bad = ~np.isfinite(values)
    if bad.any() or np.ptp(values) == 0:
        raise DataError(
            f"{outcome.endpoint}: expected a finite risk that differs between patients; found "
            f"{int(bad.sum())} missing of {values.size}{'' if bad.any() else ', all equal'}. "
            "Leave patients without a risk out, or use another model."
        )
    return values


def per_sd(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standardise to mean 0 and standard deviation (n − 1) 1."""
    return (values - values.mean()) / values.std(ddof=1)


def strata_of(strata: pd.Series[Any] | None, patients: pd.Index) -> pd.Series[Any] | None:
    """Strata of these patients, in their order; None stays None."""
    return None if strata is None else strata.loc[patients]
