from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from radiogenomics.core.errors import AlignmentError, GeometryError, UnknownNameError
from radiogenomics.core.scan import Scan, Volume

SHAPE = (2, 3, 4)


def volume(**changes: object) -> Volume:
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[0, 1, 1:3] = 1
    values: dict[str, object] = {
        "voxels": np.arange(24.0).reshape(SHAPE),
        "masks": {"tumour": mask},
        "spacing_mm": (3.0, 0.75, 0.75),
    }
    return Volume(**(values | changes))  # type: ignore[arg-type]


def test_mask_marks_the_voxels_of_its_region() -> None:
    made = volume()
    assert made.voxels[made.mask("tumour") == 1].tolist() == [5.0, 6.0]


def test_unknown_region_names_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="unknown region 'tumor': did you mean 'tumour'"):
        volume().mask("tumor")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"voxels": np.zeros((3, 4))},
            r"a volume \(z, y, x\) with voxels; found the shape \(3, 4\)",
        ),
        ({"voxels": np.zeros((0, 3, 4))}, r"with voxels; found the shape \(0, 3, 4\)"),
        ({"voxels": np.full(SHAPE, np.nan)}, "expected finite voxels; found 24 NaN or infinite"),
        ({"spacing_mm": (3.0, 0.0, 1.0)}, "three positive voxel sizes in mm"),
        ({"spacing_mm": (3.0, np.nan, 1.0)}, "three positive voxel sizes in mm"),
        ({"spacing_mm": (3.0, 1.0)}, "three positive voxel sizes in mm"),
        ({"origin_mm": (0.0, np.inf, 0.0)}, "an origin of three numbers in mm"),
        ({"direction": (1.0, 0.0, 0.0)}, "nine direction cosines"),
        ({"direction": (1.0, 0.0, 0.0) * 3}, "nine direction cosines of three independent axes"),
        (
            {"masks": {"liver": np.zeros((2, 3, 5), dtype=int)}},
            r"mask 'liver': expected the image's shape \(2, 3, 4\); found \(2, 3, 5\)\. Resample",
        ),
        (
            {"masks": {"liver": np.full(SHAPE, 0.5)}},
            "mask 'liver': expected integer labels; found float64. Round it",
        ),
    ],
)
def test_what_has_no_place_in_space_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(GeometryError, match=message):
        volume(**changes)


def test_integer_voxels_bool_masks_and_flipped_axes_are_taken() -> None:
    made = volume(
        voxels=np.zeros(SHAPE, dtype=np.int16),
        masks={"liver": np.ones(SHAPE, dtype=bool)},
        direction=(-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0),
    )
    assert made.mask("liver").all()


def test_masks_cannot_be_exchanged() -> None:
    with pytest.raises(TypeError):
        volume().masks["tumour"] = np.zeros(SHAPE)  # type: ignore[index]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_a_volume_can_be_sent_to_another_process(copied) -> None:
    arrived = copied(volume())
    np.testing.assert_array_equal(arrived.mask("tumour"), volume().mask("tumour"))
    assert arrived.spacing_mm == (3.0, 0.75, 0.75)


def test_repr_of_a_volume_is_one_line_without_voxels() -> None:
    assert repr(volume()) == (
        "Volume(2 × 3 × 4 voxels of 3 × 0.75 × 0.75 mm (z, y, x); regions tumour)"
    )


def test_scan_loads_when_asked_and_not_before() -> None:
    calls = []

    def loader() -> Volume:
        calls.append("read")
        return volume()

    scan = Scan("A", "CT", loader, phase="arterial", regions=("tumour",))
    repr(scan), scan._repr_html_()
    assert calls == []
    assert scan.load().mask("tumour").sum() == 2
    assert calls == ["read"]


@pytest.mark.parametrize("patient", ["", " ", None, 5])
def test_scan_of_nobody_is_refused(patient: object) -> None:
    with pytest.raises(AlignmentError, match="scan: expected a patient identifier; found"):
        Scan(patient, "CT", volume)  # type: ignore[arg-type]


@pytest.mark.parametrize(("word", "near"), [("ct", "'CT'"), ("MRI", "'MR'"), ("PET", "'PT'")])
def test_modality_must_be_a_dicom_word(word: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=f"unknown modality '{word}': did you mean {near}"):
        Scan("A", word, volume)


def test_html_escapes_user_text(hostile: str, escaped: str) -> None:
    html = Scan(hostile, "CT", volume, hostile, hostile, (hostile,))._repr_html_()
    assert hostile not in html
    assert html.count(escaped) == 4
