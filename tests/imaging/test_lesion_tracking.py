"""Lesions as boxes and balls whose fate between two scans is laid down."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from radiogenomics.core.errors import DataError, GeometryError, SchemaError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.lesion_tracking import COLUMNS, track_lesions

SHAPE, SPACING = (10, 40, 60), (5.0, 1.0, 1.0)


def scan(*boxes, **others) -> Volume:
    """Boxes (z, y, x: first and behind the last), all of number 1; other masks by name."""
    masks = {"tumour": drawn(boxes), **{name: drawn(part) for name, part in others.items()}}
    return Volume(np.zeros(SHAPE), masks, SPACING)


def drawn(boxes) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=np.uint8)
    for z0, z1, y0, y1, x0, x1 in boxes:
        mask[z0:z1, y0:y1, x0:x1] = 1
    return mask


def diagonal(height: int, width: int) -> float:
    """Longest distance of two vertices of a box of pixels: corners are cut at the half pixel."""
    return max(math.hypot(height - 1, width), math.hypot(height, width - 1))


BIG, SMALL, THIRD = (2, 6, 5, 17, 5, 21), (1, 3, 25, 31, 30, 38), (6, 9, 5, 10, 40, 50)


def rows(table) -> list[tuple]:
    columns = ["baseline_lesion", "follow_up_lesion", "status"]
    return [tuple(row) for row in table[columns].itertuples(index=False)]


def test_same_scan_is_persistent_with_the_same_diameters():
    table = track_lesions(scan(BIG, SMALL), scan(BIG, SMALL))
    assert list(table.columns) == list(COLUMNS)
    assert rows(table) == [("#1", "#1", "persistent"), ("#2", "#2", "persistent")]
    assert table["overlap"].tolist() == table["dice"].tolist() == [1.0, 1.0]
    expected = [diagonal(12, 16), diagonal(6, 8)]
    for column in ("baseline_mm", "follow_up_mm", "counted_mm"):
        np.testing.assert_allclose(table[column], expected, rtol=1e-12)


def test_growth_shrinking_vanishing_and_new_lesions_by_hand():
    grown = (2, 6, 5, 21, 5, 29)  # 16 × 24, around the old 12 × 16
    shrunk = (1, 2, 27, 29, 33, 36)  # 2 × 3 within the old 6 × 8 of two slices
    new = (7, 9, 30, 34, 50, 54)
    table = track_lesions(scan(BIG, SMALL, THIRD), scan(grown, shrunk, new))
    by_lesion = table.set_index("baseline_lesion")
    grew = by_lesion.loc["#1"]
    assert grew["status"] == "persistent"
    assert grew["overlap"] == 1.0
    assert grew["dice"] == pytest.approx(2 * 12 * 16 / (12 * 16 + 16 * 24))
    assert grew["follow_up_mm"] == pytest.approx(diagonal(16, 24), rel=1e-12)
    gone = by_lesion.loc["#2"]  # the third box is the second in size
    assert (gone["status"], gone["follow_up_lesion"]) == ("vanished", None)
    assert (gone["overlap"], gone["follow_up_mm"], gone["counted_mm"]) == (0, 0, 0)
    fell = by_lesion.loc["#3"]
    assert fell["overlap"] == 1.0
    assert fell["dice"] == pytest.approx(2 * 6 / (6 + 2 * 48))
    assert fell["counted_mm"] == pytest.approx(diagonal(2, 3), rel=1e-12)
    [last] = table[table["status"] == "new"].itertuples()
    assert last.baseline_lesion is None
    assert (last.baseline_mm, last.follow_up_mm) == (0, pytest.approx(diagonal(4, 4)))
    assert math.isnan(last.counted_mm)
    assert table.index[-1] == last.Index


def test_split_lesion_is_summed_and_merged_ones_are_measured_once():
    left, right = (2, 6, 5, 17, 5, 11), (2, 6, 5, 17, 14, 21)
    split = track_lesions(scan(BIG), scan(left, right))
    assert rows(split) == [("#1", "#1", "split"), ("#1", "#2", "split")]
    assert split["baseline_mm"].nunique() == 1
    total = diagonal(12, 7) + diagonal(12, 6)
    assert split["counted_mm"].sum() == pytest.approx(total, rel=1e-12)
    merged = track_lesions(scan(left, right), scan(BIG))
    assert rows(merged) == [("#1", "#1", "merged"), ("#2", "#1", "merged")]
    np.testing.assert_allclose(merged["counted_mm"], [diagonal(12, 16), 0.0], rtol=1e-12)
    np.testing.assert_allclose(merged["follow_up_mm"], diagonal(12, 16), rtol=1e-12)


def test_tangle_counts_every_lesion_of_the_follow_up_once():
    """The left lesion loses a rim, and what is left of it has swallowed a small neighbour."""
    before = scan((2, 6, 5, 17, 5, 21), (2, 6, 5, 7, 24, 26))
    after = scan((2, 6, 5, 17, 8, 26), (2, 6, 5, 17, 5, 7))
    table = track_lesions(before, after)
    assert rows(table) == [
        ("#1", "#1", "split"),
        ("#1", "#2", "split"),
        ("#2", "#1", "merged"),
    ]
    total = diagonal(12, 18) + diagonal(12, 2)
    assert table["counted_mm"].sum() == pytest.approx(total, rel=1e-12)


def test_pairs_of_their_own_go_before_splitting_and_merging():
    """Where each lesion can have a partner, it has one, and the link between them is let go."""
    before = scan((2, 6, 5, 17, 5, 21), (2, 6, 5, 10, 24, 30))
    after = scan((2, 6, 5, 17, 12, 30), (2, 6, 5, 17, 5, 10))
    table = track_lesions(before, after)
    assert rows(table) == [("#1", "#2", "persistent"), ("#2", "#1", "persistent")]


def test_pairs_are_those_of_the_highest_sum_of_dice(rng):
    """Against all one-to-one assignments, for lesions that overlap several others."""
    for _ in range(20):
        masks = []
        for _ in range(2):
            mask = np.zeros(SHAPE, dtype=np.uint8)
            for number in range(1, 5):
                y, x = rng.integers(0, 12, 2)
                mask[2:6, y : y + 18, x : x + 18][mask[2:6, y : y + 18, x : x + 18] == 0] = number
            masks.append(mask)
        if any(len(np.unique(mask)) < 5 for mask in masks):
            continue
        first, second = (Volume(np.zeros(SHAPE), {"tumour": m}, SPACING) for m in masks)
        table = track_lesions(first, second, least_overlap=0.2)
        dice, linked = np.zeros((4, 4)), np.zeros((4, 4), dtype=bool)
        for b in range(4):
            for f in range(4):
                one, other = masks[0] == b + 1, masks[1] == f + 1
                shared = (one & other).sum()
                dice[b, f] = 2 * shared / (one.sum() + other.sum())
                linked[b, f] = shared / min(one.sum(), other.sum()) >= 0.2
        weight = np.where(linked, dice, 0)
        best = max(
            permutations(range(4)), key=lambda order: sum(weight[b, f] for b, f in enumerate(order))
        )
        expected = {(str(b + 1), str(f + 1)) for b, f in enumerate(best) if linked[b, f]}
        found = {(r.baseline_lesion, r.follow_up_lesion) for r in table.itertuples()}
        assert expected <= found
        # Every lesion is there, and each of the follow-up counts at most once.
        assert set(table["baseline_lesion"].dropna()) == set("1234")
        assert set(table["follow_up_lesion"].dropna()) == set("1234")
        old = table[table["status"] != "new"]
        counted = old[old["counted_mm"] > 0]
        assert counted["follow_up_lesion"].is_unique


def test_overlap_below_the_least_is_none():
    moved = (2, 6, 5, 17, 20, 36)  # one column of sixteen is shared
    for least, expected in ((0.05, ["persistent"]), (0.1, ["vanished", "new"])):
        table = track_lesions(scan(BIG), scan(moved), least_overlap=least)
        assert table["status"].tolist() == expected


def test_numbers_name_lesions_that_touch_and_connection_does_not():
    mask = drawn([BIG])
    mask[:, :, 12:] *= 5
    touching = Volume(np.zeros(SHAPE), {"tumour": mask}, SPACING)
    table = track_lesions(touching, touching)
    assert rows(table) == [("1", "1", "persistent"), ("5", "5", "persistent")]
    joined = track_lesions(touching, touching, numbered=False)
    assert rows(joined) == [("#1", "#1", "persistent")]
    one = replace(touching, masks={"tumour": np.where(mask == 5, 5, 0)})
    assert rows(track_lesions(touching, one, numbered=True))[0][2] == "vanished"
    assert rows(track_lesions(one, one, numbered=True)) == [("5", "5", "persistent")]


def test_viable_part_is_what_is_measured():
    core = (3, 5, 8, 12, 8, 13)
    before = scan(BIG, SMALL, viable=[BIG, SMALL])
    after = scan(BIG, SMALL, viable=[core])
    table = track_lesions(before, after, measured="viable")
    assert table["status"].tolist() == ["persistent", "persistent"]
    np.testing.assert_allclose(table["follow_up_mm"], [diagonal(4, 5), 0.0], rtol=1e-12)
    np.testing.assert_allclose(table["baseline_mm"], [diagonal(12, 16), diagonal(6, 8)])
    with pytest.raises(UnknownNameError, match="did you mean 'viable'"):
        track_lesions(before, after, measured="viabel")


def test_lesions_are_measured_as_scanned():
    number = drawn([BIG]) * 3
    first = Volume(np.zeros(SHAPE), {"tumour": number}, SPACING)
    seen = Volume(np.zeros(SHAPE), {"tumour": number}, (5.0, 0.5, 0.5))
    table = track_lesions(first, first, as_scanned=seen)
    assert rows(table) == [("3", "3", "persistent")]
    assert table["follow_up_mm"].iloc[0] == pytest.approx(diagonal(12, 16) / 2, rel=1e-12)
    other = replace(seen, masks={"tumour": drawn([BIG])})
    with pytest.raises(SchemaError, match=r"those as scanned \(1\); found 3 elsewhere"):
        track_lesions(first, first, as_scanned=other)


def test_empty_masks_are_scans_without_lesions():
    assert track_lesions(scan(BIG), scan())["status"].tolist() == ["vanished"]
    assert track_lesions(scan(), scan(BIG))["status"].tolist() == ["new"]
    assert track_lesions(scan(), scan()).empty


def test_bad_input_is_named():
    with pytest.raises(GeometryError, match="scans on one grid"):
        track_lesions(scan(BIG), replace(scan(BIG), origin_mm=(0.0, 0.0, 2.0)))
    with pytest.raises(GeometryError, match="Register the follow-up"):
        track_lesions(
            scan(BIG), Volume(np.zeros((2, 2, 2)), {"tumour": np.ones((2, 2, 2), int)}, SPACING)
        )
    with pytest.raises(DataError, match="least_overlap: expected above 0"):
        track_lesions(scan(BIG), scan(BIG), least_overlap=0.0)
    with pytest.raises(UnknownNameError, match="did you mean 'tumour'"):
        track_lesions(scan(BIG), scan(BIG), region="tumor")
