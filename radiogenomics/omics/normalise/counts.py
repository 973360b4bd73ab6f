"""Whether a table holds read counts, and of which samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import AlignmentError, DataError, short_list
from radiogenomics.core.row_facts import refuse_row_facts

Floats = NDArray[np.float64]

# log2 of any count is below this; a library's largest count is far above it.
_LARGEST_LOG = 40.0


def check_counts(counts: pd.DataFrame, *, fractional: bool = False) -> Floats:
    """Return read counts as numbers, or say what else the table seems to hold.

    Parameters
    ----------
    counts
        Samples × genes.
    fractional
        Whether counts may have fractions, as those that RSEM, Salmon or kallisto expect.

    Returns
    -------
    ndarray, shape (samples, genes)

    Raises
    ------
    DataError
        A value is missing, infinite, negative or (unless allowed) fractional, or a sample has no
        reads.

    Examples
    --------
    >>> check_counts(pd.DataFrame({"KPNA2": [3], "SMG5": [0]}, index=["P1"]))
    array([[3., 0.]])
    """
    refuse_row_facts(counts)
    try:
        values = counts.to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"expected counts as numbers; found {short_list(set(counts.dtypes))}. Drop columns of "
            "text, or read them as numbers."
        ) from error
    refuse_other_values(values, fractional=fractional, samples=counts.index)
    return values


def refuse_other_values(values: Floats, *, fractional: bool, samples: Any) -> None:
    """Raise DataError when values cannot be counts of these samples; see :func:`check_counts`."""
    odd = ~np.isfinite(values)
    if odd.any():
        raise DataError(
            f"expected a count of every gene in every sample; found {int(odd.sum())} missing or "
            "infinite. Write 0 where no read fell on a gene, or drop genes not looked for."
        )
    if (values < 0).any():
        raise DataError(
            "Negative values in data: expected counts of at least 0; found down to "
            f"{values.min():.3g}. The table is probably logarithmic or standardised: use raw "
            "counts."
        )
    fractions = values != np.rint(values)
    if not fractional and fractions.any():
        found = f"{fractions.mean():.0%} of values with fractions, up to {values.max():.3g}"
        if values.max() < _LARGEST_LOG:
            raise DataError(
                f"expected raw counts; found {found}: these look like logarithms. Use the counts "
                "they were made of, or declare the unit they have."
            )
        raise DataError(
            f"expected raw counts, whole numbers; found {found}. For expected counts (RSEM, "
            "Salmon) set fractional=True; TPM and FPKM are not counts."
        )
    empty = np.asarray(samples)[values.sum(axis=1) == 0]
    if len(empty):
        raise DataError(
            f"expected reads in every sample; found {len(empty)} without ({short_list(empty)}). "
            "Drop these samples."
        )


def read_counts(
    estimator: BaseEstimator, X: Any, *, fractional: bool, reset: bool = False
) -> Floats:
    """Check the table that an estimator is given, columns included, and return its counts."""
    refuse_row_facts(X)
    values = validate_data(estimator, X, dtype=np.float64, reset=reset)
    if values.shape[1] < 2:
        raise DataError(
            "expected the counts of many genes, which depth is told from; found n_features=1. Use "
            "the whole table."
        )
    samples = X.index if isinstance(X, pd.DataFrame) else np.arange(len(values))
    refuse_other_values(values, fractional=fractional, samples=samples)
    return values


def library_sizes(counts: pd.DataFrame, given: pd.Series[float] | None) -> Floats:
    """Reads of each sample: those given, or the sum over the genes of the table.

    Raises
    ------
    AlignmentError
        A sample has none given.
    DataError
        One is smaller than the reads in the table.
    """
    total = counts.sum(axis=1).to_numpy(dtype=float)
    if given is None:
        return total
    absent = counts.index.difference(given.index)
    if len(absent):
        raise AlignmentError(
            f"expected a library size of every sample; found none of {len(absent)} "
            f"({short_list(absent)}). Add them or leave library_size out."
        )
    sizes = given.loc[counts.index].to_numpy(dtype=float)
    wrong = ~(sizes >= total)
    if wrong.any():
        raise DataError(
            "expected library sizes of at least the reads in the table; found fewer, or none, in "
            f"{int(wrong.sum())} sample(s) ({short_list(counts.index[wrong])}). Give total reads "
            "of the sample, not millions."
        )
    return sizes
