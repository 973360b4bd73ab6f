"""Where voxels are: cropping without losing the physical space."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.masks import bounding_box


def crop(volume: Volume, region: str, *, margin: tuple[int, int, int] = (0, 0, 0)) -> Volume:
    """Cut a volume, masks included, to the box around a region.

    Parameters
    ----------
    volume
        Left as it is; the result holds copies, so the whole scan can be let go.
    region
        Name of the mask the box is drawn around.
    margin
        Voxels (z, y, x) kept around it, as far as the image goes.

    Raises
    ------
    GeometryError
        The mask is empty.

    Examples
    --------
    >>> tumour = np.zeros((4, 4, 4), dtype=int)
    >>> tumour[:, 1, 1:3] = 1
    >>> scan = Volume(np.zeros((4, 4, 4)), {"tumour": tumour}, (1, 1, 1))
    >>> crop(scan, "tumour").voxels.shape
    (4, 1, 2)
    """
    inside = volume.mask(region) > 0
    if not inside.any():
        raise GeometryError(
            f"expected voxels in region {region!r}; found none. Draw it, or drop the scan."
        )
    box = bounding_box(inside, margin=margin)
    # The first voxel moves along the image axes x, y, z by whole voxels.
    shift = np.array([part.start for part in box][::-1]) * np.array(volume.spacing_mm[::-1])
    axes = np.array(volume.direction).reshape(3, 3)
    x, y, z = np.array(volume.origin_mm) + axes @ shift
    return replace(
        volume,
        voxels=volume.voxels[box].copy(),
        masks={name: mask[box].copy() for name, mask in volume.masks.items()},
        origin_mm=(float(x), float(y), float(z)),
    )
