"""A training run between two epochs: what a checkpoint holds of it, and how it moves on."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from radiogenomics.core.errors import DataError, StudyError, short_list
from radiogenomics.models.deep.augmentation import augmented
from radiogenomics.models.deep.checkpoints import (
    Arrays,
    as_json,
    from_json,
    load_optimiser,
    module_arrays,
    optimiser_arrays,
    part,
    tensors_like,
    under,
)
from radiogenomics.models.deep.devices import (
    InPrecision,
    pick_device,
    pick_precision,
    tensors_of,
)
from radiogenomics.models.deep.early_stopping import EarlyStopping
from radiogenomics.models.deep.training_data import Rows, TrainingData
from radiogenomics.models.deep.training_settings import TrainingSettings

Loss = Callable[[Any, Rows], torch.Tensor]
LossOfOutputs = Callable[[Any], torch.Tensor]
Step = Callable[[nn.Module, Sequence[torch.Tensor], LossOfOutputs], object]
Validate = Callable[[nn.Module, Rows], float]
# Of the settings, what may differ between a run and its continuation; what device and precision
# came to is compared instead of the words.
FREE = ("checkpoint_every", "device", "precision")


class TrainingRun:
    """Network, loss, optimiser, schedule and what was best: all that a checkpoint holds.

    Parameters
    ----------
    network, loss, settings
        As of :func:`radiogenomics.models.deep.training.train`.

    Attributes
    ----------
    epoch, best_epoch : int
        Epochs behind it, and which was the best.
    history : list of dict
        Numbers of each epoch.
    best : dict of str to ndarray
        State after the best epoch.
    """

    def __init__(self, network: nn.Module, loss: Loss, settings: TrainingSettings) -> None:
        self.settings, self.loss = settings, loss
        self.device = pick_device(settings.device)
        self.precision = pick_precision(settings.precision, self.device)
        self.parts = {"network": network.to(self.device)}
        if isinstance(loss, nn.Module):
            self.parts["loss"] = loss.to(self.device)
        self.computing = InPrecision(network, self.precision)
        self.weights = _trainable(network)
        known = set(map(id, self.weights))
        own = [w for w in self._loss_weights() if id(w) not in known]
        groups = [{"params": self.weights, "weight_decay": settings.weight_decay}]
        if own:
            rate = settings.loss_learning_rate or settings.learning_rate
            groups.append({"params": own, "weight_decay": 0.0, "lr": rate})
        self.trained = [*self.weights, *own]
        self.optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate)
        self.schedule = _schedule(self.optimiser, settings)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.precision == "fp16")
        self.stopping = EarlyStopping(settings.patience, settings.minimum_delta)
        self.epoch = self.best_epoch = 0
        self.history: list[dict[str, float]] = []
        self.best: Arrays = {}

    def _loss_weights(self) -> list[nn.Parameter]:
        found = self.parts.get("loss")
        return [] if found is None else [w for w in found.parameters() if w.requires_grad]

    def learn(self, epoch: int, data: TrainingData, step: Step) -> dict[str, float]:
        """Take the steps of an epoch; return its numbers."""
        for module in self.parts.values():
            module.train()
        batches = data.batches(self.settings.batch_size, seed=self.settings.seed, epoch=epoch)
        losses, norms = [], []
        for number, rows in enumerate(batches, start=1):
            where = f"epoch {epoch}, batch {number} of {len(batches)}"
            values = data.tensor(rows, self.device)
            if self.settings.augment is not None:
                values = augmented(
                    values,
                    rows,
                    augmentation=self.settings.augment,
                    seed=self.settings.seed,
                    epoch=epoch,
                )
            losses.append(self._gradients(values, rows, step=step, where=where) * len(rows))
            norms.append(self._move(where))
        used = [norm for norm in norms if math.isfinite(norm)]
        told = {
            "epoch": epoch,
            "loss": sum(losses) / len(data.rows),
            "learning_rate": float(self.optimiser.param_groups[0]["lr"]),
            "skipped": len(norms) - len(used),
        }
        return told | ({"gradient_norm": sum(used) / len(used)} if used else {})

    def _gradients(self, values: torch.Tensor, rows: Rows, *, step: Step, where: str) -> float:
        """Leave the gradients of a batch; return its loss."""
        size = self.settings.micro_batch or len(rows)
        taken: list[float] = []

        def loss_of_outputs(outputs: Any) -> torch.Tensor:
            _require_finite_outputs(outputs, rows, where)
            loss = self.loss(outputs, rows)
            taken.append(float(loss.detach()))
            if not math.isfinite(taken[-1]):
                raise DataError(
                    f"{where}: expected a finite loss; found {taken[-1]} although the outputs of "
                    f"all {len(rows)} rows are finite. Look for missing or infinite targets."
                )
            return self.scaler.scale(loss)

        self.optimiser.zero_grad(set_to_none=True)
        step(self.computing, values.tensor_split(-(-len(rows) // size)), loss_of_outputs)
        if self.settings.l1:
            total = torch.stack([weight.abs().sum() for weight in self.weights]).sum()
            self.scaler.scale(self.settings.l1 * total).backward()
        return taken[-1]

    def _move(self, where: str) -> float:
        """Take the step; return the length of the gradient, infinite if the step was left out."""
        self.scaler.unscale_(self.optimiser)
        longest = math.inf if self.settings.clip is None else self.settings.clip
        norm = float(nn.utils.clip_grad_norm_(self.trained, longest))
        if not math.isfinite(norm) and not self.scaler.is_enabled():
            raise DataError(
                f"{where}: expected a finite gradient; found length {norm} although the loss is "
                "finite. Lower the learning rate, or look for divisions by zero in the network."
            )
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return norm if math.isfinite(norm) else math.inf

    def score(self, validate: Validate, rows: Rows) -> float:
        """Score of the validation part."""
        for module in self.parts.values():
            module.eval()
        with torch.no_grad():
            return float(validate(self.parts["network"], rows))

    def close(self, epoch: int, told: dict[str, float]) -> None:
        """End an epoch: is it the best, is it enough, and how fast to go on."""
        self.epoch = epoch
        self.history.append(told)
        score = told.get("score")
        if score is None or self.stopping.update(epoch, score):
            self.best_epoch = epoch
            self.best = self._state()
        if isinstance(self.schedule, torch.optim.lr_scheduler.ReduceLROnPlateau):
            self.schedule.step(-told["loss"] if score is None else score)
        elif self.schedule is not None:
            self.schedule.step()

    def _state(self) -> Arrays:
        made: Arrays = {}
        for name, module in self.parts.items():
            made |= under(name, module_arrays(module))
        return made

    def recipe(self, data: TrainingData, more: Mapping[str, Any] | None) -> dict[str, Any]:
        """What must be the same when going on, as JSON."""
        made = {
            "architecture": type(self.parts["network"]).__name__,
            "settings": {k: v for k, v in self.settings.words().items() if k not in FREE},
            "device": self.device.type,
            "precision": self.precision,
            "data": data.fingerprint(),
            "more": dict(more or {}),
        }
        found: dict[str, Any] = json.loads(json.dumps(made))
        return found

    def arrays(self) -> Arrays:
        """Weights, best weights and moments, each under a name of its own."""
        moments = under("optimiser", optimiser_arrays(self.optimiser))
        return under("now", self._state()) | under("best", self.best) | moments

    def card(self, same: Mapping[str, Any]) -> dict[str, Any]:
        """All else that going on needs, and what the checkpoint is."""
        state = {
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "history": self.history,
            "stopping": self.stopping.state(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "rates": [float(group["lr"]) for group in self.optimiser.param_groups],
        }
        return {
            "kind": "checkpoint",
            "architecture": same["architecture"],
            "settings": self.settings.words(),
            "recipe": dict(same),
            "run": as_json(state),
            "software": {"python": platform.python_version(), "torch": str(torch.__version__)},
        }

    def restore(self, arrays: Arrays, card: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        state = from_json(card["run"])
        now = part("now", arrays)
        # All is checked before anything is changed.
        loaded = {name: tensors_like(m, part(name, now)) for name, m in self.parts.items()}
        for name, module in self.parts.items():
            module.load_state_dict(loaded[name])
        load_optimiser(self.optimiser, part("optimiser", arrays), state["rates"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(state["scaler"])
        self.stopping.restore(state["stopping"])
        self.epoch, self.best_epoch = state["epoch"], state["best_epoch"]
        self.history = state["history"]
        self.best = part("best", arrays)

    def finish(self) -> dict[str, torch.Tensor]:
        """Put the best weights back, and return the network's."""
        loaded = {
            name: tensors_like(module, part(name, self.best)) for name, module in self.parts.items()
        }
        for name, module in self.parts.items():
            module.load_state_dict(loaded[name])
            module.eval()
        return loaded["network"]


