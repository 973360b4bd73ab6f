"""Pre-training of any task: seeds, interruptions, what is kept, and what an encoder makes of it."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from radiogenomics.core.errors import DataError, StudyError, UnknownNameError
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.core.weight_file import read_weights
from radiogenomics.models.deep.pretraining import (
    TASKS,
    Contrastive,
    MaskedVolume,
    SourceTask,
    pretrain,
)
from radiogenomics.models.deep.training_settings import Augmentation, TrainingSettings

SETTINGS = TrainingSettings(epochs=4, batch_size=6, learning_rate=0.01)
EACH = (MaskedVolume(block=4), Contrastive(projection=8), SourceTask())
each_task = pytest.mark.parametrize("task", EACH, ids=lambda task: task.card.name)


class Killed(BaseException):
    pass


class Killer:
    """A log that kills the run in an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def write(self, step, values):
        if step == self.epoch:
            raise Killed

    def rewind(self, step):
        pass


@pytest.fixture
def run(tiny, lesions):
    scans, brightness = lesions(20)

    def start(task, settings=SETTINGS, **more):
        if isinstance(task, SourceTask):
            index = pd.Index(scans.patient_ids)
            more.setdefault("targets", pd.DataFrame({"brightness": brightness}, index=index))
        backbone = more.pop("backbone") if "backbone" in more else tiny()
        return pretrain(backbone, more.pop("scans", scans), task, settings=settings, **more)

    return start


def same(first, second):
    return set(first.arrays) == set(second.arrays) and all(
        np.array_equal(array, second.arrays[name]) for name, array in first.arrays.items()
    )


def test_every_task_has_a_word():
    assert set(TASKS) == {"masked_volume", "contrastive", "source_task"}
    assert all(task.card.learns for task in TASKS.values())


@each_task
def test_equal_seeds_give_equal_weights(run, task):
    first = run(task)
    torch.manual_seed(99)
    assert same(first, run(task))
    assert not same(first, run(task, replace(SETTINGS, seed=1)))


@each_task
def test_goes_on_after_a_kill_as_if_there_was_none(run, task, tmp_path):
    whole = run(task)
    with pytest.raises(Killed):
        run(task, checkpoint_folder=tmp_path, log=Killer(3))
    resumed = run(task, checkpoint_folder=tmp_path, resume=True)
    assert same(whole, resumed)
    pd.testing.assert_frame_equal(whole.history, resumed.history, check_exact=True)


def test_refuses_a_checkpoint_of_another_task(run, tmp_path):
    run(MaskedVolume(block=4), checkpoint_folder=tmp_path)
    with pytest.raises(StudyError, match="another's"):
        run(MaskedVolume(block=2), checkpoint_folder=tmp_path, resume=True)


def test_refuses_a_checkpoint_of_other_targets(run, lesions, tmp_path):
    run(SourceTask(), checkpoint_folder=tmp_path)
    other = pd.DataFrame({"brightness": np.arange(20.0)}, index=lesions(20)[0].patient_ids)
    with pytest.raises(StudyError, match=r"more\.targets"):
        run(SourceTask(), checkpoint_folder=tmp_path, resume=True, targets=other)


@each_task
def test_leaves_the_backbone_and_the_generator_as_they_were(run, tiny, task):
    backbone = tiny()
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    found = run(task, backbone=backbone)
    assert torch.equal(torch.rand(3), expected)
    assert set(found.arrays) == set(before)
    for name, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert any(not np.array_equal(found.arrays[name], t.numpy()) for name, t in before.items())


@each_task
def test_those_put_aside_teach_nothing(run, lesions, task):
    scans, _ = lesions(20)
    once = replace(SETTINGS, epochs=1)
    first = run(task, once)
    values = scans.values.copy()
    rng = np.random.default_rng(once.seed)
    changed = []
    for row in range(20):
        other = values.copy()
        other[row] = rng.normal(size=other[row].shape)
        mended = ScanArrays(other, scans.patient_ids, scans.channels)
        changed.append(not same(first, run(task, once, scans=mended)))
    assert sum(changed) == 16 == first.card["patients_learnt_from"]
    assert first.card["patients_put_aside"] == 4


def test_running_means_are_of_whole_scans(run, tiny, lesions):
    scans, _ = lesions(20)
    settings = replace(SETTINGS, validation_share=0.0, batch_size=20)
    found = run(MaskedVolume(block=4), settings)
    conv = tiny().body[0]
    conv.load_state_dict(
        {n: torch.from_numpy(found.arrays[f"body.0.{n}"]) for n in ("weight", "bias")}
    )
    with torch.no_grad():
        seen = conv(torch.from_numpy(scans.values.copy())).transpose(0, 1).flatten(1)
    assert np.allclose(found.arrays["body.1.running_mean"], seen.mean(1), rtol=1e-5, atol=1e-6)
    assert np.allclose(found.arrays["body.1.running_var"], seen.var(1), rtol=1e-5)


