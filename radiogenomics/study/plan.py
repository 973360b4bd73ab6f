"""A plan of validation: which steps and learners turn a feature table into evidence.

What a recipe says of a published study, a plan says of a table of one's own; both use the same
words.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from radiogenomics.core.schema import Record, RecordT, parse, read_yaml
from radiogenomics.study.recipe import Folds, Positive


class PlannedStep(Record):
    """One step: a word and those of its parameters that differ from the defaults."""

    step: str
    parameters: dict[str, Any] = Field(default_factory=dict)


DEFAULT_STEPS = (
    PlannedStep(step="median_imputer"),
    PlannedStep(step="drop_constant"),
    PlannedStep(step="standardise"),
    PlannedStep(step="correlation_clusters"),
    PlannedStep(step="rank_selector", parameters={"k": 10}),
)


class ValidationPlan(Record):
    """How a table is validated; every default is a choice that a user may overrule.

    Parameters
    ----------
    steps
        Transformers in order, fitted again in each training part.
    learner
        The model that is judged, fixed before any result is seen.
    comparators
        Other learners, shown beside it and never chosen from.
    inner_folds
        Folds in which hyperparameters are tuned and probabilities calibrated.
    folds, repeats
        Of the outer cross-validation.
    permutations
        Whole cross-validations repeated with permuted labels; permutations of labels outside.
    threshold
        Probability at or above which a patient is called positive, or ``youden``: learnt on the
        out-of-fold predictions of the training table and locked for the others.
    """

    steps: tuple[PlannedStep, ...] = DEFAULT_STEPS
    learner: str = "svm"
    comparators: tuple[str, ...] = ("lr", "rf", "knn", "nb", "gb")
    inner_folds: Folds = 5
    folds: Folds = 5
    repeats: Positive = 5
    permutations: Positive = 199
    threshold: Annotated[float, Field(gt=0, lt=1)] | Literal["youden"] = "youden"

    @property
    def learners(self) -> tuple[str, ...]:
        """The learner, then each comparator once that is another one."""
        return tuple(dict.fromkeys((self.learner, *self.comparators)))


def plan_from(kind: type[RecordT], path: str | Path | None) -> RecordT:
    """Read a plan of some kind; the default one of no path.

    Parameters
    ----------
    kind
        What it plans, such as :class:`ValidationPlan`.
    path
        YAML of its fields, or that has them under ``plan``, as the ``study.yaml`` of an earlier
        map, biopsy or derivation does.

    Raises
    ------
    MissingFileError, SchemaError
        There is no such file, or a field is wrong.

    Examples
    --------
    >>> plan_from(ValidationPlan, None).learner
    'svm'
    """
    if path is None:
        return kind()
    content = read_yaml(Path(path))
    own = content.get("plan")
    return parse(kind, own if isinstance(own, dict) else content, where=Path(path).name)


def read_plan(path: str | Path | None) -> ValidationPlan:
    """Read a plan of validation; see :func:`plan_from`."""
    return plan_from(ValidationPlan, path)


def planned_settings(settings: Mapping[str, object]) -> pd.DataFrame:
    """Table of what was planned, as the report shows it: ``setting, value, provenance, note``."""
    rows = [(name, _plain(value), "plan", "") for name, value in settings.items()]
    return pd.DataFrame(rows, columns=["setting", "value", "provenance", "note"])


def _plain(value: object) -> str:
    if value is None:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
