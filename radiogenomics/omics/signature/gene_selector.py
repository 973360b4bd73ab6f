"""What every way to choose genes shares: what it is given, and what it leaves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import AlignmentError, DataError, UnknownNameError, short_list
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.stats.inputs import Bools, Floats, check_groups, survival_target

Positions = NDArray[np.intp]


class Splitter(Protocol):
    """Deals patients to folds; handed in, as ``PatientKFold`` or one of scikit-learn."""

    def split(self, patients: Any, classes: Any, /) -> Iterator[Any]:
        """Yield splits with ``train`` and ``test``, or pairs of the two."""


@dataclass(frozen=True, eq=False)
class Given:
    """Expression and outcome of the same patients.

    Parameters
    ----------
    genes
        Names, in the order of the columns of ``values``.
    values
        Patients × genes.
    time, event
        Months; whether the event was seen.
    cohorts
        Label of each patient's cohort.
    """

    genes: tuple[str, ...]
    values: Floats
    time: Floats
    event: Bools
    cohorts: NDArray[Any]


def read_given(expression: pd.DataFrame, y: Any, groups: ArrayLike | None) -> Given:
    """Return checked arrays, or say what does not fit.

    Raises
    ------
    DataError, AlignmentError, OutcomeError
        Expression is no frame, names a gene twice or holds no numbers; outcomes or cohorts are of
        other patients; the outcome cannot be analysed.
    """
    if not isinstance(expression, pd.DataFrame):
        raise DataError(
            "expected expression as a frame of patients × genes, so that genes have names; found "
            f"{type(expression).__name__}. Give a DataFrame."
        )
    refuse_row_facts(expression)
    doubled = expression.columns[expression.columns.duplicated()]
    if len(doubled):
        raise DataError(
            f"expected every gene once; found {short_list(doubled.unique())} more than once. "
            "Collapse duplicated genes first."
        )
    time, event = survival_target(y)
    if len(time) != len(expression):
        raise AlignmentError(
            f"expected one outcome a patient ({len(expression)}), in the order of the expression; "
            f"found {len(time)}. Align them by patient."
        )
    if isinstance(groups, pd.Series) and not groups.index.equals(expression.index):
        raise AlignmentError(
            "expected cohorts of the patients of the expression, in its order; found another "
            "index. Reindex them by patient."
        )
    cohorts = np.zeros(len(time), dtype=int)
    if groups is not None:
        cohorts = check_groups(groups, len(time), what="cohort")
    try:
        values = expression.to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            "expected numbers in every column of the expression; found text. Drop columns that "
            "are no genes."
        ) from error
    return Given(tuple(map(str, expression.columns)), values, time, event, cohorts)


def require_measured(given: Given, *, what: str) -> None:
    """Raise DataError where a gene lacks a value in some patient."""
    if not np.isfinite(given.values).all():
        raise DataError(
            f"{what}: expected genes measured in every patient; found missing or infinite values. "
            "Drop these genes or impute inside the fold."
        )


def standardise_by_cohort(values: Floats, cohorts: NDArray[Any]) -> Floats:
    """Subtract the cohort's mean and divide by its standard deviation (n - 1), gene by gene.

    A gene that does not vary in a cohort becomes 0 there.
    """
    standard = np.empty_like(values)
    for cohort in np.unique(cohorts):
        member = cohorts == cohort
        part = values[member]
        scale = spread(part)
        flat = scale == 0
        centred = part - part.mean(axis=0)
        standard[member] = np.where(flat, 0.0, centred / np.where(flat, 1.0, scale))
    return standard


def spread(part: Floats) -> Floats:
    """Standard deviation (n - 1) of each gene; exactly 0 where only rounding makes a difference."""
    if len(part) < 2:
        return np.zeros(part.shape[1])
    scale = part.std(axis=0, ddof=1)
    return np.where(scale <= 1e-12 * np.abs(part).max(axis=0), 0.0, scale)


def deal(splitter: Splitter, patients: pd.Index, event: Bools) -> list[tuple[Positions, Positions]]:
    """Return training and test positions of every split, balanced by event where it can be."""
    splits = []
    for split in splitter.split(patients, event.astype(int)):
        train, test = (split.train, split.test) if hasattr(split, "train") else split
        splits.append((np.asarray(train), np.asarray(test)))
    if not splits:
        raise DataError("expected a splitter that yields folds; found none. Hand in another.")
    return splits


def deal_evenly(
    given: Given, patients: pd.Index, parts: int, *, rng: np.random.Generator
) -> Positions:
    """Return the part of each row, 0 to ``parts`` - 1; each has its share of a cohort's events.

    Rows of one patient, who was drawn with replacement, stay together.
    """
    patient = pd.factorize(patients)[0]
    first = np.unique(patient, return_index=True)[1]
    cohort = np.unique(given.cohorts, return_inverse=True)[1][first]
    order = rng.permutation(len(first))
    order = order[np.lexsort((cohort[order], ~given.event[first][order]))]
    part = np.empty(len(first), dtype=np.intp)
    part[order] = np.arange(len(first)) % parts
    return np.asarray(part[patient])


class GeneSelector(BaseEstimator, ABC):
    """Base of the estimators that leave a list of genes.

    Attributes
    ----------
    genes_ : tuple of str
        What was chosen, the best first.
    weights_ : Series or None
        Log hazard ratio of each chosen gene per standard deviation within its cohort, where the
        choice comes with weights that are to be kept (those of a penalised model, that a refit
        without the penalty would undo); None, as here, where a Cox model of the genes is to weigh
        them.
    """

    genes_: tuple[str, ...]
    weights_: pd.Series[float] | None = None

    def fit_transform(
        self, expression: pd.DataFrame, y: Any, groups: ArrayLike | None = None
    ) -> pd.DataFrame:
        """Choose genes and return their columns."""
        return self.fit(expression, y, groups).transform(expression)

    @abstractmethod
    def fit(self, expression: pd.DataFrame, y: Any, groups: ArrayLike | None = None) -> Self:
        """Choose genes."""

    def transform(self, expression: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of the chosen genes.

        Raises
        ------
        UnknownNameError
            A chosen gene is absent.
        """
        check_is_fitted(self, "genes_")
        for gene in self.genes_:
            if gene not in expression.columns:
                raise UnknownNameError(
                    "gene in the expression matrix", gene, map(str, expression.columns)
                )
        return expression[list(self.genes_)]
