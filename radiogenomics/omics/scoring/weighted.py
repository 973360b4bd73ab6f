"""Weighted sum of genes, standardised or as they are."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from radiogenomics.core.errors import SchemaError
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.frozen_reference import FrozenReference
from radiogenomics.omics.scoring.linear import LinearScorer
from radiogenomics.omics.scoring.scorer import GeneSets

Floats = NDArray[np.float64]


class WeightedScore(LinearScorer):
    r"""Sum of a set's genes times the weights of the set.

    :math:`s = \sum_g d_g w_g x_g`, with ``average`` divided by :math:`\sum_g |w_g|`; :math:`d_g` is
    −1 for genes that are down, and :math:`w_g` 1 where the set has no weights. With ``standardise``
    each :math:`x` is first put on the scale of the reference samples. Without it every patient is
    scored alone: on logarithmic values the unweighted average is the logarithm of the geometric
    mean, which is how the cytolytic score (GZMA, PRF1) and the six-gene IFN-γ score are defined.

    Misleads when weights are used in another unit than they were fitted in, and when a gene with a
    large weight is among the missing ones: see ``coverage_``.

    Parameters
    ----------
    gene_sets
        One GeneSet, several, or name → GeneSet or list of symbols.
    standardise
        Whether to standardise on the reference first.
    average
        Whether to divide by the sum of the absolute weights of the genes found.
    min_coverage, warn_coverage
        See :class:`~radiogenomics.omics.scoring.scorer.GeneSetScorer`.

    Raises
    ------
    SchemaError
        All weights of the genes found are 0.

    References
    ----------
    Rooney et al. 2015, doi:10.1016/j.cell.2014.12.033 (geometric mean of two genes).

    Examples
    --------
    >>> import pandas as pd
    >>> log2 = pd.DataFrame({"GZMA": [3.0], "PRF1": [5.0]}, index=["P1"])
    >>> cyt = WeightedScore({"CYT": ["GZMA", "PRF1"]}, standardise=False)
    >>> cyt.fit_transform(log2)
        CYT
    P1  4.0
    """

    card: ClassVar[Method] = Method(
        name="weighted_score",
        title="Weighted sum of genes, standardised or as they are",
        scope="omics: scoring",
        reference="Rooney et al., Cell 2015;160:48, doi:10.1016/j.cell.2014.12.033",
        limits="Weights hold for the unit they were fitted in. Needs other patients only where it "
        "standardises.",
        learns=True,
    )

    def __init__(
        self,
        gene_sets: GeneSets,
        *,
        standardise: bool = True,
        average: bool = True,
        min_coverage: float = 0.5,
        warn_coverage: float = 0.8,
    ) -> None:
        super().__init__(gene_sets, min_coverage=min_coverage, warn_coverage=warn_coverage)
        self.standardise = standardise
        self.average = average

    @property
    def _least_samples(self) -> int:  # type: ignore[override]
        return 2 if self.standardise else 1

    def _useless(self, values: Floats) -> NDArray[np.bool_]:
        if self.standardise:
            return super()._useless(values)
        return np.zeros(values.shape[1], dtype=bool)

    def _make_reference(self, values: Floats) -> FrozenReference:
        if self.standardise:
            return super()._make_reference(values)
        return FrozenReference.none(self.genes_)

    def _loading(self, standard: Floats, gene_set: GeneSet) -> Floats:
        signs = np.array(gene_set.signs)
        loading = signs if gene_set.weights is None else signs * np.array(gene_set.weights)
        total = np.abs(loading).sum()
        if total == 0:
            raise SchemaError(
                f"{self.card.name}: expected a weight that is not 0; found none among the "
                f"{len(signs)} genes of {gene_set.name} that were found. Mend the weights."
            )
        return loading / total if self.average else loading
