"""Voxels to a file that image viewers open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from radiogenomics.core.errors import GeometryError, MissingFileError, SchemaError
from radiogenomics.core.scan import Volume
from radiogenomics.io.images.volume_file import simpleitk
from radiogenomics.io.store import replaced_file

Array = np.ndarray[Any, np.dtype[Any]]

FORMATS = (".nii", ".nii.gz", ".nrrd", ".mha")


def write_image(path: str | Path, voxels: Array, *, grid: Volume) -> None:
    """Write voxels on the grid of a volume, for example a feature map; NaN stays NaN.

    Parameters
    ----------
    path
        ``.nii``, ``.nii.gz``, ``.nrrd`` or ``.mha``; the file appears when it is whole.
    voxels
        Numbers (z, y, x) of the grid's shape.
    grid
        Its spacing, origin and direction are written.

    Raises
    ------
    SchemaError
        The ending is another.
    MissingFileError
        The folder is absent.
    GeometryError
        The shapes differ.
    MissingExtraError
        SimpleITK is not installed.
    """
    target = Path(path)
    ending = next((e for e in FORMATS if target.name.endswith(e)), None)
    if ending is None:
        raise SchemaError(
            f"{target.name}: expected a name that ends on {', '.join(FORMATS)}; found another. "
            "Rename it."
        )
    if not target.parent.is_dir():
        raise MissingFileError(
            f"expected the folder {target.parent} to write into; found none. Make it first."
        )
    if voxels.shape != grid.voxels.shape:
        raise GeometryError(
            f"expected voxels of the grid's shape {grid.voxels.shape}; found {voxels.shape}. "
            "Write a map on the grid it came with."
        )
    sitk = simpleitk()
    image = sitk.GetImageFromArray(voxels.astype(np.uint8) if voxels.dtype == bool else voxels)
    image.SetSpacing([float(size) for size in reversed(grid.spacing_mm)])
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    with replaced_file(target) as draft:
        sitk.WriteImage(image, str(draft))
