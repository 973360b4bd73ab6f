"""Scans from files: images and masks of any usual format, in one physical space."""

from radiogenomics.io.images.dicom_series import Series
from radiogenomics.io.images.image import Header, Image, ImageHead
from radiogenomics.io.images.mask import Mask, check_mask, read_mask, read_mask_with_notes
from radiogenomics.io.images.phase import PhaseGuess, check_phase, guess_phase, organ_means
from radiogenomics.io.images.reading import list_series, read_image, read_image_head
from radiogenomics.io.images.write import write_image

__all__ = [
    "Header",
    "Image",
    "ImageHead",
    "Mask",
    "PhaseGuess",
    "Series",
    "check_mask",
    "check_phase",
    "guess_phase",
    "list_series",
    "organ_means",
    "read_image",
    "read_image_head",
    "read_mask",
    "read_mask_with_notes",
    "write_image",
]
