"""A cohort's scans segmented by a tool that the user has installed, as a cohort of its own.

The output folder holds the manifest, its tables as they were, and every scan with its masks as
NIfTI, those of the tool among them: it is its own data root. Patients are named as the manifest
names them, so keep it with the data.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import SchemaError, StudyError, UnknownNameError, short_list
from radiogenomics.core.log import progress
from radiogenomics.core.provenance import Provenance, hash_file, hash_text, versions
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.core.schema import read_yaml
from radiogenomics.imaging.extract import FAILURES
from radiogenomics.io import output_folder, pseudonym, read_manifest
from radiogenomics.io.images.write import write_image
from radiogenomics.io.layout import data_file
from radiogenomics.io.segment_scan import segment as segment_scan
from radiogenomics.io.segmentations import RegionMapping, read_region_mapping, write_masks
from radiogenomics.io.segmenters import (
    MonaiBundle,
    NnUNet,
    Segmenter,
    TotalSegmentator,
    command_line,
)
from radiogenomics.io.store import OutputWriter
from radiogenomics.study.cohorts import load_cohorts
from radiogenomics.study.registry import find_manifest
from radiogenomics.study.scan_choice import scans_of, warn_of_failures

TOOLS = ("totalsegmentator", "nnunet", "monai")
MANIFEST, SCANS = "manifest.yaml", "scans_segmented"
LIST = f"{SCANS}/scans.csv"
COLUMNS = ("patient", "modality", "phase", "time_point", "region", "ml", "reason")


@dataclass(frozen=True, eq=False)
class Segmented:
    """What a tool made of a cohort.

    Parameters
    ----------
    table
        One row a scan and region: whose (a pseudonym) and which, its volume in ml, and of scans
        that failed the reason.
    command
        How the tool was called, with words for its folders.
    manifest
        Of the cohort with the new masks; its folder is the data root.
    """

    table: pd.DataFrame
    command: str
    manifest: Path

    @property
    def verdict(self) -> str:
        """Scans and regions in one line."""
        done = self.table[self.table["reason"] == ""]
        scans = len(done[["patient", "modality", "phase", "time_point"]].drop_duplicates())
        empty = int((done["ml"] == 0).sum())
        regions = short_list(done["region"].unique(), limit=8)
        return f"{scans} scans segmented: {regions}; {empty} masks are empty"

    def summary(self) -> dict[str, Any]:
        """Counts and place as plain data."""
        failed = int((self.table["reason"] != "").sum())
        return {"manifest": str(self.manifest), "verdict": self.verdict, "failed": failed}

    def __str__(self) -> str:
        """Return what was made, how to go on, and where it is."""
        return (
            f"{self.verdict}\nLook at them, and hold some against masks that were drawn: "
            f"radiogenomics compare-masks.\nmanifest: {self.manifest}"
        )

    def __repr__(self) -> str:
        """Return what was made and where in one line."""
        return f"Segmented({self.verdict}; {self.manifest})"


def segment(
    cohort: str | Path,
    *,
    tool: str | Segmenter,
    out: str | Path,
    model: str | None = None,
    regions: str | Path | None = None,
    suffix: str = "",
    roi: list[str] | None = None,
    fast: bool = False,
    modality: str | None = None,
    phase: list[str] | None = None,
    time_point: str | None = None,
    device: str | None = None,
    program: str | None = None,
    timeout_s: float | None = None,
    data_root: str | Path | None = None,
) -> Segmented:
    """Let TotalSegmentator, nnU-Net or a MONAI bundle segment the scans of a cohort.

    None of them comes with this package. Each scan is given by itself, without identifiers; models
    of several phases are called by :func:`radiogenomics.io.segment`. Scans for which the tool fails
    are kept without its masks, and a warning counts them.

    Parameters
    ----------
    cohort, out
        Manifest, by path or shipped name; folder of the new cohort, which appears when it is whole.
    tool, model
        A word of ``TOOLS``, or one of :mod:`radiogenomics.io.segmenters`; task of TotalSegmentator
        (``total`` if None), dataset of nnU-Net, folder of the bundle.
    regions, suffix
        YAML that says which labels make which region (:mod:`radiogenomics.io.segmentations`), all
        by their names if None; what is put behind these names, as masks of the same name are
        replaced.
    roi, fast
        Classes to keep and the model of 3 mm, of TotalSegmentator.
    modality, phase, time_point
        Which scans are segmented; all if None.
    device, program, timeout_s
        The tool's word and program, its own choice if None; seconds for a scan.
    data_root : as in :func:`radiogenomics.run`
    """
    settings = {"device": device, "program": program, "roi": roi, "fast": fast}
    segmenter = segmenter_of(tool, model, settings) if isinstance(tool, str) else tool
    mapping = None if regions is None else read_region_mapping(regions)
    segmenter.require()
    place = find_manifest(cohort)
    root = Path(data_root) if data_root is not None else place.parent
    (found,), hashes = load_cohorts([place], root)
    asked = scans_of(found, modality=modality, phases=phase, time_point=time_point)
    work = _Work(segmenter, mapping, suffix, timeout_s)
    with output_folder(out) as writer:
        rows, results = _write_scans(found, asked, work, writer=writer)
        pd.DataFrame(rows).to_csv(data_file(writer.path, LIST), index=False, lineterminator="\n")
        _write_manifest(place, root, writer)
        table = pd.DataFrame(results, columns=list(COLUMNS))
        done = Segmented(table, command_line(segmenter), Path(out) / MANIFEST)
        _write_about(done, writer, cohort=found.id, provenance=work.provenance(hashes))
    return done


def segmenter_of(tool: str, model: str | None, settings: dict[str, Any]) -> Segmenter:
    """Return a tool by its word and settings, those None left to the tool.

    Raises
    ------
    UnknownNameError, StudyError, SchemaError
        There is no such tool, it lacks its model, or a setting would do nothing with it.
    """
    if tool not in TOOLS:
        raise UnknownNameError("segmentation tool", tool, TOOLS)
    given = {name: value for name, value in settings.items() if value}
    known = {
        "totalsegmentator": ("device", "program", "roi", "fast"),
        "nnunet": ("device", "program"),
        "monai": ("program",),
    }[tool]
    useless = [f"--{name}" for name in given if name not in known]
    if useless:
        raise StudyError(
            f"expected words that {tool} knows; found {', '.join(useless)}, which would do nothing "
            "there. Leave it out."
        )
    if tool == "totalsegmentator":
        rois = tuple(given.pop("roi", ()))
        return TotalSegmentator(model or "total", rois, **given)
    if model is None:
        what = "the dataset of nnU-Net" if tool == "nnunet" else "the folder of the bundle"
        raise StudyError(f"expected {what} as --model; found none. Name it.")
    if tool == "nnunet":
        return NnUNet(model, **given)
    python = given.get("program")
    return MonaiBundle(Path(model)) if python is None else MonaiBundle(Path(model), python=python)


@dataclass(frozen=True)
class _Work:
    """How each scan is segmented."""

    segmenter: Segmenter
    mapping: RegionMapping | None
    suffix: str
    timeout_s: float | None

    def provenance(self, hashes: dict[str, str]) -> Provenance:
        """What was given, and how it was segmented."""
        mapping = "" if self.mapping is None else self.mapping.model_dump_json()
        words = "\n".join((command_line(self.segmenter), mapping, self.suffix))
        return Provenance(hashes, hash_text(words), 0, versions())

    def masks(self, volume: Volume) -> dict[str, Any]:
        made = segment_scan(
            [volume], self.segmenter, mapping=self.mapping, timeout_s=self.timeout_s
        )
        return {f"{name}{self.suffix}": mask for name, mask in made.segmentation.masks.items()}


def _write_scans(
    cohort: Cohort, wanted: Sequence[Scan], work: _Work, *, writer: OutputWriter
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Write all scans and their masks; return rows of the list, and what became of those asked."""
    rows: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    reasons = []
    asked = set(map(id, wanted))
    for number, scan in enumerate(progress(cohort.scans, "segmenting", total=len(cohort.scans))):
        volume = scan.load()
        patient = pseudonym(cohort.id, scan.patient_id)
        kind = {"modality": scan.modality, "phase": scan.phase, "time_point": scan.time_point}
        made: dict[str, Any] = {}
        if id(scan) in asked:
            made, reason = _attempt(work, volume)
            reasons.append(reason)
            results += _results({"patient": patient, **kind}, made, reason, volume=volume)
        folder = f"{patient}_{number:05d}"
        place = data_file(writer.path, f"{SCANS}/{folder}")
        place.mkdir(parents=True)
        write_image(place / "image.nii.gz", volume.voxels, grid=volume)
        files = write_masks(place, {**volume.masks, **made}, grid=volume)
        rows.append(
            {"patient_id": scan.patient_id, **kind, "image": f"{folder}/image.nii.gz"}
            | {f"mask_{region}": f"{folder}/{file.name}" for region, file in files.items()}
        )
    warn_of_failures(reasons, what="masks of the tool")
    return rows, results


