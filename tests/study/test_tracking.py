"""From masks at several times to mRECIST: every category by hand, and through a registration."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from radiogenomics.clinical import Assessment, mrecist
from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.study.tracking import TrackingRules, assessments, compared, track_response
from radiogenomics.study.tracking import judged as judged_from

SHAPE, SPACING = (6, 60, 80), (5.0, 1.0, 1.0)
# Lengths along x; a bar of n pixels and one row is n mm long.
LONG, SHORT = (10, 5), (30, 5)


def scan(*bars, **others) -> Volume:
    """Bars (row, first column, length) in slices 2 and 3."""
    masks = {"tumour": drawn(bars), **{name: drawn(part) for name, part in others.items()}}
    return Volume(np.zeros(SHAPE), masks, SPACING)


def drawn(bars) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=np.uint8)
    for row, first, length in bars:
        mask[2:4, row, first : first + length] = 1
    return mask


def judged(*later, **options) -> list[str]:
    scans = {0.0: scan((*LONG, 40), (*SHORT, 20))}
    scans |= {2.0 * (i + 1): each for i, each in enumerate(later)}
    found = track_response(scans, transform=None, measured="tumour", **options)
    return found.course.table["overall"].tolist()


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        ([(*LONG, 40), (*SHORT, 20)], "SD"),  # 60 of 60 mm
        ([(*LONG, 30), (*SHORT, 12)], "PR"),  # 42: exactly 30 % less
        ([(*LONG, 31), (*SHORT, 12)], "SD"),  # 43
        ([(*LONG, 50), (*SHORT, 22)], "PD"),  # 72: exactly 20 % more
        ([(*LONG, 49), (*SHORT, 22)], "SD"),  # 71
        ([(*LONG, 18), (10, 27, 18), (*SHORT, 20)], "SD"),  # split: 18 + 18 + 20 = 56
        ([(*LONG, 10), (10, 30, 12), (*SHORT, 20)], "PR"),  # split: 10 + 12 + 20 = 42
        ([(*LONG, 38)], "PR"),  # the short one has gone: 38
        ([], "CR"),
        ([(*LONG, 30), (*SHORT, 12), (50, 5, 10)], "PD"),  # a new one of 10 mm
        ([(*LONG, 30), (*SHORT, 12), (50, 5, 9)], "PR"),  # too small to count
    ],
)
def test_categories_by_hand(bars, expected):
    assert judged(scan(*bars)) == [expected]


def test_merged_lesions_count_once():
    scans = {0.0: scan((10, 5, 20), (10, 30, 20)), 2.0: scan((10, 5, 45))}
    found = track_response(scans, transform=None, measured="tumour")
    assert found.lesions["status"].tolist() == ["merged", "merged"]
    assert found.assessments[0].sum_mm == pytest.approx(40)
    assert found.assessments[1].sum_mm == pytest.approx(45)  # twice would be 90 and progression
    assert found.course.table["overall"].tolist() == ["SD"]


def test_progression_is_from_the_smallest_sum_and_follow_ups_come_in_any_order():
    baseline = scan((*LONG, 40), (*SHORT, 20))
    shrunk, regrown = scan((*LONG, 20), (*SHORT, 10)), scan((*LONG, 24), (*SHORT, 12))
    scans = {4.0: regrown, 0.0: baseline, 2.0: shrunk, -1.0: scan((*LONG, 5))}
    found = track_response(scans, transform=None, measured="tumour")
    assert found.course.table["time"].tolist() == [2.0, 4.0]
    assert found.course.table["overall"].tolist() == ["PR", "PD"]  # 36 is 20 % above 30
    assert found.lesions["time"].tolist() == [2.0, 2.0, 4.0, 4.0]
    by_hand = mrecist(
        [
            Assessment(0.0, {"1": 40.0, "2": 20.0}),
            Assessment(2.0, {"1": 20.0, "2": 10.0}),
            Assessment(4.0, {"1": 24.0, "2": 12.0}),
        ]
    )
    changes = ["sum_mm", "change_from_baseline", "change_from_nadir"]
    np.testing.assert_allclose(found.course.table[changes], by_hand.table[changes], rtol=1e-12)


def test_viable_part_decides_mrecist_and_the_whole_recist():
    bars = [(*LONG, 40), (*SHORT, 20)]
    scans = {
        0.0: scan(*bars, viable=bars),
        2.0: scan(*bars, viable=[(10, 15, 12)]),
        4.0: scan(*bars, viable=[]),
    }
    viable = track_response(scans, transform=None, measured="viable").course
    assert viable.table["overall"].tolist() == ["PR", "CR"]
    whole = track_response(scans, transform=None, criterion="recist").course
    assert whole.criterion == "RECIST 1.1"
    assert whole.table["overall"].tolist() == ["SD", "SD"]


def test_mrecist_of_whole_lesions_is_refused_with_ways_out():
    """Nothing enhances any more: whole lesions would be called stable."""
    bars = [(*LONG, 40), (*SHORT, 20)]
    scans = {0.0: scan(*bars, viable=bars), 2.0: scan(*bars, viable=[])}
    with pytest.raises(OutcomeError, match="found none") as refused:
        track_response(scans, transform=None)
    for way in ("Name that mask", "with_viable", "--viable-sd", "'tumour'", "recist"):
        assert way in str(refused.value)
    for measured, expected in (("viable", "CR"), ("tumour", "SD")):
        found = track_response(scans, transform=None, measured=measured)
        assert found.course.table["overall"].tolist() == [expected]
    for criterion, expected in (("recist", "SD"), ("irecist", "iSD")):
        found = track_response(scans, transform=None, criterion=criterion)
        assert found.course.table["overall"].tolist() == [expected]


def test_follow_up_that_could_not_be_read_is_not_evaluable():
    rules = TrackingRules("recist", transform=None)
    before = scan((*LONG, 40), (*SHORT, 20))
    tables = {4.0: compared(before, scan((*LONG, 20), (*SHORT, 10)), rules)}
    found = judged_from(tables, rules, unread=[6.0, 2.0])
    assert found.course.table["time"].tolist() == [2.0, 4.0, 6.0]
    assert found.course.table["overall"].tolist() == ["NE", "PR", "NE"]
    with pytest.raises(OutcomeError, match="expected a follow-up beside its baseline"):
        assessments({}, unread=[2.0])


def test_new_lesions_are_counted_and_summed():
    found = track_response(
        {0.0: scan((*LONG, 40)), 3.0: scan((*LONG, 40), (40, 5, 12), (50, 5, 15), (55, 5, 4))},
        transform=None,
        criterion="recist",
    )
    assert found.assessments[1].new_lesions == 2
    assert found.assessments[1].new_lesion_sum_mm == pytest.approx(27)
    every = assessments({3.0: found.lesions}, least_new_mm=0.0)
    assert every[1].new_lesions == 3


def textured(seed, *, shift=(0, 0, 0), bars=()) -> Volume:
    """A scan of blobs that can be registered, moved by whole voxels (z, y, x), with lesions."""
    pytest.importorskip("SimpleITK")
    z, y, x = np.meshgrid(*[np.arange(n, dtype=float) for n in (20, 48, 48)], indexing="ij")
    z, y, x = z - shift[0], y - shift[1], x - shift[2]
    blobs = ((10, 24, 24, 9, 20, 17, 100), (6, 14, 18, 3, 5, 6, 90), (13, 32, 30, 4, 6, 5, -80))
    voxels = np.random.default_rng([61, seed]).normal(scale=3, size=z.shape)
    for cz, cy, cx, rz, ry, rx, value in blobs:
        far = np.sqrt(((z - cz) / rz) ** 2 + ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2)
        voxels += value / (1 + np.exp(np.clip((far - 1) * 6, -30, 30)))
    tumour = np.zeros(z.shape, dtype=np.uint8)
    for cz, cy, cx, radius in bars:
        inside = (z - cz) ** 2 * 4 + (y - cy) ** 2 + (x - cx) ** 2 <= radius**2
        tumour[inside] = 1
    return Volume(voxels, {"tumour": tumour}, (4.0, 2.0, 2.0))


def test_displaced_scans_are_registered_before_lesions_are_matched():
    """8 mm apart, lesions of 8 mm would be vanished and new; registered, one is half as wide."""
    shift = (2, -3, 4)
    before = textured(0, bars=[(8, 18, 20, 2), (12, 30, 28, 6)])
    after = textured(1, shift=shift, bars=[(8, 18, 20, 2), (12, 30, 28, 3)])
    apart = track_response({0.0: before, 2.0: after}, transform=None, criterion="recist")
    assert "new" in set(apart.lesions["status"])
    found = track_response({0.0: before, 2.0: after}, criterion="recist")
    assert found.lesions["status"].tolist() == ["persistent", "persistent"]
    # Diameters are those of the scan, not of the resampled mask: 2 · (2 r) + 2 mm in the plane.
    assert found.assessments[0].targets == pytest.approx({"1": 26.0, "2": 10.0}, rel=0.02)
    assert found.assessments[1].targets == pytest.approx({"1": 14.0, "2": 10.0}, rel=0.02)
    assert found.course.table["overall"].tolist() == ["PR"]  # 24 of 36 mm


@pytest.mark.parametrize(
    ("times", "error", "message"),
    [
        ((1.0, 3.0), OutcomeError, "baseline at or before month 0"),
        ((-2.0, 0.0), OutcomeError, "a follow-up after it; found scans at -2.0, 0.0"),
        ((), OutcomeError, "no time"),
        ((0.0, math.nan), DataError, "expected months as times"),
    ],
)
def test_times_that_make_no_course_are_refused(times, error, message):
    with pytest.raises(error, match=message):
        track_response(dict.fromkeys(times, scan((*LONG, 40))), transform=None, criterion="recist")


def test_bad_input_is_named():
    scans = {0.0: scan((*LONG, 40)), 2.0: scan((*LONG, 40))}
    with pytest.raises(UnknownNameError, match="did you mean 'mrecist'"):
        track_response(scans, transform=None, criterion="mrecit")
    with pytest.raises(UnknownNameError, match="did you mean 'tumour'"):
        track_response(scans, transform=None, region="tumor", criterion="recist")
    necrotic = replace(scans[0.0], masks={**scans[0.0].masks, "viable": drawn([])})
    with pytest.raises(OutcomeError, match="targets that can be measured"):
        track_response({0.0: necrotic, 2.0: necrotic}, transform=None, measured="viable")


def test_scans_without_lesions_are_not_evaluable_until_one_appears():
    scans = {0.0: scan(), 2.0: scan(), 4.0: scan((*LONG, 15))}
    found = track_response(scans, transform=None, criterion="recist")
    assert found.course.table["overall"].tolist() == ["NE", "PD"]
