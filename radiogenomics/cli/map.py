"""`radiogenomics map`: image features against genes and pathways, with permuted patients beside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from radiogenomics.cli.options import (
    AsJson,
    AssayCohort,
    DataRoot,
    Expression,
    Features,
    Force,
    Hgnc,
    Out,
    Seed,
)

GeneSets = Annotated[Path | None, typer.Option(help="GMT of the pathways.")]
Covariates = Annotated[
    list[str] | None,
    typer.Option(help="File, or column of the cohort's patients (repeat it): taken out."),
]
Volume = Annotated[
    str | None,
    typer.Option(help="Feature or covariate that holds the tumour volume: taken out."),
]
Within = Annotated[
    str | None, typer.Option(help="Column inside whose values patients are permuted.")
]
Id = Annotated[str | None, typer.Option(help="Column of identifiers, in the files that have it.")]
Drop = Annotated[
    list[str] | None,
    typer.Option(help="Column that is no feature, in the files that have it; repeat it."),
]
Controls = Annotated[
    list[Path] | None,
    typer.Option(help="Features of shuffled voxels, same patients; repeat it."),
]
Network = Annotated[
    Path | None, typer.Option(help="Edges source, target, weight: activities by decoupler.")
]
Explain = Annotated[
    str | None, typer.Option(help="Table of features (deep ones) to explain by the others.")
]
Settings = Annotated[
    str | None,
    typer.Option(help="Preset or YAML of the features: maps over scans of the cohort."),
]
Region = Annotated[str | None, typer.Option(help="Mask of the features; with --settings.")]
SecondFeatures = Annotated[
    list[str] | None, typer.Option(help="Second cohort: image features; repeat it.")
]
SecondExpression = Annotated[
    list[str] | None, typer.Option(help="Second cohort: expression; repeat it.")
]
SecondCovariates = Annotated[list[str] | None, typer.Option(help="Second cohort: covariates.")]
SecondCohort = Annotated[str | None, typer.Option(help="Second cohort: manifest.")]
Plan = Annotated[Path | None, typer.Option(help="YAML: method, permutations, sizes of sets ...")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Threads; all cores if not given.")]


def draw_map(
    *,
    features: Features,
    expression: Expression,
    out: Out,
    gene_sets: GeneSets = None,
    covariates: Covariates = None,
    volume: Volume = None,
    within: Within = None,
    id: Id = None,
    drop: Drop = None,
    cohort: AssayCohort = None,
    controls: Controls = None,
    network: Network = None,
    explain: Explain = None,
    settings: Settings = None,
    region: Region = None,
    second_features: SecondFeatures = None,
    second_expression: SecondExpression = None,
    second_covariates: SecondCovariates = None,
    second_cohort: SecondCohort = None,
    plan: Plan = None,
    force: Force = False,
    hgnc: Hgnc = None,
    data_root: DataRoot = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Say which image features go with genes and pathways, and which only seem to.

    Every link stands beside what permuted patients give.
    """
    from radiogenomics.cli.show import results_text
    from radiogenomics.study.association.draw import draw_map as run_map

    results = run_map(
        features=features, expression=expression, out=out, gene_sets=gene_sets,
        covariates=covariates, volume=volume, within=within, id=id, drop=drop, cohort=cohort,
        controls=controls, network=network, explain=explain, settings=settings, region=region,
        second_features=second_features, second_expression=second_expression,
        second_covariates=second_covariates, second_cohort=second_cohort, plan=plan, force=force,
        hgnc=hgnc, data_root=data_root, jobs=jobs, seed=seed,
    )  # fmt: skip
    typer.echo(json.dumps(results.summary(), indent=2) if as_json else results_text(results))
