"""What a paper claims, beside what was obtained and beside what its size allows."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from radiogenomics.core.errors import SchemaError, short_list
from radiogenomics.stats.design.chance_ranges import (
    accuracy_chance,
    auc_chance_range,
    c_index_chance_range,
    hazard_ratio_chance_range,
)
from radiogenomics.stats.design.claimed import (
    auc_interval_at,
    c_index_interval_at,
    hazard_ratio_interval_at,
    narrowness,
    share_interval_at,
)
from radiogenomics.stats.intervals import Interval
from radiogenomics.study.prediction.claims import (
    DESCRIBED,
    OF_GROUPS,
    Parts,
    count_of,
    metric_of,
    place_of,
    positives_are_events,
    size_of,
)
from radiogenomics.study.prediction.claims_places import TRAINING, Stand, stand_of

OBTAINED = ("metric", "model", "split", "value", "low", "high")
COMPARED = (
    *("metric", "model", "split", "bound", "claimed", "claimed_low", "claimed_high"),
    *("n", "positives"),
    *("low_at_n", "high_at_n", "narrowness", "chance_low", "chance_high", "size_note"),
    *("obtained", "obtained_low", "obtained_high", "held_against", "verdict", "where"),
)
_NOT_COMPARABLE = MappingProxyType(
    {
        **dict.fromkeys(DESCRIBED, "describes the study, not what it found"),
        "cut_off": "a cut-off belongs to the scores of its own model",
        "p": "a p-value also says how many patients there were",
    }
)
_HALF = "positives not stated: half of n, which gives the narrowest interval"
_ALL = "events not stated: all of n, which gives the narrowest interval"
_HALVES = "as of two groups of half the patients; a ratio per unit has another interval"
_ONE_CLASS = "all of one class"
_BOUND = "a bound, not a number: it has no interval"
_Pair = tuple[float, float]
Reason = Callable[[Any, Stand], str]


class _Size(NamedTuple):
    """What the size of a claim allows."""

    interval: _Pair | None = None
    chance: _Pair | None = None
    note: str = ""


class _Run(NamedTuple):
    """What is known of the run that claims are held against."""

    splits: tuple[str, ...]
    parts: tuple[str, ...]
    apart: bool
    reason: Reason


class _Held(NamedTuple):
    """What a claim is held against."""

    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    split: str = ""
    verdict: str = ""


def no_reason(claim: Any, stand: Stand) -> str:
    """Say no more than that there is no such number."""
    return ""


def compared(
    claims: pd.DataFrame,
    obtained: pd.DataFrame,
    *,
    parts: Parts | None = None,
    apart: bool = False,
    reason: Reason = no_reason,
) -> pd.DataFrame:
    """Put each claim beside what was obtained, and beside what its size allows.

    A claim is held against the same metric of the same model. Patients differ, so that the question
    is whether the claim lies within the interval of what was obtained. The part ``training`` is
    held against the cross-validation, as nothing is reported of patients that were learnt from;
    another part as :func:`radiogenomics.study.prediction.claims_places.stand_of` says. A claim that
    is a bound (``>``, ``<``) is met by all, part or none of the interval. What could not be held
    against anything says why: ``not obtained`` where the claim itself cannot be, ``not computed``
    where the run has no such number.

    Parameters
    ----------
    claims
        From :func:`radiogenomics.study.prediction.claims.read_claims`.
    obtained
        ``metric, model, split, value, low, high`` and more, split being ``cross-validation`` or
        ``external:<id>``.
    parts
        Part of the design → patients and positives, for those that a claim does not count itself.
    apart
        The recipe names no parts: a claim without one is held against the external cohort.
    reason
        Why the run has no number for a claim, from the claim and what it would stand against; ""
        where there is nothing more to say.

    Returns
    -------
    DataFrame
        ``metric, model, split, bound, claimed, claimed_low, claimed_high, n, positives``; the
        interval ``low_at_n, high_at_n`` that the claim has at its size, ``narrowness`` of the
        printed one, the range ``chance_low, chance_high`` and a ``size_note``; ``obtained,
        obtained_low, obtained_high, held_against``; ``verdict`` in words; ``where``.

    Raises
    ------
    SchemaError
        ``obtained`` lacks a column.
    """
    lacking = [name for name in OBTAINED if name not in obtained.columns]
    if lacking:
        raise SchemaError(
            f"obtained: expected the columns {', '.join(OBTAINED)}; found none of "
            f"{short_list(lacking)}. Make the table of a run's metrics."
        )
    # Rows of several cohorts, or of a level of a fact, have spaces in their split.
    splits = tuple(dict.fromkeys(s for s in obtained["split"].astype(str) if " " not in s))
    run, rows = _Run(splits, tuple(parts or {}), apart, reason), []
    for claim in claims.itertuples():
        held = _held(claim, obtained, run)
        rows.append(_compared_row(claim, held, parts or {}))
    table = pd.DataFrame(rows, columns=list(COMPARED))
    return table.astype({"n": "Int64", "positives": "Int64"})


def _compared_row(claim: Any, held: _Held, parts: Parts) -> tuple[Any, ...]:
    n, positives = _counts(claim, parts)
    size = _size(metric_of(claim.metric), float(claim.value), n, positives)
    if claim.bound and size.interval is not None:
        size = _Size(chance=size.chance, note=_BOUND)
    low, high = size.interval or (np.nan, np.nan)
    width = np.nan
    # A hazard ratio may be one per unit: its width is not that of two groups.
    of_two = metric_of(claim.metric) == "hazard_ratio"
    if size.interval is not None and not of_two and not np.isnan(claim.low):
        width = narrowness((claim.low, claim.high), (low, high))
    chance = size.chance or (np.nan, np.nan)
    verdict = held.verdict
    # Less than calling all the larger class is no better than that.
    floor = 0.0 if claim.metric == "accuracy" else chance[0]
    if not claim.bound and floor <= claim.value <= chance[1]:
        verdict += "; claimed is within chance at its n" + (", if of two groups" if of_two else "")
    return (
        *(claim.metric, claim.model, claim.split, claim.bound),
        *(claim.value, claim.low, claim.high),
        *(pd.NA if n is None else n, pd.NA if positives is None else positives),
        *(low, high, width, *chance, size.note),
        *(held.value, held.low, held.high, held.split, verdict, claim.where),
    )


def _counts(claim: Any, parts: Parts) -> tuple[int | None, int | None]:
    """Patients and positives of a claim: its own, or those of its part where it is of all."""
    n, positives = count_of(claim.n), count_of(claim.positives)
    place = place_of(claim.split)
    patients, known = size_of(parts, place.parts) if claim.split else (None, None)
    if n is None and claim.metric not in OF_GROUPS and not place.fact:
        n = patients
    whole = n == patients and claim.metric not in OF_GROUPS
    if positives is None and whole and not positives_are_events(claim.metric):
        positives = known
    return n, positives


def _size(metric: str, value: float, n: int | None, positives: int | None) -> _Size:
    """Interval of the claim at its size, and the range of worthless scores; none where unknown."""
    if n is None or metric in _NOT_COMPARABLE:
        return _Size()
    if metric in OF_GROUPS:
        return _Size(_pair(share_interval_at(value, n)))
    if metric in ("auc", "auc_response", "td_auc"):
        return _of_two_classes(value, n, positives)
    if metric == "accuracy":
        return _of_accuracy(value, n, positives)
    if metric in ("sensitivity", "specificity") and positives is not None:
        of = positives if metric == "sensitivity" else n - positives
        return _Size(_pair(share_interval_at(value, of))) if of else _Size(note=_ONE_CLASS)
    if metric in ("c_index", "hazard_ratio"):
        return _of_events(metric, value, n, positives)
    return _Size()


def _of_two_classes(value: float, n: int, positives: int | None) -> _Size:
    first = n // 2 if positives is None else positives
    if not 0 < first < n:
        return _Size(note=_ONE_CLASS)
    note = _HALF if positives is None else ""
    interval, chance = auc_interval_at(value, first, n - first), auc_chance_range(first, n - first)
    return _Size(_pair(interval), _pair(chance), note)


def _of_accuracy(value: float, n: int, positives: int | None) -> _Size:
    interval = _pair(share_interval_at(value, n))
    if positives is None or not 0 < positives < n:
        return _Size(interval, note="" if positives is None else _ONE_CLASS)
    larger = accuracy_chance(positives, n - positives)
    return _Size(interval, (larger, larger), "chance is to call all the larger class")


def _of_events(metric: str, value: float, n: int, events: int | None) -> _Size:
    if n < 2 or events == 0:
        return _Size(note="no event, or no second patient")
    if metric == "c_index":
        seen = n if events is None else events
        interval, chance = c_index_interval_at(value, seen, n), c_index_chance_range(seen, n)
        return _Size(_pair(interval), _pair(chance), _ALL if events is None else "")
    if events is None:
        return _Size(note="events not stated")
    interval, chance = hazard_ratio_interval_at(value, events), hazard_ratio_chance_range(events)
    return _Size(_pair(interval), _pair(chance), _HALVES)


def _pair(interval: Interval) -> _Pair:
    return float(interval.low), float(interval.high)


def _held(claim: Any, obtained: pd.DataFrame, run: _Run) -> _Held:
    """Find what was obtained of the same, and say where the claim lies."""
    metric, part = metric_of(claim.metric), claim.split
    if metric in _NOT_COMPARABLE:
        return _Held(verdict=f"not obtained: {_NOT_COMPARABLE[metric]}")
    if not claim.model or not (part or run.apart):
        lacking = "model" if not claim.model else "part of the design"
        return _Held(verdict=f"not obtained: the claim names no {lacking}")
    stand = stand_of(part, run.splits, parts=run.parts, apart=run.apart)
    if stand.why:
        return _Held(verdict=f"not computed: {stand.why}")
    same = (obtained["metric"] == claim.metric) & (obtained["model"] == claim.model)
    rows = obtained[same & (obtained["split"] == stand.split)]
    if rows.empty:
        place = "cross-validation" if part == TRAINING else part or "an external cohort"
        why = run.reason(claim, stand) or f"no {claim.metric} of {claim.model} in {place}"
        return _Held(verdict=f"not computed: {why}")
    row = rows.iloc[0]
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    split = stand.split
    if part == TRAINING:
        split += " (training is not scored on itself)"
    return _Held(value, low, high, split, _verdict(claim, value, low, high))


def _verdict(claim: Any, value: float, low: float, high: float) -> str:
    claimed = float(claim.value)
    if np.isnan(value):
        return "not obtained: it could not be estimated"
    if np.isnan(low) or np.isnan(high):
        return "not obtained: no interval to hold the claim against"
    met = [end > claimed if claim.bound == ">" else end < claimed for end in (low, high)]
    if claim.bound and any(met):
        share = "all" if all(met) else "part"
        return (
            f"claimed bound ({claim.bound} {claimed:g}) is met by {share} of the obtained interval"
        )
    if not claim.bound and low <= claimed <= high:
        return "claimed is inside the obtained interval"
    above = claim.bound == ">" or (not claim.bound and claimed > high)
    return f"claimed is {'above' if above else 'below'} the obtained interval"
