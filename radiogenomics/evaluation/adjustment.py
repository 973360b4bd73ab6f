"""What a risk adds to clinical covariates."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    AlignmentError,
    OutcomeError,
    RadiogenomicsWarning,
    short_list,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.alignment import checked_risk, per_sd, strata_of
from radiogenomics.evaluation.prognosis import PER_SD
from radiogenomics.stats import CoxFit, fit_cox

EVENTS_PER_TERM = 5


def adjusted_hazard_ratio(
    risk: pd.Series[float],
    outcome: SurvivalOutcome,
    covariates: pd.DataFrame,
    *,
    split: str,
    strata: pd.Series[Any] | None = None,
    minimum_events: int = 10,
) -> pd.DataFrame:
    """Cox model of a risk together with covariates.

    The risk enters per standard deviation (n − 1) over all patients given, so its hazard ratio can
    be read beside the univariate one. Numbers enter per unit; text one term a level against its
    most frequent one. Left out with a warning: patients without a covariate; levels without events;
    constant covariates. Misleads with few events a term, or a covariate between risk and outcome.

    Parameters
    ----------
    risk, outcome, strata, minimum_events
        As in :func:`prognosis`.
    covariates
        Numeric or text; at least the patients of ``risk``.

    Returns
    -------
    DataFrame
        ``split, model, term, hazard_ratio, low, high, p, n, events, left_out``; the risk first.

    Raises
    ------
    AlignmentError, DataError, OutcomeError
        As in :func:`prognosis`; no more events than terms, or no finite estimate.

    References
    ----------
    Vittinghoff & McCulloch 2007, doi:10.1093/aje/kwk052 (events a term).
    """
    values = checked_risk(risk, outcome, minimum_events=minimum_events)
    table = _usable(covariates, outcome, split=split)
    standard = pd.Series(per_sd(values), index=risk.index, name=PER_SD).loc[table.index]
    design = pd.concat([standard, *_terms(table, split=split)], axis=1)
    truth = outcome.for_patients(table.index)
    truth.require_events(minimum_events)
    fit = _fit(design, truth, strata=strata_of(strata, table.index), split=split)
    low, high = fit.interval().T
    return pd.DataFrame(
        {
            "split": split,
            "endpoint": outcome.endpoint,
            "model": "adjusted",
            "term": design.columns,
            "hazard_ratio": fit.hazard_ratio,
            "low": low,
            "high": high,
            "p": fit.p,
            "n": fit.n,
            "events": fit.events,
            "left_out": len(risk) - fit.n,
        }
    )


def _usable(covariates: pd.DataFrame, outcome: SurvivalOutcome, *, split: str) -> pd.DataFrame:
    """Patients with all covariates, in levels that have events; text or numbers."""
    absent = outcome.patient_ids.difference(covariates.index)
    if len(absent):
        raise AlignmentError(
            f"{split}: expected covariates of every patient; found none of {len(absent)} "
            f"({short_list(absent)}). Reindex the covariates; missing values may be empty."
        )
    table = covariates.loc[outcome.patient_ids].astype(object).map(_blank_to_missing)
    lacking = table.isna()
    if lacking.any(axis=None):
        counts = ", ".join(f"{name}: {n}" for name, n in lacking.sum().items() if n)
        _warn(
            f"{split}: {int(lacking.any(axis=1).sum())} of {len(table)} patients lack a covariate "
            f"({counts}) and are left out of the adjusted model."
        )
    return _without_eventless_levels(table.dropna().infer_objects(), outcome, split=split)


def _without_eventless_levels(
    table: pd.DataFrame, outcome: SurvivalOutcome, *, split: str
) -> pd.DataFrame:
    """Drop patients of text levels without events, until every level left has one."""
    text = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    while True:
        event = outcome.event.loc[table.index]
        empty = (
            (name, level)
            for name in text
            for level, events in event.groupby(table[name]).sum().items()
            if events == 0
        )
        name, level = next(empty, (None, None))
        if name is None:
            return table
        members = table[name] == level
        _warn(
            f"{split}: {name} {level!s} has no event among {int(members.sum())} patients, who are "
            "left out of the adjusted model."
        )
        table = table[~members]


def _terms(table: pd.DataFrame, *, split: str) -> list[pd.Series[float]]:
    terms, constant = [], []
    for name, column in table.items():
        if column.nunique() < 2:
            constant.append(name)
        elif pd.api.types.is_numeric_dtype(column):
            terms.append(column.astype(float).rename(str(name)))
        else:
            counts = column.astype(str).value_counts(sort=False).sort_index()
            reference = counts.idxmax()
            for level in counts.index.drop(reference):
                term = f"{name}: {level} vs {reference}"
                terms.append((column.astype(str) == level).astype(float).rename(term))
    if constant:
        _warn(
            f"{split}: {short_list(constant)} is the same for all {len(table)} patients and is "
            "dropped from the adjusted model."
        )
    return terms


def _fit(
    design: pd.DataFrame, truth: SurvivalOutcome, *, strata: pd.Series[Any] | None, split: str
) -> CoxFit:
    terms, events = design.shape[1], truth.n_events
    if events <= terms:
        raise OutcomeError(
            f"{split}: expected more events than the {terms} terms of the adjusted model; found "
            f"{events}. Adjust for fewer covariates or merge levels."
        )
    if events < EVENTS_PER_TERM * terms:
        _warn(
            f"{split}: {events} events for {terms} terms in the adjusted model; below "
            f"{EVENTS_PER_TERM} a term its hazard ratios are unreliable."
        )
    fit = fit_cox(design, truth.time, truth.event, strata=strata)
    if not fit.converged:
        raise OutcomeError(
            f"{split}: expected a Cox model with a finite maximum; found none for "
            f"{short_list(design.columns, limit=12)}. Covariates repeat each other or separate the "
            "events: drop one or merge levels."
        )
    return fit


def _blank_to_missing(value: object) -> object:
    return np.nan if isinstance(value, str) and not value.strip() else value


def _warn(message: str) -> None:
    warnings.warn(message, RadiogenomicsWarning, stacklevel=4)
