"""Which genes differ between two groups of samples, on a logarithmic scale and with few samples.

A linear model of each gene with the group, covariates and patients; variances are shrunk to what
the genes have in common (:mod:`radiogenomics.stats.groups.moderated_t`, also on where it misleads).
For counts take log CPM with ``trend=True``, or
:func:`~radiogenomics.omics.differential_counts.differential_counts`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.omics.group_design import group_design
from radiogenomics.stats.groups.moderated_t import ModeratedT, moderated_t
from radiogenomics.stats.multiplicity import adjust

# Without a logarithm counts, TPM and intensities run into the thousands.
_LARGEST_LOG = 64.0


def moderated_t_table(
    values: pd.DataFrame,
    group: pd.Series[bool],
    *,
    covariates: pd.DataFrame | None = None,
    trend: bool = False,
    paired: pd.Series | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare two groups gene by gene with moderated t-tests, the tests of limma.

    Parameters
    ----------
    values
        Samples × genes, log2; missing values are left out gene by gene.
    group
        True for samples of group a, False for group b; same index as ``values``.
    covariates
        Samples × columns to adjust for, same index, complete. Numbers are numbers; anything else is
        levels.
    trend
        Let the prior variance depend on mean expression, as for log counts.
    paired
        Patient of each sample, same index: groups are compared within patients. Patients with
        samples of one group then add nothing to the difference.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        ``gene, mean, log2_fold_change`` (a − b), ``low, high, t, p`` (two-sided), ``fdr``
        (Benjamini–Hochberg) and ``log_odds`` of a difference. A gene whose values do not determine
        the difference is NaN.

    Raises
    ------
    AlignmentError, DataError
        An index differs; groups, covariates or values are unfit, or confounded.

    References
    ----------
    Smyth 2004, doi:10.2202/1544-6115.1027.

    Examples
    --------
    >>> values = pd.DataFrame({"KPNA2": [5.0, 6, 1, 2], "SMG5": [4.0, 5, 3, 4],
    ...                        "ALB": [9.0, 8, 9, 9]})
    >>> found = moderated_t_table(values, pd.Series([True, True, False, False]))
    >>> found["log2_fold_change"].tolist()
    [4.0, 1.0, -0.5]
    """
    design = group_design(values, group, covariates=covariates, paired=paired)
    of_group = np.arange(design.shape[1]) == 1
    found = moderated_t(_logarithms(values), design, of_group, trend=trend, level=level)
    return _tidy(found, values.columns)


def _tidy(found: ModeratedT, genes: pd.Index) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "gene": genes.astype(str),
            "mean": found.mean,
            "log2_fold_change": found.estimate,
            "low": found.low,
            "high": found.high,
            "t": found.t,
            "p": found.p,
            "fdr": adjust(found.p, method="bh"),
            "log_odds": found.log_odds,
        }
    )


def _logarithms(values: pd.DataFrame) -> np.ndarray:
    try:
        matrix = values.to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"expected expression as numbers; found {short_list(set(values.dtypes))}. Drop columns "
            "of text, or read them as numbers."
        ) from error
    largest = np.nanmax(np.abs(matrix), initial=0.0)
    if largest > _LARGEST_LOG:
        raise DataError(
            f"expected log2 expression; found values up to {largest:.3g}, which are not "
            "logarithms. Take logarithms first (to_log2), or use differential_counts for counts."
        )
    return matrix
