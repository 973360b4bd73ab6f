from __future__ import annotations

import json

import pytest

from radiogenomics.core.errors import SchemaError, UnknownNameError
from radiogenomics.models.deep.training_settings import Augmentation, TrainingSettings


def test_words_are_json_and_make_the_same_settings():
    settings = TrainingSettings(epochs=3, clip=1.0, augment=Augmentation.everywhere(0.55))
    words = json.loads(json.dumps(settings.words()))
    augment = words.pop("augment")
    ranges = {name: tuple(augment.pop(name)) for name in ("gamma", "zooms")}
    assert TrainingSettings(**words, augment=Augmentation(**augment, **ranges)) == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("batch_size", 1.5),
        ("micro_batch", 0),
        ("patience", -1),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("weight_decay", -1.0),
        ("l1", float("inf")),
        ("plateau_factor", 1.0),
        ("validation_share", 1.0),
        ("clip", 0.0),
        ("seed", -3),
    ],
)
def test_numbers_outside_their_range_are_refused(name, value):
    with pytest.raises(SchemaError, match=f"{name}: expected .*; found "):
        TrainingSettings(**{name: value})


@pytest.mark.parametrize(("name", "word"), [("schedule", "plateaux"), ("precision", "fp8")])
def test_unknown_words_are_refused(name, word):
    with pytest.raises(UnknownNameError, match=word):
        TrainingSettings(**{name: word})


@pytest.mark.parametrize(
    ("name", "value"), [("flip", 1.1), ("zooms", (1.1, 0.9)), ("gamma", (0.0, 2.0))]
)
def test_augmentation_outside_its_range_is_refused(name, value):
    with pytest.raises(SchemaError, match=f"augment: {name}: expected"):
        Augmentation(**{name: value})
