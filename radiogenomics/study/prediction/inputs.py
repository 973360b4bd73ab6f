"""What a cohort offers to a prediction study: blocks of features, patient by patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import SchemaError, StudyError, UnknownNameError, short_list
from radiogenomics.core.outcomes import ResponseOutcome
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.features import LongitudinalChange
from radiogenomics.imaging import extract_features, settings_preset
from radiogenomics.models.blocks import MARK
from radiogenomics.study.prediction.reading import Reading, scans_by_phase
from radiogenomics.study.prediction.schema import (
    ChangeBlock,
    ClinicalBlock,
    ImageBlock,
    NetworkBlock,
    PredictionStudy,
    Rival,
)

if TYPE_CHECKING:
    from radiogenomics.models.deep.multi_instance.bags import Bags

BASELINE = "baseline"
READING = "_reading_2"
MINIMUM_PATIENTS = 20

Notes = tuple[tuple[str, str], ...]
Views = Mapping[str, "ScanArrays | Bags"]
"""Block of a network → what it is shown."""


@dataclass(frozen=True, eq=False)
class PredictionInputs:
    """One cohort as the recipe sees it.

    Parameters
    ----------
    cohort
        The cohort itself.
    features
        Patients × variables named ``<block>|<variable>``; all of a follow-up block is NaN for a
        patient who was not scanned again.
    rivals
        Rival → number that is higher for class 1; NaN where not known.
    readings
        Block → its two readings of the same patients, named as in ``features``.
    follow_up
        Names of the blocks that need a later scan.
    notes
        Remarks (level, text) for the report.
    scans
        Block of a network → scans or bags of slices; its one column in ``features``,
        ``<block>|row``, says which row of them a patient has.
    """

    cohort: Cohort
    features: pd.DataFrame
    rivals: Mapping[str, pd.Series[float]]
    readings: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]
    follow_up: tuple[str, ...]
    notes: Notes = ()
    scans: Views = field(default_factory=dict)

    def seen_again(self) -> pd.Series[bool]:
        """Whether a patient has every block that needs a later scan."""
        found = pd.Series(True, index=self.features.index)
        for block in self.follow_up:
            found &= ~_absent(self.features, block)
        return found


def read_prediction_inputs(
    cohort: Cohort,
    study: PredictionStudy,
    *,
    complete: bool,
    jobs: int,
    reading: Reading | None = None,
) -> PredictionInputs:
    """Collect the blocks of a recipe, extracting image features where the cohort has scans.

    Parameters
    ----------
    complete
        Leave out patients who lack a baseline block, with a note; without it they are refused.
    jobs, reading
        Processes; how deep blocks are made from scans, whose ``jobs`` are these.

    Raises
    ------
    StudyError
        A block is neither an assay nor in the scans, or missing for some patients; too few are
        left.
    UnknownNameError
        A fact that the recipe names is not among the patients' columns.
    """
    reading = replace(reading or Reading(), jobs=jobs)
    images = {
        name: _image_block(cohort, name, block, reading=reading)
        for name, block in study.blocks.items()
        if isinstance(block, ImageBlock)
    }
    views = _views(cohort, study, reading=reading)
    images |= {name: shown.table().add_prefix(f"{name}{MARK}") for name, shown in views.items()}
    frames: dict[str, pd.DataFrame] = {**images}
    for name, block in study.blocks.items():
        if isinstance(block, ClinicalBlock):
            frames[name] = _clinical_block(cohort, name, block)
        elif isinstance(block, ChangeBlock):
            frames[name] = _change_block(cohort, name, block, images)
    follow_up = follow_up_blocks(study)
    kept, notes = _patients(cohort, images, follow_up=follow_up, complete=complete)
    features = pd.concat([frames[name].reindex(kept) for name in study.blocks], axis=1)
    features, remarks = _by_later_scans(
        features,
        follow_up,
        exclude=study.evaluation.without_follow_up.value == "exclude",
        where=cohort.id,
    )
    rivals = {rival.name: _rival(cohort, rival) for rival in study.rivals}
    return PredictionInputs(
        cohort=cohort,
        features=features,
        rivals={name: known.reindex(features.index) for name, known in rivals.items()},
        readings=_readings(cohort, study, images),
        follow_up=follow_up,
        notes=(*notes, *remarks),
        scans=views,
    )


def follow_up_blocks(study: PredictionStudy) -> tuple[str, ...]:
    """Blocks that a patient without a later scan cannot have."""
    later = {
        name
        for name, block in study.blocks.items()
        if isinstance(block, ImageBlock | NetworkBlock) and block.time_point.value != BASELINE
    }
    return tuple(
        name
        for name, block in study.blocks.items()
        if name in later or (isinstance(block, ChangeBlock) and later & set(block.of.value))
    )


def _image_block(cohort: Cohort, name: str, block: ImageBlock, *, reading: Reading) -> pd.DataFrame:
    if name in cohort.assays:
        frame = cohort.assay(name).per_patient()
    elif block.kind == "deep":
        # Reads presets of encoders, and is read by none but recipes with deep blocks.
        from radiogenomics.study.prediction.scans import encoded_block

        frame = encoded_block(cohort, name, block, reading=reading)
    else:
        frame = _extracted(cohort, name, block, jobs=reading.jobs)
    return frame.add_prefix(f"{name}{MARK}")


def _extracted(cohort: Cohort, name: str, block: ImageBlock, *, jobs: int) -> pd.DataFrame:
    (scans,) = scans_by_phase(cohort, name, block).values()
    settings = settings_preset(block.settings.value)
    table = extract_features(scans, settings, region=block.region.value, name=name, jobs=jobs)
    return table.per_patient()


def _views(cohort: Cohort, study: PredictionStudy, *, reading: Reading) -> Views:
    networks = {n: block for n, block in study.blocks.items() if isinstance(block, NetworkBlock)}
    if not networks:
        return {}
    from radiogenomics.study.prediction.scans import network_views

    return network_views(cohort, networks, reading=reading)


def _clinical_block(cohort: Cohort, name: str, block: ClinicalBlock) -> pd.DataFrame:
    facts = {fact: numbers_of(cohort, fact, where=name) for fact in block.facts.value}
    return pd.DataFrame(facts).add_prefix(f"{name}{MARK}")


def numbers_of(cohort: Cohort, fact: str, *, where: str) -> pd.Series[float]:
    """Return a column of the patients as numbers; SchemaError where it holds words."""
    known = fact_of(cohort, fact)
    found = pd.to_numeric(known, errors="coerce")
    words = known[found.isna() & known.notna()]
    if len(words):
        raise SchemaError(
            f"{cohort.id}: expected numbers as the fact {fact!r} of {where}; found "
            f"{short_list(sorted(map(str, words.unique())))}. Map them to numbers in the manifest."
        )
    return found.astype(float)


def fact_of(cohort: Cohort, fact: str) -> pd.Series:
    """Return a column of the patients; UnknownNameError lists near matches."""
    if fact not in cohort.patients:
        raise UnknownNameError(f"fact about patients of {cohort.id}", fact, cohort.patients.columns)
    return cohort.patients[fact]


def word(value: object) -> str:
    """Write a value as recipes do: 2 for 2.0.

    Examples
    --------
    >>> word(2.0), word("PD"), word(True)
    ('2', 'PD', 'True')
    """
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
    return f"{value:g}" if number else str(value)


def _change_block(
    cohort: Cohort, name: str, block: ChangeBlock, images: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    points = block.of.value
    renamed = [
        images[point]
        .rename(columns=lambda column: column.split(MARK, 1)[1])
        .add_prefix(f"{point}{MARK}")
        for point in points
    ]
    table = pd.concat(renamed, axis=1, join="outer")
    interval = f"@{block.interval.value}" if block.interval.value else ""
    change = LongitudinalChange(block.mode.value, points, interval=interval)
    for fact in change.row_facts:
        weeks = numbers_of(cohort, fact.removeprefix("@"), where=name)
        table[fact] = weeks.reindex(table.index)
    change.set_output(transform="pandas")
    found: pd.DataFrame = change.fit_transform(table)
    features = [column.split(MARK, 1) for column in found.columns]
    return found.set_axis([f"{name}{MARK}{rest} ({kind})" for kind, rest in features], axis=1)


def _patients(
    cohort: Cohort,
    images: Mapping[str, pd.DataFrame],
    *,
    follow_up: tuple[str, ...],
    complete: bool,
) -> tuple[pd.Index, Notes]:
    """Patients with every baseline block, or every one where the recipe has later scans only.

    All, where the recipe has no images.
    """
    first = {name: frame for name, frame in images.items() if name not in follow_up}
    having = {
        name: set(frame.index[frame.notna().any(axis=1)])
        for name, frame in (first or images).items()
    }
    if not having:
        return cohort.patient_ids, ()
    anyone = set.union(*having.values())
    everything = set.intersection(*having.values())
    kept = cohort.patient_ids[cohort.patient_ids.isin(everything)]
    notes: Notes = ()
    if len(everything) < len(anyone):
        gaps = {name: len(anyone - ids) for name, ids in having.items() if anyone - ids}
        lacking = ", ".join(f"{name} for {count}" for name, count in gaps.items())
        if not complete:
            raise StudyError(
                f"{cohort.id}: expected every block for each of the {len(anyone)} patients with "
                f"images; found no {lacking}. Add the scans, or leave these patients out with "
                "--complete-cases."
            )
        text = (
            f"{cohort.id}: {len(anyone) - len(everything)} patients lack a block and were left out"
        )
        notes = (("warning", f"{text} (missing: {lacking})."),)
    if len(kept) < MINIMUM_PATIENTS:
        raise StudyError(
            f"{cohort.id}: expected at least {MINIMUM_PATIENTS} patients with all blocks; found "
            f"{len(kept)}. Add patients, or choose a recipe with fewer blocks."
        )
    return kept, notes


def _by_later_scans(
    features: pd.DataFrame, follow_up: tuple[str, ...], *, exclude: bool, where: str
) -> tuple[pd.DataFrame, Notes]:
    """Leave out who was not scanned again, if asked; who lacks one later block has none."""
    if not follow_up:
        return features, ()
    lacking = pd.DataFrame({block: _absent(features, block) for block in follow_up})
    once, notes = lacking.any(axis=1), []
    partly = once & ~lacking.all(axis=1)
    if partly.any():
        text = f"{where}: {int(partly.sum())} patients have some of the later blocks and lack "
        notes.append(("warning", f"{text}others; they count as not scanned again."))
    if exclude and once.any():
        text = f"{where}: {int(once.sum())} patients without a later scan were left out."
        return features[~once], (*notes, ("warning", text))
    later = [column for column in features.columns if column.split(MARK, 1)[0] in follow_up]
    settled = features.copy()
    settled.loc[once, later] = np.nan
    return settled, tuple(notes)


def _rival(cohort: Cohort, rival: Rival) -> pd.Series[float]:
    name = rival.fact.value
    outcome = cohort.outcomes.get(name)
    known = outcome.category if isinstance(outcome, ResponseOutcome) else fact_of(cohort, name)
    groups = rival.groups.value
    if groups is None:
        sign = 1.0 if rival.rises.value == "positive" else -1.0
        return sign * numbers_of(cohort, name, where=rival.name)
    place = {value: position for position, group in enumerate(groups) for value in group}
    strange = sorted({word(v) for v in known.dropna().unique()} - set(place))
    if strange:
        raise SchemaError(
            f"{cohort.id}: expected {short_list(place)} as {name} for {rival.name}; found "
            f"{short_list(strange)}. Map them in the manifest, or add them to the recipe's groups."
        )
    found = known.map(lambda value: place.get(word(value), np.nan), na_action="ignore")
    return found.astype(float)


def _readings(
    cohort: Cohort, study: PredictionStudy, images: Mapping[str, pd.DataFrame]
) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Both readings of the patients who were read again, where the cohort has them."""
    found = {}
    for name in study.blocks:
        again = f"{name}{READING}"
        if name not in images or again not in cohort.assays:
            continue
        second = cohort.assay(again).per_patient().add_prefix(f"{name}{MARK}")
        both = second.index.intersection(images[name].index)
        shared = images[name].columns.intersection(second.columns)
        found[name] = (images[name].loc[both, shared], second.loc[both, shared])
    return found


def _absent(features: pd.DataFrame, block: str) -> pd.Series[bool]:
    own = [column for column in features.columns if column.startswith(f"{block}{MARK}")]
    return features[own].isna().all(axis=1)
