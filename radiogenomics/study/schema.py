"""The recipe of a surrogate study: a molecular signature, and images that stand in for it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from radiogenomics.core.schema import Record
from radiogenomics.study.recipe import Folds, NotNegative, Positive, Recipe, Sourced, Step

Genes = Annotated[tuple[str, ...], Field(min_length=1)]


class Label(Record):
    """How molecules become the label that images shall predict."""

    name: str
    assay: Sourced[str]
    genes: Sourced[Genes]
    weights: Sourced[tuple[float, ...] | None]
    endpoint: Sourced[str]
    cutoff: Sourced[float | Literal["median"]]


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


class Study(Recipe):
    """A frozen recipe of a surrogate study."""

    kind: Literal["surrogate"]
    label: Label
    features: Features
    model: Model
    evaluation: Evaluation
    prognosis: Prognosis
    response: Response
