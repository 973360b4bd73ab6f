"""One loss of many heads: survival, auxiliary findings, reconstruction, and their weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.models.deep.cox_loss import cox_loss, single_at_least
from radiogenomics.stats.inputs import as_floats, survival_target

KINDS = ("cox", "binary", "number", "reconstruction")
FORMS = ("additive", "legacy_product")
RECONSTRUCTION = "reconstruction"


@dataclass(frozen=True, eq=False)
class MultiTaskTargets:
    """What the heads of a network are to say of each patient; NaN where it is not known.

    ``targets[rows]`` is the part of a batch.

    Parameters
    ----------
    times
        Head → follow-up in months, shape (n,); NaN where the outcome is unknown.
    events
        The same heads → whether the event was seen, bool, shape (n,).
    auxiliary
        Head → labels 0 and 1 or numbers, shape (n, k); NaN where unknown.

    Raises
    ------
    AlignmentError
        They differ in length, or a head has only one of time and event.

    Examples
    --------
    >>> y = np.array([(True, 3.0), (False, 5.0)], dtype=[("event", bool), ("time", float)])
    >>> targets = MultiTaskTargets.from_arrays({"os": y}, {"pvtt": [1, np.nan]})
    >>> targets[[1]].times, targets[[1]].auxiliary
    ({'os': tensor([5.], dtype=torch.float64)}, {'pvtt': tensor([[nan]], dtype=torch.float64)})
    """

    times: Mapping[str, Tensor]
    events: Mapping[str, Tensor]
    auxiliary: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        """Refuse what cannot be of the same patients."""
        parts = (*self.times.values(), *self.events.values(), *self.auxiliary.values())
        lengths = {len(part) for part in parts}
        if len(lengths) != 1 or set(self.times) != set(self.events):
            raise AlignmentError(
                "expected time and event of each survival head, and as many patients in all; "
                f"found lengths {sorted(lengths)}, times of {short_list(self.times) or 'none'} and "
                f"events of {short_list(self.events) or 'none'}. Align them by patient."
            )

    @classmethod
    def from_arrays(
        cls, survival: Mapping[str, Any], auxiliary: Mapping[str, ArrayLike] | None = None
    ) -> Self:
        """Check outcomes and auxiliary findings of all patients, once.

        Parameters
        ----------
        survival
            Head → structured array of event and time; a time of NaN says that it is unknown.
        auxiliary
            Head → values, shape (n,) or (n, k), NaN where unknown. Bring numbers to a scale of
            about 1: standardise them, or as the released code of the MMF system, ln(age) / 4.75.

        Raises
        ------
        OutcomeError
            Outcomes that cannot be analysed, or no event among all patients.
        DataError
            Values are not numbers, infinite, or all unknown.
        AlignmentError
            The arrays differ in length.
        """
        outcomes = {head: _outcome(y) for head, y in survival.items()}
        return cls(
            {head: time for head, (time, _) in outcomes.items()},
            {head: event for head, (_, event) in outcomes.items()},
            {head: _values(values, head) for head, values in (auxiliary or {}).items()},
        )

    def __len__(self) -> int:
        """Patients."""
        return len(next(iter((*self.times.values(), *self.auxiliary.values()))))

    def __getitem__(self, rows: ArrayLike) -> Self:
        """Return the targets of some patients, by their positions, in that order."""
        place = np.atleast_1d(np.asarray(rows))
        whole = place.dtype.kind in "iu" or not place.size
        if not whole or (place < 0).any() or (place >= len(self)).any():
            raise AlignmentError(
                f"expected whole numbers from 0 below {len(self)} as positions of patients; found "
                "others. Count the rows of the arrays that the targets were made with."
            )
        chosen = torch.from_numpy(place.astype(np.int64))
        return self._each(lambda part: part[chosen.to(part.device)])

    def to(self, device: torch.device | str) -> Self:
        """Return the targets on a device."""
        return self._each(lambda part: part.to(device))

    def _each(self, change: Any) -> Self:
        groups = (self.times, self.events, self.auxiliary)
        return type(self)(
            *({head: change(part) for head, part in group.items()} for group in groups)
        )


def _outcome(y: Any) -> tuple[Tensor, Tensor]:
    target = np.asarray(y)
    known = np.ones(len(target), dtype=bool)
    if target.dtype.names:
        known = ~np.isnan(as_floats(target[target.dtype.names[-1]], "follow-up times"))
    time, event = np.full(len(target), np.nan), np.zeros(len(target), dtype=bool)
    time[known], event[known] = survival_target(target[known])
    return torch.from_numpy(time), torch.from_numpy(event)


def _values(values: ArrayLike, head: str) -> Tensor:
    array = as_floats(values, f"targets of head {head!r}")
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or np.isinf(array).any() or np.isnan(array).all():
        raise DataError(
            f"targets of head {head!r}: expected shape (n,) or (n, k), finite or NaN for unknown, "
            f"and some of them known; found shape {array.shape}, {int(np.isinf(array).sum())} "
            f"infinite, {int(np.isnan(array).sum())} unknown. Mend them, or leave the head out."
        )
    return torch.from_numpy(array.copy())


def binary_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of yes-or-no findings, over those that are known.

    Logits, higher for 1, and labels 1, 0 or NaN (unknown: neither loss nor gradient) have shape
    (n, k); DataError where they differ in it, nothing is known, or a label is something else.

    Examples
    --------
    >>> binary_loss(torch.zeros(2, 1), torch.tensor([[1.0], [torch.nan]])).item()
    0.6931
    """
    said, truth = _known(logits, labels)
    if not bool(((truth == 0) | (truth == 1)).all()):
        raise DataError(
            "expected labels 0, 1 and NaN for unknown; found others. "
            "Recode the finding, or make its head one of numbers."
        )
    return functional.binary_cross_entropy_with_logits(said, truth)


