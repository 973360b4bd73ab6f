from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging import SETTINGS_PRESETS, features_of_volume, settings_preset

# What pyradiomics gives by default: 14 of shape (9 in 2D), and 93 of each image type.
SHAPE, SHAPE_2D, OTHERS = 14, 9, 93
COUNTS = {
    "irs": SHAPE + 3 * OTHERS,
    "lwctr": 1316,
    "ct": SHAPE + 14 * OTHERS,
    "mr": SHAPE + 14 * OTHERS,
    "swi": SHAPE + 19 * OTHERS,
    "us2d": SHAPE_2D + 5 * OTHERS,
    "mmf": SHAPE + OTHERS,
}


def test_preset_by_name_and_near_miss():
    assert settings_preset("irs").normalise == "liver"
    with pytest.raises(UnknownNameError, match="did you mean 'irs'"):
        settings_preset("isr")


def test_presets_cannot_be_changed():
    with pytest.raises(TypeError):
        SETTINGS_PRESETS["mine"] = settings_preset("irs")


def test_every_preset_is_counted_here():
    assert set(COUNTS) == set(SETTINGS_PRESETS)


@pytest.mark.parametrize("name", COUNTS)
def test_preset_gives_its_number_of_features(name, rng):
    slices = 1 if name == "us2d" else 24
    z, y, x = np.indices((slices, 26, 28))
    tumour = ((y - 12) ** 2 + (x - 13) ** 2 + (z - slices // 2) ** 2 < 36).astype(np.uint8)
    voxels = rng.normal(60, 30, size=tumour.shape).astype(np.float32)
    volume = Volume(voxels, {"tumour": tumour, "liver": np.ones_like(tumour)}, (2.0, 1.5, 1.5))
    found = features_of_volume(volume, settings_preset(name))
    assert len(found) == COUNTS[name]
    assert np.isfinite(list(found.values())).all()
