"""What reading gives: an image in the patient's space, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from radiogenomics.core.scan import Volume
from radiogenomics.io.images.grid import Grid

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Header:
    """What a DICOM header says about how an image was made; nothing about whose it is.

    Parameters
    ----------
    modality
        DICOM word; empty where the file is no DICOM.
    description
        Words of the series description and the protocol name. Free text: never pass it on.
    contrast
        Whether a contrast agent is named; None where the tag is absent or empty.
    seconds_after_contrast
        From the start of the injection to the acquisition.
    temporal_position
        Number of the acquisition in a dynamic series, from 1.
    """

    modality: str = ""
    description: str = field(default="", repr=False)
    contrast: bool | None = None
    seconds_after_contrast: float | None = None
    temporal_position: int | None = None


@dataclass(frozen=True)
class Source:
    """Identifiers of the DICOM objects that an image came from, or that a mask refers to.

    They serve to tell whether the two belong together, and are never shown.
    """

    series: frozenset[str] = field(default=frozenset(), repr=False)
    frames_of_reference: frozenset[str] = field(default=frozenset(), repr=False)
    instances: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def known(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self.series or self.frames_of_reference or self.instances)

    def agrees_with(self, other: Source) -> bool:
        """Whether nothing speaks against one referring to the other.

        Shared instances settle it; else the first kind of identifier that both state decides.
        """
        if self.instances & other.instances:
            return True
        for kind in ("series", "instances", "frames_of_reference"):
            ours, theirs = getattr(self, kind), getattr(other, kind)
            if ours and theirs:
                return bool(ours & theirs)
        return True


@dataclass(frozen=True)
class ImageHead:
    """An image without its voxels.

    Parameters
    ----------
    name
        Of the file or folder, for messages.
    grid
        Where its voxels lie.
    header, source
        From DICOM; empty for other files.
    notes
        What was set aside or mended while reading.
    """

    name: str
    grid: Grid
    header: Header = Header()
    source: Source = Source()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Image(Volume):
    """A :class:`~radiogenomics.core.scan.Volume` that knows where it came from.

    Parameters
    ----------
    name
        Of the file or folder, for messages.
    header, source
        From DICOM; empty for other files.
    notes
        What was set aside or mended while reading.
    """

    name: str = "image"
    header: Header = Header()
    source: Source = Source()
    notes: tuple[str, ...] = ()

    @property
    def head(self) -> ImageHead:
        """All but the voxels."""
        return ImageHead(self.name, Grid.of(self), self.header, self.source, self.notes)


def image_of(head: ImageHead, voxels: Array) -> Image:
    """Put voxels to their head.

    Raises
    ------
    GeometryError
        A voxel is not finite, or the grid is none.
    """
    return Image(
        voxels=voxels,
        masks={},
        spacing_mm=head.grid.spacing_mm,
        origin_mm=head.grid.origin_mm,
        direction=head.grid.direction,
        name=head.name,
        header=head.header,
        source=head.source,
        notes=head.notes,
    )
