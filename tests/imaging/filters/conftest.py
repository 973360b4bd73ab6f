"""The outside authority for pyradiomics' image types: pyradiomics on the whole image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

Array = np.ndarray[Any, np.dtype[Any]]


class Case(NamedTuple):
    """Image with a region, and the box around it."""

    voxels: Array
    inside: Array
    spacing_mm: tuple[float, float, float]
    box: tuple[slice, slice, slice]


@pytest.fixture
def image_types() -> Callable[..., Mapping[str, Array]]:
    """Function of kind, voxels and pyradiomics' settings that names its filtered whole images."""
    sitk = pytest.importorskip("SimpleITK")
    operations = pytest.importorskip("radiomics.imageoperations")

    def filtered(
        kind: str,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float] = (2.5, 0.7, 1.3),
        inside: Array | None = None,
        **settings: object,
    ) -> Mapping[str, Array]:
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing(spacing_mm[::-1])
        everything = np.ones(voxels.shape, dtype=np.uint8)
        mask = sitk.GetImageFromArray(everything if inside is None else inside.astype(np.uint8))
        mask.CopyInformation(image)
        found = getattr(operations, f"get{kind}Image")(image, mask, **settings)
        return {name: sitk.GetArrayFromImage(response) for response, name, _ in found}

    return filtered


@pytest.fixture(scope="session")
def brain1(data_root: Path) -> Case:
    """The first case of pyradiomics' own tests: whole-numbered MR, 25 slices of 256 x 256."""
    sitk = pytest.importorskip("SimpleITK")
    folder = data_root / "imaging" / "pyradiomics" / "data"
    image = sitk.ReadImage(str(folder / "brain1_image.nrrd"))
    inside = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "brain1_label.nrrd"))) == 1
    box = tuple(slice(places.min(), places.max() + 1) for places in np.nonzero(inside))
    return Case(sitk.GetArrayFromImage(image), inside, image.GetSpacing()[::-1], box)
