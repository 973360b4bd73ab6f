"""`radiogenomics pretrain`: an encoder of one's own from scans without labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from radiogenomics.cli.options import AsJson, DataRoot, Device, Jobs, Modality, Seed

Cohorts = Annotated[list[str], typer.Option(help="Manifest with scans; repeat it.")]
Preset = Annotated[
    str, typer.Option(help="Preset: resnet18_slice, resnet50_slices, resnet18_volume ...")
]
Method = Annotated[
    Literal["masked_volume", "contrastive", "source_task"], typer.Option(help="What is learnt.")
]
Facts = Annotated[
    list[str] | None, typer.Option(help="Column of the patients that source_task tells; repeat it.")
]
Checkpoints = Annotated[
    Path | None, typer.Option(help="Folder that a killed run goes on from, with its log.")
]


def pretrain(
    *,
    cohort: Cohorts,
    settings: Preset,
    out: Annotated[Path, typer.Option(help="Weights to write: *.safetensors, card beside them.")],
    method: Method,
    fact: Facts = None,
    region: Annotated[str, typer.Option(help="Mask, or a word that makes one.")] = "tumour",
    modality: Modality = None,
    phase: Annotated[
        str | None, typer.Option(help="Phase, for presets that read single scans.")
    ] = None,
    time_point: Annotated[str, typer.Option(help="When the scans were made.")] = "baseline",
    epochs: Annotated[int, typer.Option(min=1, help="Most passes over the scans.")] = 100,
    batch_size: Annotated[int, typer.Option(min=2, help="Patients in a step.")] = 16,
    learning_rate: Annotated[float, typer.Option(min=0, help="Of Adam.")] = 1e-3,
    validation_share: Annotated[
        float, typer.Option(min=0, max=1, help="Patients put aside, who say when to stop.")
    ] = 0.2,
    checkpoints: Checkpoints = None,
    device: Device = "auto",
    data_root: DataRoot = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Pre-train an encoder on scans of other patients than the study's."""
    from radiogenomics.study.pretrain import pretrain as run_pretrain

    found = run_pretrain(
        cohort=cohort, settings=settings, out=out, method=method, fact=fact, region=region,
        modality=modality, phase=phase, time_point=time_point, epochs=epochs,
        batch_size=batch_size, learning_rate=learning_rate, validation_share=validation_share,
        checkpoints=checkpoints, device=device, data_root=data_root, jobs=jobs, seed=seed,
    )  # fmt: skip
    typer.echo(json.dumps(found.summary(), indent=2) if as_json else str(found))
