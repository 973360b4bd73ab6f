"""Between tables of patients and training by rows: who is put aside, targets, answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from radiogenomics.core.errors import AlignmentError
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.models.deep.auxiliary_heads import HeadPlan
from radiogenomics.models.deep.multi_task import MultiTaskLoss, MultiTaskTargets
from radiogenomics.models.deep.networks import Network
from radiogenomics.models.deep.training_data import Rows, TrainingData, outputs_by_batch
from radiogenomics.models.deep.training_run import Validate
from radiogenomics.models.deep.training_settings import TrainingSettings
from radiogenomics.stats.inputs import Floats

# Share of their first value that running averages may still hold.
LAG = 0.01
# Three or more, split evenly into parts of at most three or more, leave nobody alone.
NO_LONE_PATIENT = 3


class Task(NamedTuple):
    """What the main head learns, from whom, and what says when to stop.

    Attributes
    ----------
    data : TrainingData
        The training part; rows put aside, if any, as its ``validation``.
    target : ndarray
        Of every row of the scans, known of all of ``data``: structured array of event and time, or
        0 and 1.
    settings : TrainingSettings
        With the seed of this fit.
    validate : callable
        Network and rows put aside → score, higher is better.
    """

    data: TrainingData
    target: NDArray[Any]
    settings: TrainingSettings
    validate: Validate


class RowLoss(nn.Module):
    """A loss of many heads that finds the targets of a batch by its row numbers.

    Parameters
    ----------
    loss
        Its weights are trained with the network's.
    targets
        Of every row of the scans.
    network
        Whose weights multiply in ``legacy_product``; else None.
    """

    def __init__(
        self, loss: MultiTaskLoss, targets: MultiTaskTargets, network: nn.Module | None
    ) -> None:
        super().__init__()
        self.loss, self.targets = loss, targets
        # In a tuple, or the network's weights would count as the loss's own.
        self._network = (network,)

    def forward(self, outputs: Mapping[str, Tensor], rows: Rows) -> Tensor:
        """Return the weighted loss of a batch, a scalar."""
        found: Tensor = self.loss(outputs, self.targets[rows], self._network[0])
        return found


def put_aside(data: TrainingData, settings: TrainingSettings) -> TrainingData:
    """Return the training part, with the rows that say when to stop as its ``validation``.

    Raises
    ------
    DataError
        A part would be empty, or without events where they are needed.
    """
    learning, aside = data.split(settings.validation_share, seed=settings.seed)
    return replace(learning, validation=aside) if len(aside) else learning


def held_out(data: TrainingData) -> Rows:
    """Rows put aside, or where there are none those of the training part."""
    return np.unique(data.rows) if data.validation is None else data.validation


def of_each_row(values: NDArray[Any], rows: Rows, *, size: int) -> NDArray[Any]:
    """Spread values of some rows over all; what stands elsewhere is never read.

    Raises
    ------
    AlignmentError
        A row has two values.
    """
    spread = np.zeros(size, dtype=values.dtype)
    spread[rows] = values
    twice = int((spread[rows] != values).sum())
    if twice:
        raise AlignmentError(
            f"expected one outcome of each patient; found another for {twice} rows that stand "
            "more than once in X. Look for rows of y in another order."
        )
    return spread


def row_targets(plan: HeadPlan, table: pd.DataFrame, task: Task) -> MultiTaskTargets:
    """What the heads are to say of each row; unknown of all but the training part.

    Parameters
    ----------
    plan
        The heads.
    table
        Auxiliary facts of every row.
    task
        Whose rows are known.
    """
    learning = np.isin(np.arange(len(table)), task.data.rows)
    known = table.copy()
    known.loc[~learning] = np.nan
    survival, facts = plan.survival_targets(known), plan.auxiliary_targets(known)
    if plan.kind == "cox":
        main = task.target.copy()
        main["time"][~learning] = np.nan
        survival = {plan.main: main} | survival
    else:
        facts = {plan.main: np.where(learning, task.target, np.nan)} | facts
    return MultiTaskTargets.from_arrays(survival, facts)


def fingerprint(targets: MultiTaskTargets) -> str:
    """SHA-256 of what the heads are to say."""
    made = hashlib.sha256()
    for group in (targets.times, targets.events, targets.auxiliary):
        for name, values in group.items():
            made.update(name.encode())
            made.update(values.numpy().tobytes())
    return made.hexdigest()


def without_lone_patients(settings: TrainingSettings) -> TrainingSettings:
    """Return settings by which no batch or micro-batch of several patients leaves one alone.

    Examples
    --------
    >>> without_lone_patients(TrainingSettings(batch_size=2, micro_batch=2)).micro_batch
    3
    """
    micro = settings.micro_batch
    return replace(
        settings,
        batch_size=max(NO_LONE_PATIENT, settings.batch_size),
        micro_batch=None if micro is None else max(NO_LONE_PATIENT, micro),
    )


def settle_norms(network: nn.Module, data: TrainingData, *, batch_size: int) -> None:
    """Take the averages of batch normalisation from the whole training part, while they lag.

    Running averages move by a share of each batch, the momentum: by 0.01 in EfficientNet, so that
    after 100 steps a third of what they started from is left. A network judged by such averages
    seems to know less than it does, and would be stopped at the wrong epoch. Once they have caught
    up nothing is done.

    Parameters
    ----------
    network
        Left in evaluation mode; its weights are not touched. Dropout draws from torch's generator.
    data
        The training part.
    batch_size
        Patients at once; no batch of several leaves one alone.
    """
    norms: list[Any] = [
        module
        for module in network.modules()
        if isinstance(module, BatchNorm) and module.track_running_stats and module.momentum
    ]
    steps = [int(norm.num_batches_tracked) for norm in norms]
    lags = [(1 - norm.momentum) ** n for norm, n in zip(norms, steps, strict=True)]
    if max(lags, default=0.0) > LAG:
        rows, device = np.unique(data.rows), next(network.parameters()).device
        parts = np.array_split(rows, -(-len(rows) // max(NO_LONE_PATIENT, batch_size)))
        torch.optim.swa_utils.update_bn((data.tensor(part, device) for part in parts), network)
        for norm, n in zip(norms, steps, strict=True):
            norm.num_batches_tracked.fill_(n)
    network.eval()


def reconstructs(network: Network, scans: ScanArrays, row: int) -> bool:
    """Whether the network draws the scan again, which is then part of its loss."""
    _, said = next(outputs_by_batch(network, scans, [row]))
    return said.reconstruction is not None


def heads_said(
    network: nn.Module, scans: ScanArrays, rows: Rows, *, batch_size: int
) -> dict[str, Floats]:
    """Head → what the network says of some rows, shape (n, k)."""
    parts = [
        {head: as_array(tensor) for head, tensor in said.outputs.items()}
        for _, said in outputs_by_batch(network, scans, rows, batch_size=batch_size)
    ]
    return {head: np.concatenate([part[head] for part in parts]) for head in parts[0]}


def as_array(tensor: Tensor) -> Floats:
    """Return a tensor as floats on the CPU."""
    return tensor.to("cpu", torch.float64).numpy()
