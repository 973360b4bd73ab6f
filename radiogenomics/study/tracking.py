"""From scans at several times to a response: register, track the lesions, measure, judge.

Every later scan is compared with the baseline, not with the one before it, as the criteria ask. All
lesions of the baseline are targets, whatever their size and number: choosing at most five, two an
organ, is the reader's. Diameters are those of masks, which differ from a reader's callipers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from radiogenomics.clinical.assessment import Assessment, ResponseCourse
from radiogenomics.clinical.response_rates import CRITERIA
from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError, short_list
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.lesion_tracking import NEW, track_lesions
from radiogenomics.imaging.masks import split_lesions
from radiogenomics.imaging.mutual_information import Kind
from radiogenomics.imaging.registration import register

LEAST_NEW_MM = 10.0


class TrackedResponse(NamedTuple):
    """Response of one patient from scans.

    Attributes
    ----------
    course : ResponseCourse
        Response at each follow-up.
    lesions : DataFrame
        Tables of :func:`radiogenomics.imaging.lesion_tracking.track_lesions` with the ``time`` of
        the follow-up in months, one below the other.
    assessments : tuple of Assessment
        What the course was judged from, the baseline first.
    """

    course: ResponseCourse
    lesions: pd.DataFrame
    assessments: tuple[Assessment, ...]


def track_response(
    scans: Mapping[float, Volume],
    *,
    region: str = "tumour",
    measured: str | None = None,
    organ: str | None = None,
    transform: Kind | None = "rigid",
    least_overlap: float = 0.1,
    least_new_mm: float = LEAST_NEW_MM,
    criterion: str = "mrecist",
) -> TrackedResponse:
    """Judge the response of one patient from scans with masks.

    Parameters
    ----------
    scans
        Months since treatment began → scan; the last one at or before 0 is the baseline.
    region, measured
        Mask of the lesions, which are named by size in the baseline, and of what is measured of
        them: the viable part for mRECIST. None measures all of a lesion, which is RECIST's way.
    organ
        Mask that scans are registered by; see :func:`radiogenomics.imaging.registration.register`.
    transform
        ``"rigid"``, ``"affine"``, or None where scans are on one grid already.
    least_overlap
        From which lesions are linked.
    least_new_mm
        Diameter from which a new lesion counts; mRECIST asks for 10 mm.
    criterion
        ``recist``, ``mrecist`` or ``irecist``.

    Raises
    ------
    OutcomeError, DataError, UnknownNameError, GeometryError, MissingExtraError
        No baseline or no follow-up; a time that is not finite; nothing to measure at the baseline;
        no such criterion or mask; as in registration and tracking.
    """
    if criterion not in CRITERIA:
        raise UnknownNameError("criterion", criterion, CRITERIA)
    first, later = _in_time(scans)
    baseline = _numbered(scans[first], region)
    tables = {}
    for time in later:
        seen = _numbered(scans[time], region)
        moved = seen
        if transform is not None:
            moved = register(baseline, seen, region=organ, transform=transform).volume
        tables[time] = track_lesions(
            baseline,
            moved,
            region=region,
            least_overlap=least_overlap,
            measured=measured,
            as_scanned=seen,
        )
    found = assessments(tables, time=first, least_new_mm=least_new_mm)
    lesions = [table.assign(time=float(time)) for time, table in tables.items()]
    return TrackedResponse(CRITERIA[criterion](found), pd.concat(lesions, ignore_index=True), found)


def assessments(
    tables: Mapping[float, pd.DataFrame], *, time: float = 0.0, least_new_mm: float = LEAST_NEW_MM
) -> tuple[Assessment, ...]:
    """Turn tracked lesions into assessments: the baseline, and one for each follow-up.

    A lesion that split counts with the sum of its parts, lesions that merged with one diameter,
    under the name of the one that overlaps best; the others count 0.

    Parameters
    ----------
    tables
        Months → table of :func:`radiogenomics.imaging.lesion_tracking.track_lesions`, each of a
        follow-up beside the same baseline.
    time
        Of the baseline, in months.
    least_new_mm
        Diameter from which a new lesion counts.

    Examples
    --------
    >>> table = pd.DataFrame({"baseline_lesion": ["1", "1", None],
    ...                       "status": ["split", "split", "new"],
    ...                       "baseline_mm": [40.0, 40.0, 0.0], "follow_up_mm": [15.0, 10.0, 12.0],
    ...                       "counted_mm": [15.0, 10.0, math.nan]})
    >>> [(each.targets, each.new_lesions) for each in assessments({2.0: table})]
    [({'1': 40.0}, 0), ({'1': 25.0}, 1)]
    """
    found: list[Assessment] = []
    for month in sorted(tables):
        old = tables[month]["status"] != NEW
        lesions = tables[month][old].groupby("baseline_lesion", sort=False)
        if not found:
            found.append(Assessment(time, _diameters(lesions["baseline_mm"].first())))
        new = tables[month].loc[~old, "follow_up_mm"]
        new = new[(new > 0) & (new >= least_new_mm)]
        found.append(
            Assessment(
                float(month),
                _diameters(lesions["counted_mm"].sum()),
                new_lesions=len(new),
                new_lesion_sum_mm=float(new.sum()),
            )
        )
    return tuple(found)


def _diameters(sizes: pd.Series) -> dict[str, float]:
    return {str(name): float(mm) for name, mm in sizes.items()}


def _in_time(scans: Mapping[float, Volume]) -> tuple[float, list[float]]:
    """Time of the baseline, and those of the follow-up in order."""
    odd = [time for time in scans if not math.isfinite(time)]
    if odd:
        raise DataError(
            f"expected months as times of scans; found {short_list(odd)}. Count months from the "
            "start of treatment."
        )
    before = [time for time in scans if time <= 0]
    later = sorted(time for time in scans if time > 0)
    if not before or not later:
        raise OutcomeError(
            "expected a baseline at or before month 0 and a follow-up after it; found scans at "
            f"{short_list(sorted(scans)) or 'no time'}. Count months from the start of treatment, "
            "and check the order of the time points."
        )
    return max(before), later


def _numbered(scan: Volume, region: str) -> Volume:
    """Return the scan with its lesions numbered, so that registration keeps them apart."""
    mask = scan.mask(region)
    if not (mask > 0).any():
        return replace(scan, masks={**scan.masks, region: np.zeros(mask.shape, dtype=np.int32)})
    return replace(scan, masks={**scan.masks, region: split_lesions(mask)})
