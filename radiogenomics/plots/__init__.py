"""Tidy tables in, matplotlib axes out; one figure, one idea, one file."""

from radiogenomics.plots.calibration import draw_calibration
from radiogenomics.plots.claims import draw_claims
from radiogenomics.plots.decision_curve import draw_decision_curve
from radiogenomics.plots.feature_overlay import draw_feature_overlay
from radiogenomics.plots.flattery import draw_flattery
from radiogenomics.plots.flexible_calibration import draw_flexible_calibration
from radiogenomics.plots.flow import draw_flow
from radiogenomics.plots.forest import draw_forest
from radiogenomics.plots.group_shares import draw_group_shares
from radiogenomics.plots.labels import draw_labels
from radiogenomics.plots.learners import draw_learners
from radiogenomics.plots.link_heat_map import draw_link_heat_map
from radiogenomics.plots.link_nulls import draw_link_nulls
from radiogenomics.plots.link_volcano import draw_link_volcano
from radiogenomics.plots.model_forest import draw_model_forest
from radiogenomics.plots.module_network import draw_module_network
from radiogenomics.plots.nomogram import draw_nomogram
from radiogenomics.plots.null import draw_null
from radiogenomics.plots.partial_dependence import draw_partial_dependence
from radiogenomics.plots.patient_card import PatientCard, draw_patient_card
from radiogenomics.plots.precision_recall import draw_precision_recall
from radiogenomics.plots.roc import draw_roc
from radiogenomics.plots.selection import draw_selection
from radiogenomics.plots.shap_force import draw_shap_force
from radiogenomics.plots.shap_summary import draw_shap_summary
from radiogenomics.plots.shap_waterfall import draw_shap_waterfall
from radiogenomics.plots.survival import draw_survival
from radiogenomics.plots.survival_calibration import draw_survival_calibration
from radiogenomics.plots.time_dependent_auc import draw_time_dependent_auc
from radiogenomics.plots.virtual_biopsy import draw_virtual_biopsy

__all__ = [
    "draw_model_forest",
    "draw_group_shares",
    "draw_flattery",
    "draw_claims",
    "PatientCard",
    "draw_calibration",
    "draw_decision_curve",
    "draw_feature_overlay",
    "draw_flexible_calibration",
    "draw_flow",
    "draw_forest",
    "draw_labels",
    "draw_learners",
    "draw_link_heat_map",
    "draw_link_nulls",
    "draw_link_volcano",
    "draw_module_network",
    "draw_nomogram",
    "draw_null",
    "draw_partial_dependence",
    "draw_patient_card",
    "draw_precision_recall",
    "draw_roc",
    "draw_selection",
    "draw_shap_force",
    "draw_shap_summary",
    "draw_shap_waterfall",
    "draw_survival",
    "draw_survival_calibration",
    "draw_time_dependent_auc",
    "draw_virtual_biopsy",
]
