from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.weight_file import read_weights
from radiogenomics.simulate import draw_labelled_scans, write_planted_cohort
from radiogenomics.study.encode import encode
from radiogenomics.study.pretrain import pretrain

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")

from radiogenomics.imaging.deep import (  # noqa: E402
    ENCODER_PRESETS,
    EncoderSettings,
    encoder_preset,
    load_encoder,
    presets,
)
from radiogenomics.models.deep.event_log import EventLog  # noqa: E402

SETTINGS = "small_slice"
QUICK = {
    "method": "masked_volume",
    "settings": SETTINGS,
    "phase": "portal",
    "batch_size": 4,
    "device": "cpu",
    "jobs": 1,
}


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    return [
        write_planted_cohort(
            draw_labelled_scans(5, shape=(8, 16, 16), seed=seed, modality="CT", id=f"from-{seed}"),
            folder / f"cohort{seed}",
        )
        for seed in (3, 4)
    ]


@pytest.fixture(autouse=True)
def small_preset(monkeypatch):
    small = EncoderSettings("resnet18", window=(-100, 250), size=(48, 48), repeat=3)
    monkeypatch.setattr(presets, "ENCODER_PRESETS", {**ENCODER_PRESETS, SETTINGS: small})


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_weights_of_ones_own_encode_scans(cohorts, tmp_path):
    out = tmp_path / "own.safetensors"
    found = pretrain(cohort=cohorts, out=out, epochs=2, **QUICK)
    _, card = read_weights(out)
    assert card["cohorts"] == ["from-3", "from-4"] and card["patients"] == 10
    assert card["trained_on"] == "simulated scans" and card["preset"] == SETTINGS
    assert len(pd.read_csv(tmp_path / "own.history.csv")) == 2 == found.summary()["epochs"]
    assert "have seen all patients of these cohorts" in str(found)
    with pytest.warns(RadiogenomicsWarning, match="from-3: these weights were pre-trained on its"):
        table = encode(
            cohorts[0], settings=SETTINGS, weights=out, out=tmp_path / "deep.csv", phase=["portal"]
        )
    random = encode(cohorts[0], settings=SETTINGS, out=tmp_path / "random.csv", phase=["portal"])
    assert "hidden blocks" in table.origin and table.table.shape == (5, 513)
    known, drawn = (each.table.iloc[:, 1:].to_numpy() for each in (table, random))
    assert np.isfinite(known).all() and not np.allclose(known, drawn)
    assert load_encoder(out).settings == encoder_preset(SETTINGS)
    # The card says how many, never who.
    assert not any(str(patient) in json.dumps(card) for patient in table.table["patient_id"])


def test_a_killed_run_goes_on_as_if_it_had_not_been(cohorts, tmp_path, monkeypatch):
    words = {"cohort": cohorts[0], "epochs": 2, "validation_share": 0.0, **QUICK}
    whole = pretrain(out=tmp_path / "whole.safetensors", **words)
    checkpoints, log = tmp_path / "checkpoints", EventLog.write

    def killed(self, step, values):
        log(self, step, values)
        if step == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(EventLog, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        pretrain(out=tmp_path / "part.safetensors", checkpoints=checkpoints, **words)
    monkeypatch.setattr(EventLog, "write", log)
    assert not (tmp_path / "part.safetensors").exists()
    part = pretrain(out=tmp_path / "part.safetensors", checkpoints=checkpoints, **words)
    assert part.card["sha256"] == whole.card["sha256"]
    pd.testing.assert_frame_equal(part.history, whole.history)
    assert [line["step"] for line in EventLog(checkpoints).lines()] == [1, 2]
    assert list(checkpoints.glob("events.out.tfevents.*"))


def test_facts_of_patients_are_a_task(cohorts, tmp_path):
    found = pretrain(
        cohort=cohorts[0], out=tmp_path / "own.safetensors", fact=["afp", "size_cm"], epochs=1,
        validation_share=0.0, **QUICK | {"method": "source_task"},
    )  # fmt: skip
    assert found.card["task"]["name"] == "source_task" and found.card["facts"] == ["afp", "size_cm"]


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"method": "masked_volumes"}, UnknownNameError, "did you mean 'masked_volume'"),
        ({"fact": ["afp"]}, StudyError, "found masked_volume with afp"),
        ({"method": "source_task"}, StudyError, "found source_task with none"),
        ({"method": "source_task", "fact": ["apf"]}, UnknownNameError, "did you mean 'afp'"),
        ({"out": "own.pt"}, StudyError, r"expected an output called \*.safetensors"),
        ({"settings": "small_slise"}, UnknownNameError, "did you mean 'small_slice'"),
        ({"phase": None}, StudyError, "expected one phase.*found arterial, delayed, portal"),
        ({"phase": "venous"}, StudyError, "expected scans of venous; found arterial"),
        ({"settings": "efficientnet_b1_volume"}, StudyError, "expected no phase for a preset"),
        ({"time_point": "later"}, DataError, "expected scans .later.; found CT arterial"),
        ({"cohort": []}, StudyError, "expected at least one cohort manifest"),
    ],
)
def test_what_cannot_be_trained_is_said(cohorts, tmp_path, words, error, message):
    given = {"cohort": cohorts[0], "out": tmp_path / "own.safetensors", **QUICK, **words}
    with pytest.raises(error, match=message):
        pretrain(**given)
    assert not list(tmp_path.iterdir())


def test_patients_of_two_hospitals_are_two_however_they_are_named(cohorts, tmp_path, monkeypatch):
    """All phases of one in one cohort, and none of them in the other, do not make a patient."""
    seen = {}

    def views(scans, encoder, *, region, jobs):
        seen.update(scans)
        raise KeyboardInterrupt

    # The room exports the function under the module's name.
    monkeypatch.setattr(sys.modules[pretrain.__module__], "_views", views)
    with pytest.raises(KeyboardInterrupt):
        pretrain(cohort=list(cohorts), out=tmp_path / "own.safetensors", epochs=1, **QUICK)
    assert {name.split("/")[0] for name in seen} == {"from-3", "from-4"}
    assert all(len(scans) == 1 for scans in seen.values())
