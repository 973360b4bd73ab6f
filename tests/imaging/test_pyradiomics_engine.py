from __future__ import annotations

import logging
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from radiogenomics.core.errors import GeometryError, MissingExtraError, SchemaError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging import crop, features_of_volume
from radiogenomics.imaging.filters import LBP3D, Gradient, LoG, Mean, Original, Wavelet
from radiogenomics.imaging.pyradiomics_engine import compute_features, engine_name
from radiogenomics.imaging.settings import ExtractionSettings

pytest.importorskip("radiomics", reason="pyradiomics is not installed")


# The shipped baseline was made with intensities shifted by 2000 and an earlier mesh.
SHIFTED = frozenset({"Energy", "TotalEnergy", "RootMeanSquared"})
OF_THE_MESH = frozenset({"Sphericity", "SurfaceArea", "SurfaceVolumeRatio", "MeshVolume"})


def directly(volume: Volume, types: dict, **parameters) -> dict[str, float]:
    """What pyradiomics itself gives for the whole image, uncropped."""
    import SimpleITK as sitk
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    image = sitk.GetImageFromArray(volume.voxels)
    mask = sitk.GetImageFromArray((volume.mask("tumour") > 0).astype(np.uint8))
    for item in (image, mask):
        item.SetSpacing(tuple(reversed(volume.spacing_mm)))
    extractor = RadiomicsFeatureExtractor(additionalInfo=False, **parameters)
    extractor.disableAllImageTypes()
    for name, custom in types.items():
        extractor.enableImageTypeByName(name, customArgs=custom)
    level = logging.getLogger("radiomics").level
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    found = extractor.execute(image, mask)
    logging.getLogger("radiomics").setLevel(level)
    return {name: float(value) for name, value in found.items()}


@pytest.fixture
def lesion(rng) -> Volume:
    """A lesion of 500 voxels deep inside a larger image of anisotropic voxels."""
    shape = (40, 60, 60)
    z, y, x = np.indices(shape)
    ball = ((z - 20) / 4.0) ** 2 + ((y - 30) / 5.5) ** 2 + ((x - 28) / 5.5) ** 2 < 1
    voxels = 60 * ndimage.gaussian_filter(rng.normal(size=shape), 1.2) / 0.1 + 40 * ball
    return Volume(voxels, {"tumour": ball.astype(np.uint8)}, (2.0, 1.5, 1.5))


def assert_same(ours: dict[str, float], theirs: dict[str, float], *, rtol: float) -> None:
    assert list(ours) == list(theirs)
    np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=rtol, atol=1e-9)


def test_backend_is_pyradiomics_on_the_whole_image(lesion):
    settings = ExtractionSettings(
        bin_count=16,
        filters=(Original(), LoG(sigma_mm=(1.5,)), Wavelet(), Gradient(use_spacing=False)),
        spacing_mm=(1.7, 1.7, 1.7),
        pad_distance=7,
    )
    theirs = directly(
        lesion,
        {
            "Original": {},
            "LoG": {"sigma": [1.5]},
            "Wavelet": {},
            "Gradient": {"gradientUseSpacing": False},
        },
        binCount=16,
        resampledPixelSpacing=[1.7, 1.7, 1.7],
        padDistance=7,
    )
    ours = features_of_volume(lesion, settings, backend="pyradiomics")
    assert len(ours) == 14 + 93 * 11
    assert_same(ours, theirs, rtol=1e-12)


def test_backend_keeps_the_number_type_of_the_image(lesion):
    """Resampled whole numbers stay whole, as they do when pyradiomics reads the file."""
    whole = Volume(lesion.voxels.astype(np.int16), lesion.masks, lesion.spacing_mm)
    settings = ExtractionSettings(bin_width=25, spacing_mm=(1.7, 1.7, 1.7))
    found = features_of_volume(whole, settings, backend="pyradiomics")
    assert found["original_firstorder_Maximum"] % 1 == 0


@pytest.mark.real
def test_brain1_gives_the_published_baseline(data_root):
    """pyradiomics ships values of its own for this case (bin width 25)."""
    sitk = pytest.importorskip("SimpleITK")
    folder = data_root / "imaging" / "pyradiomics" / "data"
    image = sitk.ReadImage(str(folder / "brain1_image.nrrd"))
    mask = sitk.ReadImage(str(folder / "brain1_label.nrrd"))
    volume = Volume(
        sitk.GetArrayFromImage(image).astype(float),
        {"tumour": sitk.GetArrayFromImage(mask)},
        tuple(reversed(image.GetSpacing())),
    )
    ours = compute_features(volume, "tumour", ExtractionSettings(bin_width=25))
    assert_same(ours, directly(volume, {"Original": {}}, binWidth=25), rtol=1e-12)
    for family in ("shape", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"):
        table = pd.read_csv(folder / "baseline" / f"baseline_{family}.csv", index_col=0)["brain1"]
        features = [name for name in ours if f"_{family}_" in name]
        assert features
        for name in features:
            word = name.rpartition("_")[2]
            if word not in SHIFTED:
                tolerance = 1e-3 if word in OF_THE_MESH else 1e-8
                assert ours[name] == pytest.approx(float(table[name]), rel=tolerance), name


def test_messages_and_warnings_of_the_engine_stay_inside(lesion, capfd):
    others = logging.getLogger("somebody.else")
    before = (logging.getLogger("radiomics").level, others.level, logging.getLogger().level)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compute_features(lesion, "tumour", ExtractionSettings(bin_width=25))
    after = (logging.getLogger("radiomics").level, others.level, logging.getLogger().level)
    assert after == before
    assert capfd.readouterr() == ("", "")


def test_filter_that_is_skipped_is_an_error_not_a_gap(lesion):
    small = crop(lesion, "tumour", margin=(2, 2, 2))
    wide = ExtractionSettings(bin_width=25, filters=(Original(), LoG(sigma_mm=(2.0, 40.0))))
    with pytest.raises(GeometryError, match="give LoG"):
        compute_features(small, "tumour", wide)
    sphere = ExtractionSettings(bin_width=25, filters=(LBP3D(),))
    with pytest.raises(GeometryError, match="native backend"):
        compute_features(small, "tumour", sphere)


def test_filter_that_pyradiomics_lacks_is_named(lesion):
    with pytest.raises(SchemaError, match="found Mean"):
        compute_features(lesion, "tumour", ExtractionSettings(bin_width=25, filters=(Mean(),)))


def test_region_that_is_a_line_is_named(lesion):
    line = np.zeros(lesion.voxels.shape, dtype=np.uint8)
    line[20, 30, 10:40] = 1
    thin = Volume(lesion.voxels, {"tumour": line}, lesion.spacing_mm)
    with pytest.raises(GeometryError, match="pyradiomics can measure"):
        compute_features(thin, "tumour", ExtractionSettings(bin_width=25))


def test_missing_engine_says_how_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "radiomics.featureextractor", None)
    with pytest.raises(MissingExtraError, match="pip install --no-build-isolation"):
        engine_name()
