"""Which genes differ between two groups of samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student_t
from scipy.stats import ttest_ind_from_stats

from radiogenomics.omics.group_design import check_group
from radiogenomics.stats import adjust

Floats = NDArray[np.float64]


class _Summary(NamedTuple):
    mean: Floats
    sd: Floats
    n: Floats


def compare_groups(values: pd.DataFrame, group: pd.Series[bool]) -> pd.DataFrame:
    """Compare two groups gene by gene with Welch's t-test.

    ``t = (mean_a − mean_b) / √(s²_a / n_a + s²_b / n_b)``, with Welch's degrees of freedom. Samples
    are taken as independent, which tumours and normals of the same patients are not (the test is
    then cautious). Misleads on counts and with a handful of samples a group.

    Parameters
    ----------
    values
        Samples × genes, logarithmic; missing values are left out gene by gene.
    group
        True for samples of group a, False for group b; same index as ``values``.

    Returns
    -------
    DataFrame
        ``gene, mean_a, mean_b, difference`` (a − b), ``low, high`` (95 % interval of the
        difference), ``t, p`` (two-sided), ``fdr`` (Benjamini–Hochberg). A gene without variance, or
        with fewer than two values in a group, is not tested: NaN.

    Raises
    ------
    AlignmentError, DataError
        The indexes differ; ``group`` is not boolean, or a group has fewer than two samples.

    References
    ----------
    Welch 1947, doi:10.1093/biomet/34.1-2.28; Benjamini & Hochberg 1995,
    doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> values = pd.DataFrame({"KPNA2": [5.0, 6.0, 7.0, 1.0, 2.0, 3.0]})
    >>> compare_groups(values, pd.Series([True] * 3 + [False] * 3))[["gene", "difference"]]
        gene  difference
    0  KPNA2         4.0
    """
    in_a = check_group(values, group)
    matrix = values.to_numpy(dtype=float)
    a, b = _summary(matrix[in_a]), _summary(matrix[~in_a])
    testable = (a.n >= 2) & (b.n >= 2) & (np.nan_to_num(a.sd) + np.nan_to_num(b.sd) > 0)
    t, p = np.full(matrix.shape[1], np.nan), np.full(matrix.shape[1], np.nan)
    t[testable], p[testable] = ttest_ind_from_stats(
        *(moment[testable] for moment in (*a, *b)), equal_var=False
    )
    half = _half_width(a, b, t)
    return pd.DataFrame(
        {
            "gene": values.columns.astype(str),
            "mean_a": a.mean,
            "mean_b": b.mean,
            "difference": a.mean - b.mean,
            "low": a.mean - b.mean - half,
            "high": a.mean - b.mean + half,
            "t": t,
            "p": p,
            "fdr": adjust(p, method="bh"),
        }
    )


def _half_width(a: _Summary, b: _Summary, tested: Floats) -> Floats:
    """Half of the 95 % interval: Welch's standard error times the t quantile of its degrees."""
    with np.errstate(divide="ignore", invalid="ignore"):
        part_a, part_b = a.sd**2 / a.n, b.sd**2 / b.n
        degrees = (part_a + part_b) ** 2 / (part_a**2 / (a.n - 1) + part_b**2 / (b.n - 1))
        half = student_t.ppf(0.975, degrees) * np.sqrt(part_a + part_b)
    return np.where(np.isnan(tested), np.nan, half)


def _summary(matrix: Floats) -> _Summary:
    """Mean, standard deviation and number of the values that are there, column by column."""
    present = ~np.isnan(matrix)
    count = present.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(present, matrix, 0.0).sum(axis=0) / count
        squares = np.where(present, (matrix - mean) ** 2, 0.0).sum(axis=0)
        sd = np.sqrt(squares / (count - 1))
    # Rounding in the mean must not turn a constant gene into one with a tiny variance.
    constant = sd <= 1e-12 * np.abs(mean)
    return _Summary(mean, np.where(constant, 0.0, sd), count)
