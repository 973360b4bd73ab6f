"""Which rows a network learns from, which it is stopped by, and how they come in batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from radiogenomics.core.errors import AlignmentError, DataError, LeakageError, OutcomeError

Rows = NDArray[np.intp]
# Keep the draws of the split and of the batches apart.
SPLIT, BATCHES = 11, 13


class RowSource(Protocol):
    """Where the values of row numbers come from; ScanArrays is one."""

    def at(self, rows: ArrayLike, /) -> NDArray[np.float32]:
        """Return the values of some rows, first axis the rows."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Rows of a source, and what must be spread evenly over parts and batches.

    Parameters
    ----------
    source
        Gives the values of row numbers.
    rows
        Row numbers to learn from, shape (n,). A patient drawn twice stands twice, and is put into
        one part as a whole.
    events
        Who had the event, bool, shape (n,): each batch will hold one at least, as the partial
        likelihood of Cox needs it. None: no batch needs anything.
    strata
        What else is to be spread evenly: class, centre; shape (n,).
    validation
        Row numbers put aside by the caller, whatever share the settings name; None: that share of
        ``rows`` will be drawn.

    Raises
    ------
    AlignmentError
        Rows, events and strata differ in number, or there are none.
    OutcomeError
        Nobody had the event.
    LeakageError
        A row stands in both parts.

    Examples
    --------
    >>> from radiogenomics.core.scan_arrays import ScanArrays
    >>> scans = ScanArrays(np.zeros((4, 1, 2, 2, 2), np.float32), ("A", "B", "C", "D"), ("v",))
    >>> data = TrainingData(scans, [0, 1, 2, 3], events=[True, False, True, False])
    >>> [int(data.events[batch].sum()) for batch in data.batches(2, seed=0, epoch=1)]
    [1, 1]
    """

    source: RowSource
    rows: Rows
    events: NDArray[np.bool_] | None = None
    strata: NDArray[Any] | None = None
    validation: Rows | None = None

    def __post_init__(self) -> None:
        """Refuse rows that do not fit together."""
        object.__setattr__(self, "rows", np.asarray(self.rows, dtype=np.intp).ravel())
        if self.events is not None:
            object.__setattr__(self, "events", np.asarray(self.events, dtype=bool).ravel())
        if self.strata is not None:
            object.__setattr__(self, "strata", np.asarray(self.strata).ravel())
        for name, values in (("events", self.events), ("strata", self.strata)):
            if values is not None and len(values) != len(self.rows):
                raise AlignmentError(
                    f"{name}: expected one for each of {len(self.rows)} rows; found {len(values)}. "
                    "Give them in the order of the rows."
                )
        if not len(self.rows):
            raise AlignmentError("expected rows to train on; found none. Add patients.")
        if self.events is not None and not self.events.any():
            raise OutcomeError(
                f"expected events among {len(self.rows)} training rows; found none. The partial "
                "likelihood cannot be learnt from: use a longer follow-up or more patients."
            )
        if self.validation is not None:
            object.__setattr__(self, "validation", np.asarray(self.validation, np.intp).ravel())
            shared = len(np.intersect1d(self.rows, self.validation))
            if shared:
                raise LeakageError(
                    f"expected other rows for validation than for training; found {shared} in "
                    "both. Take them out of one."
                )

    def split(self, share: float, *, seed: int) -> tuple[Self, Rows]:
        """Return the training part and the rows of the validation part.

        Rows that the caller put aside are used; else ``share`` of the different rows is drawn,
        evenly from those with and without events and from each stratum.

        Raises
        ------
        DataError
            A part would be empty, or without events where they are needed.
        """
        if self.validation is not None:
            return replace(self, validation=None), self.validation
        patients, first = np.unique(self.rows, return_index=True)
        wanted = round(share * len(patients))
        if not wanted:
            return self, np.array([], dtype=np.intp)
        rng = np.random.default_rng([seed, SPLIT])
        order = self._by_level(first, rng)
        # Every k-th of the patients sorted by level: each level gives its share, to within one.
        places = ((np.arange(wanted) + rng.random()) * len(order) / wanted).astype(int)
        aside = patients[order[places]]
        if self.events is not None:
            held = self.events[first[order[places]]].sum()
            if not 0 < held < self.events[first].sum():
                raise DataError(
                    f"expected events in the training and the validation part; found "
                    f"{self.events[first].sum()} in all, {held} of them in {wanted} of "
                    f"{len(patients)} patients put aside. Use another validation_share."
                )
        if wanted == len(patients):
            raise DataError(
                f"expected patients left to train on; found all {wanted} put aside. "
                "Use a smaller validation_share."
            )
        return self._take(~np.isin(self.rows, aside)), np.sort(aside)

    def batches(self, size: int, *, seed: int, epoch: int) -> list[Rows]:
        """Return all rows in batches of nearly equal size, in an order of this epoch.

        The rows of each level of events and strata are dealt out like cards, so batches differ by
        one in each. Where events are fewer than batches of ``size``, there are as many batches as
        events, and they are larger.
        """
        count = -(-len(self.rows) // size)
        if self.events is not None:
            count = min(count, int(self.events.sum()))
        rng = np.random.default_rng([seed, epoch, BATCHES])
        order = self._by_level(np.arange(len(self.rows)), rng)
        dealt = [rng.permutation(self.rows[order[first::count]]) for first in range(count)]
        return [dealt[number] for number in rng.permutation(count)]

    def tensor(self, rows: ArrayLike, device: torch.device) -> torch.Tensor:
        """Values of some rows as float32 on a device."""
        values = np.array(self.source.at(rows), dtype=np.float32, copy=True)
        return torch.from_numpy(values).to(device)

    def fingerprint(self) -> str:
        """SHA-256 of rows, their values, events and strata: equal data give equal text."""
        made = hashlib.sha256()
        for values in (self.rows, self.events, self.strata, self.validation):
            made.update(
                json.dumps(None if values is None else values.tolist(), default=str).encode()
            )
        rows = self.rows if self.validation is None else np.append(self.rows, self.validation)
        for row in np.unique(rows):
            made.update(np.ascontiguousarray(self.source.at([row])).tobytes())
        return made.hexdigest()

    def _by_level(self, places: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
        """Positions in ``places`` shuffled, then sorted by event and stratum."""
        order: NDArray[np.intp] = rng.permutation(len(places))
        if self.strata is not None:
            _, level = np.unique(self.strata[places], return_inverse=True)
            order = order[np.argsort(level[order], kind="stable")]
        if self.events is not None:
            order = order[np.argsort(~self.events[places][order], kind="stable")]
        return order

    def _take(self, kept: NDArray[np.bool_]) -> Self:
        return replace(
            self,
            rows=self.rows[kept],
            events=None if self.events is None else self.events[kept],
            strata=None if self.strata is None else self.strata[kept],
        )


def outputs_by_batch(
    network: nn.Module, source: RowSource, rows: ArrayLike, *, batch_size: int = 16
) -> Iterator[tuple[Rows, Any]]:
    """Yield rows and what the network says of them, batch by batch, without gradients.

    The network is put into evaluation mode and stays in it; rows keep their order.

    Examples
    --------
    >>> from radiogenomics.core.scan_arrays import ScanArrays
    >>> scans = ScanArrays(np.ones((3, 1, 1, 1, 2), np.float32), ("A", "B", "C"), ("v",))
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(2, 1))
    >>> [len(rows) for rows, _ in outputs_by_batch(network, scans, [0, 1, 2], batch_size=2)]
    [2, 1]
    """
    data = TrainingData(source, np.asarray(rows))
    device = next(network.parameters()).device
    network.eval()
    for start in range(0, len(data.rows), batch_size):
        batch = data.rows[start : start + batch_size]
        with torch.no_grad():
            outputs = network(data.tensor(batch, device))
        yield batch, outputs
