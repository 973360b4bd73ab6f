"""Deep blocks from scans: encoders' features, weights, simulated sizes, and the words of both."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import MissingFileError, StudyError, UnknownNameError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.imaging.deep import encoder_preset
from radiogenomics.study.prediction.checks import candidate_count
from radiogenomics.study.prediction.deep_blocks import check_deep, deep_notes, share_aside
from radiogenomics.study.prediction.inputs import follow_up_blocks, read_prediction_inputs
from radiogenomics.study.prediction.reading import Reading
from radiogenomics.study.prediction.run import Options
from radiogenomics.study.prediction.scans import as_simulated, seen_as
from radiogenomics.study.registry import modality_of
from radiogenomics.study.run import run, run_cohorts

from .scanned import deep_block, model, network_block, paper, with_scans

torch = pytest.importorskip("torch")

from radiogenomics.imaging.deep import Encoder, deep_features  # noqa: E402
from radiogenomics.models.deep.multi_instance.bags import Bags  # noqa: E402

SCANS = {
    "voxels": paper([24, 24, 24]),
    "view": paper([4, 16, 16]),
    "size": paper("tiny"),
    "epochs": paper(2),
    "correlation": paper(0.9),
}
VIEW = (4, 16, 16)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cohort(cohort_of):
    return with_scans(cohort_of(24, signal=0.0))


@pytest.fixture(scope="module")
def deep_study(study_of):
    def deep_study(changes=None, *, checked=True):
        given = {
            "blocks.deep": deep_block(),
            "models": [model("Deep", ["deep"], "svm")],
            "rivals": [],
            "simulation.rivals": {},
            "simulation.scans": SCANS,
        }
        return study_of({**given, **(changes or {})}, checked=checked)

    return deep_study


def read(cohort, study, **reading):
    given = Reading(view=VIEW, **reading)
    return read_prediction_inputs(cohort, study, complete=False, jobs=1, reading=given)


def test_a_deep_block_is_what_its_encoder_says_of_the_scans(cohort, deep_study):
    found = read(cohort, deep_study(), seed=3).features.filter(like="deep|")
    settings = replace(encoder_preset("resnet18_slice"), size=(16, 16))
    scans = [scan for scan in cohort.scans if scan.phase == "arterial"]
    table = deep_features(scans, Encoder(settings, None, 3), name="deep").per_patient()
    np.testing.assert_array_equal(found, table.loc[found.index])
    assert found.columns[0] == f"deep|{table.columns[0]}"


def test_a_table_of_the_blocks_name_is_taken_instead(cohort, deep_study):
    values = pd.DataFrame({"width": np.arange(24.0)}, cohort.patient_ids)
    made = FeatureTable.from_frame(values, name="deep", unit="1", source="made")
    found = read(cohort.with_assay(made), deep_study()).features
    np.testing.assert_array_equal(found["deep|width"], np.arange(24.0))


def test_slices_of_a_patient_are_averaged_in_a_table(cohort, deep_study):
    study = deep_study({"blocks.deep": deep_block(settings="resnet50_slices")})
    few = replace(cohort, scans=tuple(s for s in cohort.scans if s.phase == "arterial"))
    found = read(few, study).features.filter(like="deep|")
    settings = replace(encoder_preset("resnet50_slices"), size=(16, 16), slices=4)
    each = deep_features(few.scans[:1], Encoder(settings, None, 0), name="deep").values
    np.testing.assert_allclose(found.iloc[0], each.mean(axis=0), rtol=1e-4, atol=1e-6)


def test_networks_see_the_phases_as_channels_and_transformers_slices(cohort, deep_study):
    slices = {"network": "multi_instance_transformer", "view": "resnet50_slices"}
    blocks = {
        "blocks.net": network_block(voxels=[4, 16, 16]),
        "blocks.slices": network_block(voxels=[2, 16, 16], **slices),
    }
    found = read(cohort, deep_study(blocks))
    assert found.scans["net"].values.shape == (24, 2, 4, 16, 16)
    assert found.scans["net"].channels == ("arterial", "portal")
    bags = found.scans["slices"]
    assert isinstance(bags, Bags)
    assert bags.sequences == ("arterial", "portal")
    assert bags.features.shape == (24, 4, 2048)
    rows = found.features[["net|row", "slices|row"]].to_numpy()
    np.testing.assert_array_equal(rows, np.repeat(np.arange(24.0)[:, None], 2, axis=1))


@pytest.mark.parametrize(
    ("preset", "modality", "shape", "window"),
    [
        ("resnet18_slice", "CT", (1, 5, 6), (-100.0, 250.0)),
        ("resnet18_slice", "MR", (1, 5, 6), None),
        ("resnet50_slices", "MR", (4, 5, 6), None),
        ("resnet18_volume", "CT", (4, 5, 6), None),
    ],
)
def test_a_view_has_the_size_that_is_asked_for(preset, modality, shape, window):
    found = seen_as(preset, modality=modality, voxels=(4, 5, 6))
    assert (found.shape, found.window) == (shape, window)
    own = seen_as(preset, modality=modality, voxels=None)
    assert own.shape == encoder_preset(preset).shape


def test_simulated_networks_are_as_small_as_the_recipe_says(deep_study):
    block = network_block(size="paper", epochs=250, voxels=[128, 128, 128])
    study = deep_study({"blocks.net": block})
    small = as_simulated(study).blocks["net"]
    assert (small.voxels.value, small.size.value, small.epochs.value) == (VIEW, "tiny", 2)
    assert small.batch_size == study.blocks["net"].batch_size
    assert as_simulated(study).blocks["deep"] == study.blocks["deep"]
    bare = deep_study({"blocks.net": block, "simulation.scans": None})
    assert as_simulated(bare) == bare


def test_a_simulated_run_says_that_it_is_small_and_what_knows_nothing(
    cohort, deep_study, provenance
):
    made = replace(cohort, simulated=True)
    given = {"provenance": provenance, "seed": 0, "jobs": 1}
    found = run_cohorts(
        deep_study(), [made], options=Options(permutations=0, simulated=True), **given
    )
    texts = " ".join(text for _, text in found.findings.notes)
    assert "deep: simulated scans, seen in 4 × 16 × 16 voxels." in texts
    assert "deep: read by an encoder with random weights" in texts
    assert found.findings.metric("auc", split="cross-validation").value > 0.7


def test_weights_are_read_and_named_in_the_provenance(cohort, deep_study, tmp_path):
    settings = replace(encoder_preset("resnet18_slice"), size=(16, 16))
    trained = Encoder(settings, None, 7)
    file = trained.save(tmp_path / "encoder.safetensors")
    weights = {"resnet18_slice": file}
    by_file = read(cohort, deep_study(), weights=weights).features.filter(like="deep|")
    by_seed = read(cohort, deep_study(), seed=7).features.filter(like="deep|")
    np.testing.assert_array_equal(by_file, by_seed)
    told = deep_notes(deep_study(), [cohort], simulated=False, weights=weights)
    assert told == (
        ("info", "resnet18_slice: weights encoder.safetensors, random weights, seed 7."),
    )


def test_weights_that_nothing_reads_are_refused(cohort, deep_study, tmp_path):
    study = deep_study()
    with pytest.raises(UnknownNameError, match="resnet18_slice"):
        check_deep(study, [cohort], simulated=False, weights={"resnet18_slize": "w"})
    with pytest.raises(StudyError, match=r"reads scans with \(resnet18_slice\).*resnet18_volume"):
        check_deep(study, [cohort], simulated=False, weights={"resnet18_volume": "w"})
    values = pd.DataFrame({"width": np.arange(24.0)}, cohort.patient_ids)
    made = FeatureTable.from_frame(values, name="deep", unit="1", source="made")
    with pytest.raises(StudyError, match=r"reads scans with \(none\)"):
        tabled = cohort.with_assay(made)
        check_deep(study, [tabled], simulated=False, weights={"resnet18_slice": "w"})
    with pytest.raises(StudyError, match="found near, which are not"):
        check_deep(study, [cohort], simulated=True, weights={})


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"blocks.deep.settings": "resnet18_slise"}, UnknownNameError, "resnet18_slice"),
        ({"blocks.net.network": "residual_autoencodr"}, UnknownNameError, "residual_autoencoder"),
        ({"blocks.net.view": "efficientnet_b1"}, UnknownNameError, "efficientnet_b1_volume"),
        ({"blocks.net.phases": ["arterial", "portl"]}, UnknownNameError, "portal"),
        ({"blocks.net.phases": ["portal", "portal"]}, StudyError, "each phase once"),
        ({"blocks.net.region": "tumor"}, UnknownNameError, "tumour"),
        ({"blocks.net.time_point": "folow-up"}, UnknownNameError, "follow-up"),
        ({"blocks.net.view": "resnet18_slice"}, StudyError, "a view in 3D"),
        ({"blocks.net.network": "multi_instance_transformer"}, StudyError, "a view of slices"),
        (
            {"blocks.net.time_point": "follow-up", "models": [model("Late", ["net"])]},
            StudyError,
            "a baseline block beside networks",
        ),
        ({"blocks.change.of": ["pre", "net"]}, StudyError, "the change of image blocks"),
    ],
)
def test_words_of_deep_blocks_and_networks_are_checked(changes, error, message, deep_study):
    with pytest.raises(error, match=message):
        deep_study({"blocks.net": network_block(), **changes})


def test_a_network_is_one_variable_of_its_scans(deep_study):
    study = deep_study({"blocks.net": network_block(), "models": [model("Net", ["net", "pre"])]})
    assert candidate_count(study, study.models[0]) == 1 + 6
    only = {name: block for name, block in study.blocks.items() if name == "net"}
    assert modality_of(study.model_copy(update={"blocks": only})) == "CT"
    late = deep_study({"blocks.net": network_block(time_point="follow-up")})
    assert "net" in follow_up_blocks(late)


def test_nobody_is_put_aside_where_it_would_be_a_handful(deep_study):
    # 3 folds, 3 inner ones, 2 of the cross-fitting: the smallest part is 2/9.
    study = deep_study({"blocks.net": network_block()})
    block = study.blocks["net"]
    assert share_aside(study, block, 179) == 0.0
    assert share_aside(study, block, 180) == 0.2


def test_a_missing_file_of_weights_is_said_at_once(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere\.safetensors"):
        run(
            "long2025_itls_mri",
            cohort=[],
            out=tmp_path / "out",
            weights={"resnet18_slice": tmp_path / "nowhere.safetensors"},
        )


def test_recipes_are_listed_and_checked_without_torch():
    code = (
        "import sys; from radiogenomics.study.registry import study_list; study_list(); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'monai')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
