"""`radiogenomics encode`: a cohort's scans to a table of deep features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from radiogenomics.cli.options import AsJson, DataRoot, Jobs, Seed


def encode(
    cohort: Annotated[str, typer.Argument(help="Manifest: a path, or the name of a shipped one.")],
    *,
    settings: Annotated[
        str, typer.Option(help="Preset: resnet18_slice, resnet50_slices, resnet18_volume ...")
    ],
    out: Annotated[Path, typer.Option(help="Table to write: *.csv or *.parquet.")],
    weights: Annotated[
        Path | None,
        typer.Option(help="Weights: safetensors, or a state dict of torch; random if none."),
    ] = None,
    region: Annotated[str, typer.Option(help="Mask, or a word that makes one.")] = "tumour",
    phase: Annotated[
        list[str] | None, typer.Option(help="Phase; repeat it. All if not given.")
    ] = None,
    time_point: Annotated[str, typer.Option(help="When the scans were made.")] = "baseline",
    data_root: DataRoot = None,
    hash_ids: Annotated[
        str | None,
        typer.Option(
            envvar="RADIOGENOMICS_HASH_IDS", help="Secret that makes pseudonyms of identifiers."
        ),
    ] = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Encode scans by a frozen network into a table of deep features."""
    from radiogenomics.study.encode import encode as run_encode

    found = run_encode(
        cohort, settings=settings, out=out, weights=weights, region=region, phase=phase,
        time_point=time_point, data_root=data_root, hash_ids=hash_ids, jobs=jobs, seed=seed,
    )  # fmt: skip
    typer.echo(json.dumps(found.summary()) if as_json else str(found))
