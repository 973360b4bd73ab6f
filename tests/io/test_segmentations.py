from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from radiogenomics.core.errors import (
    GeometryError,
    MissingFileError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.masks import split_lesions
from radiogenomics.io.images import read_image, read_mask, write_image
from radiogenomics.io.segmentation_labels import (
    TOTALSEGMENTATOR_TASKS,
    bundle_labels,
    header_labels,
    nnunet_labels,
    totalsegmentator_labels,
)
from radiogenomics.io.segmentations import (
    RegionMapping,
    read_region_mapping,
    read_segmentation,
    write_masks,
)

nibabel = pytest.importorskip("nibabel", reason="needs the extra imaging")
pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")

TILTED = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
LIVER, TUMOUR, OTHER = 1, 2, 3
LABELS = {"liver": (LIVER,), "liver_tumor": (TUMOUR,), "spleen": (OTHER,)}


@pytest.fixture
def scan(rng: np.random.Generator) -> Volume:
    voxels = rng.integers(-100, 200, (6, 8, 10)).astype(np.int16)
    return Volume(voxels, {}, (3.0, 0.8, 0.7), (-10.0, 20.0, 5.0), TILTED)


@pytest.fixture
def label_map() -> np.ndarray:
    """A liver with two tumours, the second the larger, and no spleen."""
    labels = np.zeros((6, 8, 10), dtype=np.uint8)
    labels[1:5, 1:7, 1:9] = LIVER
    labels[2, 2, 2] = TUMOUR
    labels[3, 3:6, 5:7] = TUMOUR
    return labels


@pytest.fixture
def written(tmp_path: Path, scan: Volume, label_map: np.ndarray) -> Path:
    write_image(tmp_path / "labels.nii.gz", label_map, grid=scan)
    return tmp_path / "labels.nii.gz"


def with_names(path: Path, names: dict[int, str]) -> None:
    """Put names into the header as TotalSegmentator does."""
    rows = "\n".join(
        f'<Label Key="{value}" Red="1.0" Green="0" Blue="0" Alpha="1"><![CDATA[{name}]]></Label>'
        for value, name in names.items()
    )
    text = f'<?xml version="1.0"?> <CaretExtension><LabelTable>{rows}</LabelTable></CaretExtension>'
    image = nibabel.load(path)
    stored = nibabel.Nifti1Image(np.asarray(image.dataobj), image.affine, image.header)
    stored.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, text.encode()))
    nibabel.save(stored, path)


def test_labels_become_regions_on_the_scan(
    written: Path, scan: Volume, label_map: np.ndarray
) -> None:
    mapping = RegionMapping(regions={"liver": ["liver", "liver_tumor"], "tumour": "liver_tumor"})
    found = read_segmentation(written, image=scan, labels=LABELS, mapping=mapping)
    assert np.array_equal(found.masks["liver"], label_map > 0)
    assert np.array_equal(found.masks["tumour"], label_map == TUMOUR)
    assert found.empty == ()
    assert found.onto(scan).mask("tumour").dtype == np.uint8


def test_without_a_mapping_each_label_is_a_region_and_what_is_empty_is_said(
    written: Path, scan: Volume
) -> None:
    found = read_segmentation(written, image=scan, labels=LABELS)
    assert list(found.masks) == ["liver", "liver_tumor", "spleen"]
    assert found.empty == ("spleen",)
    assert not found.masks["spleen"].any()


def test_lesions_are_numbered_as_radiomics_numbers_them(
    tmp_path: Path, scan: Volume, rng: np.random.Generator
) -> None:
    speckled = (rng.random(scan.voxels.shape) < 0.08).astype(np.uint8)
    write_image(tmp_path / "labels.nii.gz", speckled, grid=scan)
    mapping = RegionMapping(regions={"tumour": 1}, lesions=("tumour",))
    found = read_segmentation(tmp_path / "labels.nii.gz", image=scan, mapping=mapping)
    assert found.masks["tumour"].max() > 3
    assert np.array_equal(found.masks["tumour"], split_lesions(speckled))


def test_no_lesion_is_an_empty_mask_not_an_error(tmp_path: Path, scan: Volume) -> None:
    write_image(tmp_path / "labels.nii.gz", np.zeros((6, 8, 10), np.uint8), grid=scan)
    mapping = RegionMapping(regions={"tumour": 1}, lesions=("tumour",))
    found = read_segmentation(tmp_path / "labels.nii.gz", image=scan, mapping=mapping)
    assert found.empty == ("tumour",)


