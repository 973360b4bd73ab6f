"""Scans → views: arrays of one size, cut around a region in physical space, one patient at a time.

References
----------
van Griethuysen et al., Cancer Res 2017;77:e104, doi:10.1158/0008-5472.CAN-17-0339 (regions and
lesion rules are those of the radiomics of this package).
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import joblib
import numpy as np

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    GeometryError,
    RadiogenomicsWarning,
)
from radiogenomics.core.log import progress
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.imaging.deep.frames import (
    Frame,
    facing_patient,
    frame_of,
    nearest,
    places_of,
    points_mm,
    sampled,
    share_within,
)
from radiogenomics.imaging.deep.presets import EncoderSettings
from radiogenomics.imaging.extract import FAILURES
from radiogenomics.imaging.intensity import image_statistics, organ_statistics
from radiogenomics.imaging.masks import select_lesions
from radiogenomics.imaging.regions import with_region

Array = np.ndarray[Any, np.dtype[Any]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

# A phase that shows less of the region than this lies elsewhere.
LEAST_SEEN = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class Crop:
    """A view of one patient, and where it lies.

    Attributes
    ----------
    values
        float32 (channels, z, y, x), as networks read them.
    inside
        Which voxels (z, y, x) are of the region.
    frame
        Place of the voxels; of the middle slice, where slices are channels.
    cut_off
        Share of the region that the view leaves out, 0 to 1; slices beside those of a slice view
        do not count.
    """

    values: Floats
    inside: Array
    frame: Frame
    cut_off: float

    def as_volume(self, channel: int = 0) -> Volume:
        """Return a channel where it lies in the patient, with the region as mask ``view``."""
        mask = self.inside.astype(np.uint8)
        space = self.frame
        return Volume(
            self.values[channel], {"view": mask}, space.spacing_mm, space.origin_mm, space.direction
        )

    def __repr__(self) -> str:
        """Return channels, size and voxel size in one line."""
        size = " × ".join(map(str, self.inside.shape))
        spacing = " × ".join(f"{mm:.3g}" for mm in self.frame.spacing_mm)
        return f"Crop({len(self.values)} channel(s); {size} voxels of {spacing} mm (z, y, x))"


def crop_scan(
    volumes: Sequence[Volume], settings: EncoderSettings, *, region: str = "tumour"
) -> Crop:
    """Cut the view of a patient's scan, or of several phases as channels.

    The first volume has the mask. All are read at the same places in the patient, by linear
    interpolation and, where the view is coarser than the voxels, after averaging; a phase may have
    other voxels, axes or extent, but is taken to be registered. Uses this patient only.

    Parameters
    ----------
    volumes
        A volume for each of ``settings.phases``, in order; one without phases.
    settings
        View, size and intensities.
    region
        Name of a mask of the first volume, or a word that makes one of those that are there
        (``liver_without_tumour``, ``tumour_ring_10mm_in_liver``).

    Raises
    ------
    AlignmentError
        There are not as many volumes as channels.
    UnknownNameError
        A volume lacks a mask.
    GeometryError
        The region is empty or falls between the voxels of the view, a phase does not show it, or
        the view has one intensity.
    MissingExtraError
        SimpleITK is not installed.

    Examples
    --------
    >>> tumour = np.zeros((8, 40, 40), dtype=int)
    >>> tumour[3:5, 10:20, 10:20] = 1
    >>> scan = Volume(np.random.default_rng(0).normal(60, 20, (8, 40, 40)), {"tumour": tumour},
    ...     spacing_mm=(5.0, 1.0, 1.0))
    >>> crop_scan([scan], EncoderSettings(window=(-100, 250), size=(64, 64), margin_mm=5))
    Crop(1 channel(s); 1 × 64 × 64 voxels of 5 × 0.312 × 0.312 mm (z, y, x))
    """
    _require_one_a_phase(volumes, settings)
    upright = _upright(volumes[0], settings, region=region)
    lesions = upright.mask(region)
    frame = frame_of(upright, lesions, settings)
    points = points_mm(upright, lesions)
    for phase, volume in zip(settings.phases[1:], volumes[1:], strict=True):
        _require_shown(phase, share_within(points, volume))
    inside = nearest(upright, lesions, frame)
    if settings.masked or settings.normalise == "region":
        _require_some(inside, frame)
    values = np.stack([_seen(v, frame, inside, settings=settings, region=region) for v in volumes])
    cut_off = 1 - share_within(_counted(points, frame, settings), frame)
    return _arranged(Crop(values, inside, frame, cut_off), settings)


def scan_arrays(
    scans_by_patient: Mapping[str, Sequence[Scan]],
    settings: EncoderSettings,
    *,
    region: str = "tumour",
    jobs: int = 1,
) -> ScanArrays:
    """Cut the views of many patients into one array, for networks.

    Nobody is left out in silence: rows are the patients given, or there is an error that counts
    those who have no view.

    Parameters
    ----------
    scans_by_patient
        Patient → scans: one of each phase of the settings (others are not read), or one scan.
    settings
        View, size and intensities.
    region
        Name of the mask, or a word that makes one.
    jobs
        Processes.

    Raises
    ------
    DataError
        There is no patient.
    AlignmentError
        Patients lack a phase, or have several scans of one.
    GeometryError
        Patients have no view: their region is empty, a phase does not show it, or the like.
    """
    patients = list(scans_by_patient)
    if not patients:
        raise DataError("expected scans of patients; found none. Check the selection.")
    chosen = [phases_of(scans_by_patient[patient], settings) for patient in patients]
    _report_missing([problem for _, problem in chosen], settings)
    work = (joblib.delayed(attempt_crop)(scans, settings, region) for scans, _ in chosen)
    results = joblib.Parallel(n_jobs=jobs, return_as="generator")(work)
    shape = (len(patients), settings.channels, *settings.shape)
    values = np.empty(shape, dtype=np.float32)
    reasons: Counter[str] = Counter()
    spacings, cut_off = [], []
    for row, (crop, reason) in enumerate(progress(results, "cutting views", total=len(patients))):
        if crop is None:
            reasons[reason] += 1
            continue
        values[row] = crop.values
        spacings.append(crop.frame.spacing_mm)
        cut_off.append(crop.cut_off)
    if reasons:
        raise GeometryError(
            f"expected a view of each of {len(patients)} patients; found none of "
            f"{reasons.total()}: {_counted_reasons(reasons)} Leave these patients out, or mend "
            "their scans."
        )
    warn_of_cut_off(cut_off, stacklevel=3)
    z, y, x = np.mean(spacings, axis=0).tolist()
    return ScanArrays(values, tuple(patients), settings.channel_names, (z, y, x))


def phases_of(scans: Sequence[Scan], settings: EncoderSettings) -> tuple[list[Scan], str]:
    """Choose the scans that are a patient's channels, or say what is missing."""
    if not settings.phases:
        return list(scans), "" if len(scans) == 1 else f"{len(scans)} scans where one is expected"
    chosen, problems = [], []
    for phase in settings.phases:
        found = [scan for scan in scans if scan.phase == phase]
        chosen += found[:1]
        if len(found) != 1:
            problems.append(f"no {phase}" if not found else f"{len(found)} scans of {phase}")
    return chosen, ", ".join(problems)


