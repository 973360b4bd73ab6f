from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.backend import features_of_volume
from radiogenomics.imaging.feature_maps import feature_maps
from radiogenomics.imaging.settings import ExtractionSettings, VoxelSettings

FEATURES = (
    "original_firstorder_Mean",
    "original_firstorder_Entropy",
    "original_firstorder_Range",
    "original_glcm_JointEntropy",
    "original_glcm_Idn",
    "original_glrlm_RunPercentage",
    "original_glrlm_GrayLevelVariance",
    "original_glszm_ZoneEntropy",
    "original_gldm_DependenceVariance",
    "original_ngtdm_Contrast",
)


@pytest.mark.real
@pytest.mark.parametrize("flat", [None, 0], ids=["3D", "2D"])
def test_maps_are_those_of_pyradiomics(data_root: Path, flat: int | None) -> None:
    sitk = pytest.importorskip("SimpleITK")
    extractor_module = pytest.importorskip("radiomics.featureextractor")
    folder = data_root / "imaging" / "pyradiomics" / "data"
    image, mask = (sitk.ReadImage(str(folder / f"brain2_{n}.nrrd")) for n in ("image", "label"))
    extractor = extractor_module.RadiomicsFeatureExtractor(
        binWidth=25, kernelRadius=2, additionalInfo=False, initValue=0
    )
    if flat is not None:
        extractor.settings.update(force2D=True, force2Ddimension=flat)
    extractor.disableAllFeatures()
    wanted: dict[str, list[str]] = {}
    for name in FEATURES:
        _, family, feature = name.split("_")
        wanted.setdefault(family, []).append(feature)
    extractor.enableFeaturesByName(**wanted)
    theirs = extractor.execute(image, mask, voxelBased=True)

    volume = Volume(
        sitk.GetArrayFromImage(image),
        {"tumour": sitk.GetArrayFromImage(mask).astype(np.uint8)},
        tuple(reversed(image.GetSpacing())),
    )
    settings = ExtractionSettings(
        bin_width=25, flat_axis=flat, voxel=VoxelSettings(kernel_radius=2), lesions="union"
    )
    ours = feature_maps(volume, "tumour", settings, features=FEATURES)
    inside = volume.mask("tumour") > 0
    z, y, x = (slice(at.min(), at.max() + 1) for at in np.nonzero(inside))
    for name in FEATURES:
        # Theirs covers the region's box and a border as wide as the cube.
        expected = sitk.GetArrayFromImage(
            sitk.Resample(theirs[name], image, sitk.Transform(), sitk.sitkNearestNeighbor)
        )
        found = ours.maps[name]
        assert found[inside] == pytest.approx(expected[inside], rel=1e-9, abs=1e-9), name
        assert not found[~inside].any()


@pytest.fixture
def scan(rng: np.random.Generator) -> Volume:
    mask = np.zeros((7, 7, 7), dtype=np.uint8)
    mask[2:5, 2:5, 2:5] = 1
    return Volume(rng.normal(0, 40, mask.shape), {"tumour": mask}, (1.0, 1.0, 1.0))


def test_a_cube_as_large_as_the_region_gives_the_feature_of_the_region(scan: Volume) -> None:
    settings = ExtractionSettings(bin_width=10, voxel=VoxelSettings(kernel_radius=2))
    whole = features_of_volume(scan, settings)
    names = [n for n in FEATURES if not n.endswith("Idn")]
    found = feature_maps(scan, "tumour", settings, features=names)
    for name in names:
        assert found.maps[name][3, 3, 3] == pytest.approx(whole[name], rel=1e-12)


def test_voxels_outside_count_when_asked(scan: Volume) -> None:
    voxel = VoxelSettings(kernel_radius=1, masked_kernel=False, initial_value=-5.0)
    settings = ExtractionSettings(bin_width=10, voxel=voxel)
    found = feature_maps(scan, "tumour", settings, features=["original_firstorder_Mean"])
    values = found.maps["original_firstorder_Mean"]
    assert values[2, 2, 2] == pytest.approx(scan.voxels[1:4, 1:4, 1:4].mean())
    assert (values[scan.mask("tumour") == 0] == -5).all()


@pytest.mark.parametrize(
    ("names", "error", "found"),
    [
        ([], DataError, "found none"),
        (["original_shape_MeshVolume"], DataError, "one of shape"),
        (["original_glcm_JointEntropi"], UnknownNameError, "JointEntropy"),
        (["original_glmc_JointEntropy"], UnknownNameError, "glcm"),
        (["wavelet-LLH_glcm_JointEntropy"], UnknownNameError, "of these settings"),
    ],
    ids=["none", "shape", "feature", "family", "image_type"],
)
def test_wrong_names_are_named(
    scan: Volume, names: list[str], error: type[Exception], found: str
) -> None:
    with pytest.raises(error, match=found):
        feature_maps(scan, "tumour", ExtractionSettings(bin_width=10), features=names)
