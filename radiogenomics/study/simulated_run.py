"""A recipe on simulated cohorts of its own design: files, command and report as for real ones."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from radiogenomics.core.errors import DataError
from radiogenomics.core.log import get_logger
from radiogenomics.core.schema import read_yaml
from radiogenomics.study.demo import write_demo_data
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.simulated import simulate_study
from radiogenomics.study.registry import AnyStudy, find_study, read_study
from radiogenomics.study.results import Results
from radiogenomics.study.run import DEFAULT_SEED, run
from radiogenomics.study.simulated_asked import Asked

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

    The true model of these patients reaches the published AUC; the question is what the recipe
    reaches of it with the paper's numbers of patients and features. Scans and networks are small.

    Parameters
    ----------
    study, legacy, permutations, jobs, seed
        As in :func:`radiogenomics.study.run`.
    out
        Folder that will hold ``data/`` (one cohort a part of the design) and ``result/``.
    scale, features
        Share of the paper's patients, above 0 to 1; most variables of each block, as many as the
        paper measured when not given. Of prediction studies: a surrogate study has fixed numbers.
    change, effect
        False takes the longitudinal effect out, so that later scans say nothing that earlier ones
        do not; or every effect.

    Raises
    ------
    DataError
        The scale is out of range; ``out`` holds data that were not simulated.
    StudyError
        The recipe requires what is not there yet; or as :func:`radiogenomics.study.run` raises.
    """
    recipe = read_study(find_study(study))
    asked = Asked(scale, features, change, effect)
    asked.check(recipe)
    data = Path(out) / DATA
    _make_room(data)
    get_logger(__name__).info("simulating the cohorts of %s", recipe.study)
    manifests = _drawn(recipe, data, asked=asked, jobs=jobs or os.cpu_count() or 1, seed=seed)
    return run(
        study,
        cohort=manifests,
        out=data.with_name(RESULT),
        legacy=legacy,
        permutations=permutations,
        jobs=jobs,
        seed=seed,
        simulated=True,
    )


def _drawn(recipe: AnyStudy, data: Path, *, asked: Asked, jobs: int, seed: int) -> tuple[Path, ...]:
    """Write the cohorts of a recipe's design; their manifests."""
    if not isinstance(recipe, PredictionStudy):
        return write_demo_data(data, effect=float(asked.effect), jobs=jobs, seed=seed)
    return simulate_study(
        recipe,
        data,
        seed=seed,
        scale=asked.scale,
        features=asked.features,
        change=asked.change,
        effect=asked.effect,
        jobs=jobs,
    )


def _make_room(data: Path) -> None:
    """Make the folder, clear of what an earlier simulation wrote; nothing else is removed."""
    data.mkdir(parents=True, exist_ok=True)
    found = sorted(data.iterdir())
    for part in found:
        if not (_was_simulated(part) or _was_cut_off(part)):
            raise DataError(
                f"expected only simulated cohorts in {data}; found {part.name}, which is none. "
                "Choose another output folder."
            )
    for part in found:
        shutil.rmtree(part)


def _was_simulated(part: Path) -> bool:
    manifest = part / "manifest.yaml"
    return manifest.is_file() and read_yaml(manifest).get("simulated") is True


def _was_cut_off(part: Path) -> bool:
    """True of the hidden draft of a cohort whose writing was stopped from outside."""
    return part.is_dir() and part.name.startswith(".") and part.suffix == ".partial"
