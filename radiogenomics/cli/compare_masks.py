"""`radiogenomics compare-masks`: Dice and surface distances of two masks of a cohort's scans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from radiogenomics.cli.options import AsJson, DataRoot, HashIds, Jobs, Modality, Phases


def compare_masks(
    cohort: Annotated[str, typer.Argument(help="Manifest: a path, or the name of a shipped one.")],
    *,
    found: Annotated[str, typer.Option(help="Mask to judge, or a word that makes one.")],
    reference: Annotated[str, typer.Option(help="Mask to hold it against.")],
    out: Annotated[Path, typer.Option(help="Table to write: *.csv.")],
    modality: Modality = None,
    phase: Phases = None,
    time_point: Annotated[
        str | None, typer.Option(help="When the scans were made; all if not given.")
    ] = None,
    tolerance_mm: Annotated[
        float, typer.Option(min=0, help="Distance that counts as the same surface.")
    ] = 2.0,
    data_root: DataRoot = None,
    hash_ids: HashIds = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Hold two masks of each scan against each other: Dice, surface distances."""
    from radiogenomics.study.compare_masks import compare_masks as run_compare

    done = run_compare(
        cohort, found=found, reference=reference, out=out, modality=modality, phase=phase,
        time_point=time_point, tolerance_mm=tolerance_mm, data_root=data_root, hash_ids=hash_ids,
        jobs=jobs,
    )  # fmt: skip
    typer.echo(json.dumps(done.summary(), indent=2) if as_json else str(done))
