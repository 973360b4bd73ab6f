"""Bags: many instances a patient, such as slices of several sequences, under one label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.kept_array import InFile
from radiogenomics.core.scan_arrays import ROW


@dataclass(frozen=True, eq=False, repr=False)
class Bags(InFile):
    """Features of the instances of many patients, one row a patient.

    A patient's slices share one label and one fate, so they must never be dealt to two parts of a
    split: a slice seen in training gives its neighbours away. Here they cannot be, since a row is
    a patient with all instances; splitters get ``table()``, one row a patient. What stands in a
    row is made from that patient's scans alone.

    Patients have different numbers of instances, so rows are padded; ``real`` says which places
    hold an instance. A patient who lacks a sequence has no instance of it. Instances of a sequence
    stand in their order through the body; the sequences may be mixed.

    Parameters
    ----------
    features
        float32, shape (n, instances, width), finite in padding too.
    real
        bool, shape (n, instances): an instance, not padding. Each patient has at least one.
    sequence
        Whole numbers, shape (n, instances): place in ``sequences`` of each real instance.
    patient_ids
        Whose row each is, all different.
    sequences
        Names of the sequences or phases.

    Raises
    ------
    SchemaError
        Arrays of another type or shape; a name of a sequence stands twice.
    DataError
        A feature is NaN or infinite; a patient has no instance; there is no such sequence.
    AlignmentError
        Rows and patients differ in number, or a patient stands twice.

    Examples
    --------
    >>> bags = Bags.from_arrays({
    ...     "P1": {"arterial": [[1.0, 2.0], [3.0, 4.0]], "t2": [[5.0, 6.0]]},
    ...     "P2": {"t2": [[7.0, 8.0]]},
    ... })
    >>> bags
    Bags(2 patients; arterial, t2; 1 to 3 instances × 2 features)
    >>> bags.real
    array([[ True,  True,  True],
           [ True, False, False]])
    """

    large: ClassVar[str] = "features"

    features: NDArray[np.float32]
    real: NDArray[np.bool_]
    sequence: NDArray[np.intp]
    patient_ids: tuple[str, ...]
    sequences: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what no network could read, and lock what is kept."""
        self._check_shapes()
        broken = int((~np.isfinite(self.features).all(axis=(1, 2))).sum())
        if broken:
            raise DataError(
                f"expected finite features; found NaN, infinite or too large ones in {broken} of "
                f"{len(self)} patients. Repair their images, or leave the instances out."
            )
        empty = int((~self.real.any(axis=1)).sum())
        if empty:
            raise DataError(
                f"expected at least one instance a patient; found none in {empty} of {len(self)}. "
                "Leave these patients out."
            )
        numbers = self.sequence[self.real]
        if numbers.min() < 0 or numbers.max() >= len(self.sequences):
            raise DataError(
                f"expected sequences numbered 0 to {len(self.sequences) - 1}; found "
                f"{numbers.min()} to {numbers.max()}. Name every sequence."
            )
        kept = {
            "features": self.features.view(),
            "real": self.real.view(),
            "sequence": np.where(self.real, self.sequence, 0).astype(np.intp),
        }
        for name, array in kept.items():
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def _check_shapes(self) -> None:
        features = self.features
        if features.ndim != 3 or features.dtype != np.float32 or not features.size:
            raise SchemaError(
                "expected features as a float32 array (patients, instances, width); found "
                f"{features.dtype} of the shape {features.shape}. Build bags with from_table."
            )
        for what, array, kind in (("real", self.real, "b"), ("sequence", self.sequence, "iu")):
            if array.shape != features.shape[:2] or array.dtype.kind not in kind:
                raise SchemaError(
                    f"{what}: expected one value for each instance, shape {features.shape[:2]}; "
                    f"found {array.dtype} of the shape {array.shape}. Build bags with from_table."
                )
        if not self.sequences or len(set(self.sequences)) != len(self.sequences):
            raise SchemaError(
                "expected names of sequences, all different; found "
                f"{short_list(self.sequences) or 'none'}. Name each once."
            )
        if len(self.patient_ids) != len(features) or len(set(self.patient_ids)) != len(features):
            raise AlignmentError(
                f"expected a patient for each of {len(features)} rows, each once; found "
                f"{len(self.patient_ids)} names, {len(set(self.patient_ids))} of them different. "
                "Put all instances of a patient into one row."
            )

    @classmethod
    def from_arrays(
        cls,
        instances: Mapping[str, Mapping[str, ArrayLike]],
        *,
        sequences: Sequence[str] | None = None,
    ) -> Self:
        """Build from patient → sequence → instances × width, slices in their order.

        ``sequences`` are by default those found, in order of appearance.

        Raises
        ------
        SchemaError
            Instances have not the same width.
        UnknownNameError
            A sequence is not among ``sequences``.
        """
        found = {
            patient: {name: _narrow(part) for name, part in parts.items()}
            for patient, parts in instances.items()
        }
        parts = [(p, name, part) for p, own in found.items() for name, part in own.items()]
        shapes = sorted({part.shape[1:] for _, _, part in parts})
        if len(shapes) != 1 or len(shapes[0]) != 1:
            raise SchemaError(
                "expected instances × features of one width in all patients and sequences; found "
                f"{short_list(shapes) or 'none'}. Use one encoder for all."
            )
        sizes = [len(part) for _, _, part in parts]
        return cls._packed(
            np.concatenate([part for _, _, part in parts]),
            pd.Series(np.repeat([patient for patient, _, _ in parts], sizes)),
            pd.Series(np.repeat([name for _, name, _ in parts], sizes)),
            patient_ids=tuple(found),
            sequences=sequences,
        )

    @classmethod
    def from_table(
        cls,
        table: FeatureTable,
        *,
        sequence: str = "phase",
        order: str | None = None,
        sequences: Sequence[str] | None = None,
        patient_ids: Iterable[str] | None = None,
    ) -> Self:
        """Build from a table of one row an instance, several a patient.

        Parameters
        ----------
        table
            Deep features of slices; ``obs`` has ``patient_id``.
        sequence
            Fact of each row in ``obs``: the sequence or phase that the slice is of.
        order
            Numeric fact by which slices of a sequence are ordered; as they stand when not given.
        sequences
            Sequences, in order; those found, in order of appearance, when not given. Name them
            where another cohort may lack one.
        patient_ids
            Patients to take, in order; all when not given.

        Raises
        ------
        UnknownNameError
            The table has no such fact; a sequence is not among ``sequences``.
        SchemaError
            A fact is missing in some row, or the order is no number.
        DataError
            A feature is missing; a patient has no row.
        """
        facts = table.samples
        for column in (sequence, *([order] if order else [])):
            if column not in facts:
                raise UnknownNameError(f"sample fact of {table.name}", column, facts.columns)
            missing = int(facts[column].isna().sum())
            if missing:
                raise SchemaError(
                    f"{table.name}: expected {column!r} of every row; found none in {missing} of "
                    f"{len(facts)}. Fill it in."
                )
        if order and not pd.api.types.is_numeric_dtype(facts[order]):
            raise SchemaError(
                f"{table.name}: expected {order!r} as numbers; found {facts[order].dtype}. "
                "Convert it: as text 10 comes before 9."
            )
        standing = np.argsort(facts[order], kind="stable") if order else np.arange(len(facts))
        wanted = table.patient_ids if patient_ids is None else patient_ids
        return cls._packed(
            _narrow(table.values)[standing],
            facts["patient_id"].astype(str).iloc[standing],
            facts[sequence].astype(str).iloc[standing],
            patient_ids=tuple(map(str, wanted)),
            sequences=sequences or tuple(facts[sequence].astype(str).unique()),
        )

    @classmethod
    def _packed(
        cls,
        values: NDArray[np.float32],
        patient: pd.Series[str],
        name: pd.Series[str],
        *,
        patient_ids: tuple[str, ...],
        sequences: Sequence[str] | None,
    ) -> Self:
        """Put rows of instances, slices in order, into one padded row a patient."""
        known = tuple(sequences) if sequences is not None else tuple(name.unique())
        for found in name.unique():
            if found not in known:
                raise UnknownNameError("sequence", found, known)
        row = {patient_id: place for place, patient_id in enumerate(patient_ids)}
        code = pd.Series(patient.to_numpy()).map(row).fillna(-1).to_numpy(dtype=np.intp)
        number = pd.Index(known).get_indexer(pd.Index(name))
        taken = np.lexsort((number, code))
        taken = taken[code[taken] >= 0]
        code, number = code[taken], number[taken]
        count = np.bincount(code, minlength=len(patient_ids))
        slot = np.arange(len(code)) - (np.cumsum(count) - count)[code]
        shape = len(patient_ids), int(count.max(initial=1))
        features = np.zeros((*shape, values.shape[1]), np.float32)
        real, sequence = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=np.intp)
        features[code, slot], real[code, slot], sequence[code, slot] = values[taken], True, number
        return cls(features, real, sequence, patient_ids, known)

    def __len__(self) -> int:
        """Patients."""
        return len(self.patient_ids)

    @property
    def width(self) -> int:
        """Features of an instance."""
        return int(self.features.shape[2])

    def depth(self) -> NDArray[np.float32]:
        """Relative place of each instance in its sequence, shape (n, instances).

        0 is the first slice and 1 the last; ½ where there is one, and 0 in padding. It counts
        slices: their distances in mm are not known here.
        """
        found = np.zeros(self.real.shape, dtype=np.float32)
        for number in range(len(self.sequences)):
            own = self.real & (self.sequence == number)
            last = np.broadcast_to(own.sum(axis=1, keepdims=True) - 1, own.shape)
            place = np.where(last > 0, (np.cumsum(own, axis=1) - 1) / np.maximum(last, 1), 0.5)
            found[own] = place[own]
        return found

    def table(self) -> pd.DataFrame:
        """Which row each patient has; the table that a classifier of bags is given as X."""
        index = pd.Index(self.patient_ids, dtype=object, name="patient_id")
        return pd.DataFrame({ROW: np.arange(len(self), dtype=float)}, index=index)

    def places(self, rows: ArrayLike) -> NDArray[np.intp]:
        """Return row numbers as whole numbers, checked; a patient comes once.

        Raises
        ------
        AlignmentError
            A row number is broken, there is no such row, or one stands twice.
        """
        wanted = np.asarray(rows, dtype=float).ravel()
        whole: NDArray[np.intp] = np.nan_to_num(wanted, nan=-1.0).astype(np.intp)
        if (whole != wanted).any() or (whole < 0).any() or (whole >= len(self)).any():
            raise AlignmentError(
                f"expected row numbers of {len(self)} patients, 0 to {len(self) - 1}; found "
                "others. Use the column of Bags.table() as it is: neither scaled nor imputed."
            )
        twice = len(whole) - len(np.unique(whole))
        if twice:
            raise AlignmentError(
                f"expected each patient in one row; found {twice} of {len(whole)} rows of "
                "patients who stand there already. Give Bags.table(), one row a patient: all "
                "instances of a patient are in the bag."
            )
        return whole

    def at(self, rows: ArrayLike) -> Self:
        """Return the bags of some rows, in that order, each once."""
        places = self.places(rows)
        return type(self)(
            self.features[places],
            self.real[places],
            self.sequence[places],
            tuple(self.patient_ids[place] for place in places),
            self.sequences,
        )

    def select(self, patient_ids: Iterable[str]) -> Self:
        """Return the bags of some patients, in that order.

        Raises
        ------
        AlignmentError
            A patient has none, or is asked for twice.
        """
        row = {patient: place for place, patient in enumerate(self.patient_ids)}
        wanted = tuple(patient_ids)
        missing = sum(patient not in row for patient in wanted)
        if missing:
            raise AlignmentError(
                f"expected bags of {len(wanted)} patients; found none of {missing}. "
                "Leave these patients out, or add their instances."
            )
        return self.at([row[patient] for patient in wanted])

    def join(self, other: Self) -> Self:
        """Return these and another cohort's bags as one, these first.

        Raises
        ------
        SchemaError
            Their sequences or widths differ.
        AlignmentError
            They share a patient.
        """
        if (self.sequences, self.width) != (other.sequences, other.width):
            raise SchemaError(
                f"expected bags like {self!r}; found {other!r}. Use one encoder, and name the "
                "same sequences for both."
            )
        size = max(self.real.shape[1], other.real.shape[1])
        both = [_padded(bags, size) for bags in (self, other)]
        return type(self)(
            np.concatenate([features for features, _, _ in both]),
            np.concatenate([real for _, real, _ in both]),
            np.concatenate([sequence for _, _, sequence in both]),
            (*self.patient_ids, *other.patient_ids),
            self.sequences,
        )

    def __repr__(self) -> str:
        """Return patients, sequences and sizes in one line."""
        count = self.real.sum(axis=1)
        return (
            f"Bags({len(self)} patients; {', '.join(self.sequences)}; {count.min()} to "
            f"{count.max()} instances × {self.width} features)"
        )


def _narrow(values: ArrayLike) -> NDArray[np.float32]:
    """As float32; what is too large becomes infinite, and is refused later."""
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype=np.float32)


def _padded(
    bags: Bags, size: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.intp]]:
    """Arrays with places for ``size`` instances."""
    more = (0, 0), (0, size - bags.real.shape[1])
    return (
        np.pad(bags.features, (*more, (0, 0))),
        np.pad(bags.real, more),
        np.pad(bags.sequence, more),
    )
