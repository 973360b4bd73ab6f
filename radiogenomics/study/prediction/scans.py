"""Deep blocks of a recipe: from a cohort's scans to features of a frozen encoder, or to views.

What is made of a patient's scans here needs no other patient. torch is needed only by encoders.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.kept_array import keep
from radiogenomics.core.log import progress
from radiogenomics.core.scan import Scan
from radiogenomics.core.scan_arrays import ROW, ScanArrays
from radiogenomics.imaging.deep import EncoderSettings, encoder_preset
from radiogenomics.imaging.deep.crops import attempt_crop, phases_of, warn_of_cut_off
from radiogenomics.imaging.extract import report_failures
from radiogenomics.models.blocks import MARK
from radiogenomics.study.encode import built_encoder, for_modality
from radiogenomics.study.prediction.inputs import PredictionInputs, Views
from radiogenomics.study.prediction.reading import Reading, scans_by_phase
from radiogenomics.study.prediction.schema import (
    ImageBlock,
    NetworkBlock,
    PredictionStudy,
    SimulatedScans,
    Voxels,
)
from radiogenomics.study.prediction.words_of_networks import MULTI_INSTANCE

if TYPE_CHECKING:
    from radiogenomics.models.deep.multi_instance.bags import Bags


def as_simulated(study: PredictionStudy) -> PredictionStudy:
    """Return a recipe whose networks are as small as its simulated scans.

    View, size, epochs and learning rate of its networks are those of ``simulation.scans``; a recipe
    without these is returned as it is. Views of encoders are no part of a recipe: see
    ``Reading.view``.
    """
    scans = study.simulation.scans
    if scans is None:
        return study
    blocks = {
        name: _smaller(block, scans) if isinstance(block, NetworkBlock) else block
        for name, block in study.blocks.items()
    }
    return study.model_copy(update={"blocks": blocks})


def _smaller(block: NetworkBlock, scans: SimulatedScans) -> NetworkBlock:
    small = {"voxels": scans.view, "size": scans.size, "epochs": scans.epochs}
    small["learning_rate"] = scans.learning_rate or block.learning_rate
    return block.model_copy(update=small)


def encoded_block(
    cohort: Cohort, name: str, block: ImageBlock, *, reading: Reading
) -> pd.DataFrame:
    """Patients × features of a frozen encoder, of one phase; slices of a patient are averaged.

    Raises
    ------
    StudyError
        The cohort has no such scan.
    MissingExtraError
        torch is not installed.
    """
    from radiogenomics.imaging.deep import deep_features

    (scans,) = scans_by_phase(cohort, name, block).values()
    preset = block.settings.value
    settings = seen_as(preset, modality=block.modality.value, voxels=reading.view)
    if settings.pooling == "each":
        settings = replace(settings, pooling="mean")
    encoder = built_encoder(settings, reading.weights.get(preset), reading.seed)
    table = deep_features(scans, encoder, region=block.region.value, name=name, jobs=reading.jobs)
    features: pd.DataFrame = table.per_patient()
    return features


def network_views(cohort: Cohort, blocks: Mapping[str, NetworkBlock], *, reading: Reading) -> Views:
    """What each network block is shown of a cohort; blocks that see the same share it.

    Patients who lack a phase, or of whom no view can be cut, have no row.

    Raises
    ------
    StudyError
        The cohort has no scans of a phase.
    DataError
        No patient can be shown.
    """
    made: dict[tuple[Any, ...], ScanArrays | Bags] = {}
    views = {}
    for name, block in blocks.items():
        key = _looks(block)
        if key not in made:
            look = _bags if block.network.value == MULTI_INSTANCE else _arrays
            made[key] = look(cohort, name, block, reading=reading)
        views[name] = made[key]
    return views


def _looks(block: NetworkBlock) -> tuple[Any, ...]:
    """All that says what a block is shown."""
    said = (block.modality, block.phases, block.region, block.time_point, block.view, block.voxels)
    return (block.network.value == MULTI_INSTANCE, *(each.value for each in said))


def seen_as(preset: str, *, modality: str, voxels: Voxels | None) -> EncoderSettings:
    """View of a preset, of one scan, fit for a kind of scans and, where given, of another size."""
    settings = replace(for_modality(encoder_preset(preset), modality), phases=())
    if voxels is None:
        return settings
    if settings.view == "box":
        return replace(settings, size=voxels)
    slices = settings.slices if settings.view == "slice" else voxels[0]
    return replace(settings, size=voxels[1:], slices=slices)


def _arrays(cohort: Cohort, name: str, block: NetworkBlock, *, reading: Reading) -> ScanArrays:
    """Views with the phases as channels."""
    modality, voxels = block.modality.value, block.voxels.value
    settings = seen_as(block.view.value, modality=modality, voxels=voxels)
    settings = replace(settings, phases=block.phases.value, repeat=1, pooling="mean")
    chosen, problems = _complete(scans_by_phase(cohort, name, block), settings)
    cut = _Cut(reasons=problems)
    parts = cut.views(chosen, settings, block, jobs=reading.jobs)
    if reading.folder is None:
        values = np.concatenate(list(parts))
        return ScanArrays(values, **cut.facts(settings))
    return ScanArrays.of_file(keep(parts, reading.folder), cut.facts(settings))


@dataclass
class _Cut:
    """What is known of views beside their voxels, growing as they are cut."""

    reasons: list[str]
    patients: list[str] = field(default_factory=list)
    spacings: list[tuple[float, float, float]] = field(default_factory=list)

    def views(
        self,
        chosen: Mapping[str, Sequence[Scan]],
        settings: EncoderSettings,
        block: NetworkBlock,
        *,
        jobs: int,
    ) -> Iterator[NDArray[np.float32]]:
        """View of each patient who has one, shape (1, channels, z, y, x); then tell of the others.

        One after the other, as all of them may be more than memory holds.
        """
        crops = joblib.Parallel(n_jobs=jobs, return_as="generator")(
            joblib.delayed(attempt_crop)(scans, settings, block.region.value)
            for scans in chosen.values()
        )
        seen, cut_off = progress(crops, "cutting views", total=len(chosen)), []
        for patient, (crop, reason) in zip(chosen, seen, strict=True):
            if crop is None:
                self.reasons.append(reason)
                continue
            self.patients.append(patient)
            self.spacings.append(crop.frame.spacing_mm)
            cut_off.append(crop.cut_off)
            yield crop.values[np.newaxis]
        report_failures([*[(None, why) for why in self.reasons], *[({}, "")] * len(self.patients)])
        warn_of_cut_off(cut_off, stacklevel=2)

    def facts(self, settings: EncoderSettings) -> dict[str, Any]:
        """Fields of ScanArrays beside the voxels."""
        z, y, x = np.mean(self.spacings, axis=0).tolist()
        names = settings.channel_names
        return {"patient_ids": tuple(self.patients), "channels": names, "spacing_mm": (z, y, x)}


def _complete(
    found: Mapping[str, Sequence[Scan]], settings: EncoderSettings
) -> tuple[dict[str, list[Scan]], list[str]]:
    """Scans of the patients who have one of each phase, and what the others lack."""
    chosen, problems = {}, []
    for patient, scans in _by_patient(found).items():
        own, problem = phases_of(scans, settings)
        if problem:
            wanted = ", ".join(settings.phases)
            problems.append(f"AlignmentError: expected one scan of {wanted}; found {problem}")
        else:
            chosen[patient] = own
    return chosen, problems


def _bags(cohort: Cohort, name: str, block: NetworkBlock, *, reading: Reading) -> Bags:
    """Features of slices by a frozen encoder, of all sequences that a patient has."""
    from radiogenomics.imaging.deep import deep_features
    from radiogenomics.models.deep.multi_instance.bags import Bags

    modality, preset = block.modality.value, block.view.value
    settings = seen_as(preset, modality=modality, voxels=block.voxels.value)
    settings = replace(settings, pooling="each")
    encoder = built_encoder(settings, reading.weights.get(preset), reading.seed)
    kept = _once(_by_patient(scans_by_phase(cohort, name, block)))
    table = deep_features(kept, encoder, region=block.region.value, name=name, jobs=reading.jobs)
    bags = Bags.from_table(table, order="slice", sequences=block.phases.value)
    return bags if reading.folder is None else bags.kept_in(reading.folder)


def _by_patient(found: Mapping[str, Sequence[Scan]]) -> dict[str, list[Scan]]:
    """Scans of all phases, patient by patient."""
    groups: dict[str, list[Scan]] = {}
    for scans in found.values():
        for scan in scans:
            groups.setdefault(scan.patient_id, []).append(scan)
    return groups


def _once(found: Mapping[str, Sequence[Scan]]) -> list[Scan]:
    """Scans of the patients who have no sequence twice."""
    counts = {p: Counter(scan.phase for scan in scans) for p, scans in found.items()}
    twice = [patient for patient, count in counts.items() if max(count.values()) > 1]
    why = "AlignmentError: expected one scan of a sequence; found several"
    report_failures([*[(None, why)] * len(twice), *[({}, "")] * (len(found) - len(twice))])
    return [scan for patient, scans in found.items() if patient not in twice for scan in scans]


def joined_views(inputs: Sequence[PredictionInputs], folder: Path) -> list[PredictionInputs]:
    """Give all cohorts the views of all, so that what one teaches can score the others.

    Rows of later cohorts stand behind those of earlier ones, and columns of row numbers follow.
    """
    if len(inputs) < 2 or not inputs[0].scans:
        return list(inputs)
    first = inputs[0].scans
    made: dict[int, Any] = {}
    views = {}
    for name, own in first.items():
        # Blocks that see the same share it, and share what is joined.
        if id(own) not in made:
            made[id(own)] = _together({e.cohort.id: e.scans[name] for e in inputs}, folder)
        views[name] = made[id(own)]
    before, found = dict.fromkeys(first, 0), []
    for entry in inputs:
        features = entry.features.copy()
        for name, start in before.items():
            features[f"{name}{MARK}{ROW}"] += start
            before[name] += len(entry.scans[name])
        found.append(replace(entry, features=features, scans=views))
    return found


def _together(parts: Mapping[str, Any], folder: Path) -> Any:
    """Views of several cohorts as one, in a file; hospitals may name their patients alike."""
    named = {
        where: tuple(f"{where}/{patient}" for patient in part.patient_ids)
        for where, part in parts.items()
    }
    if all(isinstance(part, ScanArrays) for part in parts.values()):
        return ScanArrays.kept_together(list(parts.values()), folder, patient_ids=named.values())
    first, *others = (replace(part, patient_ids=named[where]) for where, part in parts.items())
    for other in others:
        first = first.join(other)
    return first.kept_in(folder)
