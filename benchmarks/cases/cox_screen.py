"""Univariate Cox models of every gene, the screen that starts a signature."""

from __future__ import annotations

import numpy as np
from case import Arrays, Case
from outcomes import monthly_survival

PATIENTS, EVENTS, DRIVERS = 994, 566, 20


def inputs(items: int) -> Arrays:
    """Log expression, genes × patients; the first genes drive the hazard."""
    rng = np.random.default_rng(1)
    genes = rng.standard_normal((items, PATIENTS))
    risk = 0.1 * genes[:DRIVERS].sum(axis=0)
    genes *= rng.uniform(0.5, 2.0, size=(items, 1))
    genes += rng.uniform(2.0, 10.0, size=(items, 1))
    time, event = monthly_survival(risk, events=EVENTS, rng=rng)
    return {"genes": genes, "time": time, "event": event}


def ours(given: Arrays, count: int) -> Arrays:
    """All models side by side."""
    from radiogenomics.stats import fit_cox_batch

    fit = fit_cox_batch(given["genes"][:count, :, None], given["time"], given["event"])
    return {"coef": fit.coef[:, 0], "se": fit.se[:, 0]}


def theirs(given: Arrays, count: int) -> Arrays:
    """One fit a gene, Efron's ties and all other settings as they come."""
    return _fit_each(given, count, converged=False)


def reference(given: Arrays, count: int) -> Arrays:
    """The same fits, until nothing moves."""
    return _fit_each(given, count, converged=True)


def _fit_each(given: Arrays, count: int, *, converged: bool) -> Arrays:
    import pandas as pd
    from lifelines_cox import lifelines_cox

    coef, se = np.empty(count), np.empty(count)
    for position, gene in enumerate(given["genes"][:count]):
        frame = pd.DataFrame({"gene": gene, "time": given["time"], "event": given["event"]})
        fit = lifelines_cox(frame, converged=converged)
        coef[position], se[position] = fit.params_["gene"], fit.standard_errors_["gene"]
    return {"coef": coef, "se": se}


CASE = Case(
    name="cox_screen",
    job=f"univariate Cox (Efron) of {{items}} genes, {PATIENTS} patients, {EVENTS} events, "
    "times in whole months; coefficients and standard errors compared",
    unit="genes",
    items=20_000,
    sample=100,
    warm_up=2,
    package="lifelines",
    peer="CoxPHFitter, one fit a gene",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
    reference=reference,
    remark="a fit of the peer also estimates the baseline hazard",
)