def _trainable(network: nn.Module) -> list[nn.Parameter]:
    found = [weight for weight in network.parameters() if weight.requires_grad]
    wrong = [name for name, w in network.named_parameters() if w.dtype != torch.float32]
    if wrong or not found:
        raise StudyError(
            "expected a network of float32 weights, some of which can be trained; found "
            f"{len(found)} to train, of another type: {short_list(wrong) or 'none'}. "
            "Unfreeze a part, and let settings.precision say how to compute."
        )
    return found


def _schedule(optimiser: torch.optim.Optimizer, settings: TrainingSettings) -> Any:
    if settings.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    if settings.schedule == "none":
        return None
    return torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser,
        mode="max",
        factor=settings.plateau_factor,
        patience=settings.plateau_patience,
        threshold=settings.minimum_delta,
        threshold_mode="abs",
    )


def _require_finite_outputs(outputs: Any, rows: Rows, where: str) -> None:
    broken = np.zeros(len(rows), dtype=bool)
    for tensor in tensors_of(outputs):
        if tensor.ndim and len(tensor) == len(rows):
            finite = torch.isfinite(tensor.detach()).reshape(len(rows), -1).all(dim=1)
            broken |= ~finite.cpu().numpy()
    if broken.any():
        places = np.flatnonzero(broken)
        raise DataError(
            f"{where}: expected finite outputs of the network; found NaN or infinite ones for "
            f"{len(places)} of {len(rows)} rows of the batch (positions {short_list(places)}; "
            f"rows {short_list(rows[places])} of the scans). If few, look at these scans; if all, "
            "lower the learning rate, clip gradients or use fp32."
        )
