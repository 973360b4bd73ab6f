"""Recipe words: what each one builds. Defaults live in the estimators' signatures, nowhere else."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from radiogenomics import features
from radiogenomics.core.errors import SchemaError, StudyError, UnknownNameError, short_list
from radiogenomics.core.row_facts import MARK
from radiogenomics.imaging import settings_preset
from radiogenomics.models import TunedClassifier, learner_names, surrogate
from radiogenomics.models.survival import survival_learner_names
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


def uses_of(word: str) -> tuple[str, ...]:
    """Say where a word may stand; nothing for a method that only Python calls.

    Returns
    -------
    tuple of str
        Of ``step`` (in the steps of recipes and plans), ``step of plans`` (its readings come from
        the command line), ``survival step`` (before a survival learner, in Python), ``learner or
        comparator`` (in recipes and plans) and ``survival learner`` (in Python).

    Examples
    --------
    >>> uses_of("combat"), uses_of("svm"), uses_of("coxnet"), uses_of("nomogram")
    (('step',), ('learner or comparator',), ('survival step',), ())
    """
    uses = []
    if word in STEPS:
        survival = getattr(STEPS[word], "needs_survival", False)
        readings = "step of plans" if word == ICC_FILTER else "step"
        uses.append("survival step" if survival else readings)
    if word in learner_names():
        uses.append("learner or comparator")
    if word in survival_learner_names():
        uses.append("survival learner")
    return tuple(uses)


def check_words(study: Study) -> None:
    """Raise UnknownNameError, with near matches, for a word that builds nothing."""
    for step in study.features.steps:
        given = {name: p.value for name, p in step.parameters.items()}
        check_step(step.step, given, section="features")
    settings_preset(study.features.settings.value)
    for name in (study.model.learner.value, *study.model.comparators.value):
        check_learner(name)


def check_plan(plan: ValidationPlan) -> None:
    """Raise UnknownNameError for a word that builds nothing; StudyError for a step named twice."""
    for planned in plan.steps:
        check_step(planned.step, planned.parameters, section="steps")
    names = [planned.step for planned in plan.steps]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError(
            f"expected each step once; found {short_list(twice)} again. Keep one of each."
        )
    for name in (plan.learner, *plan.comparators):
        check_learner(name)


def facts_of_plan(plan: ValidationPlan) -> tuple[str, ...]:
    """Facts about patients, such as ``@site`` and ``@age``, that the plan's steps use.

    Raises
    ------
    SchemaError
        One is not marked with ``@``.
    """
    wanted: dict[str, str] = {}
    for planned in plan.steps:
        step = STEPS[planned.step](**planned.parameters)
        wanted |= dict.fromkeys(getattr(step, "row_facts", ()), planned.step)
    for fact, word in wanted.items():
        if not fact.startswith(MARK):
            raise SchemaError(
                f"steps.{word}: expected facts about patients as {MARK}NAME; found {fact!r}. Write "
                f"{MARK}{fact}, and name its column with --fact {fact}=COLUMN."
            )
    return tuple(wanted)


def check_facts(plan: ValidationPlan, given: Sequence[str]) -> None:
    """Raise StudyError for a fact that no step uses, or that a step uses and nobody gave.

    Sites alone may be given without a step that uses them: the null is permuted within them.
    """
    wanted, site = facts_of_plan(plan), f"{MARK}site"
    absent = [fact for fact in wanted if fact not in given]
    if absent:
        ask = "--site COLUMN" if absent[0] == site else f"--fact {absent[0][1:]}=COLUMN"
        raise StudyError(
            f"expected columns of the facts that the plan uses ({short_list(wanted)}); found none "
            f"of {short_list(absent)}. Name it with {ask}, or take it out of the plan."
        )
    idle = [fact for fact in given if fact not in (*wanted, site)]
    if idle:
        raise StudyError(
            f"expected a step of the plan that uses {short_list(idle)}; found none. Name it there, "
            f"as in the covariates of combat, or leave --fact {idle[0][1:]} out."
        )


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
    steps = planned_steps(plan, readings=readings, random_state=random_state)
    return surrogate(steps, learner, n_splits=plan.inner_folds, random_state=random_state)


def planned_steps(
    plan: ValidationPlan, *, readings: Sequence[pd.DataFrame] | None, random_state: int
) -> list[tuple[str, Any]]:
    """Build the plan's transformers, each named by its word; raises as :func:`build_planned`."""
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
        if planned.step == ICC_FILTER and readings is not None:
            given["agreement"] = agreement_of(readings, planned.parameters)
        if takes_seed(planned.step):
            given["random_state"] = random_state
        steps.append((planned.step, STEPS[planned.step](**{**given, **planned.parameters})))
    return steps


def agreement_of(readings: Sequence[pd.DataFrame], parameters: Mapping[str, Any]) -> pd.DataFrame:
    """ICC of every variable that was read again: the same in all folds, so computed once."""
    asked = {name: parameters[name] for name in ("form", "level") if name in parameters}
    # Below every ICC, so that the filter keeps all and warns of none.
    judge = features.ICCFilter(list(readings), threshold=-np.inf, **asked)
    agreement: pd.DataFrame = judge.fit(readings[0]).agreement_
    return agreement


def up_to_facts(steps: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Steps up to the last one that uses facts about patients; none when none does."""
    users = [k for k, (_, step) in enumerate(steps) if getattr(step, "row_facts", ())]
    return steps[: users[-1] + 1] if users else []


def check_learner(name: str) -> None:
    """Raise UnknownNameError, with near matches, for a learner that is not there."""
    if name not in learner_names():
        raise UnknownNameError("learner", name, learner_names())


def check_step(
    step: str, parameters: Mapping[str, object], *, section: str, of_time: bool = False
) -> None:
    """Raise unless the word is a step for the target, its parameters known and of their kind.

    ``of_time`` says that a time to an event is foretold, not classes.

    Raises
    ------
    UnknownNameError, StudyError, SchemaError
        The step or a parameter is not known; it needs survival where there are classes, or the
        other way round; a value is of another kind.
    """
    known = _defaults(step)
    needs_time = getattr(STEPS[step], "needs_survival", False)
    if needs_time and not of_time:
        raise StudyError(
            f"{step}: expected a step that selects by classes; found one that needs a time to an "
            "event. Use lasso or univariate_filter here, and this one in TunedSurvival."
        )
    if of_time and not needs_time and get_tags(STEPS[step]()).target_tags.required:
        raise StudyError(
            f"{step}: expected a step that selects by a time to an event, or by no target; found "
            "one that needs two classes. Use univariate_cox or coxnet here."
        )
    for parameter, value in parameters.items():
        if parameter not in known:
            raise UnknownNameError(f"parameter of step {step}", parameter, known)
        _require_kind(f"{section}.{step}.{parameter}", value, known[parameter])


def takes_seed(step: str) -> bool:
    """Whether a step draws random numbers."""
    return "random_state" in _defaults(step)


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
