"""Harrell's C under permutation: the null of every prognostic score."""

from __future__ import annotations

import numpy as np
from case import Arrays, Case
from outcomes import monthly_survival

PATIENTS, EVENTS = 400, 240


def inputs(items: int) -> Arrays:
    """A risk with ties, permuted against outcomes in whole months."""
    rng = np.random.default_rng(2)
    risk = np.round(rng.standard_normal(PATIENTS), 2)
    time, event = monthly_survival(0.3 * risk, events=EVENTS, rng=rng)
    orders = rng.permuted(np.tile(np.arange(PATIENTS), (items, 1)), axis=1)
    return {"risks": risk[orders], "time": time, "event": event}


def ours(given: Arrays, count: int) -> Arrays:
    """All permutations at once."""
    from radiogenomics.stats import concordance_batch

    return {"c": concordance_batch(given["risks"][:count], given["time"], given["event"])}


def theirs(given: Arrays, count: int) -> Arrays:
    """One call a permutation."""
    from lifelines.utils import concordance_index

    time, event = given["time"], given["event"]
    return {"c": np.array([concordance_index(time, -r, event) for r in given["risks"][:count]])}


CASE = Case(
    name="concordance_null",
    job=f"Harrell's C of {{items}} permutations, {PATIENTS} patients, {EVENTS} events, "
    "tied risks and times",
    unit="permutations",
    items=1000,
    sample=200,
    warm_up=2,
    package="lifelines",
    peer="utils.concordance_index, one call a permutation",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
)
