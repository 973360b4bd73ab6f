from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.core.errors import GeometryError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.geometry import crop
from radiogenomics.imaging.masks import (
    bounding_box,
    require_dimensions,
    require_size,
    select_lesions,
)


def numbered() -> np.ndarray:
    """Lesion 1 in two parts (6 + 6 voxels), lesion 2 in one of 10."""
    mask = np.zeros((6, 12, 12), dtype=np.uint8)
    mask[0, 0:2, 0:3] = 1
    mask[4, 0:2, 0:3] = 1
    mask[2, 6:8, 4:9] = 2
    return mask


def test_numbers_of_the_mask_tell_lesions_apart():
    assert np.array_equal(select_lesions(numbered(), "largest"), numbered() == 1)


def test_connection_tells_lesions_apart_when_the_numbers_do_not():
    chosen = select_lesions((numbered() > 0).astype(np.int16), "largest")
    assert np.array_equal(chosen, numbered() == 2)


def test_voxels_that_share_a_corner_are_one_lesion():
    mask = np.zeros((4, 4, 4), dtype=int)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[3, 3, 3] = 1
    assert select_lesions(mask, "largest").sum() == 2


def test_largest_lesion_agrees_with_a_count_over_the_whole_grid(rng):
    mask = (ndimage.gaussian_filter(rng.normal(size=(20, 24, 22)), 1.5) > 0.1).astype(int)
    labels, count = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    sizes = ndimage.sum_labels(mask, labels, range(1, count + 1))
    assert select_lesions(mask, "largest").sum() == sizes.max()


def test_tie_goes_to_the_lower_number():
    mask = np.zeros((3, 3, 3), dtype=int)
    mask[0], mask[2] = 5, 3
    assert np.array_equal(select_lesions(mask, "largest"), mask == 3)


def test_union_takes_all():
    assert np.array_equal(select_lesions(numbered(), "union"), numbered() > 0)


def test_one_lesion_in_a_bool_mask_comes_back_unchanged():
    mask = numbered() == 2
    assert np.array_equal(select_lesions(mask, "largest"), mask)


def test_empty_mask_is_named():
    with pytest.raises(GeometryError, match="empty mask"):
        select_lesions(np.zeros((3, 3, 3), dtype=int), "largest")


def test_unknown_rule_names_the_near_one():
    with pytest.raises(UnknownNameError, match="'largest'"):
        select_lesions(numbered(), "larges")


def test_label_takes_its_voxels_and_no_others():
    assert np.array_equal(select_lesions(numbered(), "union", label=1), numbered() == 1)
    parts = select_lesions(numbered(), "largest", label=1)
    assert parts.sum() == 6
    assert not parts[numbered() != 1].any()


def test_label_that_is_absent_lists_those_there():
    with pytest.raises(GeometryError, match="label 7 in the mask; found 1, 2"):
        select_lesions(numbered(), "union", label=7)


@pytest.mark.parametrize(("shape", "dimensions"), [((1, 1, 1), 0), ((1, 4, 1), 1), ((2, 1, 3), 2)])
def test_thin_region_is_refused_with_its_size(shape, dimensions):
    region = np.zeros((5, 5, 5), dtype=bool)
    region[: shape[0], : shape[1], : shape[2]] = True
    if dimensions:
        require_dimensions(region, dimensions)
    with pytest.raises(GeometryError, match=" × ".join(map(str, shape))):
        require_dimensions(region, dimensions + 1)


def test_small_region_is_refused_and_counted():
    require_size(numbered() == 2, 10)
    with pytest.raises(GeometryError, match="at least 11 voxels; found 10"):
        require_size(numbered() == 2, 11)


def test_bounding_box_ends_at_the_border():
    box = bounding_box(numbered() == 2, margin=(1, 1, 10))
    assert box == (slice(1, 4), slice(5, 9), slice(0, 12))


def test_crop_keeps_values_and_physical_positions(rng):
    mask = numbered()
    direction = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    whole = Volume(
        rng.normal(size=mask.shape),
        {"tumour": mask},
        (3.0, 0.7, 0.8),
        (10.0, -20.0, 5.0),
        direction,
    )
    part = crop(whole, "tumour", margin=(0, 0, 0))
    lesion = crop(Volume(whole.voxels, {"tumour": mask == 2}, (3.0, 0.7, 0.8)), "tumour")
    assert lesion.origin_mm == pytest.approx((4 * 0.8, 6 * 0.7, 2 * 3.0))
    assert np.array_equal(lesion.voxels, whole.voxels[2:3, 6:8, 4:9])
    assert part.origin_mm == whole.origin_mm  # the union of lesions touches the first voxel

    sitk = pytest.importorskip("SimpleITK")
    image = sitk.GetImageFromArray(whole.voxels)
    image.SetSpacing((0.8, 0.7, 3.0))
    image.SetOrigin(whole.origin_mm)
    image.SetDirection(direction)
    moved = Volume(whole.voxels, {"a": mask == 2}, whole.spacing_mm, whole.origin_mm, direction)
    expected = image.TransformIndexToPhysicalPoint((4, 6, 2))
    assert crop(moved, "a").origin_mm == pytest.approx(expected)


def test_crop_of_an_empty_region_is_refused():
    empty = Volume(np.zeros((3, 3, 3)), {"tumour": np.zeros((3, 3, 3), dtype=int)}, (1, 1, 1))
    with pytest.raises(GeometryError, match="found none"):
        crop(empty, "tumour")
