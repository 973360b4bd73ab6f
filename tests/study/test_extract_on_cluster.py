from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from radiogenomics.imaging import ExtractionSettings
from radiogenomics.study.extract import extract

sitk = pytest.importorskip("SimpleITK", reason="needs the extra imaging")
pytest.importorskip("distributed", reason="needs the extra hpc")

SETTINGS = ExtractionSettings(bin_width=10)
SCANS = 16


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    lines = ["patient_id,image_path,mask_path"]
    mask = np.zeros((40, 40, 40), dtype=np.uint8)
    mask[5:35, 5:35, 5:35] = 1
    sitk.WriteImage(sitk.GetImageFromArray(mask), str(tmp_path / "mask.nii.gz"))
    for number in range(SCANS):
        voxels = rng.normal(60, 100, mask.shape).astype(np.int16)
        sitk.WriteImage(sitk.GetImageFromArray(voxels), str(tmp_path / f"{number}.nii.gz"))
        lines.append(f"P{number},{number}.nii.gz,mask.nii.gz")
    path = tmp_path / "scans.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers on loopback, each a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    log = (tmp_path / "cluster.log").open("wb")
    environment = {**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error"}
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", address]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"]
    worker += ["--no-nanny", "--local-directory", str(tmp_path)]
    commands = [scheduler, [*worker, "--name", "first"], [*worker, "--name", "second"]]
    processes = [
        subprocess.Popen([*command, "--no-dashboard"], stdout=log, stderr=log, env=environment)
        for command in commands
    ]
    yield address, processes[1:]
    for process in processes:
        process.kill()
        process.wait()
    log.close()


@pytest.mark.slow
def test_a_worker_killed_midway_changes_nothing(
    scans: Path, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, workers = cluster
    journal = tmp_path / "f.csv.journal"
    killed_after = []

    def kill_one() -> None:
        while not journal.exists() or journal.read_bytes().count(b"\n") < 4:
            time.sleep(0.01)
        workers[0].kill()
        killed_after.append(journal.read_bytes().count(b"\n") - 1)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    found = extract(scans=scans, settings=SETTINGS, out=tmp_path / "f.csv", dask=address)
    killer.join(timeout=10)
    assert workers[0].wait(timeout=10) != 0
    assert killed_after[0] < SCANS, "it died while there was work left"
    assert found.ok
    extract(scans=scans, settings=SETTINGS, out=tmp_path / "alone.csv", jobs=1)
    assert (tmp_path / "f.csv").read_bytes() == (tmp_path / "alone.csv").read_bytes()
