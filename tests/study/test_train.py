from __future__ import annotations

import json

import pandas as pd
import pytest
import yaml

from radiogenomics.core.errors import DataError, StudyError, UnknownNameError
from radiogenomics.core.weight_file import read_weights
from radiogenomics.io import load_cohort
from radiogenomics.simulate import draw_survival_scans, write_planted_cohort
from radiogenomics.study.train import train

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")

from radiogenomics.models.deep.event_log import EventLog  # noqa: E402
from radiogenomics.models.deep.survival_network import SurvivalNetwork  # noqa: E402
from radiogenomics.study.prediction.reading import Reading  # noqa: E402
from radiogenomics.study.prediction.scans import network_views  # noqa: E402
from radiogenomics.study.registry import read_study  # noqa: E402

RECIPE = """
kind: prediction
study: small
title: A small study
question: Does it run?
citation: None
doi: 10.0/none
design:
  training:
    patients: {value: 24, source: paper}
    positives: {value: null, source: paper}
    sites: {value: 2, source: paper}
label:
  rule: time_to_event
  name: OS
  meaning: {value: worse, source: paper}
  endpoint: {value: OS, source: paper}
blocks:
  volumes: &network
    kind: network
    network: {value: vit, source: paper}
    modality: {value: CT, source: paper}
    phases: {value: [arterial, portal], source: paper}
    region: {value: tumour, source: paper}
    time_point: {value: baseline, source: paper}
    view: {value: efficientnet_b1_volume, source: paper}
    voxels: {value: [128, 128, 128], source: paper}
    size: {value: paper, source: paper}
    epochs: {value: 250, source: paper}
    batch_size: {value: 8, source: paper}
    learning_rate: {value: 0.01, source: paper}
    cross_fits: {value: 2, source: paper}
  other:
    <<: *network
    network: {value: residual_autoencoder, source: paper}
  clinical:
    kind: clinical
    facts: {value: [age, afp], source: paper}
models:
  - name: Fusion
    blocks: {value: [volumes, other, clinical], source: paper}
    learner: {value: cox, source: paper}
evaluation:
  folds: {value: 3, source: paper}
  repeats: {value: 1, source: paper}
  inner_folds: {value: 3, source: paper}
  permutations: {value: 0, source: paper}
  outcome_permutations: {value: 19, source: paper}
  threshold: {value: median, source: paper}
  minimum_events: {value: 5, source: paper}
  without_follow_up: {value: baseline_model, source: paper}
readouts: {}
legacy: {value: [], source: paper}
simulation:
  auc: {value: 0.7, source: paper}
  shares:
    volumes: {value: 0.4, source: paper}
    other: {value: 0.4, source: paper}
    clinical: {value: 0.2, source: paper}
  informative: {value: 1, source: paper}
  survival:
    - endpoint: {value: OS, source: paper}
      median: {value: 12.0, source: paper}
      hazard_ratio: {value: null, source: paper}
      censored: {value: 0.2, source: paper}
  scans:
    voxels: {value: [10, 20, 24], source: paper}
    view: {value: [8, 8, 8], source: paper}
    size: {value: tiny, source: paper}
    epochs: {value: 2, source: paper}
    correlation: {value: 0.9, source: paper}
"""
SMALL = {"simulated": True, "device": "cpu", "jobs": 1}


