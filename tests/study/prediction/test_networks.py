"""Networks in recipes: learnt inside the folds of one cohort, asked in others."""

from __future__ import annotations

from dataclasses import replace

import joblib
import numpy as np
import pytest

from radiogenomics.core.errors import RadiogenomicsWarning, StudyError
from radiogenomics.study.prediction.inputs import read_prediction_inputs
from radiogenomics.study.prediction.run import Options
from radiogenomics.study.run import run_cohorts

from .scanned import model, network_block, volume, with_scans, without

torch = pytest.importorskip("torch")

from radiogenomics.models.deep.network_risk import NetworkRisk  # noqa: E402
from radiogenomics.models.deep.networks import NETWORKS  # noqa: E402
from radiogenomics.models.deep.survival_network import SurvivalNetwork  # noqa: E402
from radiogenomics.study.prediction.networks import network_of  # noqa: E402
from radiogenomics.study.prediction.words_of_networks import (  # noqa: E402
    MULTI_INSTANCE,
    NETWORK_WORDS,
)

CV, FAR = "cross-validation", "external:far"
QUICK = Options(permutations=0)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def scanned_study(study_of):
    def scanned_study(changes=None, **block):
        given = {
            "blocks.net": network_block(**block),
            "models": [model("Network", ["net"]), model("Both", ["net", "clinical"])],
            "rivals": [],
            "simulation.rivals": {},
            "evaluation.folds": 2,
            "evaluation.inner_folds": 2,
        }
        return study_of({**given, **(changes or {})})

    return scanned_study


@pytest.fixture(scope="module")
def cohorts(cohort_of):
    near = with_scans(cohort_of(40, signal=0.0))
    far = with_scans(cohort_of(24, id="far", seed=2, signal=0.0), seed=2)
    return near, far


@pytest.fixture(scope="module")
def run(provenance):
    def run(study, *cohorts, options=QUICK, jobs=1):
        return run_cohorts(
            study, cohorts, provenance=provenance, seed=0, jobs=jobs, options=options
        )

    return run


@pytest.fixture(scope="module")
def results(run, scanned_study, cohorts):
    return run(scanned_study(), *cohorts)


def scores(results, cohort, name="Network"):
    table = results.tables["model_scores"]
    part = table[(table["cohort"] == cohort) & (table["model"] == name)]
    return part.set_index("patient_id")["score"].sort_index()


def test_a_network_finds_what_scans_show_here_and_elsewhere(results):
    assert results.findings.metric("auc", split=CV).value > 0.8
    assert results.findings.metric("auc", split=FAR).value > 0.8


def test_of_scans_that_show_nothing_it_finds_nothing(run, scanned_study, cohort_of):
    cohort = with_scans(cohort_of(60, signal=0.0), effect=0.0)
    found = run(scanned_study({"models": [model("Network", ["net"])]}, epochs=2), cohort)
    metric = found.findings.metric("auc", split=CV)
    assert metric.low < 0.5 < metric.high


def test_other_cohorts_teach_nothing_and_may_name_patients_alike(
    results, run, scanned_study, cohorts, cohort_of
):
    near, _ = cohorts
    other = replace(with_scans(cohort_of(24, signal=0.0, seed=2), seed=5), id="far")
    assert set(other.patient_ids) < set(near.patient_ids)
    beside = run(scanned_study(), near, other)
    np.testing.assert_array_equal(scores(beside, "near"), scores(results, "near"))
    assert beside.findings.metric("auc", split=FAR).value > 0.8


@pytest.mark.slow
def test_processes_change_no_number(run, scanned_study, cohorts):
    study = scanned_study({"models": [model("Network", ["net"])]}, epochs=1)
    one, two = (run(study, cohorts[0], jobs=jobs) for jobs in (1, 2))
    np.testing.assert_array_equal(scores(one, "near"), scores(two, "near"))


def test_scans_in_files_give_the_same_risks_and_are_compared_by_name(
    scanned_study, cohorts, tmp_path
):
    study = scanned_study(epochs=2)
    found = read_prediction_inputs(cohorts[0], study, complete=False, jobs=1).scans["net"]
    kept = found.kept_in(tmp_path)
    y = np.arange(len(found)) % 2
    in_memory, in_file = (
        NetworkRisk(
            network_of(study.blocks["net"], scans, of_time=False, random_state=0), n_splits=2
        ).fit_transform(scans.table(), y)
        for scans in (found, kept)
    )
    np.testing.assert_array_equal(in_memory, in_file)

    class Unread:
        def __array__(self, *_):
            raise AssertionError("the voxels were read")

    before = joblib.hash(NetworkRisk(network_of_kept(study, kept)))
    object.__setattr__(kept, "values", Unread())
    assert joblib.hash(NetworkRisk(network_of_kept(study, kept))) == before


def network_of_kept(study, kept):
    return network_of(study.blocks["net"], kept, of_time=False, random_state=0)


