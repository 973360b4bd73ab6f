"""Recipe words: what each one builds. Defaults live in the estimators' signatures, nowhere else."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.features import DropConstant, RankSelector
from radiogenomics.imaging import settings_preset
from radiogenomics.models import learner_names, surrogate
from radiogenomics.study.schema import Study

STEPS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "drop_constant": DropConstant,
        "rank_selector": RankSelector,
        "standardise": StandardScaler,
    }
)


def check_words(study: Study) -> None:
    """Raise UnknownNameError, with near matches, for a word that builds nothing."""
    for step in study.features.steps:
        known = _parameters(step.step)
        for parameter in step.parameters:
            if parameter not in known:
                raise UnknownNameError(f"parameter of step {step.step}", parameter, known)
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


def _parameters(step: str) -> tuple[str, ...]:
    if step not in STEPS:
        raise UnknownNameError("step", step, STEPS)
    return tuple(inspect.signature(STEPS[step]).parameters)