def _attempt(work: _Work, volume: Volume) -> tuple[dict[str, Any], str]:
    try:
        return work.masks(volume), ""
    except FAILURES as error:
        return {}, f"{type(error).__name__}: {error}"


def _results(
    scan: dict[str, Any], made: dict[str, Any], reason: str, *, volume: Volume
) -> list[dict[str, Any]]:
    if reason:
        return [{**scan, "region": "", "ml": float("nan"), "reason": reason}]
    z, y, x = volume.spacing_mm
    return [
        {**scan, "region": region, "ml": float((mask > 0).sum()) * z * y * x / 1000, "reason": ""}
        for region, mask in made.items()
    ]


def _write_about(
    done: Segmented, writer: OutputWriter, *, cohort: str, provenance: Provenance
) -> None:
    writer.write_table("tables/segmented.csv", done.table)
    writer.write_text("provenance.json", provenance.to_json())
    about = {"study": "segment", "cohorts": [cohort], "seed": 0, "metrics": []}
    about |= {"version": versions()["radiogenomics"], "verdict": done.verdict}
    writer.write_json("summary.json", about | {"command": done.command})


def _write_manifest(place: Path, root: Path, writer: OutputWriter) -> None:
    """Write the manifest with the new list of scans, and the tables that it names as they were."""
    content: Any = read_yaml(place)
    files = {part.file for table in _other_tables(place) for part in table.pieces()}
    files |= {table.names_file for table in _other_tables(place) if table.names_file}
    taken = sorted(name for name in files if name == MANIFEST or name.startswith(f"{SCANS}/"))
    if taken:
        raise SchemaError(
            f"{place.name}: expected tables of other names than those of the output; found "
            f"{short_list(taken)}. Rename them."
        )
    for name in sorted(files):
        target = data_file(writer.path, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data_file(root, name), target)
    content["scans"] = {
        "file": LIST,
        "sha256": hash_file(data_file(writer.path, LIST)),
        "id": {"column": "patient_id", "kind": "plain"},
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    writer.write_text(MANIFEST, text)


def _other_tables(place: Path) -> list[Any]:
    manifest = read_manifest(place)
    return [table for name, table in manifest.tables().items() if name != "scans"]
