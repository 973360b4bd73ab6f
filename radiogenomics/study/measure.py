"""One scan of a list → its features, or why there are none; runs in any process."""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from radiogenomics.core.errors import (
    MissingExtraError,
    RadiogenomicsError,
    RadiogenomicsWarning,
    short_list,
)
from radiogenomics.core.scan import Volume
from radiogenomics.imaging import ExtractionSettings, features_of_lesions
from radiogenomics.imaging.backend import Backend
from radiogenomics.imaging.control_features import ControlRule
from radiogenomics.io.images import guess_phase, read_image, read_mask_with_notes
from radiogenomics.io.images.match import Repair
from radiogenomics.io.images.phase import phase_contradiction
from radiogenomics.io.scan_list import ScanRow, content_hash

REGION = "region"
Mask = np.ndarray[Any, np.dtype[Any]]

# What a file or a region can do, and what a reader may make of a broken one.
FAILURES = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    ArithmeticError,
    MemoryError,
)
OTHER_NAME = "Choose one of those that are there."
DEFECT = "Check image and mask; if they are sound, report this defect."
ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Plan:
    """What is done to every scan.

    Parameters
    ----------
    settings, backend, repair
        As of an extraction.
    control
        Negative control that every scan is turned into first; None for the scans as they are.
    """

    settings: ExtractionSettings
    backend: Backend = "native"
    repair: Repair = "error"
    control: ControlRule | None = None

    def words(self) -> dict[str, object]:
        """The plan as plain data, without a control where there is none."""
        settings = self.settings.model_dump(mode="json")
        rule: dict[str, object] = {} if self.control is None else {"control": asdict(self.control)}
        return {"settings": settings, "backend": self.backend, "repair": self.repair, **rule}


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

    def record(self) -> dict[str, object]:
        """What a journal keeps of a success."""
        return {"content": self.content, "lesions": self.lesions, "notes": self.notes}


def measure(work: Work) -> Measured:
    """Read one scan and measure it; what a file or a region can do wrong becomes a failure.

    Raises
    ------
    MissingExtraError
        A package is not installed, which is no fault of the scan.
    """
    # Filters of warnings belong to the process, and a cluster's worker may have many threads.
    with ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore", RadiogenomicsWarning)  # they are among the notes
        try:
            return _measured(work)
        except MissingExtraError:
            raise
        except RadiogenomicsError as error:
            return _failure(error, mend=OTHER_NAME)
        except FAILURES as error:
            return _failure(error, mend=DEFECT)


def _measured(work: Work) -> Measured:
    row, plan = work.row, work.plan
    content = content_hash(row)
    image = read_image(row.image, series=row.series or None)
    mask = read_mask_with_notes(
        row.mask, image=image, label=row.label, roi=row.structure or None, repair=plan.repair
    )
    volume: Volume = replace(image, masks={REGION: mask.voxels})
    # The label of the row is cut out already; that of the settings holds where the row has none.
    settings = plan.settings
    if row.label is not None:
        settings = settings.model_copy(update={"label": None})
    if plan.control is not None:
        volume = plan.control.apply(volume, REGION, settings=settings, scan=row.key)
    found = features_of_lesions(
        volume, settings, region=REGION, backend=plan.backend, threads=work.threads
    )
    lesions = {
        lesion: {name: value if math.isfinite(value) else None for name, value in features.items()}
        for lesion, features in found.items()
    }
    phase = phase_contradiction(row.phase, guess_phase(image.header))
    notes = (*image.notes, *mask.notes, phase, _left_out(mask.voxels, settings.label))
    return Measured(content, lesions, tuple(filter(None, notes)))


def _left_out(mask: Mask, label: int | None) -> str:
    """Say which values of the mask the label of the settings passes over."""
    if label is None:
        return ""
    others = np.setdiff1d(np.unique(mask), (0, label))
    if not others.size:
        return ""
    values = short_list(others.tolist())
    return f"the settings measure label {label}; labels {values} of the mask were left out"


def _failure(error: Exception, *, mend: str) -> Measured:
    """What went wrong; our own messages end on the sentence that says what to do."""
    reason, _, last = str(error).rpartition(". ")
    if isinstance(error, RadiogenomicsError) and reason:
        mend = last
    else:
        reason = str(error)
    return Measured("", {}, error=type(error).__name__, reason=reason, mend=mend)
