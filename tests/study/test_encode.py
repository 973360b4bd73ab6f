from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, SchemaError, UnknownNameError
from radiogenomics.simulate import draw_labelled_scans, write_planted_cohort
from radiogenomics.study.encode import encode, encoder_of

torch = pytest.importorskip("torch", reason="the extra 'deep' is not installed")

from radiogenomics.imaging.deep import Encoder, deep_features, encoder_preset  # noqa: E402
from radiogenomics.io import load_cohort  # noqa: E402


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    planted = draw_labelled_scans(6, shape=(10, 20, 24), seed=3, modality="CT")
    return write_planted_cohort(planted, tmp_path_factory.mktemp("scans") / "cohort")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_table_holds_what_the_encoder_gives(manifest, tmp_path):
    found = encode(manifest, settings="resnet18_slice", out=tmp_path / "deep.csv", phase=["portal"])
    cohort = load_cohort(manifest, data_root=manifest.parent)
    scans = [scan for scan in cohort.scans if scan.phase == "portal"]
    expected = deep_features(scans, Encoder(encoder_preset("resnet18_slice"))).per_patient()
    written = pd.read_csv(tmp_path / "deep.csv", index_col="patient_id")
    assert written.shape == (6, 512)
    np.testing.assert_allclose(written.loc[expected.index], expected, rtol=1e-6)
    made = json.loads((tmp_path / "deep.csv.provenance.json").read_text())
    assert made["origin"] == found.origin and "random weights" in made["origin"]
    assert str(manifest.parent) not in json.dumps(made)


def test_phases_stand_side_by_side_and_names_are_hidden(manifest, tmp_path):
    out = tmp_path / "deep.parquet"
    encode(manifest, settings="resnet18_slice", out=out, phase=["portal", "arterial"], hash_ids="x")
    table = pd.read_parquet(out)
    assert table.shape == (6, 1025)
    assert table.columns[1].startswith("portal_resnet18_")
    cohort = load_cohort(manifest, data_root=manifest.parent)
    assert not set(table["patient_id"]) & set(cohort.patient_ids)


def test_weights_of_ones_own_are_read_back(manifest, tmp_path):
    made = Encoder(encoder_preset("resnet18_slice"), seed=9).save(tmp_path / "own.safetensors")
    phase = ["portal"]
    one = encode(
        manifest, settings="resnet18_slice", out=tmp_path / "a.csv", weights=made, phase=phase
    )
    other = encode(manifest, settings="resnet18_slice", out=tmp_path / "b.csv", phase=phase, seed=9)
    pd.testing.assert_frame_equal(one.table, other.table)


def test_other_scans_than_ct_have_no_window():
    assert encoder_of("resnet18_slice", modality="MR", weights=None, seed=0).settings.window is None
    assert encoder_of("resnet18_slice", modality="CT", weights=None, seed=0).settings.window


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"settings": "resnet18_slise"}, UnknownNameError, "did you mean 'resnet18_slice'"),
        ({"phase": ["portal", "venous"]}, DataError, "expected scans .portal, venous.*found"),
        ({"time_point": "later"}, DataError, "at later; found none"),
        ({"out": "deep.txt"}, SchemaError, "called .*csv or"),
    ],
)
def test_what_cannot_be_done_is_said(manifest, tmp_path, words, error, message):
    given = {"settings": "resnet18_slice", "out": tmp_path / "deep.csv", **words}
    with pytest.raises(error, match=message):
        encode(manifest, **given)
