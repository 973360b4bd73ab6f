"""Label maps of segmentation tools → named masks on the grid of their scan.

TotalSegmentator writes a file for each class, or one label map whose header names the classes;
nnU-Net a label map whose names stand in ``dataset.json``; a MONAI bundle one whose names stand in
``metadata.json``. Whose regions are to be called what is a user's YAML::

    regions:
      liver: [liver, liver_tumor]   # names of the tool, or values of the label map
      tumour: liver_tumor
    lesions: [tumour]               # objects are numbered by connection, 1 the largest

A region that the tool was asked for and did not find is an empty mask, and is named in ``empty``:
what measures it will refuse it. Masks that lie elsewhere than the scan are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from scipy import ndimage

from radiogenomics.core.errors import (
    MissingFileError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.scan import Volume
from radiogenomics.core.schema import Record, parse, read_yaml
from radiogenomics.io.images.grid import Grid
from radiogenomics.io.images.image import Image, ImageHead
from radiogenomics.io.images.mask import Mask, read_mask_with_notes
from radiogenomics.io.images.write import FORMATS, write_image
from radiogenomics.io.segmentation_labels import Labels, header_labels, listed

Array = np.ndarray[Any, np.dtype[Any]]


class RegionMapping(Record):
    """Which of a tool's labels make which region.

    Parameters
    ----------
    regions
        Region → one or several names of the tool, or values of its label map.
    lesions
        Regions whose objects are numbered by connection (voxels that share a face, an edge or a
        corner), 1 the largest. Others are 0 and 1, and whoever measures lesions tells them apart by
        connection, too. Numbers of two scans do not say that lesions are the same: features a
        lesion would be put into one column by them, so number only what is looked at scan by scan.
    """

    regions: dict[str, int | str | list[int | str]] = Field(min_length=1)
    lesions: tuple[str, ...] = ()

    def files(self) -> dict[str, tuple[str, ...]]:
        """Region → names of the tool, for tools that write a file for each."""
        return {region: tuple(map(str, listed(made))) for region, made in self.regions.items()}

    def labels(self, known: Labels | None, *, where: str) -> Labels:
        """Region → values, the tool's names looked up in its labels.

        Raises
        ------
        UnknownNameError
            The tool has no such name.
        SchemaError
            A name is given where the tool's names are not known, or a value is not above 0.
        """
        return {
            region: tuple(v for part in listed(made) for v in _values(part, known, where=where))
            for region, made in self.regions.items()
        }


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a tool found in a scan.

    Parameters
    ----------
    masks
        Region → integers (z, y, x) on the scan's grid; 0 is outside.
    empty
        Regions without a voxel.
    notes
        What was set aside, mended or taken at its word while reading.
    """

    masks: Mapping[str, Array] = field(repr=False)
    empty: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def onto(self, volume: Volume) -> Volume:
        """Return the scan with these masks; they replace its own of the same names."""
        return replace(volume, masks={**volume.masks, **self.masks})


def read_region_mapping(path: str | Path) -> RegionMapping:
    """Read a YAML file that says which labels make which region.

    Raises
    ------
    MissingFileError, SchemaError
        There is no such file; it is not what :class:`RegionMapping` holds, or names a lesion that
        is no region.
    """
    place = Path(path)
    found = parse(RegionMapping, read_yaml(place), where=place.name)
    for lesion in found.lesions:
        if lesion not in found.regions:
            raise SchemaError(
                f"{place.name}, lesions: expected some of {short_list(found.regions)}; found "
                f"{lesion!r}. Add it to regions, or take it out."
            )
    return found


def read_segmentation(
    path: str | Path,
    *,
    image: Volume | ImageHead,
    labels: Labels | None = None,
    mapping: RegionMapping | None = None,
) -> Segmentation:
    """Read what a tool wrote, and bring it into named masks.

    Parameters
    ----------
    path
        A label map (NIfTI, NRRD, MHA), or a folder with one file a class, named after it.
    image
        The scan that was segmented.
    labels
        The tool's names of the values of its label map; None: those in the header, where it has
        some. Not for folders, whose files say it.
    mapping
        Which labels make which region; None: each label is a region of its name, all of them.

    Raises
    ------
    MissingFileError
        There is nothing at that path, or a folder lacks the file of a class.
    GeometryError
        A mask lies on another grid than the scan.
    SchemaError
        Nothing names the values; the label map has values that have no name, or its header names
        them otherwise: it is of another task or version.
    UnknownNameError
        A mapping asks for what the tool does not have.
    DataError, MissingExtraError
        As :func:`radiogenomics.io.images.read_mask`.
    """
    place = Path(path)
    if not place.exists():
        raise MissingFileError(f"expected a segmentation at {place}; found none. Check the path.")
    head = image if isinstance(image, ImageHead) else head_of(image)
    found, notes = (_from_folder if place.is_dir() else _from_map)(place, head, labels, mapping)
    lesions = mapping.lesions if mapping is not None else ()
    masks = {
        region: _numbered(inside) if region in lesions else inside.astype(np.uint8)
        for region, inside in found.items()
    }
    empty = tuple(region for region, inside in found.items() if not inside.any())
    return Segmentation(masks, empty, tuple(dict.fromkeys(notes)))


