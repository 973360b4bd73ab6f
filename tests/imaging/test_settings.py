from __future__ import annotations

import pytest
from pydantic import ValidationError

from radiogenomics.core.errors import SchemaError, UnknownNameError
from radiogenomics.core.schema import parse
from radiogenomics.imaging.settings import (
    SETTINGS_PRESETS,
    ExtractionSettings,
    settings_preset,
)


def test_preset_by_name_and_near_miss():
    assert settings_preset("irs").normalise == "liver"
    with pytest.raises(UnknownNameError, match="did you mean 'irs'"):
        settings_preset("isr")


def test_presets_cannot_be_changed():
    with pytest.raises(TypeError):
        SETTINGS_PRESETS["mine"] = settings_preset("irs")
    with pytest.raises(ValidationError, match="frozen"):
        settings_preset("irs").bin_width = 10


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "exactly one of bin_width and bin_count"),
        ({"bin_width": 25, "bin_count": 32}, "exactly one of bin_width and bin_count"),
        ({"bin_width": 25, "image_types": ["LoG"]}, "log_sigma_mm"),
        ({"bin_width": 25, "log_sigma_mm": [3]}, "log_sigma_mm"),
        ({"bin_width": -1}, "bin_width"),
        ({"bin_width": 25, "image_types": ["Square"]}, "image_types"),
        ({"bin_width": 25, "famlies": ["glcm"]}, "did you mean families"),
    ],
)
def test_bad_settings_say_what_is_wrong(fields, problem):
    with pytest.raises(SchemaError, match=problem):
        parse(ExtractionSettings, fields, where="settings")


def test_reach_covers_six_sigma_in_each_direction():
    settings = ExtractionSettings(bin_width=25, image_types=["LoG"], log_sigma_mm=[2.0, 5.0])
    assert settings.reach((3.0, 0.7, 1.0)) == (10, 43, 30)
