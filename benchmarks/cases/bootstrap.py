"""Bootstraps of discrimination: the interval behind every AUC and concordance index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from case import Arrays, Case
from numpy.typing import NDArray
from outcomes import monthly_survival

PATIENTS, EVENTS, POSITIVES = 300, 180, 120
MONTHS = (6.0, 12.0, 24.0, 36.0, 48.0)
REMARK = "both sides are given the same draws"


def inputs(items: int) -> Arrays:
    """A risk with ties, outcomes in whole months, a response, and the draws of each resample."""
    rng = np.random.default_rng(6)
    risk = np.round(rng.standard_normal(PATIENTS), 2)
    time, event = monthly_survival(0.5 * risk, events=EVENTS, rng=rng)
    label = np.zeros(PATIENTS, dtype=int)
    label[np.argsort(risk + 2 * rng.standard_normal(PATIENTS))[-POSITIVES:]] = 1
    counts = rng.multinomial(PATIENTS, np.full(PATIENTS, 1 / PATIENTS), size=items)
    return {"risk": risk, "time": time, "event": event, "label": label, "counts": counts}


def our_auc(given: Arrays, count: int) -> Arrays:
    """Counts times comparisons times counts."""
    from radiogenomics.stats.bootstrap import bootstrap_auc

    return {"auc": bootstrap_auc(given["risk"], given["label"], given["counts"][:count])}


def their_auc(given: Arrays, count: int) -> Arrays:
    """One call a resample."""
    from sklearn.metrics import roc_auc_score

    label, risk = given["label"], given["risk"]
    return {"auc": np.array([roc_auc_score(label[i], risk[i]) for i in _rows(given, count)])}


def our_concordance(given: Arrays, count: int) -> Arrays:
    """The same over comparable pairs."""
    from radiogenomics.stats.survival.bootstrap_survival import bootstrap_concordance

    risk, time, event = given["risk"], given["time"], given["event"]
    return {"c": bootstrap_concordance(risk, time, event, counts=given["counts"][:count])}


def their_concordance(given: Arrays, count: int) -> Arrays:
    """One call a resample."""
    from sksurv.metrics import concordance_index_censored

    risk, time, event = given["risk"], given["time"], given["event"].astype(bool)
    found = [concordance_index_censored(event[i], time[i], risk[i])[0] for i in _rows(given, count)]
    return {"c": np.array(found)}


def our_time_dependent_auc(given: Arrays, count: int) -> Arrays:
    """The same over cases and controls, weighed by a censoring curve a resample."""
    from radiogenomics.stats.survival.bootstrap_survival import bootstrap_time_dependent_auc

    found = bootstrap_time_dependent_auc(
        given["risk"], given["time"], given["event"], times=MONTHS, counts=given["counts"][:count]
    )
    return {"auc": found}


def their_time_dependent_auc(given: Arrays, count: int) -> Arrays:
    """One call a resample, which is its own training part, so that the curve is learnt anew."""
    from sksurv.metrics import cumulative_dynamic_auc
    from sksurv.util import Surv

    outcome, risk = Surv.from_arrays(given["event"], given["time"]), given["risk"]
    found = [
        cumulative_dynamic_auc(outcome[i], outcome[i], risk[i], MONTHS)[0]
        for i in _rows(given, count)
    ]
    return {"auc": np.array(found)}


def _rows(given: Arrays, count: int) -> Iterator[NDArray[Any]]:
    for drawn in given["counts"][:count]:
        yield np.repeat(np.arange(PATIENTS), drawn)


AUC = Case(
    name="bootstrap_auc",
    job=f"AUC of {{items}} bootstrap resamples, {PATIENTS} patients, {POSITIVES} positive, "
    "tied scores",
    unit="resamples",
    items=2_000,
    sample=2_000,
    warm_up=2,
    package="scikit-learn",
    peer="roc_auc_score, one call a resample",
    inputs=inputs,
    ours=our_auc,
    theirs=their_auc,
    remark=REMARK,
)

CONCORDANCE = Case(
    name="bootstrap_concordance",
    job=f"Harrell's C of {{items}} bootstrap resamples, {PATIENTS} patients, {EVENTS} events, "
    "tied risks and times",
    unit="resamples",
    items=2_000,
    sample=500,
    warm_up=2,
    package="scikit-survival",
    peer="metrics.concordance_index_censored, one call a resample",
    inputs=inputs,
    ours=our_concordance,
    theirs=their_concordance,
    remark=REMARK,
)

TIME_DEPENDENT_AUC = Case(
    name="bootstrap_time_dependent_auc",
    job=f"cumulative/dynamic AUC at {len(MONTHS)} horizons of {{items}} bootstrap resamples, the "
    f"censoring curve learnt anew in each, {PATIENTS} patients, {EVENTS} events, tied risks and "
    "times",
    unit="resamples",
    items=2_000,
    sample=500,
    warm_up=2,
    package="scikit-survival",
    peer="metrics.cumulative_dynamic_auc, one call a resample",
    inputs=inputs,
    ours=our_time_dependent_auc,
    theirs=their_time_dependent_auc,
    remark=f"{REMARK}; the peer also gives the mean over horizons",
)
