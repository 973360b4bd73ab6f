"""Accuracy of survival predictions at times of follow-up: AUC, Brier score, D-calibration."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, SchemaError, short_list
from radiogenomics.core.evidence import Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.repeats import Estimate, mean_over_repeats
from radiogenomics.stats.intervals import wilson
from radiogenomics.stats.survival.d_calibration import (
    DCalibration,
    d_calibration,
    survival_at,
    survival_at_own_time,
)
from radiogenomics.stats.survival.survival_brier import SurvivalBrier, survival_brier
from radiogenomics.stats.survival.time_dependent_auc import TimeDependentAuc, cumulative_dynamic_auc
from radiogenomics.stats.survival.time_grid import TimeGrid, valid_times

Floats = NDArray[np.float64]
Findings = tuple[tuple[Metric, ...], dict[str, pd.DataFrame]]


def time_dependent_auc(
    predictions: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    split: str,
    times: ArrayLike | None = None,
) -> Findings:
    """Cumulative/dynamic AUC of out-of-sample risks over time, with intervals.

    Metrics: ``integrated_auc``, the mean over times weighted by the events between them, chance ½;
    for times asked for also ``auc_at_T_months``. All patients of a repeat are pooled, so risks must
    be on one scale; values and variances are averaged over repeats, intervals are on the logit
    scale. They treat out-of-fold risks as if one model had made them all. Times that cannot be
    used are left out, in words; of times asked for a warning says so.

    Parameters
    ----------
    predictions
        ``patient_id, repeat, score`` with the risk as score, higher is worse.
    outcome
        Of every patient predicted.
    split
        Where it was measured.
    times
        In months; chosen by :func:`~radiogenomics.stats.survival.time_grid.valid_times` when not
        given.

    Returns
    -------
    metrics : tuple of Metric
    tables : dict
        ``time_dependent_auc``: ``split, endpoint, time, auc, low, high, n_cases, n_controls``;
        ``dropped_times``: ``split, endpoint, time, reason``.

    Raises
    ------
    AlignmentError, DataError, OutcomeError, SchemaError
        A patient has no outcome or is predicted twice in a repeat; a risk is missing; no time can
        be used; a column is missing.
    """
    parts = list(_repeats(predictions, outcome))
    everyone = outcome.for_patients(pd.unique(predictions["patient_id"]))
    grid = _common_grid(parts, everyone, times)
    fits = [cumulative_dynamic_auc(risk, t.time, t.event, times=grid) for risk, t in parts]
    found = [mean_over_repeats([_at(fit, k) for fit in fits]) for k in range(grid.times.size)]
    metrics = [
        _metric("integrated_auc", mean_over_repeats([_whole(f) for f in fits]), everyone, split)
    ]
    if times is not None:
        _warn_of(grid, f"{split}: time-dependent AUC")
        for t, each, cases in zip(grid.times, found, grid.n_cases, strict=True):
            metric = _metric(f"auc_at_{t:g}_months", each, everyone, split)
            metrics.append(replace(metric, events=int(cases)))
    place = _Place(split, outcome.endpoint, grid)
    areas = pd.DataFrame(found)[["value", "low", "high"]].rename(columns={"value": "auc"})
    tables = {"time_dependent_auc": place.over_time(areas), "dropped_times": place.dropped()}
    return tuple(metrics), tables


def survival_accuracy(
    survival_table: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    split: str,
    times: ArrayLike | None = None,
    bins: int = 10,
) -> Findings:
    """Brier score, index of prediction accuracy and D-calibration of predicted survival curves.

    Metrics: ``integrated_brier``, lower is better, chance that of the Kaplan-Meier curve of these
    patients; ``integrated_ipa``, 1 − the first over its chance, chance 0; ``d_calibration_p``,
    small where curves are not calibrated, without interval or chance. For times asked for also
    ``brier_at_T_months`` and ``ipa_at_T_months``. D-calibration is left out, with a warning, where
    columns lie so far apart that survival falls by more than a bin between two. Curves are steps,
    as those of Cox models and forests: 1 before the first column, flat between columns and after
    the last.

    Parameters
    ----------
    survival_table
        Predicted probability of surviving beyond each time: one row a patient, named by the index,
        one column a time in months. Average repeats beforehand.
    outcome
        Of every patient predicted.
    split
        Where it was measured.
    times
        In months; when not given, the columns of the table that can be used.
    bins
        Of D-calibration.

    Returns
    -------
    metrics : tuple of Metric
    tables : dict
        ``survival_brier``, a row a time; ``d_calibration``, a row a bin: ``observed`` is the share
        of patients, with its Wilson interval; ``d_calibration_test``, one row;
        ``brier_dropped_times``: ``split, endpoint, time, reason``.

    Raises
    ------
    AlignmentError, DataError, OutcomeError
        A patient has no outcome or two rows; a curve is none, or a column no time; no time can be
        used.
    """
    truth = outcome.for_patients(survival_table.index)
    months = _column_times(survival_table)
    grid = valid_times(truth.time, truth.event, times=months if times is None else times)
    values = survival_table.to_numpy()
    at = survival_at(values, months, grid.times)
    scores = survival_brier(at, truth.time, truth.event, times=grid)
    shape = _shape(values, months, truth, split=split, bins=bins)
    if times is not None:
        _warn_of(grid, f"{split}: Brier score")
    metrics = _accuracy_metrics(scores, shape, truth, split=split, asked=times is not None)
    return metrics, _accuracy_tables(scores, shape, _Place(split, outcome.endpoint, grid))


def _repeats(
    predictions: pd.DataFrame, outcome: SurvivalOutcome
) -> Iterator[tuple[Floats, SurvivalOutcome]]:
    absent = [name for name in ("patient_id", "repeat", "score") if name not in predictions]
    if absent or predictions.empty:
        raise SchemaError(
            "expected predictions with patient_id, repeat and score; found "
            f"{len(predictions)} rows{' and no ' if absent else ''}{short_list(absent)}. "
            "Use the predictions of cross_validate_survival, or add the columns."
        )
    for _, part in predictions.groupby("repeat", sort=False):
        yield part["score"].to_numpy(), outcome.for_patients(part["patient_id"])


def _common_grid(
    parts: list[tuple[Floats, SurvivalOutcome]], everyone: SurvivalOutcome, times: ArrayLike | None
) -> TimeGrid:
    """Times that can be used with all patients and in every repeat."""
    grid = valid_times(everyone.time, everyone.event, times=times)
    for place, (_, truth) in enumerate(parts):
        if len(truth.time) < len(everyone.time):
            own = valid_times(truth.time, truth.event, times=grid.times)
            lost = ~np.isin(grid.times, own.times)
            few = f"{len(truth.time)} of {len(everyone.time)} patients"
            grid = grid.without(lost, f"not usable in the repeat at place {place}, with {few}")
    return grid


def _at(fit: TimeDependentAuc, k: int) -> Estimate:
    return Estimate(fit.value[k], fit.se[k] ** 2, fit.low[k], fit.high[k])


def _whole(fit: TimeDependentAuc) -> Estimate:
    found = fit.integrated
    return Estimate(found.value, found.se**2, found.low, found.high)


def _metric(name: str, found: Estimate, truth: SurvivalOutcome, split: str) -> Metric:
    n, events = len(truth.time), truth.n_events
    return Metric(name, found.value, found.low, found.high, 0.5, n, split, events=events)


def _accuracy_metrics(
    scores: SurvivalBrier,
    shape: DCalibration | None,
    truth: SurvivalOutcome,
    *,
    split: str,
    asked: bool,
) -> tuple[Metric, ...]:
    n, events = len(truth.time), truth.n_events
    brier, ipa = scores.integrated, scores.integrated_ipa
    chance = scores.integrated_reference
    metrics = [
        Metric(
            "integrated_brier", brier.value, brier.low, brier.high, chance, n, split, events=events
        ),
        Metric("integrated_ipa", ipa.value, ipa.low, ipa.high, 0.0, n, split, events=events),
    ]
    if shape is not None:
        metrics.append(
            Metric("d_calibration_p", shape.p, np.nan, np.nan, None, n, split, events=events)
        )
    for k, t in enumerate(scores.grid.times if asked else ()):
        cases = int(scores.grid.n_cases[k])
        found = (scores.value[k], scores.low[k], scores.high[k], scores.reference[k])
        metrics.append(Metric(f"brier_at_{t:g}_months", *found, n, split, events=cases))
        found = (scores.ipa[k], scores.ipa_low[k], scores.ipa_high[k], 0.0)
        metrics.append(Metric(f"ipa_at_{t:g}_months", *found, n, split, events=cases))
    return tuple(metrics)


def _shape(
    values: Floats, months: Floats, truth: SurvivalOutcome, *, split: str, bins: int
) -> DCalibration | None:
    """D-calibration up to the last column; None, with a warning, where columns are too far apart.

    A curve is known at the columns only: between them patients would fall into the wrong bins.
    """
    order = np.argsort(months)
    drops = -np.diff(np.pad(values[:, order], ((0, 0), (1, 0)), constant_values=1.0), axis=1)
    widest = float(np.median(drops, axis=0).max())
    if widest > 1 / bins:
        warnings.warn(
            f"{split}: D-calibration is left out: between two columns the predicted survival falls "
            f"by {widest:.2f}, more than a bin of 1/{bins}. Predict survival at more times.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
        return None
    own = survival_at_own_time(values, months, truth.time)
    seen = truth.event.to_numpy() & (truth.time.to_numpy() <= months.max())
    return d_calibration(own, truth.time, seen, bins=bins)


class _Place(NamedTuple):
    """What stands at the beginning of each row of a table."""

    split: str
    endpoint: str
    grid: TimeGrid

    def before(self, columns: pd.DataFrame) -> pd.DataFrame:
        """Put split and endpoint before the columns."""
        return pd.DataFrame({"split": self.split, "endpoint": self.endpoint, **columns})

    def over_time(self, columns: pd.DataFrame) -> pd.DataFrame:
        """Put the time before, and cases and controls after, what was measured at it."""
        counts = {"n_cases": self.grid.n_cases, "n_controls": self.grid.n_controls}
        return self.before(pd.DataFrame({"time": self.grid.times, **columns, **counts}))

    def dropped(self) -> pd.DataFrame:
        """Times left out, each with its reason."""
        return self.before(pd.DataFrame(self.grid.dropped, columns=["time", "reason"]))


def _accuracy_tables(
    scores: SurvivalBrier, shape: DCalibration | None, place: _Place
) -> dict[str, pd.DataFrame]:
    columns = ["low", "high", "reference", "ipa", "ipa_low", "ipa_high"]
    brier = pd.DataFrame({"brier": scores.value} | {c: getattr(scores, c) for c in columns})
    tables = {"survival_brier": place.over_time(brier), "brier_dropped_times": place.dropped()}
    if shape is None:
        return tables
    low, high = wilson(shape.observed, shape.n)
    shares = {
        "bin_from": shape.edges[:-1],
        "bin_to": shape.edges[1:],
        "observed": shape.observed / shape.n,
        "low": low,
        "high": high,
        "expected": shape.expected / shape.n,
    }
    test = [{c: getattr(shape, c) for c in ("statistic", "df", "p", "n", "events")}]
    return tables | {
        "d_calibration": place.before(pd.DataFrame(shares)),
        "d_calibration_test": place.before(pd.DataFrame(test)),
    }


def _column_times(table: pd.DataFrame) -> Floats:
    try:
        return table.columns.to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            "expected a table of survival probabilities whose columns are times in months; found "
            f"columns {short_list(table.columns)}; name each column by its time."
        ) from error


def _warn_of(grid: TimeGrid, what: str) -> None:
    if grid.dropped:
        reasons = "; ".join(f"{each.time:g} months ({each.reason})" for each in grid.dropped)
        warnings.warn(f"{what} is left out at {reasons}.", RadiogenomicsWarning, stacklevel=3)
