"""The main job on the embedded default: two simulated cohorts, written as files and read back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from radiogenomics import simulate
from radiogenomics.core.log import get_logger
from radiogenomics.core.schema import read_yaml
from radiogenomics.study.results import Results
from radiogenomics.study.run import DEFAULT_SEED, run

STUDY = "jtm2025_irs_ctmr"
DISCOVERY_PATIENTS = 160
EXTERNAL_PATIENTS = 120


def demo(
    out: str | Path = "radiogenomics-demo",
    *,
    effect: float = 1.0,
    jobs: int | None = None,
    seed: int = DEFAULT_SEED,
) -> Results:
    """Simulate a CT cohort of two sites and an MR cohort of a third, and run the KPNA2/SMG5 recipe.

    Parameters
    ----------
    out
        Folder that will hold ``data/`` (what a user brings) and ``result/`` (what a run gives).
    effect
        Strength of the links from molecules to images and outcomes; 0 is a null world.
    jobs, seed
        As in :func:`radiogenomics.study.run`.
    """
    folder = Path(out)
    manifests = write_demo_data(folder / "data", effect=effect, jobs=jobs, seed=seed)
    return run(STUDY, cohort=manifests, out=folder / "result", jobs=jobs, seed=seed)


def write_demo_data(
    folder: Path, *, effect: float, jobs: int | None, seed: int
) -> tuple[Path, Path]:
    """Write the two simulated cohorts as files with their manifests, discovery first."""
    folder.mkdir(parents=True, exist_ok=True)
    get_logger(__name__).info("simulating %d patients", DISCOVERY_PATIENTS + EXTERNAL_PATIENTS)
    designs = (
        ("simulated_ct", DISCOVERY_PATIENTS, ("north", "south"), "CT"),
        ("simulated_mr", EXTERNAL_PATIENTS, ("west",), "MR"),
    )
    manifests = []
    for stream, (name, size, sites, modality) in enumerate(designs):
        _remove_earlier(folder / name)
        world = simulate.hcc_cohort(
            size,
            effect=effect,
            sites=sites,
            modality=modality,
            id=name,
            n_normals=20 if stream == 0 else 0,
            rng=np.random.default_rng([seed, stream]),
        )
        manifests.append(
            simulate.write_cohort(world, folder / name, jobs=jobs or os.cpu_count() or 1)
        )
    return manifests[0], manifests[1]


def _remove_earlier(folder: Path) -> None:
    """Clear what an earlier demonstration wrote, and nothing else."""
    manifest = folder / "manifest.yaml"
    if manifest.is_file() and read_yaml(manifest).get("simulated") is True:
        shutil.rmtree(folder)
