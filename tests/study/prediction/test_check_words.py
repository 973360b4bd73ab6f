"""Words that build or name nothing, parts that do not fit each other, and near matches."""

from __future__ import annotations

import pytest
import yaml

from radiogenomics.core.errors import SchemaError, StudyError, UnknownNameError
from radiogenomics.core.schema import parse
from radiogenomics.study.prediction.check_words import check_prediction_words
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.registry import find_study, read_study

FILTER = {"step": "icc_filter", "parameters": {"threshold": {"value": 0.8, "source": "paper"}}}
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
            r"earliest first, each once, .*; found baseline, baseline\.",
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


def survival(*endpoints):
    return [
        {
            "endpoint": {"value": endpoint, "source": "paper"},
            "horizons": {"value": [12], "source": "paper"},
            "adjust_for": {"value": [], "source": "paper"},
        }
        for endpoint in endpoints
    ]


def sourced(**values):
    return {name: {"value": value, "source": "paper"} for name, value in values.items()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks.pre.time_point": "basline"}, "time point of blocks.pre 'basline'.*'baseline'"),
        ({"blocks.post.time_point": "folow-up"}, "time point of blocks.post.*'follow-up'"),
        ({"blocks.post.time_point": "week6"}, "'week6': known: baseline, follow-up"),
        ({"blocks.pre.region": "livr"}, r"region of blocks.pre \(if.*'livr': did you mean 'liver'"),
        ({"blocks.pre.region": "livr_without_tumour"}, "'livr': did you mean 'liver'"),
        ({"blocks.pre.region": "liver_without_tumor"}, "'tumor': did you mean 'tumour'"),
        ({"blocks.pre.region": "tumour_ring_10mm_in_livr"}, "'livr': did you mean 'liver'"),
        ({"blocks.pre.region": "tumour_rng_10mm"}, "did you mean 'tumour_ring_10mm'"),
        (
            {"blocks.pre.phase": "artrial"},
            "phase of blocks.pre.*'artrial': did you mean 'arterial'",
        ),
        ({"blocks.pre.phase": "arterial, prtal"}, "'prtal': did you mean 'portal'"),
        ({"blocks.pre.phase": "t2"}, "'t2': did you mean 'T2'"),
        (
            {"readouts": {"survival": survival("OS", "OSS")}},
            "endpoint of readouts.survival in simulation.survival 'OSS': did you mean 'OS'",
        ),
        ({"rivals.1.fact": "afpp"}, "fact of rivals.AFP.*'afpp': did you mean 'afp'"),
        (
            {"rivals.0.fact": "respons"},
            "fact of rivals.mRECIST.*'respons': did you mean 'response'",
        ),
        ({"label.outcome": "respons"}, "fact of label.outcome.*'response'"),
        ({"blocks.clinical.facts": ["age", "albuminn"]}, "fact of blocks.clinical.*'albumin'"),
        ({"readouts": sourced(subgroups=["regimn"])}, "readouts.subgroups.*'regimn'.*'regimen'"),
        (
            {"label.positive": ["CR", "PX"]},
            "category of label.positive.*'PX': .*known: CR, PD, PR, SD",
        ),
        ({"label.positive": ["PX"]}, "category of label.positive"),
        ({"label.among": ["CR", "PR", "SX"]}, "category of label.among"),
        (
            {"readouts": {"response": sourced(outcome="response", responders=["CR", "PX"])}},
            "category of readouts.response.*'PX'",
        ),
        (
            {"readouts": {"pseudoprogression": sourced(outcome="mrecist", progressive=["PX"])}},
            "category of readouts.pseudoprogression.*'PX'",
        ),
        (
            {"rivals.0.groups": [["PX"], ["CR", "PR", "SD"]]},
            "category of rivals.mRECIST.groups.*'PX'",
        ),
    ],
)
def test_words_of_scans_outcomes_and_facts_name_their_neighbours(changes, message, study_of):
    with pytest.raises(UnknownNameError, match=message):
        study_of(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"blocks.pre.phase": "arterial, portal"},
        {"blocks.pre.phase": "swi"},
        {"blocks.pre.region": "tumour_ring_2.5mm_in_liver"},
        {"blocks.pre.region": "spleen_without_viable_tumour"},
        {"rivals.1.fact": "my_own_score"},
        {"rivals.0.fact": "pathology", "rivals.0.groups": [["scar"], ["living tumour"]]},
        {"label.outcome": "relapse", "label.positive": ["came back"]},
        {"blocks.clinical.facts": ["age", "cd8_density", "cd4_density"]},
        {"readouts": {"survival": survival("OS")}},
    ],
)
def test_words_of_a_manifest_may_be_its_own(changes, study_of):
    study_of(changes)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("blocks.pre.phase", "artrial"),
        ("blocks.pre.region", "tumor"),
        ("rivals.1.fact", "albumine"),
        ("label.positive", ["CR", "nearly CR"]),
    ],
)
def test_a_word_of_ones_own_is_declared_in_its_note(path, word, study_of):
    with pytest.raises(UnknownNameError, match="if it is your own, name it in the note"):
        study_of({path: word})
    own = study_of().model_dump(mode="json")
    fields, (*way, last) = own, path.split(".")
    for step in way:
        fields = fields[int(step) if isinstance(fields, list) else step]
    named = word if isinstance(word, str) else word[-1]
    fields[last] = {"value": word, "source": "default", "note": f"{named}: as in our tables"}
    check_prediction_words(parse(PredictionStudy, own, where="mine"))
    # A word of which it is only a part does not declare it.
    fields[last]["note"] = f"not{named}"
    with pytest.raises(UnknownNameError):
        check_prediction_words(parse(PredictionStudy, own, where="mine"))


