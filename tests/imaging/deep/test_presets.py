from __future__ import annotations

import json

import pytest

from radiogenomics.core.errors import SchemaError, UnknownNameError
from radiogenomics.imaging.deep.presets import (
    ENCODER_PRESETS,
    EncoderSettings,
    encoder_preset,
)


def test_presets_say_what_their_names_say():
    assert set(ENCODER_PRESETS) == {
        "resnet18_slice", "resnet50_slices", "resnet18_volume", "efficientnet_b1_volume",
    }  # fmt: skip
    slices = encoder_preset("resnet50_slices")
    assert (slices.shape, slices.channels, slices.inputs) == ((9, 224, 224), 1, 3)
    phases = encoder_preset("efficientnet_b1_volume")
    assert (phases.shape, phases.channel_names) == (
        (128, 128, 128),
        ("arterial", "portal", "delayed"),
    )
    with pytest.raises(UnknownNameError, match="resnet18_slice"):
        encoder_preset("resnet18_slic")


@pytest.mark.parametrize("name", ENCODER_PRESETS)
def test_settings_survive_json(name: str):
    settings = encoder_preset(name)
    assert EncoderSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    with pytest.raises(UnknownNameError, match="did you mean 'window'"):
        EncoderSettings.from_json({"windwo": [0, 1]})


def test_slices_as_channels_name_phase_and_slice():
    settings = EncoderSettings(
        view="slices_as_channels", slices=2, phases=("portal", "delayed"), normalise="image"
    )
    assert settings.channel_names == (
        "portal slice 1", "portal slice 2", "delayed slice 1", "delayed slice 2",
    )  # fmt: skip
    assert settings.shape == (1, 224, 224)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "either a window"),
        ({"window": (0, 1), "normalise": "image"}, "either a window"),
        ({"window": (1, 1)}, "a lower and a higher"),
        ({"window": (0, 1), "dims": 3}, "dims 2 for the view slice; 3"),
        ({"window": (0, 1), "view": "box", "dims": 3}, "3 sizes of at least 1"),
        ({"window": (0, 1), "size": (0, 4)}, "2 sizes of at least 1"),
        ({"window": (0, 1), "backbone": "vit"}, "dims 3 for vit"),
        ({"window": (0, 1), "spacing_mm": (1, -1, 1)}, "voxel sizes"),
        ({"window": (0, 1), "margin_mm": -1.0}, "margin"),
        ({"window": (0, 1), "slices": 3}, "slices 1 for the view slice; 3"),
        ({"window": (0, 1), "view": "slices"}, "slices from 2"),
        ({"window": (0, 1), "pooling": "each"}, "the view slices for pooling each"),
        ({"window": (0, 1), "phases": ("portal", "portal")}, "each phase once"),
        ({"window": (0, 1), "phases": ("a", "b"), "repeat": 3}, "only of a single channel"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(wrong, words):
    with pytest.raises(SchemaError, match=words):
        EncoderSettings(**wrong)


@pytest.mark.parametrize(
    ("field", "word"),
    [("backbone", "resnet19"), ("view", "slize"), ("normalise", "imag"), ("pooling", "men"),
     ("lesions", "larges")],
)  # fmt: skip
def test_unknown_words_are_named(field: str, word: str):
    with pytest.raises(UnknownNameError, match=repr(word)):
        EncoderSettings(**{"window": (0, 1), field: word})
