"""Pre-train a backbone on scans without the label that is wanted later, and write its weights.

The patients must not be those of the target study's test parts: what is learnt of them here is seen
by no splitter. Running means of batch normalisation are taken anew at the end, from the unchanged
scans to learn from: in training it saw hidden blocks or changed copies. Equal arguments and first
weights give equal weights, bit by bit on a CPU, also when interrupted.

Examples
--------
A backbone of eight features learns to draw hidden blocks.

>>> import numpy as np
>>> class Small(nn.Module):
...     def __init__(self):
...         super().__init__()
...         self.conv, self.width = nn.Conv3d(1, 8, 3, stride=2, padding=1), 8
...     def feature_map(self, x):
...         return self.conv(x)
...     def forward(self, x):
...         return self.feature_map(x).mean(dim=(2, 3, 4))
>>> values = np.random.default_rng(0).random((10, 1, 8, 8, 8), dtype=np.float32)
>>> scans = ScanArrays(values, tuple("ABCDEFGHIJ"), ("portal",))
>>> settings = TrainingSettings(epochs=2, batch_size=4)
>>> found = pretrain(Small(), scans, MaskedVolume(block=4), settings=settings)
>>> sorted(found.arrays), found.card["task"]["name"], found.card["patients"]
(['conv.bias', 'conv.weight'], 'masked_volume', 10)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from radiogenomics.core.errors import StudyError, UnknownNameError
from radiogenomics.core.provenance import version, versions
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.core.weight_file import write_weights
from radiogenomics.models.deep.accumulation import accumulated_step
from radiogenomics.models.deep.checkpoints import Arrays, module_arrays
from radiogenomics.models.deep.devices import seeded
from radiogenomics.models.deep.pretraining.contrastive import Contrastive
from radiogenomics.models.deep.pretraining.exercise import Exercise, Lesson, Reader, Task, device_of
from radiogenomics.models.deep.pretraining.masked_volume import MaskedVolume
from radiogenomics.models.deep.pretraining.source_task import SourceTask
from radiogenomics.models.deep.training import Log, TrainingRecord, full_batch_step, train
from radiogenomics.models.deep.training_data import Rows, TrainingData
from radiogenomics.models.deep.training_settings import TrainingSettings

TASKS: Mapping[str, type[MaskedVolume | Contrastive | SourceTask]] = MappingProxyType(
    {task.card.name: task for task in (MaskedVolume, Contrastive, SourceTask)}
)
KIND = "encoder"
SIMULATED, OF_USER = "simulated scans", "user's scans"
FEWEST_A_BATCH = 2


@dataclass(frozen=True, eq=False, repr=False)
class Pretrained:
    """Weights of a backbone, and what they are.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Weights and buffers of the backbone alone, under its own names.
    card : dict
        JSON: architecture, task, number of patients, channels, training, seed, software. It says
        how many patients, never who.
    history : DataFrame
        One row an epoch, see :class:`radiogenomics.models.deep.training.TrainingRecord`; the score
        is minus the loss of the patients put aside.
    """

    arrays: Arrays
    card: dict[str, Any]
    history: pd.DataFrame

    def save(self, path: Path | str) -> Path:
        """Write ``NAME.safetensors`` and its card, for ``imaging.deep.Encoder`` and others."""
        return write_weights(path, self.arrays, self.card)

    def __repr__(self) -> str:
        """Say what was trained, and on how many."""
        return f"Pretrained({self.card['architecture']}: {self.card['trained']})"


def pretrain(
    backbone: nn.Module,
    scans: ScanArrays,
    task: Task | str,
    *,
    settings: TrainingSettings,
    targets: pd.DataFrame | None = None,
    checkpoint_folder: Path | str | None = None,
    resume: bool = False,
    log: Log | None = None,
    view: Mapping[str, Any] | None = None,
    simulated: bool = False,
) -> Pretrained:
    """Train a copy of a backbone on a task without the target's label; see this module's top.

    Parameters
    ----------
    backbone
        See :class:`radiogenomics.models.deep.pretraining.exercise.Reader`; not changed.
    scans
        Unlabelled, on the scale that the backbone will be shown later.
    task
        ``MaskedVolume``, ``Contrastive`` or ``SourceTask``, or the word of one.
    targets
        Patients × what is known of them, NaN where it is not; for the source task only.
    settings, checkpoint_folder, resume, log
        As of :func:`radiogenomics.models.deep.training.train`.
    view
        How the scans were cut (``EncoderSettings.to_json()``): ``load_encoder`` needs it.
    simulated
        Whether the scans are simulated, for the card.

    Raises
    ------
    UnknownNameError, SchemaError
        There is no such task; the backbone reads other scans, or numbers are out of range.
    StudyError, AlignmentError, DataError
        Nothing can be trained, a batch has one patient, targets do not fit, a loss is not finite.
    """
    task = _task(task)
    data = _parted(scans, settings)
    reader = Reader(_copy(backbone), scans)
    exercise = _exercise(task, reader, Lesson(scans, *_rows(data), targets, settings))
    record = train(
        exercise.network,
        data,
        exercise.loss,
        settings=settings,
        validate=None if data.validation is None else exercise.validate,
        step=accumulated_step if settings.micro_batch else full_batch_step,
        checkpoint_folder=checkpoint_folder,
        resume=resume,
        log=log,
        recipe={"task": _words(task), "backbone": _word(backbone), "targets": _hash(targets)},
    )
    _settle(reader, data, settings)
    card = _card(reader, task, scans=scans, settings=settings, record=record)
    card |= _origin(card["trained"], simulated=simulated, view=view)
    return Pretrained(module_arrays(reader.backbone), card, record.history)


def _task(task: Task | str) -> Task:
    if not isinstance(task, str):
        return task
    if task not in TASKS:
        raise UnknownNameError("pre-training task", task, TASKS)
    return TASKS[task]()


def _parted(scans: ScanArrays, settings: TrainingSettings) -> TrainingData:
    """All scans, some of them put aside."""
    learning, aside = TrainingData(scans, np.arange(len(scans))).split(
        settings.validation_share, seed=settings.seed
    )
    size = settings.micro_batch or settings.batch_size
    smallest = len(learning.rows) // -(-len(learning.rows) // size)
    if smallest < FEWEST_A_BATCH:
        raise StudyError(
            f"expected {FEWEST_A_BATCH} or more patients in every batch; found that "
            f"{len(learning.rows)} patients to learn from, in batches of {size}, leave one alone. "
            "Use larger batches, or more scans."
        )
    return replace(learning, validation=aside) if len(aside) else learning


def _copy(backbone: nn.Module) -> nn.Module:
    if not any(weight.requires_grad for weight in backbone.parameters()):
        raise StudyError(
            "expected a backbone some of whose weights can be trained; found all of them frozen. "
            "Unfreeze it: backbone.requires_grad_(True)."
        )
    return deepcopy(backbone)


def _rows(data: TrainingData) -> tuple[Rows, Rows]:
    """Rows to learn from, and those put aside."""
    aside = np.array([], dtype=np.intp) if data.validation is None else data.validation
    return data.rows, aside


def _exercise(task: Task, reader: Reader, lesson: Lesson) -> Exercise:
    """Build what is trained; decoders and heads are the same of a seed."""
    with seeded(lesson.settings.seed, 0, torch.device("cpu")):
        return task.exercise(reader, lesson)


def _settle(reader: Reader, data: TrainingData, settings: TrainingSettings) -> None:
    """Take running means of batch normalisation from whole scans."""
    device, rows = device_of(reader), data.rows
    size = settings.micro_batch or settings.batch_size
    batches = (data.tensor(batch, device) for batch in np.array_split(rows, -(-len(rows) // size)))
    with seeded(settings.seed, settings.epochs + 1, device):
        torch.optim.swa_utils.update_bn(batches, reader)
    reader.eval()


def _card(
    reader: Reader,
    task: Task,
    *,
    scans: ScanArrays,
    settings: TrainingSettings,
    record: TrainingRecord,
) -> dict[str, Any]:
    """What the weights are."""
    learnt, aside = len(scans) - len(record.validation), len(record.validation)
    made = {
        "kind": KIND,
        "architecture": _word(reader.backbone),
        "dims": reader.dims,
        "width": reader.width,
        "trained": (
            f"{task.card.title.removeprefix('Pre-training: ')}: radiogenomics {version()}, "
            f"{len(scans)} patients, seed {settings.seed}"
        ),
        "task": _words(task),
        "patients": len(scans),
        "patients_learnt_from": learnt,
        "patients_put_aside": aside,
        "channels": list(scans.channels),
        "shape": list(scans.shape),
        "spacing_mm": list(scans.spacing_mm),
        "training": settings.words(),
        "seed": settings.seed,
        "best_epoch": int(record.best_epoch),
        "software": {**versions(), "torch": str(torch.__version__)},
    }
    convention = getattr(reader.backbone, "convention", None)
    return made if convention is None else made | {"convention": str(convention)}


def _origin(trained: str, *, simulated: bool, view: Mapping[str, Any] | None) -> dict[str, Any]:
    """Whose scans they were, and how they were cut."""
    whose = SIMULATED if simulated else OF_USER
    made: dict[str, Any] = {"trained_on": whose, "trained": f"{trained} ({whose})"}
    return made if view is None else made | {"settings": dict(view)}


def _word(backbone: nn.Module) -> str:
    return str(getattr(backbone, "word", type(backbone).__name__))


def _words(task: Task) -> dict[str, Any]:
    return {"name": task.card.name, **task.words()}


def _hash(targets: pd.DataFrame | None) -> str:
    """Tell tables apart without keeping them."""
    text = "" if targets is None else targets.to_csv()
    return hashlib.sha256(text.encode()).hexdigest()
