"""Facts of patients as a recipe's rivals and subgroups name them: columns, response outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import StudyError, UnknownNameError, short_list
from radiogenomics.core.outcomes import ResponseOutcome
from radiogenomics.study.prediction.inputs import word
from radiogenomics.study.prediction.labels import Meaning
from radiogenomics.study.prediction.schema import PredictionStudy, Rival
from radiogenomics.study.prediction.scored import Scored

SCORE = "score"


@dataclass(frozen=True, eq=False)
class Term:
    """A covariate of a Cox model.

    Parameters
    ----------
    name
        As tables and axes call it.
    values
        Of each patient who has it.
    levels
        What the codes 0, 1, ... stand for, the least risk first; none for numbers.
    """

    name: str
    values: pd.Series[float]
    levels: tuple[str, ...] = ()


def fact_of(cohort: Cohort, name: str) -> pd.Series[Any] | None:
    """Return a column of the patients, or a response outcome; None where the cohort has neither.

    Empty cells and empty text are left out.
    """
    outcome = cohort.outcomes.get(name)
    if isinstance(outcome, ResponseOutcome):
        return outcome.category
    if name not in cohort.patients:
        return None
    column = cohort.patients[name]
    blank = column.map(lambda value: isinstance(value, str) and not value.strip())
    return column[column.notna() & ~blank.astype(bool)]


def require_categories(outcome: ResponseOutcome, named: Sequence[str], *, cohort: str) -> None:
    """Raise StudyError where a recipe names categories that a response does not have."""
    unknown = [category for category in named if category not in outcome.order]
    if unknown:
        raise StudyError(
            f"{cohort}: expected the recipe's categories among those of {outcome.name} "
            f"({', '.join(outcome.order)}); found {', '.join(unknown)} in the recipe. Correct the "
            "recipe, or the order in the manifest."
        )


def term_of(study: PredictionStudy, part: Scored, name: str) -> Term | None:
    """Return what a Cox model calls ``score``, or a rival; None where the cohort lacks its fact.

    The score enters as the headline's risk. Groups enter as 0, 1, ..., risk rising; numbers as they
    are, so that a nomogram has their units.

    Raises
    ------
    UnknownNameError
        The recipe has no such rival.
    StudyError
        No patient has a value that the recipe's groups name, or a number is none.
    """
    if name == SCORE:
        return Term("1 - score" if part.meaning == "better" else SCORE, part.risk().dropna())
    rivals = {rival.name: rival for rival in study.rivals}
    if name not in rivals:
        raise UnknownNameError("term of a Cox model", name, (SCORE, *rivals))
    rival = rivals[name]
    known = fact_of(part.cohort, rival.fact.value)
    if known is None or known.empty:
        return None
    if rival.groups.value is None:
        return Term(name, _numbers(known, part))
    return _grouped(rival, known, part)


def _grouped(rival: Rival, known: pd.Series[Any], part: Scored) -> Term:
    groups = _by_risk(rival.groups.value or (), part.meaning)
    codes = {word(value): float(code) for code, group in enumerate(groups) for value in group}
    values = known.map(lambda value: codes.get(word(value), np.nan)).astype(float)
    if values.isna().all():
        raise StudyError(
            f"{part.cohort.id}: expected {rival.fact.value} among {short_list(codes)}, as the "
            f"recipe groups it; found {short_list(map(word, pd.unique(known)))}. Map the values in "
            "the manifest."
        )
    return Term(rival.name, values.dropna(), tuple("/".join(group) for group in groups))


def _by_risk(groups: tuple[tuple[str, ...], ...], meaning: Meaning) -> tuple[tuple[str, ...], ...]:
    """Groups, the least risk first; recipes have the least like class 1 first."""
    return tuple(reversed(groups)) if meaning == "better" else groups


def _numbers(known: pd.Series[Any], part: Scored) -> pd.Series[float]:
    numbers = pd.to_numeric(known, errors="coerce").astype(float)
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise StudyError(
            f"{part.cohort.id}: expected {known.name} as numbers, as the recipe groups no values; "
            f"found {int(bad.sum())} that are none. Map the values in the manifest."
        )
    return numbers
