"""Start a network from weights on disk: of a whole network, or of what stands before its heads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from radiogenomics.core.errors import SchemaError
from radiogenomics.core.weight_file import HASH, read_weights
from radiogenomics.models.deep.checkpoints import (
    Arrays,
    module_arrays,
    part,
    tensors_like,
    under,
)
from radiogenomics.models.deep.networks import Network

NETWORK, HEADS = "network", "heads."


def network_arrays(network: Network) -> Arrays:
    """Weights and buffers of a network under the names that files of networks have."""
    return under(NETWORK, module_arrays(network))


def load_starting_weights(network: Network, path: Path | str) -> str:
    """Put weights of a file into a network that was built, and return their hash.

    A file of a whole network gives its heads only if they are the same by name and size, as its
    card says; else the heads stay as they were drawn. A file with the names of one part of the
    network (its ``backbone``, its ``autoencoder``) gives that part.

    Parameters
    ----------
    network
        Changed in place.
    path
        Safetensors with a card, as ``save`` and pre-training write them.

    Returns
    -------
    str
        SHA-256 of the weights.

    Raises
    ------
    SchemaError
        The weights are of another architecture; the message names what does not fit.
    MissingFileError, ChecksumError
        A file is missing, or not the one that its card was written for.
    """
    arrays, card = read_weights(path)
    arrays = part(NETWORK, arrays) or arrays
    layers: Any = network.heads.layers
    sizes = [layer.out_features for layer in layers]
    if card.get("heads") != dict(zip(network.heads.names, sizes, strict=True)):
        arrays = {name: a for name, a in arrays.items() if not name.startswith(HEADS)}
    target = _part_of(network, arrays)
    filled = arrays
    if target is network:
        own = module_arrays(network)
        filled = {name: a for name, a in own.items() if name.startswith(HEADS)} | arrays
    try:
        target.load_state_dict(tensors_like(target, filled))
    except SchemaError as error:
        raise SchemaError(
            f"{Path(path).name}: expected weights of the network {network.word!r}, or of a part of "
            f"it; found those of {card.get('architecture', 'an unknown one')!r}: {error}"
        ) from error
    return str(card[HASH])


def _part_of(network: Network, arrays: Arrays) -> nn.Module:
    """Part of the network whose names these are; the network itself where there is none."""
    for module in network.children():
        if module.state_dict().keys() == arrays.keys():
            return module
    return network
