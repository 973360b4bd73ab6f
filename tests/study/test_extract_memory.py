from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sitk = pytest.importorskip("SimpleITK", reason="needs the extra imaging")

# Resident memory after 20 and after 100 scans, measured in one process of its own.
CODE = """
import sys
from radiogenomics.imaging import settings_preset
from radiogenomics.io.scan_list import read_scan_list
from radiogenomics.study.measure import Plan, Work, measure

def resident():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * 4096

rows = read_scan_list(sys.argv[1])
plan = Plan(settings_preset("lwctr"))
for number, row in enumerate(rows, start=1):
    found = measure(Work(row, plan))
    assert not found.error, found.reason
    if number in (20, 100):
        print(resident())
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_memory_does_not_grow_with_the_number_of_scans(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    z, y, x = np.indices((64,) * 3) - 31.5
    mask = (z**2 + y**2 + x**2 < 20**2).astype(np.uint8)
    for name in range(4):
        voxels = rng.normal(60, 60, mask.shape).astype(np.int16)
        sitk.WriteImage(sitk.GetImageFromArray(voxels), str(tmp_path / f"{name}.mha"))
    sitk.WriteImage(sitk.GetImageFromArray(mask), str(tmp_path / "mask.mha"))
    lines = ["patient_id,image_path,mask_path"]
    lines += [f"P{n},{n % 4}.mha,mask.mha" for n in range(100)]
    (tmp_path / "scans.csv").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path / "scans.csv")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    early, late = map(int, done.stdout.split())
    # 80 scans more; one scan's voxels in double precision are 2 MB.
    assert late - early < 8e6, f"{early / 1e6:.0f} MB after 20 scans, {late / 1e6:.0f} after 100"
