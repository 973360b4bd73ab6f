"""Evidence: out-of-sample predictions and the metrics drawn from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    DataError,
    LeakageError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.html import card
from radiogenomics.core.immutable import Immutable
from radiogenomics.core.provenance import Provenance


@dataclass(frozen=True)
class Metric:
    """One headline number with its interval, its chance level and its permutation p-value.

    Parameters
    ----------
    name
        Stable name, for example ``"auc"``; listed in docs/metrics.md.
    value, low, high
        Estimate and 95 % interval; NaN where there is none.
    chance
        Value expected when there is nothing to find, or None when no such value exists.
    n, events
        Patients, and events (or positives) among them.
    split
        Where it was measured: ``"cross-validation"``, ``"external:COHORT"``, ``"apparent"``.
    p_permutation
        (1 + permutations at least as extreme) / (1 + permutations), or None when no null was run.

    Raises
    ------
    SchemaError
        The interval is upside down, the p-value is not in [0, 1] or a count is negative.

    Examples
    --------
    >>> auc = Metric("auc", 0.71, 0.6, 0.82, chance=0.5, n=90, split="cross-validation")
    >>> auc.excludes_chance
    True
    >>> print(auc)
    auc 0.710 (0.600–0.820; cross-validation, n 90)
    """

    name: str
    value: float
    low: float
    high: float
    chance: float | None
    n: int
    split: str
    p_permutation: float | None = None
    events: int | None = None

    def __post_init__(self) -> None:
        """Turn array scalars into Python numbers and check their ranges."""
        for name in ("value", "low", "high", "chance", "p_permutation"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, float(getattr(self, name)))
        for name in ("n", "events"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, int(getattr(self, name)))
        if self.low > self.high:
            raise SchemaError(
                f"metric {self.name}: expected low ≤ high; found an interval upside down "
                f"({self.low}, {self.high}). Swap the two."
            )
        if self.p_permutation is not None and not 0 <= self.p_permutation <= 1:
            raise SchemaError(
                f"metric {self.name}: expected a p-value between 0 and 1; found "
                f"{self.p_permutation}. Pass None when no null was run."
            )
        if self.n < 0 or (self.events or 0) < 0:
            raise SchemaError(
                f"metric {self.name}: expected counts of at least 0; found n {self.n}, events "
                f"{self.events}. Count the patients behind the value."
            )

    @property
    def excludes_chance(self) -> bool:
        """True when there is an interval and it does not cover the chance level."""
        if self.chance is None or math.isnan(self.low) or math.isnan(self.high):
            return False
        return not self.low <= self.chance <= self.high

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON; a number that is not finite becomes None."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in values.items()
        }

    def __str__(self) -> str:
        """Return value, interval, p-value, split and patients in one line."""
        p = "" if self.p_permutation is None else f", permutation p {self.p_permutation:.3g}"
        known = math.isfinite(self.low) and math.isfinite(self.high)
        interval = f"{self.low:.3f}–{self.high:.3f}" if known else "no interval"
        return f"{self.name} {self.value:.3f} ({interval}{p}; {self.split}, n {self.n})"


PREDICTION_COLUMNS = ("patient_id", "repeat", "fold", "label", "score")
SELECTED_COLUMNS = ("repeat", "fold", "feature")


@dataclass(frozen=True, eq=False)
class Evidence(Immutable):
    """What a model said of patients it had not seen.

    Parameters
    ----------
    name
        The model or question.
    predictions
        One row a patient and repeat: ``patient_id, repeat, fold, label, score`` (further columns
        allowed). ``label`` is NaN when the truth is unknown.
    metrics
        Headline numbers.
    selected
        One row a chosen feature: ``repeat, fold, feature``.
    tables
        Tidy tables behind the figures, by name.
    model
        The estimator refitted on all training patients, if any.
    provenance
        Inputs, versions and seed.

    Raises
    ------
    SchemaError
        A column is missing.
    DataError
        A patient identifier or a score is missing.
    LeakageError
        A patient was predicted twice within one repeat.
    """

    name: str
    predictions: pd.DataFrame
    metrics: tuple[Metric, ...] = ()
    selected: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=list(SELECTED_COLUMNS))
    )
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    model: object | None = None
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        """Refuse predictions that lack something or repeat a patient, and freeze the tables."""
        for what, frame, needed in (
            ("predictions", self.predictions, PREDICTION_COLUMNS),
            ("selected", self.selected, SELECTED_COLUMNS),
        ):
            missing = [column for column in needed if column not in frame]
            if missing:
                raise SchemaError(
                    f"evidence {self.name}: expected {what} with {', '.join(needed)}; found no "
                    f"{short_list(missing)}. Add the column(s)."
                )
        empty = self.predictions[["patient_id", "score"]].isna().sum()
        if empty.any():
            raise DataError(
                f"evidence {self.name}: expected a patient and a score in each row; found "
                f"{int(empty['patient_id'])} rows without patient and {int(empty['score'])} "
                "without score. Leave out what was not predicted."
            )
        twice = self.predictions.duplicated(["patient_id", "repeat"])
        if twice.any():
            raise LeakageError(
                f"evidence {self.name}: expected one prediction a patient and repeat; found "
                f"{int(twice.sum())} more ({short_list(self.predictions['patient_id'][twice])}). "
                "Split by patient, not by sample."
            )
        self._freeze("tables")

    def metric(self, name: str, *, split: str | None = None) -> Metric:
        """Return the first metric of that name, and of that split when one is given.

        Raises
        ------
        UnknownNameError
            There is no such metric, or none of it in that split.
        """
        named = [metric for metric in self.metrics if metric.name == name]
        if not named:
            raise UnknownNameError("metric", name, [metric.name for metric in self.metrics])
        for metric in named:
            if split in (None, metric.split):
                return metric
        raise UnknownNameError(f"split of metric {name}", str(split), [m.split for m in named])

    def with_metrics(self, *metrics: Metric) -> Evidence:
        """Return a copy with further metrics."""
        return replace(self, metrics=self.metrics + metrics)

    def with_tables(self, tables: Mapping[str, pd.DataFrame]) -> Evidence:
        """Return a copy with further tables; one of the same name is replaced."""
        return replace(self, tables={**self.tables, **tables})

    def metric_table(self) -> pd.DataFrame:
        """Metrics as a table, one row each, in the columns of :meth:`Metric.to_record`."""
        columns = [f.name for f in fields(Metric)]
        return pd.DataFrame([metric.to_record() for metric in self.metrics], columns=columns)

    def selection_frequency(self) -> pd.Series[float]:
        """Share of fits in which each feature was chosen, most frequent first.

        A fit is one fold of one repeat in ``predictions``, whether or not it chose anything; the
        share is in (0, 1], and ties stand in alphabetical order. Correlated features stand for one
        another and share their frequency, so a low one does not prove a feature useless.
        """
        fits = len(self.predictions[["repeat", "fold"]].drop_duplicates())
        chosen = self.selected[list(SELECTED_COLUMNS)].drop_duplicates()
        counts = chosen["feature"].value_counts().sort_index()
        frequency = counts.sort_values(ascending=False, kind="stable") / max(fits, 1)
        return frequency.rename("frequency")

    def mean_predictions(self) -> pd.DataFrame:
        """Mean score and majority label over repeats, one row a patient.

        A label that is learnt in the fold may differ between repeats; a tie counts as 0.
        """
        numbers = self.predictions.assign(label=self.predictions["label"].astype(float))
        mean = numbers.groupby("patient_id", sort=False)[["label", "score"]].mean()
        return mean.assign(label=np.round(mean["label"]))

    def __repr__(self) -> str:
        """Return patients and the first metrics in one line."""
        numbers = "; ".join(str(metric) for metric in self.metrics[:4]) or "no metrics"
        patients = self.predictions["patient_id"].nunique()
        return f"Evidence({self.name!r}: {patients} patients; {numbers})"

    def _repr_html_(self) -> str:
        facts = {
            "patients": self.predictions["patient_id"].nunique(),
            "repeats": self.predictions["repeat"].nunique(),
            "chosen features": self.selected["feature"].nunique(),
        }
        table = self.metric_table().set_index("name") if self.metrics else None
        return card(f"Evidence {self.name}", facts, table)
