r"""Bringing a later scan onto the grid of an earlier one, so that lesions lie on themselves.

The mutual information of the two scans is raised over rigid or affine transforms from coarse to
fine, with the metric of Mattes et al.; it asks that intensities go together, not that they are
equal, so contrast phases may differ. Livers move with breath and change shape: a rigid transform
brings lesions near each other, not onto each other, which is why lesions are matched by overlap.

References
----------
Mattes et al., IEEE Trans Med Imaging 2003;22:120, doi:10.1109/TMI.2003.809072.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, get_args

import numpy as np

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.mutual_information import (
    LEAST_COMPARED,
    Kind,
    ScanPair,
    image_in_space,
    onto_grid,
    voxels_of,
)

Array = np.ndarray[Any, np.dtype[Any]]

MOST_TURNED = 30.0
MOST_SCALED = 1.25
KEPT_OF_LESION = 0.5


@dataclass(frozen=True, eq=False)
class Registration:
    """A scan brought onto the grid of another.

    Attributes
    ----------
    volume
        The moving scan on the fixed grid: voxels by linear interpolation, its lowest value where it
        has none; masks by the nearest voxel, with their numbers, 0 where it has none.
    matrix, offset_mm
        Point :math:`p` (x, y, z; LPS, mm) of the fixed scan is :math:`A p + t` in the moving one.
    information, information_before
        Mutual information in nats after registration and at the best start; equal where the start
        was kept because the search ended lower.
    overlap
        Share of what was compared for which the moving scan has voxels, 0 to 1.
    region_dice
        Dice overlap of the region in both scans afterwards; None where it was not in both.
    """

    volume: Volume
    matrix: Array
    offset_mm: Array
    information: float
    information_before: float
    overlap: float
    region_dice: float | None


def register(
    fixed: Volume,
    moving: Volume,
    *,
    region: str | None = None,
    transform: Kind = "rigid",
    window: tuple[float, float] | None = None,
    samples: int = 20_000,
    seed: int = 1,
    least_information: float = 0.1,
    least_overlap: float = 0.5,
    least_dice: float = 0.5,
) -> Registration:
    """Bring a moving scan, masks and all, onto the grid of a fixed one, and refuse nonsense.

    Starts from where the scans lie in the scanner, from the middles of the images or of the region,
    whichever has the highest information, and stays there where the search ends with less. The same
    on every run. A lesion that loses more than half of its volume is warned about.

    Parameters
    ----------
    fixed, moving
        The earlier scan; the later one, left as it is.
    region
        Mask of the fixed scan, an organ as a rule: only it and 10 mm around it are compared.
    transform
        ``"rigid"``, or ``"affine"``, after which lesions have another size: measure them before.
    window
        Intensities beyond which all count alike; None: 1st and 99th percentile of each scan.
    samples, seed
        How many voxels are compared at a time, drawn at random.
    least_information, least_overlap, least_dice
        What is believed: nats, share of what is compared that the moving scan covers, and Dice of
        the region where both scans have it.

    Raises
    ------
    GeometryError
        The scans hardly overlap, share no information, or come together only by a turn of more than
        30 degrees, a scaling by more than a quarter, or with the region elsewhere.
    UnknownNameError, DataError, MissingExtraError
        No such region or transform; a parameter out of range; SimpleITK is not installed.
    """
    _check_parameters(transform, samples, window)
    pair = ScanPair(fixed, moving, region, window=window, samples=samples, seed=seed)
    found, before = pair.climb(transform)
    moved = _moved(fixed, moving, found)
    matrix, offset = _as_matrix(found)
    result = Registration(
        moved,
        matrix,
        offset,
        information=pair.information(found),
        information_before=before,
        overlap=pair.covered(found),
        region_dice=_dice(fixed, moving, moved, region=region),
    )
    _refuse_nonsense(result, (least_information, least_overlap, least_dice))
    _warn_of_lost_lesions(moving, moved)
    return result


def _check_parameters(transform: str, samples: int, window: tuple[float, float] | None) -> None:
    if transform not in get_args(Kind):
        raise UnknownNameError("transform", transform, get_args(Kind))
    if samples < LEAST_COMPARED:
        raise DataError(
            f"samples: expected at least {LEAST_COMPARED} voxels to compare; found {samples}. "
            "20000 are usual."
        )
    if window is not None and not window[0] < window[1]:
        raise DataError(
            f"window: expected a low and a higher intensity; found {window}. For a liver in CT, "
            "(-100, 250) is usual."
        )


def _moved(fixed: Volume, moving: Volume, transform: Any) -> Volume:
    """Return the moving scan on the fixed grid."""
    grid = image_in_space(np.zeros(fixed.voxels.shape, dtype=np.uint8), fixed)
    image = image_in_space(moving.voxels.astype(np.float32), moving)
    lowest = float(moving.voxels.min())
    voxels = voxels_of(onto_grid(image, grid, transform, linear=True, beyond=lowest))
    masks = {}
    for name, mask in moving.masks.items():
        numbers = mask.view(np.uint8) if mask.dtype.kind == "b" else mask
        found = onto_grid(image_in_space(numbers, moving), grid, transform)
        masks[name] = voxels_of(found).astype(mask.dtype)
    return replace(fixed, voxels=voxels, masks=masks)


def _as_matrix(transform: Any) -> tuple[Array, Array]:
    """Matrix and offset of a transform that turns about a middle of its own."""
    matrix = np.array(transform.GetMatrix()).reshape(3, 3)
    centre = np.array(transform.GetCenter())
    return matrix, centre + np.array(transform.GetTranslation()) - matrix @ centre


def _dice(fixed: Volume, moving: Volume, moved: Volume, *, region: str | None) -> float | None:
    if region is None or region not in moving.masks or not (moving.masks[region] > 0).any():
        return None
    first, second = fixed.masks[region] > 0, moved.masks[region] > 0
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def _refuse_nonsense(found: Registration, least: tuple[float, float, float]) -> None:
    """Raise GeometryError for a registration that cannot be right."""
    left, scales, right = np.linalg.svd(found.matrix)
    turned = np.degrees(np.arccos(np.clip((np.trace(left @ right) - 1) / 2, -1, 1)))
    information, overlap, dice = least
    wrong = []
    if not found.information >= information:
        wrong.append(f"{found.information:.3g} nats of information, below {information:g}")
    if found.overlap < overlap:
        wrong.append(f"{found.overlap:.0%} of the fixed scan covered, below {overlap:.0%}")
    if found.region_dice is not None and found.region_dice < dice:
        wrong.append(f"a Dice of {found.region_dice:.2g} of the region, below {dice:g}")
    if turned > MOST_TURNED:
        wrong.append(f"a turn of {turned:.0f} degrees")
    if max(scales.max(), 1 / scales.min()) > MOST_SCALED:
        wrong.append(f"scaling between {scales.min():.2g} and {scales.max():.2g}")
    if wrong:
        raise GeometryError(
            f"expected a registration that can be believed; found {'; '.join(wrong)}. Check that "
            "both scans are of this patient and body part, name an organ as region, or register "
            "them by hand."
        )


def _volumes(volume: Volume) -> Mapping[tuple[str, int], float]:
    """Region and number of each lesion → its volume in mm³."""
    found = {}
    for name, mask in volume.masks.items():
        numbers, counts = np.unique(mask, return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            if number > 0:
                found[name, int(number)] = count * math.prod(volume.spacing_mm)
    return MappingProxyType(found)


def _warn_of_lost_lesions(moving: Volume, moved: Volume) -> None:
    before, after = _volumes(moving), _volumes(moved)
    lost = [key for key, size in before.items() if after.get(key, 0.0) < KEPT_OF_LESION * size]
    if lost:
        named = short_list(f"{number} of {region}" for region, number in lost)
        warnings.warn(
            f"{len(lost)} of {len(before)} lesions lose more than half of their volume on the "
            f"fixed grid ({named}): they lie beyond it, or are smaller than its voxels.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
