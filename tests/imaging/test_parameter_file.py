from __future__ import annotations

import json
import logging
import math

import pytest

from radiogenomics.core.errors import MissingFileError, SchemaError, UnknownNameError
from radiogenomics.imaging import ExtractionSettings, load_settings, read_parameter_file
from radiogenomics.imaging.filters import LBP2D, Gradient, LoG, Mean, Original, Wavelet
from radiogenomics.imaging.parameter_file import from_pyradiomics, to_pyradiomics
from radiogenomics.imaging.settings import VoxelSettings

EXAMPLES = (
    "MR_2D_extraction",
    "Params",
    "exampleCT",
    "exampleMR_3mm",
    "exampleMR_5mm",
    "exampleMR_NoResampling",
    "exampleVoxel",
    "example_allShape",
)


@pytest.mark.real
@pytest.mark.parametrize("name", EXAMPLES)
def test_example_says_the_same_to_pyradiomics_after_the_way_through_ours(data_root, name):
    """pyradiomics' own reading of the file is the authority."""
    extractor = pytest.importorskip("radiomics.featureextractor").RadiomicsFeatureExtractor
    logging.getLogger("radiomics").setLevel(logging.ERROR)
    path = data_root / "imaging" / "pyradiomics" / "exampleSettings" / f"{name}.yaml"
    direct = extractor(str(path))
    through = extractor(to_pyradiomics(read_parameter_file(path)))
    for key, value in direct.settings.items():
        if key == "additionalInfo" or value is None:
            continue
        ours = through.settings[key]
        assert math.isnan(ours) if value == "nan" else ours == value, key
    assert list(through.enabledImagetypes) == list(direct.enabledImagetypes)
    assert through.enabledImagetypes["Original"] == {}
    wanted = {family: list(names or ()) for family, names in direct.enabledFeatures.items()}
    assert list(through.enabledFeatures) == list(wanted)
    assert through.enabledFeatures == wanted


def test_axes_are_turned_round_for_spacings_and_not_for_the_flat_axis():
    settings = from_pyradiomics(
        {"setting": {"resampledPixelSpacing": [2, 3, 0], "force2D": True, "force2Ddimension": 2}}
    )
    assert settings.spacing_mm == (0.0, 3.0, 2.0)
    assert settings.flat_axis == 2


def test_every_setting_arrives():
    settings = from_pyradiomics(
        {
            "setting": {
                "minimumROIDimensions": 3,
                "minimumROISize": 50,
                "label": 4,
                "binWidth": 10,
                "normalize": True,
                "normalizeScale": 100,
                "removeOutliers": 3,
                "resampledPixelSpacing": [1, 1, 1],
                "interpolator": "sitkLinear",
                "padDistance": 8,
                "preCrop": True,
                "distances": [1, 2],
                "resegmentRange": [-3, 3],
                "resegmentMode": "sigma",
                "resegmentShape": True,
                "voxelArrayShift": 300,
                "symmetricalGLCM": False,
                "weightingNorm": "euclidean",
                "gldm_a": 2,
                "gradientUseSpacing": False,
            },
            "imageType": {
                "LoG": {"sigma": [1, 2.5], "binWidth": 5},
                "Gradient": {},
                "LBP2D": {"lbp2DRadius": 2.0, "binCount": 6},
                "Wavelet": {"wavelet": "haar", "level": 2, "start_level": 1},
            },
            "featureClass": {"glcm": ["Idm", "Id"], "ngtdm": None, "firstorder": []},
            "voxelSetting": {"kernelRadius": 2, "maskedKernel": False, "voxelBatch": 100},
        }
    )
    assert settings == ExtractionSettings(
        filters=(
            LoG(sigma_mm=(1, 2.5), bin_width=5),
            Gradient(use_spacing=False),
            LBP2D(radius=2.0, samples=8, bin_count=6),
            Wavelet(wavelet="haar", level=2, start_level=1),
        ),
        families=("glcm", "ngtdm", "firstorder"),
        only={"glcm": ("Idm", "Id")},
        spacing_mm=(1.0, 1.0, 1.0),
        interpolator="linear",
        pad_distance=8,
        pre_crop=True,
        normalise="image",
        normalise_scale=100,
        remove_outliers=3,
        resegment_range=(-3.0, 3.0),
        resegment_mode="sigma",
        resegment_shape=True,
        bin_width=10,
        distances=(1, 2),
        symmetric=False,
        weighting="euclidean",
        dependence_tolerance=2,
        voxel_array_shift=300,
        label=4,
        lesions="union",
        minimum_dimensions=3,
        minimum_voxels=51,
        voxel=VoxelSettings(kernel_radius=2, masked_kernel=False, batch=100),
    )
    # The region is label 1 once it is chosen.
    again = from_pyradiomics(to_pyradiomics(settings))
    assert again == settings.model_copy(update={"label": 1})


