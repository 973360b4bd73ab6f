"""Hold the convolutional filters against the reference maps and values of IBSI chapter 2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from radiogenomics.core.errors import MissingFileError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.filters import (
    Filter,
    Gabor,
    Laws,
    Mean,
    NonseparableWavelet,
    Original,
    Riesz,
    SampledLoG,
    SeparableWavelet,
)
from radiogenomics.imaging.filters.filter import Box
from radiogenomics.imaging.ibsi_engine import prepare_ibsi
from radiogenomics.imaging.masks import bounding_box
from radiogenomics.imaging.radiomics.firstorder import intensity_statistics
from radiogenomics.imaging.settings import ExtractionSettings
from radiogenomics.io.images import read_image, read_mask

Array = np.ndarray[Any, np.dtype[Any]]

# Of the range of a reference map, from the file that comes with the maps.
MAP_TOLERANCE = 0.01
REFERENCE_MAPS = "ibsi_2_reference_data/reference_response_maps/{}-ValidCRM.nii.gz"
DIGITAL_PHANTOM = "data_sets/ibsi_2_digital_phantom/nifti/{0}/image/{0}.nii.gz"
CHEST_PHANTOM = "data_sets/ibsi_1_ct_radiomics_phantom/nifti"
REFERENCE_VALUES = "ibsi2_reference_values.csv"


@dataclass(frozen=True, eq=False)
class FilterCompliance:
    """What the filters give beside what the standard says.

    Parameters
    ----------
    maps
        One row a response map: ``map``, ``filter``, largest ``deviation`` of a voxel,
        ``tolerance``, ``within``.
    values
        One row a feature value: ``configuration``, ``tag``, ``reference``, ``tolerance``,
        ``ours``, ``within``.
    """

    maps: pd.DataFrame
    values: pd.DataFrame

    @property
    def ok(self) -> bool:
        """True if every map and every value lies within its tolerance."""
        return bool(self.maps["within"].all() and self.values["within"].all())


@dataclass(frozen=True)
class _MapCase:
    """A reference map: the phantom and the filter it was made of, within slices or in 3D."""

    name: str
    phantom: str
    kind: Filter
    flat_axis: int | None = None


def filter_compliance(data_root: str | Path) -> FilterCompliance:
    """Compute the response maps and feature values of IBSI chapter 2 and compare.

    Maps (phase 1): 33, of the digital phantoms; a voxel may deviate by 1 % of the range of the
    reference map. Values (phase 2): statistics of the responses to 9 filters in the tumour of the
    chest phantom, by slice as scanned (A) and in 3D at 1 mm (B), each with a tolerance of its own.
    The one value without a reference, the quartile coefficient of dispersion of 8.B, is left out.

    Parameters
    ----------
    data_root
        Folder that holds ``imaging/ibsi`` with phantoms and references.

    Raises
    ------
    MissingFileError
        A phantom or a reference is not there.

    References
    ----------
    Whybra et al., Radiology 2024, doi:10.1148/radiol.231319; reference manual,
    doi:10.48550/arXiv.2006.05470.
    """
    root = Path(data_root) / "imaging" / "ibsi"
    table = root / REFERENCE_VALUES
    if not table.is_file():
        raise MissingFileError(
            f"expected the reference values {table}; found no such file. Give the folder that "
            "holds imaging/ibsi as data_root."
        )
    maps = pd.DataFrame([_compare_map(root, case) for case in _map_cases()])
    reference = pd.read_csv(table).dropna(subset="value")
    ours = pd.DataFrame([row for way in ("A", "B") for row in _statistics(root, way)])
    values = reference.rename(columns={"feature_tag": "tag", "value": "reference"}).merge(
        ours, how="left", on=["filter_id", "tag"], validate="one_to_one"
    )
    values["within"] = (values["ours"] - values["reference"]).abs() <= values["tolerance"]
    kept = ["configuration", "tag", "reference", "tolerance", "ours", "within"]
    return FilterCompliance(maps, values[kept])


def _compare_map(root: Path, case: _MapCase) -> dict[str, object]:
    phantom = read_image(root / DIGITAL_PHANTOM.format(case.phantom))
    reference = read_image(root / REFERENCE_MAPS.format(case.name.replace(".", "_"))).voxels
    z, y, x = (slice(0, size) for size in reference.shape)
    name, response = _response(case.kind, phantom, box=(z, y, x), flat_axis=case.flat_axis)
    deviation = float(np.abs(response - reference).max())
    tolerance = MAP_TOLERANCE * float(np.ptp(reference))
    return {
        "map": case.name,
        "filter": name,
        "deviation": deviation,
        "tolerance": tolerance,
        "within": deviation <= tolerance,
    }


def _statistics(root: Path, way: Literal["A", "B"]) -> Iterator[dict[str, object]]:
    """Intensity statistics of the chest phantom after each filter of phase 2."""
    image = read_image(root / CHEST_PHANTOM / "image" / "phantom.nii.gz")
    tumour = read_mask(root / CHEST_PHANTOM / "mask" / "mask.nii.gz", image=image)
    volume = Volume(image.voxels, {"tumour": tumour}, image.spacing_mm)
    settings = _chest_settings(way)
    region = prepare_ibsi(volume, "tumour", settings)
    z, y, x = bounding_box(region.inside)
    for number, kind in enumerate(settings.filters, start=1):
        _, response = _response(kind, region.volume, box=(z, y, x), flat_axis=settings.flat_axis)
        for tag, value in intensity_statistics(region.measured(response, (z, y, x))).items():
            yield {"filter_id": f"{number}.{way}", "tag": tag, "ours": value}


def _response(
    kind: Filter, volume: Volume, *, box: Box, flat_axis: int | None
) -> tuple[str, Array]:
    (response,) = kind.responses(
        volume.voxels, spacing_mm=volume.spacing_mm, box=box, flat_axis=flat_axis
    )
    return response


def _chest_settings(way: Literal["A", "B"]) -> ExtractionSettings:
    """Settings of phase 2: slices as they were scanned, or cubes of 1 mm."""
    laws, low, high = ("L5E5", "LH", "HH") if way == "A" else ("L5E5E5", "LLH", "HHH")
    return ExtractionSettings(
        conventions="ibsi",
        families=("firstorder",),
        bin_width=25,
        spacing_mm=None if way == "A" else (1.0, 1.0, 1.0),
        interpolator="bspline",
        round_intensities=True,
        resegment_range=(-1000.0, 400.0),
        flat_axis=0 if way == "A" else None,
        aggregation="2D_avg" if way == "A" else "3D_avg",
        filters=(
            Original(),
            Mean(support=5),
            SampledLoG(sigma_mm=(1.5,)),
            Laws(kernels=(laws,), rotation_invariant=True, energy_distance=7),
            Gabor(
                sigma_mm=5,
                wavelength_mm=2,
                aspect_ratio=1.5,
                theta_step=22.5,
                orthogonal_planes=True,
            ),
            SeparableWavelet(wavelet="db3", decompositions=(low,), rotation_invariant=True),
            SeparableWavelet(
                wavelet="db3", decompositions=(high,), level=2, rotation_invariant=True
            ),
            NonseparableWavelet(levels=(1,)),
            NonseparableWavelet(levels=(2,)),
        ),
    )


def _map_cases() -> Iterator[_MapCase]:
    """Maps of phase 1, in their order."""
    for number, boundary in enumerate(("zero", "nearest", "periodic", "mirror"), start=1):
        yield _MapCase(f"1.a.{number}", "checkerboard", Mean(support=15, boundary=boundary))
    yield _MapCase("1.b.1", "impulse", Mean(support=15, boundary="zero"), flat_axis=0)
    yield _MapCase("2.a", "impulse", SampledLoG(sigma_mm=(3,), boundary="zero"))
    yield _MapCase("2.b", "checkerboard", SampledLoG(sigma_mm=(5,)))
    yield _MapCase("2.c", "checkerboard", SampledLoG(sigma_mm=(5,)), flat_axis=0)
    yield from _laws_cases()
    yield from _gabor_cases()
    yield from _wavelet_cases()
    log = SampledLoG(sigma_mm=(3,), boundary="zero")
    yield _MapCase("9.a", "impulse", Riesz(orders=((0, 0, 1),), base=log))
    yield _MapCase("9.b.1", "sphere", Riesz(orders=((0, 2, 0),), base=log))
    simoncelli = NonseparableWavelet(boundary="nearest")
    yield _MapCase("10.b.1", "pattern_1", Riesz(orders=((0, 2, 0),), base=simoncelli))


def _laws_cases() -> Iterator[_MapCase]:
    """Each kernel as it is, pooled over rotations, and as energy."""
    impulse = ("3.a", "impulse", Laws(kernels=("E5L5S5",), boundary="zero"), None)
    volume = ("3.b", "checkerboard", Laws(kernels=("E3W5R5",)), None)
    slices = ("3.c", "checkerboard", Laws(kernels=("L5S5",)), 0)
    for name, phantom, plain, flat_axis in (impulse, volume, slices):
        pooled = plain.model_copy(update={"rotation_invariant": True})
        energy = pooled.model_copy(update={"energy_distance": 7})
        for number, kind in enumerate((plain, pooled, energy), start=1):
            yield _MapCase(f"{name}.{number}", phantom, kind, flat_axis)


def _gabor_cases() -> Iterator[_MapCase]:
    """One orientation in axial slices, and all of them in three planes."""
    narrow = Gabor(sigma_mm=10, wavelength_mm=4, aspect_ratio=0.5, theta=60, boundary="zero")
    wide = Gabor(sigma_mm=20, wavelength_mm=8, aspect_ratio=2.5, theta=225)
    for name, phantom, plain, step in (
        ("4.a", "impulse", narrow, 45.0),
        ("4.b", "sphere", wide, 22.5),
    ):
        everywhere = {"theta": 0.0, "theta_step": step, "orthogonal_planes": True}
        yield _MapCase(f"{name}.1", phantom, plain)
        yield _MapCase(f"{name}.2", phantom, plain.model_copy(update=everywhere))


def _wavelet_cases() -> Iterator[_MapCase]:
    """Separable wavelets as they are and pooled over rotations; Simoncelli's by level."""
    db2 = SeparableWavelet(wavelet="db2", decompositions=("LHL",), boundary="zero")
    coif1 = SeparableWavelet(wavelet="coif1", decompositions=("HHL",), boundary="periodic")
    for name, phantom, plain in (("5.a", "impulse", db2), ("6.a", "sphere", coif1)):
        yield _MapCase(f"{name}.1", phantom, plain)
        pooled = plain.model_copy(update={"rotation_invariant": True})
        yield _MapCase(f"{name}.2", phantom, pooled)
    for number, bands in enumerate(("LLL", "HHH"), start=1):
        haar = SeparableWavelet(
            wavelet="haar", decompositions=(bands,), level=2, rotation_invariant=True
        )
        yield _MapCase(f"7.a.{number}", "checkerboard", haar)
    for level in (1, 2, 3):
        yield _MapCase(f"8.a.{level}", "checkerboard", NonseparableWavelet(levels=(level,)))
