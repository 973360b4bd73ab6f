"""Singscore: mean rank of a set within one sample."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.expression import refuse_flat
from radiogenomics.omics.scoring.ranks import rank_ranges
from radiogenomics.omics.scoring.scorer import GeneSets, GeneSetScorer

Floats = NDArray[np.float64]

_TIES = ("lowest", "average")


class Singscore(GeneSetScorer):
    r"""Mean rank of a set's genes, between the least and the greatest it could be.

    With :math:`\bar r` the mean rank of the k genes that are up among the n of the sample (1 is the
    least expressed), :math:`(\bar r - r_{min}) / (r_{max} - r_{min})` where
    :math:`r_{min} = (k + 1) / 2` and :math:`r_{max} = (2n - k + 1) / 2`; for genes that are down, 1
    less the same; both less ½ where ``centre``. The score of a set with both is their sum. It
    ranges from −½ to ½ (−1 to 1 with both), 0 to 1 (0 to 2) uncentred; k is of the genes found.

    Each patient is scored alone. The mean of many ranks moves little, so that scores of large sets
    lie close together; a set of genes that go both ways without ``directions`` averages to nothing.

    Parameters
    ----------
    gene_sets
        One GeneSet, several, or name → GeneSet or list of symbols. Weights are not used.
    centre
        Whether 0 is the middle of the range.
    ties
        ``"lowest"``, equal values have the lowest of their ranks, as published; or ``"average"``.
    min_coverage, warn_coverage
        See :class:`~radiogenomics.omics.scoring.scorer.GeneSetScorer`.

    Raises
    ------
    DataError
        A set holds all genes of the table, or a sample has one value for all genes.

    References
    ----------
    Foroutan et al. 2018, doi:10.1186/s12859-018-2435-4.

    Examples
    --------
    >>> rna = pd.DataFrame([[1.0, 4.0, 2.0, 3.0]], columns=list("abcd"), index=["P1"])
    >>> Singscore({"high": ["b", "d"], "middle": ["c", "d"]}).fit_transform(rna)
        high  middle
    P1   0.5     0.0
    """

    card: ClassVar[Method] = Method(
        name="singscore",
        title="Mean rank of a set within one sample, scaled to its possible range",
        scope="omics: scoring",
        reference="Foroutan et al., BMC Bioinformatics 2018;19:404, doi:10.1186/s12859-018-2435-4",
        limits="Depends on which other genes were measured. Scores of large sets lie close "
        "together.",
        learns=False,
    )
    _ranks_all_genes = True

    def __init__(
        self,
        gene_sets: GeneSets,
        *,
        centre: bool = True,
        ties: str = "lowest",
        min_coverage: float = 0.5,
        warn_coverage: float = 0.8,
    ) -> None:
        super().__init__(gene_sets, min_coverage=min_coverage, warn_coverage=warn_coverage)
        self.centre = centre
        self.ties = ties

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.ties not in _TIES:
            raise UnknownNameError("way with ties", str(self.ties), _TIES)

    def _learn(self, values: Floats) -> None:
        n = len(self.genes_)
        for each in self.gene_sets_:
            if n in (len(each.up), len(each.down)):
                raise DataError(
                    f"{self.card.name}: expected genes outside the set to rank it among; found "
                    f"none beside {each.name} (n_features = {n}, 1 feature(s) more at least). Hand "
                    "in all genes that were measured."
                )

    def _score(self, values: Floats, samples: pd.Index) -> Floats:
        refuse_flat(values, samples, what=self.card.name)
        asked = np.unique(np.concatenate(self._members()))
        lowest, highest = rank_ranges(values, asked)
        rank = lowest.astype(float) if self.ties == "lowest" else (lowest + highest) / 2
        place = {gene: column for column, gene in enumerate(self.genes_[asked])}
        scores = np.zeros((len(values), len(self.gene_sets_)))
        for column, each in enumerate(self.gene_sets_):
            for genes, up in ((each.up, True), (each.down, False)):
                if genes:
                    share = self._share(np.take(rank, [place[gene] for gene in genes], axis=1))
                    scores[:, column] += share if up else self._most - share
        return scores

    @property
    def _most(self) -> float:
        """What a share and the share of the reversed ranking add up to."""
        return 0.0 if self.centre else 1.0

    def _share(self, rank: Floats) -> Floats:
        n, k = len(self.genes_), rank.shape[1]
        least, greatest = (k + 1) / 2, (2 * n - k + 1) / 2
        share = (rank.mean(axis=1) - least) / (greatest - least)
        return share - 0.5 if self.centre else share
