"""The design matrix of two groups of samples, with covariates and patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import AlignmentError, DataError, short_list
from radiogenomics.core.row_facts import refuse_row_facts

GROUP = "group"


def group_design(
    values: pd.DataFrame,
    group: pd.Series[bool],
    *,
    covariates: pd.DataFrame | None = None,
    paired: pd.Series | None = None,
) -> pd.DataFrame:
    """Columns ``intercept``, ``group`` (1 in group a), covariates and patients of each sample.

    Parameters
    ----------
    values
        Samples × genes.
    group
        True for samples of group a; same index.
    covariates
        Samples × columns; numbers as they are, other columns as levels against the first.
    paired
        Patient of each sample.

    Returns
    -------
    DataFrame
        Samples × coefficients.

    Raises
    ------
    AlignmentError
        An index differs.
    DataError
        Groups are not boolean or have fewer than two samples, a covariate or patient is missing, or
        no patient has samples of both groups.

    Examples
    --------
    >>> group_design(pd.DataFrame({"KPNA2": [5.0, 6, 1, 2]}), pd.Series([True, True, False, False]))
       intercept  group
    0        1.0    1.0
    1        1.0    1.0
    2        1.0    0.0
    3        1.0    0.0
    """
    refuse_row_facts(values)
    check_group(values, group)
    blocks = [pd.DataFrame({"intercept": 1.0, GROUP: group.astype(float)}, index=values.index)]
    if covariates is not None:
        _check_aligned(values, covariates, "covariates")
        _check_complete(covariates)
        blocks += [_coded(covariates[name], str(name)) for name in covariates.columns]
    if paired is not None:
        _check_pairs(values, group, paired)
        blocks.append(_coded(paired.astype(object), "patient"))
    design = pd.concat(blocks, axis=1)
    twice = design.columns[design.columns.duplicated()].unique()
    if len(twice):
        raise DataError(
            f"expected names of covariates once each, and none called intercept or {GROUP}; found "
            f"{short_list(twice)} twice. Rename them."
        )
    return design


def check_group(values: pd.DataFrame, group: pd.Series[bool]) -> NDArray[np.bool_]:
    """Whether each sample is in group a, if there are two or more in each group.

    Raises
    ------
    AlignmentError
        The index differs.
    DataError
        Groups are not boolean or have fewer than two samples.
    """
    _check_aligned(values, group, "groups")
    if not pd.api.types.is_bool_dtype(group.dtype) or group.isna().any():
        raise DataError(
            f"expected groups as True and False; found {group.dtype}. Compare the column with the "
            "name of group a."
        )
    in_a = int(group.sum())
    if min(in_a, len(group) - in_a) < 2:
        raise DataError(
            f"expected at least two samples in each group; found {in_a} and {len(group) - in_a}. "
            "Without replicates nothing can be tested."
        )
    return group.to_numpy(dtype=bool)


def _check_pairs(values: pd.DataFrame, group: pd.Series[bool], paired: pd.Series) -> None:
    _check_aligned(values, paired, "patients of the samples")
    _check_complete(paired.to_frame("patient"))
    if not (group.groupby(paired.to_numpy()).nunique() == 2).any():
        raise DataError(
            f"expected patients with samples of both groups; found none among "
            f"{paired.nunique()}. Leave paired out to compare independent samples."
        )


def _check_aligned(values: pd.DataFrame, other: pd.DataFrame | pd.Series, what: str) -> None:
    if not values.index.equals(other.index):
        raise AlignmentError(
            f"expected {what} in the order of the {len(values)} samples; found {len(other)} with "
            "another index. Reindex them by sample."
        )


def _check_complete(table: pd.DataFrame) -> None:
    gaps = table.isna().sum()
    gaps = gaps[gaps > 0]
    if len(gaps):
        raise DataError(
            f"expected complete covariates; found {int(gaps.sum())} missing values in "
            f"{short_list(gaps.index)}. Drop these samples or impute."
        )


def _coded(column: pd.Series, name: str) -> pd.DataFrame:
    """A number as it is; levels as indicators of all but the first."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype(float).to_frame(name)
    coded = pd.get_dummies(column.astype(str), prefix=name, drop_first=True, dtype=float)
    return coded.set_axis(column.index)
