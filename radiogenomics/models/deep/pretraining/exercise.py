"""What every pre-training task is made of: a reader of scans, and what it is to learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from radiogenomics.core.errors import SchemaError, StudyError
from radiogenomics.core.method import Method
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.models.deep.training_data import Rows, TrainingData
from radiogenomics.models.deep.training_run import Loss, Validate
from radiogenomics.models.deep.training_settings import TrainingSettings

VOLUMES, PICTURES = 3, 2


class Reader(nn.Module):
    """A backbone that is shown scans (n, channels, z, y, x), whatever it reads itself.

    A backbone of pictures reads each slice by itself, and a scan's features are the mean over its
    slices. The one channel of a scan is repeated for a backbone of several, of colours say.

    Parameters
    ----------
    backbone
        ``forward(x)`` gives features (n, width), ``feature_map(x)`` the map before they are pooled
        (n, width, [z,] y, x), and ``width`` their number. Where it has them, ``dims`` (2: pictures;
        otherwise volumes) and ``channels`` say what it reads.
    scans
        One of those it will read tells channels and shape.

    Attributes
    ----------
    dims, width
        2 or 3; number of features.
    map_size
        Places ([z,] y, x) of the feature map of these scans.
    repeat
        How often the channel of a scan is shown.

    Raises
    ------
    SchemaError
        The backbone lacks a part, reads other channels, or gives other shapes.
    """

    def __init__(self, backbone: nn.Module, scans: ScanArrays) -> None:
        super().__init__()
        self.backbone = backbone
        self.dims = int(getattr(backbone, "dims", VOLUMES))
        width = getattr(backbone, "width", None)
        lacking = [
            name
            for name, there in (
                ("feature_map", callable(getattr(backbone, "feature_map", None))),
                ("width", isinstance(width, int)),
                ("dims 2 or 3", self.dims in (PICTURES, VOLUMES)),
            )
            if not there
        ]
        if lacking:
            raise SchemaError(
                f"expected a backbone with feature_map(x) and width; found "
                f"{type(backbone).__name__} without {', '.join(lacking)}. Take one of "
                "radiogenomics.imaging.deep.backbones, or add them."
            )
        self.width = int(width or 0)
        self.repeat = _repeat(backbone, scans)
        self.map_size = self._map_of_one(scans)

    def as_read(self, values: Tensor) -> Tensor:
        """Return scans as the backbone reads them: (n, channels, z, y, x) or slice by slice."""
        wide = values.repeat_interleave(self.repeat, dim=1) if self.repeat > 1 else values
        return wide if self.dims == VOLUMES else wide.transpose(1, 2).flatten(0, 1)

    def as_scans(self, read: Tensor, patients: int) -> Tensor:
        """Put what was drawn slice by slice back into scans (n, channels, z, y, x)."""
        if self.dims == VOLUMES:
            return read
        return read.reshape(patients, -1, *read.shape[1:]).transpose(1, 2)

    def feature_map(self, values: Tensor) -> Tensor:
        """Return the backbone's map of each volume or slice."""
        found: Tensor = self.backbone.feature_map(self.as_read(values))  # type: ignore[operator]
        return found

    def forward(self, values: Tensor) -> Tensor:
        """Return the features of each scan, (n, width)."""
        found: Tensor = self.backbone(self.as_read(values))
        return found if self.dims == VOLUMES else found.reshape(len(values), -1, self.width).mean(1)

    def _map_of_one(self, scans: ScanArrays) -> tuple[int, ...]:
        device = next((w.device for w in self.backbone.parameters()), torch.device("cpu"))
        one = torch.from_numpy(scans.at([0]).copy()).to(device)
        training = self.backbone.training
        self.backbone.eval()
        with torch.no_grad():
            found, features = self.feature_map(one), self.backbone(self.as_read(one)[:1])
        self.backbone.train(training)
        if found.ndim != 2 + self.dims or found.shape[1] != self.width:
            raise SchemaError(
                f"expected a feature map (n, {self.width}, and {self.dims} axes of space); found "
                f"{tuple(found.shape)}. Let feature_map give what forward pools."
            )
        if features.shape != (1, self.width):
            raise SchemaError(
                f"expected features (1, {self.width}) of one scan; found {tuple(features.shape)}. "
                "Pool the feature map, and leave out the last layer."
            )
        return tuple(found.shape[2:])


def _repeat(backbone: nn.Module, scans: ScanArrays) -> int:
    has, wants = len(scans.channels), int(getattr(backbone, "channels", len(scans.channels)))
    if wants != has and has != 1:
        raise SchemaError(
            f"expected scans of {wants} channels, as the backbone reads, or of one; found {has}. "
            "Build the backbone for these scans."
        )
    return wants // has


class Lesson(NamedTuple):
    """What there is to learn from, and by which numbers.

    Parameters
    ----------
    scans
        Of all patients.
    learning, aside
        Row numbers to learn from, and those that say when to stop.
    targets
        Patients × what a source task is to tell, in the order of the scans; None: nothing.
    settings
        Of training.
    """

    scans: ScanArrays
    learning: Rows
    aside: Rows
    targets: pd.DataFrame | None
    settings: TrainingSettings

    def batches(self, rows: Rows, device: torch.device) -> Iterator[tuple[Rows, Tensor]]:
        """Yield rows in their order, in batches of nearly equal size, with their scans."""
        source = TrainingData(self.scans, rows)
        size = self.settings.micro_batch or self.settings.batch_size
        for batch in np.array_split(rows, -(-len(rows) // size)):
            yield batch, source.tensor(batch, device)


class Exercise(NamedTuple):
    """A network around a reader, its loss, and how well it does on rows put aside."""

    network: nn.Module
    loss: Loss
    validate: Validate


class Task(Protocol):
    """What a backbone is to learn; frozen dataclasses of numbers."""

    card: ClassVar[Method]

    def exercise(self, reader: Reader, lesson: Lesson) -> Exercise:
        """Build the network; weights are drawn from torch's global generator."""

    def words(self) -> dict[str, Any]:
        """Return its numbers as what JSON can hold."""


def refuse_targets(task: Task, lesson: Lesson) -> None:
    """Raise StudyError for targets of a task that learns from scans alone."""
    if lesson.targets is not None:
        raise StudyError(
            f"{task.card.name}: expected scans alone; found targets in "
            f"{lesson.targets.shape[1]} columns. Leave them out, or take the source task."
        )


def device_of(network: nn.Module) -> torch.device:
    """Where a network's weights are."""
    return next(network.parameters()).device


def mean_of(parts: list[tuple[int, Any]]) -> float:
    """Mean of numbers of batches, each as often as it has patients."""
    return sum(size * float(value) for size, value in parts) / sum(size for size, _ in parts)
