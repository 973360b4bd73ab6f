r"""How well a mask that was found agrees with a reference: overlap, and distance of surfaces in mm.

With :math:`A` the voxels found and :math:`B` those of the reference, Dice is
:math:`2 |A \cap B| / (|A| + |B|)`: 0 none shared, 1 equal.

The surface :math:`\partial A` of a mask are its voxels of which one of the six face neighbours is
outside of it or of the image; positions are voxel centres in mm. The distance of a voxel :math:`a`
of one surface is :math:`d(a, \partial B) = \min_{b \in \partial B} \lVert a - b \rVert`. With
:math:`D_{A \to B}` the distances of all voxels of :math:`\partial A`, and :math:`D_{B \to A}` those
of all of :math:`\partial B`:

- average symmetric surface distance: the mean of both together, so the larger surface counts more;
- 95 % Hausdorff distance: the larger of the two 95th percentiles (linear between ranks), not the
  percentile of both together, which some programs give and which is smaller;
- Hausdorff distance: the larger of the two maxima;
- surface Dice: the share of both together that is at most a tolerance, 0 to 1.

All but Dice and surface Dice are better when smaller. What is found too much shows in
:math:`D_{A \to B}`, what is missed in :math:`D_{B \to A}`.

Where it misleads: Dice of small lesions falls far for one voxel; averages hide one lesion missed
among many, as all of a region is one surface here. Each surface voxel counts the same, although
with thick slices some stand for more area than others: compare only masks of like voxels. Distances
are multiples of voxel steps; a tolerance below the spacing asks for nearly the same voxels.

Two empty masks agree, but nothing was measured: Dice, distances and surface Dice are None. Where
one is empty, Dice and surface Dice are 0 and distances are None, since no number of mm is right.
``empty`` says which; means over patients must say how many were left out, as
:func:`summarise_agreement` does.

References
----------
Dice 1945, doi:10.2307/1932409. Taha and Hanbury 2015, doi:10.1186/s12880-015-0068-x. Nikolov et
al. 2021, doi:10.2196/26151 (surface Dice; there with areas as weights, not counts of voxels).
Podobnik and Vrtovec 2024, arXiv:2410.02630 (how programs differ in what they call by these names).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from radiogenomics.core.errors import DataError, GeometryError, SchemaError, short_list
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.masks import bounding_box

Array = np.ndarray[Any, np.dtype[Any]]
Distances = NDArray[np.float64]
Spacing = tuple[float, float, float]
Empty = Literal["neither", "found", "reference", "both"]

TOLERANCE_MM = 2.0
MEASURES = ("dice", "surface_dice", "mean_surface_mm", "hausdorff95_mm", "hausdorff_mm")
COLUMNS = ("patient_id", "region", *MEASURES, "found_ml", "reference_ml", "tolerance_mm", "empty")
# Directions and positions of one grid, written by two programs, differ by rounding.
SAME_PLACE = 1e-3


class SurfaceDistances(NamedTuple):
    """Distances in mm from each voxel of one surface to the nearest of the other.

    Attributes
    ----------
    from_found, from_reference
        In the order of the voxels in the array.
    """

    from_found: Distances
    from_reference: Distances


@dataclass(frozen=True)
class MaskAgreement:
    """Agreement of one region; definitions stand at the top of this module.

    Attributes
    ----------
    dice, surface_dice : float or None
        0 to 1, higher is better; None where both masks are empty.
    mean_surface_mm, hausdorff95_mm, hausdorff_mm : float or None
        0 or more, lower is better; None where a mask is empty.
    found_ml, reference_ml : float
        Volumes.
    tolerance_mm : float
        Of the surface Dice.
    empty : str
        Which mask has no voxel: ``neither``, ``found``, ``reference`` or ``both``.
    """

    dice: float | None
    surface_dice: float | None
    mean_surface_mm: float | None
    hausdorff95_mm: float | None
    hausdorff_mm: float | None
    found_ml: float
    reference_ml: float
    tolerance_mm: float
    empty: Empty


def mask_agreement(
    found: Array,
    reference: Array,
    *,
    spacing_mm: Spacing,
    tolerance_mm: float = TOLERANCE_MM,
) -> MaskAgreement:
    """Compare two masks on one grid; all that is above 0 is the region.

    Parameters
    ----------
    found, reference
        Integers or booleans (z, y, x) of one shape.
    spacing_mm
        Voxel size (z, y, x).
    tolerance_mm
        Distance that still counts as the same surface, 0 or more. 2 mm is ours: say yours.

    Raises
    ------
    GeometryError
        Shapes differ, or the spacing is not positive.
    DataError
        The tolerance is negative or not finite.

    Examples
    --------
    >>> reference = np.zeros((1, 1, 6), dtype=int)
    >>> reference[..., :4] = 1
    >>> result = mask_agreement(np.roll(reference, 1), reference, spacing_mm=(5.0, 1.0, 1.0))
    >>> result.dice, result.mean_surface_mm, result.hausdorff_mm
    (0.75, 0.25, 1.0)
    """
    if not (math.isfinite(tolerance_mm) and tolerance_mm >= 0):
        raise DataError(f"tolerance_mm: expected 0 or more; found {tolerance_mm}. Use 2.")
    first, second = _checked(found, reference, spacing_mm)
    empty = _empty(bool(first.any()), bool(second.any()))
    ml = math.prod(spacing_mm) / 1000
    sizes = int(np.count_nonzero(first)), int(np.count_nonzero(second))
    dice = None if empty == "both" else 2 * int(np.count_nonzero(first & second)) / sum(sizes)
    measured: tuple[float | None, float | None, float | None, float | None]
    measured = (dice, None, None, None)
    if empty == "neither":
        measured = _of_surfaces(_distances(first, second, spacing_mm), tolerance_mm)
    surface_dice, mean, tail, longest = measured
    return MaskAgreement(
        dice=dice,
        surface_dice=surface_dice,
        mean_surface_mm=mean,
        hausdorff95_mm=tail,
        hausdorff_mm=longest,
        found_ml=sizes[0] * ml,
        reference_ml=sizes[1] * ml,
        tolerance_mm=tolerance_mm,
        empty=empty,
    )


def surface_distances(found: Array, reference: Array, *, spacing_mm: Spacing) -> SurfaceDistances:
    """Return all distances between two surfaces, for other summaries than those here.

    Parameters
    ----------
    found, reference, spacing_mm
        As for :func:`mask_agreement`.

    Raises
    ------
    GeometryError
        Shapes differ, the spacing is not positive, or a mask is empty.

    Examples
    --------
    >>> first, second = np.eye(2, dtype=int)[:, np.newaxis, np.newaxis]
    >>> surface_distances(first, second, spacing_mm=(5.0, 1.0, 0.7)).from_found
    array([0.7])
    """
    first, second = _checked(found, reference, spacing_mm)
    empty = _empty(bool(first.any()), bool(second.any()))
    if empty != "neither":
        raise GeometryError(
            f"expected two regions with voxels; found no voxel in {empty}. There is no distance "
            "from nothing: use mask_agreement, which says so in its result."
        )
    return _distances(first, second, spacing_mm)


def volume_agreement(
    found: Volume,
    reference: Volume,
    *,
    regions: Iterable[str] | None = None,
    tolerance_mm: float = TOLERANCE_MM,
) -> dict[str, MaskAgreement]:
    """Compare masks of the same names of two volumes that lie in the same place.

    Parameters
    ----------
    found, reference
        Masks that were found, and those to hold them against.
    regions
        Names; None: all of the reference.
    tolerance_mm
        As for :func:`mask_agreement`.

    Raises
    ------
    GeometryError
        The grids differ.
    UnknownNameError
        A volume lacks a region.
    """
    _require_same_grid(found, reference)
    names = tuple(reference.masks) if regions is None else tuple(regions)
    return {
        name: mask_agreement(
            found.mask(name),
            reference.mask(name),
            spacing_mm=reference.spacing_mm,
            tolerance_mm=tolerance_mm,
        )
        for name in names
    }


def agreement_table(agreements: Mapping[str, Mapping[str, MaskAgreement]]) -> pd.DataFrame:
    """Return one row a patient and region with the columns ``COLUMNS``.

    What was not measured is NaN, and ``empty`` says why.

    Parameters
    ----------
    agreements
        Patient → region → agreement, as :func:`volume_agreement` gives it.
    """
    rows = [
        {"patient_id": patient, "region": region, **asdict(agreement)}
        for patient, of_patient in agreements.items()
        for region, agreement in of_patient.items()
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype(dict.fromkeys(COLUMNS[2:-1], float))


def summarise_agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Median and quartiles of each measure in each region, and how many it rests on.

    Parameters
    ----------
    table
        As :func:`agreement_table` gives it.

    Returns
    -------
    DataFrame
        One row a region and measure: ``region``, ``measure``, ``median``, ``lower_quartile``,
        ``upper_quartile``, ``measured`` (patients), ``missed`` (found nothing where there is a
        region), ``invented`` (found one where there is none) and ``both_empty``. Distances are of
        the measured ones only: read them beside ``missed`` and ``invented``.

    Raises
    ------
    SchemaError
        A column is missing.
    """
    lacking = [name for name in COLUMNS if name not in table]
    if lacking:
        raise SchemaError(
            f"expected the columns of agreement_table; found no {short_list(lacking)}. "
            "Give the table as it is."
        )
    rows = []
    for region, part in table.groupby("region", sort=False):
        counts = part["empty"].value_counts()
        for measure in MEASURES:
            values = part[measure].dropna()
            low, middle, high = values.quantile([0.25, 0.5, 0.75])
            row = {"region": region, "measure": measure, "median": middle}
            row |= {"lower_quartile": low, "upper_quartile": high, "measured": len(values)}
            row |= {"missed": counts.get("found", 0), "invented": counts.get("reference", 0)}
            rows.append(row | {"both_empty": counts.get("both", 0)})
    columns = ["region", "measure", "median", "lower_quartile", "upper_quartile"]
    return pd.DataFrame(rows, columns=[*columns, "measured", "missed", "invented", "both_empty"])


