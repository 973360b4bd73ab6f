"""A recipe may ask for facts about patients: the site reaches ComBat and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from radiogenomics.core.errors import StudyError
from radiogenomics.study.external import validate_externally
from radiogenomics.study.inputs import read_inputs
from radiogenomics.study.schema import Step
from radiogenomics.study.surrogate import evaluate_surrogate
from radiogenomics.study.words import row_facts_of


@pytest.fixture(scope="module")
def harmonised(recipe, alter):
    """The recipe with ComBat behind the imputation; unseen sites stay as they are."""
    pooled = {"value": "pooled", "source": "default"}
    combat = Step.model_validate({"step": "combat", "parameters": {"unseen": pooled}})
    first, *rest = recipe.features.steps
    features = recipe.features.model_copy(update={"steps": (first, combat, *rest)})
    plan = alter(recipe, permutations=1, comparators=())
    return plan.model_copy(update={"features": features})


def test_the_site_travels_only_when_a_step_asks(recipe, harmonised, near):
    assert row_facts_of(recipe) == ()
    assert row_facts_of(harmonised) == ("@site",)
    images = read_inputs(near.cohort, harmonised, jobs=1).images
    sites = near.cohort.patients["site"].loc[images.index]
    assert images["@site"].tolist() == sites.tolist()


def test_a_recipe_with_combat_runs_inside_and_outside(harmonised, near, far):
    inputs = read_inputs(near.cohort, harmonised, jobs=1)
    found = evaluate_surrogate(harmonised, inputs, seed=0, jobs=1)
    assert found.metric("auc", split="cross-validation").value > 0.5
    assert "@site" not in set(found.tables["selection"]["feature"])
    outside = read_inputs(far.cohort, harmonised, jobs=1)
    with pytest.warns(UserWarning, match="west"):
        elsewhere = validate_externally(
            harmonised, outside, signature=None, evidence=found.evidence, seed=0
        )
    scores = elsewhere.tables["predictions"]["score"]
    assert np.isfinite(scores).all()


def test_a_cohort_without_sites_is_refused(harmonised, near):
    patients = near.cohort.patients.drop(columns="site")
    cohort = replace(near.cohort, patients=patients)
    with pytest.raises(StudyError, match="patients' column 'site'"):
        read_inputs(cohort, harmonised, jobs=1)
