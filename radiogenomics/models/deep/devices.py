"""Where and how exactly networks compute: device, precision, and seeds that disturb nobody."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn

from radiogenomics.core.errors import SchemaError, StudyError, UnknownNameError
from radiogenomics.models.deep.training_settings import PRECISIONS

HALVES = MappingProxyType({"bf16": torch.bfloat16, "fp16": torch.float16})


def pick_device(word: str = "auto") -> torch.device:
    """Return the device of a word: ``auto`` (a GPU where there is one), ``cpu``, ``cuda[:N]``.

    Raises
    ------
    UnknownNameError
        Another word.
    StudyError
        A GPU is asked for that is not there.

    Examples
    --------
    >>> pick_device("cpu")
    device(type='cpu')
    """
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if word == "auto":
        return torch.device("cuda" if found else "cpu")
    kind, _, number = word.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdigit()):
        raise UnknownNameError("device", word, ("auto", "cpu", "cuda", "cuda:0"))
    if kind == "cuda" and int(number or 0) >= found:
        raise StudyError(
            f"device: expected {word!r}; found {found} GPU(s) that torch can use. "
            "Use device 'auto' or 'cpu', or a torch built for your GPU."
        )
    return torch.device("cpu" if kind == "cpu" else word)


def pick_precision(word: str, device: torch.device) -> str:
    """Return ``fp32``, ``bf16`` or ``fp16``; ``auto`` is the fastest that is safe on the device.

    Examples
    --------
    >>> pick_precision("auto", torch.device("cpu"))
    'fp32'
    """
    if word not in PRECISIONS:
        raise UnknownNameError("precision", word, PRECISIONS)
    if word != "auto":
        return word
    if device.type != "cuda":
        return "fp32"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


class InPrecision(nn.Module):
    """A network that computes in half precision where that is safe, and answers in float32.

    Weights stay float32 (automatic mixed precision), and so do losses, which see the answers:
    sums of exponentials over a risk set would not survive eight bits.

    Parameters
    ----------
    network
        Takes one tensor.
    precision
        ``fp32`` (the network as it is), ``bf16`` or ``fp16``.

    Examples
    --------
    >>> InPrecision(nn.Linear(3, 2), "bf16")(torch.ones(4, 3)).dtype
    torch.float32
    """

    def __init__(self, network: nn.Module, precision: str) -> None:
        super().__init__()
        self.network = network
        self.precision = precision

    def forward(self, values: torch.Tensor) -> Any:
        """Return the network's outputs, floating-point tensors in them as float32."""
        if self.precision == "fp32":
            return self.network(values)
        with torch.autocast(values.device.type, dtype=HALVES[self.precision]):
            outputs = self.network(values)
        return map_tensors(_as_float32, outputs)


def map_tensors(change: Callable[[torch.Tensor], torch.Tensor], outputs: Any) -> Any:
    """Change each tensor of outputs, however they are wrapped.

    Parameters
    ----------
    change
        Tensor → tensor.
    outputs
        A tensor, None, or tensors in mappings, tuples, lists and dataclasses.

    Raises
    ------
    SchemaError
        Something else.

    Examples
    --------
    >>> map_tensors(torch.neg, {"os": torch.ones(1), "map": None})
    {'os': tensor([-1.]), 'map': None}
    """
    if outputs is None:
        return None
    if isinstance(outputs, torch.Tensor):
        return change(outputs)
    if isinstance(outputs, Mapping):
        return {name: map_tensors(change, value) for name, value in outputs.items()}
    if isinstance(outputs, tuple | list):
        changed = [map_tensors(change, value) for value in outputs]
        named = hasattr(outputs, "_fields")
        return type(outputs)(*changed) if named else type(outputs)(changed)
    if dataclasses.is_dataclass(outputs) and not isinstance(outputs, type):
        names = [field.name for field in dataclasses.fields(outputs)]
        parts = {name: map_tensors(change, getattr(outputs, name)) for name in names}
        return dataclasses.replace(outputs, **parts)
    raise SchemaError(
        "expected tensors as outputs of the network, or mappings, tuples and dataclasses of them; "
        f"found {type(outputs).__name__}. Wrap the network."
    )


def tensors_of(outputs: Any) -> list[torch.Tensor]:
    """All tensors of outputs, however they are wrapped."""
    found: list[torch.Tensor] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        found.append(tensor)
        return tensor

    map_tensors(keep, outputs)
    return found


@contextmanager
def seeded(seed: int, epoch: int, device: torch.device) -> Iterator[None]:
    """Seed torch's own generators for an epoch, and give the caller theirs back.

    Dropout of an epoch thus depends on seed and epoch alone: whoever goes on after an interruption
    needs no state of any generator.
    """
    drawn = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0]
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(int(drawn >> np.uint64(1)))
        yield


def _as_float32(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
