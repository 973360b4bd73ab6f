"""FeatureTable: samples × variables with the bookkeeping that integration needs.

Genes, proteins, radiomic and deep features are the same type: a checked AnnData whose ``obs`` has
``patient_id`` and whose ``var`` has ``unit`` and ``source``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import anndata
import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.html import card


@dataclass(frozen=True, eq=False, repr=False)
class FeatureTable:
    """A named table of samples × variables.

    Parameters
    ----------
    name
        Name of the assay, for example ``"rna"`` or ``"radiomics"``.
    adata
        AnnData with numeric ``X`` (dense or sparse); ``obs["patient_id"]``; ``var["unit"]`` and
        ``var["source"]``. The table owns it: do not change it afterwards.

    Raises
    ------
    SchemaError
        A bookkeeping column is missing, or ``X`` is not numeric.
    AlignmentError
        Sample or variable names repeat, or a patient identifier is empty.
    DataError
        A value is infinite. Missing values (NaN) are allowed.

    Examples
    --------
    >>> values = pd.DataFrame({"KPNA2": [5.1, 4.2]}, index=["P1", "P2"])
    >>> FeatureTable.from_frame(values, name="rna", unit="log2(TPM+1)", source="example")
    FeatureTable('rna': 2 samples of 2 patients × 1 variables)
    """

    name: str
    adata: anndata.AnnData

    def __post_init__(self) -> None:
        """Check bookkeeping, identifiers and values."""
        for axis, frame, needed in (
            ("obs", self.adata.obs, ("patient_id",)),
            ("var", self.adata.var, ("unit", "source")),
        ):
            missing = [column for column in needed if column not in frame]
            if missing:
                raise SchemaError(
                    f"{self.name}: expected {axis} with {', '.join(needed)}; found no "
                    f"{short_list(missing)}. Add the column(s)."
                )
        _refuse_repeated(self.adata.obs_names, f"{self.name}: expected unique sample names")
        _refuse_repeated(self.adata.var_names, f"{self.name}: expected unique variable names")
        ids = self.adata.obs["patient_id"]
        empty = ids.isna() | ids.astype(str).str.strip().eq("")
        if empty.any():
            raise AlignmentError(
                f"{self.name}: expected a patient_id for each sample; found {int(empty.sum())} "
                f"without ({short_list(ids.index[empty])}). Fill it in or drop these samples."
            )
        kind = getattr(self.adata.X, "dtype", np.dtype(object))
        if kind.kind not in "iuf":
            raise SchemaError(
                f"{self.name}: expected numbers in X; found {kind}. Convert them before building "
                "the table."
            )
        infinite = int(np.isinf(_stored(self.adata.X)).sum())
        if infinite:
            raise DataError(
                f"{self.name}: expected finite or missing values; found {infinite} infinite ones. "
                "Replace them (often log of zero) before building the table."
            )

    @classmethod
    def from_frame(
        cls,
        values: pd.DataFrame,
        *,
        name: str,
        unit: str,
        source: str,
        patient_id: Sequence[str] | pd.Series[str] | None = None,
        samples: pd.DataFrame | None = None,
        variables: pd.DataFrame | None = None,
    ) -> FeatureTable:
        """Build from a samples × variables frame; the values become float64.

        Parameters
        ----------
        values
            Numeric frame; the index names the samples, the columns the variables.
        unit, source
            Unit of all variables (or a ``unit`` column in ``variables``) and where they come from.
        patient_id
            Patient of each sample, in the order of the rows, or a Series indexed by sample; when
            not given, ``samples["patient_id"]`` or else the sample name itself.
        samples, variables
            Further facts, indexed by sample and by variable; brought into the order of ``values``.

        Raises
        ------
        SchemaError
            A variable is text.
        AlignmentError
            A name is empty or repeated, or facts are given for other samples or variables than
            those of ``values``.
        DataError
            A value is infinite.
        """
        text = [
            column
            for column, kind in zip(values.columns, values.dtypes, strict=True)
            if not pd.api.types.is_numeric_dtype(kind)
        ]
        if text:
            raise SchemaError(
                f"{name}: expected numeric variables; found text in {short_list(text)}. "
                "Drop these columns in the manifest or move them to the patients' table."
            )
        rows = _names(values.index, f"{name}: expected unique sample names")
        columns = _names(values.columns, f"{name}: expected unique variable names")
        obs = _facts(samples, rows, f"{name}, samples")
        if patient_id is None and "patient_id" in obs:
            patient_id = obs["patient_id"]
        obs["patient_id"] = _patients(patient_id, rows, f"{name}, patient_id")
        var = _facts(variables, columns, f"{name}, variables")
        for column, value in (("unit", unit), ("source", source)):
            if column not in var:
                var[column] = value
        numbers = values.to_numpy(dtype=float, na_value=np.nan, copy=True)
        return cls(name, anndata.AnnData(numbers, obs=obs, var=var))

    @property
    def values(self) -> pd.DataFrame:
        """Samples × variables as a dense frame (a copy)."""
        frame: pd.DataFrame = self.adata.to_df()
        return frame.copy()

    @property
    def samples(self) -> pd.DataFrame:
        """Facts of each sample, ``patient_id`` among them (a copy)."""
        frame: pd.DataFrame = self.adata.obs
        return frame.copy()

    @property
    def variables(self) -> pd.DataFrame:
        """Facts of each variable: unit, source, gene_id or ibsi_code (a copy)."""
        frame: pd.DataFrame = self.adata.var
        return frame.copy()

    @property
    def patient_ids(self) -> pd.Index[Any]:
        """Patients in the table, each once, in order of appearance."""
        return self._patient_of_sample().unique()

    @property
    def n_samples(self) -> int:
        """Rows."""
        return int(self.adata.n_obs)

    @property
    def n_variables(self) -> int:
        """Columns."""
        return int(self.adata.n_vars)

    @property
    def missing(self) -> float:
        """Share of missing values, 0 to 1; what a sparse matrix does not store is zero."""
        size = self.n_samples * self.n_variables
        return int(np.isnan(_stored(self.adata.X)).sum()) / size if size else 0.0

    def select(self, variables: Iterable[str]) -> FeatureTable:
        """Keep ``variables`` in that order.

        Raises
        ------
        UnknownNameError
            One is not in the table; near matches are listed.
        AlignmentError
            One is asked for twice.
        """
        wanted = list(variables)
        for variable in wanted:
            if variable not in self.adata.var_names:
                raise UnknownNameError(f"variable of {self.name}", variable, self.adata.var_names)
        _refuse_repeated(pd.Index(wanted), f"{self.name}: expected each variable once")
        return FeatureTable(self.name, self.adata[:, wanted].copy())

    def where(self, column: str, value: Hashable) -> FeatureTable:
        """Keep the samples whose fact ``column`` equals ``value``; there may be none.

        Raises
        ------
        UnknownNameError
            The samples have no such fact.
        """
        if column not in self.adata.obs:
            raise UnknownNameError(f"sample fact of {self.name}", column, self.adata.obs.columns)
        keep = (self.adata.obs[column] == value).to_numpy(dtype=bool, na_value=False)
        return FeatureTable(self.name, self.adata[keep].copy())

    def for_patients(self, patient_ids: Iterable[str]) -> FeatureTable:
        """Keep the samples of ``patient_ids``, in the table's order; others need not be in it."""
        keep = self._patient_of_sample().isin(list(patient_ids))
        return FeatureTable(self.name, self.adata[keep].copy())

    def per_patient(self) -> pd.DataFrame:
        """Patients × variables.

        Raises
        ------
        AlignmentError
            A patient has several samples: choose with :meth:`where` or aggregate first.
        """
        ids = self._patient_of_sample()
        if ids.has_duplicates:
            doubled = ids[ids.duplicated()].unique()
            raise AlignmentError(
                f"{self.name}: expected one sample a patient; found {len(doubled)} patients with "
                f"several ({short_list(doubled)}). Select samples with where(...) or aggregate "
                "them."
            )
        return self.values.set_axis(ids, axis=0)

    def _patient_of_sample(self) -> pd.Index[Any]:
        ids: pd.Series[str] = self.adata.obs["patient_id"].astype(str)
        index: pd.Index[Any] = pd.Index(ids.to_numpy(dtype=object), name="patient_id")
        return index

    def __repr__(self) -> str:
        """Return samples, patients and variables in one line."""
        return (
            f"FeatureTable({self.name!r}: {self.n_samples} samples of {len(self.patient_ids)} "
            f"patients × {self.n_variables} variables)"
        )

    def _repr_html_(self) -> str:
        facts = {
            "samples": self.n_samples,
            "patients": len(self.patient_ids),
            "variables": self.n_variables,
            "missing": f"{self.missing:.1%}",
            "unit": short_list(pd.unique(self.adata.var["unit"])),
            "source": short_list(pd.unique(self.adata.var["source"]), limit=2),
        }
        corner: pd.DataFrame = self.adata[:5, :6].to_df()
        corner.index.name = f"first {corner.shape[0]} × {corner.shape[1]}"
        return card(f"FeatureTable {self.name}", facts, corner)


