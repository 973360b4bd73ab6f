"""Tidy tables in, matplotlib axes out; one figure, one idea, one file."""

from radiogenomics.plots.calibration import draw_calibration
from radiogenomics.plots.flow import draw_flow
from radiogenomics.plots.forest import draw_forest
from radiogenomics.plots.labels import draw_labels
from radiogenomics.plots.learners import draw_learners
from radiogenomics.plots.null import draw_null
from radiogenomics.plots.roc import draw_roc
from radiogenomics.plots.selection import draw_selection
from radiogenomics.plots.survival import draw_survival

__all__ = [
    "draw_calibration",
    "draw_flow",
    "draw_forest",
    "draw_labels",
    "draw_learners",
    "draw_null",
    "draw_roc",
    "draw_selection",
    "draw_survival",
]
