"""An encoder of one's own: trained on cohorts' scans without the label that is wanted later."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import RadiogenomicsWarning, StudyError, UnknownNameError, short_list
from radiogenomics.core.scan import Scan
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.core.weight_file import WEIGHTS
from radiogenomics.io.store import replaced_file
from radiogenomics.study.cohorts import load_cohorts, require_distinct
from radiogenomics.study.encode import built_encoder, for_modality
from radiogenomics.study.prediction.inputs import fact_of
from radiogenomics.study.scan_choice import scans_of

if TYPE_CHECKING:
    from radiogenomics.imaging.deep import Encoder, EncoderSettings
    from radiogenomics.models.deep.pretraining import Pretrained

METHODS = ("masked_volume", "contrastive", "source_task")
TELLS_FACTS = "source_task"
SHOWN_OF_HASH = 12
NOT_THESE = (
    "these weights have seen all patients of these cohorts: encode others with them, or the "
    "features of a study know its test patients"
)


@dataclass(frozen=True, eq=False)
class Pretraining:
    """What was trained.

    Parameters
    ----------
    card
        What the weights are, as it stands beside them.
    history
        One row an epoch; the score is minus the loss of the patients put aside.
    path
        File of weights.
    """

    card: dict[str, Any]
    history: pd.DataFrame
    path: Path

    def summary(self) -> dict[str, Any]:
        """Counts, losses and place as plain data."""
        return {
            "weights": str(self.path),
            "architecture": self.card["architecture"],
            "task": self.card["task"]["name"],
            "cohorts": self.card["cohorts"],
            "patients": self.card["patients"],
            "epochs": len(self.history),
            "best_epoch": self.card["best_epoch"],
            "loss_first": float(self.history["loss"].iloc[0]),
            "loss_last": float(self.history["loss"].iloc[-1]),
            "sha256": self.card["sha256"],
        }

    def __str__(self) -> str:
        """Return what was learnt, how the loss fell, where it is and whom it has seen."""
        said = self.summary()
        return (
            f"{said['architecture']}, {said['task']}: {said['patients']} patients, "
            f"epoch {said['best_epoch']} of {said['epochs']}; loss "
            f"{said['loss_first']:.4g} to {said['loss_last']:.4g}\n"
            f"weights: {self.path} ({said['sha256'][:SHOWN_OF_HASH]})\n{NOT_THESE}"
        )

    def __repr__(self) -> str:
        """Return the same on one line."""
        return f"Pretraining({str(self).replace(chr(10), '; ')})"


def pretrain(
    *,
    cohort: str | Path | Sequence[str | Path],
    settings: str,
    out: str | Path,
    method: str,
    fact: Sequence[str] | None = None,
    region: str = "tumour",
    modality: str | None = None,
    phase: str | None = None,
    time_point: str = "baseline",
    epochs: int = 100,
    batch_size: int = 16,
    learning_rate: float = 1e-3,
    validation_share: float = 0.2,
    checkpoints: str | Path | None = None,
    device: str = "auto",
    data_root: str | Path | None = None,
    jobs: int | None = None,
    seed: int = 0,
) -> Pretraining:
    """Train the network of an encoder preset on scans, for ``encode --weights``.

    The cohorts must not be those of the study that the encoder is meant for.

    Parameters
    ----------
    cohort, settings, out
        Manifests, labels not needed; encoder preset; ``NAME.safetensors``, beside which the card
        ``NAME.json`` and ``NAME.history.csv`` are written.
    method, fact
        A task of :mod:`radiogenomics.models.deep.pretraining`; facts that ``source_task`` tells.
    region, modality, phase, time_point
        Mask, or a word that makes one; which scans. A preset of several phases names them itself.
    epochs, batch_size, learning_rate, validation_share, device, seed
        As in :class:`radiogenomics.models.deep.training_settings.TrainingSettings`.
    checkpoints
        Folder that a killed run goes on from, with a log that TensorBoard reads; none if None.
    data_root, jobs
        As in :func:`radiogenomics.encode`.
    """
    facts, target = _facts(method, fact), _weights_path(out)
    words: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size}
    words |= {"learning_rate": learning_rate, "validation_share": validation_share}
    words |= {"device": device, "seed": seed}
    given = [cohort] if isinstance(cohort, str | Path) else list(cohort)
    cohorts, hashes = load_cohorts(given, data_root)
    require_distinct(cohorts)
    encoder, scans = _encoder_and_scans(
        [s for c in cohorts for s in _own_scans(c, modality=modality, time_point=time_point)],
        settings,
        phase=phase,
        seed=seed,
    )
    views = _views(scans, encoder, region=region, jobs=jobs or os.cpu_count() or 1)
    targets = _targets(cohorts, facts, views.patient_ids)
    task = _Task(method, targets, all(each.simulated for each in cohorts))
    found = _trained(encoder, views, task, words=words, checkpoints=checkpoints)
    made = {"cohorts": [each.id for each in cohorts], "inputs": hashes, "preset": settings}
    return _written(found, made | {"region": region, "facts": list(facts)}, target)


class _Task(NamedTuple):
    """Word of what is learnt, what is told of the patients, and whether they exist."""

    method: str
    targets: pd.DataFrame | None
    simulated: bool


def _own_scans(cohort: Cohort, *, modality: str | None, time_point: str) -> list[Scan]:
    """Scans with the cohort in the patient's name: two hospitals may name theirs alike."""
    scans = scans_of(cohort, modality=modality, time_point=time_point)
    return [replace(scan, patient_id=_named(cohort, scan.patient_id)) for scan in scans]