def _checked(found: Array, reference: Array, spacing_mm: Spacing) -> tuple[Array, Array]:
    """Both regions as booleans."""
    if found.shape != reference.shape or found.ndim != 3:
        raise GeometryError(
            f"expected two masks (z, y, x) of one shape; found {found.shape} and "
            f"{reference.shape}. Bring both onto one grid."
        )
    spacing = np.asarray(spacing_mm, dtype=float)
    if spacing.shape != (3,) or not (np.isfinite(spacing) & (spacing > 0)).all():
        raise GeometryError(
            f"expected three positive voxel sizes in mm (z, y, x); found {spacing_mm}. "
            "Take those of the scan."
        )
    return found > 0, reference > 0


def _empty(found: bool, reference: bool) -> Empty:
    if found:
        return "neither" if reference else "reference"
    return "found" if reference else "both"


def _distances(found: Array, reference: Array, spacing_mm: Spacing) -> SurfaceDistances:
    first, second = _surface(found, spacing_mm), _surface(reference, spacing_mm)
    # Trees, not distance maps: surfaces are sparse, and scans are large.
    return SurfaceDistances(cKDTree(second).query(first)[0], cKDTree(first).query(second)[0])


def _surface(region: Array, spacing_mm: Spacing) -> Distances:
    """Centres in mm of the voxels of a surface, shape (n, 3)."""
    box = bounding_box(region)
    inside = region[box]
    edge = inside & ~ndimage.binary_erosion(inside)
    start = np.array([part.start for part in box])
    centres: Distances = (np.argwhere(edge) + start) * np.asarray(spacing_mm, dtype=float)
    return centres


def _of_surfaces(
    distances: SurfaceDistances, tolerance_mm: float
) -> tuple[float, float, float, float]:
    """Surface Dice, mean, 95 % Hausdorff and Hausdorff distance."""
    both = np.concatenate(distances)
    # Multiples of a spacing are rounded: 3 × 0.1 lies within 0.3.
    within = both <= tolerance_mm * (1 + 1e-12)
    return (
        float(within.mean()),
        float(both.mean()),
        max(float(np.percentile(each, 95)) for each in distances),
        float(both.max()),
    )


def _require_same_grid(found: Volume, reference: Volume) -> None:
    """Raise GeometryError unless voxels of both lie in the same places."""
    here, there = (
        np.array([*each.spacing_mm, *each.origin_mm, *each.direction])
        for each in (found, reference)
    )
    if found.voxels.shape == reference.voxels.shape and np.abs(here - there).max() <= SAME_PLACE:
        return
    raise GeometryError(
        f"expected masks on one grid; found {found!r} and {reference!r}, or another origin or "
        "direction. Resample one onto the other first."
    )
