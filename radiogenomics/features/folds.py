"""What selectors share that score in folds what they select."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Floats

# Mean scores this close are tied: the same sum, added in another order.
TIED = 1e-12

Folds = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def stratified_folds(
    code: NDArray[np.intp], n_splits: int, *, owner: object, seed: int | None, shuffle: bool = True
) -> Folds:
    """Deal patients to folds, the classes evenly; fewer folds where a class has fewer patients.

    The folds are those of scikit-learn's ``StratifiedKFold``.

    Parameters
    ----------
    code
        Class of each patient, from 0.
    n_splits
        Folds, from 2.
    owner
        Named in messages.
    seed
        Of the shuffling.
    shuffle
        False for folds in the order of the patients.

    Returns
    -------
    list of (training patients, patients left out)

    Raises
    ------
    DataError
        There are to be fewer than two folds.
    OutcomeError
        A class has a single patient.

    Examples
    --------
    >>> folds = stratified_folds(np.arange(6) % 2, 3, owner=None, seed=0, shuffle=False)
    >>> [test.tolist() for _, test in folds]
    [[0, 1], [2, 3], [4, 5]]
    """
    name = type(owner).__name__
    if n_splits < 2 or int(n_splits) != n_splits:
        raise DataError(
            f"{name}: n_splits: expected a whole number from 2; found {n_splits}. 5 is usual."
        )
    rarest = int(np.bincount(code).min())
    if rarest < 2:
        raise OutcomeError(
            f"{name}: expected at least 2 patients of each class to cross-validate; found {rarest}."
            " Use other patients, or a filter without folds."
        )
    if rarest < n_splits:
        warnings.warn(
            f"{name}: {rarest} folds instead of {n_splits}, as there are only {rarest} patients of "
            "a class.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    folds = StratifiedKFold(
        min(int(n_splits), rarest), shuffle=shuffle, random_state=seed if shuffle else None
    )
    return list(folds.split(code, code))


def require_variation(values: Floats) -> None:
    """Raise DataError where no feature varies; one a column."""
    if not np.ptp(values, axis=0).any():
        raise DataError(
            f"expected a feature that varies; found {values.shape[1]} constant one(s). Check the "
            "feature table."
        )