def test_values_alone_need_no_names_and_others_are_noted(written: Path, scan: Volume) -> None:
    found = read_segmentation(written, image=scan, mapping=RegionMapping(regions={"tumour": 2}))
    assert (found.masks["tumour"] > 0).sum() == 7
    assert "values 1 are of no region" in found.notes[0]
    with pytest.raises(SchemaError, match="expected values"):
        read_segmentation(written, image=scan, mapping=RegionMapping(regions={"tumour": "tumor"}))
    with pytest.raises(SchemaError, match="above 0"):
        read_segmentation(written, image=scan, mapping=RegionMapping(regions={"tumour": 0}))
    with pytest.raises(SchemaError, match="expected names"):
        read_segmentation(written, image=scan)


def test_values_without_a_name_mean_another_task(written: Path, scan: Volume) -> None:
    with pytest.raises(SchemaError, match="found 2, which have no name"):
        read_segmentation(written, image=scan, labels={"liver": (1,)})
    with pytest.raises(UnknownNameError, match="liver_tumor"):
        read_segmentation(
            written,
            image=scan,
            labels=LABELS,
            mapping=RegionMapping(regions={"tumour": "liver_tumour"}),
        )


def test_names_in_the_header_are_read_and_held_against_others(written: Path, scan: Volume) -> None:
    assert header_labels(written) is None
    with_names(written, {1: "liver", 2: "liver_tumor"})
    assert header_labels(written) == {"liver": (1,), "liver_tumor": (2,)}
    assert list(read_segmentation(written, image=scan).masks) == ["liver", "liver_tumor"]
    assert read_segmentation(written, image=scan, labels=LABELS).empty == ("spleen",)
    with pytest.raises(SchemaError, match="1 is 'liver', not 'liver_vessels'"):
        read_segmentation(written, image=scan, labels=totalsegmentator_labels("liver_vessels"))


@pytest.mark.parametrize("change", ["origin", "spacing", "direction", "size"])
def test_a_segmentation_that_lies_elsewhere_is_refused(
    tmp_path: Path, scan: Volume, label_map: np.ndarray, change: str
) -> None:
    other = {
        "origin": Volume(scan.voxels, {}, scan.spacing_mm, (-9.0, 20.0, 5.0), TILTED),
        "spacing": Volume(scan.voxels, {}, (3.0, 0.8, 0.75), scan.origin_mm, TILTED),
        "direction": Volume(scan.voxels, {}, scan.spacing_mm, scan.origin_mm),
        "size": Volume(scan.voxels[1:], {}, scan.spacing_mm, scan.origin_mm, TILTED),
    }[change]
    values = label_map[-len(other.voxels) :]
    write_image(tmp_path / "labels.nii.gz", values, grid=other)
    with pytest.raises(GeometryError, match="labels.nii.gz"):
        read_segmentation(tmp_path / "labels.nii.gz", image=scan, labels=LABELS)
    (tmp_path / "folder").mkdir()
    write_image(tmp_path / "folder" / "liver.nii.gz", values, grid=other)
    with pytest.raises(GeometryError, match="liver.nii.gz"):
        read_segmentation(tmp_path / "folder", image=scan)


def test_a_folder_has_a_file_a_class(tmp_path: Path, scan: Volume, label_map: np.ndarray) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for name, value in (("liver", LIVER), ("liver_tumor", TUMOUR), ("spleen", OTHER)):
        write_image(folder / f"{name}.nii.gz", (label_map == value) * np.uint8(1), grid=scan)
    (folder / "statistics.json").write_text("{}")
    found = read_segmentation(folder, image=scan)
    assert list(found.masks) == ["liver", "liver_tumor", "spleen"]
    assert found.empty == ("spleen",)
    mapping = RegionMapping(
        regions={"liver": ["liver", "liver_tumor"], "tumour": "liver_tumor"}, lesions=("tumour",)
    )
    named = read_segmentation(folder, image=scan, mapping=mapping)
    assert np.array_equal(named.masks["liver"], label_map > 0)
    assert np.array_equal(named.masks["tumour"], split_lesions(label_map == TUMOUR))
    with pytest.raises(MissingFileError, match="'pancreas'"):
        read_segmentation(folder, image=scan, mapping=RegionMapping(regions={"p": "pancreas"}))
    with pytest.raises(SchemaError, match="no labels for a folder"):
        read_segmentation(folder, image=scan, labels=LABELS)


def test_nothing_there_is_said(tmp_path: Path, scan: Volume) -> None:
    with pytest.raises(MissingFileError, match="expected a segmentation"):
        read_segmentation(tmp_path / "none.nii.gz", image=scan)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFileError, match="expected masks"):
        read_segmentation(tmp_path / "empty", image=scan)


