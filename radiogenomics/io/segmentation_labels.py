"""Names of the values in label maps, as TotalSegmentator, nnU-Net and MONAI bundles give them.

References
----------
Wasserthal et al. 2023, doi:10.1148/ryai.230024 (TotalSegmentator; classes are those of version 2).
Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (nnU-Net).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from radiogenomics.core.errors import (
    MissingExtraError,
    MissingFileError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.io.images.volume_file import NIFTI

Labels = Mapping[str, tuple[int, ...]]
"""Region → values in the label map that are of it."""

HEADER_LABEL = re.compile(r'<Label\s[^>]*?Key="(\d+)"[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]+)')
# Codes of header extensions: TotalSegmentator's labels come under the first, Caret's the second.
LABEL_CODES = (0, 30)
WITHOUT_REGION = ("background", "ignore")

_ABDOMEN = (
    "spleen kidney_right kidney_left gallbladder liver stomach pancreas adrenal_gland_right "
    "adrenal_gland_left"
)
_VESSELS = (
    "inferior_vena_cava portal_vein_and_splenic_vein iliac_artery_left iliac_artery_right "
    "iliac_vena_left iliac_vena_right"
)
_LIMBS = (
    "humerus_left humerus_right scapula_left scapula_right clavicula_left clavicula_right "
    "femur_left femur_right hip_left hip_right"
)
_MUSCLES = (
    "gluteus_maximus_left gluteus_maximus_right gluteus_medius_left gluteus_medius_right "
    "gluteus_minimus_left gluteus_minimus_right autochthon_left autochthon_right iliopsoas_left "
    "iliopsoas_right"
)
_VERTEBRAE = " ".join(
    f"vertebrae_{part}{n}"
    for part, count in (("S", 1), ("L", 5), ("T", 12), ("C", 7))
    for n in range(count, 0, -1)
)
_RIBS = " ".join(f"rib_{side}_{n}" for side in ("left", "right") for n in range(1, 13))
_SEGMENTS = " ".join(f"liver_segment_{n}" for n in range(1, 9))
TOTALSEGMENTATOR_TASKS = MappingProxyType(
    {
        "total": f"{_ABDOMEN} lung_upper_lobe_left lung_lower_lobe_left lung_upper_lobe_right "
        "lung_middle_lobe_right lung_lower_lobe_right esophagus trachea thyroid_gland small_bowel "
        "duodenum colon urinary_bladder prostate kidney_cyst_left kidney_cyst_right sacrum "
        f"{_VERTEBRAE} heart aorta pulmonary_vein brachiocephalic_trunk subclavian_artery_right "
        "subclavian_artery_left common_carotid_artery_right common_carotid_artery_left "
        "brachiocephalic_vein_left brachiocephalic_vein_right atrial_appendage_left "
        f"superior_vena_cava {_VESSELS} {_LIMBS} spinal_cord {_MUSCLES} brain skull {_RIBS} "
        "sternum costal_cartilages",
        "total_mr": f"{_ABDOMEN} lung_left lung_right esophagus small_bowel duodenum colon "
        "urinary_bladder prostate sacrum vertebrae intervertebral_discs spinal_cord heart aorta "
        f"{_VESSELS} {_LIMBS} {_MUSCLES} brain",
        "liver_vessels": "liver_vessels liver_tumor",
        "liver_segments": _SEGMENTS,
        "liver_segments_mr": _SEGMENTS,
    }
)
"""Task of TotalSegmentator 2 → its classes in the order of their values, from 1."""


def totalsegmentator_labels(task: str = "total") -> Labels:
    """Return the classes of a task of TotalSegmentator, version 2, and their values.

    Version 1 numbers them otherwise; label maps that name their classes are checked against this.

    Raises
    ------
    UnknownNameError
        The task is not known here: let the tool write a file for each class.

    Examples
    --------
    >>> totalsegmentator_labels()["liver"], len(totalsegmentator_labels())
    ((5,), 117)
    """
    if task not in TOTALSEGMENTATOR_TASKS:
        raise UnknownNameError("task of TotalSegmentator", task, TOTALSEGMENTATOR_TASKS)
    return {name: (n,) for n, name in enumerate(TOTALSEGMENTATOR_TASKS[task].split(), start=1)}


def nnunet_labels(path: str | Path) -> Labels:
    """Read the labels of nnU-Net from ``dataset.json``, which it puts beside what it predicts.

    Labels that are regions of several values (region-based training) keep all of them.

    Raises
    ------
    MissingFileError, SchemaError
        There is no such file; it does not name labels.
    """
    place = Path(path)
    found = _json(place).get("labels")
    if not isinstance(found, dict) or not found:
        raise _no_labels(place, "named labels, as nnU-Net version 2 writes them")
    read = {str(name): tuple(listed(value)) for name, value in found.items()}
    if not all(
        isinstance(value, int) and value >= 0 for values in read.values() for value in values
    ):
        raise _no_labels(place, "whole numbers as labels, as nnU-Net version 2 has them")
    return {name: values for name, values in read.items() if name not in WITHOUT_REGION}


def bundle_labels(path: str | Path) -> Labels:
    """Read the labels of a MONAI bundle from its ``configs/metadata.json``.

    Raises
    ------
    MissingFileError, SchemaError
        There is no such file; it does not name the channels of its prediction.
    """
    place = Path(path)
    found: Any = _json(place)
    for word in ("network_data_format", "outputs", "pred", "channel_def"):
        found = found.get(word) if isinstance(found, dict) else None
    if not isinstance(found, dict) or not all(str(key).isdecimal() for key in found):
        raise _no_labels(place, "network_data_format.outputs.pred.channel_def with numbered names")
    made: dict[str, tuple[int, ...]] = {}
    for value, name in found.items():
        if int(value) and str(name) not in WITHOUT_REGION:
            made[str(name)] = (*made.get(str(name), ()), int(value))
    return made


def header_labels(path: Path) -> Labels | None:
    """Names of values that TotalSegmentator writes into the NIfTI header; None where it has none.

    Raises
    ------
    MissingExtraError
        nibabel is not installed.
    """
    if not path.name.lower().endswith(NIFTI):
        return None
    try:
        import nibabel
    except ImportError:
        raise MissingExtraError(
            "expected the package nibabel to read NIfTI headers; found none. "
            "Install it: pip install 'radiogenomics[imaging]'."
        ) from None
    try:
        header: Any = nibabel.load(path).header
        extensions = header.extensions
    except (OSError, ValueError, AttributeError, nibabel.filebasedimages.ImageFileError):
        # Whatever is wrong with it is said when its voxels are read.
        return None
    contents = (each.get_content() for each in extensions if each.get_code() in LABEL_CODES)
    texts = (text.decode("utf-8", "replace") for text in contents if isinstance(text, bytes))
    found: dict[str, tuple[int, ...]] = {}
    for value, name in (match for text in texts for match in HEADER_LABEL.findall(text)):
        if int(value):
            found[name.strip()] = (*found.get(name.strip(), ()), int(value))
    return found or None


def listed(made: Any) -> Iterable[Any]:
    """Return a list as it is, and anything else as the only one."""
    return made if isinstance(made, list) else [made]


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise MissingFileError(f"expected labels in {path}; found no such file. Check the path.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise _no_labels(path, "JSON") from None
    if not isinstance(found, dict):
        raise _no_labels(path, "a JSON object")
    return found


def _no_labels(path: Path, expected: str) -> SchemaError:
    return SchemaError(
        f"{path.name}: expected {expected}; found something else. "
        "Get the file again, or write a mapping with values."
    )
