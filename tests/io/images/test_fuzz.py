"""Damaged files: whatever is wrong with them, one of our errors says so and nothing else happens.

Bytes of small real and made files are overwritten, cut out or cut off, seeded. A crash of the
interpreter would end the test run.
"""

from __future__ import annotations

import io
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
import SimpleITK as sitk

from radiogenomics.core.errors import RadiogenomicsError, RadiogenomicsWarning
from radiogenomics.io.images import list_series, read_image, read_mask

ROUNDS = 40  # of each kind
HEADER = 1500  # bytes that are hit more often, since most of what is read lies there


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    found = bytearray(content)
    for _ in range(rng.integers(1, 10)):
        reach = len(found) if rng.random() < 0.5 else min(HEADER, len(found))
        if reach < 2:
            break
        place = int(rng.integers(reach))
        how = rng.random()
        if how < 0.7:
            found[place] = int(rng.integers(256))
        elif how < 0.8:
            del found[place : place + int(rng.integers(1, 40))]
        elif how < 0.88:
            del found[place:]
        else:
            found[place : place + 4] = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"9999")[place % 3]
    return bytes(found)


def volume(suffix: str) -> Callable[..., bytes]:
    def make(tmp_path: Path, scanner, stored) -> bytes:
        path = tmp_path / f"seed{suffix}"
        sitk.WriteImage(sitk.GetImageFromArray(stored.astype(np.float32)), str(path))
        return path.read_bytes()

    return make


def slice_of(modality: str) -> Callable[..., bytes]:
    def make(tmp_path: Path, scanner, stored) -> bytes:
        folder = scanner.write(tmp_path / "seed", stored, modality=modality)
        return (folder / "003.dcm").read_bytes()

    return make


def segmentation(tmp_path: Path, scanner, stored) -> bytes:
    folder = scanner.write(tmp_path / "seed", stored)
    return scanner.write_seg(tmp_path / "s.dcm", {"a": stored > 900}, folder).read_bytes()


def structures(tmp_path: Path, scanner, stored) -> bytes:
    corners = np.array([(-9.0, 21.0, -27.5), (-3.0, 21.0, -27.5), (-3.0, 27.0, -27.5)])
    return scanner.write_rtstruct(tmp_path / "s.dcm", {"a": [corners]}).read_bytes()


def compressed(tmp_path: Path, scanner, stored) -> bytes:
    return Path(pydicom.data.get_testdata_file("MR_small_RLE.dcm")).read_bytes()


def zipped(tmp_path: Path, scanner, stored) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as target:
        for file in scanner.write(tmp_path / "seed", stored).iterdir():
            target.write(file, f"scan/{file.name}")
    return content.getvalue()


def tarred(tmp_path: Path, scanner, stored) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as target:
        for file in scanner.write(tmp_path / "seed", stored).iterdir():
            target.add(file, f"scan/{file.name}")
    return content.getvalue()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (volume(".nii"), "x.nii"),
        (volume(".nii.gz"), "x.nii.gz"),
        (volume(".nrrd"), "x.nrrd"),
        (volume(".mha"), "x.mha"),
        (slice_of("CT"), "x.dcm"),
        (slice_of("MR"), "x.dcm"),
        (segmentation, "x.dcm"),
        (structures, "x.dcm"),
        (compressed, "x.dcm"),
        (zipped, "x.zip"),
        (tarred, "x.tar.gz"),
    ],
    ids="nii nii.gz nrrd mha ct mr seg rtstruct rle zip tar.gz".split(),
)
def test_damaged_file_gives_a_named_error_or_an_image(
    tmp_path: Path, scanner, stored, rng, make, name
) -> None:
    made = tmp_path / "made"
    made.mkdir()
    content = make(made, scanner, stored)
    image = read_image(scanner.write(tmp_path / "image", stored))
    path = tmp_path / name
    refused = 0
    for _ in range(ROUNDS):
        path.write_bytes(damaged(content, rng))
        for read in (
            lambda: read_image(path),
            lambda: list_series(path),
            lambda: read_mask(path, image=image),
            lambda: read_mask(path, image=image, repair="resample"),
        ):
            refused += _refused(read)
    assert refused > ROUNDS / 4


def test_damaged_slice_in_a_series(tmp_path: Path, scanner, stored, rng) -> None:
    folder = scanner.write(tmp_path / "ct", stored)
    path = folder / "003.dcm"
    content = path.read_bytes()
    refused = 0
    for _ in range(2 * ROUNDS):
        path.write_bytes(damaged(content, rng))
        refused += _refused(lambda: read_image(folder))
    assert refused > ROUNDS / 2


def _refused(read: Callable[[], object]) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        try:
            read()
        except RadiogenomicsError:
            return True
    return False
