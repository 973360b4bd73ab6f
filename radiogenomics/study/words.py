"""Recipe words: what each one builds. Defaults live in the estimators' signatures, nowhere else."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd
from sklearn.preprocessing import StandardScaler

from radiogenomics import features
from radiogenomics.core.errors import SchemaError, StudyError, UnknownNameError, short_list
from radiogenomics.imaging import settings_preset
from radiogenomics.models import TunedClassifier, learner_names, surrogate
from radiogenomics.study.plan import ValidationPlan
from radiogenomics.study.schema import Study

ICC_FILTER = features.ICCFilter.card.name
OWN_STEPS: tuple[type[Any], ...] = tuple(
    step for name in features.__all__ if hasattr(step := getattr(features, name), "card")
)
STEPS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "standardise": StandardScaler,
        **{step.card.name: step for step in OWN_STEPS},
    }
)


def check_words(study: Study) -> None:
    """Raise UnknownNameError, with near matches, for a word that builds nothing."""
    for step in study.features.steps:
        given = {name: p.value for name, p in step.parameters.items()}
        _check_step(step.step, given, section="features")
    settings_preset(study.features.settings.value)
    for name in (study.model.learner.value, *study.model.comparators.value):
        _check_learner(name)


def check_plan(plan: ValidationPlan) -> None:
    """Raise UnknownNameError for a word that builds nothing; StudyError for a step named twice."""
    for planned in plan.steps:
        _check_step(planned.step, planned.parameters, section="steps")
    names = [planned.step for planned in plan.steps]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError(
            f"expected each step once; found {short_list(twice)} again. Keep one of each."
        )
    for name in (plan.learner, *plan.comparators):
        _check_learner(name)


def build_surrogate(study: Study, learner: str, *, random_state: int) -> TunedClassifier:
    """Build the recipe's pipeline with ``learner`` at its end, tuned in inner folds."""
    return surrogate(
        _steps_of(study),
        learner,
        n_splits=study.model.inner_folds.value,
        random_state=random_state,
    )


def row_facts_of(study: Study) -> tuple[str, ...]:
    """Facts about patients, such as ``@site``, that the recipe's steps ask for."""
    wanted = (getattr(step, "row_facts", ()) for _, step in _steps_of(study))
    return tuple(dict.fromkeys(fact for facts in wanted for fact in facts))


def _steps_of(study: Study) -> list[tuple[str, Any]]:
    return [
        (step.step, STEPS[step.step](**{name: p.value for name, p in step.parameters.items()}))
        for step in study.features.steps
    ]


def build_planned(
    plan: ValidationPlan,
    learner: str,
    *,
    readings: Sequence[pd.DataFrame] | None,
    random_state: int,
) -> TunedClassifier:
    """Build the plan's pipeline with ``learner`` at its end; readings go to the ICC filter.

    Raises
    ------
    StudyError
        The plan has an ICC filter and there are no readings, or the other way round.
    """
    words = [planned.step for planned in plan.steps]
    if (ICC_FILTER in words) != (readings is not None):
        raise StudyError(
            f"expected repeated readings and the step {ICC_FILTER} together; found "
            f"{'the step alone' if readings is None else 'readings alone'}. Name the readings "
            "with --retest, and the step in the plan."
        )
    steps = []
    for planned in plan.steps:
        given: dict[str, object] = {}
        if planned.step == ICC_FILTER:
            given["retest"] = readings
        if "random_state" in _defaults(planned.step):
            given["random_state"] = random_state
        steps.append((planned.step, STEPS[planned.step](**{**given, **planned.parameters})))
    return surrogate(steps, learner, n_splits=plan.inner_folds, random_state=random_state)


def _check_learner(name: str) -> None:
    if name not in learner_names():
        raise UnknownNameError("learner", name, learner_names())


def _check_step(step: str, parameters: Mapping[str, object], *, section: str) -> None:
    known = _defaults(step)
    if getattr(STEPS[step], "needs_survival", False):
        raise StudyError(
            f"{step}: expected a step that selects by classes; found one that needs a time to an "
            "event. Use lasso or univariate_filter here, and this one in TunedSurvival."
        )
    for parameter, value in parameters.items():
        if parameter not in known:
            raise UnknownNameError(f"parameter of step {step}", parameter, known)
        _require_kind(f"{section}.{step}.{parameter}", value, known[parameter])


def _defaults(step: str) -> dict[str, object]:
    """Parameters of a step with their defaults."""
    if step not in STEPS:
        raise UnknownNameError("step", step, STEPS)
    return {p.name: p.default for p in inspect.signature(STEPS[step]).parameters.values()}


def _require_kind(setting: str, value: object, default: object) -> None:
    """Raise SchemaError unless the value is of the default's kind; a float may be whole.

    A default of None says nothing of the kind: the estimator checks the value itself. YAML has
    lists where Python has tuples.
    """
    if default is None or (isinstance(default, tuple) and isinstance(value, list)):
        return
    kind: tuple[type, ...] = (int, float) if isinstance(default, float) else (type(default),)
    if not isinstance(value, kind) or isinstance(value, bool) != isinstance(default, bool):
        raise SchemaError(
            f"{setting}: expected {kind[-1].__name__}, as the default {default!r}; found "
            f"{value!r}. Correct the value."
        )
