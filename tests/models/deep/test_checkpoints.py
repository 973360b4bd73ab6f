from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from radiogenomics.core.errors import ChecksumError, SchemaError, StudyError
from radiogenomics.core.weight_file import read_weights
from radiogenomics.models.deep.checkpoints import (
    as_json,
    from_json,
    latest_checkpoint,
    load_optimiser,
    module_arrays,
    optimiser_arrays,
    part,
    read_checkpoint,
    tensors_like,
    under,
    write_checkpoint,
)

RECIPE = {"architecture": "Net", "settings": {"epochs": 5, "augment": {"zooms": [0.9, 1.1]}}}


def write(folder, epoch, **changed):
    arrays = {"now/weight": np.full(3, epoch, np.float32)}
    return write_checkpoint(folder, arrays, {"recipe": RECIPE | changed}, epoch=epoch)


def test_only_the_latest_is_kept(tmp_path):
    for epoch in (9, 10, 1000):
        path = write(tmp_path / "run", epoch)
        assert latest_checkpoint(tmp_path / "run") == path
    assert len(list((tmp_path / "run").iterdir())) == 2
    arrays, _ = read_checkpoint(path, RECIPE)
    assert arrays["now/weight"].tolist() == [1000] * 3


@pytest.mark.parametrize("calls", [0, 1])
def test_a_kill_while_writing_leaves_the_one_before(tmp_path, monkeypatch, calls):
    write(tmp_path, 1)
    replace, seen = type(tmp_path).replace, []

    def killed(path, target):
        if len(seen) == calls:
            raise KeyboardInterrupt
        seen.append(path)
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(type(tmp_path), "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, 2)
    left = latest_checkpoint(tmp_path)
    assert left.stem == "epoch_000001"
    assert read_checkpoint(left, RECIPE)[0]["now/weight"].tolist() == [1] * 3
    write(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "epoch_000002.json",
        "epoch_000002.safetensors",
    ]


def test_no_folder_has_no_checkpoint(tmp_path):
    assert latest_checkpoint(tmp_path / "nowhere") is None


def test_another_recipe_is_refused_with_what_differs(tmp_path):
    path = write(tmp_path, 1)
    here = {
        "architecture": "Net",
        "settings": {"epochs": 6, "augment": {"zooms": [0.8, 1.1]}},
        "data": "abc",
    }
    with pytest.raises(StudyError) as refused:
        read_checkpoint(path, here)
    for words in (
        "data: nothing there, abc here",
        "settings.epochs: 5 there, 6 here",
        "settings.augment.zooms: [0.9, 1.1] there, [0.8, 1.1] here",
    ):
        assert words in str(refused.value)
    assert "architecture" not in str(refused.value)


def test_damaged_weights_are_refused(tmp_path):
    path = write(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ChecksumError):
        read_checkpoint(path, RECIPE)


def test_weights_of_another_architecture_are_named():
    arrays = module_arrays(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)))
    other = nn.Sequential(nn.Linear(4, 2), nn.PReLU())
    with pytest.raises(SchemaError) as refused:
        tensors_like(other, arrays)
    text = str(refused.value)
    assert "0.weight of (2, 3), not (2, 4)" in text
    assert "1.bias too much" in text
    with pytest.raises(SchemaError, match=r"1.weight missing"):
        tensors_like(other, part("a", under("a", module_arrays(nn.Sequential(nn.Linear(4, 2))))))


def trained(seed):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.PReLU(), nn.Linear(4, 1))
    groups = [{"params": list(network[:2].parameters())}, {"params": [network[3].weight]}]
    return network, torch.optim.AdamW(groups, lr=0.1)


def steps(network, optimiser, values):
    for batch in values:
        optimiser.zero_grad()
        network(batch).square().mean().backward()
        optimiser.step()
    return module_arrays(network)


def test_network_and_optimiser_go_on_bit_by_bit(tmp_path):
    values = torch.randn(6, 5, 3)
    network, optimiser = trained(0)
    steps(network, optimiser, values[:3])
    arrays = under("net", module_arrays(network)) | under("adam", optimiser_arrays(optimiser))
    path = write_checkpoint(tmp_path, arrays, {"recipe": {}}, epoch=3)
    expected = steps(network, optimiser, values[3:])

    again, other = trained(1)
    found, _ = read_weights(path)
    again.load_state_dict(tensors_like(again, part("net", found)))
    load_optimiser(other, part("adam", found), [0.1, 0.1])
    for name, array in steps(again, other, values[3:]).items():
        assert np.array_equal(array, expected[name])
        assert array.dtype == expected[name].dtype


def test_learning_rates_come_back_group_by_group():
    network, optimiser = trained(0)
    load_optimiser(optimiser, {}, [0.3, 0.004])
    assert [group["lr"] for group in optimiser.param_groups] == [0.3, 0.004]


def test_numbers_come_back_bit_by_bit(rng):
    state = {
        "rates": [float(n) for n in rng.normal(size=50) * 10.0 ** rng.integers(-300, 300, 50)],
        "best": -math.inf,
        "worst": [math.inf, None, True, "plateau"],
    }
    assert from_json(json.loads(json.dumps(as_json(state), allow_nan=False))) == state
