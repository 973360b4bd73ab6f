"""Checkpoints of training: what a run must know to go on, as safetensors and a card in JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from radiogenomics.core.errors import SchemaError, StudyError, short_list
from radiogenomics.core.weight_file import CARD, WEIGHTS, read_weights, write_weights

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]
PREFIX = "epoch_"
# How JSON, which has no infinity, is told of it.
INFINITE = ("inf", "-inf")
BETWEEN = "/"


def write_checkpoint(
    folder: Path, arrays: Mapping[str, Array], card: Mapping[str, Any], *, epoch: int
) -> Path:
    """Write the checkpoint of an epoch, then remove earlier ones.

    The card is put in place last, and only a file with a card counts: whenever the process is
    killed, a whole checkpoint is there, this or the one before.
    """
    written = write_weights(folder / f"{PREFIX}{epoch:06d}{WEIGHTS}", arrays, card)
    for path in folder.glob(f"{PREFIX}*"):
        if path.stem != written.stem:
            path.unlink()
    return written


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the weights of the latest whole checkpoint of a folder; None where there is none."""
    whole = [
        card.with_suffix(WEIGHTS)
        for card in sorted(folder.glob(f"{PREFIX}*{CARD}"))
        if card.with_suffix(WEIGHTS).is_file()
    ]
    return whole[-1] if whole else None


def read_checkpoint(path: Path, expected: Mapping[str, Any]) -> tuple[Arrays, dict[str, Any]]:
    """Read a checkpoint, and refuse one of another recipe.

    Parameters
    ----------
    path
        Its weights.
    expected
        What its card must say, as JSON: settings, architecture, data.

    Raises
    ------
    StudyError
        The card says otherwise; the message says where.
    """
    arrays, card = read_weights(path)
    there, here = dict(_flat(card.get("recipe", {}))), dict(_flat(expected))
    differences = [
        f"{name}: {there.get(name, 'nothing')} there, {here.get(name, 'nothing')} here"
        for name in sorted({*there, *here})
        if there.get(name, "nothing") != here.get(name, "nothing")
    ]
    if differences:
        raise StudyError(
            f"{path.name}: expected a checkpoint of this recipe; found another's "
            f"({short_list(differences)}). Use the recipe it was written by, or another folder."
        )
    return arrays, card


def module_arrays(module: nn.Module) -> Arrays:
    """Weights and buffers of a module, as arrays on the CPU."""
    return state_arrays(module.state_dict())


def state_arrays(state: Mapping[str, torch.Tensor]) -> Arrays:
    """Tensors by name as arrays of their own on the CPU."""
    return {name: np.array(tensor.detach().cpu().numpy()) for name, tensor in state.items()}


def tensors_like(module: nn.Module, arrays: Mapping[str, Array]) -> dict[str, torch.Tensor]:
    """Turn arrays into tensors that a module can load.

    Raises
    ------
    SchemaError
        Names or shapes are not those of the module; the message names them.
    """
    wanted = module.state_dict()
    wrong = [f"{name} missing" for name in wanted if name not in arrays]
    wrong += [f"{name} too much" for name in arrays if name not in wanted]
    for name, array in arrays.items():
        # Safetensors of numpy give single numbers an axis.
        if name in wanted and _shape(array, wanted[name]) != tuple(wanted[name].shape):
            wrong.append(f"{name} of {array.shape}, not {tuple(wanted[name].shape)}")
    if wrong:
        raise SchemaError(
            f"expected weights of the architecture {type(module).__name__}; found others: "
            f"{short_list(wrong)}. Build the network that they were trained in."
        )
    return {
        name: torch.from_numpy(np.array(array)).reshape(wanted[name].shape)
        for name, array in arrays.items()
    }


def _shape(array: Array, tensor: torch.Tensor) -> tuple[int, ...]:
    return () if tensor.ndim == 0 and array.size == 1 else array.shape


def optimiser_arrays(optimiser: torch.optim.Optimizer) -> Arrays:
    """Moments and counts of an optimiser, named by the place of the weight they belong to."""
    return {
        f"{place}{BETWEEN}{slot}": np.array(tensor.detach().cpu().numpy())
        for place, slots in optimiser.state_dict()["state"].items()
        for slot, tensor in slots.items()
    }


def load_optimiser(
    optimiser: torch.optim.Optimizer, arrays: Mapping[str, Array], rates: list[float]
) -> None:
    """Give an optimiser its moments and learning rates back."""
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, array in arrays.items():
        place, slot = name.split(BETWEEN)
        tensor = torch.from_numpy(np.array(array))
        shape = () if slot == "step" else weights[int(place)].shape
        state.setdefault(int(place), {})[slot] = tensor.reshape(shape)
    groups = optimiser.state_dict()["param_groups"]
    for group, rate in zip(groups, rates, strict=True):
        group["lr"] = rate
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def under(prefix: str, arrays: Mapping[str, Array]) -> Arrays:
    """Put a prefix before names, so that several sets share a file."""
    return {f"{prefix}{BETWEEN}{name}": array for name, array in arrays.items()}


def part(prefix: str, arrays: Mapping[str, Array]) -> Arrays:
    """Return the set that a prefix stands before, without it."""
    start = prefix + BETWEEN
    return {name[len(start) :]: a for name, a in arrays.items() if name.startswith(start)}


def as_json(value: Any) -> Any:
    """Turn a nested state of numbers and words into JSON that comes back bit by bit.

    Examples
    --------
    >>> from_json(as_json({"best": -math.inf, "rates": (0.1, 1)}))
    {'best': -inf, 'rates': [0.1, 1]}
    """
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def from_json(value: Any) -> Any:
    """Undo :func:`as_json`; tuples come back as lists."""
    if isinstance(value, Mapping):
        return {key: from_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [from_json(inner) for inner in value]
    return float(value) if isinstance(value, str) and value in INFINITE else value


def _flat(card: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted names and values of a nested card."""
    if isinstance(card, Mapping):
        for key, value in card.items():
            yield from _flat(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, list(card) if isinstance(card, tuple) else card
