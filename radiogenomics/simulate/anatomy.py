"""Tissue in HU before any scanner: a liver, its lesions, and their masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from radiogenomics.simulate.appearance import Appearance
from radiogenomics.simulate.streams import stream


@dataclass(frozen=True)
class AnatomyConstants:
    """Grid, liver and contrast phases; mm and HU.

    Parameters
    ----------
    shape, spacing_mm
        Grid and voxel size (z, y, x).
    semi_axes_mm, axis_spread
        Liver's semi-axes (z, y, x) and their relative SD.
    lobulation, bumpiness
        Relative depth of the waves on the surface of the liver and of lesions.
    body_hu, liver_texture_hu, liver_texture_mm
        Tissue around the liver; SD and correlation length of the parenchyma.
    portal_liver_hu, washout_hu
        What the portal phase adds to the liver; lesion minus liver in it, had it not enhanced.
    portal_carryover, portal_share
        Shares of the arterial enhancement, and of texture and rim, left in the portal phase.
    core_hu, edge_mm, rim_mm
        HU of necrosis, width of a lesion's border, half-width of its rim.
    smallest_mm, largest_share
        Smallest diameter of a lesion at baseline, if there is room; largest radius as a share of
        the depth of the liver.
    """

    shape: tuple[int, int, int] = (40, 56, 56)
    spacing_mm: tuple[float, float, float] = (4.0, 3.0, 3.0)
    semi_axes_mm: tuple[float, float, float] = (62.0, 62.0, 72.0)
    axis_spread: float = 0.05
    lobulation: float = 0.04
    bumpiness: float = 0.05
    body_hu: float = 20.0
    liver_texture_hu: float = 6.0
    liver_texture_mm: float = 5.0
    portal_liver_hu: float = 42.0
    washout_hu: float = -22.0
    portal_carryover: float = 0.3
    portal_share: float = 0.7
    core_hu: float = 38.0
    edge_mm: float = 3.0
    rim_mm: float = 3.5
    smallest_mm: float = 16.0
    largest_share: float = 0.7


@dataclass(frozen=True, eq=False)
class Tissue:
    """HU and masks of one patient at one time in one phase, axis order (z, y, x).

    Parameters
    ----------
    hu
        Tissue in HU.
    liver
        1 inside the liver, its lesions included.
    tumour
        Number of the lesion (1 is the largest), 0 elsewhere.
    """

    hu: np.ndarray
    liver: np.ndarray
    tumour: np.ndarray


@dataclass(frozen=True, eq=False)
class _Lesion:
    centre: tuple[float, ...]
    radius: float
    stretch: np.ndarray


@dataclass(frozen=True)
class _View:
    """A patient's lesions in one phase at one time."""

    appearance: Appearance
    constants: AnatomyConstants
    phase: str
    follow_up: bool

    @property
    def growth(self) -> float:
        return self.appearance.size_after if self.follow_up else 1.0

    @property
    def viable(self) -> bool:
        return self.appearance.viable_after or not self.follow_up

    @property
    def liver_hu(self) -> float:
        added = self.constants.portal_liver_hu if self.phase == "portal" else 0.0
        return self.appearance.liver_hu + added

    @property
    def lesion_hu(self) -> float:
        if not self.viable:
            return self.constants.core_hu
        contrast = self.appearance.enhancement_hu
        if self.phase == "portal":
            contrast = self.constants.washout_hu + self.constants.portal_carryover * contrast
        return self.liver_hu + contrast

    def in_phase(self, arterial_hu: float) -> float:
        """Texture or rim as seen in this phase; gone when nothing enhances."""
        if not self.viable:
            return 0.0
        return arterial_hu * (self.constants.portal_share if self.phase == "portal" else 1.0)


