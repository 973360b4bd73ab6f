"""Cells of a patient and type added up to one sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from radiogenomics.core.errors import AlignmentError, DataError, UnknownNameError, short_list
from radiogenomics.omics.single_cell.cells import cell_fact, distinct_genes, raw_counts


@dataclass(frozen=True, eq=False)
class Pseudobulk:
    """Summed raw counts of each patient and cell type.

    Parameters
    ----------
    counts
        Samples × genes; a sample is a patient and a cell type.
    samples
        The same index: ``patient_id, cell_type, cells, reads`` and the facts asked for.
    left_out
        ``patient_id, cell_type, cells`` of those with too few cells.
    """

    counts: pd.DataFrame
    samples: pd.DataFrame
    left_out: pd.DataFrame

    @property
    def cell_types(self) -> tuple[str, ...]:
        """Types that have a sample, sorted."""
        return tuple(sorted(self.samples["cell_type"].unique()))

    def of(self, cell_type: str) -> pd.DataFrame:
        """Patients × genes of one type.

        Raises
        ------
        UnknownNameError
            No patient has enough cells of it.
        """
        rows = self.samples["cell_type"] == cell_type
        if not rows.any():
            raise UnknownNameError("cell type with enough cells", cell_type, self.cell_types)
        patients = self.samples.loc[rows, "patient_id"]
        return self.counts[rows].set_axis(pd.Index(patients, name="patient_id"), axis=0)


def pseudobulk(
    cells: anndata.AnnData,
    *,
    patient: str = "patient_id",
    cell_type: str = "cell_type",
    min_cells: int = 10,
    facts: Sequence[str] = (),
) -> Pseudobulk:
    """Add up the raw counts of each patient's cells of each type.

    The sum is what bulk RNA of sorted cells would count, so that patients are compared: tests that
    take cells for independent samples find differences between any two groups of patients. Samples
    of few cells are noise and are left out.

    Parameters
    ----------
    cells
        Cells × genes with raw counts.
    patient, cell_type
        Columns of ``obs``.
    min_cells
        Cells that a sample needs, at least 1.
    facts
        Further columns of ``obs`` that are the same for all cells of a patient.

    Raises
    ------
    DataError
        There are no raw counts, a fact differs within a patient, or no sample has enough cells.
    AlignmentError, UnknownNameError
        A gene repeats, a cell lacks its patient or type, or a column is absent.

    References
    ----------
    Squair et al. 2021, doi:10.1038/s41467-021-25960-2.

    Examples
    --------
    >>> cells = anndata.AnnData(np.array([[3.0, 0.0], [1.0, 2.0], [0.0, 5.0]]),
    ...     obs={"patient_id": ["P1", "P1", "P2"], "cell_type": ["T", "T", "T"]})
    >>> cells.var_names = ["GZMA", "PRF1"]
    >>> pseudobulk(cells, min_cells=1).counts
          GZMA  PRF1
    P1 T     4     2
    P2 T     0     5
    """
    matrix, genes = raw_counts(cells), distinct_genes(cells)
    owner, kind = cell_fact(cells, patient), cell_fact(cells, cell_type)
    code, groups = pd.factorize(pd.MultiIndex.from_arrays([owner, kind]), sort=True)
    member = sparse.csr_matrix((np.ones(len(code)), (code, np.arange(len(code)))))
    sums = np.rint((member @ matrix).toarray()).astype(np.int64)
    samples = groups.to_frame(index=False).set_axis(["patient_id", "cell_type"], axis=1)
    samples["cells"], samples["reads"] = np.bincount(code), sums.sum(axis=1)
    samples.index = pd.Index(samples["patient_id"] + " " + samples["cell_type"], dtype=object)
    enough = (samples["cells"] >= min_cells).to_numpy()
    _check_samples(samples, enough, min_cells)
    left_out = samples.loc[~enough, ["patient_id", "cell_type", "cells"]].reset_index(drop=True)
    samples = samples[enough].join(_facts(cells, owner, facts), on="patient_id")
    counts = pd.DataFrame(sums[enough], samples.index, pd.Index(genes, name=None))
    return Pseudobulk(counts, samples, left_out)


def _check_samples(samples: pd.DataFrame, enough: np.ndarray, min_cells: int) -> None:
    if min_cells < 1:
        raise DataError(f"min_cells: expected 1 or more; found {min_cells}. 10 is usual.")
    if not enough.any() or not samples.index.is_unique:
        raise DataError(
            f"pseudobulk: expected patients with at least {min_cells} cells of a type, and names "
            f"that stay apart; found at most {samples['cells'].max()} cells and "
            f"{int(samples.index.duplicated().sum())} names twice. Lower min_cells, merge types, "
            "or rename them."
        )


def _facts(cells: anndata.AnnData, patient: pd.Series, facts: Sequence[str]) -> pd.DataFrame:
    """Facts of each patient."""
    for name in facts:
        if name not in cells.obs:
            raise UnknownNameError("column of obs", name, map(str, cells.obs.columns))
        if name in ("patient_id", "cell_type", "cells", "reads"):
            raise AlignmentError(
                f"pseudobulk: expected facts other than those the table has; found {name!r}. Leave "
                "it out."
            )
        several = cells.obs[name].groupby(patient.to_numpy(), observed=True).nunique(dropna=False)
        if (several > 1).any():
            raise DataError(
                f"pseudobulk: expected one {name} a patient; found several in "
                f"{int((several > 1).sum())} of {len(several)} patients "
                f"({short_list(several.index[several > 1], limit=3)}). It is a fact of cells: "
                "leave it out."
            )
    return cells.obs[list(facts)].groupby(patient.to_numpy()).first()
