"""A cohort's scans → one table of deep features, by a frozen network."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    DataError,
    MissingExtraError,
    RadiogenomicsWarning,
    SchemaError,
    short_list,
)
from radiogenomics.core.provenance import hash_file, versions
from radiogenomics.core.scan import Scan
from radiogenomics.io.store import pseudonym, replaced_file
from radiogenomics.study.cohorts import load_cohorts
from radiogenomics.study.weights_seen import seen_of

if TYPE_CHECKING:
    from radiogenomics.imaging.deep import Encoder, EncoderSettings

FORMATS = (".csv", ".parquet")
CT = "CT"


@dataclass(frozen=True, eq=False)
class Encoding:
    """What was encoded.

    Parameters
    ----------
    table
        One row a patient: ``patient_id``, then features; with several phases each feature's name
        begins with its phase.
    origin
        Architecture, weights and their hash.
    path
        Where the table was written.
    """

    table: pd.DataFrame
    origin: str
    path: Path

    def summary(self) -> dict[str, Any]:
        """Counts, origin and place as plain data."""
        rows, columns = self.table.shape
        return {
            "table": str(self.path),
            "rows": rows,
            "features": columns - 1,
            "origin": self.origin,
        }

    def __repr__(self) -> str:
        """Return counts, origin and place in one line."""
        rows, columns = self.table.shape
        return f"Encoding({rows} patients × {columns - 1} features at {self.path}; {self.origin})"


def encode(
    cohort: str | Path,
    *,
    settings: str,
    out: str | Path,
    weights: str | Path | None = None,
    region: str = "tumour",
    phase: list[str] | None = None,
    time_point: str = "baseline",
    data_root: str | Path | None = None,
    hash_ids: str | None = None,
    jobs: int | None = None,
    seed: int = 0,
) -> Encoding:
    """Encode the scans of a cohort by a frozen network, a row a patient.

    Parameters
    ----------
    cohort
        Manifest, by path or shipped name.
    settings
        Preset of :data:`radiogenomics.imaging.deep.ENCODER_PRESETS`; scans other than CT are
        standardised by the image instead of a window of HU.
    out
        ``.csv`` or ``.parquet``; ``.provenance.json`` is written beside it.
    weights, seed
        File of weights (ours, or torchvision's, MedicalNet's or MONAI's names); random, by the
        seed, if None.
    region, phase, time_point
        Mask, or a word that makes one; which scans, of all phases if None.
    data_root, hash_ids, jobs
        As in :func:`radiogenomics.run`; secret that makes pseudonyms; processes that cut scans.

    Raises
    ------
    SchemaError, UnknownNameError, DataError, MissingExtraError
        No table as output, weights of another network, no such preset, no such scan, no torch.
    """
    target = Path(out)
    if target.suffix not in FORMATS:
        raise SchemaError(
            f"{target.name}: expected an output called *.csv or *.parquet; found "
            f"{target.suffix or 'no ending'!r}. Rename it."
        )
    (found,), hashes = load_cohorts([cohort], data_root)
    chosen = chosen_scans(found, phases=phase, time_point=time_point)
    modality = next(iter(chosen.values()))[0].modality
    encoder = encoder_of(settings, modality=modality, weights=weights, seed=seed)
    _warn_of_seen(found, weights, hashes)
    table = encoded(chosen, encoder, region=region, jobs=jobs or os.cpu_count() or 1)
    if hash_ids is not None:
        table.index = pd.Index([pseudonym(hash_ids, str(patient)) for patient in table.index])
    table = table.rename_axis("patient_id").reset_index()
    made = {"cohort": found.id, "inputs": hashes, "region": region, "seed": seed}
    made |= {"origin": encoder.origin, "settings": encoder.settings.to_json()}
    made |= {"weights": weights and hash_file(Path(weights)), "versions": versions()}
    _write(table, target, made)
    return Encoding(table, encoder.origin, target)


def _warn_of_seen(cohort: Cohort, weights: str | Path | None, hashes: dict[str, str]) -> None:
    if weights is not None and seen_of(weights, cohorts=[cohort.id], hashes=hashes):
        warnings.warn(
            f"{cohort.id}: these weights were pre-trained on its patients, so that their features "
            "cannot be judged by these patients, in folds or without; pre-train on others",
            RadiogenomicsWarning,
            stacklevel=3,
        )


def encoder_of(
    preset: str, *, modality: str, weights: str | Path | None, seed: int, device: str = "cpu"
) -> Encoder:
    """Return a frozen network by its preset, fit for one kind of scan.

    Raises
    ------
    MissingExtraError
        torch is not installed.
    UnknownNameError, SchemaError
        There is no such preset; the weights are of another network.
    """
    from radiogenomics.imaging.deep import encoder_preset

    settings = for_modality(encoder_preset(preset), modality)
    return built_encoder(settings, weights, seed, device=device)


def built_encoder(
    settings: EncoderSettings, weights: str | Path | None, seed: int, *, device: str = "cpu"
) -> Encoder:
    """Return a frozen network by its settings.

    Raises
    ------
    MissingExtraError
        torch is not installed.
    SchemaError
        The weights are of another network.
    """
    try:
        from radiogenomics.imaging.deep import Encoder
    except ImportError as error:
        raise MissingExtraError(
            "expected torch and MONAI to encode scans; found them missing. Install them with "
            "pip install 'radiogenomics[deep]'."
        ) from error
    return Encoder(settings, weights, seed, device=device)


def for_modality(settings: EncoderSettings, modality: str) -> EncoderSettings:
    """Replace a window of HU by a standardised image where intensities are no HU."""
    if modality == CT or settings.window is None:
        return settings
    return replace(settings, window=None, normalise="image")


def chosen_scans(
    cohort: Cohort, *, phases: list[str] | None, time_point: str
) -> dict[str, list[Scan]]:
    """Scans of one time point by phase, in the order asked for.

    Raises
    ------
    DataError
        A phase, or any scan, is missing.
    """
    there = [scan for scan in cohort.scans if scan.time_point == time_point]
    known = tuple(dict.fromkeys(scan.phase for scan in there))
    wanted = known if phases is None else tuple(phases)
    lacking = [phase for phase in wanted if phase not in known]
    if lacking or not there:
        raise DataError(
            f"{cohort.id}: expected scans ({short_list(wanted) or 'of any phase'}) at "
            f"{time_point}; found {short_list(known) or 'none'}. Choose another phase or time."
        )
    return {phase: [scan for scan in there if scan.phase == phase] for phase in wanted}


def encoded(
    chosen: dict[str, list[Scan]], encoder: Encoder, *, region: str, jobs: int
) -> pd.DataFrame:
    """Patients × features; phases side by side, or read as channels where the view has them."""
    from radiogenomics.imaging.deep import deep_features

    groups = chosen
    if encoder.settings.phases:
        groups = {"": [scan for scans in chosen.values() for scan in scans]}
    parts = []
    for phase, scans in groups.items():
        table = deep_features(scans, encoder, region=region, name=phase or "deep", jobs=jobs)
        frame = table.per_patient()
        parts.append(frame.add_prefix(f"{phase}_") if len(groups) > 1 else frame)
    whole: pd.DataFrame = pd.concat(parts, axis=1)
    return whole


def _write(table: pd.DataFrame, target: Path, made: dict[str, Any]) -> None:
    with replaced_file(target) as draft:
        if target.suffix == ".parquet":
            table.to_parquet(draft, index=False)
        else:
            table.to_csv(draft, index=False, lineterminator="\n")
    with replaced_file(target.with_name(f"{target.name}.provenance.json")) as draft:
        draft.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n", "utf-8")
