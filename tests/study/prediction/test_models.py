"""Models of a recipe: what they are built of."""

from __future__ import annotations

import pytest

from radiogenomics.features import ICCFilter, RankSelector
from radiogenomics.models import TunedClassifier
from radiogenomics.models.longitudinal import BaselineFallback
from radiogenomics.study.prediction.inputs import read_prediction_inputs
from radiogenomics.study.prediction.models import ModelBuilder

FILTER = {"step": "icc_filter", "parameters": {"threshold": {"value": 0.8, "source": "paper"}}}
WITH_FILTER = {
    "blocks.pre.reread": 20,
    "blocks.pre.steps": [{"step": "median_imputer"}, FILTER, {"step": "standardise"}],
}


@pytest.fixture
def built(cohort_of, study_of, tmp_path):
    """Builds the recipe's first model, or another, on a small cohort."""

    def build(changes=None, *, model=0, scanned_once=False, cohort=None):
        study = study_of(changes)
        read = read_prediction_inputs(cohort or cohort_of(), study, complete=False, jobs=1)
        builder = ModelBuilder(study, read, memory=str(tmp_path), random_state=3)
        asked = study.models[model]
        return builder.build(asked, scanned_once=scanned_once), builder.columns(asked), read

    return build


def test_a_model_is_its_blocks_through_their_steps_and_a_tuned_learner(built):
    model, columns, _ = built()
    assert isinstance(model, TunedClassifier) and model.n_splits == 3 and model.random_state == 3
    blocks = model.pipeline.named_steps["blocks"].steps
    assert list(blocks) == ["pre", "post", "clinical"]
    assert [name for name, _ in blocks["pre"]] == ["median_imputer", "standardise", "rank_selector"]
    selector = blocks["pre"][2][1]
    assert isinstance(selector, RankSelector) and selector.k == 2
    assert {column.split("|")[0] for column in columns} == {"pre", "post", "clinical"}
    assert len(columns) == 14


def test_steps_of_the_model_stand_behind_the_joined_blocks(built):
    selector = {"step": "rank_selector", "parameters": {"k": {"value": 3, "source": "paper"}}}
    model, columns, read = built({"models.0.steps": [selector]})
    assert [name for name, _ in model.pipeline.steps][:2] == ["blocks", "rank_selector"]
    y = (read.cohort.outcomes["response"].grouped(["CR", "PR"])).to_numpy(dtype=int)
    assert len(model.fit(read.features[columns], y).selected_features_) == 3


def test_the_filter_gets_the_two_readings_of_its_block(built):
    model, columns, read = built(WITH_FILTER)
    icc = model.pipeline.named_steps["blocks"].steps["pre"][1][1]
    assert isinstance(icc, ICCFilter) and icc.threshold == 0.8
    y = (read.cohort.outcomes["response"].grouped(["CR", "PR"])).to_numpy(dtype=int)
    kept = model.fit(read.features[columns], y).selected_features_
    # texture_5 was read anew at random, the others with hardly any error.
    assert [k for k in kept if k.startswith("pre|")] == [f"pre|texture_{i}" for i in range(5)]


def test_without_readings_there_is_no_filter(built, cohort_of):
    cohort = cohort_of()
    assays = {name: table for name, table in cohort.assays.items() if "reading" not in name}
    bare = type(cohort)("near", cohort.patients, assays, outcomes=cohort.outcomes)
    model, _, _ = built(WITH_FILTER, cohort=bare)
    steps = model.pipeline.named_steps["blocks"].steps["pre"]
    assert [name for name, _ in steps] == ["median_imputer", "standardise"]


def test_who_was_scanned_once_gets_a_model_of_the_baseline(built):
    model, _, _ = built(scanned_once=True)
    assert isinstance(model, BaselineFallback) and model.follow_up == ("post",)
    assert list(model.full.pipeline.named_steps["blocks"].steps) == ["pre", "post", "clinical"]
    assert list(model.baseline.pipeline.named_steps["blocks"].steps) == ["pre", "clinical"]
    for name, position in (("Delta", 1), ("Baseline", 2)):
        model, _, _ = built(scanned_once=True, model=position)
        assert isinstance(model, TunedClassifier), name
