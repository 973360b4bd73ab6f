"""How near the simulated studies come to their targets, and how long they take to write.

``python benchmarks/simulated_truth.py`` prints, for each shipped recipe of a prediction study, the
target of its design and the AUC (or Harrell's C) of the true score of many patients, over seeds;
then what some blocks of LWCTR's design show, and the seconds that whole studies take. Numbers are
those of the machine and the moment; tests/simulate/test_study_shipped.py holds the first table to a
limit.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from lifelines.utils import concordance_index
from sklearn.metrics import roc_auc_score

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.simulate.study_design import StudyDesign, TimeLabel
from radiogenomics.simulate.study_people import draw_people
from radiogenomics.simulate.study_truth import calibrate, discrimination_of
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.simulated import design_of, simulate_study
from radiogenomics.study.registry import find_study, read_study, study_names

LWCTR = "lwctr2025_os12_ct"
BASELINE = ("pre_a", "pre_v")
SCANS = (*BASELINE, "post_a", "post_v")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=40_000)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--no-files", action="store_true", help="write no whole study")
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore", RadiogenomicsWarning)
    studies = {name: read_study(find_study(name)) for name in study_names()}
    recipes = {name: one for name, one in studies.items() if isinstance(one, PredictionStudy)}
    _print_truths(recipes, patients=asked.patients, seeds=asked.seeds)
    _print_blocks(recipes[LWCTR])
    if not asked.no_files:
        _print_seconds(recipes)


def true_scores(design: StudyDesign, *, patients: int, seeds: int) -> list[float]:
    """AUC, or C-index, of the true score in a training part of many patients, seed by seed."""
    truth, part = calibrate(design), design.training
    if part.positives is not None:
        part = replace(part, positives=round(part.positives / part.patients * patients))
    part = replace(part, patients=patients)
    found = []
    for seed in range(seeds):
        drawn = draw_people(design, truth, part, rng=np.random.default_rng(seed))
        if isinstance(design.label, TimeLabel):
            seen = drawn.outcomes[design.label.endpoint]
            score = drawn.score if design.better else -drawn.score
            found.append(concordance_index(seen["months"], score, seen["event"]))
        else:
            found.append(roc_auc_score(drawn.positive, drawn.score))
    return found


def _print_truths(recipes: dict[str, PredictionStudy], *, patients: int, seeds: int) -> None:
    print(f"True score of {patients:,} patients, {seeds} seeds\n")
    print("| study | target | mean | furthest of a seed |\n| --- | ---: | ---: | ---: |")
    for name, recipe in recipes.items():
        design = design_of(recipe, features=30)
        found = np.array(true_scores(design, patients=patients, seeds=seeds))
        furthest = np.abs(found - design.target).max()
        print(f"| {name} | {design.target:.3f} | {found.mean():.4f} | {furthest:.4f} |", flush=True)


def _print_blocks(recipe: PredictionStudy) -> None:
    design = design_of(recipe)
    truth, still = calibrate(design), replace(design, change=False)
    baseline, scans = (discrimination_of(design, truth, blocks=each) for each in (BASELINE, SCANS))
    without = calibrate(still).discrimination
    print(f"\n{LWCTR}: both baseline blocks {baseline:.3f}, all four scans {scans:.3f}")
    print(f"all blocks without change at follow-up {without:.3f}")


def _print_seconds(recipes: dict[str, PredictionStudy]) -> None:
    print("\n| study | patients | files, MB | seconds |\n| --- | ---: | ---: | ---: |")
    for name, recipe in recipes.items():
        with TemporaryDirectory() as folder:
            start = time.perf_counter()
            simulate_study(recipe, folder)
            took = time.perf_counter() - start
            size = sum(path.stat().st_size for path in Path(folder).rglob("*.*")) / 1e6
        patients = sum(part.patients.value for part in recipe.design.values())
        print(f"| {name} | {patients:,} | {size:.0f} | {took:.1f} |", flush=True)


if __name__ == "__main__":
    main()
