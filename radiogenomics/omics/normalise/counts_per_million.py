"""Counts per million reads of the sample (CPM)."""

from __future__ import annotations

import pandas as pd

from radiogenomics.omics.normalise.counts import check_counts, library_sizes


def counts_per_million(
    counts: pd.DataFrame,
    *,
    library_size: pd.Series[float] | None = None,
    fractional: bool = False,
) -> pd.DataFrame:
    """Divide counts by millions of reads of their sample; each sample on its own.

    ``CPM = 10⁶ · count / library size``. Makes samples of different depth comparable and nothing
    else: a few genes that take many reads push all others down (use :class:`TMM`), and long genes
    stay high (use :func:`transcripts_per_million` to compare genes). Misleads on counts that were
    cut to a few genes before: hand in the true library sizes then.

    Parameters
    ----------
    counts
        Samples × genes, raw.
    library_size
        Reads of each sample; the sum over the genes when not given.
    fractional
        Whether counts may have fractions.

    Returns
    -------
    DataFrame
        Samples × genes, at least 0, not logarithmic; see :func:`radiogenomics.omics.to_log2`.

    Raises
    ------
    DataError
        The table does not hold counts, or a library size is below the reads in the table.
    AlignmentError
        A sample has no library size.

    References
    ----------
    Robinson, McCarthy & Smyth 2010, doi:10.1093/bioinformatics/btp616.

    Examples
    --------
    >>> counts_per_million(pd.DataFrame({"KPNA2": [3], "SMG5": [1]}, index=["P1"]))
           KPNA2      SMG5
    P1  750000.0  250000.0
    """
    values = check_counts(counts, fractional=fractional)
    sizes = library_sizes(counts, library_size)
    return pd.DataFrame(1e6 * values / sizes[:, None], counts.index, counts.columns)
