from __future__ import annotations

import builtins
import json
import pickle

import numpy as np
import pytest

from radiogenomics.core.errors import (
    ChecksumError,
    MissingExtraError,
    MissingFileError,
    SchemaError,
)
from radiogenomics.core.weight_file import read_arrays, read_card, read_weights, write_weights

pytest.importorskip("safetensors", reason="the extra 'deep' is not installed")

CARD = {"architecture": "resnet18", "settings": {"channels": 3}}


def arrays(rng):
    return {
        "first.weight": rng.normal(size=(3, 4)).astype(np.float32),
        "turned": np.asfortranarray(rng.normal(size=(3, 4))),
        "count": np.array(7, dtype=np.int64),
    }


def test_what_is_written_comes_back(rng, tmp_path):
    made = arrays(rng)
    path = write_weights(tmp_path / "new" / "net.safetensors", made, CARD)
    found, card = read_weights(path)
    assert set(found) == set(made)
    for name, array in made.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
    assert {k: card[k] for k in CARD} == CARD
    assert read_card(path) == card
    assert sorted(p.name for p in path.parent.iterdir()) == ["net.json", "net.safetensors"]


def test_weights_that_are_not_those_of_the_card_are_refused(rng, tmp_path):
    path = write_weights(tmp_path / "a.safetensors", arrays(rng), CARD)
    other = write_weights(tmp_path / "b.safetensors", {"x": np.zeros(3)}, CARD)
    path.write_bytes(other.read_bytes())
    with pytest.raises(ChecksumError, match="Get both files again"):
        read_weights(path)


def test_a_pickle_by_another_name_is_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return exec, ("raise SystemExit('run')",)

    path = tmp_path / "net.safetensors"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(SchemaError, match="expected a safetensors file"):
        read_arrays(path)


def test_missing_and_broken_files_say_so(rng, tmp_path):
    with pytest.raises(MissingFileError, match="expected the card"):
        read_weights(tmp_path / "none.safetensors")
    with pytest.raises(MissingFileError, match="expected weights at"):
        read_arrays(tmp_path / "none.safetensors")
    with pytest.raises(SchemaError, match=r"named \*\.safetensors; found net\.pt"):
        read_weights(tmp_path / "net.pt")
    path = write_weights(tmp_path / "net.safetensors", arrays(rng), CARD)
    path.with_suffix(".json").write_text("[1]")
    with pytest.raises(SchemaError, match="found list"):
        read_weights(path)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(SchemaError, match="expected JSON"):
        read_weights(path)


def test_a_card_that_json_cannot_hold_leaves_the_earlier_pair(rng, tmp_path):
    path = write_weights(tmp_path / "net.safetensors", arrays(rng), CARD)
    before = path.read_bytes()
    for odd in ({"x": np.zeros(2)}, {"x": float("nan")}):
        with pytest.raises(SchemaError, match="what JSON can hold"):
            write_weights(path, {"y": np.zeros(2)}, odd)
    assert path.read_bytes() == before
    assert json.loads(path.with_suffix(".json").read_text())["architecture"] == "resnet18"


def test_a_missing_library_is_named(rng, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("safetensors"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"radiogenomics\[deep\]"):
        write_weights(tmp_path / "net.safetensors", arrays(rng), CARD)
