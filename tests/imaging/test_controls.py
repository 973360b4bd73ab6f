from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import GeometryError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.backend import features_of_volume
from radiogenomics.imaging.controls import negative_control
from radiogenomics.imaging.settings import ExtractionSettings


@pytest.fixture
def scan() -> Volume:
    """A smooth image, so that texture is there to be lost."""
    z, y, x = np.indices((10, 20, 20))
    mask = ((z - 5) ** 2 * 4 + (y - 10) ** 2 + (x - 10) ** 2 < 64).astype(np.uint8)
    return Volume((10 * z + 7 * y + 3 * x).astype(np.int16), {"tumour": mask}, (2, 1, 1))


def test_shuffling_keeps_the_histogram_and_loses_the_texture(
    scan: Volume, rng: np.random.Generator
) -> None:
    settings = ExtractionSettings(bin_width=10, families=("shape", "firstorder", "glcm"))
    control = negative_control(scan, "tumour", control="shuffled", rng=rng)
    before, after = (features_of_volume(v, settings) for v in (scan, control))
    kept = [name for name in before if "_glcm_" not in name]
    assert {n: after[n] for n in kept} == pytest.approx({n: before[n] for n in kept}, rel=1e-12)
    assert before["original_glcm_Correlation"] > 0.9
    assert abs(after["original_glcm_Correlation"]) < 0.1


@pytest.mark.parametrize("control", ["shuffled", "sampled", "uniform"])
@pytest.mark.parametrize("part", ["inside", "outside", "all"])
def test_only_the_part_changes(
    scan: Volume, control: str, part: str, rng: np.random.Generator
) -> None:
    inside = scan.mask("tumour") > 0
    chosen = {"inside": inside, "outside": ~inside, "all": np.ones_like(inside)}[part]
    found = negative_control(scan, "tumour", control=control, part=part, rng=rng)
    assert np.array_equal(found.voxels[~chosen], scan.voxels[~chosen])
    assert not np.array_equal(found.voxels[chosen], scan.voxels[chosen])
    assert found.voxels.dtype == scan.voxels.dtype
    assert found.voxels[chosen].min() >= scan.voxels[chosen].min()
    assert found.voxels[chosen].max() <= scan.voxels[chosen].max()


def test_uniform_fills_the_range_evenly(scan: Volume, rng: np.random.Generator) -> None:
    found = negative_control(scan, "tumour", control="uniform", part="all", rng=rng).voxels
    counts, _ = np.histogram(found, bins=5, range=(scan.voxels.min(), scan.voxels.max() + 1))
    expected = found.size / 5
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_unknown_words_and_empty_parts_are_named(scan: Volume, rng: np.random.Generator) -> None:
    with pytest.raises(UnknownNameError, match="shuffled"):
        negative_control(scan, "tumour", control="shufled", rng=rng)
    with pytest.raises(UnknownNameError, match="inside"):
        negative_control(scan, "tumour", control="uniform", part="insied", rng=rng)
    everything = Volume(scan.voxels, {"tumour": np.ones(scan.voxels.shape, dtype=int)}, (1, 1, 1))
    with pytest.raises(GeometryError, match="no"):
        negative_control(everything, "tumour", control="uniform", part="outside", rng=rng)
