"""Trimmed mean of M-values: library sizes corrected for composition."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.stats import rankdata

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.omics.normalise.counts import Floats
from radiogenomics.omics.normalise.library_factors import LibraryNormaliser

_RATIO_TRIM = 0.3
_LEVEL_TRIM = 0.05
# A sample whose largest log ratio is below this has the reference's composition.
_SAME = 1e-6


class TMM(LibraryNormaliser):
    r"""Library factors by the trimmed mean of log ratios to one reference sample (edgeR).

    For a sample with counts :math:`c_g`, library size :math:`N` and the reference with
    :math:`c'_g, N'`, both counts above 0:

    .. math:: M_g = \log_2\frac{c_g/N}{c'_g/N'}, \quad A_g = \tfrac12\log_2\frac{c_g c'_g}{N N'},
              \quad v_g = \frac{N - c_g}{N c_g} + \frac{N' - c'_g}{N' c'_g}.

    Genes with the lowest and highest 30 % of M and 5 % of A are left out; the factor is
    :math:`2^m`, :math:`m` being the mean of the others' M weighted by :math:`1/v`. The reference is
    the training sample whose upper quartile is nearest the mean of all, and is kept with the model:
    a new sample gets the same factor whoever else is in its file. On the training samples the
    result is that of edgeR's ``calcNormFactors`` and ``cpm(log=TRUE)``.

    It assumes that most genes do not differ between a sample and the reference. Misleads when they
    do, and on a table cut to few genes, whose sums are not library sizes.

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
    reference_ : int
        Row of the reference among the training samples.
    reference_counts_ : ndarray, shape (n_expressed,)
        Its counts of the genes that any training sample expresses (``expressed_``).
    reference_size_ : float
        Its library size.
    centre_, mean_library_size_ : float
        Geometric mean of the training factors, and mean of their effective library sizes.

    Raises
    ------
    DataError
        The table does not hold counts, or a sample shares no expressed gene with the reference.

    References
    ----------
    Robinson & Oshlack 2010, doi:10.1186/gb-2010-11-3-r25.

    Examples
    --------
    >>> counts = np.array([[10, 20, 30, 40, 900], [10, 20, 30, 40, 100], [11, 19, 31, 40, 99]])
    >>> TMM().fit(counts[1:]).factors(counts).round(2)
    array([0.2, 1. , 1. ])
    """

    card: ClassVar[Method] = Method(
        name="tmm",
        title="Library sizes corrected for composition by trimmed means of log ratios",
        scope="omics: normalisation",
        reference="Robinson and Oshlack, Genome Biol 2010;11:R25, doi:10.1186/gb-2010-11-3-r25",
        limits="Assumes that most genes do not differ from the reference sample; needs all genes, "
        "not a panel.",
        learns=True,
    )

    def _learn(self, counts: Floats, size: Floats) -> None:
        upper = np.quantile(counts / size[:, None], 0.75, axis=1)
        if np.median(upper) > 0:
            self.reference_ = int(np.argmin(np.abs(upper - upper.mean())))
        else:
            self.reference_ = int(np.argmax(np.sqrt(counts).sum(axis=1)))
        self.reference_counts_ = counts[self.reference_]
        self.reference_size_ = float(size[self.reference_])

    def _raw_factors(self, counts: Floats, size: Floats) -> Floats:
        return np.array([self._factor(row, n) for row, n in zip(counts, size, strict=True)])

    def _factor(self, row: Floats, size: float) -> float:
        shared = (row > 0) & (self.reference_counts_ > 0)
        if not shared.any():
            raise DataError(
                "expected samples that express genes of the reference sample; found one that "
                "shares none with it. Check that columns are the genes of the training table."
            )
        own, other = row[shared], self.reference_counts_[shared]
        n, m = size, self.reference_size_
        ratio = np.log2((own / n) / (other / m))
        if np.abs(ratio).max() < _SAME:
            return 1.0
        level = (np.log2(own / n) + np.log2(other / m)) / 2
        kept = _middle(ratio, _RATIO_TRIM) & _middle(level, _LEVEL_TRIM)
        if not kept.any():
            return 1.0
        weight = 1 / ((n - own) / n / own + (m - other) / m / other)
        return float(2 ** np.average(ratio[kept], weights=weight[kept]))


def _middle(values: Floats, trim: float) -> np.ndarray:
    """Whether a value's mid-rank lies within the middle that trimming leaves."""
    cut = np.floor(len(values) * trim) + 1
    rank = rankdata(values)
    return (rank >= cut) & (rank <= len(values) + 1 - cut)
