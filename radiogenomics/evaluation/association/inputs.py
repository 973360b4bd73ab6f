"""What a map is drawn from: two tables, covariates and gene sets of the same patients, checked."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError, short_list
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.evaluation.association.set_limits import Places, SetLimits
from radiogenomics.stats.association.units import (
    Correlation,
    covariate_basis,
    unit_beside,
    unit_columns,
)
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.ranks import midranks

VOLUME = "volume"
FEWEST_PATIENTS = 20
# Share of the patients that may lack a column.
MOST_MISSING = 0.2
# A column of which one value is in more than this share of the patients orders too few of them.
MOST_TIED = 0.9
# Left of a column beside the covariates, as a share: below it they explain the column.
_EXPLAINED = 1e-6


class MapInputs(NamedTuple):
    """Unit columns, and what was left out on the way.

    Attributes
    ----------
    features, genes : ndarray of shape (n, columns)
        Unit columns beside the covariates.
    feature_names, gene_names : Index
    plain_features, plain_genes : ndarray or None
        Unit columns without covariates; None where there are none.
    basis : ndarray of shape (n, k)
        Orthonormal columns of the covariates.
    set_names : tuple of str
    sets : tuple of ndarray
        Positions of the genes of each set.
    left_out : DataFrame
        ``kind, name, reason`` of features, genes and sets that are not in the map.
    method : str
        Ranks or values.
    """

    features: Floats
    genes: Floats
    feature_names: pd.Index
    gene_names: pd.Index
    plain_features: Floats | None
    plain_genes: Floats | None
    basis: Floats
    set_names: tuple[str, ...]
    sets: tuple[Places, ...]
    left_out: pd.DataFrame
    method: Correlation

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.features)

    @property
    def freedom(self) -> int:
        """Degrees of freedom of a correlation."""
        return self.n - 2 - int(self.basis.shape[1])


def map_inputs(
    features: pd.DataFrame,
    genes: pd.DataFrame,
    *,
    gene_sets: Mapping[str, Sequence[str]],
    covariates: pd.DataFrame | None,
    method: Correlation,
    limits: SetLimits,
    fewest: int = FEWEST_PATIENTS,
) -> MapInputs:
    """Check two tables and bring them into the form that a map needs.

    Columns that many patients lack, that hardly vary or that the covariates explain are left out,
    and so are gene sets outside the limits; ``left_out`` says which and why. The median of a column
    stands for single missing values: links get weaker by that, and the null stays exact.

    Parameters
    ----------
    features, genes
        Patients × columns, of the same patients in one order.
    gene_sets
        Name → symbols; none for a map of genes only.
    covariates
        Numbers, or categories, which become indicators; complete.
    method, limits, fewest
        Ranks or values, of covariates that are numbers too; of the gene sets; patients below which
        a map is refused.

    Raises
    ------
    AlignmentError
        The patients differ.
    DataError
        Too few patients, or one twice; no column is left, or one is text; a covariate is missing,
        does not vary, or is explained by others.
    """
    require_same_patients(features.index, genes.index, what="features and genes")
    _require_patients(features.index, fewest)
    beside = None if covariates is None else covariate_columns(covariates, features.index, method)
    basis = covariate_basis(beside, len(features))
    feature_names, plain_features, lost = _side(features, "feature", basis, method=method)
    gene_names, plain_genes, lost_genes = _side(genes, "gene", basis, method=method)
    names, sets, lost_sets = _measured(gene_sets, gene_names, limits)
    adjusted = basis.shape[1] > 0
    return MapInputs(
        unit_beside(plain_features, basis),
        unit_beside(plain_genes, basis),
        feature_names,
        gene_names,
        plain_features if adjusted else None,
        plain_genes if adjusted else None,
        basis,
        names,
        sets,
        pd.DataFrame([*lost, *lost_genes, *lost_sets], columns=["kind", "name", "reason"]),
        method,
    )


def covariate_columns(
    covariates: pd.DataFrame, patients: pd.Index, method: Correlation = "spearman"
) -> Floats:
    """Covariates as numbers, shape (n, k): ranks or values, and indicators of categories.

    Raises
    ------
    AlignmentError
        The patients differ.
    DataError
        A value is missing or infinite, or a column is the same in all.

    Examples
    --------
    >>> table = pd.DataFrame({"volume": [3.0, 9.0, 4.0], "site": ["A", "B", "A"]})
    >>> covariate_columns(table, table.index)
    array([[1., 0.],
           [3., 1.],
           [2., 0.]])
    """
    require_same_patients(covariates.index, patients, what="covariates and features")
    columns: list[Floats] = []
    for name in covariates.columns:
        column = covariates[name]
        missing = int(column.isna().sum())
        if missing or column.nunique() < 2:
            raise DataError(
                f"covariate {name!r}: expected a value for every patient, not the same in all; "
                f"found {missing} missing and {column.nunique()} different values. Leave out the "
                "covariate, or patients without it."
            )
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            numbers = column.to_numpy(dtype=float)
            columns.append((midranks(numbers) if method == "spearman" else numbers)[:, None])
        else:
            columns.append(pd.get_dummies(column.astype(str), dtype=float).to_numpy()[:, 1:])
    return np.hstack(columns) if columns else np.empty((len(patients), 0))


def volume_column(features: pd.DataFrame, volume: str | pd.Series[float]) -> pd.Series[float]:
    """Return tumour volume, by the name of a feature or as it is given.

    Raises
    ------
    UnknownNameError
        No feature has that name.
    AlignmentError
        It is of other patients, or in another order.
    DataError
        It is missing for some patient.
    """
    if isinstance(volume, str):
        if volume not in features:
            raise UnknownNameError("feature that holds the volume", volume, features.columns)
        volume = features[volume]
    require_same_patients(volume.index, features.index, what="volume and features")
    if volume.isna().any():
        raise DataError(
            f"volume: expected one for every patient; found {int(volume.isna().sum())} missing. "
            "Leave these patients out."
        )
    return volume


def not_called_volume(covariates: pd.DataFrame) -> pd.DataFrame:
    """Leave the name that a map gives the tumour volume to that alone.

    Examples
    --------
    >>> list(not_called_volume(pd.DataFrame({"volume": [1.0], "purity": [0.5]})))
    ['volume (covariate)', 'purity']
    """
    return covariates.rename(columns={VOLUME: f"{VOLUME} (covariate)"})


def _require_patients(patients: pd.Index, fewest: int) -> None:
    if len(patients) < fewest:
        raise DataError(
            f"expected at least {fewest} patients with features and genes; found "
            f"{len(patients)}. A map of so few finds what chance makes; add patients, or force it "
            "and believe nothing."
        )
    if patients.has_duplicates:
        raise DataError(
            f"expected each patient once; found {int(patients.duplicated().sum())} rows more. "
            "Patients are dealt anew as independent ones: keep one row of each."
        )


def _side(
    table: pd.DataFrame, kind: str, basis: Floats, *, method: Correlation
) -> tuple[pd.Index, Floats, list[tuple[str, str, str]]]:
    """Names and unit columns of one side, and what was left out."""
    usable, lost = _usable(table, kind)
    plain = unit_columns(usable.to_numpy(dtype=float), method=method)
    kept, explained = _beside(plain, basis, usable.columns, kind)
    return usable.columns[kept], plain[:, kept], [*lost, *explained]


def _usable(table: pd.DataFrame, kind: str) -> tuple[pd.DataFrame, list[tuple[str, str, str]]]:
    """Columns that vary and that nearly all patients have, filled; why others are not here."""
    names = table.columns.astype(str)
    if names.duplicated().any():
        raise DataError(
            f"expected each {kind} once; found {short_list(names[names.duplicated()])} several "
            "times. Keep one column of each."
        )
    values = _numbers(table, kind)
    gaps = ~np.isfinite(values)
    sparse = gaps.mean(axis=0) > MOST_MISSING
    filled = _filled(np.where(sparse, 0.0, np.where(gaps, np.nan, values)))
    ordered = np.sort(filled, axis=0)
    # A value in more than this many patients stands at both ends of some window of that length.
    window = int(np.floor(MOST_TIED * len(values)))
    tied = (ordered[window:] == ordered[: len(values) - window]).any(axis=0) & ~sparse
    lost = [
        *((kind, str(name), f"missing in over {MOST_MISSING:.0%}") for name in names[sparse]),
        *((kind, str(name), f"one value in over {MOST_TIED:.0%}") for name in names[tied]),
    ]
    kept = ~(sparse | tied)
    if not kept.any():
        raise DataError(
            f"expected a {kind} that varies and that {1 - MOST_MISSING:.0%} of the patients have; "
            f"found none of {table.shape[1]}. Impute, or mend the table."
        )
    _warn(kind, lost, table.shape[1])
    gappy = int(gaps[:, kept].any(axis=0).sum())
    if gappy:
        warnings.warn(
            f"{gappy} of {int(kept.sum())} {kind}s have missing values, at most "
            f"{gaps[:, kept].mean(axis=0).max():.0%} of the patients: the median stands for them, "
            "which weakens links.",
            RadiogenomicsWarning,
            stacklevel=4,
        )
    return pd.DataFrame(filled[:, kept], index=table.index, columns=names[kept]), lost


def _numbers(table: pd.DataFrame, kind: str) -> Floats:
    try:
        return table.to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        strange = [
            str(name)
            for name, dtype in table.dtypes.items()
            if not pd.api.types.is_numeric_dtype(dtype)
        ]
        raise DataError(
            f"expected each {kind} as numbers; found text in columns {short_list(strange)}. Leave "
            "them out; groups of patients belong into the covariates."
        ) from error


def _filled(values: Floats) -> Floats:
    """The median of a column for its missing values; permuted patients meet the same columns."""
    gappy = np.isnan(values).any(axis=0)
    if gappy.any():
        part = values[:, gappy]
        values[:, gappy] = np.where(np.isnan(part), np.nanmedian(part, axis=0), part)
    return values


def _beside(
    plain: Floats, basis: Floats, names: pd.Index, kind: str
) -> tuple[NDArray[np.bool_], list[tuple[str, str, str]]]:
    """Columns of which something is left beside the covariates."""
    left = 1 - ((basis.T @ plain) ** 2).sum(axis=0)
    kept = left > _EXPLAINED
    if not kept.any():
        raise DataError(
            f"expected a {kind} that the covariates do not explain; found none of {len(names)}. "
            "Leave a covariate out."
        )
    lost = [(kind, str(name), "explained by the covariates") for name in names[~kept]]
    _warn(kind, lost, len(names))
    return kept, lost


def _measured(
    gene_sets: Mapping[str, Sequence[str]], genes: pd.Index, limits: SetLimits
) -> tuple[tuple[str, ...], tuple[Places, ...], list[tuple[str, str, str]]]:
    """Sets within the limits, as positions; why others are not."""
    names: list[str] = []
    sets: list[Places] = []
    lost: list[tuple[str, str, str]] = []
    for each in limits.measured(gene_sets, genes):
        if each.fits:
            names.append(each.name)
            sets.append(each.places)
        else:
            count = f"{len(each.places)} of {each.listed}"
            lost.append(("set", each.name, f"too few or too many genes measured ({count})"))
    if gene_sets and not names:
        raise DataError(
            f"{limits.unmet(len(gene_sets), genes)} Use symbols in both, or widen the limits."
        )
    _warn("gene set", lost, len(gene_sets))
    return tuple(names), tuple(sets), lost


def _warn(kind: str, lost: Sequence[tuple[str, str, str]], of: int) -> None:
    if lost:
        reasons = pd.Series([row[2].partition(" (")[0] for row in lost])
        why = ", ".join(f"{reason}: {count}" for reason, count in reasons.value_counts().items())
        warnings.warn(
            f"{len(lost)} of {of} {kind}s are not in the map ({why}).",
            RadiogenomicsWarning,
            stacklevel=5,
        )
