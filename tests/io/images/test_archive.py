from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from radiogenomics.core.errors import DataError, MissingFileError
from radiogenomics.io.images import archive as archives
from radiogenomics.io.images import read_image, read_mask
from radiogenomics.io.images.archive import opened

MODES = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.xz": "w:xz", ".tar.bz2": "w:bz2"}


def pack(path: Path, folder: Path, inside: str = "") -> Path:
    files = [(file, f"{inside}{file.relative_to(folder)}") for file in folder.rglob("*.dcm")]
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as target:
            for file, name in files:
                target.write(file, name)
    else:
        mode = next(m for suffix, m in MODES.items() if path.name.endswith(suffix))
        with tarfile.open(path, mode) as target:
            for file, name in files:
                target.add(file, name)
    return path


@pytest.mark.parametrize("suffix", [".zip", *MODES])
def test_archive_is_read_like_its_folder(tmp_path: Path, scanner, stored, suffix: str) -> None:
    folder = scanner.write(tmp_path / "ct", stored)
    path = pack(tmp_path / f"scan{suffix}", folder, "export/arterial/")
    for place in (path, path / "export", path / "export" / "arterial"):
        np.testing.assert_array_equal(read_image(place).voxels, stored - 1024)
    with pytest.raises(MissingFileError, match="did you mean export/arterial"):
        read_image(path / "export" / "arterail")


def test_places_inside_one_archive(tmp_path: Path, scanner, stored) -> None:
    image = read_image(scanner.write(tmp_path / "ct", stored))
    inside = np.where(stored > 1000, 255, 0).astype(np.uint8)

    def plain(data, z) -> None:
        data.RescaleIntercept = 0

    path = tmp_path / "masks.zip"
    for name, mask in (("liver", inside), ("tumour", 255 - inside)):
        pack(path, scanner.write(tmp_path / name, mask, edit=plain), f"MASKS/{name}/")
    found = read_mask(path / "MASKS" / "liver", image=image)
    np.testing.assert_array_equal(found, inside == 255)
    np.testing.assert_array_equal(read_mask(path / "MASKS/liver", image=image, label=255), found)
    with pytest.raises(DataError, match="found none, and 2 folders"):
        read_mask(path, image=image)
    single = read_image(path / "MASKS" / "tumour" / "003.dcm")
    np.testing.assert_array_equal(single.voxels[0], 255 - inside[2])


def hostile_zip(path: Path, name: str, *, link: bool = False) -> None:
    with zipfile.ZipFile(path, "w") as target:
        info = zipfile.ZipInfo(name)
        if link:
            info.external_attr = 0o120777 << 16
        target.writestr(info, b"/etc/hostname")


def hostile_tar(path: Path, name: str, *, kind: bytes = tarfile.REGTYPE) -> None:
    with tarfile.open(path, "w") as target:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/hostname"
        info.size = 4 if kind == tarfile.REGTYPE else 0
        target.addfile(info, io.BytesIO(b"evil"))


@pytest.mark.parametrize(
    "name", ["../evil.dcm", "a/../../evil.dcm", "/evil.dcm", "..\\evil.dcm", "C:\\evil.dcm"]
)
@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_members_that_climb_out(tmp_path: Path, suffix: str, name: str) -> None:
    path = tmp_path / "sub" / f"evil{suffix}"
    path.parent.mkdir()
    (hostile_zip if suffix == ".zip" else hostile_tar)(path, name)
    with pytest.raises(DataError, match="climbs out"):
        read_image(path)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == [path.name]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices(tmp_path: Path, kind: bytes) -> None:
    hostile_tar(tmp_path / "evil.tar", "slice.dcm", kind=kind)
    with pytest.raises(DataError, match="a link or a device"):
        read_image(tmp_path / "evil.tar")
    hostile_zip(tmp_path / "evil.zip", "slice.dcm", link=True)
    with pytest.raises(DataError, match="a link or a device"):
        read_image(tmp_path / "evil.zip")


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_bombs_are_refused_before_they_go_off(tmp_path: Path, suffix: str) -> None:
    zeros = tmp_path / "zeros"
    zeros.mkdir()
    for number in range(3):
        (zeros / f"{number}.dcm").write_bytes(bytes(1_000_000))
    path = pack(tmp_path / f"bomb{suffix}", zeros)
    assert path.stat().st_size < 20_000
    with (
        pytest.raises(DataError, match="unpacks to at most 0.00186 GiB"),
        opened(path, limit_bytes=2_000_000),
    ):
        pass
    with opened(path, limit_bytes=3_000_000) as folder:
        assert len(list(folder.iterdir())) == 3
    assert not folder.exists()


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 5)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as target:
        for number in range(6):
            target.writestr(str(number), b"")
    with pytest.raises(DataError, match="in 5 members; found more"):
        read_image(tmp_path / "many.zip")


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.xz", ".tar"])
def test_damaged_archives(tmp_path: Path, scanner, stored, suffix: str) -> None:
    path = pack(tmp_path / f"scan{suffix}", scanner.write(tmp_path / "ct", stored))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError):
        read_image(path)
    path.write_bytes(b"not an archive at all")
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_image(path)


def test_member_twice_and_empty_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as target:
        target.writestr("a.dcm", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            target.writestr("a.dcm", b"2")
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_image(tmp_path / "twice.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(DataError, match="empty.zip: expected files in it"):
        read_image(tmp_path / "empty.zip")
