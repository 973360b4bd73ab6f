"""What a risk is asked in any cohort: accuracy over time, calibration, covariates, subgroups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from radiogenomics.core.errors import OutcomeError
from radiogenomics.core.evidence import Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import adjusted_hazard_ratio
from radiogenomics.evaluation.survival_calibration import (
    survival_calibration_summary,
    survival_calibration_table,
)
from radiogenomics.evaluation.time_dependent import time_dependent_auc
from radiogenomics.stats.survival.time_grid import valid_times
from radiogenomics.study.external import OF_SIGNATURE
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.signature import adjusted_metric

OUTCOME_PERMUTATIONS = 1000
EVENTS_PER_GROUP = 10
MOST_GROUPS = 5


@dataclass(frozen=True)
class Place:
    """Where numbers were measured, and in which of several cohorts.

    Parameters
    ----------
    split
        Of metrics, as ``"cross-validation"``.
    cohort
        Written behind the names of metrics; empty where there is one only, or all together.
    """

    split: str
    cohort: str = ""

    @property
    def table(self) -> str:
        """The split in tables, where the signature stands beside others."""
        return f"{OF_SIGNATURE}{self.split}" + (f": {self.cohort}" if self.cohort else "")

    def named(self, metric: Metric) -> Metric:
        """Return the metric as one of the signature, in this place."""
        behind = f":{self.cohort}" if self.cohort else ""
        return replace(metric, name=f"signature_{metric.name}{behind}", split=self.split)

    def without(self, what: str, reason: object) -> Findings:
        """Only a warning that something is left out."""
        return Findings(notes=(("warning", f"{self.table}: {what} left out: {reason}"),))


def accuracy_over_time(
    risk: pd.Series[float],
    outcome: SurvivalOutcome,
    place: Place,
    *,
    horizons: Sequence[float] | None,
) -> Findings:
    """Time-dependent AUC at horizons, or at times that the follow-up allows.

    Metrics ``signature_integrated_auc`` and, of horizons, ``signature_auc_at_T_months``; table
    ``time_dependent_auc``: ``split, horizon, auc, low, high, n, events``, events by the horizon.
    """
    frame = pd.DataFrame({"patient_id": risk.index, "repeat": 0, "score": risk.to_numpy()})
    try:
        metrics, tables = time_dependent_auc(frame, outcome, split=place.table, times=horizons)
    except OutcomeError as error:
        return place.without("time-dependent AUC", error)
    table = tables["time_dependent_auc"].rename(columns={"time": "horizon", "n_cases": "events"})
    columns = ["split", "horizon", "auc", "low", "high", "n", "events"]
    return Findings(
        metrics=tuple(place.named(metric) for metric in metrics),
        tables={"time_dependent_auc": table.assign(n=len(risk))[columns]},
    )


def calibration(survival: pd.DataFrame, outcome: SurvivalOutcome, place: Place) -> Findings:
    """Observed against predicted risk, on the whole and in groups, at horizons that can be used.

    Metrics ``signature_observed_expected_at_T_months``, ``signature_ici_at_T_months`` and
    ``signature_calibration_slope`` up to the last horizon; table ``survival_calibration``: ``split,
    horizon, group, predicted, observed, low, high, n``, risks in up to five groups of about ten
    events or more, the lowest risk first.

    Parameters
    ----------
    survival
        Predicted survival, 0 to 1: patients of ``outcome`` in rows, months in columns.
    outcome, place
        Of the same patients; where.
    """
    try:
        grid = valid_times(outcome.time, outcome.event, times=survival.columns.to_numpy(float))
    except OutcomeError as error:
        return place.without("calibration", error)
    dropped = [
        place.without(f"calibration at {each.time:g} months", f"{each.reason}.")
        for each in grid.dropped
    ]
    used = survival[list(grid.times)]
    summary = survival_calibration_summary(used, outcome, split=place.table)
    groups = np.clip(summary["events"] // EVENTS_PER_GROUP, 2, MOST_GROUPS)
    parts = [
        survival_calibration_table(used[[month]], outcome, split=place.table, groups=int(count))
        for month, count in zip(used, groups, strict=True)
    ]
    columns = ["split", "horizon", "group", "predicted", "observed", "low", "high", "n"]
    found = Findings(
        metrics=tuple(place.named(metric) for metric in _calibration_metrics(summary, place.split)),
        tables={"survival_calibration": pd.concat(parts, ignore_index=True)[columns]},
    )
    return merge([found, *dropped])


def _calibration_metrics(summary: pd.DataFrame, split: str) -> Iterator[Metric]:
    """Observed over expected and integrated index at each horizon; the slope up to the last."""
    for row in summary.to_dict("records"):
        at, n, events = f"at_{row['horizon']:g}_months", row["n"], row["events"]
        ratio = (row["ratio"], row["ratio_low"], row["ratio_high"])
        yield Metric(f"observed_expected_{at}", *ratio, 1.0, n, split, events=events)
        if np.isfinite(row["ici"]):
            yield Metric(f"ici_{at}", row["ici"], np.nan, np.nan, None, n, split, events=events)
    last = summary.iloc[-1]
    if np.isfinite(last["slope"]):
        slope = (last["slope"], last["slope_low"], last["slope_high"])
        counts = {"n": last["n"], "split": split, "events": last["events"]}
        yield Metric("calibration_slope", *slope, 0.0, **counts)


def beside_covariates(
    risk: pd.Series[float],
    outcome: SurvivalOutcome,
    place: Place,
    *,
    covariates: pd.DataFrame,
    strata: pd.Series[str] | None = None,
) -> Findings:
    """Hazard ratio of the risk beside covariates; nothing where there is no covariate.

    Metric ``signature_hr_per_sd_beside_covariates``; rows of ``hazard_ratios`` whose model is
    ``beside`` and the covariates.
    """
    if covariates.columns.empty:
        return Findings()
    try:
        table = adjusted_hazard_ratio(risk, outcome, covariates, split=place.table, strata=strata)
    except OutcomeError as error:
        return place.without("the model beside covariates", error)
    metric = replace(adjusted_metric(table), name="hr_per_sd_beside_covariates")
    model = f"beside {', '.join(map(str, covariates.columns))}"
    return Findings(
        metrics=(place.named(metric),), tables={"hazard_ratios": table.assign(model=model)}
    )


def event_quartiles(time: pd.Series[float], event: pd.Series[bool]) -> tuple[float, ...]:
    """Quartiles of the event times at which risk can be estimated, in whole months."""
    try:
        times = valid_times(time, event, points=5).times
    except OutcomeError:
        return ()
    inner = times[1:-1] if times.size > 2 else times
    return tuple(max(1.0, float(round(month))) for month in inner)
