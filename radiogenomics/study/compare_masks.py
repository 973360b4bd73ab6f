"""Two masks of a cohort's scans held against each other: Dice and distances of surfaces."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from radiogenomics.core.errors import SchemaError
from radiogenomics.core.log import progress
from radiogenomics.core.provenance import versions
from radiogenomics.core.scan import Scan
from radiogenomics.imaging.extract import FAILURES
from radiogenomics.imaging.mask_agreement import (
    COLUMNS,
    TOLERANCE_MM,
    MaskAgreement,
    mask_agreement,
    summarise_agreement,
)
from radiogenomics.imaging.regions import with_region
from radiogenomics.io.store import pseudonym, replaced_file
from radiogenomics.study.cohorts import load_cohorts
from radiogenomics.study.scan_choice import scans_of, warn_of_failures

CSV = ".csv"
FACTS = ("modality", "phase", "time_point")


@dataclass(frozen=True, eq=False)
class MaskComparison:
    """How well two masks agree, scan by scan.

    Parameters
    ----------
    table
        One row a scan: whose and which, and the columns of
        :func:`radiogenomics.imaging.mask_agreement.agreement_table`.
    medians
        Median and quartiles of each measure, and how many found nothing.
    path
        Where the table was written.
    """

    table: pd.DataFrame
    medians: pd.DataFrame
    path: Path

    def summary(self) -> dict[str, Any]:
        """Counts, medians and place as plain data."""
        rows = json.loads(self.medians.drop(columns="region").to_json(orient="records"))
        return {"table": str(self.path), "scans": len(self.table), "measures": rows}

    def __str__(self) -> str:
        """Return the median of each measure, who found nothing, and the place."""
        shown = ", ".join(
            f"{row['measure']} {row['median']:.3g}" for _, row in self.medians.dropna().iterrows()
        )
        empty = self.table["empty"].value_counts()
        return (
            f"medians of {len(self.table)} scans: {shown or 'none measured'}; "
            f"{empty.get('found', 0)} missed, {empty.get('reference', 0)} invented\n"
            f"table: {self.path}"
        )

    def __repr__(self) -> str:
        """Return the same on one line."""
        return f"MaskComparison({str(self).replace(chr(10), '; ')})"


def compare_masks(
    cohort: str | Path,
    *,
    found: str,
    reference: str,
    out: str | Path,
    modality: str | None = None,
    phase: list[str] | None = None,
    time_point: str | None = None,
    tolerance_mm: float = TOLERANCE_MM,
    data_root: str | Path | None = None,
    hash_ids: str | None = None,
    jobs: int | None = None,
) -> MaskComparison:
    """Hold a mask of each scan of a cohort against another one of the same scan.

    Measures are those of :func:`radiogenomics.imaging.mask_agreement.mask_agreement`: Dice, surface
    Dice, and mean, 95 % and largest distance of the surfaces in mm. Scans that lack a mask are left
    out, and a warning counts them.

    Parameters
    ----------
    cohort, out
        Manifest, by path or shipped name; ``.csv``, a row a scan, with ``.provenance.json``.
    found, reference, tolerance_mm
        Masks, or words that make them (``liver_without_tumour``); what counts as one surface.
    modality, phase, time_point
        Which scans; all if None.
    data_root, hash_ids, jobs
        As of :func:`radiogenomics.encode`.

    Raises
    ------
    SchemaError, DataError
        The output is no table, the two masks are one, or there is no scan with both.
    """
    target = Path(out)
    if target.suffix != CSV or found == reference:
        what = f"{found} twice" if found == reference else f"the output {target.name}"
        raise SchemaError(
            f"expected two masks to compare, and an output called *{CSV}; found {what}. Correct it."
        )
    (chosen,), hashes = load_cohorts([cohort], data_root)
    scans = scans_of(chosen, modality=modality, phases=phase, time_point=time_point)
    table = _compared(scans, (found, reference), tolerance_mm, jobs=jobs or os.cpu_count() or 1)
    if hash_ids is not None:
        table["patient_id"] = [pseudonym(hash_ids, patient) for patient in table["patient_id"]]
    done = MaskComparison(table, summarise_agreement(table), target)
    asked = {"found": found, "reference": reference, "tolerance_mm": tolerance_mm}
    _write(done, {"cohort": chosen.id, "inputs": hashes, **asked})
    return done


def _compared(
    scans: Sequence[Scan], names: tuple[str, str], tolerance_mm: float, *, jobs: int
) -> pd.DataFrame:
    """One row a scan that has both masks."""
    work = (joblib.delayed(_attempt)(scan, names, tolerance_mm) for scan in scans)
    each = joblib.Parallel(n_jobs=jobs, return_as="generator")(work)
    results = list(progress(each, "comparing masks", total=len(scans)))
    warn_of_failures([reason for _, reason in results], what="two masks to compare")
    rows = [
        {"patient_id": scan.patient_id, **{name: getattr(scan, name) for name in FACTS}}
        | {"region": " against ".join(names), **asdict(agreement)}
        for scan, (agreement, _) in zip(scans, results, strict=True)
        if agreement is not None
    ]
    table = pd.DataFrame(rows, columns=["patient_id", *FACTS, *COLUMNS[1:]])
    return table.astype(dict.fromkeys(COLUMNS[2:-1], float))


def _write(done: MaskComparison, made: dict[str, Any]) -> None:
    measures = done.summary()["measures"]
    words = json.dumps(
        {**made, "measures": measures, "versions": versions()}, indent=2, sort_keys=True
    )
    with replaced_file(done.path) as draft:
        done.table.to_csv(draft, index=False, lineterminator="\n")
    with replaced_file(done.path.with_name(f"{done.path.name}.provenance.json")) as draft:
        draft.write_text(words + "\n", "utf-8")


def _attempt(
    scan: Scan, names: tuple[str, str], tolerance_mm: float
) -> tuple[MaskAgreement | None, str]:
    """Agreement of the two masks of a scan, or why there is none."""
    try:
        volume = scan.load()
        found, reference = (with_region(volume, name).mask(name) for name in names)
        agreement = mask_agreement(
            found, reference, spacing_mm=volume.spacing_mm, tolerance_mm=tolerance_mm
        )
    except FAILURES as error:
        return None, f"{type(error).__name__}: {error}"
    return agreement, ""