def write_masks(folder: str | Path, masks: Mapping[str, Array], *, grid: Volume) -> dict[str, Path]:
    """Write each mask as ``<region>.nii.gz``, as manifests name masks; return region → file.

    Raises
    ------
    MissingFileError, GeometryError, MissingExtraError
        As :func:`radiogenomics.io.images.write_image`.
    """
    files = {region: Path(folder) / f"{region}.nii.gz" for region in masks}
    for region, mask in masks.items():
        write_image(files[region], mask, grid=grid)
    return files


def head_of(volume: Volume, *, name: str = "the scan") -> ImageHead:
    """Where a volume lies, as reading a mask wants to know it."""
    return volume.head if isinstance(volume, Image) else ImageHead(name, Grid.of(volume))


def _from_map(
    path: Path, image: ImageHead, labels: Labels | None, mapping: RegionMapping | None
) -> tuple[dict[str, Array], list[str]]:
    """Regions of one label map."""
    stated = header_labels(path)
    known = _agreed(path.name, labels, stated)
    if mapping is None and known is None:
        raise SchemaError(
            f"{path.name}: expected names for its values; found none in the header. Give the "
            "tool's labels, or a mapping of regions."
        )
    wanted = known if mapping is None else mapping.labels(known, where=path.name)
    mask = read_mask_with_notes(path, image=image)
    notes = list(mask.notes)
    named = {value for values in (known or wanted or {}).values() for value in values}
    strange = sorted(set(map(int, np.unique(mask.voxels))) - named - {0})
    if strange and known is not None:
        raise SchemaError(
            f"{path.name}: expected the values of {len(named)} labels; found "
            f"{short_list(strange)}, which have no name. "
            "It is of another task, version or dataset: give its labels."
        )
    if strange:
        notes.append(f"values {short_list(strange)} are of no region and were left out")
    return {name: np.isin(mask.voxels, values) for name, values in (wanted or {}).items()}, notes


def _from_folder(
    path: Path, image: ImageHead, labels: Labels | None, mapping: RegionMapping | None
) -> tuple[dict[str, Array], list[str]]:
    """Regions of a folder with one file a class."""
    if labels is not None:
        raise SchemaError(
            f"{path.name}: expected no labels for a folder, whose files are named after their "
            f"classes; found {len(labels)}. Leave them out."
        )
    files = {_stem(file): file for file in sorted(path.iterdir()) if _stem(file)}
    if not files:
        raise MissingFileError(
            f"expected masks ({', '.join(FORMATS)}) in {path}; found none. Check the tool's output."
        )
    wanted = {name: (name,) for name in files} if mapping is None else mapping.files()
    read: dict[str, Mask] = {}
    for name in dict.fromkeys(name for names in wanted.values() for name in names):
        if name not in files:
            raise MissingFileError(
                f"expected the file of {name!r} in {path}; found {short_list(files)}. Ask the tool "
                "for this class, or correct the mapping."
            )
        read[name] = read_mask_with_notes(files[name], image=image)
    regions = {
        region: np.any([read[name].voxels > 0 for name in names], axis=0)
        for region, names in wanted.items()
    }
    return regions, [note for mask in read.values() for note in mask.notes]


def _agreed(name: str, given: Labels | None, stated: Labels | None) -> Labels | None:
    """Labels that are given, unless the file's own say something else."""
    if given is None or stated is None:
        return given if stated is None else stated
    names = {value: label for label, values in given.items() for value in values}
    other = [
        f"{value} is {label!r}, not {names.get(value)!r}"
        for label, values in stated.items()
        for value in values
        if names.get(value) != label
    ]
    if other:
        raise SchemaError(
            f"{name}: expected a header that names values as the labels given do; found that "
            f"{short_list(other, limit=3)}. It is of another task or version: leave the labels out."
        )
    return given


def _numbered(inside: Array) -> Array:
    """Objects numbered by connection, 1 the largest; of equal ones, the first in the array."""
    objects, count = ndimage.label(inside, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(objects.ravel(), minlength=count + 1)[1:]
    rank = np.zeros(count + 1, dtype=np.int32)
    rank[1 + np.argsort(-sizes, kind="stable")] = np.arange(1, count + 1)
    numbered: Array = rank[objects]
    return numbered


def _values(part: int | str, known: Labels | None, *, where: str) -> tuple[int, ...]:
    if isinstance(part, int):
        if part < 1:
            raise SchemaError(
                f"{where}: expected values above 0 for regions; found {part}. 0 is outside."
            )
        return (part,)
    if known is None:
        raise SchemaError(
            f"{where}: expected values for regions, as nothing names them; found {part!r}. "
            "Write the value, or give the tool's labels."
        )
    if part not in known:
        raise UnknownNameError(f"label of {where}", part, known)
    return known[part]


def _stem(path: Path) -> str:
    """Name of a mask file without its ending; empty for other files."""
    ending = next((e for e in sorted(FORMATS, key=len)[::-1] if path.name.endswith(e)), None)
    return "" if ending is None or path.name.startswith(".") else path.name.removesuffix(ending)