THREE = {
    "time_points": ["baseline", "week6", "week12"],
    "blocks.post.time_point": "week6",
    "blocks.late": {**PORTAL, **sourced(phase="arterial", time_point="week12")},
}


def test_time_points_are_declared_in_their_order(study_of):
    study = study_of({**THREE, "blocks.change.of": ["pre", "post", "late"]})
    assert study.time_points == ("baseline", "week6", "week12")
    assert study_of().time_points == ("baseline", "follow-up")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks.change.of": ["pre", "late", "post"]}, "found baseline, week12, week6. Put them"),
        (
            {
                "time_points": ["baseline", "week12", "week6"],
                "blocks.change.of": ["pre", "post", "late"],
            },
            r"as in time_points \(baseline, week12, week6\); found baseline, week6, week12",
        ),
        ({"blocks.post.time_point": "week12"}, "blocks.change.*found week12, baseline"),
        ({"time_points": ["week6", "baseline", "week12"]}, "expected baseline first"),
        ({"time_points": ["baseline", "week6", "week12", "week6"]}, "each later one once"),
    ],
)
def test_time_points_in_another_order(changes, message, study_of):
    turned = {"blocks.change.of": ["post", "pre"]} if "blocks.post.time_point" in changes else {}
    with pytest.raises(StudyError, match=message):
        study_of({**THREE, **turned, **changes})


def test_blocks_whose_time_points_are_swapped(study_of):
    swapped = {"blocks.pre.time_point": "follow-up", "blocks.post.time_point": "baseline"}
    with pytest.raises(StudyError, match="earliest first.*found follow-up, baseline"):
        study_of(swapped)


@pytest.mark.parametrize(
    ("name", "old", "new", "near"),
    [
        ("jtm2025_irs_ctmr", "phase: {value: arterial", "phase: {value: artrial", "arterial"),
        ("jtm2025_irs_ctmr", "region: {value: tumour", "region: {value: tumur", "tumour"),
        (
            "jtm2025_irs_ctmr",
            "time_point: {value: baseline",
            "time_point: {value: base",
            "baseline",
        ),
        ("lwctr2025_os12_ct", "value: [regimen]", "value: [regimn]", "regimen"),
        ("lwctr2025_os12_ct", "progressive: {value: [PD]", "progressive: {value: [PX]", "PD"),
        ("lwctr2025_os12_ct", "- endpoint: {value: PFS", "- endpoint: {value: PSF", "PFS"),
    ],
)
def test_a_shipped_recipe_with_a_misspelt_word(tmp_path, name, old, new, near):
    """Surrogates among them: they name scans too."""
    text = find_study(name).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "study.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UnknownNameError, match=near):
        read_study(tmp_path / "study.yaml")


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