def attempt_crop(
    scans: Sequence[Scan], settings: EncoderSettings, region: str
) -> tuple[Crop | None, str]:
    """Cut the view of a patient's scans, or say why there is none."""
    try:
        return crop_scan([scan.load() for scan in scans], settings, region=region), ""
    except FAILURES as error:
        return None, f"{type(error).__name__}: {error}"


def warn_of_cut_off(cut_off: Sequence[float], *, stacklevel: int) -> None:
    """Warn where views leave out parts of their regions."""
    beyond = [share for share in cut_off if share > 0]
    if beyond:
        warnings.warn(
            f"the region juts out of {len(beyond)} of {len(cut_off)} views, by {max(beyond):.0%} "
            "of its voxels at most: use a larger size or voxel size to show it whole",
            RadiogenomicsWarning,
            stacklevel=stacklevel + 1,
        )


def _require_one_a_phase(volumes: Sequence[Volume], settings: EncoderSettings) -> None:
    wanted = max(len(settings.phases), 1)
    if len(volumes) != wanted:
        raise AlignmentError(
            f"expected {wanted} volume(s), one a phase; found {len(volumes)}. "
            "Pass the phases that the settings name, in order."
        )


def _upright(volume: Volume, settings: EncoderSettings, *, region: str) -> Volume:
    """Return a volume that faces the patient, with the lesions that count as its only mask."""
    made = with_region(volume, region)
    lesions = select_lesions(made.mask(region), settings.lesions)
    return facing_patient(replace(made, masks={region: lesions}))