@each_task
def test_micro_batches_are_taken_as_one(run, tiny, task):
    plain = tiny()
    plain.body[1] = nn.Identity()
    settings = replace(SETTINGS, batch_size=8, validation_share=0.0, epochs=1)
    quiet = Contrastive(projection=8, views=Augmentation(flip=1.0))
    found = run(quiet if isinstance(task, Contrastive) else task, settings, backbone=plain)
    micro = run(
        quiet if isinstance(task, Contrastive) else task,
        replace(settings, micro_batch=4),
        backbone=plain,
    )
    assert np.isfinite(micro.history["loss"]).all()
    if isinstance(task, SourceTask):
        for name, array in found.arrays.items():
            assert np.allclose(array, micro.arrays[name], rtol=1e-4, atol=1e-5)


@each_task
def test_the_card_says_what_was_done_and_never_to_whom(run, task, tmp_path, lesions):
    found = run(task, simulated=True, view={"backbone": "tiny"})
    path = found.save(tmp_path / "tiny.safetensors")
    arrays, card = read_weights(path)
    assert same(found, type(found)(arrays, card, found.history))
    assert (card["kind"], card["architecture"]) == ("encoder", "tiny")
    assert (card["task"]["name"], card["patients"], card["seed"]) == (task.card.name, 20, 0)
    assert (card["channels"], card["trained_on"]) == (["phase 0"], "simulated scans")
    assert card["settings"] == {"backbone": "tiny"}
    assert card["training"]["epochs"] == 4
    assert {"radiogenomics", "torch", "numpy"} <= set(card["software"])
    named = json.dumps(card).replace('"', " ").replace(",", " ").split()
    assert not set(named) & set(lesions(20)[0].patient_ids)
    assert run(task).card["trained_on"] == "user's scans"
    assert repr(found).startswith("Pretrained(tiny: ")


def test_tasks_by_word(run):
    assert same(run("contrastive"), run(Contrastive()))
    with pytest.raises(UnknownNameError, match="masked_volume"):
        run("masked_volumes")


def test_stops_by_those_put_aside(run):
    settings = replace(SETTINGS, epochs=50, patience=1, learning_rate=0.3)
    found = run(MaskedVolume(block=4), settings)
    assert len(found.history) == found.card["best_epoch"] + 1
    assert found.history["score"].idxmax() + 1 == found.card["best_epoch"]


def test_refuses_what_cannot_be_trained(run, tiny, lesions):
    with pytest.raises(StudyError, match="all of them frozen"):
        run(MaskedVolume(block=4), backbone=tiny().requires_grad_(False))
    for wrong in (replace(SETTINGS, batch_size=1), replace(SETTINGS, batch_size=6, micro_batch=1)):
        with pytest.raises(StudyError, match="leave one alone"):
            run(MaskedVolume(block=4), wrong)
    with pytest.raises(StudyError, match="leave one alone"):
        run(MaskedVolume(block=4), scans=lesions(1)[0])
    broken = tiny()
    with torch.no_grad():
        broken.body[0].weight[0] = torch.nan
    with pytest.raises(DataError, match="finite outputs"):
        run(MaskedVolume(block=4), backbone=broken)


@each_task
def test_an_encoder_reads_the_weights(run, lesions, task, tmp_path):
    from radiogenomics.imaging.deep.backbones import build_backbone
    from radiogenomics.imaging.deep.encoder import load_encoder
    from radiogenomics.imaging.deep.presets import EncoderSettings

    view = EncoderSettings("resnet18", window=(0, 1), size=(32, 32), repeat=3)
    scans, _ = lesions(8, shape=(1, 32, 32))
    torch.manual_seed(0)
    backbone = build_backbone("resnet18", dims=2, channels=3)
    settings = replace(SETTINGS, epochs=1, batch_size=4, validation_share=0.25)
    table = scans.table()
    targets = table if isinstance(task, SourceTask) else None
    found = run(
        task, settings, scans=scans, backbone=backbone, view=view.to_json(), targets=targets
    )
    encoder = load_encoder(found.save(tmp_path / "own.safetensors"))
    assert encoder.settings == view
    assert task.card.title.split(": ")[1] in encoder.origin
    backbone.load_state_dict({n: torch.from_numpy(a.copy()) for n, a in found.arrays.items()})
    with torch.no_grad():
        shown = torch.from_numpy(scans.at([2]).copy())[:, :, 0].repeat(1, 3, 1, 1)
        expected = backbone.eval()(shown).numpy()
    assert np.allclose(encoder.features(scans.at([2])), expected, rtol=1e-5, atol=1e-6)
