"""From scans at several times to a response: register, track the lesions, measure, judge.

Every later scan is compared with the baseline, not with the one before it, as the criteria ask. All
lesions of the baseline are targets, whatever their size and number: choosing at most five, two an
organ, is the reader's. Diameters are those of masks, which differ from a reader's callipers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
LEAST_OVERLAP = 0.1
MEASURES_VIABLE = "mrecist"


@dataclass(frozen=True)
class TrackingRules:
    """How lesions are followed and judged; see :func:`track_response`.

    Raises
    ------
    UnknownNameError, OutcomeError
        No such criterion; mRECIST, and nobody says what of a lesion is viable.
    """

    criterion: str = "mrecist"
    region: str = "tumour"
    measured: str | None = None
    organ: str | None = None
    transform: Kind | None = "rigid"
    least_overlap: float = LEAST_OVERLAP
    least_new_mm: float = LEAST_NEW_MM

    def __post_init__(self) -> None:
        """Refuse mRECIST of whole lesions, which is RECIST by another name."""
        if self.criterion not in CRITERIA:
            raise UnknownNameError("criterion", self.criterion, CRITERIA)
        if self.criterion == MEASURES_VIABLE and self.measured is None:
            raise OutcomeError(
                "mRECIST: expected the mask of what enhances in the arterial phase, which is what "
                "it measures; found none (measured), so that whole lesions would be judged, as "
                "RECIST does. Name that mask; derive it from arterial scans with "
                "radiogenomics.imaging.enhancement.with_viable (--viable-sd); name the lesions' "
                f"own mask ({self.region!r}) if only what enhances was drawn; or judge by recist."
            )


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
    least_overlap: float = LEAST_OVERLAP,
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
        them: the viable part for mRECIST, which must be named
        (:func:`radiogenomics.imaging.enhancement.with_viable` derives one). None measures all of a
        lesion, which is the way of RECIST and iRECIST.
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
        mRECIST without its viable part; no such criterion or mask; as in registration and tracking.
    """
    rules = TrackingRules(
        criterion, region, measured, organ, transform, least_overlap, least_new_mm
    )
    first, later = _in_time(scans)
    tables = {time: compared(scans[first], scans[time], rules) for time in later}
    return judged(tables, rules, time=first)


def compared(baseline: Volume, later: Volume, rules: TrackingRules) -> pd.DataFrame:
    """Lesions of a baseline beside those of one later scan, which is registered to it before.

    As :func:`radiogenomics.imaging.lesion_tracking.track_lesions`; raises what it and
    :func:`radiogenomics.imaging.registration.register` raise.
    """
    before, seen = (_numbered(scan, rules.region) for scan in (baseline, later))
    moved = seen
    if rules.transform is not None:
        moved = register(before, seen, region=rules.organ, transform=rules.transform).volume
    return track_lesions(
        before,
        moved,
        region=rules.region,
        least_overlap=rules.least_overlap,
        measured=rules.measured,
        as_scanned=seen,
    )


def judged(
    tables: Mapping[float, pd.DataFrame],
    rules: TrackingRules,
    *,
    time: float = 0.0,
    unread: Sequence[float] = (),
) -> TrackedResponse:
    """Response of one patient from lesions compared; parameters as in :func:`assessments`."""
    found = assessments(tables, time=time, least_new_mm=rules.least_new_mm, unread=unread)
    lesions = [table.assign(time=float(month)) for month, table in tables.items()]
    course = CRITERIA[rules.criterion](found)
    return TrackedResponse(course, pd.concat(lesions, ignore_index=True), found)


def assessments(
    tables: Mapping[float, pd.DataFrame],
    *,
    time: float = 0.0,
    least_new_mm: float = LEAST_NEW_MM,
    unread: Sequence[float] = (),
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
    unread
        Months of follow-up scans that could not be compared: no target is measured there. There
        must be a table beside them.

    Examples
    --------
    >>> table = pd.DataFrame({"baseline_lesion": ["1", "1", None],
    ...                       "status": ["split", "split", "new"],
    ...                       "baseline_mm": [40.0, 40.0, 0.0], "follow_up_mm": [15.0, 10.0, 12.0],
    ...                       "counted_mm": [15.0, 10.0, math.nan]})
    >>> [(each.targets, each.new_lesions) for each in assessments({2.0: table})]
    [({'1': 40.0}, 0), ({'1': 25.0}, 1)]
    """
    if not tables:
        raise OutcomeError(
            "expected a follow-up beside its baseline; found none. Compare at least one scan."
        )
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
    unknown = dict.fromkeys(found[0].targets, math.nan)
    found += [Assessment(float(month), unknown) for month in unread]
    return tuple(sorted(found, key=lambda each: each.time))


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
