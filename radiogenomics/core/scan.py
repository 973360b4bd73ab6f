"""Scan: who was imaged, how and when; pixels come from a loader that ``io`` puts there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from radiogenomics.core.errors import (
    AlignmentError,
    GeometryError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.html import card
from radiogenomics.core.immutable import Immutable

Array = np.ndarray[Any, np.dtype[Any]]
MODALITIES = ("CT", "MR", "PT", "US")


@dataclass(frozen=True, eq=False, repr=False)
class Volume(Immutable):
    """Voxels with their regions in one physical space; axis order is (z, y, x).

    Parameters
    ----------
    voxels
        Intensities (z, y, x): HU for CT, arbitrary units for MR.
    masks
        Region name → integer (or bool) array of the same shape; 0 is outside, 1, 2, ... number the
        objects (lesions) of the region.
    spacing_mm
        Voxel size (z, y, x) in mm.
    origin_mm
        Physical position (x, y, z) of the first voxel, LPS.
    direction
        Nine direction cosines, row by row, LPS.

    Raises
    ------
    GeometryError
        Shapes disagree, the spacing is not positive, the direction is not nine cosines of three
        independent axes, a mask is not integer or a voxel is not finite.

    Examples
    --------
    >>> voxels = np.zeros((4, 8, 8))
    >>> lesion = np.zeros((4, 8, 8), dtype=int)
    >>> lesion[1, 2:4, 2:4] = 1
    >>> Volume(voxels, {"tumour": lesion}, spacing_mm=(3.0, 0.8, 0.8))
    Volume(4 × 8 × 8 voxels of 3 × 0.8 × 0.8 mm (z, y, x); regions tumour)
    """

    voxels: Array
    masks: Mapping[str, Array]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        """Refuse what has no place in space, and freeze the masks."""
        if self.voxels.ndim != 3 or self.voxels.size == 0:
            raise GeometryError(
                f"expected a volume (z, y, x) with voxels; found the shape {self.voxels.shape}. "
                "Load one series as one volume."
            )
        if self.voxels.dtype.kind not in "biuf":
            raise GeometryError(
                f"expected real numbers as voxels; found {self.voxels.dtype}. Convert them first."
            )
        if self.voxels.dtype.kind == "f" and not np.isfinite(self.voxels).all():
            raise GeometryError(
                f"expected finite voxels; found {int((~np.isfinite(self.voxels)).sum())} NaN or "
                "infinite ones. Repair the image."
            )
        self._check_space()
        for name, mask in self.masks.items():
            if mask.shape != self.voxels.shape:
                raise GeometryError(
                    f"mask {name!r}: expected the image's shape {self.voxels.shape}; found "
                    f"{mask.shape}. Resample the mask onto the image."
                )
            if mask.dtype.kind not in "biu":
                raise GeometryError(
                    f"mask {name!r}: expected integer labels; found {mask.dtype}. "
                    "Round it, or cut it at a half, when loading."
                )
        self._freeze("masks")

    def _check_space(self) -> None:
        spacing = np.asarray(self.spacing_mm, dtype=float)
        if spacing.shape != (3,) or not np.isfinite(spacing).all() or (spacing <= 0).any():
            raise GeometryError(
                f"expected three positive voxel sizes in mm (z, y, x); found {self.spacing_mm}. "
                "Correct the image's header."
            )
        origin = np.asarray(self.origin_mm, dtype=float)
        if origin.shape != (3,) or not np.isfinite(origin).all():
            raise GeometryError(
                f"expected an origin of three numbers in mm (x, y, z); found {self.origin_mm}. "
                "Correct the image's header."
            )
        axes = np.asarray(self.direction, dtype=float)
        if (
            axes.shape != (9,)
            or not np.isfinite(axes).all()
            or abs(np.linalg.det(axes.reshape(3, 3))) < 1e-3
        ):
            raise GeometryError(
                "expected nine direction cosines of three independent axes; found "
                f"{self.direction}. Correct the image's header."
            )

    def mask(self, region: str) -> Array:
        """Return the mask of a region by name; UnknownNameError lists near matches."""
        if region not in self.masks:
            raise UnknownNameError("region", region, self.masks)
        return self.masks[region]

    def __repr__(self) -> str:
        """Return size, spacing and regions in one line."""
        shape = " × ".join(map(str, self.voxels.shape))
        spacing = " × ".join(f"{size:g}" for size in self.spacing_mm)
        regions = short_list(self.masks) or "none"
        return f"Volume({shape} voxels of {spacing} mm (z, y, x); regions {regions})"


@dataclass(frozen=True, eq=False)
class Scan:
    """One image series of one patient.

    Parameters
    ----------
    patient_id
        Whose scan it is.
    modality
        ``"CT"``, ``"MR"``, ``"PT"`` or ``"US"`` (DICOM words).
    loader
        Called without arguments, returns the :class:`Volume`; must survive being sent to another
        process.
    phase
        Contrast phase: ``"arterial"``, ``"portal"``, ``"delayed"``, ``"none"``.
    time_point
        ``"baseline"``, ``"follow-up"``, ...
    regions
        Names of the masks that the loader brings.

    Raises
    ------
    AlignmentError
        The patient identifier is empty.
    UnknownNameError
        The modality is not one of the four words.
    """

    patient_id: str
    modality: str
    loader: Callable[[], Volume] = field(repr=False)
    phase: str = "none"
    time_point: str = "baseline"
    regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a scan of nobody or of an unknown modality."""
        if not isinstance(self.patient_id, str) or not self.patient_id.strip():
            raise AlignmentError(
                f"scan: expected a patient identifier; found {self.patient_id!r}. "
                "Fill it in, or leave the scan out."
            )
        if self.modality not in MODALITIES:
            raise UnknownNameError("modality", self.modality, MODALITIES)

    def load(self) -> Volume:
        """Read voxels and masks."""
        return self.loader()

    def _repr_html_(self) -> str:
        facts = {
            "modality": self.modality,
            "phase": self.phase,
            "time point": self.time_point,
            "regions": ", ".join(self.regions) or "none",
        }
        return card(f"Scan of {self.patient_id}", facts)
