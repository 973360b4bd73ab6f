"""Names of features stay short and distinct; quantities name their columns."""

from __future__ import annotations

import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, SchemaError, UnknownNameError
from radiogenomics.plots.link_words import (
    QUANTITIES,
    feature_label,
    feature_labels,
    feature_words,
    quantity_of,
    set_labels,
)

LINKS = pd.DataFrame(
    {
        "feature": ["a", "a", "b"],
        "gene": ["X", "Y", "X"],
        "rho": [0.1, None, 0.3],
        "p": 0.2,
        "fdr": 0.4,
        "p_family": 0.9,
    }
)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("original_shape_MeshVolume", ("", "original", "shape", "MeshVolume")),
        ("original_shape2D_Perimeter", ("", "original", "shape 2D", "Perimeter")),
        ("wavelet-HLL_glcm_Imc1", ("", "wavelet-HLL", "glcm", "Imc1")),
        ("T1_post_original_firstorder_Mean", ("T1_post", "original", "first order", "Mean")),
        ("glszm_ZoneEntropy", ("", "", "glszm", "ZoneEntropy")),
        ("cnn_layer4_0017", ("", "", "deep", "cnn_layer4_0017")),
        ("tumour_shape", ("", "", "other", "tumour_shape")),
    ],
)
def test_names_are_taken_apart(name: str, parts: tuple[str, ...]) -> None:
    assert feature_words(name) == parts


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("log-sigma-0-5-mm-3D_glszm_ZoneVariance", "ZoneVar · LoG 0.5 mm"),
        ("log-sigma-2-mm-3D_glcm_MCC", "MCC · LoG 2 mm"),
        ("wavelet-LLH_gldm_LowGrayLevelEmphasis", "LowGLEmph · wav LLH"),
        ("lbp-3D-m1_firstorder_Median", "Median · LBP 3D-m1"),
        ("deep_GrayLevel_1", "deep_GrayLevel_1"),
    ],
)
def test_labels_keep_what_tells_features_apart(name: str, label: str) -> None:
    assert feature_label(name) == label


def test_a_long_label_keeps_its_image_whole() -> None:
    name = "arterial_log-sigma-3-0-mm-3D_gldm_SmallDependenceHighGrayLevelEmphasis"
    label = feature_label(name, length=34)
    assert len(label) <= 34
    assert label.endswith(" · LoG 3 mm · arterial")


def test_labels_that_would_be_one_are_written_longer() -> None:
    names = [
        "original_glcm_Contrast",
        "original_ngtdm_Contrast",
        "wavelet-LLH_glcm_Contrast",
        "wav-LLH_glcm_Contrast",
        "wav LLH_glcm_Contrast",
    ]
    labels = feature_labels(names)
    assert labels[:2] == ["glcm Contrast", "ngtdm Contrast"]
    assert len(set(labels)) == len(names)


def test_collections_that_all_share_are_left_out() -> None:
    assert set_labels(["H|HALLMARK_HYPOXIA", "H|HALLMARK_MYC_TARGETS_V1"]) == [
        "HYPOXIA",
        "MYC TARGETS V1",
    ]
    assert set_labels(["HALLMARK_HYPOXIA", "KEGG_HYPOXIA"]) == ["HALLMARK HYPOXIA", "KEGG HYPOXIA"]
    # Only names of collections are cut off.
    assert set_labels(["REGULATION_OF_IL6"]) == ["REGULATION OF IL6"]


def test_quantity_takes_rows_with_a_value() -> None:
    quantity, known = quantity_of(LINKS, "rho", what="links")
    assert quantity.target == "gene"
    assert known.index.tolist() == [0, 2]


def test_bad_tables_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown quantity of links 'beta'"):
        quantity_of(LINKS, "beta", what="links")
    with pytest.raises(SchemaError, match="found no p_family"):
        quantity_of(LINKS.drop(columns="p_family"), "rho", what="links")
    with pytest.raises(SchemaError, match="found no set, nes"):
        quantity_of(LINKS, "nes", what="links")
    with pytest.raises(DataError, match="rows with rho: expected at least one row"):
        quantity_of(LINKS.assign(rho=float("nan")), "rho", what="links")
    with pytest.raises(DataError, match="1 rows more, the first b with X"):
        quantity_of(pd.concat([LINKS, LINKS.tail(1)]), "rho", what="links")


def test_quantities_are_the_columns_of_a_map() -> None:
    assert QUANTITIES["contrast_rho"].columns == (
        "feature",
        "set",
        "contrast_rho",
        "p_contrast",
        "fdr_contrast",
        "p_contrast_family",
    )
