"""Linear model of site and covariates: how covariates are coded, and its fit with gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError, short_list

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# A direction of the design weaker than this beside the strongest cannot be told from the others.
_RANK_TOLERANCE = 1e-9


@dataclass(frozen=True)
class CovariateCoding:
    """How one covariate becomes columns of a design, learnt on training patients.

    Attributes
    ----------
    name
        For messages.
    levels
        Sorted levels, the first being the reference; empty when the covariate is a number.
    centre, scale
        Training mean and standard deviation of a number.
    """

    name: str
    levels: tuple[Any, ...]
    centre: float = 0.0
    scale: float = 1.0

    @classmethod
    def learn(cls, name: str, column: pd.Series[Any]) -> CovariateCoding:
        """Take a covariate for a number when its column holds numbers, else for levels.

        Raises
        ------
        DataError
            A value is missing, or all are the same.
        """
        column = column.infer_objects()
        if column.nunique() < 2:
            raise DataError(
                f"covariate {name}: expected training patients that differ in it; found "
                f"{column.nunique()} value(s) among {len(column)} patients. Drop the covariate."
            )
        if not pd.api.types.is_numeric_dtype(column):
            _refuse_missing(name, column)
            return cls(name, tuple(pd.factorize(column.astype(object), sort=True)[1]))
        values = _numbers(name, column)
        return cls(name, (), float(values.mean()), float(values.std()))

    def encode(self, column: pd.Series[Any]) -> Floats:
        """Columns of the design: one for a number, one for each level after the first.

        Raises
        ------
        DataError
            A value is missing, not a number where training had numbers, or a level that training
            did not have.
        """
        if not self.levels:
            return ((_numbers(self.name, column) - self.centre) / self.scale)[:, None]
        _refuse_missing(self.name, column)
        column = column.astype(object)  # a categorical would count levels that nobody has
        code = pd.Index(self.levels, dtype=object).get_indexer(column)
        strange = column[code < 0].value_counts()
        if len(strange):
            raise DataError(
                f"covariate {self.name}: expected one of the training levels "
                f"({short_list(self.levels)}); found {counted(strange)}. Merge rare levels before "
                "training, or leave these patients out."
            )
        return (code[:, None] == np.arange(1, len(self.levels))).astype(float)


def counted(counts: pd.Series[int]) -> str:
    """Names and how many patients each has, for a message."""
    return short_list(f"{name} ({n} patients)" for name, n in counts.items())


def fit_with_gaps(design: Floats, values: Floats) -> tuple[Floats, Bools]:
    """Least squares of each variable on the design, over the patients that have it.

    Parameters
    ----------
    design : ndarray, shape (n, k)
    values : ndarray, shape (n, p)
        May hold NaN.

    Returns
    -------
    coefficients : ndarray, shape (k, p)
    estimable : ndarray of bool, shape (p,)
        False where the patients that have the variable cannot tell the columns apart; the
        coefficients are zero there.
    """
    observed = ~np.isnan(values)
    coefficients = np.zeros((design.shape[1], values.shape[1]))
    estimable = np.zeros(values.shape[1], dtype=bool)
    if observed.all():
        patterns, member = observed[:, :1], np.zeros(values.shape[1], dtype=int)
    else:
        patterns, member = np.unique(observed, axis=1, return_inverse=True)
    order = np.argsort(member.ravel(), kind="stable")
    bounds = np.searchsorted(member.ravel()[order], np.arange(patterns.shape[1] + 1))
    for rows, low, high in zip(patterns.T, bounds[:-1], bounds[1:], strict=True):
        columns = order[low:high]
        solved, _, rank, _ = np.linalg.lstsq(
            design[rows], values[np.ix_(rows, columns)], rcond=_RANK_TOLERANCE
        )
        if rank == design.shape[1]:
            coefficients[:, columns] = solved
            estimable[columns] = True
    return coefficients, estimable


def refuse_confounding(sites: Floats, names: list[str], covariates: list[Floats]) -> None:
    """Raise DataError when a covariate cannot be told from the sites or from those before it.

    Parameters
    ----------
    sites : ndarray, shape (n, n_sites)
        Indicator columns.
    names, covariates
        Name and columns of each covariate.
    """
    design = sites
    for name, columns in zip(names, covariates, strict=True):
        design = np.hstack([design, columns])
        if np.linalg.matrix_rank(design, rtol=_RANK_TOLERANCE) < design.shape[1]:
            alone = np.hstack([sites, columns])
            by_site = np.linalg.matrix_rank(alone, rtol=_RANK_TOLERANCE) < alone.shape[1]
            other = "the sites" if by_site else "the sites and the covariates before it"
            raise DataError(
                f"covariate {name}: expected that it varies within sites; found that it cannot be "
                f"told from {other} in {len(sites)} training patients. Drop the covariate, or "
                "merge its rare levels."
            )


def _numbers(name: str, column: pd.Series[Any]) -> Floats:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = ~np.isfinite(values)
    if bad.any():
        raise DataError(
            f"covariate {name}: expected a finite number for every patient; found {int(bad.sum())} "
            f"without (first at row {int(np.flatnonzero(bad)[0])}). Impute them or leave these "
            "patients out."
        )
    return values


def _refuse_missing(name: str, column: pd.Series[Any]) -> None:
    missing = int(column.isna().sum())
    if missing:
        raise DataError(
            f"covariate {name}: expected a level for every patient; found {missing} missing. Give "
            "them a level of their own or leave these patients out."
        )
