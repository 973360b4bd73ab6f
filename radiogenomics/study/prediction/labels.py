"""What a prediction study predicts: the rules that turn outcomes and facts into two classes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from radiogenomics.core.schema import Record
from radiogenomics.study.recipe import Positive, Sourced

Names = Annotated[tuple[str, ...], Field(min_length=1)]
Censored = Literal["exclude", "weight", "event_free"]
Meaning = Literal["better", "worse"]


class _Label(Record):
    """What all labels say.

    Parameters
    ----------
    name
        Of the label, short.
    meaning
        What class 1 means for the patient: ``better`` makes a high score the opposite of risk.
    """

    name: str
    meaning: Sourced[Meaning]


class ResponseLabel(_Label):
    """Class 1 has one of some response categories; with ``among`` only these count at all."""

    rule: Literal["response"]
    outcome: Sourced[str]
    positive: Sourced[Names]
    among: Sourced[Names | None]


class SurvivalLabel(_Label):
    """Class 1 lives beyond a time from the outcome's origin.

    ``months`` may be ``median``: the Kaplan-Meier median of the training part of each fold.
    ``censored`` says what becomes of patients lost before; ``landmark`` leaves out who died or was
    lost by then, as nobody scanned at follow-up can have died before.
    """

    rule: Literal["survival_beyond"]
    endpoint: Sourced[str]
    months: Sourced[Annotated[float, Field(gt=0)] | Literal["median"]]
    censored: Sourced[Censored]
    landmark: Sourced[Annotated[float, Field(ge=0)]]


class FactLabel(_Label):
    """Class 1 has one of some values of a fact about the patient, as read in the manifest."""

    rule: Literal["fact"]
    fact: Sourced[str]
    positive: Sourced[Names]


class MarkersLabel(_Label):
    """Class 1 is high in every marker: a gene of an assay, or a fact where ``assay`` is open.

    A cut-off of ``median`` is that of the training part; ``low`` names markers that must be low.
    """

    rule: Literal["markers"]
    assay: Sourced[str | None]
    markers: Sourced[Names]
    cutoffs: Sourced[tuple[float | Literal["median"], ...]]
    low: Sourced[tuple[str, ...]]


class SignatureLabel(_Label):
    """Class 1 is called high by a signature whose genes are not public: a slot that users fill.

    ``fact`` names the column of the calls. ``radiogenomics score`` makes such calls from RNA and a
    locked signature of one's own.
    """

    rule: Literal["signature_slot"]
    slot: Sourced[str]
    genes: Sourced[Positive | None]
    fact: Sourced[str]
    positive: Sourced[Names]


class TimeLabel(_Label):
    """No classes: the time to an event itself is foretold."""

    rule: Literal["time_to_event"]
    endpoint: Sourced[str]


PredictionLabel = Annotated[
    ResponseLabel | SurvivalLabel | FactLabel | MarkersLabel | SignatureLabel | TimeLabel,
    Field(discriminator="rule"),
]
