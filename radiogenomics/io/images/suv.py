"""PET: from activity to the standardised uptake value by body weight."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from radiogenomics.core.errors import DataError
from radiogenomics.io.images.dicom_header import (
    DAY_S,
    dicom_faults,
    first,
    number,
    read_dataset,
    seconds_of_day,
    text,
)

PHILIPS_SUV = (0x7053, 0x1000)
PHILIPS_ACTIVITY = (0x7053, 0x1009)
GE_SCAN = (0x0009, 0x100D)


def suv_factor(path: Path, *, name: str) -> float:
    """What rescaled values of a PET slice are multiplied with to give SUV by body weight.

    ``SUV = activity [Bq/ml] · weight [g] / dose [Bq]``, the dose decayed to the time the image was
    corrected to: the start of the scan (``DecayCorrection`` START) or the injection (ADMIN).
    Activity left in the syringe is not known to the header and not taken off.

    Parameters
    ----------
    path
        One slice; units BQML, GML (already SUV) or CNTS with Philips' private factors.
    name
        For messages.

    Raises
    ------
    DataError
        A tag that this needs is absent, the unit is another, or the injection follows the scan.

    References
    ----------
    RSNA QIBA, "SUV vendor-neutral pseudo-code"; DICOM PS3.3 C.8.9.1.
    """
    data = read_dataset(path, name=name, pixels=False)
    with dicom_faults(name):
        units = text(data, "Units").upper()
        if units == "GML":
            if text(data, "SUVType").upper() not in ("", "BW"):
                raise _lacking(name, "SUV by body weight (SUVType BW)")
            return 1.0
        if units == "CNTS":
            return _from_counts(data, name)
        if units != "BQML":
            raise _lacking(name, "the unit BQML, GML or CNTS (Units)")
        return _per_becquerel(data, name)


def _from_counts(data: Any, name: str) -> float:
    direct, activity = (_private(data, tag) for tag in (PHILIPS_SUV, PHILIPS_ACTIVITY))
    if direct:
        return direct
    if activity:
        return activity * _per_becquerel(data, name)
    raise _lacking(name, "a factor from counts to SUV (7053,1000 or 7053,1009)")


def _per_becquerel(data: Any, name: str) -> float:
    weight = number(data.get("PatientWeight"))
    tracer = first(data, "RadiopharmaceuticalInformationSequence")
    if not weight or weight <= 0:
        raise _lacking(name, "the body weight (PatientWeight)")
    if tracer is None:
        raise _lacking(name, "the injection (RadiopharmaceuticalInformationSequence)")
    dose = number(tracer.get("RadionuclideTotalDose"))
    if not dose or dose <= 0:
        raise _lacking(name, "the injected activity (RadionuclideTotalDose)")
    return weight * 1000.0 / (dose * _decay(data, tracer, name))


def _decay(data: Any, tracer: Any, name: str) -> float:
    """Share of the injected activity that is left at the time the image is corrected to."""
    corrected = text(data, "DecayCorrection").upper()
    if corrected == "ADMIN":
        return 1.0
    if corrected != "START":
        raise _lacking(name, "an image corrected for decay (DecayCorrection START or ADMIN)")
    half_life = number(tracer.get("RadionuclideHalfLife"))
    if not half_life or half_life <= 0:
        raise _lacking(name, "the half-life (RadionuclideHalfLife)")
    elapsed = _elapsed(data, tracer, name)
    if not 0 <= elapsed < 10 * half_life:
        raise _lacking(name, "an injection within ten half-lives before the scan")
    return float(2.0 ** (-elapsed / half_life))


def _elapsed(data: Any, tracer: Any, name: str) -> float:
    """Seconds from injection to the start of the scan."""
    scan = _scan_start(data, name)
    stated = text(tracer, "RadiopharmaceuticalStartDateTime")
    injected = _moment(stated[:8], stated[8:].split("+")[0].split("-")[0]) if stated else None
    if injected is not None:
        return (scan - injected).total_seconds()
    time = seconds_of_day(text(tracer, "RadiopharmaceuticalStartTime"))
    if time is None:
        raise _lacking(name, "the time of injection (RadiopharmaceuticalStartTime)")
    midnight = scan.replace(hour=0, minute=0, second=0, microsecond=0)
    # Without a date the injection was the last time the clock showed this.
    return ((scan - midnight).total_seconds() - time) % DAY_S


def _scan_start(data: Any, name: str) -> datetime:
    series = _moment(text(data, "SeriesDate"), text(data, "SeriesTime"))
    acquired = _moment(text(data, "AcquisitionDate"), text(data, "AcquisitionTime"))
    if series is not None and (acquired is None or series <= acquired):
        return series
    # A series later than its acquisition was made afterwards; only GE keeps the scan's own start.
    private = data.get(GE_SCAN)
    stated = "" if private is None else str(private.value or "")
    start = _moment(stated[:8], stated[8:])
    if start is None:
        raise _lacking(name, "the start of the scan (SeriesDate and SeriesTime)")
    return start


def _moment(date: str, time: str) -> datetime | None:
    seconds = seconds_of_day(time)
    if len(date) != 8 or not date.isdecimal() or seconds is None:
        return None
    return datetime.strptime(date, "%Y%m%d") + timedelta(seconds=seconds)


def _private(data: Any, tag: tuple[int, int]) -> float | None:
    element = data.get(tag)
    return None if element is None else number(element.value)


def _lacking(name: str, what: str) -> DataError:
    return DataError(
        f"{name}: expected {what} to compute SUV; found none in the header. "
        "Complete the header, or read the stored activity (suv=False)."
    )
