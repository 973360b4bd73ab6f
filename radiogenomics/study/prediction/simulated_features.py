"""Image blocks of a recipe as blocks of its simulation: their variables, and what repeats what."""

from __future__ import annotations

import numpy as np

from radiogenomics.core.scan import Volume
from radiogenomics.imaging import SETTINGS_PRESETS, features_of_volume, settings_preset
from radiogenomics.simulate.study_design import ImageDesign
from radiogenomics.study.prediction.inputs import BASELINE
from radiogenomics.study.prediction.schema import ImageBlock, PredictionStudy
from radiogenomics.study.prediction.simulated_scans import UNREAD, scanned_blocks

FEWEST_REREAD = 12


def image_designs(
    recipe: PredictionStudy, training: int, *, scale: float, most: int | None
) -> dict[str, ImageDesign]:
    """Image blocks in order of time, each with the block that it is the next time point of.

    Of blocks that are shown by scans there is nothing to name, and they come first.
    """
    shown = scanned_blocks(recipe)
    blocks = {
        name: block
        for name, block in recipe.blocks.items()
        if isinstance(block, ImageBlock) and name not in shown
    }
    order = {point: place for place, point in enumerate(recipe.time_points)}
    names = {
        word: preset_features(word)
        for word in {b.settings.value for b in blocks.values() if b.kind == "radiomics"}
        if word in SETTINGS_PRESETS
    }
    found = dict.fromkeys(shown, UNREAD)
    latest: dict[tuple[str, ...], str] = {}
    for name in sorted(blocks, key=lambda name: order[blocks[name].time_point.value]):
        block = blocks[name]
        number = min(block.features.value, most or block.features.value)
        variables = variable_names(block.kind, number, names.get(block.settings.value, ()))
        scan = (block.kind, block.modality.value, block.phase.value, block.region.value)
        earlier = latest.get(scan)
        if earlier is not None and found[earlier].variables != variables:
            earlier = None
        later = block.time_point.value != BASELINE
        reread = block.reread.value or 0
        if reread:
            reread = min(training, max(FEWEST_REREAD, round(reread * scale)))
        found[name] = ImageDesign(variables, earlier if later else None, later, reread)
        latest[scan] = name
    return found


def variable_names(kind: str, number: int, measured: tuple[str, ...]) -> tuple[str, ...]:
    """Names of a block's variables: evenly from what is measured, numbered where that is too few.

    Examples
    --------
    >>> variable_names("radiomics", 2, ("a", "b", "c", "d"))
    ('a', 'c')
    >>> variable_names("deep", 2, ())
    ('deep_0001', 'deep_0002')
    """
    if kind == "radiomics" and number <= len(measured):
        return tuple(measured[place * len(measured) // number] for place in range(number))
    stem = "deep" if kind == "deep" else "feature"
    return tuple(f"{stem}_{place + 1:04d}" for place in range(number))


def preset_features(settings: str) -> tuple[str, ...]:
    """Names of the features that a preset gives, found by measuring a ball of noise."""
    preset = settings_preset(settings)
    deep = 1 if preset.flat_axis == 0 else 24
    z, y, x = np.indices((deep, 24, 24))
    ball = ((y - 12) ** 2 + (x - 12) ** 2 + (z - deep // 2) ** 2 < 25).astype(np.uint8)
    voxels = np.random.default_rng(0).normal(60, 30, size=ball.shape).astype(np.float32)
    masks = {"tumour": ball, "liver": np.ones_like(ball)}
    return tuple(features_of_volume(Volume(voxels, masks, (1.5, 1.5, 1.5)), preset))
