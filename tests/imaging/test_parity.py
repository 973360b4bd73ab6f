"""The native engine against pyradiomics 3.0.1: every feature, to six digits."""

from __future__ import annotations

import logging
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage, special

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging import pyradiomics_engine, read_parameter_file, settings_preset
from radiogenomics.imaging.engine import compute_features
from radiogenomics.imaging.filters import (
    LBP2D,
    LBP3D,
    Exponential,
    Gradient,
    LoG,
    Logarithm,
    Original,
    Square,
    SquareRoot,
    Wavelet,
)
from radiogenomics.imaging.parameter_file import from_pyradiomics
from radiogenomics.imaging.settings import ExtractionSettings

sitk = pytest.importorskip("SimpleITK")
featureextractor = pytest.importorskip("radiomics.featureextractor")
pytestmark = pytest.mark.filterwarnings("ignore")  # pyradiomics'; ours are met in test_engine

RELATIVE, NEAR_ZERO = 1e-6, 1e-9
LESSER_FAMILIES = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
LWCTR = settings_preset("lwctr")


@pytest.fixture(autouse=True)
def silence():
    logger = logging.getLogger("radiomics")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(level)


@pytest.fixture
def old_scipy(monkeypatch):
    """Two names of scipy under which pyradiomics still looks for what LBP3D needs."""
    module = types.ModuleType("scipy.ndimage.interpolation")
    module.map_coordinates = ndimage.map_coordinates
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def sph_harm(order, degree, azimuth, polar):
        return special.sph_harm_y(degree, order, polar, azimuth)

    monkeypatch.setattr(special, "sph_harm", sph_harm, raising=False)


def read(image: Path, mask: Path, *, label: int = 1) -> Volume:
    """Image and one label of a mask, as pyradiomics would read them from their files."""
    picture, drawn = sitk.ReadImage(str(image)), sitk.ReadImage(str(mask))
    return Volume(
        sitk.GetArrayFromImage(picture),
        {"region": sitk.GetArrayFromImage(drawn) == label},
        picture.GetSpacing()[::-1],
        picture.GetOrigin(),
        picture.GetDirection(),
    )


def by_file(volume: Volume, parameters: Path | Mapping[str, Any]) -> dict[str, float]:
    """What pyradiomics itself gives, by its own reading of a parameter file."""
    image = sitk.GetImageFromArray(volume.voxels)
    mask = sitk.GetImageFromArray(volume.mask("region").astype(np.uint8))
    for item in (image, mask):
        item.SetSpacing(volume.spacing_mm[::-1])
        item.SetOrigin(volume.origin_mm)
        item.SetDirection(volume.direction)
    given = str(parameters) if isinstance(parameters, Path) else parameters
    extractor = featureextractor.RadiomicsFeatureExtractor(given, additionalInfo=False)
    return {name: float(value) for name, value in extractor.execute(image, mask).items()}


def assert_parity(ours: Mapping[str, float], theirs: Mapping[str, float]) -> None:
    assert list(ours) == list(theirs)
    a, b = np.array(list(ours.values())), np.array(list(theirs.values()))
    b[~np.isfinite(b)] = np.nan
    near = np.abs(a - b) <= np.maximum(NEAR_ZERO, RELATIVE * np.abs(b))
    same = near | (np.isnan(a) & np.isnan(b))
    rows = zip(ours, a, b, same, strict=True)
    apart = [f"{n}: {x} {y}" for n, x, y, s in rows if not (s or is_rounding(n, theirs))]
    assert not apart, "\n".join(apart[:20])


def is_rounding(name: str, theirs: Mapping[str, float]) -> bool:
    """Whether pyradiomics' value is what rounding leaves of nothing (docs/radiomics.md)."""
    image_type, _, feature = name.partition("_")
    if feature in ("firstorder_Skewness", "firstorder_Kurtosis"):
        low, high = (theirs[f"{image_type}_firstorder_{end}"] for end in ("Minimum", "Maximum"))
        return high - low <= 1e-12 * max(abs(low), abs(high))
    # Voxels of one pattern differ in their last digit, and so fall on both sides of a percentile.
    return image_type.startswith("lbp-3D") and feature == "firstorder_RobustMeanAbsoluteDeviation"


def all_image_types(sigma_mm: tuple[float, ...]) -> dict[str, Any]:
    """A pyradiomics parameter file with all that it can filter."""
    plain = ("Original", "Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "Wavelet")
    return {
        "setting": {"binCount": 32, "additionalInfo": False},
        "imageType": {
            **{name: {} for name in plain},
            "LoG": {"sigma": list(sigma_mm)},
            "LBP2D": {"binWidth": 1, "binCount": None},
            "LBP3D": {"binWidth": 1, "binCount": None},
        },
        "featureClass": {name: [] for name in (*LESSER_FAMILIES, "shape")},
    }


@pytest.mark.real
@pytest.mark.parametrize("name", ["brain1", "brain2"])
def test_brains_in_all_image_types(data_root, name, old_scipy):
    folder = data_root / "imaging" / "pyradiomics" / "data"
    volume = read(folder / f"{name}_image.nrrd", folder / f"{name}_label.nrrd")
    parameters = all_image_types((2.0, 5.0))
    settings = from_pyradiomics(parameters)
    assert_parity(compute_features(volume, "region", settings), by_file(volume, parameters))


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "Params",
        "exampleCT",
        "exampleMR_3mm",
        "exampleMR_5mm",
        "exampleMR_NoResampling",
        "example_allShape",
    ],
)
def test_parameter_files_on_brain1(data_root, name):
    """exampleVoxel gives maps and not numbers; MR_2D needs one slice and has a test of its own."""
    folder = data_root / "imaging" / "pyradiomics"
    volume = read(folder / "data" / "brain1_image.nrrd", folder / "data" / "brain1_label.nrrd")
    path = folder / "exampleSettings" / f"{name}.yaml"
    ours = compute_features(volume, "region", read_parameter_file(path))
    assert_parity(ours, by_file(volume, path))


