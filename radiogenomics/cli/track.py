"""`radiogenomics track`: lesions followed from scan to scan, and the response they amount to."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer

from radiogenomics.cli.options import AsJson, DataRoot, Jobs, Out

Criterion = Annotated[
    Literal["mrecist", "recist", "irecist"], typer.Option(help="Response criterion.")
]
Region = Annotated[str, typer.Option(help="Mask of the lesions.")]
Measured = Annotated[
    str | None,
    typer.Option(help="Mask of what is measured of a lesion: for mrecist its viable part."),
]
ViableSd = Annotated[
    float | None,
    typer.Option(help="Derive the viable part: SD above the organ's median, arterial phase."),
]
Organ = Annotated[
    str | None, typer.Option(help="Mask scans are registered by, and lesions compared with.")
]
Registration = Annotated[
    Literal["none", "rigid", "affine"],
    typer.Option(help="Of later scans to the baseline; none: they lie on one grid."),
]
Months = Annotated[
    list[str] | None,
    typer.Option(help="TIME_POINT=MONTHS since treatment began, or =COLUMN of them; repeat it."),
]
Modality = Annotated[str | None, typer.Option(help="Which scans: CT, MR ...")]
Phase = Annotated[str | None, typer.Option(help="Which scans: arterial, portal ...")]
HashIds = Annotated[
    str | None,
    typer.Option(
        envvar="RADIOGENOMICS_HASH_IDS", help="Secret that makes pseudonyms in response.csv."
    ),
]


def track(
    manifest: Annotated[str, typer.Argument(help="Manifest of the cohort: path or shipped name.")],
    *,
    out: Out,
    criterion: Criterion = "mrecist",
    region: Region = "tumour",
    measured: Measured = None,
    viable_sd: ViableSd = None,
    organ: Organ = None,
    registration: Registration = "rigid",
    months: Months = None,
    modality: Modality = None,
    phase: Phase = None,
    hash_ids: HashIds = None,
    data_root: DataRoot = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Follow lesions from scan to scan and judge the response."""
    from radiogenomics.study.track import track as run_track

    found = run_track(
        manifest, out=out, criterion=criterion, region=region, measured=measured,
        viable_sd=viable_sd, organ=organ, registration=registration, months=months,
        modality=modality, phase=phase, hash_ids=hash_ids, data_root=data_root, jobs=jobs,
    )  # fmt: skip
    typer.echo(json.dumps(found.summary(), indent=2) if as_json else str(found))