def build_tissue(
    appearance: Appearance,
    constants: AnatomyConstants,
    *,
    seed: int,
    patient: int,
    phase: str,
    follow_up: bool,
) -> Tissue:
    """Build a patient's liver.

    Liver and lesions have the same places in every phase and at every time; at follow-up lesions
    have changed their size (and do not enhance after a complete response).

    Parameters
    ----------
    appearance
        What the lesions look like.
    constants
        Grid, liver, phases.
    seed, patient
        Cohort and patient: they fix every shape and texture.
    phase
        ``"arterial"`` or ``"portal"``.
    follow_up
        True after treatment.
    """
    view = _View(appearance, constants, phase, follow_up)
    axes = _axes_mm(constants)
    rng = stream(seed, "anatomy", patient)
    depth = _liver_depth(axes, constants, rng)
    liver = depth > 0
    lesions = _place_lesions(appearance, depth, axes, constants=constants, rng=rng)
    hu = np.where(liver, np.float32(view.liver_hu), np.float32(constants.body_hu))
    grain = _texture(constants.shape, constants.liver_texture_mm, constants=constants, rng=rng)
    hu += np.float32(constants.liver_texture_hu) * grain
    tumour = np.zeros(constants.shape, dtype=np.uint8)
    nearest = np.full(constants.shape, np.inf, dtype=np.float32)
    for number, lesion in enumerate(lesions, start=1):
        rng = stream(seed, "texture", patient, number)
        radius = lesion.radius * view.growth
        reach = radius * (1 + constants.bumpiness) * lesion.stretch + 3 * constants.rim_mm
        box = _box(lesion.centre, reach, axes)
        near = [axis[part] for axis, part in zip(axes, box, strict=True)]
        distance = _surface_distance(lesion, radius, near, constants=constants, rng=rng)
        texture = _texture(distance.shape, appearance.texture_mm, constants=constants, rng=rng)
        _paint(hu[box], liver[box], distance, texture=texture, view=view, radius=radius)
        mine = liver[box] & (distance < 0) & (distance < nearest[box])
        # Of a lesion smaller than a voxel, one voxel remains.
        mine[np.unravel_index(distance.argmin(), distance.shape)] = True
        tumour[box][mine] = number
        nearest[box] = np.minimum(nearest[box], distance)
    return Tissue(hu, (liver | (tumour > 0)).astype(np.uint8), tumour)


def _axes_mm(constants: AnatomyConstants) -> list[np.ndarray]:
    """Coordinates of voxel centres on each axis, zero in the middle of the grid."""
    return [
        ((np.arange(size) - (size - 1) / 2) * step).astype(np.float32)
        for size, step in zip(constants.shape, constants.spacing_mm, strict=True)
    ]


