"""The networks of a recipe, each trained on all patients of one cohort: for use, not for judging.

A network knows the patients whom it learnt from. What it says of them tells nothing about new ones:
``radiogenomics run`` trains the same networks inside folds, and gives the figures of patients whom
they have not seen.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    DataError,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.log import get_logger
from radiogenomics.core.provenance import hash_file, hash_text, versions
from radiogenomics.core.scan_arrays import ROW, ScanArrays
from radiogenomics.core.weight_file import read_weights, write_weights
from radiogenomics.io.store import replaced_file
from radiogenomics.models.survival_beyond import EVENT_FREE, SurvivalBeyond
from radiogenomics.study.cohorts import load_cohorts
from radiogenomics.study.prediction.deep_blocks import check_deep, share_aside
from radiogenomics.study.prediction.inputs import Views
from radiogenomics.study.prediction.labels import TimeLabel
from radiogenomics.study.prediction.reading import Reading
from radiogenomics.study.prediction.schema import NetworkBlock, PredictionStudy
from radiogenomics.study.prediction.tasks import BeyondTask, LabelTask, Task, task_of
from radiogenomics.study.prediction.time_task import TimeTask
from radiogenomics.study.registry import find_study, read_study

if TYPE_CHECKING:
    from radiogenomics.models.deep.multi_instance.bags import Bags
    from radiogenomics.study.prediction.networks import Learner

_LOG = get_logger(__name__)

MARKER, CHECKPOINTS = "training.json", "checkpoints"
FEWEST = 20
SEEN_ALL = (
    "These networks have seen all these patients: what they say of them is too good. The figures "
    "of patients not seen are those of `radiogenomics run`."
)


@dataclass(frozen=True, eq=False)
class Trained:
    """Networks that were trained.

    Parameters
    ----------
    table
        One row a network: ``block, network, patients, put_aside, epochs, best_epoch, file``.
    history
        One row an epoch of each, with its losses; the score is that of the patients put aside, by
        which the epoch was chosen: too good, too.
    cohort
        Its id.
    folder
        Where the weights are.
    """

    table: pd.DataFrame
    history: pd.DataFrame
    cohort: str
    folder: Path

    def summary(self) -> dict[str, Any]:
        """Return what programs read: the content of ``summary.json``."""
        return {
            "cohort": self.cohort,
            "folder": str(self.folder),
            "networks": json.loads(self.table.to_json(orient="records")),
            "out_of_sample": False,
            "note": SEEN_ALL,
        }

    def __str__(self) -> str:
        """Return each network, where it is, and what it must not be used for."""
        lines = [
            f"{row['block']}: {row['network']}, {row['patients']} patients of {self.cohort} "
            f"({row['put_aside']} put aside), epoch {row['best_epoch']} of {row['epochs']} → "
            f"{self.folder / row['file']}"
            for _, row in self.table.iterrows()
        ]
        return "\n".join([*lines, SEEN_ALL])

    def __repr__(self) -> str:
        """Return the networks and the place in one line."""
        return f"Trained({short_list(self.table['block'])} on {self.cohort}; {self.folder})"


def train(
    study: str | Path,
    *,
    cohort: str | Path,
    out: str | Path,
    block: list[str] | None = None,
    weights: Mapping[str, str | Path] | None = None,
    simulated: bool = False,
    device: str = "auto",
    data_root: str | Path | None = None,
    jobs: int | None = None,
    seed: int = 0,
) -> Trained:
    """Train the networks of a recipe on all patients of a cohort who have scans and the label.

    The same words into the same folder go on after a kill, bit by bit as without on a CPU with as
    many threads; networks that are done are not trained again.

    Parameters
    ----------
    study, cohort
        Recipe with blocks of ``kind: network``; manifest. By path or name.
    out
        Folder: ``<block>.safetensors`` with its card, ``history.csv``, and ``checkpoints`` with
        logs that TensorBoard reads.
    block
        Which networks; all if None.
    weights
        Encoder preset → file of its weights, for networks over slices.
    simulated
        The scans are those of a simulated study: networks as small as ``simulation.scans`` says.
    device, seed
        ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``; of all that is random.
    data_root, jobs
        As in :func:`radiogenomics.run`; processes that cut scans.
    """
    plan, text = _plan(find_study(study), simulated=simulated)
    blocks = _networks(plan, block)
    _refuse_others(folder := Path(out))
    (found,), hashes = load_cohorts([cohort], data_root)
    alone = plan.model_copy(update={"blocks": blocks})
    check_deep(alone, [found], simulated=simulated, weights=weights or {})
    asked = {"study": plan.study, "recipe": hash_text(text), "cohort": found.id, "seed": seed}
    asked |= {"simulated": simulated, "inputs": hashes}
    asked |= {"weights": {name: hash_file(Path(file)) for name, file in (weights or {}).items()}}
    target = _known(task_of(plan, found))
    reading = Reading(jobs=jobs or os.cpu_count() or 1, seed=seed, weights=weights or {})
    trained = _Training(plan, target, folder, device, seed)
    views = _views(found, blocks, reading)
    # Not earlier: a refused cohort must not occupy the folder.
    _open(folder, asked)
    done = [trained.one(found, name, blocks[name], scans=views[name]) for name in blocks]
    table = pd.DataFrame([row for row, _ in done])
    history = pd.concat([part for _, part in done], ignore_index=True)
    result = Trained(table, history, found.id, folder)
    _write_csv(folder / "history.csv", history)
    _write_json(folder / "summary.json", {**result.summary(), "versions": versions()})
    return result


def _plan(recipe: Path, *, simulated: bool) -> tuple[PredictionStudy, str]:
    """The recipe, checked, and its text."""
    plan = read_study(recipe)
    if not isinstance(plan, PredictionStudy):
        raise StudyError(
            f"{recipe.name}: expected a recipe of a prediction study with networks; found another "
            "kind. Choose another recipe: radiogenomics study list."
        )
    plan.require_nothing()
    if simulated:
        from radiogenomics.study.prediction.scans import as_simulated

        plan = as_simulated(plan)
    return plan, recipe.read_text(encoding="utf-8")


def _networks(plan: PredictionStudy, names: Sequence[str] | None) -> dict[str, NetworkBlock]:
    """Blocks to train, by name."""
    there = {n: block for n, block in plan.blocks.items() if isinstance(block, NetworkBlock)}
    if not there:
        raise StudyError(
            f"{plan.study}: expected blocks of kind network; found "
            f"{short_list(plan.blocks)}, and none of them is. Choose another recipe."
        )
    for name in names or ():
        if name not in there:
            raise UnknownNameError(f"network of {plan.study}", name, there)
    return {name: block for name, block in there.items() if not names or name in names}


def _refuse_others(folder: Path) -> None:
    """Raise DataError for a folder that holds something else than a training."""
    there = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if there and not (folder / MARKER).is_file():
        raise DataError(
            f"{folder}: expected a new or empty folder, or a training that began there; found "
            "other content. Choose another output folder; nothing was changed."
        )


def _open(folder: Path, asked: dict[str, Any]) -> None:
    """Make the folder, or make sure that this training began there."""
    marker = folder / MARKER
    if not marker.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(marker, asked)
        return
    before = json.loads(marker.read_text(encoding="utf-8"))
    other = [name for name, value in asked.items() if before.get(name) != value]
    if other:
        raise StudyError(
            f"{folder}: expected the training that began there; found another "
            f"{short_list(other)}. Give the same words to go on, or another folder."
        )


class _Target(NamedTuple):
    """What is foretold of each patient of whom it is known: 0 and 1, or event and time."""

    patients: pd.Index
    values: NDArray[Any]

    def of(self, patients: pd.Index) -> NDArray[Any]:
        found: NDArray[Any] = self.values[self.patients.get_indexer(patients)]
        return found


def _known(task: Task) -> _Target:
    """Target of all patients of a cohort, cut-offs learnt of all of them."""
    if isinstance(task, TimeTask):
        return _Target(task.patients, task.outcome.to_structured())
    if isinstance(task, BeyondTask):
        label, target = task.label, task.outcome.to_structured()
        # Labels alone are wanted of it: what it would fit is never fitted.
        rule = SurvivalBeyond(
            LogisticRegression(),
            label.months.value,
            label.censored.value,
            landmark=label.landmark.value,
        )
        beyond = pd.Series(rule.labels_learnt_from(target, target), index=task.patients)
        if label.censored.value == EVENT_FREE:
            beyond = beyond.fillna(1.0)
        found = beyond.dropna()
    elif not isinstance(task, LabelTask):
        raise StudyError(
            "expected a label of two classes or a time to an event; found "
            f"{type(task).__name__}. Choose another recipe."
        )
    elif task.rule is None:
        found = pd.Series(task.target, dtype=float)
    else:
        called = task.rule.fit(pd.DataFrame(task.target)).transform(pd.DataFrame(task.target))
        found = pd.Series(np.asarray(called, dtype=float), index=task.patients)
    return _Target(found.index, found.to_numpy(dtype=int))


def _views(cohort: Cohort, blocks: dict[str, NetworkBlock], reading: Reading) -> Views:
    """What each network is shown; those that see the same share it."""
    from radiogenomics.study.prediction.scans import network_views

    return network_views(cohort, blocks, reading=reading)


@dataclass(frozen=True, eq=False)
class _Training:
    """How each network is trained, and whose target is known."""

    plan: PredictionStudy
    target: _Target
    folder: Path
    device: str
    seed: int

    def one(
        self, cohort: Cohort, name: str, block: NetworkBlock, *, scans: ScanArrays | Bags
    ) -> tuple[dict[str, Any], pd.DataFrame]:
        """Train a network, or go on, and write it; return its row and its history."""
        from radiogenomics.study.prediction.networks import network_of

        rows = scans.table().loc[lambda table: table.index.isin(self.target.patients)]
        if len(rows) < FEWEST:
            raise StudyError(
                f"{cohort.id}: expected at least {FEWEST} patients with scans for {name} and the "
                f"label {self.plan.label.name}; found {len(rows)}. Add patients."
            )
        of_time = isinstance(self.plan.label, TimeLabel)
        model = network_of(
            block,
            scans,
            of_time=of_time,
            random_state=self.seed,
            aside=share_aside(self.plan, block, len(rows)),
            device=self.device,
        )
        logs = self.folder / CHECKPOINTS / name
        keeps = "checkpoint_folder" in model.get_params()
        if keeps:
            model.set_params(checkpoint_folder=logs)
        _LOG.info("%s: %s on %d patients", name, block.network.value, len(rows))
        model.fit(rows[[ROW]], self.target.of(rows.index))
        if not keeps:
            _log(model.history_, logs)
        file = self._save(model, name, cohort=cohort, patients=len(rows))
        aside = len(model.validation_patients_)
        row = {"block": name, "network": block.network.value, "patients": len(rows)}
        row |= {"put_aside": aside, "epochs": len(model.history_)}
        row |= {"best_epoch": int(model.best_epoch_), "file": file.name}
        return row, model.history_.assign(block=name)

    def _save(self, model: Learner, name: str, *, cohort: Cohort, patients: int) -> Path:
        """Write the network; its card says on whom it was trained, by number."""
        file = model.save(self.folder / f"{name}.safetensors")
        arrays, card = read_weights(file)
        card |= {"study": self.plan.study, "block": name, "cohort": cohort.id, "seed": self.seed}
        card |= {"patients": patients, "seen": SEEN_ALL, "simulated": cohort.simulated}
        return write_weights(file, arrays, card)


def _log(history: pd.DataFrame, folder: Path) -> None:
    """Write the log of a network that does not write its own."""
    from radiogenomics.models.deep.event_log import EventLog

    log = EventLog(folder)
    log.rewind(0)
    for row in history.to_dict("records"):
        numbers = {str(k): float(v) for k, v in row.items() if k != "epoch" and pd.notna(v)}
        log.write(int(row["epoch"]), numbers)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with replaced_file(path) as draft:
        draft.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    with replaced_file(path) as draft:
        table.to_csv(draft, index=False, lineterminator="\n")
