"""SIMULATED liver, spleen and lesions in HU in each contrast phase, all phases registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.simulate.planted_shapes import (
    Field,
    Grid,
    LiverShape,
    bumpy_distance,
    lesion_places,
    spectrum,
    spleen_distance,
)
from radiogenomics.simulate.planted_traits import PlantedLook
from radiogenomics.simulate.streams import stream

PHASES_OF = MappingProxyType(
    {
        "CT": ("arterial", "portal", "delayed"),
        "MR": ("arterial", "portal", "delayed", "T2"),
    }
)
REGIONS = ("liver", "spleen", "tumour")
LIVER_TEXTURE_HU, LIVER_TEXTURE_MM = 5.0, 7.0
RIM_MM = 5.0
SATELLITE_RADIUS_MM = (10.0, 13.0)


@dataclass(frozen=True)
class PhaseLook:
    """One phase, HU; for MR the tissue that its monotone signal is made from.

    Parameters
    ----------
    body_hu, liver_hu, spleen_hu, core_hu
        Surroundings, organs, necrosis.
    satellite_hu
        Satellites minus liver.
    lesion_hu, enhancement, washout
        Lesion minus liver: a constant, plus this share of the lesion's enhancement, minus this
        share of its washout.
    texture, rim
        Shares of the lesion's texture and rim.
    """

    body_hu: float
    liver_hu: float
    spleen_hu: float
    core_hu: float
    satellite_hu: float = 0.0
    lesion_hu: float = 0.0
    enhancement: float = 0.0
    washout: float = 0.0
    texture: float = 0.0
    rim: float = 0.0


PHASE_LOOKS = MappingProxyType(
    {
        "arterial": PhaseLook(
            20.0, 66.0, 120.0, 38.0, satellite_hu=45.0, enhancement=1.0, texture=1.0, rim=1.0
        ),
        "portal": PhaseLook(25.0, 108.0, 115.0, 40.0, washout=0.8, texture=0.7),
        "delayed": PhaseLook(25.0, 90.0, 98.0, 40.0, washout=1.0),
        "T2": PhaseLook(0.0, 20.0, 85.0, 150.0, satellite_hu=45.0, lesion_hu=45.0, texture=1.0),
    }
)


@dataclass(frozen=True, eq=False)
class PlantedAnatomy:
    """A patient on a grid: what all phases share.

    Parameters
    ----------
    liver, spleen
        1 inside; lesions belong to the liver.
    tumour
        1 in the main lesion; 2, 3, ... in satellites.
    organ, spleen_share
        Share of a voxel that is liver (lesions included), and that is spleen.
    lesion, core, satellites
        Share of a voxel that is main lesion, its necrosis, or satellite.
    rim
        Height of the rim, 1 on the lesion's surface.
    texture, grain
        Texture of the lesion, mean 0 and SD 1 inside it; texture of all else.
    """

    liver: NDArray[np.uint8]
    spleen: NDArray[np.uint8]
    tumour: NDArray[np.uint8]
    organ: Field
    spleen_share: Field
    lesion: Field
    core: Field
    satellites: Field
    rim: Field
    texture: Field
    grain: Field


@dataclass(eq=False)
class _Lesions:
    """Fields that lesions are written into, one box after the other."""

    grid: Grid

    def __post_init__(self) -> None:
        shape = self.grid.shape
        self.tumour = np.zeros(shape, dtype=np.uint8)
        self.lesion, self.core, self.satellites, self.rim, self.texture = np.zeros(
            (5, *shape), dtype=np.float32
        )

    def add_main(self, look: PlantedLook, centre: Field, rng: np.random.Generator) -> None:
        """Write the main lesion."""
        radius = look.diameter_mm / 2
        reach = 1.2 * radius * float(np.exp(2.5 * look.irregularity)) + 3 * RIM_MM
        box = self.grid.near(centre, reach)
        near = self.grid.part(box)
        stretch = np.exp(0.08 * rng.standard_normal(3))
        z, y, x = (
            (axis - middle) / np.float32(s)
            for axis, middle, s in zip(near, centre, stretch / np.cbrt(stretch.prod()), strict=True)
        )
        distance = bumpy_distance((z, y, x), radius, look.irregularity, rng=rng)
        core_radius = radius * look.core_fraction ** (1 / 3)
        self.lesion[box] = self.grid.share(distance)
        self.core[box] = self.grid.share(distance + np.float32(radius - core_radius))
        self.rim[box] = np.exp(-0.5 * (distance / np.float32(RIM_MM)) ** 2)
        field = spectrum(look.texture_mm, rng).over(near)
        self.texture[box] = _standardised(field, distance < 0)
        self._number(box, distance, 1)

    def add_satellite(self, number: int, centre: Field, rng: np.random.Generator) -> None:
        """Write a small round nodule."""
        radius = float(rng.uniform(*SATELLITE_RADIUS_MM))
        box = self.grid.near(centre, radius + 2 * max(self.grid.spacing_mm))
        near = self.grid.part(box)
        z, y, x = np.ix_(*((axis - m) ** 2 for axis, m in zip(near, centre, strict=True)))
        distance = np.sqrt(z + y + x) - np.float32(radius)
        self.satellites[box] = np.maximum(self.satellites[box], self.grid.share(distance))
        self._number(box, distance, number)

    def _number(self, box: tuple[slice, slice, slice], distance: Field, number: int) -> None:
        inside = distance < 0
        # Of a lesion smaller than a voxel, one voxel remains.
        inside[np.unravel_index(distance.argmin(), distance.shape)] = True
        self.tumour[box][inside] = number


def build_anatomy(
    look: PlantedLook, grid: Grid, liver: LiverShape, *, seed: int, patient: str | int
) -> PlantedAnatomy:
    """Build liver, spleen and lesions of a patient.

    Parameters
    ----------
    look
        Traits of the lesions.
    grid
        Where to look.
    liver
        The patient's liver.
    seed, patient
        They fix every place and texture, whatever the grid.
    """
    rng = stream(seed, "planted anatomy", patient)
    centres = lesion_places(liver, look.diameter_mm / 2, look.satellites, rng=rng)
    organ = grid.share(-liver.depth(grid.axes))
    spleen = grid.share(spleen_distance(grid.axes, rng))
    grain = spectrum(LIVER_TEXTURE_MM, rng).over(grid.axes)
    lesions = _Lesions(grid)
    for number, centre in enumerate(centres[1:], start=2):
        lesions.add_satellite(number, centre, stream(seed, "planted nodule", patient, number))
    lesions.add_main(look, centres[0], rng)
    organ = np.maximum(organ, lesions.lesion)
    spleen = np.minimum(spleen, 1 - organ)
    within = (organ >= 0.5) | (lesions.tumour > 0)
    return PlantedAnatomy(
        liver=within.astype(np.uint8),
        spleen=((spleen > 0.5) & ~within).astype(np.uint8),
        tumour=lesions.tumour,
        organ=organ,
        spleen_share=spleen,
        lesion=lesions.lesion,
        core=lesions.core,
        satellites=lesions.satellites,
        rim=lesions.rim,
        texture=lesions.texture,
        grain=grain,
    )


def phase_hu(anatomy: PlantedAnatomy, look: PlantedLook, phase: str) -> Field:
    """Tissue of one phase in HU (z, y, x), before any scanner.

    Raises
    ------
    UnknownNameError
        There is no such phase.
    """
    if phase not in PHASE_LOOKS:
        raise UnknownNameError("phase of the simulation", phase, PHASE_LOOKS)
    rule = PHASE_LOOKS[phase]
    contrast = (
        rule.lesion_hu + rule.enhancement * look.enhancement_hu - rule.washout * look.washout_hu
    )
    liver_hu = rule.liver_hu + look.liver_hu
    hu = anatomy.organ * np.float32(liver_hu - rule.body_hu) + np.float32(rule.body_hu)
    hu += anatomy.spleen_share * np.float32(rule.spleen_hu - rule.body_hu)
    hu += np.float32(LIVER_TEXTURE_HU) * anatomy.grain
    if rule.satellite_hu:
        hu += anatomy.satellites * np.float32(rule.satellite_hu)
    inner = np.full_like(hu, contrast)
    if rule.texture:
        inner += np.float32(rule.texture * look.heterogeneity_hu) * anatomy.texture
    inner += anatomy.core * (np.float32(rule.core_hu - liver_hu) - inner)
    hu += anatomy.lesion * inner
    if rule.rim:
        hu += np.float32(rule.rim * look.rim_hu) * anatomy.rim
    return hu


def check_phases(modality: str, phases: Sequence[str]) -> None:
    """Raise UnknownNameError unless the modality has these phases (T2 is of MR only)."""
    if modality not in PHASES_OF:
        raise UnknownNameError("modality of the simulation", modality, PHASES_OF)
    for phase in phases:
        if phase not in PHASES_OF[modality]:
            raise UnknownNameError(f"phase of simulated {modality}", phase, PHASES_OF[modality])


def _standardised(field: Field, inside: NDArray[np.bool_]) -> Field:
    """Mean 0 and SD 1 inside, so that texture changes no mean; as it is where hardly a voxel is."""
    values = field[inside]
    if values.size < 8:
        return field
    found: Field = (field - values.mean()) / values.std()
    return found
