"""Words of a recipe become estimators with the recipe's parameters, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.features import DropConstant, ICCFilter, RankSelector
from radiogenomics.models import learner_names
from radiogenomics.study.plan import PlannedStep, ValidationPlan
from radiogenomics.study.words import STEPS, build_surrogate, check_words, planned_steps


def with_steps(recipe, **parameters):
    """The recipe with other parameters of its selector."""
    steps = tuple(
        step.model_copy(
            update={
                "parameters": {
                    name: given.model_copy(update={"value": parameters.get(name, given.value)})
                    for name, given in step.parameters.items()
                }
            }
        )
        for step in recipe.features.steps
    )
    return recipe.model_copy(
        update={"features": recipe.features.model_copy(update={"steps": steps})}
    )


def test_parameters_reach_the_estimators(recipe, alter):
    model = build_surrogate(
        with_steps(alter(recipe, inner_folds=4), k=3, max_correlation=0.4), "svm", random_state=11
    )
    names = [name for name, _ in model.pipeline.steps]
    assert names == ["median_imputer", "drop_constant", "rank_selector", "standardise", "svm"]
    selector = model.pipeline.named_steps["rank_selector"]
    assert isinstance(selector, RankSelector)
    assert (selector.k, selector.max_correlation) == (3, 0.4)
    assert (model.n_splits, model.random_state) == (4, 11)
    # What the recipe leaves open is the estimator's own default, written nowhere else.
    assert model.pipeline.named_steps["drop_constant"].tolerance == DropConstant().tolerance


def test_the_budget_holds_in_the_fitted_model(recipe, rng):
    X = pd.DataFrame(rng.normal(size=(40, 12)), columns=[f"f{i}" for i in range(12)])
    y = (X["f3"] + X["f7"] > 0).astype(int)
    fitted = build_surrogate(with_steps(recipe, k=2), "lr", random_state=0).fit(X, y)
    assert set(fitted.selected_features_) == {"f3", "f7"}


@pytest.mark.parametrize("name", learner_names())
def test_each_learner_word_builds_what_it_says(recipe, name):
    model = build_surrogate(recipe, name, random_state=0)
    assert model.pipeline.steps[-1][0] == name
    check_words(
        recipe.model_copy(
            update={
                "model": recipe.model.model_copy(
                    update={"learner": recipe.model.learner.model_copy(update={"value": name})}
                )
            }
        )
    )


def test_the_learner_is_the_last_step_only_once(recipe):
    with pytest.raises(UnknownNameError, match="learner 'lasso'"):
        build_surrogate(recipe, "lasso", random_state=0)


def test_steps_are_transformers_and_carry_their_word():
    for word, kind in STEPS.items():
        assert callable(kind.fit) and callable(kind.transform), word
        assert word == "standardise" or kind.card.name == word


def test_the_icc_filter_of_a_plan_is_that_of_its_readings(rng):
    """Agreement is computed once and not in every fold: the filter must not notice."""
    truth = rng.normal(size=(25, 6))
    spread = np.where(np.arange(6) < 3, 0.1, 2.0)
    readings = [
        pd.DataFrame(truth + spread * rng.normal(size=(25, 6))).add_prefix("f") for _ in range(2)
    ]
    X = pd.DataFrame(rng.normal(size=(10, 4)), columns=["f4", "new", "f0", "f1"])
    given = {"form": "ICC(1,1)", "level": 0.8, "use": "low", "threshold": 0.6, "unknown": "keep"}
    step = PlannedStep(step="icc_filter", parameters=given)
    ((_, built),) = planned_steps(ValidationPlan(steps=(step,)), readings=readings, random_state=0)
    built, direct = built.fit(X), ICCFilter(readings, **given).fit(X)
    assert built.get_feature_names_out().tolist() == ["new", "f0", "f1"]
    assert direct.get_feature_names_out().tolist() == ["new", "f0", "f1"]
    pd.testing.assert_frame_equal(built.agreement_, direct.agreement_)
