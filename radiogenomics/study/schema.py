"""The recipe of a study: data that says what was done, in the library's words.

Every value carries where it comes from. A recipe holds no data, no code and no paths to either.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Generic, Literal, TypeVar

import pandas as pd
from pydantic import Field

from radiogenomics.core.html import card
from radiogenomics.core.schema import Record

Source = Literal["paper", "abstract", "code", "derived", "default"]
ValueT = TypeVar("ValueT")
Folds = Annotated[int, Field(ge=2)]
Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
Genes = Annotated[tuple[str, ...], Field(min_length=1)]


class Sourced(Record, Generic[ValueT]):
    """A value, where it comes from and what is unsaid about it."""

    value: ValueT
    source: Source
    note: str = ""


class Label(Record):
    """How molecules become the label that images shall predict."""

    name: str
    assay: Sourced[str]
    genes: Sourced[Genes]
    weights: Sourced[tuple[float, ...] | None]
    endpoint: Sourced[str]
    cutoff: Sourced[float | Literal["median"]]


class Step(Record):
    """One step of the pipeline: a word and its parameters."""

    step: str
    parameters: dict[str, Sourced[Any]] = Field(default_factory=dict)


class Features(Record):
    """Where image features come from and what happens to them inside the fold."""

    assay: Sourced[str]
    settings: Sourced[str]
    region: Sourced[str]
    modality: Sourced[str | None]
    phase: Sourced[str]
    time_point: Sourced[str]
    steps: tuple[Step, ...]


class Model(Record):
    """The learner of the study and those it is compared with."""

    learner: Sourced[str]
    comparators: Sourced[tuple[str, ...]]
    inner_folds: Sourced[Folds]
    cutoff: Sourced[float]


class Evaluation(Record):
    """How out-of-sample predictions are made and what chance would give."""

    folds: Sourced[Folds]
    repeats: Sourced[Positive]
    signature_repeats: Sourced[Positive]
    permutations: Sourced[Positive]
    outcome_permutations: Sourced[Positive]
    random_signatures: Sourced[NotNegative]
    minimum_events: Sourced[Positive]


class Prognosis(Record):
    """Which survival the predicted label is held against."""

    endpoints: Sourced[tuple[str, ...]]
    adjust_for: Sourced[tuple[str, ...]]


class Response(Record):
    """Which response the predicted label is held against."""

    outcome: Sourced[str]
    responders: Sourced[tuple[str, ...]]
    responders_score: Sourced[Literal["low", "high"]]


class Study(Record):
    """A frozen recipe."""

    study: str
    title: str
    question: str
    citation: str
    doi: str
    requires: tuple[str, ...] = ()
    label: Label
    features: Features
    model: Model
    evaluation: Evaluation
    prognosis: Prognosis
    response: Response

    def _repr_html_(self) -> str:
        facts = {"title": self.title, "question": self.question, "doi": self.doi}
        return card(f"Study {self.study}", facts, self.settings().set_index("setting"))

    def settings(self) -> pd.DataFrame:
        """Every sourced value in the order of the recipe: setting, value, provenance, note."""
        rows = [
            (setting, _plain(given.value), given.source, given.note)
            for setting, given in self._given()
        ]
        return pd.DataFrame(rows, columns=["setting", "value", "provenance", "note"])

    def _given(self) -> Iterator[tuple[str, Sourced[Any]]]:
        for section in ("label", "features", "model", "evaluation", "prognosis", "response"):
            record: Record = getattr(self, section)
            for name in type(record).model_fields:
                value = getattr(record, name)
                if isinstance(value, Sourced):
                    yield f"{section}.{name}", value
        for step in self.features.steps:
            for name, value in step.parameters.items():
                yield f"features.{step.step}.{name}", value


def _plain(value: object) -> str:
    if value is None:
        return "open"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
