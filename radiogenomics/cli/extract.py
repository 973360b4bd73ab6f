"""`radiogenomics extract`: one scan, or a list of scans, to a table of features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from radiogenomics.cli.options import AsJson

EXIT_SOME_FAILED = 3

ControlOption = Annotated[
    Literal["shuffled", "sampled", "uniform"] | None,
    typer.Option(help="Measure negative controls: scans whose voxels hold no texture any more."),
]
PartOption = Annotated[
    Literal["inside", "outside", "all"], typer.Option(help="Voxels that a control replaces.")
]


def extract(
    *,
    settings: Annotated[
        str, typer.Option(help="Preset (lwctr, ct, mr, us2d, mmf, irs) or pyradiomics YAML.")
    ],
    out: Annotated[Path, typer.Option(help="Table to write: *.csv or *.parquet.")],
    image: Annotated[
        Path | None, typer.Option(help="NIfTI, NRRD, MHA, DICOM folder or archive of one.")
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="Label image, DICOM SEG, RTSTRUCT or series of masks.")
    ] = None,
    label: Annotated[
        int | None, typer.Option(min=1, help="Value in the mask; any if none.")
    ] = None,
    roi: Annotated[str, typer.Option(help="Structure in a SEG or RTSTRUCT.")] = "",
    series: Annotated[str, typer.Option(help="DICOM series, where the folder has several.")] = "",
    scans: Annotated[
        Path | None,
        typer.Option(help="Table of scans: patient_id, image_path, mask_path; roi, phase ..."),
    ] = None,
    lesions: Annotated[
        str | None,
        typer.Option(help="largest, union, mean, volume_weighted or per_lesion."),
    ] = None,
    backend: Annotated[
        Literal["native", "pyradiomics"], typer.Option(help="Engine; the same numbers.")
    ] = "native",
    repair: Annotated[
        Literal["error", "resample", "pad"], typer.Option(help="Mask off the image's grid.")
    ] = "error",
    control: ControlOption = None,
    control_part: PartOption = "inside",
    control_seed: Annotated[int, typer.Option(min=0, help="Seed of the control.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores if none.")] = None,
    dask: Annotated[str | None, typer.Option(help="Dask scheduler, tcp://host:port.")] = None,
    hash_ids: Annotated[
        str | None,
        typer.Option(
            envvar="RADIOGENOMICS_HASH_IDS", help="Secret that makes pseudonyms of identifiers."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure radiomic features: one image and mask, or a list of scans.

    Every finished scan is safe on the disk: start a killed run again and it goes on. Exit code 3
    says that some scans failed; they are in <out>.failures.csv with reason and mend.
    """
    from radiogenomics.study.extract import extract as run_extract

    found = run_extract(
        settings=settings, out=out, image=image, mask=mask, label=label, roi=roi, series=series,
        scans=scans, lesions=lesions, backend=backend, repair=repair, control=control,
        control_part=control_part, control_seed=control_seed, jobs=jobs, dask=dask,
        hash_ids=hash_ids,
    )  # fmt: skip
    typer.echo(json.dumps(found.summary()) if as_json else str(found))
    if not found.ok:
        raise typer.Exit(EXIT_SOME_FAILED)