def _named(cohort: Cohort, patient: str) -> str:
    return f"{cohort.id}/{patient}"


def _encoder_and_scans(
    scans: Sequence[Scan], preset: str, *, phase: str | None, seed: int
) -> tuple[Encoder, dict[str, list[Scan]]]:
    """Network with random weights, and each patient's scans for its view."""
    from radiogenomics.imaging.deep import encoder_preset

    settings = for_modality(encoder_preset(preset), _one_modality(scans))
    chosen = _by_patient(scans, settings, phase=phase)
    return built_encoder(settings, None, seed), chosen


def _views(scans: dict[str, list[Scan]], encoder: Encoder, *, region: str, jobs: int) -> ScanArrays:
    from radiogenomics.imaging.deep import scan_arrays

    cut: ScanArrays = scan_arrays(scans, encoder.settings, region=region, jobs=jobs)
    return cut


def _trained(
    encoder: Encoder,
    views: ScanArrays,
    task: _Task,
    *,
    words: dict[str, Any],
    checkpoints: str | Path | None,
) -> Pretrained:
    from radiogenomics.models.deep.event_log import EventLog
    from radiogenomics.models.deep.pretraining import pretrain as train_encoder
    from radiogenomics.models.deep.training_settings import TrainingSettings

    return train_encoder(
        encoder.backbone.requires_grad_(True),
        views,
        task.method,
        settings=TrainingSettings(**words),
        targets=task.targets,
        checkpoint_folder=checkpoints,
        resume=checkpoints is not None,
        log=None if checkpoints is None else EventLog(checkpoints),
        view=encoder.settings.to_json(),
        simulated=task.simulated,
    )


def _facts(method: str, fact: Sequence[str] | None) -> tuple[str, ...]:
    """Facts to tell; StudyError where the method wants some and has none, or the reverse."""
    if method not in METHODS:
        raise UnknownNameError("pre-training task", method, METHODS)
    facts = tuple(fact or ())
    if bool(facts) != (method == TELLS_FACTS):
        raise StudyError(
            f"expected facts to tell for {TELLS_FACTS}, and for no other method; found {method} "
            f"with {short_list(facts) or 'none'}. Name columns of the patients with --fact, or "
            "leave them out."
        )
    return facts


def _weights_path(out: str | Path) -> Path:
    target = Path(out)
    if target.suffix != WEIGHTS:
        raise StudyError(
            f"{target.name}: expected an output called *{WEIGHTS}; found "
            f"{target.suffix or 'no ending'!r}. Rename it."
        )
    return target


def _one_modality(scans: Sequence[Scan]) -> str:
    kinds = sorted({scan.modality for scan in scans})
    if len(kinds) > 1:
        raise StudyError(
            f"expected scans of one kind, which a network reads alike; found {short_list(kinds)}. "
            "Choose one with --modality."
        )
    return kinds[0]


def _by_patient(
    scans: Sequence[Scan], settings: EncoderSettings, *, phase: str | None
) -> dict[str, list[Scan]]:
    """Patient → the scans that are the channels of one view."""
    wanted = settings.phases
    if wanted and phase is not None:
        raise StudyError(
            f"expected no phase for a preset that reads {short_list(wanted)} as channels; found "
            f"{phase}. Leave it out, or take a preset of single scans."
        )
    known = sorted({scan.phase for scan in scans})
    if not wanted:
        if phase is None and len(known) > 1:
            raise StudyError(
                f"expected one phase for a preset of single scans; found {short_list(known)}. "
                "Choose one with --phase."
            )
        wanted = (phase or known[0],)
    lacking = [each for each in wanted if each not in known]
    if lacking:
        raise StudyError(
            f"expected scans of {short_list(wanted)}; found {short_list(known)}. Choose another "
            "phase, time point or preset."
        )
    found: dict[str, list[Scan]] = {}
    for scan in scans:
        if scan.phase in wanted:
            found.setdefault(scan.patient_id, []).append(scan)
    whole = {
        patient: group
        for patient, group in found.items()
        if {scan.phase for scan in group} == set(wanted)
    }
    if len(whole) < len(found):
        warnings.warn(
            f"{len(found) - len(whole)} of {len(found)} patients lack one of {short_list(wanted)} "
            "and were left out",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    return whole


def _targets(
    cohorts: Sequence[Cohort], facts: tuple[str, ...], patients: Sequence[str]
) -> pd.DataFrame | None:
    """Patients × facts to tell, in the order of the scans."""
    if not facts:
        return None
    parts = []
    for cohort in cohorts:
        known = pd.DataFrame({fact: fact_of(cohort, fact) for fact in facts})
        parts.append(known.set_axis([_named(cohort, patient) for patient in known.index]))
    table = pd.concat(parts)
    return table.loc[table.index.isin(patients)]


def _written(found: Pretrained, made: dict[str, Any], target: Path) -> Pretraining:
    from radiogenomics.core.weight_file import read_card, write_weights

    write_weights(target, found.arrays, found.card | made)
    with replaced_file(target.with_suffix(".history.csv")) as draft:
        found.history.to_csv(draft, index=False, lineterminator="\n")
    # As JSON has it, for what is shown to be what is read.
    return Pretraining(json.loads(json.dumps(read_card(target))), found.history, target)
