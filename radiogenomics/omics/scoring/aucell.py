"""AUCell: how much of a set is found among the most expressed genes."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.expression import refuse_flat
from radiogenomics.omics.scoring.ranks import rank_ranges
from radiogenomics.omics.scoring.scorer import GeneSets, GeneSetScorer

Floats = NDArray[np.float64]


class AUCell(GeneSetScorer):
    r"""Area under the recovery curve of a set over the top of a sample's ranking.

    Genes are ranked within the sample, q = 1 for the most expressed. With T = ⌈``top`` · n⌉ the
    curve counts members met before place T; its area is :math:`\sum_g \max(T - q_g, 0)`, divided by
    the greatest it could be, :math:`\sum_{q=1}^{\min(k, T-1)} (T - q)` for k genes. 0 where no
    member is in the top, 1 where the members are the top.

    Each patient or cell is scored alone. The original breaks ties at random; here a tied gene
    gets the mean over all orders, so that a score does not change from run to run. (decoupler
    breaks them by column, and adds a member at place T, whose area is 0.) Misleads where fewer
    genes are detected than T: zeros then fill the top.

    Parameters
    ----------
    gene_sets
        One GeneSet, several, or name → GeneSet or list of symbols. Weights are not used.
    top
        Share of the ranking that counts, above 0, at most 1.
    min_coverage, warn_coverage
        See :class:`~radiogenomics.omics.scoring.scorer.GeneSetScorer`.

    Attributes
    ----------
    threshold_ : int
        T, in genes.

    Raises
    ------
    DataError
        T is below 2, or a sample has one value for all genes.
    SchemaError
        A set has genes that are down.

    References
    ----------
    Aibar et al. 2017, doi:10.1038/nmeth.4463.

    Examples
    --------
    >>> rna = pd.DataFrame([[1.0, 4.0, 2.0, 3.0]], columns=list("abcd"), index=["P1"])
    >>> AUCell({"high": ["b", "d"], "mixed": ["b", "a"]}, top=0.75).fit_transform(rna).round(3)
        high  mixed
    P1   1.0  0.667
    """

    card: ClassVar[Method] = Method(
        name="aucell",
        title="Share of a set recovered among the most expressed genes (AUCell)",
        scope="omics: scoring",
        reference="Aibar et al., Nat Methods 2017;14:1083, doi:10.1038/nmeth.4463",
        limits="Blind to genes below the top. Depends on how many genes were measured and "
        "detected.",
        learns=False,
    )
    _ranks_all_genes = True

    def __init__(
        self,
        gene_sets: GeneSets,
        *,
        top: float = 0.05,
        min_coverage: float = 0.5,
        warn_coverage: float = 0.8,
    ) -> None:
        super().__init__(gene_sets, min_coverage=min_coverage, warn_coverage=warn_coverage)
        self.top = top

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if not 0 < self.top <= 1:
            raise DataError(
                f"top: expected a share above 0, at most 1; found {self.top!r}. Mend the recipe."
            )

    def _learn(self, values: Floats) -> None:
        self._refuse_directions()
        self.threshold_ = math.ceil(self.top * len(self.genes_))
        if self.threshold_ < 2:
            raise DataError(
                f"{self.card.name}: expected a top of at least 2 genes; found {self.threshold_} of "
                f"n_features = {len(self.genes_)}, 1 feature(s) too few at least. Raise top, or "
                "hand in all genes that were measured."
            )

    def _score(self, values: Floats, samples: pd.Index) -> Floats:
        refuse_flat(values, samples, what=self.card.name)
        members = self._members()
        asked, places = np.unique(np.concatenate(members), return_inverse=True)
        lowest, highest = rank_ranges(values, asked)
        n, threshold = values.shape[1], self.threshold_
        area = _mean_area(n + 1 - highest, n + 1 - lowest, threshold)
        scores = np.empty((len(values), len(members)))
        ends = np.cumsum([len(each) for each in members])
        for column, (end, each) in enumerate(zip(ends, members, strict=True)):
            chosen = places[end - len(each) : end]
            best = min(len(each), threshold - 1)
            greatest = best * threshold - best * (best + 1) / 2
            scores[:, column] = np.take(area, chosen, axis=1).sum(axis=1) / greatest
        return scores


def _mean_area(first: NDArray[np.int32], last: NDArray[np.int32], threshold: int) -> Floats:
    """Mean of max(T − q, 0) over the places q from ``first`` to ``last`` that a gene may have."""
    end = np.minimum(last, threshold)
    inside = np.maximum(end - first + 1, 0)
    return inside * (threshold - (first + end) / 2) / (last - first + 1)
