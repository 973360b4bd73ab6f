"""Masked volumes: hide blocks of a scan, and let the backbone tell what they hid."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from radiogenomics.core.errors import SchemaError
from radiogenomics.core.method import Method
from radiogenomics.models.deep.pretraining.exercise import (
    VOLUMES,
    Exercise,
    Lesson,
    Reader,
    device_of,
    mean_of,
    refuse_targets,
)
from radiogenomics.models.deep.training_data import Rows

# Keeps the blocks of the validation part apart from other draws of the seed.
STREAM = 17
# Channels of the decoder double towards the map, to this many times the finest.
WIDEST = 8


@dataclass(frozen=True)
class MaskedVolume:
    r"""Hide random blocks of each scan; a light decoder draws them from the backbone's map.

    Minimised is the mean absolute difference over the hidden voxels alone,

    .. math::

        \frac{1}{n} \sum_i \frac{1}{C |M_i|} \sum_{v \in M_i, c} |x_{icv} - \hat x_{icv}|,

    in units of the scans. A block is hidden in all channels at once: phases show the same anatomy,
    and the network would else copy from one to another. Hidden voxels show a number a channel,
    which is learnt, at first the mean of the scans. Slices of a backbone of pictures are hidden
    block by block each for itself.

    It misleads where most of a scan is background, which is easily drawn: crop close. What is small
    and rare (a rim, a satellite) costs little when it is missed, and may not be learnt.

    Parameters
    ----------
    block
        Edge of a block in voxels; of an axis that is shorter, the axis.
    share
        Of the blocks that are hidden, above 0 and below 1.
    width
        Channels of the decoder where it is finest.

    Raises
    ------
    SchemaError
        A number is out of its range; a scan would be a single block.

    References
    ----------
    Xie et al., CVPR 2022, arXiv:2111.09886 (SimMIM). He et al., CVPR 2022, arXiv:2111.06377.
    """

    block: int = 8
    share: float = 0.6
    width: int = 8

    card: ClassVar[Method] = Method(
        name="masked_volume",
        title="Pre-training: draw the hidden blocks of a scan",
        scope="models: pre-training",
        reference="Xie et al., CVPR 2022, arXiv:2111.09886",
        limits="what is small and rare costs little when missed, and may not be learnt",
        learns=True,
    )

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        if self.block < 1 or not 0 < self.share < 1 or self.width < 1:
            raise SchemaError(
                "masked_volume: expected a block and a width from 1, and a share between 0 and 1; "
                f"found {self.block}, {self.width} and {self.share}. Correct them."
            )

    def exercise(self, reader: Reader, lesson: Lesson) -> Exercise:
        """Build backbone and decoder."""
        refuse_targets(self, lesson)
        z, y, x = lesson.scans.shape
        if math.prod(_grid((z, y, x), self.block)[VOLUMES - reader.dims :]) < 2:
            raise SchemaError(
                f"masked_volume: expected blocks smaller than scans of {(z, y, x)}; found an edge "
                f"of {self.block} voxels. Choose a smaller one."
            )
        means = [lesson.scans.at([row]).mean(axis=(0, 2, 3, 4)) for row in lesson.learning]
        network = MaskedVolumeNetwork(reader, self, shown=np.mean(means, axis=0), shape=(z, y, x))

        def validate(_: nn.Module, rows: Rows) -> float:
            return -_error_aside(network, rows, lesson=lesson)

        return Exercise(network, lambda errors, rows: errors.mean(), validate)

    def words(self) -> dict[str, Any]:
        """Return its numbers as what JSON can hold."""
        return asdict(self)


class MaskedVolumeNetwork(nn.Module):
    """Backbone, decoder and what hidden voxels show.

    Parameters
    ----------
    reader
        The backbone.
    task
        Blocks, share and width.
    shown
        What hidden voxels show at first, a number a channel.
    shape
        Voxels (z, y, x) of the scans.
    """

    def __init__(
        self,
        reader: Reader,
        task: MaskedVolume,
        *,
        shown: np.ndarray[tuple[int], np.dtype[np.float32]],
        shape: tuple[int, int, int],
    ) -> None:
        super().__init__()
        self.reader = reader
        self.task, self.shape = task, shape
        self.shown = nn.Parameter(torch.as_tensor(shown, dtype=torch.float32).view(1, -1, 1, 1, 1))
        size = shape if reader.dims == VOLUMES else shape[1:]
        self.decoder = Decoder(
            reader.width, len(shown), narrow=task.width, sizes=(reader.map_size, size)
        )

    def forward(self, values: Tensor) -> Tensor:
        """Return the error of each scan (n, 1), with blocks drawn by torch's global generator."""
        return self.errors(values, self.hidden(torch.rand(len(values), *self.score_shape)))

    @property
    def score_shape(self) -> tuple[int, int, int]:
        """Blocks (z, y, x) of a scan."""
        z, y, x = _grid(self.shape, self.task.block)
        return (z if self.reader.dims == VOLUMES else self.shape[0]), y, x

    def hidden(self, scores: Tensor) -> Tensor:
        """Which voxels (n, 1, z, y, x) are hidden: blocks of the lowest scores (n, z, y, x).

        Of a backbone of pictures the share is met in each slice, else in each scan.
        """
        whole = scores.flatten(1 if self.reader.dims == VOLUMES else 2)
        count = min(max(round(self.task.share * whole.shape[-1]), 1), whole.shape[-1] - 1)
        blocks = (whole.argsort(-1).argsort(-1) < count).view_as(scores)
        for axis, length in enumerate(self.shape, start=1):
            pictures = axis == 1 and self.reader.dims != VOLUMES
            edge = 1 if pictures else self.task.block
            blocks = blocks.repeat_interleave(edge, dim=axis).narrow(axis, 0, length)
        return blocks[:, None].to(self.shown.device)

    def drawn(self, values: Tensor, hidden: Tensor) -> Tensor:
        """Return what the decoder draws (n, channels, z, y, x) of scans whose blocks are hidden."""
        seen = torch.where(hidden, self.shown.to(values.dtype), values)
        return self.reader.as_scans(self.decoder(self.reader.feature_map(seen)), len(values))

    def errors(self, values: Tensor, hidden: Tensor) -> Tensor:
        """Mean absolute difference over the hidden voxels of each scan, (n, 1)."""
        apart = (self.drawn(values, hidden).float() - values).abs() * hidden
        voxels = hidden.flatten(1).sum(1, keepdim=True) * values.shape[1]
        return apart.flatten(1).sum(1, keepdim=True) / voxels