@pytest.mark.real
def test_slice_parameter_file_on_one_slice_of_brain1(data_root):
    folder = data_root / "imaging" / "pyradiomics"
    volume = read(folder / "data" / "brain1_image.nrrd", folder / "data" / "brain1_label.nrrd")
    mask = volume.mask("region").copy()
    middle = int(np.argmax(mask.sum(axis=(1, 2))))
    mask[:middle] = mask[middle + 1 :] = False
    one = Volume(
        volume.voxels, {"region": mask}, volume.spacing_mm, volume.origin_mm, volume.direction
    )
    path = folder / "exampleSettings" / "MR_2D_extraction.yaml"
    assert_parity(compute_features(one, "region", read_parameter_file(path)), by_file(one, path))


@pytest.mark.real
@pytest.mark.parametrize("tumour", [1, 2])
def test_liver_tumours_in_the_longitudinal_set(data_root, tumour):
    folder = data_root / "imaging" / "liver" / "3Dircadb1.17" / "derived_cropped_nifti"
    volume = read(folder / "ct_liver_crop.nii.gz", folder / "tumours_label.nii.gz", label=tumour)
    ours = compute_features(volume, "region", LWCTR)
    assert len(ours) == 1316
    assert_parity(ours, pyradiomics_engine.compute_features(volume, "region", LWCTR))


@pytest.mark.real
@pytest.mark.slow
def test_whole_liver(data_root):
    """Three of the 14 image types: pyradiomics takes a minute for all."""
    folder = data_root / "imaging" / "liver" / "3Dircadb1.17" / "derived_cropped_nifti"
    volume = read(folder / "ct_liver_crop.nii.gz", folder / "liver_mask.nii.gz")
    filters = (Original(), LoG(sigma_mm=(1.0, 4.0)))
    settings = LWCTR.model_copy(update={"filters": filters})
    theirs = pyradiomics_engine.compute_features(volume, "region", settings)
    assert_parity(compute_features(volume, "region", settings), theirs)


@pytest.mark.real
def test_ibsi_ct_phantom(data_root):
    folder = data_root / "imaging" / "ibsi" / "data_sets" / "ibsi_1_ct_radiomics_phantom" / "nifti"
    volume = read(folder / "image" / "phantom.nii.gz", folder / "mask" / "mask.nii.gz")
    settings = ExtractionSettings(
        bin_width=25,
        spacing_mm=(2.0, 2.0, 2.0),
        resegment_range=(-500.0, 400.0),
        resegment_shape=True,
        filters=(Original(), Wavelet(), LoG(sigma_mm=(3.0,))),
    )
    theirs = pyradiomics_engine.compute_features(volume, "region", settings)
    assert_parity(compute_features(volume, "region", settings), theirs)


