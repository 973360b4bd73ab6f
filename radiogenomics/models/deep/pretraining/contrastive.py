"""Contrastive learning: two changed copies of a scan are to look alike, and unlike all others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.core.method import Method
from radiogenomics.models.deep.augmentation import augmented
from radiogenomics.models.deep.pretraining.exercise import (
    Exercise,
    Lesson,
    Reader,
    device_of,
    mean_of,
    refuse_targets,
)
from radiogenomics.models.deep.training_data import Rows
from radiogenomics.models.deep.training_settings import Augmentation

VIEWS = Augmentation(
    contrast=0.5, rotate90=0.5, flip=0.5, zoom=0.8, gamma=(0.6, 1.7), zooms=(0.8, 1.4)
)
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Contrastive:
    """Two changed copies of each scan; a small head after the backbone; the loss :func:`nt_xent`.

    What the changes change, the backbone learns not to see: contrast that is bent at random hides
    how bright a lesion is, zoom its size, although these may be what is asked for later. Choose the
    changes by what must not matter. Two patients who are alike count as unlike, and batches of few
    patients teach little.

    Parameters
    ----------
    temperature
        Divides the cosines; smaller looks at the nearest others more.
    projection
        Numbers that the head gives; it is thrown away afterwards.
    views
        How the copies are changed.

    Raises
    ------
    SchemaError
        A number is out of its range, or nothing is changed.

    References
    ----------
    Chen et al., ICML 2020, arXiv:2002.05709 (SimCLR).
    """

    temperature: float = 0.2
    projection: int = 64
    views: Augmentation = VIEWS

    card: ClassVar[Method] = Method(
        name="contrastive",
        title="Pre-training: tell two changed copies of a scan from all others",
        scope="models: pre-training",
        reference="Chen et al., ICML 2020, arXiv:2002.05709",
        limits="the backbone learns not to see what the changes change, brightness and size too",
        learns=True,
    )

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        views = self.views
        changed = max(views.contrast, views.rotate90, views.flip, views.zoom)
        if not self.temperature > 0 or self.projection < 1 or not changed:
            raise SchemaError(
                "contrastive: expected a temperature above 0, a projection from 1 and views that "
                f"are changed; found {self.temperature}, {self.projection} and {views}. "
                "Correct them."
            )

    def exercise(self, reader: Reader, lesson: Lesson) -> Exercise:
        """Build backbone and head."""
        refuse_targets(self, lesson)
        if len(lesson.aside) == 1:
            raise DataError(
                "contrastive: expected 2 or more patients put aside, who can be told apart; found "
                "1. Use a larger validation_share, or 0."
            )

        network = ContrastiveNetwork(reader, self)

        def loss(projections: Tensor, rows: Rows) -> Tensor:
            return nt_xent(projections, self.temperature)

        def validate(_: nn.Module, rows: Rows) -> float:
            parts = []
            for batch, values in lesson.batches(rows, device_of(network)):
                # The same changes each time, so that epochs can be compared.
                found = network.projected(values, seed=lesson.settings.seed)
                parts.append((len(batch), nt_xent(found, self.temperature)))
            return -mean_of(parts)

        return Exercise(network, loss, validate)

    def words(self) -> dict[str, Any]:
        """Return its numbers as what JSON can hold."""
        return asdict(self)


class ContrastiveNetwork(nn.Module):
    """Backbone and the head that is compared.

    Parameters
    ----------
    reader
        The backbone.
    task
        Views and numbers of the head.
    """

    def __init__(self, reader: Reader, task: Contrastive) -> None:
        super().__init__()
        self.reader = reader
        self.views = task.views
        self.head = nn.Sequential(
            nn.Linear(reader.width, reader.width),
            nn.ReLU(),
            nn.Linear(reader.width, task.projection),
        )

    def forward(self, values: Tensor) -> Tensor:
        """Return two projections of each scan (n, 2, k); torch's global generator seeds views."""
        return self.projected(values, seed=int(torch.randint(LARGEST_SEED, ())))

    def projected(self, values: Tensor, *, seed: int) -> Tensor:
        """Return the projections of two copies that are changed by a seed."""
        twice = torch.cat([values, values])
        places = range(len(twice))
        views = augmented(twice, places, augmentation=self.views, seed=seed, epoch=0)
        found: Tensor = self.head(self.reader(views))
        return torch.stack(found.tensor_split(2), dim=1)


def nt_xent(projections: Tensor, temperature: float) -> Tensor:
    r"""Cross-entropy of finding the other copy of a scan among all copies of a batch.

    With the cosines :math:`s_{ij}` of the 2n projections and :math:`j(i)` the other copy of i,

    .. math::

        \frac{1}{2n} \sum_i -\log \frac{e^{s_{i j(i)}/\tau}}{\sum_{k \ne i} e^{s_{ik}/\tau}} .

    All alike it is :math:`\log(2n - 1)`, so values of different batch sizes do not compare.

    Parameters
    ----------
    projections
        (n, 2, k), of any length.
    temperature
        τ, above 0.

    Returns
    -------
    Tensor
        Scalar, 0 or more.

    Raises
    ------
    DataError
        Fewer than 2 scans, or not two projections of each.

    Examples
    --------
    >>> nt_xent(torch.ones(2, 2, 4), 0.5).item(), torch.tensor(3.0).log().item()
    (1.0986, 1.0986)
    """
    if projections.ndim != 3 or len(projections) < 2 or projections.shape[1] != 2:
        raise DataError(
            "expected projections (n, 2, k) of 2 or more scans; found the shape "
            f"{tuple(projections.shape)}. Use a larger batch."
        )
    copies = functional.normalize(projections.float(), dim=2).transpose(0, 1).flatten(0, 1)
    likeness = copies @ copies.T / temperature
    itself = torch.eye(len(copies), dtype=torch.bool, device=copies.device)
    others = torch.arange(len(copies), device=copies.device).roll(len(projections))
    return functional.cross_entropy(likeness.masked_fill(itself, -torch.inf), others)
