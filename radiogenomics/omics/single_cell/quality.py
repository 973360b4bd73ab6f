"""Which cells to keep: few genes, odd depth, many mitochondrial reads."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import anndata
import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, short_list
from radiogenomics.omics.single_cell.cells import COUNTS, cell_fact, raw_counts, scanpy

# Makes the median absolute deviation of normal values their standard deviation.
_NORMAL = 1.4826


@dataclass(frozen=True)
class QualityLimits:
    """What a cell must have.

    Parameters
    ----------
    min_genes, min_counts
        Genes with a count, and counts, at least; a number for all samples.
    max_genes, max_counts
        At most, against doublets; None for no limit.
    max_mitochondrial
        Largest share of counts from mitochondrial genes, 0 to 1; None for no limit.
    deviations
        Cells further than so many median absolute deviations (times 1.4826) from the median of
        their sample are dropped: of log counts and log genes on both sides, of the mitochondrial
        share above. None for no such limit.
    """

    min_genes: int = 200
    min_counts: int = 0
    max_genes: int | None = None
    max_counts: int | None = None
    max_mitochondrial: float | None = 0.2
    deviations: float | None = 5.0


@dataclass(frozen=True, eq=False)
class QualityResult:
    """Cells that were kept, and why others were not.

    Parameters
    ----------
    cells
        AnnData of the cells kept, a copy.
    metrics
        All cells: ``sample, genes, counts, mitochondrial, reason`` (empty where kept).
    limits
        A row a sample and measure: ``sample, measure, low, high``, the limits that held.
    dropped
        A row a sample and reason: ``sample, reason, cells, share``; a cell with several reasons
        counts under each.
    """

    cells: anndata.AnnData
    metrics: pd.DataFrame
    limits: pd.DataFrame
    dropped: pd.DataFrame


def cell_quality(
    cells: anndata.AnnData, *, sample: str = "patient_id", mitochondrial: str = "MT-"
) -> pd.DataFrame:
    """Count genes and reads of each cell (scanpy's ``calculate_qc_metrics``).

    Parameters
    ----------
    cells
        Cells × genes with raw counts.
    sample
        Column of ``obs`` that says what was sequenced together.
    mitochondrial
        How symbols of mitochondrial genes begin; case does not matter.

    Returns
    -------
    DataFrame
        ``sample, genes`` (with a count), ``counts`` and ``mitochondrial`` (share of counts, 0 to
        1; NaN, with a warning, where no such gene was measured or the cell has no counts).

    Examples
    --------
    >>> cells = anndata.AnnData(np.array([[3.0, 0.0, 1.0]]), obs={"patient_id": ["P1"]})
    >>> cells.var_names = ["ALB", "KPNA2", "MT-CO1"]
    >>> cell_quality(cells)
      sample  genes  counts  mitochondrial
    0     P1      2       4           0.25
    """
    counts = raw_counts(cells)
    names = cells.var_names.astype(str).str.upper()
    bare = anndata.AnnData(counts, var=pd.DataFrame(index=cells.var_names.copy()))
    bare.var["mitochondrial"] = names.str.startswith(mitochondrial.upper())
    found, _ = scanpy().pp.calculate_qc_metrics(
        bare, qc_vars=["mitochondrial"], percent_top=None, log1p=False
    )
    share = found["pct_counts_mitochondrial"].to_numpy(dtype=float) / 100
    if not bare.var["mitochondrial"].any():
        share = np.full(cells.n_obs, np.nan)
        warnings.warn(
            f"cell quality: expected mitochondrial genes ({mitochondrial}…); found none among "
            f"{cells.n_vars:,} genes. Their share is unknown and cannot be limited; give another "
            "beginning if they are named otherwise.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    return pd.DataFrame(
        {
            "sample": cell_fact(cells, sample).to_numpy(),
            "genes": found["n_genes_by_counts"].to_numpy(dtype=int),
            "counts": found["total_counts"].to_numpy().round().astype(int),
            "mitochondrial": share,
        },
        index=cells.obs_names,
    )


def filter_cells(
    cells: anndata.AnnData,
    limits: QualityLimits | None = None,
    *,
    sample: str = "patient_id",
    mitochondrial: str = "MT-",
) -> QualityResult:
    """Keep the cells within fixed limits and near the other cells of their sample.

    A measure that is the same in half of a sample's cells has no spread to judge by: its fixed
    limits hold alone. Limits by spread assume that most cells of a sample are sound and of one
    kind: they misleadingly drop a rare type that is small or metabolically active, so look at
    ``dropped`` by type. Doublets and ambient RNA are not looked for.

    Parameters
    ----------
    cells
        Cells × genes with raw counts.
    limits
        See :class:`QualityLimits`.
    sample, mitochondrial
        See :func:`cell_quality`.

    Raises
    ------
    DataError
        A limit is out of range, or no cell is left.

    References
    ----------
    Median absolute deviations: Germain et al. 2020, doi:10.1186/s13059-020-02136-7. scanpy: Wolf et
    al. 2018, doi:10.1186/s13059-017-1382-0.
    """
    limits = QualityLimits() if limits is None else limits
    _check(limits)
    metrics = cell_quality(cells, sample=sample, mitochondrial=mitochondrial)
    bounds = _bounds(metrics, limits)
    reasons = {}
    for measure, rows in bounds.groupby("measure", sort=False):
        own = metrics["sample"].map(rows.set_index("sample")["low"])
        reasons[f"low {measure}"] = metrics[measure] < own
        own = metrics["sample"].map(rows.set_index("sample")["high"])
        reasons[f"high {measure}"] = metrics[measure] > own
    table = pd.DataFrame(reasons)
    kept = ~table.any(axis=1).to_numpy()
    if not kept.any():
        raise DataError(
            f"cell quality: expected some cells within the limits; found none of {len(kept)} "
            f"({short_list(f'{int(n)} {name}' for name, n in table.sum().items() if n)}). Widen "
            "the limits, or check that X holds raw counts of all genes."
        )
    metrics["reason"] = [", ".join(table.columns[row]) for row in table.to_numpy()]
    result = cells[kept].copy()
    result.layers[COUNTS] = raw_counts(result)
    return QualityResult(result, metrics, bounds, _dropped(table, metrics["sample"]))


def _bounds(metrics: pd.DataFrame, limits: QualityLimits) -> pd.DataFrame:
    """Limits of each sample and measure: the narrower of the fixed and those by spread."""
    fixed = (
        ("genes", limits.min_genes, limits.max_genes, np.log1p, np.expm1),
        ("counts", limits.min_counts, limits.max_counts, np.log1p, np.expm1),
        ("mitochondrial", None, limits.max_mitochondrial, None, None),
    )
    rows = []
    for name, group in metrics.groupby("sample", sort=True):
        for measure, low, high, forth, back in fixed:
            low, high = -np.inf if low is None else low, np.inf if high is None else high
            values = group[measure].dropna().to_numpy(dtype=float)
            if limits.deviations is not None and len(values):
                scaled = values if forth is None else forth(values)
                centre = np.median(scaled)
                reach = limits.deviations * _NORMAL * np.median(np.abs(scaled - centre))
                if reach > 0:
                    ends = np.array([centre - reach, centre + reach])
                    ends = ends if back is None else back(ends)
                    low = low if back is None else max(low, ends[0])
                    high = min(high, ends[1])
            rows.append((name, measure, float(low), float(high)))
    return pd.DataFrame(rows, columns=["sample", "measure", "low", "high"])


def _dropped(table: pd.DataFrame, sample: pd.Series) -> pd.DataFrame:
    cells = table.groupby(sample.to_numpy()).sum()
    share = table.groupby(sample.to_numpy()).mean()
    tidy = cells.rename_axis("sample").reset_index().melt("sample", var_name="reason")
    tidy = tidy.rename(columns={"value": "cells"})
    tidy["share"] = share.rename_axis("sample").reset_index().melt("sample")["value"]
    return tidy[tidy["cells"] > 0].reset_index(drop=True)


def _check(limits: QualityLimits) -> None:
    share, deviations = limits.max_mitochondrial, limits.deviations
    if (share is not None and not 0 <= share <= 1) or (deviations is not None and deviations <= 0):
        raise DataError(
            "cell quality: expected max_mitochondrial as a share of 0 to 1 and deviations above 0; "
            f"found {share} and {deviations}. 20 % is 0.2."
        )
