"""PLAGE: pathway level analysis of gene expression."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.linear import LinearScorer
from radiogenomics.omics.scoring.pc1 import leading_direction


class Plage(LinearScorer):
    r"""Activity of a set as the first right singular vector of its standardised genes.

    With :math:`Z = U D V^\top` (genes × reference samples, each gene standardised) the scores of
    the reference are the first column of V; another sample gets :math:`u_1^\top z / d_1`, which is
    the same number for a sample of the reference. The squares of the reference's scores sum to 1,
    so the size of a score falls with the number of reference samples; within one reference it is
    :class:`~radiogenomics.omics.scoring.pc1.PrincipalComponent` on another scale. The sign is
    chosen so that genes that are up load positively on the whole; GSVA's ``plage`` leaves it open.

    Parameters
    ----------
    gene_sets
        One GeneSet, several, or name → GeneSet or list of symbols. Weights are not used.
    min_coverage, warn_coverage
        See :class:`~radiogenomics.omics.scoring.scorer.GeneSetScorer`.

    References
    ----------
    Tomfohr, Lu & Kepler 2005, doi:10.1186/1471-2105-6-225.

    Examples
    --------
    >>> import pandas as pd
    >>> rna = pd.DataFrame({"A": [1.0, 2.0, 3.0], "B": [2.0, 4.0, 6.0]}, index=list("abc"))
    >>> Plage({"AB": ["A", "B"]}).fit_transform(rna)["AB"].round(3).tolist()
    [-0.707, 0.0, 0.707]
    """

    card: ClassVar[Method] = Method(
        name="plage",
        title="First singular vector of standardised genes (PLAGE)",
        scope="omics: scoring",
        reference="Tomfohr et al., BMC Bioinformatics 2005;6:225, doi:10.1186/1471-2105-6-225",
        limits="Measures the largest thing the genes share, which may be purity or batch. Its "
        "scale depends on the size of the reference.",
        learns=True,
    )

    def _loading(self, standard: NDArray[np.float64], gene_set: GeneSet) -> NDArray[np.float64]:
        direction, spread = leading_direction(standard, gene_set, what=self.card.name)
        return direction / spread
