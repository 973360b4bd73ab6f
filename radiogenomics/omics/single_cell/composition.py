"""Which cell types make up each patient's cells, and whether groups of patients differ in it."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.omics.differential_moderated import moderated_t_table
from radiogenomics.omics.group_design import check_group
from radiogenomics.omics.single_cell.cells import cell_fact

TRANSFORMS = ("arcsine", "clr")


def cell_type_counts(
    cells: anndata.AnnData, *, patient: str = "patient_id", cell_type: str = "cell_type"
) -> pd.DataFrame:
    """Count each patient's cells of each type.

    Parameters
    ----------
    cells
        Annotated cells.
    patient, cell_type
        Columns of ``obs``.

    Returns
    -------
    DataFrame
        Patients × types, numbers of cells.

    Examples
    --------
    >>> cells = anndata.AnnData(np.ones((3, 1)),
    ...     obs={"patient_id": ["P1", "P1", "P2"], "cell_type": ["T", "B", "T"]})
    >>> cell_type_counts(cells)
    cell_type   B  T
    patient_id
    P1          1  1
    P2          0  1
    """
    return pd.crosstab(
        cell_fact(cells, patient).to_numpy(),
        cell_fact(cells, cell_type).to_numpy(),
        rownames=["patient_id"],
        colnames=["cell_type"],
    )


def composition_table(counts: pd.DataFrame, group: pd.Series | None = None) -> pd.DataFrame:
    """Share of each type among the cells of each patient, or, with groups, their mean.

    Parameters
    ----------
    counts
        Patients × types; see :func:`cell_type_counts`.
    group
        Group of each patient, same index.

    Returns
    -------
    DataFrame
        ``sample`` (patient or group), ``cell_type, share`` (0 to 1) and ``cells``. The share of a
        group is the mean of its patients', each counting the same.

    Raises
    ------
    DataError
        A patient has no cells, or groups are of others.
    """
    shares = _shares(counts)
    if group is not None:
        if not group.index.equals(counts.index):
            raise DataError(
                f"composition: expected a group of each of the {len(counts)} patients; found "
                f"{len(group)} with another index. Reindex them by patient."
            )
        key = group.astype(str).to_numpy()
        shares, counts = shares.groupby(key).mean(), counts.groupby(key).sum()
    tidy = shares.rename_axis("sample").rename_axis(None, axis=1).reset_index()
    tidy = tidy.melt("sample", var_name="cell_type", value_name="share")
    tidy["cells"] = counts.to_numpy().T.ravel()
    return tidy


def compare_composition(
    counts: pd.DataFrame,
    group: pd.Series[bool],
    *,
    transform: str = "arcsine",
    covariates: pd.DataFrame | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    r"""Test whether cell types take another share of the cells in group a than in group b.

    Shares are transformed and compared by moderated t-tests over patients. ``"arcsine"``:
    :math:`\arcsin\sqrt{s}` of the share s, whose variance hardly depends on it (propeller, without
    its robust option). ``"clr"``: :math:`\log(c_k + ½) - \frac1K\sum_j \log(c_j + ½)` of the
    cells, in natural logarithms, which compares a type with the geometric mean of all.

    Shares sum to one: where one type grows all others shrink, so the test does not say which type
    began it; ``"clr"`` is less prone to that, and noisy for rare types.

    Parameters
    ----------
    counts, transform
        Patients × types, numbers of cells; ``"arcsine"`` or ``"clr"``.
    group, covariates, level
        See :func:`~radiogenomics.omics.differential_moderated.moderated_t_table`.

    Returns
    -------
    DataFrame
        ``cell_type, share_a, share_b`` (means over patients), ``difference`` (a − b) with ``low,
        high`` on the transformed scale, ``t, p, fdr``.

    Raises
    ------
    DataError, UnknownNameError
        A patient has no cells, a group fewer than two patients; fewer than two types; no transform.

    References
    ----------
    Phipson et al. 2022, doi:10.1093/bioinformatics/btac582.

    Examples
    --------
    >>> counts = pd.DataFrame({"T": [30, 35, 10, 12], "B": [10, 8, 11, 9],
    ...                        "tumour": [60, 57, 79, 79]})
    >>> found = compare_composition(counts, pd.Series([True, True, False, False]))
    >>> found[["cell_type", "share_a", "share_b"]].round(3)
      cell_type  share_a  share_b
    0         T    0.325    0.110
    1         B    0.090    0.100
    2    tumour    0.585    0.790
    """
    shares = _shares(counts)
    check_group(counts, group)
    values = _transformed(counts, shares, transform)
    found = moderated_t_table(values, group, covariates=covariates, level=level)
    found = found.rename(columns={"gene": "cell_type", "log2_fold_change": "difference"})
    found.insert(1, "share_a", shares[group].mean().to_numpy())
    found.insert(2, "share_b", shares[~group].mean().to_numpy())
    return found.drop(columns=["mean", "log_odds"])


def _transformed(counts: pd.DataFrame, shares: pd.DataFrame, transform: str) -> pd.DataFrame:
    if transform not in TRANSFORMS:
        raise UnknownNameError("transform of shares", transform, TRANSFORMS)
    if transform == "arcsine":
        return np.arcsin(np.sqrt(shares))
    logs = np.log(counts + 0.5)
    return logs.sub(logs.mean(axis=1), axis=0)


def _shares(counts: pd.DataFrame) -> pd.DataFrame:
    total = counts.sum(axis=1)
    if counts.shape[1] < 2 or not (total > 0).all() or (counts < 0).any(axis=None):
        raise DataError(
            "composition: expected numbers of cells of two types or more, and cells of every "
            f"patient; found {counts.shape[1]} types and {int((~(total > 0)).sum())} of "
            f"{len(counts)} patients without. Drop these patients."
        )
    return counts.div(total, axis=0)
