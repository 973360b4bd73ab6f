"""Samples scaled by the upper quartile of their counts."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.core.method import Method
from radiogenomics.omics.normalise.counts import Floats, check_counts
from radiogenomics.omics.normalise.library_factors import LibraryNormaliser


def upper_quartile_scaled(
    counts: pd.DataFrame, *, target: float = 1000.0, fractional: bool = False
) -> pd.DataFrame:
    """Bring the upper quartile of each sample's counts above 0 to ``target``; each on its own.

    The form in which TCGA's RSEM counts were published. Misleads when samples express very
    different numbers of genes, since only those above 0 enter the quartile.

    Parameters
    ----------
    counts
        Samples × genes, raw.
    target
        What the upper quartile becomes.
    fractional
        Whether counts may have fractions.

    Returns
    -------
    DataFrame
        Samples × genes, at least 0, not logarithmic.

    Raises
    ------
    DataError
        The table does not hold counts, or ``target`` is not above 0.

    References
    ----------
    Bullard et al. 2010, doi:10.1186/1471-2105-11-94.

    Examples
    --------
    >>> counts = pd.DataFrame([[0, 4, 8, 12]], index=["P1"], columns=list("ABCD"))
    >>> upper_quartile_scaled(counts)
          A      B      C       D
    P1  0.0  400.0  800.0  1200.0
    """
    if not 0 < target < np.inf:
        raise DataError(f"target: expected above 0; found {target}. 1000 is usual.")
    values = check_counts(counts, fractional=fractional)
    upper = np.nanquantile(np.where(values > 0, values, np.nan), 0.75, axis=1)
    return pd.DataFrame(target * values / upper[:, None], counts.index, counts.columns)


class UpperQuartile(LibraryNormaliser):
    """Library factors by the upper quartile of counts relative to the library size (edgeR).

    The factor is the 75 % quantile of count / library size over the genes that any training sample
    expresses, zeros included, divided by the geometric mean of the training samples' factors. Genes
    and mean are kept with the model. On the training samples the result is that of edgeR's
    ``calcNormFactors(method="upperquartile")``.

    Misleads where genes in the upper quarter change together, and on a table cut to few genes.

    Parameters
    ----------
    log
        Return log2 CPM; else CPM.
    prior_count
        Added to counts before the logarithm, in proportion to the library.
    fractional
        Whether counts may have fractions, as those of RSEM or Salmon.

    Attributes
    ----------
    expressed_ : ndarray of bool, shape (n_features_in_,)
        Genes that any training sample expresses.
    centre_, mean_library_size_ : float
        Geometric mean of the training factors, and mean of their effective library sizes.

    Raises
    ------
    DataError
        The table does not hold counts, or the upper quartile of a sample is 0.

    References
    ----------
    Bullard et al. 2010, doi:10.1186/1471-2105-11-94.

    Examples
    --------
    >>> counts = np.array([[10, 20, 30, 40], [20, 40, 60, 80], [10, 20, 30, 940]])
    >>> UpperQuartile().fit(counts[:2]).factors(counts).round(3)
    array([1.   , 1.   , 0.792])
    """

    card: ClassVar[Method] = Method(
        name="upper_quartile",
        title="Library sizes corrected by the upper quartile of counts",
        scope="omics: normalisation",
        reference="Bullard et al., BMC Bioinformatics 2010;11:94, doi:10.1186/1471-2105-11-94",
        limits="One quantile stands for all genes; fails where fewer than a quarter are "
        "expressed. Needs all genes, not a panel.",
        learns=True,
    )

    def _learn(self, counts: Floats, size: Floats) -> None:
        """Nothing but which genes are expressed, which the base has learnt."""

    def _raw_factors(self, counts: Floats, size: Floats) -> Floats:
        upper = np.quantile(counts / size[:, None], 0.75, axis=1)
        empty = np.flatnonzero(upper == 0)
        if len(empty):
            raise DataError(
                "expected samples that express a quarter of the genes; found an upper quartile of "
                f"0 in {len(empty)} (rows {short_list(empty)}). Use TMM, or drop rare genes."
            )
        return upper
