"""Which number of a network is explained, and the network at rest while it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from radiogenomics.core.errors import DataError, GeometryError, UnknownNameError, short_list


@dataclass(frozen=True)
class Target:
    """One number of a network's output, a patient.

    Read from a tensor (n, k), a mapping head → tensor, or an object with such a mapping as
    ``outputs``, as the networks of this toolkit give.

    Parameters
    ----------
    head
        Name of the head; may be left out where there is one.
    column
        Of the head's k numbers.

    Examples
    --------
    >>> Target("os").of({"os": torch.tensor([[1.0], [2.0]]), "sex": torch.zeros(2, 1)}).tolist()
    [1.0, 2.0]
    """

    head: str | None = None
    column: int = 0

    def of(self, output: Any) -> Tensor:
        """Return the number of each patient, shape (n,).

        Raises
        ------
        UnknownNameError
            There is no such head, or several and none is named.
        DataError
            There is no such column, or a number is NaN or infinite.
        """
        scores = self._scores(getattr(output, "outputs", output))
        if scores.ndim != 2 or not 0 <= self.column < scores.shape[1]:
            raise DataError(
                f"target: expected scores (patients, {self.column + 1} or more); found the shape "
                f"{tuple(scores.shape)}. Choose a column that the head has."
            )
        chosen = scores[:, self.column]
        broken = int((~torch.isfinite(chosen)).sum())
        if broken:
            raise DataError(
                f"target: expected finite scores; found {broken} NaN or infinite ones of "
                f"{len(chosen)}. Train the network again, or repair the scans."
            )
        return chosen

    def _scores(self, outputs: Any) -> Tensor:
        if isinstance(outputs, Tensor):
            if self.head is not None:
                raise UnknownNameError("head of a network without named heads", self.head, ())
            return outputs
        if not isinstance(outputs, Mapping):
            raise DataError(
                "target: expected a tensor or a mapping of heads from the network; found "
                f"{type(outputs).__name__}. Wrap the network so that it gives one of these."
            )
        only = next(iter(outputs), None) if len(outputs) == 1 else None
        head = only if self.head is None else self.head
        if head not in outputs:
            raise UnknownNameError("head", head or "(not named)", outputs)
        scores: Tensor = outputs[head]
        return scores


@contextmanager
def at_rest(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and each module back into its own mode afterwards."""
    before = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


def scans_of(x: ArrayLike | Tensor) -> Tensor:
    """Return scans as a float32 tensor of their own memory: (n, c, z, y, x) or (n, c, y, x).

    Raises
    ------
    GeometryError
        They have other axes, are empty or hold what is not finite.

    Examples
    --------
    >>> scans_of(np.zeros((2, 1, 8, 8))).shape
    torch.Size([2, 1, 8, 8])
    """
    given = x.detach() if isinstance(x, Tensor) else torch.tensor(np.array(x, dtype=np.float32))
    if given.ndim not in (4, 5) or not given.numel():
        raise GeometryError(
            "expected scans (patients, channels, z, y, x) or slices (patients, channels, y, x); "
            f"found the shape {tuple(given.shape)}. Give what the network was trained on."
        )
    if not torch.isfinite(given).all():
        raise GeometryError(
            "expected finite voxels; found NaN or infinite ones. Repair the images."
        )
    return given.float()


def volume_shape(x: Tensor) -> tuple[int, int, int]:
    """Voxels (z, y, x) of scans or slices; z of a slice is 1."""
    z, y, x_ = (1, *x.shape[2:])[-3:]
    return int(z), int(y), int(x_)


def check_batch(batch: int) -> None:
    """Refuse batches without scans.

    Raises
    ------
    DataError
        ``batch`` is below 1.
    """
    if batch < 1:
        raise DataError(f"batch: expected 1 or more; found {batch}. 4 will do.")


def parts_of(x: Tensor, network: nn.Module, *, batch: int) -> Iterator[Tensor]:
    """Scans in batches, on the device where the network is.

    Raises
    ------
    DataError
        ``batch`` is below 1.
    """
    check_batch(batch)
    weight = next(network.parameters(), None)
    device = x.device if weight is None else weight.device
    for start in range(0, len(x), batch):
        yield x[start : start + batch].to(device)


def module_named(network: nn.Module, name: str) -> nn.Module:
    """Return a part of a network.

    Raises
    ------
    UnknownNameError
        It has none of that name.
    """
    known: dict[str, nn.Module] = dict(network.named_modules())
    if not name or name not in known:
        raise UnknownNameError("layer", name, (word for word in known if word))
    return known[name]


def one_call(seen: list[Any], name: str, *, patients: int) -> Tensor:
    """Return what a layer gave, which was called once, with a row a patient.

    Raises
    ------
    DataError
        It was not called, or several times, or gave something else.
    """
    shapes = [tuple(each.shape) if isinstance(each, Tensor) else type(each) for each in seen]
    if len(seen) == 1 and isinstance(seen[0], Tensor) and len(seen[0]) == patients:
        return seen[0]
    raise DataError(
        f"layer {name!r}: expected it to be called once and to give a tensor with a row for each "
        f"of {patients} patients; found {len(seen)} calls ({short_list(shapes) or 'none'}). "
        "Name another layer."
    )
