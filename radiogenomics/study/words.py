"""Recipe words: what each one builds. Defaults live in the estimators' signatures, nowhere else."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import SchemaError, UnknownNameError
from radiogenomics.features import DropConstant, MedianImputer, RankSelector
from radiogenomics.imaging import settings_preset
from radiogenomics.models import learner_names, surrogate
from radiogenomics.study.schema import Study

OWN_STEPS = (MedianImputer, DropConstant, RankSelector)
STEPS: Mapping[str, type[Any]] = MappingProxyType(
    {"standardise": StandardScaler, **{step.card.name: step for step in OWN_STEPS}}
)


def check_words(study: Study) -> None:
    """Raise UnknownNameError, with near matches, for a word that builds nothing."""
    for step in study.features.steps:
        known = _defaults(step.step)
        for parameter, given in step.parameters.items():
            if parameter not in known:
                raise UnknownNameError(f"parameter of step {step.step}", parameter, known)
            _require_kind(f"features.{step.step}.{parameter}", given.value, known[parameter])
    settings_preset(study.features.settings.value)
    for name in (study.model.learner.value, *study.model.comparators.value):
        if name not in learner_names():
            raise UnknownNameError("learner", name, learner_names())


def build_surrogate(study: Study, learner: str, *, random_state: int) -> Any:
    """Build the recipe's pipeline with ``learner`` at its end, tuned in inner folds."""
    steps = [
        (step.step, STEPS[step.step](**{name: p.value for name, p in step.parameters.items()}))
        for step in study.features.steps
    ]
    return surrogate(
        steps,
        learner,
        n_splits=study.model.inner_folds.value,
        random_state=random_state,
    )


def _defaults(step: str) -> dict[str, object]:
    """Parameters of a step with their defaults."""
    if step not in STEPS:
        raise UnknownNameError("step", step, STEPS)
    return {p.name: p.default for p in inspect.signature(STEPS[step]).parameters.values()}


def _require_kind(setting: str, value: object, default: object) -> None:
    """Raise SchemaError unless the value is of the default's kind; a float may be whole."""
    kind: tuple[type, ...] = (int, float) if isinstance(default, float) else (type(default),)
    if not isinstance(value, kind) or isinstance(value, bool) != isinstance(default, bool):
        raise SchemaError(
            f"{setting}: expected {kind[-1].__name__}, as the default {default!r}; found "
            f"{value!r}. Correct the value."
        )
