"""Weights of others: read without running code, and put where they belong or refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from radiogenomics.core.errors import (
    MissingExtraError,
    MissingFileError,
    SchemaError,
    short_list,
)
from radiogenomics.core.provenance import check_file
from radiogenomics.core.weight_file import WEIGHTS, read_arrays
from radiogenomics.imaging.deep.backbones import Backbone, Convention

Tensors = dict[str, torch.Tensor]

INNER = ("state_dict", "model_state_dict", "model")
WRAPPED = "module."
OURS = "network."
COUNTERS = "num_batches_tracked"
HEADS = ("fc.", "classifier.", "conv_seg.", "class_layers.", "_fc.", "head.")
# torchvision's first DenseNets wrote norm.1 where norm1 is meant.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(\d)")
MBCONV = (
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_se_reduce", "_se_expand"),
    ("_project_conv", "_bn2"),
)
"""Parts of a block of MONAI's EfficientNet in the order of torchvision's."""


@dataclass(frozen=True)
class Loaded:
    """What was done with foreign weights.

    Attributes
    ----------
    convention
        Whose network they belong to, and which the backbone now follows.
    notes
        What was left out or changed, in words, for the card.
    """

    convention: Convention
    notes: tuple[str, ...]


def read_foreign(path: Path | str) -> Tensors:
    """Read a safetensors file, or a state dict of torch with nothing but tensors allowed.

    A state dict may lie under ``state_dict``, ``model_state_dict`` or ``model``.

    Raises
    ------
    MissingFileError
        There is no such file.
    SchemaError
        The file is damaged, holds anything that would have to be run to be read, or no tensors.
    """
    source = Path(path)
    if not source.is_file():
        raise MissingFileError(f"expected weights at {source}; found none. Check the path.")
    if source.suffix == WEIGHTS:
        arrays = read_arrays(source)
        return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    refusals = (torch.serialization.pickle.UnpicklingError, RuntimeError, ValueError, EOFError)
    try:
        content = torch.load(source, map_location="cpu", weights_only=True)
    except (*refusals, KeyError, IndexError, AttributeError, TypeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SchemaError(
            f"{source.name}: expected a state dict of nothing but tensors; found something else "
            f"({first[:200]}). It was not run. Ask for the weights as safetensors."
        ) from None
    for name in INNER:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    wrong = not isinstance(content, Mapping) or not content
    if wrong or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise SchemaError(
            f"{source.name}: expected names with tensors; found {type(content).__name__} of other "
            "things. Save the state dict of the network alone."
        )
    return dict(content)


def hub_weights(
    repository: str, filename: str, *, sha256: str, revision: str | None = None
) -> Path:
    """Fetch a file of weights from the Hugging Face hub, and refuse it unless its hash is right.

    The only function of this room that uses the network, and only when called.

    Parameters
    ----------
    repository, filename
        For example ``"TencentMedicalNet/MedicalNet-Resnet18"`` and ``"resnet_18_23dataset.pth"``.
    sha256
        SHA-256 of the file, from whoever you trust: a name alone can change its content.
    revision
        Commit; None: the latest.

    Raises
    ------
    ChecksumError
        The file has another hash.
    MissingExtraError
        huggingface_hub is not installed.
    """
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise MissingExtraError(
            f"expected huggingface_hub; found: {error}. Install it: pip install huggingface_hub, "
            "or fetch the file by hand and give its path."
        ) from None
    found = Path(hf_hub_download(repo_id=repository, filename=filename, revision=revision))
    check_file(found, sha256)
    return found


def load_weights(
    backbone: Backbone, tensors: Mapping[str, torch.Tensor], *, adapt_channels: bool = False
) -> Loaded:
    r"""Put weights into a backbone, each where it belongs, and let the backbone follow their world.

    Names may be those of our files, of MONAI, of torchvision (2D) or of MedicalNet (3D ResNets,
    told by the prefix ``module.``). Last layers are left out; all else must fit to the letter.

    Parameters
    ----------
    backbone
        Changed in place, and only when all fits.
    tensors
        Name → tensor.
    adapt_channels
        Fit a first convolution of :math:`C` channels to another number :math:`c`: the mean over its
        channels, times :math:`C / c`, so that the same picture in all channels gives what it gave.

    Raises
    ------
    SchemaError
        Names or shapes do not fit; they are listed.
    """
    given = {OLD_DENSENET.sub(r"\1\2", name): tensor for name, tensor in tensors.items()}
    wrapped = all(name.startswith(WRAPPED) for name in given)
    given = {name.removeprefix(WRAPPED) if wrapped else name: t for name, t in given.items()}
    convention, table = _nearest_names(backbone, given, wrapped=wrapped)
    heads = [name for name in given if name not in table and name.startswith(HEADS)]
    notes = [f"left out {len(heads)} arrays of the last layer"] if heads else []
    fitted = {table[name]: tensor for name, tensor in given.items() if name in table}
    if adapt_channels:
        notes += _adapt_first(backbone, fitted)
    target = backbone.state_dict()
    unknown = [name for name in given if name not in table and name not in heads]
    _require_fit(backbone, fitted, table=table, unknown=unknown)
    for name, tensor in target.items():
        fitted.setdefault(name, torch.zeros_like(tensor))  # counters, which old files lack
    backbone.follow(convention)
    backbone.load_state_dict(fitted, strict=True)
    return Loaded(convention, tuple(notes))


def _nearest_names(
    backbone: Backbone, given: Mapping[str, torch.Tensor], *, wrapped: bool
) -> tuple[Convention, dict[str, str]]:
    """Whose names these are, and foreign name → name in the backbone."""
    native = list(backbone.state_dict())
    plain = {name.removeprefix(OURS): name for name in native}
    tables: list[tuple[Convention, dict[str, str]]] = []
    if wrapped and "medicalnet" in backbone.conventions():
        tables.append(("medicalnet", plain))
    if "torchvision" in backbone.conventions():
        tables.append(("torchvision", {_torchvision_name(backbone, n): n for n in native}))
    # Our own names say nothing of the convention: the card does, before this is called.
    tables += [("monai", plain), (backbone.convention, {name: name for name in native})]
    return max(tables, key=lambda table: sum(name in table[1] for name in given))


def _torchvision_name(backbone: Backbone, name: str) -> str:
    """Name that torchvision has for an array of a 2D backbone."""
    plain = name.removeprefix(OURS)
    if backbone.word.startswith("densenet"):
        return plain.replace(".layers.", ".")
    if not backbone.word.startswith("efficientnet"):
        return plain
    parts = plain.split(".")
    if parts[0] != "_blocks":
        place = {"_conv_stem": "0.0", "_bn0": "0.1", "_conv_head": "8.0", "_bn1": "8.1"}[parts[0]]
        return f"features.{place}.{parts[1]}"
    stage, number, part, array = parts[1:]
    blocks = list(backbone.network._blocks[int(stage)].named_children())
    at, block = next((n, b) for n, (key, b) in enumerate(blocks) if key == number)
    layers = MBCONV if block.expand_ratio != 1 else MBCONV[1:]
    layer = next(n for n, pair in enumerate(layers) if part in pair)
    inner = layers[layer].index(part)
    word = f"fc{inner + 1}" if "_se_reduce" in layers[layer] else str(inner)
    return f"features.{int(stage) + 1}.{at}.block.{layer}.{word}.{array}"


def _adapt_first(backbone: Backbone, fitted: Tensors) -> list[str]:
    """Fit the first convolution to the channels of the backbone, and say so."""
    target = backbone.state_dict()
    first = next(name for name, tensor in target.items() if tensor.ndim == backbone.dims + 2)
    if first not in fitted or fitted[first].ndim != target[first].ndim:
        return []
    before, after = fitted[first].shape[1], backbone.channels
    if before == after:
        return []
    mean = fitted[first].mean(dim=1, keepdim=True) * (before / after)
    fitted[first] = mean.repeat_interleave(after, dim=1)
    return [f"first convolution of {before} channels adapted to {after}: mean over channels"]


def _require_fit(
    backbone: Backbone, fitted: Tensors, *, table: Mapping[str, str], unknown: list[str]
) -> None:
    """Raise SchemaError that lists what is missing, unknown or of another shape."""
    target = backbone.state_dict()
    foreign = {ours: theirs for theirs, ours in table.items()}
    missing = [
        foreign[name] for name in target if name not in fitted and not name.endswith(COUNTERS)
    ]
    other = [
        f"{foreign[name]} {_size(tensor)} for {_size(target[name])}"
        for name, tensor in fitted.items()
        if tensor.shape != target[name].shape
    ]
    kinds = (
        ("missing", missing),
        ("unknown", unknown),
        ("of another shape", other),
    )
    found = [
        f"{len(names)} {kind} ({short_list(names, limit=3)})" for kind, names in kinds if names
    ]
    if found:
        raise SchemaError(
            f"expected the {len(target)} arrays of {backbone.word} in {backbone.dims}D with "
            f"{backbone.channels} channel(s); found {'; '.join(found)}. Name the backbone that the "
            "weights are of; for another number of channels only, ask for adapt_channels."
        )


def _size(tensor: Any) -> str:
    return " × ".join(map(str, tensor.shape)) or "single"
