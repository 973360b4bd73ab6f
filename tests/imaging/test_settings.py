from __future__ import annotations

import pytest
from pydantic import ValidationError

from radiogenomics.core.errors import SchemaError
from radiogenomics.core.schema import parse
from radiogenomics.imaging.filters import LoG
from radiogenomics.imaging.settings import ExtractionSettings


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        ExtractionSettings(bin_width=25).bin_width = 10


def test_filters_are_told_apart_by_their_kind():
    settings = parse(
        ExtractionSettings,
        {"bin_width": 25, "filters": [{"kind": "LoG", "sigma_mm": [1, 2.5], "bin_count": 8}]},
        where="settings",
    )
    assert settings.filters == (LoG(sigma_mm=(1, 2.5), bin_count=8),)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "exactly one of bin_width and bin_count"),
        ({"bin_width": 25, "bin_count": 32}, "exactly one of bin_width and bin_count"),
        ({"bin_width": -1}, "bin_width"),
        ({"bin_width": 25, "filters": []}, "filters"),
        ({"bin_width": 25, "filters": [{"kind": "LoG"}]}, "sigma_mm"),
        ({"bin_width": 25, "filters": [{"kind": "Sqare"}]}, "did you mean Square"),
        ({"bin_width": 25, "famlies": ["glcm"]}, "did you mean families"),
        ({"bin_width": 25, "only": {"glcm": ["JointEntrpy"]}}, "did you mean 'JointEntropy'"),
        ({"bin_width": 25, "families": ["glcm"], "only": {"gldm": ["DependenceEntropy"]}}, "add"),
        ({"bin_width": 25, "families": ["shape2D"]}, "give flat_axis"),
        ({"bin_width": 25, "remove_outliers": 3}, "normalise: image"),
        ({"bin_width": 25, "round_intensities": True}, "needs conventions: ibsi"),
    ],
)
def test_bad_settings_say_what_is_wrong(fields, problem):
    with pytest.raises(SchemaError, match=problem):
        parse(ExtractionSettings, fields, where="settings")


def test_settings_survive_the_way_through_plain_data():
    settings = ExtractionSettings(
        bin_count=16, filters=(LoG(sigma_mm=(3.0,)),), only={"glcm": ("Idm", "Id")}
    )
    assert ExtractionSettings.model_validate(settings.model_dump(mode="json")) == settings
