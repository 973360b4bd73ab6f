"""The feature families by name: which features each has, and what a full name means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType

from radiogenomics.imaging.radiomics import (
    firstorder,
    glcm,
    gldm,
    gldzm,
    glrlm,
    glszm,
    intensity_histogram,
    ivh,
    local_intensity,
    morphology,
    ngtdm,
    shape,
    shape2d,
)
from radiogenomics.imaging.radiomics.feature import Feature

# pyradiomics' classes in its order.
FAMILY_FEATURES: Mapping[str, tuple[Feature, ...]] = MappingProxyType(
    {
        "firstorder": firstorder.FEATURES,
        "glcm": glcm.FEATURES,
        "gldm": gldm.FEATURES,
        "glrlm": glrlm.FEATURES,
        "glszm": glszm.FEATURES,
        "ngtdm": ngtdm.FEATURES,
        "shape": shape.FEATURES,
        "shape2D": shape2d.FEATURES,
    }
)
IBSI_FEATURES: Mapping[str, Feature] = MappingProxyType(
    {
        feature.ibsi_name: feature
        for feature in chain(
            *FAMILY_FEATURES.values(),
            gldzm.FEATURES,
            intensity_histogram.FEATURES,
            ivh.FEATURES,
            local_intensity.FEATURES,
            morphology.FEATURES,
        )
        if feature.ibsi_name is not None
    }
)


@dataclass(frozen=True)
class Meaning:
    """What a column of a feature table is.

    Parameters
    ----------
    image_type
        ``"original"``, or the filter.
    family
        Feature family; by the IBSI's conventions its prefix (``"cm"``).
    unit
        Of intensities: that of the image after normalisation and filter.
    ibsi_code
        Code of the IBSI; empty where it defines the feature otherwise or not at all.
    """

    image_type: str
    family: str
    unit: str
    ibsi_code: str


def feature_names(family: str) -> tuple[str, ...]:
    """pyradiomics' names of a family's features in its order, the redundant ones included."""
    return tuple(feature.name for feature in FAMILY_FEATURES[family] if feature.name)


def meaning(name: str) -> Meaning:
    """What the full name of a feature says, by either convention.

    Examples
    --------
    >>> meaning("log-sigma-3-0-mm-3D_glcm_JointEntropy")
    Meaning(image_type='log-sigma-3-0-mm-3D', family='glcm', unit='bit', ibsi_code='TU9B')
    >>> meaning("cm_joint_entr_3D_comb").ibsi_code
    'TU9B'
    """
    image_type, _, rest = name.partition("_")
    family, _, word = rest.partition("_")
    for feature in FAMILY_FEATURES.get(family, ()):
        if feature.name == word:
            return Meaning(image_type, family, feature.unit, feature.ibsi_code or "")
    return _ibsi_meaning(name)


def _ibsi_meaning(name: str) -> Meaning:
    """``{image type}_`` where filtered, the tag, and how textures were joined."""
    words = name.split("_")
    for start in (0, 1):
        for end in range(len(words), start, -1):
            feature = IBSI_FEATURES.get("_".join(words[start:end]))
            if feature is not None:
                image_type = words[0] if start else "original"
                return Meaning(image_type, words[start], feature.unit, feature.ibsi_code or "")
    return Meaning("original", words[0], "1", "")
