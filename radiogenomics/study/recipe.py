"""What all recipes share: who published the study, and values that say where they come from.

A recipe holds no data, no code and no paths to either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Generic, Literal, TypeVar

import pandas as pd
from pydantic import Field

from radiogenomics.core.errors import StudyError
from radiogenomics.core.html import card
from radiogenomics.core.schema import Record

Source = Literal["paper", "abstract", "code", "derived", "default"]
ValueT = TypeVar("ValueT")
Folds = Annotated[int, Field(ge=2)]
Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]


class Sourced(Record, Generic[ValueT]):
    """A value, where it comes from and what is unsaid about it."""

    value: ValueT
    source: Source
    note: str = ""


class Step(Record):
    """One step of the pipeline: a word and its parameters."""

    step: str
    parameters: dict[str, Sourced[Any]] = Field(default_factory=dict)


class Recipe(Record):
    """A frozen recipe of one published study.

    ``requires`` names what the recipe needs and the library does not have yet.
    """

    study: str
    title: str
    question: str
    citation: str
    doi: str
    requires: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        facts = {"title": self.title, "question": self.question, "doi": self.doi}
        return card(f"Study {self.study}", facts, self.settings().set_index("setting"))

    def require_nothing(self) -> None:
        """Raise StudyError for a recipe that needs what the library does not have yet."""
        if self.requires:
            raise StudyError(
                f"{self.study}: expected a recipe that the library can run; found that it requires "
                f"{', '.join(self.requires)}, which is not there yet. Choose another recipe."
            )

    def settings(self) -> pd.DataFrame:
        """Every sourced value in the order of the recipe: setting, value, provenance, note."""
        rows = [
            (setting, _plain(given.value), given.source, given.note)
            for setting, given in _sourced(self, "")
        ]
        return pd.DataFrame(rows, columns=["setting", "value", "provenance", "note"])


def _sourced(part: object, place: str) -> Iterator[tuple[str, Sourced[Any]]]:
    """Every sourced value below a part of a recipe, with the path to it."""
    if isinstance(part, Sourced):
        yield place, part
    elif isinstance(part, Step):
        for name, value in part.parameters.items():
            yield f"{place}.{name}", value
    elif isinstance(part, Record):
        for name in type(part).model_fields:
            yield from _sourced(getattr(part, name), f"{place}.{name}".lstrip("."))
    elif isinstance(part, Mapping):
        for name, value in part.items():
            yield from _sourced(value, f"{place}.{name}")
    elif isinstance(part, tuple):
        for position, value in enumerate(part):
            yield from _sourced(value, f"{place}.{_name_of(value, position)}")


def _name_of(part: object, position: int) -> str:
    """What an entry of a list is called: the word of a step, a name, else its number."""
    return str(getattr(part, "step", getattr(part, "name", position + 1)))


def _plain(value: object) -> str:
    if value is None:
        return "open"
    if isinstance(value, list | tuple):
        return ", ".join(
            " + ".join(map(str, part)) if isinstance(part, list | tuple) else str(part)
            for part in value
        )
    return str(value)