def _stored(values: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """All values of a dense matrix, the stored ones of a sparse matrix."""
    return np.asarray(values.data if hasattr(values, "nnz") else values)


def _refuse_repeated(names: pd.Index[Any], expected: str) -> None:
    if names.has_duplicates:
        doubled = names[names.duplicated()].unique()
        raise AlignmentError(
            f"{expected}; found {len(doubled)} repeated ({short_list(doubled)}). "
            "Choose which to keep or aggregate them."
        )


def _names(labels: pd.Index[Any], expected: str) -> pd.Index[Any]:
    """Labels as text, none empty, none repeated."""
    empty = int(np.asarray(labels.isna()).sum())
    if empty:
        raise AlignmentError(f"{expected}; found {empty} empty. Name them or drop them.")
    names: pd.Index[Any] = pd.Index(labels.astype(str).to_numpy(dtype=object))
    _refuse_repeated(names, expected)
    return names


def _facts(frame: pd.DataFrame | None, names: pd.Index[Any], what: str) -> pd.DataFrame:
    """Copy of ``frame`` with one row for each name, in their order."""
    if frame is None:
        return pd.DataFrame(index=names)
    return frame.set_axis(frame.index.astype(str), axis=0).iloc[_order(frame.index, names, what)]


def _patients(
    patient_id: Sequence[str] | pd.Series[str] | None, names: pd.Index[Any], what: str
) -> np.ndarray[Any, np.dtype[Any]]:
    """Patient of each sample as text; a missing one stays missing and is refused later."""
    if patient_id is None:
        return names.to_numpy(dtype=object)
    found = pd.Series(patient_id, dtype=object)
    if isinstance(patient_id, pd.Series):
        found = found.iloc[_order(found.index, names, what)]
    elif len(found) != len(names):
        raise AlignmentError(
            f"{what}: expected one for each of {len(names)} samples; found {len(found)}. "
            "Give one patient for each row."
        )
    return found.where(found.isna(), found.astype(str)).to_numpy()


def _order(labels: pd.Index[Any], names: pd.Index[Any], what: str) -> np.ndarray[Any, Any]:
    """Positions that bring ``labels`` into the order of ``names``."""
    found = pd.Index(labels.astype(str))
    if len(found) != len(names) or found.has_duplicates or not names.isin(found).all():
        strangers = names.difference(found)
        raise AlignmentError(
            f"{what}: expected the {len(names)} labels of the table, each once, in any order; "
            f"found {len(found)}, {len(strangers)} of the table's not among them "
            f"({short_list(strangers)}). Index them by the table's labels."
        )
    positions: np.ndarray[Any, Any] = found.get_indexer(names)
    return positions
