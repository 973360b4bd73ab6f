from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, GeometryError, SchemaError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.mask_agreement import (
    COLUMNS,
    MaskAgreement,
    agreement_table,
    mask_agreement,
    summarise_agreement,
    surface_distances,
    volume_agreement,
)

SPACINGS = [(1.0, 1.0, 1.0), (5.0, 0.7, 0.8), (2.5, 0.977, 0.977)]


def blobs(rng: np.random.Generator, shape: tuple[int, int, int] = (9, 14, 12)) -> np.ndarray:
    """Some boxes, of which one may touch the border of the image."""
    mask = np.zeros(shape, dtype=np.uint8)
    for number in range(1, 4):
        low = rng.integers(0, np.array(shape) - 4)
        high = low + rng.integers(1, 5, 3)
        mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = number
    return mask


def by_brute_force(
    found: np.ndarray, reference: np.ndarray, spacing: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Distances of surfaces voxel by voxel, neighbour by neighbour."""

    def surface(mask: np.ndarray) -> np.ndarray:
        padded = np.pad(mask > 0, 1)
        edge = []
        for z, y, x in np.argwhere(padded):
            steps = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
            if not all(padded[z + a, y + b, x + c] for a, b, c in steps):
                edge.append((z - 1, y - 1, x - 1))
        return np.array(edge) * np.array(spacing)

    between = np.linalg.norm(surface(found)[:, None] - surface(reference)[None], axis=2)
    return between.min(axis=1), between.min(axis=0)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_distances_are_those_of_brute_force(
    rng: np.random.Generator, spacing: tuple[float, float, float]
) -> None:
    for _ in range(5):
        found, reference = blobs(rng), blobs(rng)
        there, back = by_brute_force(found, reference, spacing)
        got = surface_distances(found, reference, spacing_mm=spacing)
        assert np.allclose(got.from_found, there, rtol=1e-12, atol=1e-12)
        assert np.allclose(got.from_reference, back, rtol=1e-12, atol=1e-12)
        result = mask_agreement(found, reference, spacing_mm=spacing, tolerance_mm=1.3)
        both = np.concatenate([there, back])
        assert result.mean_surface_mm == pytest.approx(both.mean(), rel=1e-12)
        assert result.hausdorff_mm == pytest.approx(both.max(), rel=1e-12)
        tails = [np.quantile(each, 0.95) for each in (there, back)]
        assert result.hausdorff95_mm == pytest.approx(max(tails), rel=1e-12)
        assert result.surface_dice == pytest.approx((both <= 1.3).mean(), rel=1e-12)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_agrees_with_monai(rng: np.random.Generator, spacing: tuple[float, float, float]) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    metrics = pytest.importorskip("monai.metrics", reason="needs the extra deep")
    for _ in range(5):
        found, reference = blobs(rng), blobs(rng)
        given = [torch.as_tensor(m > 0)[None, None].float() for m in (found, reference)]
        ours = mask_agreement(found, reference, spacing_mm=spacing, tolerance_mm=1.5)
        dice = metrics.compute_dice(*given, include_background=True)
        mean = metrics.compute_average_surface_distance(
            *given, include_background=True, symmetric=True, spacing=spacing
        )
        tail, longest = (
            metrics.compute_hausdorff_distance(
                *given, include_background=True, percentile=percentile, spacing=spacing
            )
            for percentile in (95, None)
        )
        surface = metrics.compute_surface_dice(
            *given, class_thresholds=[1.5], include_background=True, spacing=spacing
        )
        got = (ours.dice, ours.mean_surface_mm, ours.hausdorff95_mm, ours.hausdorff_mm)
        theirs = [float(each) for each in (dice, mean, tail, longest)]
        # Theirs are in single precision.
        assert got == pytest.approx(theirs, rel=1e-6)
        assert ours.surface_dice == pytest.approx(float(surface), rel=1e-6)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_agrees_with_simpleitk(
    rng: np.random.Generator, spacing: tuple[float, float, float]
) -> None:
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")

    def image(mask: np.ndarray) -> object:
        made = sitk.GetImageFromArray((mask > 0).astype(np.uint8))
        made.SetSpacing(spacing[::-1])
        return made

    overlap, hausdorff = sitk.LabelOverlapMeasuresImageFilter(), sitk.HausdorffDistanceImageFilter()
    for _ in range(5):
        # Its contours know no border of the image: keep away from it.
        found, reference = (np.pad(blobs(rng), 1) for _ in range(2))
        ours = mask_agreement(found, reference, spacing_mm=spacing)
        overlap.Execute(image(found), image(reference))
        assert ours.dice == pytest.approx(overlap.GetDiceCoefficient(), rel=1e-12)
        # Its filter is of sets; of the sets of contour voxels it is that of surfaces.
        edges = [
            sitk.BinaryContour(image(mask), fullyConnected=False) for mask in (found, reference)
        ]
        hausdorff.Execute(*edges)
        assert ours.hausdorff_mm == pytest.approx(hausdorff.GetHausdorffDistance(), rel=1e-12)
        assert ours.found_ml == pytest.approx((found > 0).sum() * math.prod(spacing) / 1000)


def test_a_cube_moved_by_a_slice_by_hand() -> None:
    reference = np.zeros((8, 6, 6), dtype=int)
    reference[2:5, 1:4, 1:4] = 7
    found = np.roll(reference, 1, axis=0)
    result = mask_agreement(found, reference, spacing_mm=(4.0, 1.0, 1.0), tolerance_mm=1.0)
    # 2 of 3 slices are shared. Each surface is all 27 voxels but the middle one. Of either, the 9
    # of the outer slice are 4 mm away; the 8 + 8 of the rims of shared slices lie on the other;
    # one, the middle of a slice that is inside the other cube, is 1 mm from its rim.
    assert result.dice == pytest.approx(2 / 3)
    assert result.hausdorff_mm == 4.0
    assert result.hausdorff95_mm == 4.0
    assert result.mean_surface_mm == pytest.approx((9 * 4 + 1) / 26)
    assert result.surface_dice == pytest.approx(17 / 26)
    assert (result.found_ml, result.reference_ml) == (0.108, 0.108)


def test_directions_tell_too_much_from_too_little() -> None:
    reference = np.zeros((3, 3, 20), dtype=int)
    reference[1, 1, :3] = 1
    found = reference.copy()
    found[1, 1, 10] = 1
    got = surface_distances(found, reference, spacing_mm=(1.0, 1.0, 2.0))
    assert (got.from_found.max(), got.from_reference.max()) == (16.0, 0.0)
    swapped = surface_distances(reference, found, spacing_mm=(1.0, 1.0, 2.0))
    assert (swapped.from_found.max(), swapped.from_reference.max()) == (0.0, 16.0)


def test_swapping_changes_only_whose_volume_it_is(rng: np.random.Generator) -> None:
    first, second = blobs(rng), blobs(rng)
    there = mask_agreement(first, second, spacing_mm=(3.0, 1.0, 1.0))
    back = mask_agreement(second, first, spacing_mm=(3.0, 1.0, 1.0))
    swapped = dataclasses.replace(back, found_ml=back.reference_ml, reference_ml=back.found_ml)
    assert dataclasses.astuple(there) == pytest.approx(dataclasses.astuple(swapped))


def test_equal_masks_agree_wholly(rng: np.random.Generator) -> None:
    mask = blobs(rng)
    result = mask_agreement(mask, mask > 0, spacing_mm=(3.0, 1.0, 1.0), tolerance_mm=0.0)
    assert (result.dice, result.surface_dice) == (1.0, 1.0)
    assert (result.mean_surface_mm, result.hausdorff95_mm, result.hausdorff_mm) == (0, 0, 0)


def test_a_tolerance_holds_what_lies_at_it_whatever_the_rounding() -> None:
    found, reference = np.zeros((1, 1, 8), dtype=int), np.zeros((1, 1, 8), dtype=int)
    found[..., 0], reference[..., 3] = 1, 1
    assert 3 * 0.1 > 0.3
    result = mask_agreement(found, reference, spacing_mm=(1.0, 1.0, 0.1), tolerance_mm=0.3)
    assert result.surface_dice == 1.0


def test_empty_masks_are_said_not_scored() -> None:
    nothing, something = np.zeros((3, 3, 3), dtype=int), np.ones((3, 3, 3), dtype=int)
    both = mask_agreement(nothing, nothing, spacing_mm=(1.0, 1.0, 1.0))
    assert both == MaskAgreement(None, None, None, None, None, 0.0, 0.0, 2.0, "both")
    missed = mask_agreement(nothing, something, spacing_mm=(1.0, 1.0, 1.0))
    assert missed == MaskAgreement(0.0, 0.0, None, None, None, 0.0, 0.027, 2.0, "found")
    assert mask_agreement(something, nothing, spacing_mm=(1.0, 1.0, 1.0)).empty == "reference"
    with pytest.raises(GeometryError, match="no voxel in both"):
        surface_distances(nothing, nothing, spacing_mm=(1.0, 1.0, 1.0))


@pytest.mark.parametrize("spacing", [(1.0, 0.0, 1.0), (1.0, np.nan, 1.0), (1.0, 1.0)])
def test_impossible_spacings_are_refused(spacing: tuple[float, ...]) -> None:
    mask = np.ones((2, 2, 2), dtype=int)
    with pytest.raises(GeometryError, match="positive voxel sizes"):
        mask_agreement(mask, mask, spacing_mm=spacing)


def test_other_shapes_and_tolerances_are_refused() -> None:
    mask = np.ones((2, 2, 2), dtype=int)
    with pytest.raises(GeometryError, match="one shape"):
        mask_agreement(mask, mask[1:], spacing_mm=(1.0, 1.0, 1.0))
    for tolerance in (-1.0, np.nan, np.inf):
        with pytest.raises(DataError, match="tolerance_mm"):
            mask_agreement(mask, mask, spacing_mm=(1.0, 1.0, 1.0), tolerance_mm=tolerance)


def scan(**masks: np.ndarray) -> Volume:
    return Volume(np.zeros((3, 4, 5)), masks, (2.0, 1.0, 1.0), (1.0, 2.0, 3.0))


def test_volumes_are_compared_region_by_region_in_one_place() -> None:
    liver, tumour = np.ones((3, 4, 5), dtype=int), np.zeros((3, 4, 5), dtype=int)
    tumour[1, 1:3, 1:3] = 2
    found = scan(liver=liver, tumour=tumour, spleen=tumour)
    result = volume_agreement(found, scan(liver=liver, tumour=np.roll(tumour, 1, axis=2)))
    assert (result["liver"].dice, result["tumour"].dice) == (1.0, 0.5)
    assert set(volume_agreement(found, found, regions=["spleen"])) == {"spleen"}
    with pytest.raises(UnknownNameError, match="tumour"):
        volume_agreement(scan(liver=liver), found)
    elsewhere = dataclasses.replace(found, origin_mm=(1.0, 2.0, 3.5))
    with pytest.raises(GeometryError, match="one grid"):
        volume_agreement(elsewhere, found)


def test_tables_say_what_they_rest_on() -> None:
    full, none = np.ones((3, 4, 5), dtype=int), np.zeros((3, 4, 5), dtype=int)
    half = full.copy()
    half[..., :2] = 0
    found = {"A": scan(t=full), "B": scan(t=none), "C": scan(t=none), "D": scan(t=full)}
    reference = {"A": scan(t=half), "B": scan(t=full), "C": scan(t=none), "D": scan(t=none)}
    table = agreement_table({p: volume_agreement(found[p], reference[p]) for p in found})
    assert tuple(table.columns) == COLUMNS
    assert table["empty"].tolist() == ["neither", "found", "both", "reference"]
    assert table["dice"].tolist()[:2] == [pytest.approx(0.75), 0.0]
    assert table["hausdorff_mm"].isna().tolist() == [False, True, True, True]
    summary = summarise_agreement(table).set_index("measure")
    assert summary.loc["dice", ["measured", "missed", "invented", "both_empty"]].tolist() == [
        3,
        1,
        1,
        1,
    ]
    assert summary.loc["dice", "median"] == 0.0
    assert summary.loc["hausdorff95_mm", "measured"] == 1
    with pytest.raises(SchemaError, match="empty"):
        summarise_agreement(table.drop(columns="empty"))


def test_nobody_gives_an_empty_table_with_columns() -> None:
    table = agreement_table({})
    assert tuple(table.columns) == COLUMNS
    assert summarise_agreement(table).empty
    assert isinstance(summarise_agreement(table), pd.DataFrame)
