"""A fitted network on disk: what its card says, and how it is read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from radiogenomics.core.errors import (
    GeometryError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.provenance import version
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.core.weight_file import read_weights
from radiogenomics.models.deep.auxiliary_heads import HeadPlan
from radiogenomics.models.deep.checkpoints import Arrays, part, tensors_like
from radiogenomics.models.deep.devices import seeded
from radiogenomics.models.deep.networks import Network, build_network, network_settings
from radiogenomics.models.deep.starting_weights import NETWORK
from radiogenomics.models.deep.training_settings import Augmentation, TrainingSettings


@dataclass(frozen=True, eq=False)
class NetworkCard:
    """What must be known to use weights.

    Parameters
    ----------
    estimator, architecture
        Recipe word of the estimator, and word of the network.
    settings
        Sizes of the network.
    plan
        Its heads.
    channels, shape
        Phases and voxels of the scans that it reads.
    training
        How it was trained; the device is not kept.
    columns, n_columns
        Of the table that it was fitted on; names if there were any.
    best_epoch
        Epoch of the weights.
    parameters, learnt
        What else the estimator was given, and what else it learnt: JSON.
    """

    estimator: str
    architecture: str
    settings: Mapping[str, Any]
    plan: HeadPlan
    channels: tuple[str, ...]
    shape: tuple[int, int, int]
    training: TrainingSettings
    columns: tuple[str, ...]
    n_columns: int
    best_epoch: int
    parameters: Mapping[str, Any]
    learnt: Mapping[str, Any]

    def words(self) -> dict[str, Any]:
        """Return the card as what JSON can hold."""
        training = {k: v for k, v in self.training.words().items() if k != "device"}
        return {
            "kind": NETWORK,
            "estimator": self.estimator,
            "architecture": self.architecture,
            "settings": dict(self.settings),
            "heads": self.plan.sizes(),
            "plan": self.plan.words(),
            "channels": list(self.channels),
            "shape": list(self.shape),
            "training": training,
            "columns": list(self.columns),
            "n_columns": self.n_columns,
            "best_epoch": self.best_epoch,
            "parameters": dict(self.parameters),
            "learnt": dict(self.learnt),
            "trained": f"supervised, to say {short_list(self.plan.sizes())}",
            "software": {"radiogenomics": version(), "torch": str(torch.__version__)},
        }

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Self:
        """Read what :meth:`words` gave.

        Raises
        ------
        KeyError, TypeError
            Something is missing or too much.
        """
        training = dict(words["training"])
        if training["augment"] is not None:
            training["augment"] = Augmentation(**_tuples(training["augment"]))
        z, y, x = words["shape"]
        return cls(
            estimator=words["estimator"],
            architecture=words["architecture"],
            settings=words["settings"],
            plan=HeadPlan.from_words(words["plan"]),
            channels=tuple(words["channels"]),
            shape=(z, y, x),
            training=TrainingSettings(**training),
            columns=tuple(words["columns"]),
            n_columns=int(words["n_columns"]),
            best_epoch=int(words["best_epoch"]),
            parameters=words["parameters"],
            learnt=words["learnt"],
        )


def read_network(
    path: Path | str, *, estimator: str, scans: ScanArrays, network: str | None
) -> tuple[NetworkCard, Network, Arrays]:
    """Read a network from disk.

    Parameters
    ----------
    path
        Its weights.
    estimator
        Recipe word of what reads it.
    scans
        What it is to read.
    network
        Word of the network that is expected; any when None.

    Returns
    -------
    card : NetworkCard
    network : Network
        On the CPU.
    arrays : dict
        What else the file holds.

    Raises
    ------
    SchemaError
        The card is of another estimator, network or phases, or does not fit the weights.
    GeometryError
        Scans of another shape.
    """
    arrays, words = read_weights(path)
    name = Path(path).name
    found = words.get("kind"), words.get("estimator")
    if found != (NETWORK, estimator):
        raise SchemaError(
            f"{name}: expected a {NETWORK} of {estimator!r}; found {found[0]} of {found[1]!r}. "
            "Read it by the class that wrote it, or give it as weights to start from."
        )
    try:
        card = NetworkCard.from_words(words)
        _refuse_others(card, scans, network, name=name)
        built = _built(card)
    except UnknownNameError as error:
        raise SchemaError(
            f"{name}: expected the card of a network known here; found {error} Update the package."
        ) from error
    except (KeyError, TypeError) as error:
        raise SchemaError(
            f"{name}: expected the card of a {estimator!r}; found {error} missing or too much. "
            "Get both files again."
        ) from error
    built.load_state_dict(tensors_like(built, part(NETWORK, arrays)))
    others = {key: a for key, a in arrays.items() if not key.startswith(NETWORK + "/")}
    return card, built, others


def _built(card: NetworkCard) -> Network:
    with seeded(0, 0, torch.device("cpu")):
        return build_network(
            card.architecture,
            channels=len(card.channels),
            shape=card.shape,
            heads=card.plan.sizes(),
            settings=network_settings(card.architecture, card.settings),
        )


def _refuse_others(card: NetworkCard, scans: ScanArrays, network: str | None, *, name: str) -> None:
    if network not in (None, card.architecture):
        raise SchemaError(
            f"{name}: expected the network {network!r}; found {card.architecture!r}. Choose the "
            "file of the network you want."
        )
    if card.channels != scans.channels:
        raise SchemaError(
            f"{name}: expected scans of {short_list(card.channels)}, as it learnt from; found "
            f"{short_list(scans.channels)}. Give the same phases in the same order."
        )
    if card.shape != scans.shape:
        raise GeometryError(
            f"{name}: expected scans of {card.shape} voxels, as it learnt from; found "
            f"{scans.shape}. Crop and resample them with the same settings."
        )


def _tuples(words: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in words.items()}