class Decoder(nn.Module):
    """From a feature map to an image: doubled in steps, a small convolution after each.

    Parameters
    ----------
    width
        Channels of the map.
    channels
        Channels of the image.
    narrow
        Channels at the image's own size.
    sizes
        Places of the map, and of the image.
    """

    def __init__(
        self,
        width: int,
        channels: int,
        *,
        narrow: int,
        sizes: tuple[tuple[int, ...], tuple[int, ...]],
    ) -> None:
        super().__init__()
        self.sizes = _doublings(*sizes)
        convolution = nn.Conv3d if len(sizes[0]) == VOLUMES else nn.Conv2d
        widths = [narrow * min(2**n, WIDEST) for n in reversed(range(len(self.sizes)))]
        self.first = convolution(width, widths[0] if widths else narrow, 1)
        steps = zip([widths[0], *widths], widths, strict=False) if widths else ()
        self.steps = nn.ModuleList(convolution(a, b, 3, padding=1) for a, b in steps)
        self.last = convolution(narrow, channels, 1)

    def forward(self, found: Tensor) -> Tensor:
        """Return the image."""
        drawn = functional.leaky_relu(self.first(found), 0.1)
        for size, step in zip(self.sizes, self.steps, strict=True):
            drawn = functional.leaky_relu(step(functional.interpolate(drawn, size=size)), 0.1)
        image: Tensor = self.last(drawn)
        return image


def _doublings(start: tuple[int, ...], end: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Sizes after each doubling, the last the image's.

    Examples
    --------
    >>> _doublings((1, 2), (5, 8))
    [(2, 2), (3, 4), (5, 8)]
    """
    sizes = [end]
    while any(now > first for now, first in zip(sizes[-1], start, strict=True)):
        sizes.append(
            tuple(max(first, -(-now // 2)) for now, first in zip(sizes[-1], start, strict=True))
        )
    return sizes[-2::-1]


def _grid(shape: tuple[int, int, int], block: int) -> tuple[int, int, int]:
    z, y, x = (-(-length // block) for length in shape)
    return z, y, x


def _error_aside(network: MaskedVolumeNetwork, rows: Rows, *, lesson: Lesson) -> float:
    """Error on rows whose blocks are the same each time, so that epochs can be compared."""
    parts = []
    for batch, values in lesson.batches(rows, device_of(network)):
        scores = [
            np.random.default_rng([lesson.settings.seed, int(row), STREAM]).random(
                network.score_shape
            )
            for row in batch
        ]
        hidden = network.hidden(torch.from_numpy(np.stack(scores)))
        parts.append((len(batch), network.errors(values, hidden).mean()))
    return mean_of(parts)
