"""Rules that turn scores into classes: cut-offs, and labels as targets that are learnt."""

from radiogenomics.omics.labels.cutoff import FixedCutoff, MedianCutoff
from radiogenomics.omics.labels.high_markers import HighMarkers
from radiogenomics.omics.labels.immune_hypoxia import ImmuneHypoxiaLabel
from radiogenomics.omics.labels.maximally_selected_cutoff import MaximallySelectedCutoff
from radiogenomics.omics.labels.published_scores import (
    MyeloidResponseLabel,
    NetsLabel,
    TaceFailureLabel,
)
from radiogenomics.omics.labels.score_label import ScoreLabel
from radiogenomics.omics.labels.time_types import TimeTypeLabel
from radiogenomics.omics.labels.tls import GRADES, TLSLabel, tls_by_grade
from radiogenomics.omics.labels.youden_cutoff import YoudenCutoff

__all__ = [
    "GRADES",
    "FixedCutoff",
    "HighMarkers",
    "ImmuneHypoxiaLabel",
    "MaximallySelectedCutoff",
    "MedianCutoff",
    "MyeloidResponseLabel",
    "NetsLabel",
    "ScoreLabel",
    "TLSLabel",
    "TaceFailureLabel",
    "TimeTypeLabel",
    "YoudenCutoff",
    "tls_by_grade",
]