def number_loss(predictions: Tensor, numbers: Tensor) -> Tensor:
    """Mean squared error of numbers, over those that are known.

    Both have shape (n, k); NaN is for unknown, which has neither loss nor gradient. DataError where
    they differ in shape or nothing is known.

    Examples
    --------
    >>> number_loss(torch.zeros(2, 1), torch.tensor([[3.0], [torch.nan]])).item()
    9.0
    """
    return functional.mse_loss(*_known(predictions, numbers))


def _known(said: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    if said.shape != truth.shape:
        raise DataError(
            f"expected outputs and targets of one shape (n, k); found {tuple(said.shape)} and "
            f"{tuple(truth.shape)}. Give the head as many outputs as its target has columns."
        )
    known = ~torch.isnan(truth)
    if not bool(known.any()):
        raise DataError(
            f"expected some known targets; found none of {truth.numel()}. Leave the head out here."
        )
    # Picked, not multiplied by 0: 0 times NaN is NaN, in the gradient too.
    wide = single_at_least(said[known])
    return wide, truth[known].to(wide.dtype)


class MultiTaskLoss(nn.Module):
    r"""The losses of all heads as one, with weights that are learnt.

    Additive, the default: :math:`\sum_k e^{-s_k} L_k + s_k`. Each :math:`s_k` plays the log
    variance of its head: for a fixed loss the best is :math:`s_k = \log L_k`, so heads of whatever
    scale come to weigh alike. The :math:`s_k` start at 0 and are parameters of this module: **give
    them to the optimiser**, ``Adam([*network.parameters(), *loss.parameters()])``. They move by
    about the learning rate a step, so they may want a rate of their own.

    ``legacy_product`` is what the released code of the MMF system does:
    :math:`[\sum_{k \ne m} e^{-s_k} L_k + s_k] \cdot \log_{10}(\sum |W|) \cdot L_m` over the weights
    W of the network and its main head m. There the :math:`s_k` were never given to the optimiser.
    The product misleads: a head is learnt the less the better the main one is known, not at all
    from a batch without events, and the weights of the network shrink by how badly it does. For
    replication only; `as_released` sets what goes with it.

    An additive weight grows without bound where a loss goes to 0, as on a few patients known by
    heart: stop by the validation part. What is unknown in a batch takes no part, its :math:`s_k`
    neither.

    Parameters
    ----------
    heads
        Head → ``"cox"`` (one output, higher is worse), ``"binary"`` (logits), ``"number"`` (mean
        squared error) or ``"reconstruction"`` (an error a patient, as `head_outputs` of
        `radiogenomics.models.deep.accumulation` gives it).
    form
        ``"additive"`` or ``"legacy_product"``.
    main
        The survival head that multiplies the others; for ``legacy_product`` only.
    ties, mean_over
        As of `cox_loss`.
    learned
        Whether the :math:`s_k` are trained; otherwise they stay 0, each head weighing 1.
    allow_no_events
        Whether a survival head without events in a batch, and a batch in which nothing is known,
        are passed over; otherwise that is an error.

    Raises
    ------
    UnknownNameError
        A kind of head or a form is unknown.
    SchemaError
        No head, or no main head of survival and another where the form needs them.

    References
    ----------
    Kendall, Gal and Cipolla, CVPR 2018, arXiv:1705.07115.

    Examples
    --------
    >>> loss = MultiTaskLoss({"age": "number"})
    >>> targets = MultiTaskTargets.from_arrays({}, {"age": [0.0, 4.0]})
    >>> loss({"age": torch.zeros(2, 1)}, targets).item()
    8.0
    """

    def __init__(
        self,
        heads: Mapping[str, str],
        *,
        form: str = "additive",
        main: str | None = None,
        ties: str = "efron",
        mean_over: str = "events",
        learned: bool = True,
        allow_no_events: bool = False,
    ) -> None:
        super().__init__()
        for kind in heads.values():
            if kind not in KINDS:
                raise UnknownNameError("kind of head", kind, KINDS)
        if form not in FORMS:
            raise UnknownNameError("form of a loss of many heads", form, FORMS)
        product = form == "legacy_product"
        if not heads or (product and (heads.get(main or "") != "cox" or len(heads) < 2)):
            raise SchemaError(
                "expected heads and, for legacy_product, a main one of survival beside others; "
                f"found {short_list(heads) or 'none'}, main {main!r}. Name the heads to train."
            )
        self.heads = dict(heads)
        self.main = main if product else None
        self.ties, self.mean_over, self.allow_no_events = ties, mean_over, allow_no_events
        self.weighted = tuple(head for head in heads if head != self.main)
        self.log_variance = nn.Parameter(torch.zeros(len(self.weighted)), requires_grad=learned)

    @classmethod
    def as_released(cls, heads: Mapping[str, str], main: str) -> Self:
        """Return the loss of the released code: its product, Breslow ties, mean over patients."""
        return cls(
            heads,
            form="legacy_product",
            main=main,
            ties="breslow",
            mean_over="patients",
            learned=False,
            allow_no_events=True,
        )

    def weights(self) -> dict[str, float]:
        """Weight of each head now, exp(-s)."""
        return dict(zip(self.weighted, torch.exp(-self.log_variance).tolist(), strict=True))

    def parts(self, outputs: Mapping[str, Tensor], targets: MultiTaskTargets) -> dict[str, Tensor]:
        """Loss of each head that has something known in this batch, unweighted scalars.

        Raises
        ------
        SchemaError
            A head has no output or no target.
        OutcomeError
            A survival head has no event, unless that is allowed.
        DataError
            Outputs and targets do not fit.
        """
        found = {head: self._part(head, outputs, targets) for head in self.heads}
        return {head: part for head, part in found.items() if part is not None}

    def _part(
        self, head: str, outputs: Mapping[str, Tensor], targets: MultiTaskTargets
    ) -> Tensor | None:
        kind = self.heads[head]
        known = targets.times if kind == "cox" else targets.auxiliary
        if head not in outputs or (kind != RECONSTRUCTION and head not in known):
            raise SchemaError(
                f"expected an output and a target of head {head!r}; found outputs of "
                f"{short_list(outputs) or 'none'} and targets of {short_list(known) or 'none'}. "
                "Name the heads of network, loss and targets alike."
            )
        said = outputs[head]
        if kind == RECONSTRUCTION:
            return single_at_least(said).mean()
        truth = known[head].to(said.device)
        seen = ~torch.isnan(truth)
        if kind == "cox":
            event = targets.events[head].to(said.device)
            if self.allow_no_events and not bool(event.any()):
                return None
            return cox_loss(
                said[seen], truth[seen], event[seen], ties=self.ties, mean_over=self.mean_over
            )
        if not bool(seen.any()):
            return None
        return (binary_loss if kind == "binary" else number_loss)(said, truth)

    def forward(
        self,
        outputs: Mapping[str, Tensor],
        targets: MultiTaskTargets,
        network: nn.Module | None = None,
    ) -> Tensor:
        """Return the weighted loss, a scalar.

        Parameters
        ----------
        outputs
            Head → shape (n, k).
        targets
            Of the same patients.
        network
            Whose weights multiply, for ``legacy_product``.

        Raises
        ------
        SchemaError
            A head has no output or no target, or a network is needed.
        OutcomeError
            Nothing is known in this batch, unless that is allowed.
        """
        parts = self.parts(outputs, targets)
        if not parts and not self.allow_no_events:
            raise OutcomeError(
                f"expected something known in a batch; found nothing of {short_list(self.heads)} "
                f"among {len(targets)} patients. Draw batches that hold outcomes."
            )
        multiplier: Tensor | float = 1.0
        if self.main is not None:
            multiplier = parts.pop(self.main, 0.0) * _log_weights(network)
        terms = [
            torch.exp(-s) * parts[head] + s
            for head, s in zip(self.weighted, self.log_variance, strict=True)
            if head in parts
        ]
        # Where nothing is known, a 0 that can be gone back from.
        terms = terms or [0.0 * single_at_least(said).sum() for said in outputs.values()]
        return torch.stack(terms).sum() * multiplier


def _log_weights(network: nn.Module | None) -> Tensor:
    """Base-10 logarithm of the summed absolute weights of a network."""
    if network is None:
        raise SchemaError(
            "expected the network whose weights multiply in legacy_product; found none. "
            "Give it as third argument, or take the additive form."
        )
    return torch.stack([weight.abs().sum() for weight in network.parameters()]).sum().log10()
