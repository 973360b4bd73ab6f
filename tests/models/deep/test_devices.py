from __future__ import annotations

import dataclasses
from typing import NamedTuple

import pytest
import torch
from torch import nn

from radiogenomics.core.errors import SchemaError, StudyError, UnknownNameError
from radiogenomics.models.deep.devices import (
    InPrecision,
    map_tensors,
    pick_device,
    pick_precision,
    seeded,
    tensors_of,
)


class Pair(NamedTuple):
    first: torch.Tensor
    second: torch.Tensor | None


@dataclasses.dataclass(frozen=True)
class Answer:
    outputs: dict[str, torch.Tensor]
    rest: list[Pair]


@pytest.mark.parametrize(("gpus", "kind"), [(0, "cpu"), (2, "cuda")])
def test_auto_takes_a_gpu_where_there_is_one(monkeypatch, gpus, kind):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert pick_device("auto").type == kind
    assert pick_device("cpu").type == "cpu"
    with pytest.raises(StudyError, match=f"expected 'cuda:{gpus}'; found {gpus} GPU"):
        pick_device(f"cuda:{gpus}")


@pytest.mark.parametrize("word", ["gpu", "cuda:x", "mps"])
def test_unknown_device_is_refused(word):
    with pytest.raises(UnknownNameError, match="unknown device"):
        pick_device(word)


@pytest.mark.parametrize(("has", "expected"), [(True, "bf16"), (False, "fp16")])
def test_auto_precision_of_a_gpu(monkeypatch, has, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has)
    assert pick_precision("auto", torch.device("cuda")) == expected
    assert pick_precision("auto", torch.device("cpu")) == "fp32"
    assert pick_precision("fp32", torch.device("cuda")) == "fp32"


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_computes_in_half_and_answers_in_float32(precision):
    torch.manual_seed(0)
    linear = nn.Linear(64, 5)
    values = torch.randn(7, 64)
    found = InPrecision(linear, precision)(values)
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    expected = values.to(half) @ linear.weight.to(half).T + linear.bias.to(half)
    exact = linear(values)
    assert found.dtype == torch.float32
    assert linear.weight.dtype == torch.float32
    # Within two units of the last place of the half type, and not what float32 gives.
    assert torch.allclose(found, expected.float(), rtol=2 * torch.finfo(half).eps, atol=1e-2)
    assert not torch.equal(found, exact)
    assert torch.equal(InPrecision(linear, "fp32")(values), exact)


def test_tensors_are_found_however_wrapped():
    answer = Answer({"os": torch.ones(2)}, [Pair(torch.zeros(1), None)])
    doubled = map_tensors(lambda tensor: tensor * 2 + 1, answer)
    assert doubled.outputs["os"].tolist() == [3.0, 3.0]
    assert isinstance(doubled.rest[0], Pair)
    assert doubled.rest[0].second is None
    assert [len(tensor) for tensor in tensors_of(answer)] == [2, 1]
    with pytest.raises(SchemaError, match="found str"):
        tensors_of({"os": "high"})


def test_seeds_of_an_epoch_are_its_own_and_disturb_nobody():
    def drawn(seed, epoch):
        with seeded(seed, epoch, torch.device("cpu")):
            return torch.rand(4).tolist()

    before = torch.get_rng_state()
    assert drawn(1, 2) == drawn(1, 2)
    assert len({tuple(drawn(*pair)) for pair in [(1, 2), (2, 1), (1, 3), (12, 0)]}) == 4
    assert torch.equal(before, torch.get_rng_state())
