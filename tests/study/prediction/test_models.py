"""Models of a recipe: what they are built of, and words that build nothing."""

from __future__ import annotations

import pytest
import yaml

from radiogenomics.core.errors import SchemaError, StudyError, UnknownNameError
from radiogenomics.features import ICCFilter, RankSelector
from radiogenomics.models import TunedClassifier
from radiogenomics.models.longitudinal import BaselineFallback
from radiogenomics.study.prediction.inputs import read_prediction_inputs
from radiogenomics.study.prediction.models import ModelBuilder, check_prediction_words
from radiogenomics.study.registry import read_study

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


STEP = {"step": "standardise"}
PORTAL = {
    "kind": "radiomics",
    "modality": {"value": "CT", "source": "paper"},
    "phase": {"value": "portal", "source": "paper"},
    "region": {"value": "tumour", "source": "paper"},
    "time_point": {"value": "baseline", "source": "paper"},
    "settings": {"value": "ct", "source": "paper"},
    "features": {"value": 6, "source": "paper"},
    "reread": {"value": None, "source": "paper"},
}
COX = [{"name": "Nomo", "terms": {"value": ["score", "mRECIST"], "source": "paper"}}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks.pre.steps.1.step": "standardize"}, "step 'standardize'.*'standardise'"),
        ({"models.0.steps": [{"step": "laso"}]}, "step 'laso'.*'lasso'"),
        (
            {"blocks.pre.steps.2.parameters": {"kk": {"value": 2, "source": "paper"}}},
            "parameter of step rank_selector 'kk'",
        ),
        ({"models.1.learner": "svn"}, "learner 'svn': did you mean 'svm'"),
        ({"blocks.post.settings": "ctt"}, "'ctt'.*'ct'"),
        ({"models.2.blocks": ["pre", "clincal"]}, "block of model Baseline 'clincal'.*'clinical'"),
        (
            {"blocks.change.of": ["pre", "pots"]},
            "block that change is the change of 'pots'.*'post'",
        ),
        (
            {"readouts": {"cox": [{**COX[0], "terms": {"value": ["scor"], "source": "paper"}}]}},
            "term of the Cox model Nomo 'scor'.*'score'",
        ),
        (
            {"readouts": {"cox": COX, "nomogram": {"value": "Nome", "source": "paper"}}},
            "Cox model of the nomogram 'Nome'.*'Nomo'",
        ),
        ({"simulation.shares": {"prre": {"value": 1.0, "source": "paper"}}}, "'prre'.*'pre'"),
        (
            {"simulation.rivals": {"RECIST": {"value": 0.6, "source": "paper"}}},
            "rival of simulation.rivals 'RECIST'.*'mRECIST'",
        ),
        (
            {"label": "survival", "simulation.survival.0.endpoint": "PFS"},
            "endpoint of the label in simulation.survival 'OS'",
        ),
        ({"label": "markers", "label.low": ["PDL2"]}, "must be low 'PDL2'.*'PDL1'"),
    ],
)
def test_a_word_that_is_misspelt_names_its_neighbours(changes, message, study_of):
    with pytest.raises(UnknownNameError, match=message):
        study_of(changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks.change.of": ["post", "pre"]}, "time points earliest first.*follow-up, baseline"),
        (
            {"blocks.change.of": ["pre", "portal"], "blocks.portal": PORTAL},
            "earliest first, each once; found baseline, baseline",
        ),
        ({"blocks.change.of": ["pre", "clinical"]}, "change of image blocks; found 'clinical'"),
        ({"blocks.change.mode": "rate"}, "weeks between time points for a rate"),
        ({"models.1.name": "Fusion"}, "name of its own.*found Fusion twice"),
        ({"rivals.0.name": "Delta"}, "found Delta twice"),
        ({"simulation.shares.pre": 0.5}, "shares that sum to 1; found 1.1"),
        ({"blocks.a|b": PORTAL}, r"expected names without '\|'; found 'a\|b'"),
        ({"label": "markers", "label.cutoffs": ["median"]}, "found 1 for 2"),
        ({"models.0.steps": [FILTER]}, "icc_filter among the steps of an image block"),
        ({"blocks.change.steps": [FILTER]}, "icc_filter among the steps of an image block"),
        ({"blocks.pre.steps.1.step": "combat"}, "found combat, which needs @site"),
        ({"blocks.pre.steps.2": {"step": "coxnet"}}, "needs a time to an event"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(changes, message, study_of):
    with pytest.raises(StudyError, match=message):
        study_of(changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks.pre.steps.2.parameters.k": "two"}, "blocks.pre.rank_selector.k: expected int"),
        ({"evaluation.folds": 1}, "evaluation.folds"),
        ({"evaluation.threshold": 1.5}, "evaluation.threshold"),
        ({"simulation.auc": 0.4}, "simulation.auc"),
        ({"label.meaning": "good"}, "meaning"),
        ({"blocks.change.mode": "quotient"}, "mode"),
        ({"blocks.pre.stepz": []}, "stepz"),
        ({"legacy": ["pooled_selektion"]}, "legacy"),
    ],
)
def test_values_of_another_kind_name_their_place(changes, message, study_of):
    with pytest.raises(SchemaError, match=message):
        study_of(changes)


def test_the_small_recipe_itself_is_sound(study_of):
    check_prediction_words(study_of(checked=False))
    for label in ("survival", "markers", "fact"):
        study_of({"label": label})


def test_a_recipe_whose_claims_contradict_it_is_refused(study_of, tmp_path):
    fields = study_of().model_dump(mode="json")
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(fields), encoding="utf-8")
    assert read_study(tmp_path / "study.yaml") == study_of()
    header = "metric,model,split,value,low,high,n,positives,where\n"
    rows = "auc,Fusin,training,0.8,,,120,60,abstract\n"
    (tmp_path / "claims.csv").write_text(header + rows, encoding="utf-8")
    with pytest.raises((SchemaError, StudyError, UnknownNameError), match="Fusin"):
        read_study(tmp_path / "study.yaml")
    (tmp_path / "claims.csv").write_text(
        header + "auc,Fusion,training,0.8,,,130,60,abstract\n", encoding="utf-8"
    )
    with pytest.raises((SchemaError, StudyError), match="130"):
        read_study(tmp_path / "study.yaml")