def test_masks_are_written_as_manifests_take_them(
    tmp_path: Path, written: Path, scan: Volume
) -> None:
    mapping = RegionMapping(regions={"liver": [1, 2], "tumour": 2}, lesions=("tumour",))
    found = read_segmentation(written, image=scan, mapping=mapping)
    files = write_masks(tmp_path, found.masks, grid=scan)
    write_image(tmp_path / "scan.nii.gz", scan.voxels, grid=scan)
    image = read_image(tmp_path / "scan.nii.gz")
    for region, file in files.items():
        assert file.name == f"{region}.nii.gz"
        assert np.array_equal(read_mask(file, image=image), found.masks[region])


def test_classes_of_totalsegmentator_stand_where_version_2_has_them() -> None:
    labels = totalsegmentator_labels("total")
    # Read off the tool's own table, at its ends and where lists here are joined.
    stated = {
        "spleen": 1,
        "liver": 5,
        "adrenal_gland_left": 9,
        "lung_upper_lobe_left": 10,
        "sacrum": 25,
        "vertebrae_S1": 26,
        "vertebrae_L5": 27,
        "vertebrae_C1": 50,
        "heart": 51,
        "inferior_vena_cava": 63,
        "humerus_left": 69,
        "spinal_cord": 79,
        "gluteus_maximus_left": 80,
        "brain": 90,
        "rib_left_1": 92,
        "rib_right_12": 115,
        "costal_cartilages": 117,
    }
    assert {name: labels[name] for name in stated} == {n: (v,) for n, v in stated.items()}
    assert totalsegmentator_labels("total_mr")["brain"] == (50,)
    assert totalsegmentator_labels("total_mr")["aorta"] == (23,)
    assert totalsegmentator_labels("liver_vessels") == {"liver_vessels": (1,), "liver_tumor": (2,)}
    sizes = {task: len(totalsegmentator_labels(task)) for task in TOTALSEGMENTATOR_TASKS}
    assert sizes["total"] == 117 and sizes["total_mr"] == 50 and sizes["liver_segments"] == 8
    with pytest.raises(UnknownNameError, match="total_mr"):
        totalsegmentator_labels("totl_mr")


def test_labels_of_nnunet_may_be_regions_of_several_values(tmp_path: Path) -> None:
    path = tmp_path / "dataset.json"
    labels = {"background": 0, "liver": [1, 2], "tumour": 2, "ignore": 3}
    path.write_text(json.dumps({"labels": labels, "regions_class_order": [1, 2]}))
    assert nnunet_labels(path) == {"liver": (1, 2), "tumour": (2,)}
    # Version 1 has numbers as keys and names as values.
    for wrong in ({"0": "background", "1": "liver"}, {"liver": 1.5}, {}, ["liver"]):
        path.write_text(json.dumps({"labels": wrong}))
        with pytest.raises(SchemaError, match="version 2"):
            nnunet_labels(path)
    path.write_text("{")
    with pytest.raises(SchemaError, match="JSON"):
        nnunet_labels(path)
    with pytest.raises(MissingFileError):
        nnunet_labels(tmp_path / "none.json")


def test_labels_of_a_bundle_are_the_channels_of_its_prediction(tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    channels = {"0": "background", "1": "liver", "2": "tumour"}
    outputs = {"outputs": {"pred": {"type": "image", "channel_def": channels}}}
    path.write_text(json.dumps({"network_data_format": outputs}))
    assert bundle_labels(path) == {"liver": (1,), "tumour": (2,)}
    for wrong in ({}, {"network_data_format": {"outputs": []}}):
        path.write_text(json.dumps(wrong))
        with pytest.raises(SchemaError, match="channel_def"):
            bundle_labels(path)


def test_a_mapping_is_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "regions.yaml"
    path.write_text("regions:\n  liver: [liver, 2]\n  tumour: 2\nlesions: [tumour]\n")
    found = read_region_mapping(path)
    assert found.labels({"liver": (1,)}, where="x") == {"liver": (1, 2), "tumour": (2,)}
    path.write_text("regions:\n  tumour: 2\nlesions: [tumor]\n")
    with pytest.raises(SchemaError, match="'tumor'"):
        read_region_mapping(path)
    for wrong in ("regions: {}\n", "regions:\n  tumour: 1.5\n", "labels:\n  tumour: 1\n"):
        path.write_text(wrong)
        with pytest.raises(SchemaError):
            read_region_mapping(path)
