"""Covariates of a map, and the strata inside which its patients are permuted."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.evaluation.association.inputs import covariate_columns, not_called_volume
from radiogenomics.io.feature_files import MOST_LEVELS
from radiogenomics.stats.association.units import Correlation

# Arrangements of the patients inside strata below which permuting them says nothing.
FEWEST_ARRANGEMENTS = 1000
# Left of a covariate beside the others, as a share: below it they explain it.
_EXPLAINED = 1e-9


def of_known_patients(covariates: pd.DataFrame | None) -> pd.DataFrame | None:
    """Leave out patients of whom a covariate is not known, with a warning.

    Raises
    ------
    DataError
        Nobody is left.
    """
    if covariates is None:
        return None
    known = covariates.notna().all(axis=1)
    if not known.any():
        missing = covariates.columns[covariates.isna().all()]
        raise DataError(
            "expected patients with every covariate; found none of "
            f"{len(covariates)} (always missing: {short_list(missing) or 'none'}). Leave some out."
        )
    if not known.all():
        warnings.warn(
            f"{int((~known).sum())} of {len(known)} patients lack a covariate and are left out.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    return covariates[known]


def require_groups(covariates: pd.DataFrame) -> None:
    """Raise DataError for words that hardly two patients share: each would be a covariate."""
    for name in covariates:
        words = not pd.api.types.is_numeric_dtype(covariates[name])
        levels = covariates[name].nunique()
        if words and levels > MOST_LEVELS:
            raise DataError(
                f"covariate {name}: expected numbers, or at most {MOST_LEVELS} words that patients "
                f"share; found {levels} words of {len(covariates)} patients. Leave it out."
            )


def varying_covariates(
    covariates: pd.DataFrame | None,
) -> tuple[pd.DataFrame | None, list[str]]:
    """Leave out covariates that are the same in all patients, and say which."""
    if covariates is None:
        return None, []
    dull = [name for name in covariates if covariates[name].nunique() < 2]
    notes = [f"covariate {name} is the same in all these patients and left out" for name in dull]
    left = covariates.drop(columns=dull)
    return (left if left.shape[1] else None), notes


def with_strata(
    covariates: pd.DataFrame | None, strata: pd.Series[str], within: str
) -> pd.DataFrame | None:
    """Covariates with what patients are permuted within: p and rates know nothing of strata."""
    if strata.nunique() < 2:
        return covariates
    own = strata.rename(within).to_frame()
    if covariates is None:
        return own
    known = any(name == within or str(name).startswith(f"{within}=") for name in covariates)
    return covariates if known else covariates.join(own)


def untaken_sites(
    cohort: Cohort | None, covariates: pd.DataFrame | None, patients: pd.Index
) -> str:
    """Say that sites differ and are not taken out; empty where there is nothing to say."""
    if cohort is None or "site" not in cohort.patients:
        return ""
    sites = cohort.patients["site"].reindex(patients).nunique()
    if sites < 2 or (covariates is not None and "site" in covariates):
        return ""
    return (
        f"patients come from {sites} sites, which are not taken out, so that links may be those of "
        "scanners and laboratories: name site as a covariate"
    )


def strata_of(
    within: str, *, covariates: pd.DataFrame | None, cohort: Cohort | None, patients: pd.Index
) -> pd.Series[str]:
    """Return the value of a column for each patient, inside which they change places.

    Raises
    ------
    UnknownNameError
        There is no such column.
    StudyError
        There is no table to have it, or its values are so many that hardly a patient could move.
    """
    if cohort is not None:
        if within not in cohort.patients:
            raise UnknownNameError(f"column of {cohort.id}", within, cohort.patients.columns)
        stated = cohort.patients[within].loc[patients].astype(object)
        strata = stated.where(stated.notna(), "not stated").astype(str)
    elif covariates is None:
        raise StudyError(
            f"within: expected a column of covariates that vary; found {within!r} and none. Name a "
            "file of covariates that has it."
        )
    else:
        # Words of a file of covariates are columns called `site=B`.
        words = {name: str(name).partition("=")[0] for name in covariates}
        own = [name for name in covariates if within in (name, words[name])]
        if not own:
            raise UnknownNameError(
                "column of the covariates", within, dict.fromkeys(words.values())
            )
        strata = covariates[own].astype(str).agg(" ".join, axis=1)
    counts = strata.value_counts()
    if sum(math.lgamma(count + 1) for count in counts) < math.log(FEWEST_ARRANGEMENTS):
        raise StudyError(
            f"within {within}: expected a column whose values several patients share; found "
            f"{len(counts)} values for {len(strata)} patients, {int((counts == 1).sum())} of them "
            "of one patient: none could change places. Name a coarser column, or none."
        )
    return strata


def beside_volume(
    features: pd.DataFrame, covariates: pd.DataFrame | None, volume: str | None
) -> tuple[pd.DataFrame | None, pd.Series[float] | None]:
    """Return the other covariates, and the tumour volume, a feature or one of the covariates.

    A covariate that orders the patients as the volume does is the volume, and counted once.

    Raises
    ------
    UnknownNameError
        It is neither.
    """
    if volume is None:
        return covariates, None
    if volume in features:
        return _but(covariates, features[volume]), features[volume]
    if covariates is None or volume not in covariates:
        known = [*features.columns, *([] if covariates is None else covariates.columns)]
        raise UnknownNameError("feature or covariate that holds the volume", volume, known)
    return _but(covariates, covariates[volume]), covariates[volume]


def _but(covariates: pd.DataFrame | None, volume: pd.Series[float]) -> pd.DataFrame | None:
    """Covariates that do not order the patients as the volume does."""
    if covariates is None:
        return None
    order = volume.rank()
    own = [
        name
        for name in covariates
        if pd.api.types.is_numeric_dtype(covariates[name]) and covariates[name].rank().equals(order)
    ]
    others = not_called_volume(covariates.drop(columns=own))
    return others if others.shape[1] else None


def require_independent(
    covariates: pd.DataFrame | None, volume: pd.Series[float] | None, *, method: Correlation
) -> None:
    """Raise DataError, with their names, for covariates that others say already.

    Examples
    --------
    >>> ml = pd.DataFrame({"volume_ml": [3.0, 9.0, 4.0, 7.0]})
    >>> require_independent(ml, None, method="spearman")
    """
    if covariates is None or covariates.isna().to_numpy().any():
        return
    columns = [covariates[[name]] for name in covariates]
    if volume is not None and not volume.isna().any():
        columns.insert(0, volume.rename(f"volume ({volume.name})").to_frame())
    basis = np.empty((len(covariates), 0))
    explained = []
    for column in columns:
        values = covariate_columns(column, column.index, method)
        values = values - values.mean(axis=0)
        for each in values.T:
            left = each - basis @ (basis.T @ each)
            # Twice is enough for rounding.
            left -= basis @ (basis.T @ left)
            if left @ left <= _EXPLAINED * (each @ each):
                explained.append(str(column.columns[0]))
            else:
                basis = np.column_stack([basis, left / np.sqrt(left @ left)])
    if explained:
        names = [str(column.columns[0]) for column in columns]
        raise DataError(
            f"expected covariates that say different things; found {short_list(explained)} "
            f"explained by the others of {short_list(names, limit=20)}. Leave it out."
        )


def known_covariates(volume: pd.Series[float] | None, names: Sequence[str]) -> str:
    """Say what is taken out of both sides, in words.

    Examples
    --------
    >>> known_covariates(None, ["purity", "site=B"]), known_covariates(None, [])
    ('purity, site=B', 'nothing')
    """
    own = [] if volume is None else [f"volume ({volume.name})"]
    return short_list([*names, *own], limit=20) or "nothing"
