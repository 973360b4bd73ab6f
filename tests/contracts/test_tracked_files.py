"""What stands in the repository: no addresses in constraints, no machine's paths, no data."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
MAX_KIB = 1024

# A path of the machine it was written on. The roots stand apart from the slashes, so that this file
# does not break its own rule.
ROOTS = ("work", "root", "tmp", "home", "Users", "opt", "mnt", "private")
MACHINE_PATH = re.compile(rf"(?:^|[^A-Za-z0-9_.~-])/(?:{'|'.join(ROOTS)})/[A-Za-z0-9.]")


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Files git tracks or would track: everything but what is ignored."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    paths = [CHECKOUT / name for name in listing.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def text_of(path: Path) -> str:
    """The text, or nothing when the file is binary."""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8", errors="replace")


def test_machine_path_is_recognised() -> None:
    for root in ROOTS:
        assert MACHINE_PATH.search(f"see '/{root}/a/b.csv'")
    assert not MACHINE_PATH.search("https://example.org/home/a and ../shared/data and out/opt/x")


def test_no_machine_paths(tracked: list[Path]) -> None:
    offences = [
        f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()[:80]}"
        for path in tracked
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert not offences, "\n".join(offences)


def test_no_data_and_nothing_big(tracked: list[Path]) -> None:
    big = [str(p.relative_to(CHECKOUT)) for p in tracked if p.stat().st_size > MAX_KIB * 1024]
    assert not big
    images = (".dcm", ".nii", ".nii.gz", ".nrrd", ".parquet", ".h5ad", ".h5mu", ".zarr")
    assert not [str(path.relative_to(CHECKOUT)) for path in tracked if path.name.endswith(images)]


def test_constraints_are_plain_pins() -> None:
    lines = (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    pin = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][A-Za-z0-9.+]*")
    odd = [line for line in pins if not pin.fullmatch(line)]
    assert not odd, "one normalised name and one version a line, no addresses and no options"
    names = [line.split("==")[0] for line in pins]
    assert names == sorted(set(names))
