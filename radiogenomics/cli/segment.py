"""`radiogenomics segment`: masks of a cohort's scans by a tool that is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from radiogenomics.cli.options import AsJson, DataRoot, Modality, Out, Phases

Tool = Annotated[
    Literal["totalsegmentator", "nnunet", "monai"], typer.Option(help="What segments.")
]
Model = Annotated[
    str | None,
    typer.Option(help="Task of TotalSegmentator, dataset of nnU-Net, folder of a MONAI bundle."),
]
Regions = Annotated[
    Path | None, typer.Option(help="YAML: which of its labels make which region; all if none.")
]
TimePoint = Annotated[str | None, typer.Option(help="When the scans were made; all if not given.")]
Roi = Annotated[
    list[str] | None, typer.Option(help="Class of TotalSegmentator to keep; repeat it.")
]


def segment(
    cohort: Annotated[str, typer.Argument(help="Manifest: a path, or the name of a shipped one.")],
    *,
    tool: Tool,
    out: Out,
    model: Model = None,
    regions: Regions = None,
    suffix: Annotated[
        str, typer.Option(help="Behind the names of its regions, to keep masks of the same name.")
    ] = "",
    roi: Roi = None,
    fast: Annotated[bool, typer.Option("--fast", help="TotalSegmentator's model of 3 mm.")] = False,
    modality: Modality = None,
    phase: Phases = None,
    time_point: TimePoint = None,
    device: Annotated[
        str | None, typer.Option(help="The tool's word: gpu, cuda, cpu; its own choice if none.")
    ] = None,
    program: Annotated[
        str | None, typer.Option(help="The tool's program, or the Python of a bundle.")
    ] = None,
    timeout_s: Annotated[
        float | None, typer.Option(min=0, help="Seconds after which it is stopped at a scan.")
    ] = None,
    data_root: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """Let an installed tool segment the scans of a cohort."""
    from radiogenomics.study.segment import segment as run_segment

    done = run_segment(
        cohort, tool=tool, out=out, model=model, regions=regions, suffix=suffix, roi=roi,
        fast=fast, modality=modality, phase=phase, time_point=time_point, device=device,
        program=program, timeout_s=timeout_s, data_root=data_root,
    )  # fmt: skip
    typer.echo(json.dumps(done.summary(), indent=2) if as_json else str(done))
