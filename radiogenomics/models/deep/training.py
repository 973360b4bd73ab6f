"""Train a network: epochs, validation, checkpoints; an interrupted run goes on as if it had not.

All that is random in an epoch (batches, augmentation, dropout) depends on the seed and the epoch's
number alone. So a run that was killed and resumed ends bit for bit as it would have without: on
CPU, with as many threads; on a GPU some operations of torch add up in no fixed order.

Early stopping, the best weights and the plateau of the learning rate see the score of the
validation part; nothing else ever does. It is the best of many, and so optimistic: report another
part's.

A loss with weights of its own (of several tasks) is an ``nn.Module``: they are trained with the
network's, neither shrunk nor counted in the L1 term. What it holds besides has to be on the device
of the outputs.

References
----------
Loshchilov and Hutter, ICLR 2019, arXiv:1711.05101 (AdamW). Micikevicius et al., ICLR 2018,
arXiv:1710.03740 (mixed precision).

Examples
--------
>>> from radiogenomics.core.scan_arrays import ScanArrays
>>> values = torch.linspace(-1, 1, 8).reshape(8, 1, 1, 1, 1)
>>> scans = ScanArrays(values.numpy(), tuple("ABCDEFGH"), ("v",))
>>> target = 3 * values.reshape(8, 1)
>>> record = train(
...     nn.Sequential(nn.Flatten(), nn.Linear(1, 1)),
...     TrainingData(scans, range(8)),
...     lambda outputs, rows: ((outputs - target[rows]) ** 2).mean(),
...     settings=TrainingSettings(epochs=40, learning_rate=0.2, validation_share=0.0),
... )
>>> loss = record.history["loss"]
>>> bool(loss.iloc[-1] < 0.1 * loss.iloc[0]), record.stopped
(True, False)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pandas as pd
import torch
from torch import nn

from radiogenomics.core.errors import StudyError
from radiogenomics.core.log import progress
from radiogenomics.models.deep.checkpoints import (
    latest_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from radiogenomics.models.deep.devices import seeded
from radiogenomics.models.deep.training_data import Rows, TrainingData
from radiogenomics.models.deep.training_run import Loss, LossOfOutputs, Step, TrainingRun, Validate
from radiogenomics.models.deep.training_settings import TrainingSettings

COLUMNS = ("epoch", "loss", "learning_rate", "skipped", "gradient_norm", "score")


class Log(Protocol):
    """What takes the numbers of each epoch; EventLog is one."""

    def write(self, step: int, values: Mapping[str, float], /) -> None:
        """Take the numbers of an epoch."""

    def rewind(self, step: int, /) -> None:
        """Forget what came after an epoch."""


@dataclass(frozen=True, eq=False)
class TrainingRecord:
    """What came of training.

    Attributes
    ----------
    history : DataFrame
        One row an epoch: epoch (from 1), loss (mean over the training part, without the L1 term),
        learning_rate, skipped (steps left out because half precision overflowed), gradient_norm
        (mean length before clipping), and score of the validation part where there is one.
    best_epoch : int
        Epoch of the highest score; without validation the last.
    stopped : bool
        True if patience ended training, not the number of epochs.
    weights : dict of str to Tensor
        The network's state after the best epoch, on the CPU.
    validation : ndarray of int
        Rows that were put aside; none of them was learnt from.
    """

    history: pd.DataFrame
    best_epoch: int
    stopped: bool
    weights: dict[str, torch.Tensor]
    validation: Rows


def full_batch_step(
    network: nn.Module, batches: Sequence[torch.Tensor], loss_of_outputs: LossOfOutputs
) -> None:
    """Leave gradients of the loss of one whole batch in the network.

    Raises
    ------
    StudyError
        The batch comes in several micro-batches.
    """
    if len(batches) > 1:
        raise StudyError(
            f"micro_batch: expected a step that accumulates over {len(batches)} micro-batches; "
            "found one of whole batches. Give train() such a step, or leave micro_batch out."
        )
    loss_of_outputs(network(batches[0])).backward()


def train(
    network: nn.Module,
    data: TrainingData,
    loss: Loss,
    *,
    settings: TrainingSettings,
    validate: Validate | None = None,
    step: Step = full_batch_step,
    checkpoint_folder: Path | str | None = None,
    resume: bool = False,
    log: Log | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> TrainingRecord:
    """Train a network by Adam, and keep the weights that were best on the validation part.

    What holds of all runs, and an example: top of this module.

    Parameters
    ----------
    network
        float32 weights, trained in place; left with its best ones, in evaluation mode.
    data, settings
        Rows to learn from, and how.
    loss
        Outputs of a batch and its row numbers → scalar; an ``nn.Module`` if it has weights to
        train, too.
    validate
        Network, in evaluation mode, and rows put aside → score, higher is better.
    step
        Network, micro-batches of a batch and a function from the outputs of the whole batch to
        what is minimised; leaves gradients. For micro-batches: ``accumulation.accumulated_step``.
    checkpoint_folder, resume
        One folder a run; whether to go on from its checkpoint, or start where there is none yet.
    log
        Takes each epoch's numbers.
    recipe
        What else must be the same when going on (words of network and loss); JSON.

    Raises
    ------
    DataError
        Outputs, loss, gradient or score are not finite.
    StudyError, SchemaError
        What is asked for does not fit together; the checkpoint is of another recipe or network.
    """
    folder = _checked_folder(checkpoint_folder, resume)
    learning, aside = data.split(settings.validation_share, seed=settings.seed)
    _require_validation(validate, aside)
    run = TrainingRun(network, loss, settings)
    keep = None if folder is None else _Keeper(folder, run.recipe(data, recipe))
    if keep is not None and resume:
        keep.restore(run)
    if log is not None and resume:
        log.rewind(run.epoch)
    score = None if validate is None else _Scorer(validate, aside)
    _go_on(run, learning, step, score=score, keep=keep, log=log)
    return _record(run, aside)


class _Keeper(NamedTuple):
    """Where checkpoints of a recipe are kept."""

    folder: Path
    recipe: dict[str, Any]

    def restore(self, run: TrainingRun) -> None:
        found = latest_checkpoint(self.folder)
        if found is not None:
            run.restore(*read_checkpoint(found, self.recipe))

    def write(self, run: TrainingRun) -> None:
        write_checkpoint(self.folder, run.arrays(), run.card(self.recipe), epoch=run.epoch)


class _Scorer(NamedTuple):
    """What scores the validation part."""

    validate: Validate
    rows: Rows


def _go_on(
    run: TrainingRun,
    data: TrainingData,
    step: Step,
    *,
    score: _Scorer | None,
    keep: _Keeper | None,
    log: Log | None,
) -> None:
    """Take the epochs that are left."""
    settings = run.settings
    for epoch in progress(range(run.epoch + 1, settings.epochs + 1), "training"):
        if run.stopping.exhausted:
            break
        with seeded(settings.seed, epoch, run.device):
            told = run.learn(epoch, data, step)
            if score is not None:
                told["score"] = run.score(*score)
        run.close(epoch, told)
        if log is not None:
            log.write(epoch, {name: n for name, n in told.items() if name != "epoch"})
        last = epoch == settings.epochs or run.stopping.exhausted
        if keep is not None and (last or epoch % settings.checkpoint_every == 0):
            keep.write(run)


def _record(run: TrainingRun, aside: Rows) -> TrainingRecord:
    table = pd.DataFrame(run.history)
    return TrainingRecord(
        history=table[[name for name in COLUMNS if name in table]],
        best_epoch=run.best_epoch,
        stopped=run.stopping.exhausted,
        weights=run.finish(),
        validation=aside,
    )


def _checked_folder(folder: Path | str | None, resume: bool) -> Path | None:
    if folder is None:
        if resume:
            raise StudyError(
                "resume: expected a checkpoint_folder to go on from; found none. Name the folder."
            )
        return None
    found = Path(folder)
    there = latest_checkpoint(found)
    if there is not None and not resume:
        raise StudyError(
            f"checkpoint_folder: expected none of an earlier run; found {there.name} in {found}. "
            "Resume that run, or take another folder."
        )
    return found


def _require_validation(validate: Validate | None, rows: Rows) -> None:
    if (validate is None) == (len(rows) == 0):
        return
    raise StudyError(
        f"expected {'no rows' if validate is None else 'rows'} put aside for validation; found "
        f"{len(rows)}, and {'no' if validate is None else 'a'} function that scores them. "
        "Give both, or neither (validation_share 0)."
    )
