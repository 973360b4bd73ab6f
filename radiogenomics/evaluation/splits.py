"""Splits that own the patients: nobody stands on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    LeakageError,
    OutcomeError,
    StudyError,
    short_list,
)

Positions = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Split:
    """Rows to learn from and rows to predict.

    Parameters
    ----------
    repeat, fold
        Which one it is, from 0.
    train, test
        Positions of rows.
    """

    repeat: int
    fold: int
    train: Positions
    test: Positions

    def __str__(self) -> str:
        """Name it for a message."""
        return f"repeat {self.repeat}, fold {self.fold}"


class PatientKFold:
    """K folds of patients, repeated, balanced by class if asked.

    Patients, not rows, are dealt to folds, so several lesions or time points of one patient always
    stay together. Within a repeat every patient is tested once; fold sizes differ by one patient at
    most, as do the patients of each class in each fold. The same seed gives the same folds.

    Parameters
    ----------
    n_splits
        Folds, at least 2.
    n_repeats
        How often patients are dealt anew.
    random_state
        Seed.

    Raises
    ------
    StudyError
        Fewer than two folds or no repeat.

    Examples
    --------
    >>> folds = PatientKFold(2, n_repeats=1, random_state=0).split(["P1", "P1", "P2"])
    >>> [(split.train.tolist(), split.test.tolist()) for split in folds]
    [([2], [0, 1]), ([0, 1], [2])]
    """

    def __init__(self, n_splits: int = 5, *, n_repeats: int = 1, random_state: int = 0) -> None:
        if n_splits < 2 or n_repeats < 1:
            raise StudyError(
                f"expected at least 2 folds and 1 repeat; found {n_splits} and {n_repeats}. "
                "Five folds and ten repeats are usual."
            )
        self.n_splits = n_splits
        self.n_repeats = n_repeats
        self.random_state = random_state

    def split(
        self, patient_ids: Iterable[str], stratify: ArrayLike | None = None
    ) -> Iterator[Split]:
        """Deal patients to folds.

        Parameters
        ----------
        patient_ids
            Patient of each row, shape (n,).
        stratify
            Class of each row, shape (n,); one class a patient.

        Raises
        ------
        OutcomeError
            Fewer patients, or patients of a class, than folds; or a patient of two classes.
        AlignmentError
            ``stratify`` has another length, or an identifier is missing.
        """
        ids = pd.Index(patient_ids)
        if ids.hasnans:
            raise AlignmentError(
                f"expected a patient of each row; found {int(ids.isna().sum())} rows without. "
                "Fill in the identifiers or drop the rows."
            )
        patient, names = pd.factorize(ids)
        if len(names) < self.n_splits:
            raise OutcomeError(
                f"expected at least {self.n_splits} patients for {self.n_splits} folds; found "
                f"{len(names)}. Use fewer folds or more patients."
            )
        members = _members(patient, names, stratify, n_splits=self.n_splits)
        for repeat in range(self.n_repeats):
            rng = np.random.default_rng([self.random_state, repeat])
            dealt = np.concatenate([rng.permutation(group) for group in members])
            fold_of_patient = np.empty(len(names), dtype=np.intp)
            fold_of_patient[dealt] = np.arange(len(names)) % self.n_splits
            fold_of_row = fold_of_patient[patient]
            for fold in range(self.n_splits):
                tested = fold_of_row == fold
                yield Split(repeat, fold, np.flatnonzero(~tested), np.flatnonzero(tested))

    def __repr__(self) -> str:
        return (
            f"PatientKFold({self.n_splits}, n_repeats={self.n_repeats}, "
            f"random_state={self.random_state})"
        )


@contextmanager
def naming(place: object) -> Iterator[None]:
    """Put a split, or another place, before the message of a DataError from within.

    A step that cannot learn from one training part, for example ComBat from a site of one patient,
    knows neither the fold nor the table.

    Examples
    --------
    >>> with naming(Split(0, 2, np.array([0]), np.array([1]))):
    ...     raise DataError("expected two sites; found one.")
    Traceback (most recent call last):
    radiogenomics.core.errors.DataError: repeat 0, fold 2: expected two sites; found one.
    """
    try:
        yield
    except DataError as error:
        error.args = (f"{place}: {error}",)
        raise


def check_disjoint(train_ids: Iterable[str], test_ids: Iterable[str]) -> None:
    """Raise LeakageError when a patient is on both sides.

    Examples
    --------
    >>> check_disjoint(["P1", "P2"], ["P3"])
    """
    shared = set(train_ids) & set(test_ids)
    if shared:
        raise LeakageError(
            f"expected no patient on both sides of a split; found {len(shared)} "
            f"({short_list(sorted(shared, key=str))}). Split by patient, not by row."
        )


def _members(
    patient: Positions, names: pd.Index, stratify: ArrayLike | None, *, n_splits: int
) -> list[Positions]:
    """Patients of each class, in the order of their first rows."""
    if stratify is None:
        return [np.arange(len(names))]
    classes = np.asarray(stratify)
    if classes.shape != patient.shape or pd.isna(classes).any():
        raise AlignmentError(
            f"expected a class of each of {patient.size} rows; found shape {classes.shape} with "
            f"{int(pd.isna(classes).sum())} missing. Label every row or split without classes."
        )
    values, code = np.unique(classes, return_inverse=True)
    of_patient = np.empty(len(names), dtype=np.intp)
    of_patient[patient] = code
    torn = of_patient[patient] != code
    if torn.any():
        both = names[np.unique(patient[torn])]
        raise OutcomeError(
            f"expected one class a patient; found {len(both)} patients with rows of several "
            f"({short_list(both)}). Give each patient one class, for example the highest."
        )
    counts = np.bincount(of_patient, minlength=len(values))
    if counts.min() < n_splits:
        rarest = int(counts.argmin())
        raise OutcomeError(
            f"expected at least {n_splits} patients of each class for {n_splits} folds; found "
            f"{counts[rarest]} of class {values[rarest]}. Use fewer folds, or more patients."
        )
    return [np.flatnonzero(of_patient == position) for position in range(len(values))]
