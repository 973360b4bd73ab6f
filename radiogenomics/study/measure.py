"""One scan of a list → its features, or why there are none; runs in any process."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from radiogenomics.core.errors import (
    MissingExtraError,
    RadiogenomicsError,
    RadiogenomicsWarning,
)
from radiogenomics.core.scan import Volume
from radiogenomics.imaging import ExtractionSettings, features_of_lesions
from radiogenomics.imaging.backend import Backend
from radiogenomics.io.images import read_image, read_mask
from radiogenomics.io.images.match import Repair
from radiogenomics.io.scan_list import ScanRow, content_hash

REGION = "region"

# What a file or a region can do; anything else is a mistake in the program and ends the batch.
FAILURES = (OSError, ValueError, RuntimeError, ArithmeticError, MemoryError)


@dataclass(frozen=True)
class Plan:
    """What is done to every scan."""

    settings: ExtractionSettings
    backend: Backend = "native"
    repair: Repair = "error"

    def words(self) -> dict[str, object]:
        """The plan as plain data."""
        settings = self.settings.model_dump(mode="json")
        return {"settings": settings, "backend": self.backend, "repair": self.repair}


@dataclass(frozen=True)
class Work:
    """One scan and what is done to it, by how many threads."""

    row: ScanRow
    plan: Plan
    threads: int = 1


@dataclass(frozen=True)
class Measured:
    """Features of one scan, or the failure.

    Parameters
    ----------
    content
        Hash of the files' content.
    lesions
        Lesion (empty where lesions are joined) → feature → value, None where not defined.
    notes
        What was repaired or should be known about the scan.
    error, reason, mend
        What went wrong and what to do about it; empty when nothing did.
    """

    content: str
    lesions: Mapping[str, Mapping[str, float | None]]
    notes: tuple[str, ...] = ()
    error: str = ""
    reason: str = ""
    mend: str = ""


def measure(work: Work) -> Measured:
    """Read one scan and measure it; what a file or a region can do wrong becomes a failure.

    Raises
    ------
    MissingExtraError
        A package is not installed, which is no fault of the scan.
    """
    try:
        with warnings.catch_warnings(record=True) as met:
            warnings.simplefilter("always", RadiogenomicsWarning)
            content = content_hash(work.row)
            volume = _volume(work.row, work.plan.repair)
            settings, backend = work.plan.settings, work.plan.backend
            found = features_of_lesions(
                volume, settings, region=REGION, backend=backend, threads=work.threads
            )
    except MissingExtraError:
        raise
    except RadiogenomicsError as error:
        return _failure(error, mend="")
    except FAILURES as error:
        return _failure(error, mend="Check image and mask; if they are sound, report this defect.")
    lesions = {
        lesion: {name: value if math.isfinite(value) else None for name, value in row.items()}
        for lesion, row in found.items()
    }
    notes = [str(w.message) for w in met if issubclass(w.category, RadiogenomicsWarning)]
    return Measured(content, lesions, tuple(dict.fromkeys(notes)))


def _failure(error: Exception, *, mend: str) -> Measured:
    """What went wrong; our own messages end on the sentence that says what to do."""
    reason = str(error)
    if not mend:
        reason, _, mend = reason.rpartition(". ")
    return Measured("", {}, error=type(error).__name__, reason=reason or mend, mend=mend)


def _volume(row: ScanRow, repair: Repair) -> Volume:
    image = read_image(row.image)
    structure = row.structure or None
    mask = read_mask(row.mask, image=image, label=row.label, roi=structure, repair=repair)
    return Volume(
        voxels=image.voxels,
        masks={REGION: mask},
        spacing_mm=image.spacing_mm,
        origin_mm=image.origin_mm,
        direction=image.direction,
    )