def recipe_in(folder, *, label=None, **changes):
    """The recipe as a file, with another label and other values of its first network."""
    content = yaml.safe_load(RECIPE)
    for name, value in changes.items():
        content["blocks"]["volumes"][name] = {"value": value, "source": "paper"}
    if label is not None:
        content["label"] = label
        content["models"][0]["learner"]["value"] = "lr"
    (folder / "study.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder / "study.yaml"


def label_of(rule, **words):
    said = {name: {"value": value, "source": "paper"} for name, value in words.items()}
    return {"rule": rule, "name": "late", **said}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    planted = draw_survival_scans(24, shape=(10, 20, 24), seed=3)
    return write_planted_cohort(planted, tmp_path_factory.mktemp("scans") / "cohort")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_networks_learn_from_all_and_say_so(manifest, tmp_path):
    out = tmp_path / "out"
    done = train(recipe_in(tmp_path), cohort=manifest, out=out, **SMALL)
    assert done.table["block"].tolist() == ["volumes", "other"]
    assert done.table["patients"].tolist() == [24, 24] and "seen all these patients" in str(done)
    assert not done.summary()["out_of_sample"]
    history = pd.read_csv(out / "history.csv")
    assert history.groupby("block", sort=False)["epoch"].max().to_dict() == dict.fromkeys(
        ["volumes", "other"], 2
    )
    arrays, card = read_weights(out / "volumes.safetensors")
    assert card["architecture"] == "vit" and card["patients"] == 24 and card["simulated"]
    assert "radiogenomics run" in card["seen"] and card["block"] == "volumes"
    assert list((out / "checkpoints/volumes").rglob("events.out.tfevents.*"))
    # Read back, it scores patients cut in the same way; nobody is named in it.
    cohort = load_cohort(manifest, data_root=manifest.parent)
    assert not any(patient in json.dumps(card) for patient in cohort.patient_ids)
    plan = read_study(recipe_in(tmp_path, size="tiny", voxels=[8, 8, 8]))
    views = network_views(cohort, {"volumes": plan.blocks["volumes"]}, reading=Reading())
    model = SurvivalNetwork.load(out / "volumes.safetensors", scans=views["volumes"])
    assert model.predict(views["volumes"].table()).shape == (24,)


def test_a_killed_training_goes_on_as_if_it_had_not_been(manifest, tmp_path, monkeypatch):
    recipe = recipe_in(tmp_path)
    words = {"cohort": manifest, **SMALL}
    whole = train(recipe, out=tmp_path / "whole", **words)
    log = EventLog.write
    written = []

    def killed(self, step, values):
        log(self, step, values)
        written.append(step)
        if len(written) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(EventLog, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, out=tmp_path / "part", **words)
    assert not (tmp_path / "part/other.safetensors").exists()
    part = train(recipe, out=tmp_path / "part", **words)
    # The first network was done, the second had one epoch behind it that was kept.
    assert written == [1, 2, 1, 2, 2]
    pd.testing.assert_frame_equal(part.history, whole.history)
    for name in ("volumes", "other"):
        _, card = read_weights(tmp_path / f"part/{name}.safetensors")
        _, other = read_weights(tmp_path / f"whole/{name}.safetensors")
        assert card["sha256"] == other["sha256"]
    with pytest.raises(StudyError, match="the training that began there; found another seed"):
        train(recipe, out=tmp_path / "part", seed=1, **words)


def test_classes_that_a_time_makes_are_learnt(manifest, tmp_path):
    label = label_of(
        "survival_beyond", meaning="better", endpoint="OS", months="median", censored="exclude",
        landmark=0.0,
    )  # fmt: skip
    done = train(
        recipe_in(tmp_path, label=label), cohort=manifest, out=tmp_path / "out",
        block=["volumes"], **SMALL,
    )  # fmt: skip
    # Those lost before the median are of no class.
    assert 20 <= done.table["patients"][0] < 24
    assert read_weights(tmp_path / "out/volumes.safetensors")[1]["estimator"] == (
        "network_classifier"
    )


def test_slices_are_learnt_from_by_their_encoder(manifest, tmp_path):
    label = label_of("fact", meaning="worse", fact="sex", positive=["1"])
    recipe = recipe_in(
        tmp_path, label=label, network="multi_instance_transformer", view="resnet50_slices"
    )
    text = yaml.safe_load(recipe.read_text())
    text["simulation"]["scans"]["view"]["value"] = [2, 32, 32]
    recipe.write_text(yaml.safe_dump(text, sort_keys=False))
    done = train(recipe, cohort=manifest, out=tmp_path / "out", block=["volumes"], **SMALL)
    assert done.table["network"].tolist() == ["multi_instance_transformer"]
    _, card = read_weights(tmp_path / "out/volumes.safetensors")
    assert card["architecture"] == "multi_instance_transformer" and card["cohort"] == done.cohort
    log = EventLog(tmp_path / "out/checkpoints/volumes")
    assert [line["step"] for line in log.lines()] == done.history["epoch"].tolist()


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"block": ["volume"]}, UnknownNameError, "did you mean 'volumes'"),
        ({"block": ["clinical"]}, UnknownNameError, "network of small"),
        ({"device": "gpu"}, UnknownNameError, "device"),
        ({"weights": {"resnet18": "a.safetensors"}}, UnknownNameError, "did you mean 'resnet18_"),
        ({"weights": {"resnet18_slice": "a.safetensors"}}, StudyError, "expected weights of enc"),
        ({"cohort": "tcga_lihd"}, UnknownNameError, "manifest"),
    ],
)
def test_what_cannot_be_trained_is_said(manifest, tmp_path, words, error, message):
    given = {"cohort": manifest, "out": tmp_path / "out", **SMALL, **words}
    with pytest.raises(error, match=message):
        train(recipe_in(tmp_path), **given)


def test_other_recipes_and_folders_are_refused(manifest, tmp_path):
    with pytest.raises(StudyError, match="expected a recipe of a prediction study"):
        train("jtm2025_irs_ctmr", cohort=manifest, out=tmp_path / "out")
    with pytest.raises(StudyError, match="expected blocks of kind network; found"):
        train("lwctr2025_os12_ct", cohort=manifest, out=tmp_path / "out")
    with pytest.raises(DataError, match="found other content"):
        train(recipe_in(tmp_path), cohort=manifest, out=tmp_path, **SMALL)
    with pytest.raises(StudyError, match="expected the block 'volumes'"):
        train(
            recipe_in(tmp_path, phases=["arterial", "hepatobiliary"]), cohort=manifest,
            out=tmp_path / "out", **SMALL,
        )  # fmt: skip
