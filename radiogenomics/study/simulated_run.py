"""A recipe on simulated cohorts of its own design: files, command and report as for real ones."""

from __future__ import annotations

import shutil
from pathlib import Path

from radiogenomics.core.errors import DataError
from radiogenomics.core.log import get_logger
from radiogenomics.core.schema import read_yaml
from radiogenomics.study.demo import write_demo_data
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.simulated import simulate_study
from radiogenomics.study.registry import find_study, read_study
from radiogenomics.study.results import Results
from radiogenomics.study.run import DEFAULT_SEED, run

DATA, RESULT = "data", "result"


def run_simulated(
    study: str | Path,
    *,
    out: str | Path,
    scale: float = 1.0,
    features: int | None = None,
    change: bool = True,
    effect: bool = True,
    legacy: bool = False,
    permutations: int | None = None,
    jobs: int | None = None,
    seed: int = DEFAULT_SEED,
) -> Results:
    """Simulate cohorts with a study's design, and run its recipe on them.

    The true model of the simulated patients reaches the published AUC; what the recipe reaches of
    it with the paper's numbers of patients and features is the question.

    Parameters
    ----------
    study
        Path of a recipe (file or folder) or the name of a shipped one.
    out
        Folder that will hold ``data/`` (one cohort a part of the design) and ``result/``.
    scale
        Share of the paper's patients.
    features
        Most variables of each block; as many as the paper measured when not given.
    change, effect
        False takes the longitudinal effect out, so that later scans say nothing that earlier ones
        do not; or every effect.
    legacy, permutations, jobs, seed
        As in :func:`radiogenomics.study.run`.

    Raises
    ------
    DataError
        ``out`` holds data that were not simulated.
    RadiogenomicsError
        As :func:`radiogenomics.study.run` raises.
    """
    recipe = read_study(find_study(study))
    data = Path(out) / DATA
    _make_room(data)
    get_logger(__name__).info("simulating the cohorts of %s", recipe.study)
    if isinstance(recipe, PredictionStudy):
        manifests = simulate_study(
            recipe, data, seed=seed, scale=scale, features=features, change=change, effect=effect
        )
    else:
        manifests = write_demo_data(data, effect=float(effect), jobs=jobs, seed=seed)
    return run(
        study,
        cohort=manifests,
        out=data.with_name(RESULT),
        legacy=legacy,
        permutations=permutations,
        jobs=jobs,
        seed=seed,
    )


def _make_room(data: Path) -> None:
    """Make the folder, clear of what an earlier simulation wrote; nothing else is removed."""
    data.mkdir(parents=True, exist_ok=True)
    for part in sorted(data.iterdir()):
        manifest = part / "manifest.yaml"
        if not (manifest.is_file() and read_yaml(manifest).get("simulated") is True):
            raise DataError(
                f"expected only simulated cohorts in {data}; found {part.name}, which is none. "
                "Choose another output folder."
            )
        shutil.rmtree(part)
