"""Scan → features, one patient at a time: pure functions."""

from __future__ import annotations

from radiogenomics.imaging.backend import features_of_volume
from radiogenomics.imaging.controls import negative_control
from radiogenomics.imaging.enhancement import with_viable
from radiogenomics.imaging.extract import extract_features
from radiogenomics.imaging.feature_maps import FeatureMaps, feature_maps
from radiogenomics.imaging.geometry import crop
from radiogenomics.imaging.intensity import normalise_to_organ
from radiogenomics.imaging.lesion_tracking import track_lesions
from radiogenomics.imaging.lesions import features_of_lesions
from radiogenomics.imaging.mask_agreement import (
    MaskAgreement,
    agreement_table,
    mask_agreement,
    summarise_agreement,
    volume_agreement,
)
from radiogenomics.imaging.masks import select_lesions
from radiogenomics.imaging.parameter_file import load_settings, read_parameter_file
from radiogenomics.imaging.presets import SETTINGS_PRESETS, settings_preset
from radiogenomics.imaging.regions import habitats, ring, viable, with_region, without
from radiogenomics.imaging.registration import Registration, register
from radiogenomics.imaging.retest import feature_agreement, perturbed, retest_table
from radiogenomics.imaging.settings import ExtractionSettings

__all__ = [
    "register",
    "Registration",
    "track_lesions",
    "SETTINGS_PRESETS",
    "ExtractionSettings",
    "FeatureMaps",
    "MaskAgreement",
    "agreement_table",
    "crop",
    "extract_features",
    "feature_agreement",
    "feature_maps",
    "features_of_lesions",
    "features_of_volume",
    "habitats",
    "load_settings",
    "mask_agreement",
    "negative_control",
    "normalise_to_organ",
    "perturbed",
    "read_parameter_file",
    "retest_table",
    "ring",
    "select_lesions",
    "settings_preset",
    "summarise_agreement",
    "viable",
    "volume_agreement",
    "with_region",
    "with_viable",
    "without",
]
