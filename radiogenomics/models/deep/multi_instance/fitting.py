"""Fit a network of bags to labels, and stop when patients set aside no longer gain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.core.log import progress
from radiogenomics.models.deep.early_stopping import EarlyStopping
from radiogenomics.models.deep.multi_instance.transformer import (
    BagTensors,
    MultiInstanceTransformer,
)

LARGEST_GRADIENT = 1.0
PATIENTS_AT_ONCE = 64


@dataclass(frozen=True)
class FittingRule:
    """How the network is fitted: AdamW on the mean logistic loss of mini-batches of patients.

    Parameters
    ----------
    epochs
        Passes over the patients, at most.
    batch_size
        Patients a step.
    learning_rate, weight_decay
        Of AdamW.
    patience
        Passes without a gain on the patients set aside, after which fitting stops; None: never.

    Raises
    ------
    DataError
        A number is not possible.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    patience: int | None

    def __post_init__(self) -> None:
        """Refuse numbers with which nothing could be learnt."""
        patience = 1 if self.patience is None else self.patience
        if min(self.epochs, self.batch_size, patience) < 1:
            raise DataError(
                "expected epochs, batch_size and patience of at least 1; found "
                f"{self.epochs}, {self.batch_size} and {self.patience}. Mend them."
            )
        if not (self.learning_rate > 0 and self.weight_decay >= 0):
            raise DataError(
                "expected a learning_rate above 0 and a weight_decay of at least 0; found "
                f"{self.learning_rate} and {self.weight_decay}. Mend them."
            )


class Parts(NamedTuple):
    """Rows that teach and rows that say when to stop; the second may be empty."""

    training: NDArray[np.intp]
    validation: NDArray[np.intp]


def inner_parts(code: NDArray[np.intp], share: float, *, seed: int) -> Parts:
    """Deal patients to an inner training and validation part, balanced by class.

    Parameters
    ----------
    code
        Class of each patient, 0 or 1, shape (n,).
    share
        Part of each class that is set aside, 0 to below 1; at least one patient, unless it is 0.

    Raises
    ------
    DataError
        The share is not possible.
    OutcomeError
        A class has one patient, who cannot be in both parts.
    """
    if not 0 <= share < 1:
        raise DataError(
            f"validation_share: expected 0 to below 1; found {share}. Mend it: 0 sets nobody aside."
        )
    if share == 0:
        return Parts(np.arange(len(code)), np.arange(0))
    rng = np.random.default_rng(seed)
    aside = []
    for number in (0, 1):
        own = rng.permutation(np.flatnonzero(code == number))
        if len(own) < 2:
            raise OutcomeError(
                "expected at least two patients of each class, one of them to say when to stop; "
                f"found {len(own)}. Set validation_share=0, or use more patients."
            )
        aside.append(own[: min(max(1, round(share * len(own))), len(own) - 1)])
    validation = np.sort(np.concatenate(aside))
    return Parts(np.setdiff1d(np.arange(len(code)), validation), validation)


def fit_network(
    network: MultiInstanceTransformer,
    bags: BagTensors,
    code: NDArray[np.intp],
    *,
    parts: Parts,
    rule: FittingRule,
    device: torch.device,
) -> pd.DataFrame:
    """Fit in place; with a validation part the weights of its best pass are kept.

    Draws from torch's global generator: seed it before.

    Parameters
    ----------
    network
        Standardised by :meth:`~MultiInstanceTransformer.standardise_by`; on ``device``.
    bags, code
        All patients and their classes, 0 or 1.
    parts
        Who teaches, and who says when to stop.

    Returns
    -------
    DataFrame
        ``epoch, training_loss, validation_loss``: mean logistic losses; the first is the mean over
        the steps of the pass, with dropout; the second is NaN without a validation part.

    Raises
    ------
    DataError
        A loss is not finite.
    """
    target = torch.as_tensor(code, dtype=torch.float32)
    training = torch.as_tensor(parts.training)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=rule.learning_rate, weight_decay=rule.weight_decay
    )
    stopping, kept = EarlyStopping(rule.patience), None
    rows = []
    for epoch in progress(range(1, rule.epochs + 1), "epochs"):
        network.train()
        losses = []
        for some in training[torch.randperm(len(training))].split(rule.batch_size):
            logit = network(bags.at(some, device)).logit
            losses.append(_losses(logit, target[some], rows=some, epoch=epoch))
            _step(optimiser, losses[-1].mean(), network)
        found = _validation_loss(network, bags, target, rows=parts.validation, epoch=epoch)
        rows.append((epoch, _mean(losses), found))
        if len(parts.validation):
            if stopping.update(epoch, -found):
                kept = {name: part.clone() for name, part in network.state_dict().items()}
            if stopping.exhausted:
                break
    if kept is not None:
        network.load_state_dict(kept)
    network.eval()
    return pd.DataFrame(rows, columns=["epoch", "training_loss", "validation_loss"])


def scored(network: MultiInstanceTransformer, bags: BagTensors) -> Iterator[tuple[Tensor, Tensor]]:
    """Log-odds (k,) and attention (k, instances) of patients, some at once, without dropout."""
    device = network.mean.device
    network.eval()
    size = bags.real.shape[1]
    for some in torch.arange(len(bags.real)).split(PATIENTS_AT_ONCE):
        with torch.inference_mode():
            found = network(bags.at(some, device))
        padding = 0, size - found.attention.shape[1]
        yield found.logit.cpu(), nn.functional.pad(found.attention, padding).cpu()


def _step(optimiser: torch.optim.Optimizer, loss: Tensor, network: nn.Module) -> None:
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
    optimiser.step()


def _mean(losses: list[Tensor]) -> float:
    return float(torch.cat([loss.detach() for loss in losses]).double().mean())


def _losses(logit: Tensor, target: Tensor, *, rows: Tensor, epoch: int) -> Tensor:
    """Logistic loss of each patient."""
    loss = nn.functional.binary_cross_entropy_with_logits(
        logit, target.to(logit.device), reduction="none"
    )
    broken = ~torch.isfinite(loss.detach()).cpu()
    if broken.any():
        at = ", ".join(str(int(row)) for row in rows[broken][:5])
        raise DataError(
            f"expected finite losses; found {int(broken.sum())} that are not in pass {epoch}, "
            f"first at the patients in rows {at} of X. Lower the learning_rate, or look at their "
            "features."
        )
    return loss


def _validation_loss(
    network: MultiInstanceTransformer,
    bags: BagTensors,
    target: Tensor,
    *,
    rows: NDArray[np.intp],
    epoch: int,
) -> float:
    """Mean loss of the patients set aside; NaN when there are none."""
    if not len(rows):
        return float("nan")
    places = torch.as_tensor(rows)
    own = BagTensors(*(part[places] for part in bags))
    logit = torch.cat([found for found, _ in scored(network, own)])
    return _mean([_losses(logit, target[places], rows=places, epoch=epoch)])