def test_blocks_that_see_the_same_share_it(scanned_study, cohorts):
    other = {"blocks.other": network_block(network="resnet50", epochs=3)}
    narrow = {"blocks.narrow": network_block(phases=["portal"])}
    study = scanned_study({**other, **narrow})
    found = read_prediction_inputs(cohorts[0], study, complete=False, jobs=1)
    assert found.scans["net"] is found.scans["other"]
    assert found.scans["narrow"].channels == ("portal",)
    np.testing.assert_array_equal(found.features["net|row"], range(40))


def test_a_time_to_an_event_is_learnt_by_a_survival_network(run, scanned_study, cohorts):
    changes = {
        "label": "time",
        "blocks.pre.steps": [],
        "blocks.post.steps": [],
        "blocks.post.time_point": "baseline",
        "blocks.change": {"kind": "clinical", "facts": {"value": ["age"], "source": "paper"}},
        "models": [model("Network", ["net"], "cox")],
        "evaluation.threshold": "median",
    }
    study = scanned_study(changes, epochs=2)
    inputs = read_prediction_inputs(cohorts[0], study, complete=False, jobs=1)
    made = network_of(study.blocks["net"], inputs.scans["net"], of_time=True, random_state=0)
    assert isinstance(made, SurvivalNetwork)
    found = run(study, cohorts[0])
    assert 0 < found.findings.metric("c_index", split=CV).value < 1


def test_slices_of_several_sequences_are_learnt_from(run, scanned_study, cohort_of):
    cohort = with_scans(cohort_of(40, signal=0.0), modality="MR", phases=("arterial", "T2"))
    # Nobody needs all sequences.
    cohort = without(cohort, lambda scan: scan.patient_id == "near003" and scan.phase == "T2")
    block = {"network": MULTI_INSTANCE, "view": "resnet50_slices", "voxels": [2, 16, 16]}
    study = scanned_study(
        {"models": [model("Network", ["net"])]},
        modality="MR", phases=["arterial", "T2"], **block,
    )  # fmt: skip
    found = run(study, cohort)
    assert len(scores(found, "near")) == 40
    assert any("random weights" in text for _, text in found.findings.notes)


def test_patients_without_a_phase_are_refused_or_left_out(run, scanned_study, cohorts):
    near, _ = cohorts
    study = scanned_study({"models": [model("Network", ["net"])]}, epochs=1)
    gone = without(near, lambda scan: scan.patient_id == "near003" and scan.phase == "portal")
    with (
        pytest.warns(RadiogenomicsWarning, match="found no portal"),
        pytest.raises(StudyError, match="found no net for 1") as caught,
    ):
        run(study, gone)
    assert "near003" not in str(caught.value)
    with pytest.warns(RadiogenomicsWarning, match="found no portal"):
        found = run(study, gone, options=Options(permutations=0, complete_cases=True))
    assert "near003" not in scores(found, "near").index
    nobody = without(near, lambda scan: scan.phase == "portal")
    with pytest.raises(StudyError, match=r"block 'net' scans \(CT, portal, baseline\)"):
        run(study, nobody)


def test_a_lesion_that_is_not_there_is_no_view(scanned_study, cohorts):
    near, _ = cohorts
    rng = np.random.default_rng(0)
    loader = volume(rng, 0.0)
    loader.args[1]["tumour"][:] = 0
    scans = tuple(
        replace(scan, loader=loader) if scan.patient_id == "near005" else scan
        for scan in near.scans
    )
    with (
        pytest.warns(RadiogenomicsWarning, match="1 of 40 scans failed"),
        pytest.raises(StudyError, match="found no net for 1"),
    ):
        read_prediction_inputs(replace(near, scans=scans), scanned_study(), complete=False, jobs=1)


def test_who_was_not_scanned_again_is_scored_without_the_network(run, scanned_study, cohorts):
    near, _ = cohorts
    later = replace(
        near,
        scans=tuple(
            replace(scan, time_point="follow-up")
            for scan in near.scans
            if scan.patient_id not in ("near001", "near002", "near003")
        ),
    )
    models = {"models": [model("Late", ["net", "clinical"])]}
    found = run(scanned_study(models, time_point="follow-up", epochs=1), later)
    assert len(scores(found, "near", "Late")) == 40
    assert found.tables["follow_up"]["by_baseline_model"].tolist() == [3]


def test_views_that_a_network_cannot_read_are_refused_at_once(run, scanned_study, cohorts):
    with pytest.raises(StudyError, match=r"blocks.net: .*a multiple of 4"):
        run(scanned_study(network="residual_autoencoder", voxels=[8, 8, 7]), cohorts[0])


def test_words_are_those_of_the_library():
    assert set(NETWORK_WORDS) == {*NETWORKS, MULTI_INSTANCE}


def test_what_is_explained_of_a_network_is_its_number(run, scanned_study, cohorts):
    pytest.importorskip("shap")
    changes = {"readouts.explained_patients": {"value": 1, "source": "paper"}}
    models = {"models": [model("Both", ["net", "clinical"])]}
    found = run(scanned_study({**changes, **models}, epochs=2), *cohorts)
    features = set(found.tables["explanation"]["feature"])
    assert "clinical|age" in features and any(name.startswith("net|") for name in features)
