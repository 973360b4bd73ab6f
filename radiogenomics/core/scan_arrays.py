"""ScanArrays: standardised scans of many patients as one array, and whose row each is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import AlignmentError, GeometryError, SchemaError, short_list
from radiogenomics.core.kept_array import InFile, keep

ROW = "row"
# Columns of joined blocks are named <block>|<variable>.
MARK = "|"


@dataclass(frozen=True, eq=False, repr=False)
class ScanArrays(InFile):
    """Scans brought to one shape, one row a patient, for networks.

    Tables go through splitters, pipelines and fusions; volumes do not. So a network holds the
    volumes as a parameter and is given a table that says which rows of them: ``table()``, one
    column ``row``. What stands in a row is made from that patient's scans alone. Voxels may stand
    in a file (``kept_in``), as whoever compares or sends estimators would read and copy all of
    them.

    Parameters
    ----------
    values
        float32, shape (n, channels, z, y, x); z is 1 for single slices. Kept, not copied, and made
        read-only.
    patient_ids
        Whose row each is, all different.
    channels
        Phases or sequences, in order.
    spacing_mm
        Voxel size (z, y, x) in mm, the mean where patients differ.

    Raises
    ------
    GeometryError
        The array has not five axes, is not float32, or holds what is not finite.
    AlignmentError
        Rows and patients differ in number, or a patient stands twice.
    SchemaError
        Channels and their names differ in number.

    Examples
    --------
    >>> scans = ScanArrays(np.zeros((2, 1, 4, 4, 4), np.float32), ("P1", "P2"), ("portal",))
    >>> scans
    ScanArrays(2 patients; portal; 4 × 4 × 4 voxels)
    >>> scans.at(scans.table().loc[["P2"], "row"]).shape
    (1, 1, 4, 4, 4)
    """

    large: ClassVar[str] = "values"

    values: NDArray[np.float32]
    patient_ids: tuple[str, ...]
    channels: tuple[str, ...]
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        """Refuse arrays that no network could read, and lock what is kept."""
        values = self.values
        if values.ndim != 5 or values.dtype != np.float32 or not values.size:
            raise GeometryError(
                "expected scans as a float32 array (patients, channels, z, y, x); found "
                f"{values.dtype} of the shape {values.shape}. Crop and resample the scans first."
            )
        # One by one, as all at once would need memory for as many answers.
        broken = [str(row) for row, scan in enumerate(values) if not np.isfinite(scan).all()]
        if broken:
            raise GeometryError(
                f"expected finite voxels; found NaN or infinite ones in {len(broken)} of "
                f"{len(values)} scans, rows {short_list(broken)} of patient_ids. Repair the images."
            )
        if len(self.patient_ids) != len(values) or len(set(self.patient_ids)) != len(values):
            raise AlignmentError(
                f"expected a patient for each of {len(values)} rows, each once; found "
                f"{len(self.patient_ids)} names, {len(set(self.patient_ids))} of them different. "
                "Put all scans of a patient into one row, as channels."
            )
        if len(self.channels) != values.shape[1]:
            raise SchemaError(
                f"expected a name for each of {values.shape[1]} channels; found "
                f"{short_list(self.channels) or 'none'}. Name the phases in order."
            )
        kept = values.view()
        kept.flags.writeable = False
        object.__setattr__(self, "values", kept)

    def __len__(self) -> int:
        """Patients."""
        return len(self.patient_ids)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels (z, y, x)."""
        z, y, x = self.values.shape[2:]
        return z, y, x

    def table(self) -> pd.DataFrame:
        """Which row each patient has; the table that a network is given as X."""
        index = pd.Index(self.patient_ids, dtype=object, name="patient_id")
        return pd.DataFrame({ROW: np.arange(len(self), dtype=float)}, index=index)

    def at(self, rows: ArrayLike) -> NDArray[np.float32]:
        """Return the scans of some rows, shape (k, channels, z, y, x).

        Raises
        ------
        AlignmentError
            A row number is broken, or there is no such row.
        """
        return np.asarray(self.values[self.places(rows)])

    def places(self, rows: ArrayLike) -> NDArray[np.intp]:
        """Return row numbers as whole numbers, checked."""
        wanted = np.asarray(rows, dtype=float).ravel()
        whole: NDArray[np.intp] = np.where(np.isfinite(wanted), wanted, -1.0).astype(np.intp)
        if (whole != wanted).any() or (whole < 0).any() or (whole >= len(self)).any():
            raise AlignmentError(
                f"expected row numbers of {len(self)} scans, 0 to {len(self) - 1}; found others. "
                "Use the column of ScanArrays.table() as it is: neither scaled nor imputed."
            )
        return whole

    def select(self, patient_ids: Iterable[str]) -> Self:
        """Return the scans of some patients, in that order.

        Raises
        ------
        AlignmentError
            A patient has none.
        """
        place = {patient: row for row, patient in enumerate(self.patient_ids)}
        wanted = tuple(patient_ids)
        missing = sum(patient not in place for patient in wanted)
        if missing:
            raise AlignmentError(
                f"expected scans of {len(wanted)} patients; found none of {missing}. "
                "Leave these patients out, or add their scans."
            )
        rows = [place[patient] for patient in wanted]
        return type(self)(self.values[rows], wanted, self.channels, self.spacing_mm)

    def join(self, other: Self) -> Self:
        """Return these and another cohort's scans as one, these first.

        Raises
        ------
        GeometryError
            Their shapes or channels differ.
        AlignmentError
            They share a patient.
        """
        self._require_like(other)
        return type(self)(
            np.concatenate([self.values, other.values]),
            (*self.patient_ids, *other.patient_ids),
            self.channels,
            self.spacing_mm,
        )

    @classmethod
    def kept_together(
        cls, parts: Sequence[Self], folder: Path | str, *, patient_ids: Iterable[Iterable[str]]
    ) -> Self:
        """Join the scans of several cohorts, in that order, in a file of a folder.

        Parameters
        ----------
        parts
            At least one.
        folder
            Has to outlive what is returned.
        patient_ids
            New names for each part's patients, as cohorts may name theirs alike.

        Raises
        ------
        GeometryError
            Their shapes or channels differ.
        AlignmentError
            They share a patient.
        """
        first = parts[0]
        for other in parts[1:]:
            first._require_like(other)
        kept = keep([part.values for part in parts], folder)
        names = tuple(name for names in patient_ids for name in names)
        return cls.of_file(kept, {**first._others(), "patient_ids": names})

    def _require_like(self, other: Self) -> None:
        if (self.channels, self.shape) != (other.channels, other.shape):
            raise GeometryError(
                f"expected scans like {self!r}; found {other!r}. Crop both with the same settings."
            )

    def __repr__(self) -> str:
        """Return patients, channels and shape in one line."""
        size = " × ".join(map(str, self.shape))
        return f"ScanArrays({len(self)} patients; {', '.join(self.channels)}; {size} voxels)"


def row_column(columns: Iterable[str]) -> int:
    """Place of the one column that holds row numbers: ``row`` or ``<block>|row``.

    Raises
    ------
    SchemaError
        There is none, or more than one.

    Examples
    --------
    >>> row_column(["clinical|age", "network_1|row"])
    1
    """
    names = list(columns)
    found = [n for n, name in enumerate(names) if name.rsplit(MARK, 1)[-1] == ROW]
    if len(found) != 1:
        raise SchemaError(
            f"expected one column {ROW!r} that says which scan; found {len(found)} among "
            f"{short_list(names) or 'none'}. Give the network the table of its ScanArrays."
        )
    return found[0]