def test_what_a_file_leaves_out_is_pyradiomics_default():
    settings = from_pyradiomics({})
    assert settings.filters == (Original(),)
    assert settings.bin_width == 25
    assert settings.minimum_voxels == 1
    assert settings.families == ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm", "shape")


def test_number_of_bins_goes_before_their_width():
    both = {"setting": {"binCount": 32}, "imageType": {"Square": {"binWidth": 3}}}
    assert from_pyradiomics(both).filters[0].bin_count == 32
    own = ExtractionSettings(bin_count=32, filters=(Original(bin_width=3),))
    assert to_pyradiomics(own)["imageType"]["Original"] == {"binWidth": 3.0, "binCount": None}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"settings": {}}, "did you mean setting"),
        ({"setting": {"binWidht": 3}}, "did you mean binWidth"),
        ({"setting": {"binWidth": -3}}, "setting.binWidth"),
        ({"setting": {"correctMask": True}}, "repair='resample'"),
        ({"setting": {"label_channel": 1}}, "a mask of its own"),
        ({"setting": {"interpolator": "sitkGaussian"}}, "sitkBSpline, sitkLinear"),
        ({"imageType": {"Wavlet": {}}}, "did you mean 'Wavelet'"),
        ({"imageType": {"LoG": {}}}, "needs sigma"),
        ({"imageType": {"Square": {"padDistance": 3}}}, "move it to setting"),
        ({"featureClass": {"gclm": None}}, "'glcm'"),
        ({"featureClass": {"glcm": ["JointEntrpy"]}}, "did you mean 'JointEntropy'"),
        ({"featureClass": {"glcm": ["Homogeneity1"]}}, "is Id by now"),
        ({"featureClass": {"shape2D": None}}, "force2D: true"),
        ({"setting": {"resampledPixelSpacing": [1, 1]}}, "resampledPixelSpacing"),
    ],
)
def test_what_cannot_be_honoured_says_what_to_change(content, problem):
    with pytest.raises(SchemaError, match=problem):
        from_pyradiomics(content)


def test_all_problems_are_listed_at_once():
    with pytest.raises(SchemaError, match=r"mine: 2 problem\(s\)"):
        from_pyradiomics(
            {"setting": {"label_channel": 2}, "imageType": {"Cube": None}}, where="mine"
        )


def test_json_is_read_too(tmp_path):
    path = tmp_path / "Params.json"
    path.write_text(json.dumps({"setting": {"binWidth": 7}, "imageType": {"Wavelet": {}}}))
    assert load_settings(path).bin_width == 7


def test_settings_are_a_preset_or_a_file(tmp_path):
    assert load_settings("lwctr").spacing_mm == (1.0, 1.0, 1.0)
    with pytest.raises(UnknownNameError, match="did you mean 'lwctr'"):
        load_settings("lwtcr")
    with pytest.raises(MissingFileError, match="found none"):
        load_settings(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (ExtractionSettings(bin_width=25, filters=(Mean(),)), "found Mean"),
        (ExtractionSettings(bin_width=25, filters=(Original(), Original(bin_width=3))), "Original"),
        (ExtractionSettings(bin_width=25, conventions="ibsi"), "found 'ibsi'"),
        (ExtractionSettings(bin_width=25, voxel_array_shift=0.5), "whole number"),
    ],
)
def test_what_pyradiomics_lacks_is_named(settings, problem):
    with pytest.raises(SchemaError, match=problem):
        to_pyradiomics(settings)
