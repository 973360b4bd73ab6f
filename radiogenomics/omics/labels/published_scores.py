"""Labels of published scores: those whose genes are not public take them from the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.method import Method
from radiogenomics.omics.gene_sets.catalogue import find_gene_set
from radiogenomics.omics.labels.score_label import Cutoff, ScoreLabel
from radiogenomics.omics.scoring.scorer import GeneSetScorer
from radiogenomics.omics.scoring.weighted import WeightedScore


class PublishedScoreLabel(ScoreLabel):
    """High or low of the weighted sum of a named gene set.

    Base of the labels below, which differ in their gene set. Where weights are published give them
    with the genes; without, all genes count alike, which is a default of this package and not the
    score of the paper.

    Parameters
    ----------
    gene_sets
        Name → GeneSet, as ``read_gmt`` gives it; needed where the genes are not shipped.
    cutoff
        See :class:`~radiogenomics.omics.labels.score_label.ScoreLabel`.

    Raises
    ------
    StudyError
        The genes are not shipped and none were supplied.
    """

    gene_set_name: ClassVar[str]

    def __init__(
        self, gene_sets: Mapping[str, GeneSet] | None = None, cutoff: Cutoff | None = None
    ) -> None:
        self.gene_sets = gene_sets
        self.cutoff = cutoff

    def _scorer(self) -> GeneSetScorer:
        return WeightedScore(find_gene_set(self.gene_set_name, supplied=self.gene_sets))


class NetsLabel(PublishedScoreLabel):
    """Neutrophil extracellular traps, high or low: user's genes and weights.

    References
    ----------
    Xin et al. 2023, doi:10.3389/fimmu.2023.1134521.
    """

    gene_set_name = "nets"
    card: ClassVar[Method] = Method(
        name="nets",
        title="Neutrophil extracellular traps by the user's genes",
        scope="omics: label",
        reference="Xin et al., Front Immunol 2023;14:1134521, doi:10.3389/fimmu.2023.1134521",
        limits="Genes and weights of the published score could not be found in public.",
        learns=True,
    )


class TaceFailureLabel(PublishedScoreLabel):
    """Signature of failure of chemoembolisation (TFS), high or low: user's genes and weights.

    References
    ----------
    Wang et al., J Hepatocell Carcinoma 2024;11:2321.
    """

    gene_set_name = "tace_failure"
    card: ClassVar[Method] = Method(
        name="tace_failure",
        title="Failure of chemoembolisation by the user's genes",
        scope="omics: label",
        reference="Wang et al., J Hepatocell Carcinoma 2024;11:2321",
        limits="Genes and weights of the published score could not be found in public.",
        learns=True,
    )


class MyeloidResponseLabel(PublishedScoreLabel):
    """Myeloid response, high or low: ITGAM (CD11b) and SIGLEC1 (CD169), one weight each.

    The published score counts stained cells with weights that are not public. ``gene_sets`` may
    hold a set ``myeloid_pair`` with other weights or directions.

    References
    ----------
    Wu et al., J Clin Invest 2020, doi:10.1172/JCI135048.
    """

    gene_set_name = "myeloid_pair"
    card: ClassVar[Method] = Method(
        name="myeloid_response",
        title="Myeloid response by ITGAM and SIGLEC1",
        scope="omics: label",
        reference="Wu et al., J Clin Invest 2020, doi:10.1172/JCI135048",
        limits="Made for stained cells; equal weights of two genes stand in for weights that are "
        "not public.",
        learns=True,
    )
