"""Source tasks: learn from scans what is known of them, in the hope that it serves another end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from radiogenomics.core.errors import AlignmentError, DataError, StudyError, short_list
from radiogenomics.core.method import Method
from radiogenomics.models.deep.multi_task import MultiTaskLoss, MultiTaskTargets
from radiogenomics.models.deep.networks.heads import Heads
from radiogenomics.models.deep.pretraining.exercise import Exercise, Lesson, Reader, device_of
from radiogenomics.models.deep.training_data import Rows

BINARY, NUMBER = "binary", "number"


@dataclass(frozen=True)
class SourceTask:
    """One linear head for each column of a table of what is known of the patients.

    Columns of numbers are brought to mean 0 and SD 1 over the patients to learn from, and learnt by
    squared error; columns of words, categories and yes or no by cross-entropy, with an output for
    each class where there are more than two (each against the rest). What is unknown (NaN) takes no
    part. Heads weigh alike, or by learnt weights, see
    :class:`radiogenomics.models.deep.multi_task.MultiTaskLoss`. Training stops by the sum of the
    heads' losses on the patients put aside, unweighted.

    It misleads where the source tells the target's answer: patients of the target study must not
    be among those of the source, nor the target's label among its columns.

    Parameters
    ----------
    learned_weights
        Whether the weights of the heads are learnt; otherwise each is 1.

    References
    ----------
    Kendall, Gal and Cipolla, CVPR 2018, arXiv:1705.07115 (weights).
    """

    learned_weights: bool = False

    card: ClassVar[Method] = Method(
        name="source_task",
        title="Pre-training: tell what is known of other patients",
        scope="models: pre-training",
        reference="house",
        limits="features serve the target as far as the source resembles it",
        learns=True,
    )

    def exercise(self, reader: Reader, lesson: Lesson) -> Exercise:
        """Build backbone and heads."""
        table = _table(lesson)
        columns = {name: _coded(name, table[name], lesson) for name in map(str, table.columns)}
        kinds = {name: column.kind for name, column in columns.items()}
        targets = MultiTaskTargets.from_arrays(
            {}, {name: column.values for name, column in columns.items()}
        )
        sizes = {name: column.values.shape[1] for name, column in columns.items()}
        loss = SourceLoss(kinds, targets, learned=self.learned_weights)

        def validate(trained: nn.Module, rows: Rows) -> float:
            said: list[dict[str, Tensor]] = [
                trained(values) for _, values in lesson.batches(rows, device_of(trained))
            ]
            whole = {name: torch.cat([part[name] for part in said]) for name in kinds}
            return -float(torch.stack([*loss.parts(whole, rows).values()]).sum())

        return Exercise(SourceNetwork(reader, sizes), loss, validate)

    def words(self) -> dict[str, Any]:
        """Return its numbers as what JSON can hold."""
        return asdict(self)


class SourceNetwork(nn.Module):
    """Backbone and heads.

    Parameters
    ----------
    reader
        The backbone.
    sizes
        Head → outputs.
    """

    def __init__(self, reader: Reader, sizes: Mapping[str, int]) -> None:
        super().__init__()
        self.reader = reader
        self.heads = Heads(reader.width, sizes)

    def forward(self, values: Tensor) -> dict[str, Tensor]:
        """Return head → (n, k)."""
        found: dict[str, Tensor] = self.heads(self.reader(values))
        return found


class SourceLoss(nn.Module):
    """The losses of all heads over the rows of a batch.

    Parameters
    ----------
    kinds
        Head → ``"number"`` or ``"binary"``.
    targets
        Of all rows.
    learned
        Whether the heads' weights are learnt.
    """

    def __init__(self, kinds: Mapping[str, str], targets: MultiTaskTargets, *, learned: bool):
        super().__init__()
        self.many = MultiTaskLoss(kinds, learned=learned, allow_no_events=True)
        self.targets = targets

    def forward(self, outputs: Mapping[str, Tensor], rows: Rows) -> Tensor:
        """Return the weighted loss; 0 where nothing is known of a batch."""
        found: Tensor = self.many(outputs, self.targets[rows])
        return found

    def parts(self, outputs: Mapping[str, Tensor], rows: Rows) -> dict[str, Tensor]:
        """Return the loss of each head, unweighted."""
        return self.many.parts(outputs, self.targets[rows])


class _Column(NamedTuple):
    """Values (n, k) of a head, NaN where unknown."""

    kind: str
    values: NDArray[np.float64]


def _table(lesson: Lesson) -> pd.DataFrame:
    """Targets in the order of the scans."""
    table, wanted = lesson.targets, pd.Index(lesson.scans.patient_ids, dtype=object)
    if table is None or not table.shape[1]:
        raise StudyError(
            "source_task: expected targets, patients × what is known of them; found none. "
            "Give a table, or take a task that learns from scans alone."
        )
    twice = [*table.index[table.index.duplicated()], *table.columns[table.columns.duplicated()]]
    if twice:
        raise AlignmentError(
            f"source_task: expected each patient and each column once; found {len(twice)} twice. "
            "Keep one row a patient."
        )
    missing = int((~wanted.isin(table.index)).sum())
    if missing:
        raise AlignmentError(
            f"source_task: expected a row of targets for each of {len(wanted)} patients; found "
            f"none for {missing}. Leave them out with ScanArrays.select, or give rows of NaN."
        )
    return table.loc[wanted].rename(columns=str)


def _coded(name: str, values: pd.Series, lesson: Lesson) -> _Column:
    """Numbers or classes as a head learns them."""
    number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    coded = (_standardised if number else _classes)(name, values, lesson)
    # What is unknown is so in every column of a head.
    if len(lesson.aside) and np.isnan(coded[lesson.aside]).all():
        raise DataError(
            f"source_task: {name}: expected some known values among the {len(lesson.aside)} "
            "patients put aside; found none. Leave the column out, or add patients."
        )
    return _Column(NUMBER if number else BINARY, coded)


def _standardised(name: str, values: pd.Series, lesson: Lesson) -> NDArray[np.float64]:
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    seen = numbers[lesson.learning]
    seen = seen[~np.isnan(seen)]
    if np.isinf(numbers).any() or not len(seen) or not np.ptp(seen):
        raise DataError(
            f"source_task: {name}: expected finite numbers that differ among the patients to learn "
            f"from; found {len(seen)} known, {np.isinf(numbers).sum()} infinite in all. "
            "Leave the column out, or mend it."
        )
    found: NDArray[np.float64] = ((numbers - seen.mean()) / seen.std())[:, None]
    return found


def _classes(name: str, values: pd.Series, lesson: Lesson) -> NDArray[np.float64]:
    """0 and 1 for each class of those to learn from, of two for the second."""
    known = values.notna().to_numpy()
    classes = sorted(values.iloc[lesson.learning].dropna().astype(str).unique())
    if len(classes) < 2:
        raise DataError(
            f"source_task: {name}: expected two or more classes among the patients to learn from; "
            f"found {short_list(classes) or 'none'}. Leave the column out."
        )
    shown = classes[1:] if len(classes) == 2 else classes
    words = values.astype(str).to_numpy()
    coded: NDArray[np.float64] = (words[:, None] == np.array(shown)[None, :]).astype(float)
    coded[~known | ~np.isin(words, classes)] = np.nan
    return coded