def _waves(axes: list[np.ndarray], wavelength_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Sum of three plane waves in random directions; values between -1 and 1."""
    total = np.zeros([len(axis) for axis in axes], dtype=np.float32)
    for _ in range(3):
        direction = rng.standard_normal(3)
        direction *= 2 * np.pi / wavelength_mm / np.linalg.norm(direction)
        z, y, x = (np.float32(k) * axis for k, axis in zip(direction, axes, strict=True))
        shift = np.float32(rng.uniform(0, 2 * np.pi))
        total += np.sin(z[:, None, None] + y[None, :, None] + (x + shift)[None, None, :])
    return total / 3


def _liver_depth(
    axes: list[np.ndarray], constants: AnatomyConstants, rng: np.random.Generator
) -> np.ndarray:
    """Approximate depth below the liver's surface in mm, negative outside."""
    semi = np.array(constants.semi_axes_mm) * (1 + constants.axis_spread * rng.standard_normal(3))
    z, y, x = ((axis / np.float32(a)) ** 2 for axis, a in zip(axes, semi, strict=True))
    level = np.sqrt(z[:, None, None] + y[None, :, None] + x[None, None, :])
    level *= 1 + np.float32(constants.lobulation) * _waves(axes, 80.0, rng)
    return (1 - level) * np.float32(semi.min())


def _place_lesions(
    appearance: Appearance,
    depth: np.ndarray,
    axes: list[np.ndarray],
    *,
    constants: AnatomyConstants,
    rng: np.random.Generator,
) -> list[_Lesion]:
    """Place lesions in the liver, apart from each other; one that does not fit is made smaller."""
    inside = np.argwhere(depth > constants.smallest_mm / 2)
    depths = depth[tuple(inside.T)]
    points = np.stack([axis[index] for axis, index in zip(axes, inside.T, strict=True)], axis=1)
    largest = constants.largest_share * float(depths.max())
    shares = np.sort(rng.uniform(0.4, 0.75, size=appearance.lesions - 1))[::-1]
    placed: list[_Lesion] = []
    for share in (1.0, *shares):
        radius = max(share * appearance.diameter_mm, constants.smallest_mm) / 2
        gaps = [np.linalg.norm(points - lesion.centre, axis=1) - lesion.radius for lesion in placed]
        room = np.minimum.reduce([depths, *[gap - 6.0 for gap in gaps]])
        radius = min(radius, largest, float(room.max()) * 0.95)
        choices = np.flatnonzero(room > radius)
        centre = points[choices[int(rng.integers(len(choices)))]]
        stretch = np.exp(0.1 * rng.standard_normal(3))
        stretch /= np.cbrt(stretch.prod())
        placed.append(_Lesion(tuple(map(float, centre)), radius, stretch))
    return placed


def _box(
    centre: tuple[float, ...], reach_mm: np.ndarray, axes: list[np.ndarray]
) -> tuple[slice, slice, slice]:
    z, y, x = (
        slice(*np.searchsorted(axis, (middle - reach, middle + reach)))
        for middle, reach, axis in zip(centre, reach_mm, axes, strict=True)
    )
    return z, y, x


def _surface_distance(
    lesion: _Lesion,
    radius: float,
    axes: list[np.ndarray],
    *,
    constants: AnatomyConstants,
    rng: np.random.Generator,
) -> np.ndarray:
    """Approximate distance to the lesion's surface in mm, negative inside."""
    z, y, x = (
        ((axis - np.float32(c)) / np.float32(s)) ** 2
        for axis, c, s in zip(axes, lesion.centre, lesion.stretch, strict=True)
    )
    distance = np.sqrt(z[:, None, None] + y[None, :, None] + x[None, None, :])
    waves = _waves(axes, max(1.2 * radius, 12.0), rng)
    return distance * (1 + np.float32(constants.bumpiness) * waves) - np.float32(radius)


def _texture(
    shape: tuple[int, ...],
    length_mm: float,
    *,
    constants: AnatomyConstants,
    rng: np.random.Generator,
) -> np.ndarray:
    """Gaussian noise of unit SD that is smooth over ``length_mm`` (full width of its kernel)."""
    field = rng.standard_normal(shape, dtype=np.float32)
    sigma = [length_mm / 2.355 / step for step in constants.spacing_mm]
    field = gaussian_filter(field, sigma, truncate=3.0, mode="wrap")
    return field / field.std()


def _paint(
    hu: np.ndarray,
    liver: np.ndarray,
    distance: np.ndarray,
    *,
    texture: np.ndarray,
    view: _View,
    radius: float,
) -> None:
    """Write one lesion into ``hu``, the part of the volume around it, as far as the liver goes."""
    constants, appearance = view.constants, view.appearance
    lesion = view.lesion_hu + view.in_phase(appearance.heterogeneity_hu) * texture
    core_radius = radius * appearance.core_fraction ** (1 / 3)
    core = np.clip((core_radius - radius - distance) / constants.edge_mm + 0.5, 0.0, 1.0)
    lesion += core * (constants.core_hu - lesion)
    inside = np.clip(0.5 - distance / constants.edge_mm, 0.0, 1.0)
    rim = view.in_phase(appearance.rim_hu) * np.exp(-0.5 * (distance / constants.rim_mm) ** 2)
    hu += liver * (inside * (lesion - hu) + rim)
