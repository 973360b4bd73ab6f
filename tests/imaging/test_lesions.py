from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.backend import features_of_volume
from radiogenomics.imaging.lesions import features_of_lesions
from radiogenomics.imaging.masks import split_lesions
from radiogenomics.imaging.settings import ExtractionSettings

VOLUME = "original_shape_VoxelVolume"
MEAN = "original_firstorder_Mean"


def settings(rule: str, minimum_voxels: int = 5) -> ExtractionSettings:
    return ExtractionSettings(
        bin_width=10,
        families=("shape", "firstorder", "glcm"),
        lesions=rule,
        minimum_voxels=minimum_voxels,
    )


@pytest.fixture
def scan(rng: np.random.Generator) -> Volume:
    """Two lesions under one number, of 8 × 4 × 5 and 4 × 4 × 3 voxels of 2 mm^3, and a speck."""
    mask = np.zeros((14, 16, 18), dtype=np.uint8)
    mask[1:9, 2:6, 2:7] = 1
    mask[3:7, 10:14, 12:15] = 1
    mask[12, 1, 1] = 1
    return Volume(rng.normal(60, 20, mask.shape), {"tumour": mask}, (2.0, 1.0, 1.0))


def test_lesions_are_numbered_by_size(scan: Volume) -> None:
    numbers = split_lesions(scan.mask("tumour"))
    assert np.bincount(numbers.ravel())[1:].tolist() == [160, 48, 1]
    assert (numbers > 0).tolist() == (scan.mask("tumour") > 0).tolist()


def test_touching_lesions_stay_apart_by_their_numbers() -> None:
    assert split_lesions(np.array([[[900, 7, 7, 7]]])).tolist() == [[[2, 1, 1, 1]]]


def test_each_rule_by_hand(scan: Volume) -> None:
    rows = features_of_lesions(scan, settings("per_lesion"))
    assert {lesion: row[VOLUME] for lesion, row in rows.items()} == {"#1": 320, "#2": 96}
    numbers = split_lesions(scan.mask("tumour"))
    means = [scan.voxels[numbers == n].mean() for n in (1, 2)]
    assert rows["#1"][MEAN] == pytest.approx(means[0])

    mean = features_of_lesions(scan, settings("mean"))[""]
    assert mean[VOLUME] == pytest.approx((320 + 96) / 2)
    assert mean[MEAN] == pytest.approx(np.mean(means))
    weighted = features_of_lesions(scan, settings("volume_weighted"))[""]
    assert weighted[MEAN] == pytest.approx(np.average(means, weights=[160, 48]))

    largest = features_of_lesions(scan, settings("largest"))[""]
    assert largest == pytest.approx(rows["#1"], nan_ok=True)
    union = features_of_lesions(scan, settings("union"))[""]
    assert union[VOLUME] == 2 * (160 + 48 + 1)
    assert union == features_of_volume(scan, settings("union"), region="tumour")


def test_numbered_lesions_keep_their_numbers_when_one_shrinks(scan: Volume) -> None:
    numbers = split_lesions(scan.mask("tumour")).astype(np.uint8)
    renamed = np.where(numbers == 1, 5, np.where(numbers == 2, 3, 0)).astype(np.uint8)
    before = features_of_lesions(
        Volume(scan.voxels, {"tumour": renamed}, scan.spacing_mm), settings("per_lesion")
    )
    shrunk = renamed.copy()
    shrunk[:7][renamed[:7] == 5] = 0
    after = features_of_lesions(
        Volume(scan.voxels, {"tumour": shrunk}, scan.spacing_mm), settings("per_lesion")
    )
    assert {n: row[VOLUME] for n, row in before.items()} == {"5": 320, "3": 96}
    assert {n: row[VOLUME] for n, row in after.items()} == {"5": 80, "3": 96}


def test_lesions_below_the_size_are_not_measured(scan: Volume) -> None:
    assert list(features_of_lesions(scan, settings("per_lesion", 49))) == ["#1"]
    with pytest.raises(GeometryError, match="at least 161 voxels"):
        features_of_lesions(scan, settings("mean", 161))


def test_an_empty_mask_is_named() -> None:
    with pytest.raises(GeometryError, match="empty mask"):
        split_lesions(np.zeros((2, 2, 2), dtype=int))
