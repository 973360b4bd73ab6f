"""Every recipe on simulated cohorts of its design, kept between calls."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd
from joblib import Parallel, delayed

import radiogenomics
from radiogenomics.core.errors import RadiogenomicsError, UnknownNameError
from radiogenomics.core.log import progress
from radiogenomics.core.provenance import hash_file, hash_text, version
from radiogenomics.io.store import replaced_file
from radiogenomics.study.compare import SUMMARY
from radiogenomics.study.prediction.checks import candidate_count
from radiogenomics.study.prediction.schema import NetworkBlock, PredictionStudy
from radiogenomics.study.registry import CLAIMS, find_study, read_study, study_names
from radiogenomics.study.run import DEFAULT_SEED
from radiogenomics.study.simulated_asked import check_scale
from radiogenomics.study.simulated_run import RESULT, run_simulated

STAMP = "gallery.json"
PACKAGE = Path(radiogenomics.__file__).parent
# What the data of a study can do to its run; anything else is a mistake in the program.
FAILURES = (RadiogenomicsError, OSError, ValueError, RuntimeError, ArithmeticError, MemoryError)
NETWORK_EFFORT = 500
"""Variables whose selection takes about as long as a small network of simulated scans."""
COLUMNS = ("study", "status", "auc", "low", "high", "p", "external_auc", "seconds", "verdict")


def gallery(
    out: str | Path,
    *,
    studies: Sequence[str] | None = None,
    scale: float = 1.0,
    features: int | None = None,
    permutations: int | None = None,
    jobs: int = 1,
    seed: int = DEFAULT_SEED,
) -> pd.DataFrame:
    """Run recipes on simulated cohorts of their design, a process each.

    A study that was run before with the same recipe, claims, library, seed and size is not run
    again, so that a call that was cut off goes on where it stopped.

    Parameters
    ----------
    out
        Folder; each study gets one of its own name in it.
    studies
        Names; all shipped ones when not given.
    scale, features, permutations, seed
        As in :func:`radiogenomics.study.simulated_run.run_simulated`.
    jobs
        Studies at a time, one process each.

    Returns
    -------
    DataFrame
        ``study, status`` (``ran``, ``kept``, ``requires: ...``, ``failed: ...``), AUC of the
        cross-validation with interval and permutation p, that of the last external part, seconds
        and verdict; also written as ``gallery.csv``. A study that fails stops no other.

    Raises
    ------
    UnknownNameError
        There is no such study.
    DataError
        The scale is not above 0, to 1.
    """
    names = tuple(dict.fromkeys(studies or study_names()))
    for name in names:
        if name not in study_names():
            raise UnknownNameError("study", name, study_names())
    # The longest first: the last process to end is then not one that began late.
    names = tuple(sorted(names, key=_effort, reverse=True))
    check_scale(scale)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    asked = {"scale": scale, "features": features, "permutations": permutations, "seed": seed}
    work = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(
        delayed(_one)(name, folder / name, asked) for name in names
    )
    rows: Iterable[dict[str, Any]] = progress(work, "studies", total=len(names))
    table = pd.DataFrame(list(rows), columns=list(COLUMNS)).sort_values("study")
    table.to_csv(folder / "gallery.csv", index=False)
    return table.reset_index(drop=True)


def _effort(name: str) -> int:
    """How long a study takes, in no unit: patients times variables times cross-validations."""
    try:
        study = read_study(find_study(name))
    except RadiogenomicsError:  # told when its turn comes
        return 0
    if not isinstance(study, PredictionStudy):
        return 0
    training = next(iter(study.design.values())).patients.value
    networks = {n for n, block in study.blocks.items() if isinstance(block, NetworkBlock)}
    widths = [
        candidate_count(study, model) + NETWORK_EFFORT * len(networks & set(model.blocks.value))
        for model in study.models
    ]
    return training * (sum(widths) + study.evaluation.permutations.value * widths[0])


def _one(name: str, folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Run a study, or find it done; one that fails says so in its row and stops no other."""
    try:
        path = find_study(name)
        study = read_study(path)
        if study.requires:
            return {"study": name, "status": f"requires: {', '.join(study.requires)}"}
        key = _key(path, asked)
        kept = _kept(folder, key)
        if kept is not None:
            return {**kept, "status": "kept"}
        start = perf_counter()
        results = run_simulated(name, out=folder, jobs=1, **asked)
    except FAILURES as error:
        return {"study": name, "status": f"failed: {type(error).__name__}: {error}"}
    row = {"study": name, **_numbers(results.metrics), "verdict": results.verdict}
    row["seconds"] = round(perf_counter() - start, 1)
    with replaced_file(folder / STAMP) as draft:
        draft.write_text(json.dumps({"key": key, "row": row}), encoding="utf-8")
    return {**row, "status": "ran"}


def _kept(folder: Path, key: str) -> dict[str, Any] | None:
    """Row of an earlier run of the same, if all of it is there."""
    stamp = folder / STAMP
    if not (stamp.is_file() and (folder / RESULT / SUMMARY).is_file()):
        return None
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
    except ValueError:
        return None
    same = isinstance(found, dict) and found.get("key") == key
    row: dict[str, Any] | None = found["row"] if same else None
    return row


def _key(path: Path, asked: dict[str, Any]) -> str:
    """What a kept result depends on."""
    claims = path.with_name(CLAIMS)
    texts = [path.read_text(encoding="utf-8"), version(), json.dumps(asked, sort_keys=True)]
    texts += [hash_file(source) for source in sorted(PACKAGE.rglob("*.py"))]
    texts.append(claims.read_text(encoding="utf-8") if claims.is_file() else "")
    return hash_text("\n".join(texts))


def _numbers(metrics: Sequence[Any]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for metric in metrics:
        if metric.name != "auc":
            continue
        if metric.split.startswith("external"):
            found["external_auc"] = metric.value
        else:
            found |= {"auc": metric.value, "low": metric.low, "high": metric.high}
            found["p"] = metric.p_permutation
    return found
