"""Types of the tumour immune microenvironment (TIME): CD8 × PD-L1."""

from __future__ import annotations

from types import MappingProxyType
from typing import ClassVar

from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.method import Method
from radiogenomics.omics.labels.quadrants import QuadrantLabel, Quadrants
from radiogenomics.omics.labels.score_label import Cutoff
from radiogenomics.omics.scoring.scorer import GeneSetScorer
from radiogenomics.omics.scoring.weighted import WeightedScore

CD8 = GeneSet("CD8", ("CD8A",), source="the gene of the antigen")
PDL1 = GeneSet("PD-L1", ("CD274",), source="the gene of the antigen")


class TimeTypeLabel(QuadrantLabel):
    """Four types by CD8 and PD-L1, each high or low.

    I: both high (adaptive resistance; "immune-activated"), II: both low (ignorance), III: PD-L1
    alone (intrinsic induction), IV: CD8 alone (tolerance). Made for stained slides, where cut-offs
    are counts; of RNA the median of each gene is cut by default. Misleads in bulk tissue, where a
    low gene may mean little stroma in the sample.

    Parameters
    ----------
    first, second
        Scorers of CD8 and of PD-L1; the logarithms of CD8A and CD274 when not given.
    cutoff
        Of both; the median when not given.
    positive
        Type that is called 1.

    References
    ----------
    Teng et al. 2015, doi:10.1158/0008-5472.CAN-15-0255.
    """

    card: ClassVar[Method] = Method(
        name="time_type",
        title="Immune types by CD8 and PD-L1",
        scope="omics: label",
        reference="Teng et al., Cancer Res 2015;75:2139, doi:10.1158/0008-5472.CAN-15-0255",
        limits="Made for stained slides; cut-offs of RNA are conventions.",
        learns=True,
    )
    quadrants: ClassVar[Quadrants] = MappingProxyType(
        {(True, True): "I", (False, False): "II", (False, True): "III", (True, False): "IV"}
    )

    def __init__(
        self,
        first: GeneSetScorer | None = None,
        second: GeneSetScorer | None = None,
        *,
        cutoff: Cutoff | None = None,
        positive: str = "I",
    ) -> None:
        super().__init__(first, second, cutoff=cutoff, positive=positive)

    def _scorers(self) -> tuple[GeneSetScorer, GeneSetScorer]:
        return (
            WeightedScore(CD8, standardise=False) if self.first is None else self.first,
            WeightedScore(PDL1, standardise=False) if self.second is None else self.second,
        )