def random_volume(rng: np.random.Generator, kind: str) -> Volume:
    """A small image of odd shape and voxels with a region of any form in it, up to the border."""
    shape = tuple(int(size) for size in rng.integers(5, 13, 3))
    thin = int(rng.integers(0, 20))
    if thin < 3:
        shape = (*shape[:thin], 1, *shape[thin + 1 :])
    voxels = {
        "noise": rng.normal(size=shape),
        "smooth": 3 * ndimage.gaussian_filter(rng.normal(size=shape), 1.0),
        "levels": rng.integers(0, 3, shape).astype(float),
        "flat": np.ones(shape),
    }[kind]
    voxels = voxels * rng.choice([3.0, 40.0, 300.0]) + rng.choice([-500.0, 0.0, 100.0])
    mask = np.zeros(shape, dtype=bool)
    low = [int(rng.integers(0, max(1, size // 2))) for size in shape]
    high = [
        int(rng.integers((start + size) // 2, size)) + 1
        for start, size in zip(low, shape, strict=True)
    ]
    if rng.random() < 0.15:
        high[0] = low[0] + 1
    box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    size = mask[box].shape
    drawn = {
        "full": np.ones(size, dtype=bool),
        "holes": rng.random(size) < 0.9,
        "blobs": ndimage.gaussian_filter(rng.normal(size=size), 1) > -0.1,
        "specks": rng.random(size) < 0.3,
    }
    mask[box] = drawn[str(rng.choice(list(drawn)))]
    spacing = rng.uniform(0.5, 4.0, 3) if rng.random() < 0.7 else np.ones(3)
    dtype = rng.choice(["int16", "float32", "float64"])
    origin = tuple(rng.uniform(-200, 200, 3).tolist())
    return Volume(voxels.astype(dtype), {"region": mask}, tuple(spacing.tolist()), origin)


def random_settings(rng: np.random.Generator, kind: str, volume: Volume) -> ExtractionSettings:
    """Any combination of settings that pyradiomics has."""
    # On a sphere of equal samples there is no kurtosis, and hardly any of nearly equal ones.
    varied = kind in ("noise", "smooth") and volume.voxels.dtype == np.float64
    filters = (
        Original(),
        Original(bin_count=7),
        LoG(sigma_mm=(float(rng.uniform(0.8, 2.5)),)),
        Wavelet(wavelet=str(rng.choice(["coif1", "haar", "db3"])), level=int(rng.integers(1, 3))),
        Square(),
        SquareRoot(bin_count=12),
        Logarithm(),
        Exponential(),
        Gradient(use_spacing=bool(rng.integers(2))),
        LBP2D(samples=8, bin_width=1.0),
        *((LBP3D(bin_width=1.0),) if varied else ()),
    )
    chosen = {filters[i].kind: filters[i] for i in rng.choice(len(filters), 2, replace=False)}
    words: dict[str, Any] = {
        "filters": tuple(chosen.values()),
        "minimum_voxels": int(rng.choice([1, 8])),
        "minimum_dimensions": int(rng.integers(1, 3)),
        "maximum_bins": 60_000,
    }
    words |= {"bin_count": 20} if rng.random() < 0.5 else {"bin_width": float(rng.choice([3, 25]))}
    maybe: dict[str, Any] = {
        "flat_axis": int(rng.integers(3)),
        "distances": (1, 2),
        "weighting": str(rng.choice(["manhattan", "euclidean", "infinity", "no_weighting"])),
        "dependence_tolerance": int(rng.integers(1, 4)),
        "voxel_array_shift": 300.0,
    }
    words |= {word: value for word, value in maybe.items() if rng.random() < 0.3}
    if kind == "noise" and rng.random() < 0.4:
        words["symmetric"] = False
    if kind != "flat":
        words |= random_preparation(rng)
    return ExtractionSettings(**words)


def random_preparation(rng: np.random.Generator) -> dict[str, Any]:
    words: dict[str, Any] = {"pad_distance": int(rng.integers(0, 7))}
    if rng.random() < 0.3:
        words |= {"normalise": "image", "normalise_scale": 100.0}
        words |= {"remove_outliers": 1.5} if rng.random() < 0.5 else {}
    if rng.random() < 0.4:
        spacing = rng.uniform(0.8, 3.0, 3) * (rng.random(3) > 0.2)
        words |= {"spacing_mm": tuple(spacing.tolist())}
        words |= {"interpolator": str(rng.choice(["bspline", "linear", "nearest"]))}
    elif rng.random() < 0.4:
        words |= {"pre_crop": True}
    if rng.random() < 0.3:
        mode = str(rng.choice(["absolute", "relative", "sigma"]))
        bounds = {"absolute": (-300.0, 300.0), "relative": (0.1, 0.9), "sigma": (-2.0, 1.5)}[mode]
        bounds = bounds[: int(rng.integers(1, 3))]
        words |= {"resegment_range": bounds, "resegment_mode": mode, "resegment_shape": True}
    return words


@pytest.mark.parametrize("case", range(200))
def test_random_small_volume(case, old_scipy):
    rng = np.random.default_rng(case)
    kind = str(rng.choice(["noise", "smooth", "levels", "flat"], p=[0.35, 0.4, 0.15, 0.1]))
    volume = random_volume(rng, kind)
    settings = random_settings(rng, kind, volume)
    try:
        theirs = pyradiomics_engine.compute_features(volume, "region", settings)
    except GeometryError as error:
        if "angle count" not in str(error):  # ours has features without neighbours: test_engine
            with pytest.raises(GeometryError):
                compute_features(volume, "region", settings)
        return
    assert_parity(compute_features(volume, "region", settings), theirs)


def test_shape_after_resegmentation_is_that_of_the_whole_region(rng):
    """pyradiomics cuts it to the box of what is left, which is no shape anybody drew."""
    voxels = np.linspace(0, 100, 12)[None, None, :] + rng.normal(size=(12, 12, 12))
    mask = np.ones(voxels.shape, dtype=bool)
    mask[0] = False  # pyradiomics takes a mask without a 0 for an empty one
    volume = Volume(voxels, {"region": mask}, (1.0, 1.0, 1.0))
    plain = ExtractionSettings(bin_width=25, families=("shape",))
    half = plain.model_copy(update={"resegment_range": (50.0,)})
    drawn = compute_features(volume, "region", plain)
    assert compute_features(volume, "region", half) == drawn
    theirs = pyradiomics_engine.compute_features(volume, "region", half)
    size = "original_shape_VoxelVolume"
    assert theirs[size] == pytest.approx(drawn[size] / 2, rel=0.1)
