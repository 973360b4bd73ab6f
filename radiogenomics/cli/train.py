"""`radiogenomics train`: the networks of a recipe on all patients of a cohort."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from radiogenomics.cli.options import AsJson, DataRoot, Device, Jobs, Out, Seed, weights_by_preset


def train(
    study: Annotated[str, typer.Argument(help="Recipe: a path, or the name of a shipped one.")],
    *,
    cohort: Annotated[str, typer.Option(help="Manifest of the patients to learn from.")],
    out: Out,
    block: Annotated[
        list[str] | None, typer.Option(help="Network of the recipe; repeat it. All if none.")
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(help="PRESET=FILE of an encoder of slices; repeat it. Random if none."),
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Networks as small as the recipe's simulated scans.")
    ] = False,
    device: Device = "auto",
    data_root: DataRoot = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Train a recipe's networks on all patients of a cohort, to be used on others."""
    from radiogenomics.study.train import train as run_train

    done = run_train(
        study, cohort=cohort, out=out, block=block, weights=weights_by_preset(weights),
        simulated=simulated, device=device, data_root=data_root, jobs=jobs, seed=seed,
    )  # fmt: skip
    typer.echo(json.dumps(done.summary(), indent=2) if as_json else str(done))
