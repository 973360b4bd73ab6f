"""One Cox model a gene and cohort: the screen that starts a signature."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_groups, check_survival
from radiogenomics.stats.survival.cox import fit_cox_batch


@dataclass(frozen=True, eq=False)
class CoxScreen:
    """Univariate Cox models of genes in cohorts; arrays have shape (cohorts, genes).

    Attributes
    ----------
    cohorts : ndarray of shape (cohorts,)
        Labels, sorted.
    coef, se, z, p : ndarray
        Log hazard ratio per unit, its standard error, Wald statistic and two-sided p-value. NaN
        where there is no model: see `absent` and `without_model`.
    log_likelihood, score_statistic : ndarray
        Log partial likelihood at `coef`; score statistic at zero. Both also stand where the
        likelihood rises for ever.
    null_log_likelihood : ndarray of shape (cohorts,)
    absent : ndarray of bool
        The cohort has no value of the gene.
    without_model : ndarray of bool
        The gene is there, but is constant, has missing values, or has no finite maximum.
    n, events : ndarray of int, shape (cohorts,)
    """

    cohorts: NDArray[Any]
    coef: Floats
    se: Floats
    z: Floats
    p: Floats
    log_likelihood: Floats
    score_statistic: Floats
    null_log_likelihood: Floats
    absent: Bools
    without_model: Bools
    n: NDArray[np.intp]
    events: NDArray[np.intp]


def cox_screen(
    values: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    cohorts: ArrayLike | None = None,
    ties: str = "efron",
) -> CoxScreen:
    """Fit a Cox model of each gene alone in each cohort.

    Coefficients and standard errors are what a meta-analysis of cohorts takes. Screening uses the
    outcome: outside resampling it makes noise look like signal, and a gene that matters only beside
    another is missed. A gene measured in a part of a cohort gets no model there, with a warning.

    Parameters
    ----------
    values : array-like of shape (n, genes)
        Logarithmic for expression. NaN in all patients of a cohort: the cohort lacks the gene.
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    cohorts : array-like of shape (n,), optional
        Cohort of each patient; one cohort where left out.
    ties : {"efron", "breslow"}

    Raises
    ------
    OutcomeError, DataError
        If the outcome cannot be analysed, a cohort has no event or label, or shapes do not fit.

    References
    ----------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Efron 1977,
    doi:10.1080/01621459.1977.10480613.

    Examples
    --------
    >>> genes = [[0, 1], [1, 1], [0, 3], [1, 2], [1, 0], [0, 1]]
    >>> cox_screen(genes, [5, 3, 8, 2, 6, 9], [1, 1, 0, 1, 1, 1]).coef.round(3)
    array([[ 1.688, -0.268]])
    """
    x, times, events, groups = _checked(values, time, event, cohorts)
    labels, code = np.unique(groups, return_inverse=True)
    n_events = np.bincount(code, weights=events).astype(int)
    _check_events(labels, n_events)
    columns = np.full((6, labels.size, x.shape[1]), np.nan)
    missing = np.empty((2, labels.size, x.shape[1]), dtype=bool)
    null = np.empty(labels.size)
    for at in range(labels.size):
        part, outcome = x[code == at], (times[code == at], events[code == at])
        missing[:, at] = np.isnan(part).all(axis=0), np.isnan(part).any(axis=0)
        fit = fit_cox_batch(part.T[:, :, None], *outcome, ties=ties)
        found = (fit.coef[:, 0], fit.se[:, 0], fit.z[:, 0], fit.p[:, 0])
        columns[:4, at] = np.where(fit.converged, found, np.nan)
        columns[4:, at] = fit.log_likelihood, fit.score_statistic
        null[at] = fit.null_log_likelihood
    absent, partial = missing[0], missing[1] & ~missing[0]
    _warn_of_partial(partial, labels)
    without = np.isnan(columns[0]) & ~absent
    return CoxScreen(labels, *columns, null, absent, without, np.bincount(code), n_events)


def _checked(
    values: ArrayLike, time: ArrayLike, event: ArrayLike, cohorts: ArrayLike | None
) -> tuple[Floats, Floats, Bools, NDArray[Any]]:
    times, events = check_survival(time, event)
    x = as_floats(values, "expression")
    if x.ndim != 2 or len(x) != times.size:
        raise DataError(
            f"expected expression of shape ({times.size} patients, genes); found {x.shape}. "
            "Put patients in rows."
        )
    groups = np.zeros(times.size, dtype=int)
    if cohorts is not None:
        groups = check_groups(cohorts, times.size, what="cohort")
    return x, times, events, groups


def _check_events(labels: NDArray[Any], events: NDArray[np.intp]) -> None:
    if (events == 0).any():
        raise OutcomeError(
            f"expected an event in every cohort; found none in {labels[np.argmin(events)]!s}. "
            "Leave the cohort out, follow it longer or choose another endpoint."
        )


def _warn_of_partial(partial: Bools, labels: NDArray[Any]) -> None:
    if partial.any():
        where = labels[np.argmax(partial.any(axis=1))]
        warnings.warn(
            f"{int(partial.any(axis=0).sum())} genes have values in a part of a cohort only (the "
            f"first such cohort: {where!s}) and get no model there. Expected a gene in all "
            "patients of a cohort or in none: impute, or drop the gene or the patients.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
