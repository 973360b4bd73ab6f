"""The log-rank test at every cut-point of every covariate: the search for a threshold."""

from __future__ import annotations

import numpy as np
from case import Arrays, Case
from outcomes import monthly_survival

PATIENTS, EVENTS, DRIVERS = 994, 566, 20


def inputs(items: int) -> Arrays:
    """Features, patients × features; the first drive the hazard."""
    rng = np.random.default_rng(3)
    features = rng.standard_normal((PATIENTS, items))
    risk = 0.1 * features[:, :DRIVERS].sum(axis=1)
    time, event = monthly_survival(risk, events=EVENTS, rng=rng)
    return {"features": features, "time": time, "event": event}


def ours(given: Arrays, count: int) -> Arrays:
    """All cut-points of all features at once."""
    from radiogenomics.stats.survival.cutpoint_scan import cutpoint_scan

    found = cutpoint_scan(given["features"][:, :count], given["time"], given["event"])
    return {
        "largest": found.statistic,
        "cutoff": found.cutoff,
        "mean": np.nanmean(found.statistics, axis=1),
    }


def theirs(given: Arrays, count: int) -> Arrays:
    """One test a cut-point, over those that leave a tenth of the patients on either side."""
    from lifelines.statistics import logrank_test

    time, event = given["time"], given["event"]
    largest, cutoff, mean = np.empty((3, count))
    for column in range(count):
        x = given["features"][:, column]
        cuts = np.sort(x)[PATIENTS // 10 - 1 : PATIENTS * 9 // 10]
        found = [
            logrank_test(time[x <= cut], time[x > cut], event[x <= cut], event[x > cut])
            for cut in cuts
        ]
        statistics = np.array([test.test_statistic for test in found])
        largest[column], cutoff[column] = statistics.max(), cuts[statistics.argmax()]
        mean[column] = statistics.mean()
    return {"largest": largest, "cutoff": cutoff, "mean": mean}


CASE = Case(
    name="cutpoint_scan",
    job=f"log-rank test at all 796 cut-points of {{items}} features, {PATIENTS} patients, {EVENTS} "
    "events, times in whole months; largest and mean chi-squared and the best cut-point compared",
    unit="features",
    items=2000,
    sample=1,
    warm_up=1,
    package="lifelines",
    peer="statistics.logrank_test, one call a cut-point",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
    remark="a call of the peer also makes a p-value",
)