def _seen(
    volume: Volume, frame: Frame, inside: Array, *, settings: EncoderSettings, region: str
) -> Floats:
    """What a volume shows in a frame, on the scale that the settings want."""
    values = sampled(volume, frame)
    if settings.window is not None:
        low, high = settings.window
        done = np.clip((values - low) / (high - low), 0, 1)
    elif settings.normalise == "region":
        chosen = values[inside].astype(np.float64)
        done = (values - chosen.mean()) / (chosen.std() or np.inf)
    elif settings.normalise == "image":
        mean, deviation = image_statistics(volume.voxels)
        done = (values - mean) / deviation
    else:
        others = tuple({region, "tumour"} - {"liver"})
        mean, deviation = organ_statistics(volume, organ="liver", without=others)
        done = (values - mean) / deviation
    if done.min() == done.max():
        raise GeometryError(
            f"expected a view of varying intensity; found {done.flat[0]:g} everywhere. Check the "
            "image, its unit and the window."
        )
    if settings.masked:
        done[~inside] = 0
    return done.astype(np.float32)


def _counted(points: Array, frame: Frame, settings: EncoderSettings) -> Array:
    """Points of a region that its view means to show: of slices, those that lie in them."""
    if settings.view == "box":
        return points
    height = places_of(points, frame)[:, 0]
    return points[(height >= -0.5) & (height <= frame.shape[0] - 0.5)]


def _arranged(crop: Crop, settings: EncoderSettings) -> Crop:
    """Slices as channels, where they are."""
    if settings.view != "slices_as_channels":
        return crop
    middle = settings.slices // 2
    values = crop.values.reshape(-1, 1, *crop.values.shape[2:])
    frame = crop.frame
    x, y, z = (np.array(frame.origin_mm) + middle * frame.steps_mm[:, 0]).tolist()
    flat = replace(frame, shape=settings.shape, origin_mm=(x, y, z))
    return Crop(values, crop.inside[middle : middle + 1], flat, crop.cut_off)


def _require_shown(phase: str, share: float) -> None:
    if share < LEAST_SEEN:
        raise GeometryError(
            f"expected the {phase} phase to show the region; found {share:.0%} of its voxels in "
            "it. Check that both are of one patient and lie in the same space (LPS)."
        )


def _require_some(inside: Array, frame: Frame) -> None:
    if not inside.any():
        size = " × ".join(f"{mm:.3g}" for mm in frame.spacing_mm)
        raise GeometryError(
            f"expected the region to hold the centre of a voxel of {size} mm (z, y, x); found that "
            "it falls between them. Use a larger size, or smaller voxels."
        )


def _report_missing(problems: Sequence[str], settings: EncoderSettings) -> None:
    """Raise AlignmentError for patients without one scan of each phase."""
    found = Counter(problem for problem in problems if problem)
    if found:
        words = "; ".join(f"{problem} of {count}" for problem, count in found.most_common(5))
        wanted = ", ".join(settings.phases) if settings.phases else "one scan"
        raise AlignmentError(
            f"expected {wanted} of each of {len(problems)} patients; found {words}. Leave these "
            "patients out, or choose other phases or time points."
        )


def _counted_reasons(reasons: Counter[str]) -> str:
    text = "; ".join(f"{count} × {reason}" for reason, count in reasons.most_common(5))
    return text if len(reasons) <= 5 else f"{text}; and {len(reasons) - 5} more reasons."
