"""Expression → scores → labels and signatures."""

from radiogenomics.omics.checks import (
    ExpressionOutliers,
    check_orientation,
    check_sex,
    check_unit,
    guess_unit,
)
from radiogenomics.omics.deconvolution import EstimateScores, NnlsDeconvolver, NuSvrDeconvolver
from radiogenomics.omics.differential import compare_groups
from radiogenomics.omics.differential_counts import differential_counts
from radiogenomics.omics.differential_moderated import moderated_t_table
from radiogenomics.omics.gene_sets import SHIPPED, find_gene_set, gene_set_table
from radiogenomics.omics.identifiers import GeneNames, map_genes, rename_genes
from radiogenomics.omics.labels import (
    FixedCutoff,
    ImmuneHypoxiaLabel,
    MaximallySelectedCutoff,
    MedianCutoff,
    MyeloidResponseLabel,
    NetsLabel,
    ScoreLabel,
    TaceFailureLabel,
    TimeTypeLabel,
    TLSLabel,
    YoudenCutoff,
    tls_by_grade,
)
from radiogenomics.omics.normalise import (
    TMM,
    MedianOfRatios,
    UpperQuartile,
    VarianceStabilising,
    counts_per_million,
    transcripts_per_million,
    upper_quartile_scaled,
)
from radiogenomics.omics.scoring import (
    AUCell,
    Gsva,
    MeanZ,
    Plage,
    PrincipalComponent,
    Singscore,
    SsGsea,
    WeightedScore,
)
from radiogenomics.omics.signature import (
    CoxSignature,
    SignatureLabel,
    out_of_fold_concordance,
    out_of_fold_scores,
    random_gene_sets,
)
from radiogenomics.omics.units import LOG2_UNITS, to_log2, unit_of

__all__ = [
    "AUCell",
    "CoxSignature",
    "EstimateScores",
    "ExpressionOutliers",
    "FixedCutoff",
    "GeneNames",
    "Gsva",
    "ImmuneHypoxiaLabel",
    "LOG2_UNITS",
    "MaximallySelectedCutoff",
    "MeanZ",
    "MedianCutoff",
    "MedianOfRatios",
    "MyeloidResponseLabel",
    "NetsLabel",
    "NnlsDeconvolver",
    "NuSvrDeconvolver",
    "Plage",
    "PrincipalComponent",
    "SHIPPED",
    "ScoreLabel",
    "SignatureLabel",
    "Singscore",
    "SsGsea",
    "TLSLabel",
    "TMM",
    "TaceFailureLabel",
    "TimeTypeLabel",
    "UpperQuartile",
    "VarianceStabilising",
    "WeightedScore",
    "YoudenCutoff",
    "check_orientation",
    "check_sex",
    "check_unit",
    "compare_groups",
    "counts_per_million",
    "differential_counts",
    "find_gene_set",
    "gene_set_table",
    "guess_unit",
    "map_genes",
    "moderated_t_table",
    "out_of_fold_concordance",
    "out_of_fold_scores",
    "random_gene_sets",
    "rename_genes",
    "tls_by_grade",
    "to_log2",
    "transcripts_per_million",
    "unit_of",
    "upper_quartile_scaled",
]
