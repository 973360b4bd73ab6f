"""Mean of standardised genes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.linear import LinearScorer
from radiogenomics.omics.scoring.scorer import GeneSets

_DIVISORS = ("n", "root_n")


class MeanZ(LinearScorer):
    r"""Mean of a set's genes, each standardised on the reference samples.

    :math:`s = \frac{1}{k} \sum_g d_g \frac{x_g - m_g}{\sigma_g}` with :math:`m` and :math:`\sigma`
    the mean and standard deviation (n − 1) of gene g in the reference, :math:`d_g` 1 for a gene
    that is up and −1 for one that is down, and k the genes found. With ``divide="root_n"`` the
    divisor is :math:`\sqrt k`: the combined z-score, of variance 1 if genes were independent, which
    genes of a set are not. On its own reference it is GSVA's ``zscore``.

    All genes count alike, noisy ones too. Misleads when the reference is of another kind (another
    unit, normals for tumours): 0 is the reference's mean, whatever that is.

    Parameters
    ----------
    gene_sets
        One GeneSet, several, or name → GeneSet or list of symbols. Weights are not used.
    divide
        ``"n"`` or ``"root_n"``.
    min_coverage, warn_coverage
        See :class:`~radiogenomics.omics.scoring.scorer.GeneSetScorer`.

    References
    ----------
    Lee et al. 2008, doi:10.1371/journal.pcbi.1000217 (combined z-score).

    Examples
    --------
    >>> import pandas as pd
    >>> rna = pd.DataFrame({"GZMA": [1.0, 2.0, 3.0], "PRF1": [0.0, 4.0, 2.0]}, index=list("abc"))
    >>> score = MeanZ({"CYT": ["GZMA", "PRF1"]}).fit(rna)
    >>> score.transform(rna)
       CYT
    a -1.0
    b  0.5
    c  0.5
    """

    card: ClassVar[Method] = Method(
        name="mean_z",
        title="Mean of standardised genes (combined z-score)",
        scope="omics: scoring",
        reference="Lee et al., PLoS Comput Biol 2008;4:e1000217, doi:10.1371/journal.pcbi.1000217",
        limits="All genes count alike. Zero is the mean of the reference: another unit or another "
        "kind of samples shifts every score.",
        learns=True,
    )

    def __init__(
        self,
        gene_sets: GeneSets,
        *,
        divide: str = "n",
        min_coverage: float = 0.5,
        warn_coverage: float = 0.8,
    ) -> None:
        super().__init__(gene_sets, min_coverage=min_coverage, warn_coverage=warn_coverage)
        self.divide = divide

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.divide not in _DIVISORS:
            raise UnknownNameError("divisor", str(self.divide), _DIVISORS)

    def _loading(self, standard: NDArray[np.float64], gene_set: GeneSet) -> NDArray[np.float64]:
        signs = np.array(gene_set.signs)
        return signs / (len(signs) if self.divide == "n" else np.sqrt(len(signs)))
