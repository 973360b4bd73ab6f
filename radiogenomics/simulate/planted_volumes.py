"""SIMULATED scans in several phases that show a score, made when they are read, or as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import AlignmentError
from radiogenomics.core.log import progress
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.simulate.phase_volumes import (
    PHASES_OF,
    REGIONS,
    build_anatomy,
    check_phases,
    phase_hu,
)
from radiogenomics.simulate.planted_shapes import liver_grid, liver_shape, whole_grid
from radiogenomics.simulate.planted_traits import (
    PlantedDesign,
    PlantedLook,
    looks_of,
    planted_traits,
)
from radiogenomics.simulate.scanner import Scanner, ScannerConstants, acquire, site_scanner
from radiogenomics.simulate.streams import stream

Shape = tuple[int, int, int]

SMALL: Shape = (32, 32, 32)
CT_WINDOW_HU = (-50.0, 200.0)
"""HU that become 0 and 1 in arrays of CT."""


@dataclass(frozen=True)
class PlantedLoader:
    """Makes one scan when called; the same call gives the same voxels in any process.

    Parameters
    ----------
    look
        What the lesions look like.
    seed, patient
        They fix organs, places and noise.
    scanner
        The device.
    shape
        Voxels (z, y, x) of 200 × 220 × 280 mm.
    phase
        One of the modality's phases.
    """

    look: PlantedLook
    seed: int
    patient: str | int
    scanner: Scanner
    shape: Shape = SMALL
    phase: str = "arterial"

    def __call__(self) -> Volume:
        """Return voxels (int16) with the masks ``liver``, ``spleen`` and ``tumour`` (numbered)."""
        check_phases(self.scanner.modality, (self.phase,))
        grid = whole_grid(self.shape)
        liver = liver_shape(self.seed, self.patient)
        anatomy = build_anatomy(self.look, grid, liver, seed=self.seed, patient=self.patient)
        noise = stream(self.seed, "planted scan", self.patient, self.phase, self.scanner.modality)
        tissue = phase_hu(anatomy, self.look, self.phase)
        voxels = acquire(tissue, grid.spacing_mm, self.scanner, rng=noise)
        masks = {"liver": anatomy.liver, "spleen": anatomy.spleen, "tumour": anatomy.tumour}
        return Volume(voxels, masks, grid.spacing_mm, origin_mm=grid.origin_mm)


class PlantedArray(NamedTuple):
    """Scans of one patient for a network.

    Parameters
    ----------
    values
        float32 (phases, z, y, x), 0 to 1.
    spacing_mm
        Voxel size (z, y, x).
    """

    values: NDArray[np.float32]
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True)
class ScanProtocol:
    """How a cohort is scanned.

    Parameters
    ----------
    shape
        Voxels (z, y, x).
    modality
        ``"CT"`` or ``"MR"``.
    phases
        In order; the three contrast phases of CT.
    scanners
        Ranges of the sites' devices.

    Raises
    ------
    UnknownNameError
        The modality has no such phase.
    """

    shape: Shape = SMALL
    modality: str = "CT"
    phases: tuple[str, ...] = PHASES_OF["CT"]
    scanners: ScannerConstants = field(default_factory=ScannerConstants)

    def __post_init__(self) -> None:
        """Refuse phases that are not there, and shapes that no grid has."""
        check_phases(self.modality, self.phases)
        whole_grid(self.shape)

    def scanner(self, site: str) -> Scanner:
        """The device of a site."""
        return site_scanner(site, self.modality, self.scanners)


@dataclass(frozen=True, eq=False)
class PlantedPatients:
    """Who is scanned where, and what their lesions look like.

    Parameters
    ----------
    seed
        Of the cohort.
    looks
        Patients × fields of :class:`PlantedLook`.
    sites
        Site of each patient.
    """

    seed: int
    looks: pd.DataFrame
    sites: pd.Series[str]

    def __post_init__(self) -> None:
        """Refuse tables of different patients."""
        if not self.looks.index.equals(self.sites.index):
            raise AlignmentError(
                f"planted scans: expected a site for each of {len(self.looks)} patients, in their "
                f"order; found {len(self.sites)} of others. Take both from one table."
            )

    def scans(self, protocol: ScanProtocol | None = None) -> tuple[Scan, ...]:
        """Scans with masks, made when they are read; all phases of a patient in one space."""
        asked = protocol or ScanProtocol()
        devices = {site: asked.scanner(site) for site in self.sites.unique()}
        return tuple(
            Scan(
                str(patient),
                asked.modality,
                PlantedLoader(look, self.seed, patient, devices[site], asked.shape, phase),
                phase,
                regions=REGIONS,
            )
            for patient, look, site in self._rows()
            for phase in asked.phases
        )

    def arrays(self, protocol: ScanProtocol | None = None, *, jobs: int = 1) -> ScanArrays:
        """Boxes around the liver with the phases as channels, windowed to 0 to 1.

        Made on the box itself, without a whole scan in between. CT: 0 is −50 HU, 1 is 200 HU; MR:
        0.5 is the median of the liver.
        """
        asked = protocol or ScanProtocol()
        devices = {site: asked.scanner(site) for site in self.sites.unique()}
        work = joblib.Parallel(n_jobs=jobs, return_as="generator")(
            joblib.delayed(boxed_phases)(
                look, devices[site], asked, seed=self.seed, patient=patient
            )
            for patient, look, site in self._rows()
        )
        values = np.empty((len(self.looks), len(asked.phases), *asked.shape), dtype=np.float32)
        spacing = np.zeros(3)
        for row, made in enumerate(progress(work, "simulated scans", total=len(self.looks))):
            values[row] = made.values
            spacing += np.array(made.spacing_mm) / len(self.looks)
        z, y, x = map(float, spacing)
        return ScanArrays(values, tuple(map(str, self.looks.index)), asked.phases, (z, y, x))

    def _rows(self) -> list[tuple[str | int, PlantedLook, str]]:
        looks = looks_of(self.looks)
        return list(zip(self.looks.index, looks, self.sites, strict=True))


def planted_volume(
    score: float,
    *,
    seed: int,
    patient: str | int,
    shape: Shape = SMALL,
    modality: str = "CT",
    phase: str = "arterial",
    site: str = "A",
    design: PlantedDesign | None = None,
) -> Volume:
    """Make one scan of a patient whose lesions show a score.

    Parameters
    ----------
    score
        What to plant; mean 0 and SD 1 over patients.
    seed, patient
        They fix everything but the score: organs, places, noise, and what traits show besides.
    shape
        Voxels (z, y, x) of 200 × 220 × 280 mm; the spacing follows.
    modality, phase
        CT in HU: arterial, portal or delayed. MR in arbitrary units with a bias field: those or T2.
    site
        Its device differs from others in noise, sharpness and offset.
    design
        How strongly lesions show the score.

    Returns
    -------
    Volume
        int16, with the masks ``liver``, ``spleen`` and ``tumour`` (1 the main lesion, satellites
        behind it), which are the same in all phases.

    Raises
    ------
    DataError
        The score is not finite.
    GeometryError
        The shape is not three whole numbers of at least 8.
    UnknownNameError
        The modality has no such phase.

    Examples
    --------
    >>> planted_volume(1.5, seed=1, patient=7, phase="portal")
    Volume(32 × 32 × 32 voxels of 6.25 × 6.875 × 8.75 mm (z, y, x); regions liver, spleen, tumour)
    """
    asked = ScanProtocol(shape, modality, (phase,))
    traits = planted_traits([score], [patient], seed=seed, design=design or PlantedDesign())
    (look,) = looks_of(traits.looks)
    return PlantedLoader(look, seed, patient, asked.scanner(site), shape, phase)()


def boxed_phases(
    look: PlantedLook,
    scanner: Scanner,
    protocol: ScanProtocol,
    *,
    seed: int,
    patient: str | int,
) -> PlantedArray:
    """Make all phases of one patient on the box around the liver, windowed to 0 to 1."""
    liver = liver_shape(seed, patient)
    grid = liver_grid(liver, protocol.shape)
    anatomy = build_anatomy(look, grid, liver, seed=seed, patient=patient)
    values = np.empty((len(protocol.phases), *grid.shape), dtype=np.float32)
    for channel, phase in enumerate(protocol.phases):
        noise = stream(seed, "planted box", patient, phase, scanner.modality)
        seen = acquire(phase_hu(anatomy, look, phase), grid.spacing_mm, scanner, rng=noise)
        values[channel] = _windowed(seen, anatomy.liver, scanner.modality)
    return PlantedArray(values, grid.spacing_mm)


def _windowed(
    voxels: NDArray[np.int16], liver: NDArray[np.uint8], modality: str
) -> NDArray[np.float32]:
    low, high = CT_WINDOW_HU
    if modality != "CT":
        low, high = 0.0, 2 * float(np.median(voxels[liver > 0]))
    found: NDArray[np.float32] = np.clip(
        (voxels.astype(np.float32) - np.float32(low)) / np.float32(high - low), 0.0, 1.0
    )
    return found
