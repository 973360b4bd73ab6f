"""Scans that are made when they are read."""

from __future__ import annotations

from dataclasses import dataclass

from radiogenomics.core.scan import Volume
from radiogenomics.simulate.anatomy import AnatomyConstants, build_tissue
from radiogenomics.simulate.appearance import Appearance
from radiogenomics.simulate.scanner import Scanner, acquire
from radiogenomics.simulate.streams import stream

PHASES = ("arterial", "portal")
TIME_POINTS = ("baseline", "follow-up")
REGIONS = ("liver", "tumour")


@dataclass(frozen=True)
class VolumeLoader:
    """Makes one scan when called; the same call gives the same voxels in any process.

    Parameters
    ----------
    seed, patient
        Cohort's seed and the patient's number in it.
    appearance
        What the lesions look like.
    scanner
        The device.
    anatomy
        Grid, liver, phases.
    phase, time_point
        One of ``PHASES``, one of ``TIME_POINTS``.
    """

    seed: int
    patient: int
    appearance: Appearance
    scanner: Scanner
    anatomy: AnatomyConstants
    phase: str
    time_point: str

    def __call__(self) -> Volume:
        """Return voxels (int16) with the masks ``liver`` and ``tumour`` (lesions numbered)."""
        tissue = build_tissue(
            self.appearance,
            self.anatomy,
            seed=self.seed,
            patient=self.patient,
            phase=self.phase,
            follow_up=self.time_point == "follow-up",
        )
        noise = stream(
            self.seed, "scan", self.patient, self.phase, self.time_point, self.scanner.modality
        )
        voxels = acquire(tissue.hu, self.anatomy.spacing_mm, self.scanner, rng=noise)
        z, y, x = (
            -(size - 1) / 2 * step
            for size, step in zip(self.anatomy.shape, self.anatomy.spacing_mm, strict=True)
        )
        masks = {"liver": tissue.liver, "tumour": tissue.tumour}
        return Volume(voxels, masks, self.anatomy.spacing_mm, origin_mm=(x, y, z))
