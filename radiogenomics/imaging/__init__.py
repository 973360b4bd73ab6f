"""Scan → features, one patient at a time: pure functions."""

from __future__ import annotations

from radiogenomics.imaging.extract import extract_features, features_of_volume
from radiogenomics.imaging.geometry import crop
from radiogenomics.imaging.intensity import normalise_to_organ
from radiogenomics.imaging.masks import select_lesions
from radiogenomics.imaging.settings import (
    SETTINGS_PRESETS,
    ExtractionSettings,
    settings_preset,
)

__all__ = [
    "SETTINGS_PRESETS",
    "ExtractionSettings",
    "crop",
    "extract_features",
    "features_of_volume",
    "normalise_to_organ",
    "select_lesions",
    "settings_preset",
]
